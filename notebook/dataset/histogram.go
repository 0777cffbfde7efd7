package dataset

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// percentile gives the percentile of one repetition's times, in seconds, or the reason why there is none. Attempts
// is how many there could have been: those without a value in the histogram rank above all that have one.
//
// Source: METHOD.md 1.1 and 1.2.
func percentile(h record.Histogram, p stats.Percentile, attempts int64) (seconds float64, missing string) {
	attempts = max(attempts, h.Count)
	if h.Count == 0 {
		return 0, "no answers"
	}
	if need := p.Need(); attempts < need {
		return 0, fmt.Sprintf("needs %d answers, has %d", need, attempts)
	}
	return valueAt(h, p.Rank(attempts))
}

// valueAt is the value of a rank, counted from 1 for the smallest, and the reason if there is none.
func valueAt(h record.Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	decoded, err := hdrhistogram.Decode([]byte(h.HDR))
	if err != nil {
		return 0, fmt.Sprintf("the histogram cannot be read: %v", err)
	}
	seen := int64(0)
	for _, bar := range decoded.Distribution() {
		if seen += bar.Count; seen >= rank {
			// Buckets reach beyond the values in them; the ends are known exactly.
			return min(max(float64(bar.To)/1e9, h.Min), h.Max), ""
		}
	}
	return 0, fmt.Sprintf("> %g s", float64(decoded.HighestTrackableValue())/1e9)
}
