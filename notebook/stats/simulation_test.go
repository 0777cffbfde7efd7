package stats

import (
	"math/rand/v2"
	"testing"
)

// Runs of a simulation: few enough to take no time, and so many that the bounds below, two percent to either side,
// are five standard errors away. Seeds are fixed; a wrong quantile or wrong degrees of freedom show.
const runs = 4000

// The interval of one cell contains the true median as often as METHOD.md 2 measured under normal noise.
func TestCoverageOfSummarize(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, tt := range []struct {
		n        int
		coverage float64
	}{{3, 0.95}, {5, 0.95}, {6, 0.97}, {10, 0.98}} {
		covered := 0
		for range runs {
			e, err := Summarize(lognormal(rng, tt.n, 100, 0.02), 0.05)
			if err != nil {
				t.Fatal(err)
			}
			if e.Interval.Contains(100) {
				covered++
			}
		}
		if got := float64(covered) / runs; got < tt.coverage-0.02 || got > tt.coverage+0.02 {
			t.Errorf("n = %d: the interval contains the median in %v of runs, want %v", tt.n, got, tt.coverage)
		}
	}
}

// Equal cells are told apart at the nominal rate, METHOD.md 3.1, whether they are equally noisy or one five times
// noisier, and hardly ever is one said to be better by more than the smallest effect, 3.2.
func TestWrongDifferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, tt := range []struct {
		n, times int // the second cell is this many times noisier
	}{{3, 1}, {5, 1}, {10, 1}, {3, 5}, {10, 5}} {
		different, beaten := 0, 0
		for range runs {
			c, err := Ratio(lognormal(rng, tt.n, 100, 0.02), lognormal(rng, tt.n, 100, 0.02*float64(tt.times)), 0.05)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Interval.Contains(1) {
				different++
			}
			if Judge(c.Interval, Greater(0.05)) == Supported {
				beaten++
			}
		}
		if got := float64(different) / runs; got < 0.03 || got > 0.07 {
			t.Errorf("n = %d, %d times noisier: equal cells differ in %v of runs, want 0.05", tt.n, tt.times, got)
		}
		if got := float64(beaten) / runs; tt.times == 1 && got > 0.001 {
			t.Errorf("n = %d: equal cells beat each other in %v of runs", tt.n, got)
		}
	}
}
