package measure

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// The better side comes first, whether higher or lower values are better.
func TestComparisons(t *testing.T) {
	for _, tt := range []struct {
		words   comparison
		ratio   float64 // of the first side to the other
		lo, hi  float64
		verdict stats.Verdict
		want    string
	}{
		{inTime, 3.4, 2.9, 3.9, stats.Contradicted, "B is 3.4 times faster than A [2.9 to 3.9 times]."},
		{inTime, 0.25, 0.24, 0.26, stats.Contradicted, "A is 4.0 times faster than B [3.8 to 4.2 times]."},
		{inTime, 1.01, 0.99, 1.03, stats.Supported, "A is as fast as B within 5\u202f% [0.97 to 1.01 times]."},
		{inTime, 1.07, 1.02, 1.12, stats.Inconclusive,
			"B is 1.07 times faster than A [1.02 to 1.12 times]; whether by more than 5\u202f% is open after 20\u00a0repetitions."},
		{inTime, 1.02, 0.9, 1.2, stats.Inconclusive,
			"After 20\u00a0repetitions it is undecided which is better: B is 1.02 times faster than A [0.90 to 1.20 times]."},
		{inThroughput, 1.3, 1.2, 1.4, stats.Contradicted, "A answers 1.30 times as many requests as B [1.20 to 1.40 times]."},
		{inThroughput, 0.5, 0.4, 0.6, stats.Contradicted, "B answers 2.0 times as many requests as A [1.7 to 2.5 times]."},
		{inTail, 2, 1.9, 2.1, stats.Contradicted, "B answers 99\u202f% of its requests 2.0 times faster than A [1.9 to 2.1 times]."},
	} {
		j := &claim.Judgement{Test: claim.Test{Region: stats.Within(0.05)}, Verdict: tt.verdict,
			Effect: &dataset.Quantity{Number: tt.ratio, Unit: "1", Interval: &stats.Interval{Lo: tt.lo, Hi: tt.hi}, N: 20}}
		assert.Equal(t, tt.words.sentence(j, "A", "B"), tt.want, "%v %s", tt.ratio, tt.verdict)
	}
}
