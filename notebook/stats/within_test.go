package stats

import (
	"errors"
	"math"
	"testing"

	"benchbook/internal/test/must"
)

// The examples of docs/method.md#interval-within-one-repetition.
func TestRankInterval(t *testing.T) {
	for _, tt := range []struct {
		p        string
		n        int64
		lo, hi   int64
		coverage float64
	}{
		{"99", 1000, 983, 997, 0.9761},
		{"99", 200, 195, 0, 0},
		{"50", 30, 10, 21, 0},
		{"50", 1, 0, 0, 1},
		{"99.9", 100, 0, 0, 0},
	} {
		p := must.Get(ParsePercentile(tt.p))
		r := must.Get(p.RankInterval(tt.n, 0.05))
		if r.Lo != tt.lo && tt.p != "99.9" || r.Hi != tt.hi || tt.coverage > 0 && math.Abs(r.Coverage-tt.coverage) > 5e-5 {
			t.Errorf("p%s of %d: ranks %d to %d, covering %v; want %d to %d, %v", tt.p, tt.n, r.Lo, r.Hi, r.Coverage, tt.lo,
				tt.hi, tt.coverage)
		}
	}
}

// Whatever is asked for, the ranks enclose the percentile's own and cover it with the probability that was asked for.
func TestRankIntervalCovers(t *testing.T) {
	for _, text := range []string{"1", "25", "50", "90", "99", "99.9"} {
		p := must.Get(ParsePercentile(text))
		for _, n := range []int64{1, 2, 7, 30, 200, 1234, 100_000, 5_000_000} {
			for _, alpha := range []float64{0.3, 0.05, 0.001} {
				r := must.Get(p.RankInterval(n, alpha))
				rank := p.Rank(n)
				if r.Lo > rank || r.Hi > 0 && r.Hi < rank || r.Coverage < 1-alpha-1e-9 {
					t.Errorf("p%s of %d at %v: ranks %d to %d around %d, covering %v", text, n, alpha, r.Lo, r.Hi, rank, r.Coverage)
				}
			}
		}
	}
}

func TestRankIntervalErrors(t *testing.T) {
	p := must.Get(ParsePercentile("50"))
	if _, err := p.RankInterval(0, 0.05); !errors.Is(err, ErrNoValues) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := p.RankInterval(5, 1); !errors.Is(err, ErrAlpha) {
		t.Errorf("at level 1: %v", err)
	}
}
