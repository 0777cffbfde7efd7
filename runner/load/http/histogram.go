package http

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogram is a Distribution in the making. Source: docs/method.md#histogram.
type histogram struct {
	hdr              *hdrhistogram.Histogram
	highest          int64
	count, min, max  int64
	sum, overflowing int64
}

func newHistogram(timeout time.Duration) *histogram {
	return newHistogramUpTo(max(time.Minute, 2*timeout).Nanoseconds())
}

func newHistogramUpTo(highest int64) *histogram {
	return &histogram{hdr: hdrhistogram.New(1, highest, 3), highest: highest, min: math.MaxInt64}
}

func (h *histogram) add(ns int64) error {
	h.count++
	h.sum += ns
	h.min, h.max = min(h.min, ns), max(h.max, ns)
	if ns > h.highest { // the library would take some of these, up to the end of its last bucket
		h.overflowing++
		return nil
	}
	return h.hdr.RecordValue(ns)
}

func (h *histogram) merge(from *histogram) error {
	h.count += from.count
	h.sum += from.sum
	h.min, h.max = min(h.min, from.min), max(h.max, from.max)
	h.overflowing += from.overflowing
	if dropped := h.hdr.Merge(from.hdr); dropped > 0 {
		return fmt.Errorf("merging histograms: %d values were dropped", dropped)
	}
	return nil
}

func (h *histogram) distribution() (Distribution, error) {
	encoded, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return Distribution{}, fmt.Errorf("encoding histogram: %w", err)
	}
	d := Distribution{
		Encoded: string(encoded), Highest: h.highest,
		Count: h.count, Min: h.min, Max: h.max, Sum: h.sum, Overflow: h.overflowing,
	}
	if h.count == 0 {
		d.Min = 0
	}
	return d, nil
}
