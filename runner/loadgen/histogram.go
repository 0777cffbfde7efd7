package loadgen

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogram is a Distribution being filled; hdr becomes its Encoded.
type histogram struct {
	Distribution
	hdr *hdrhistogram.Histogram
}

func newHistogram(timeout time.Duration) *histogram {
	highest := max(time.Minute, 2*timeout).Nanoseconds()
	return &histogram{Distribution{Highest: highest, Min: math.MaxInt64}, hdrhistogram.New(1, highest, 3)}
}

func (h *histogram) add(ns int64) {
	h.Count++
	h.Sum += ns
	h.Min, h.Max = min(h.Min, ns), max(h.Max, ns)
	if ns > h.Highest { // the library would take some of these, up to the end of its last bucket
		h.Overflow++
	} else {
		_ = h.hdr.RecordValue(ns) // it lies within the range
	}
}

// sharesOf estimates how many requests the cut ones amount to, by their ages: it adds up, for each age, the mean of
// age/time over the times in h that are longer, or 0 if none is.
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
	h.Count += from.Count
	h.Sum += from.Sum
	h.Min, h.Max = min(h.Min, from.Min), max(h.Max, from.Max)
	h.Overflow += from.Overflow
	h.hdr.Merge(from.hdr) // of the same range, so nothing is dropped
}

// distribution returns the filled Distribution; nil for a nil histogram.
func (h *histogram) distribution() *Distribution {
	if h == nil {
		return nil
	}
	d := h.Distribution
	encoded, _ := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // writing to memory cannot fail
	if d.Encoded = string(encoded); d.Count == 0 {
		d.Min = 0
	}
	return &d
}
