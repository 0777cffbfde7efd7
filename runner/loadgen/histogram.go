package loadgen

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogram builds a Distribution. Source: docs/method.md#histogram.
type histogram struct {
	hdr              *hdrhistogram.Histogram
	highest          int64
	count, min, max  int64
	sum, overflowing int64
}

func newHistogram(timeout time.Duration) *histogram {
	highest := max(time.Minute, 2*timeout).Nanoseconds()
	return &histogram{hdr: hdrhistogram.New(1, highest, 3), highest: highest, min: math.MaxInt64}
}

func (h *histogram) add(ns int64) {
	h.count++
	h.sum += ns
	h.min, h.max = min(h.min, ns), max(h.max, ns)
	if ns > h.highest { // the library takes some of these, up to the end of its last bucket
		h.overflowing++
	} else {
		_ = h.hdr.RecordValue(ns) // it lies within the range
	}
}

// sharesOf adds up which share of each cut request was done, by its age: the mean of age/time over all times here that
// are longer than the age, and 0 if none is.
//
// Source: docs/method.md#requests-that-were-cut.
func (h *histogram) sharesOf(ages *histogram) (sum float64) {
	times := h.hdr.Distribution()
	longer, inverse := 0.0, 0.0 // how many times are longer, and the sum of 1/time over them
	i := len(times)
	for _, age := range slices.Backward(ages.hdr.Distribution()) {
		for ; age.Count > 0 && i > 0 && times[i-1].From > age.To; i-- {
			longer += float64(times[i-1].Count)
			inverse += float64(times[i-1].Count) / (float64(times[i-1].From+times[i-1].To) / 2)
		}
		if longer > 0 {
			sum += float64(age.Count) * float64(age.From+age.To) / 2 * inverse / longer
		}
	}
	return sum
}

func (h *histogram) merge(from *histogram) {
	h.count += from.count
	h.sum += from.sum
	h.min, h.max = min(h.min, from.min), max(h.max, from.max)
	h.overflowing += from.overflowing
	h.hdr.Merge(from.hdr) // of the same range, so nothing is dropped
}

// distribution returns nil for a nil histogram.
func (h *histogram) distribution() *Distribution {
	if h == nil {
		return nil
	}
	encoded, _ := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // into memory
	d := &Distribution{Encoded: string(encoded), Highest: h.highest, Count: h.count, Min: h.min, Max: h.max, Sum: h.sum,
		Overflow: h.overflowing}
	if h.count == 0 {
		d.Min = 0
	}
	return d
}
