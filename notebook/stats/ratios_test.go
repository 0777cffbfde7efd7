package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The first case is two of Ratio's put together by hand.
func TestRatioOfRatios(t *testing.T) {
	a, b, c, d := values(1200, 1230, 1185), values(1000, 1010, 985), values(100, 101, 102), values(97, 99, 101, 98)
	for _, tt := range []struct {
		name       string
		a, b, c, d Cell
		ratio      string
		lo, hi     string
		df, p      string
		err        error
		errPlaced  string
	}{
		{"wider", a, b, c, d, "1.178243", "1.135569", "1.226067", "8.30173", "0.0000070798", nil, ""},
		{"two repetitions", a, values(1000, 1010), c, d, "1.170883", "0", "+Inf", "0", "1", ErrTooFew,
			"first ratio: second cell"},
		{"a zero", a, b, values(0, 1, 1), d, "0", "0", "+Inf", "0", "1", ErrNotPositive, "second ratio: first cell"},
		{"an empty cell", a, b, c, Cell{}, "0", "0", "+Inf", "0", "1", ErrNoValues, "second ratio: second cell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := RatioOfRatios(tt.a, tt.b, tt.c, tt.d, 0.05)
			if !errors.Is(err, tt.err) || err != nil && !strings.HasPrefix(err.Error(), tt.errPlaced) {
				t.Fatalf("error is %v, want %v of %s", err, tt.err, tt.errPlaced)
			}
			wantNumber(t, "ratio", got.Ratio, tt.ratio)
			wantInterval(t, got.Interval, tt.lo, tt.hi)
			wantNumber(t, "df", got.DF, tt.df)
			wantNumber(t, "p", got.P, tt.p)
		})
	}
}

// Swapping the ratios inverts the result, and a cell without noise does not widen the interval.
func TestRatioOfRatiosProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		n := 3 + rng.IntN(5)
		a, b, c, d := lognormal(rng, n, 100, 0.05), lognormal(rng, n, 90, 0.02), lognormal(rng, n, 10, 0.03),
			lognormal(rng, n, 8, 0.03)
		one, err1 := RatioOfRatios(a, b, c, d, 0.05)
		other, err2 := RatioOfRatios(c, d, a, b, 0.05)
		crossed, err3 := RatioOfRatios(a, c, b, d, 0.05)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		if !closeTo(one.Ratio, 1/other.Ratio) || !closeTo(one.Interval.Lo, 1/other.Interval.Hi) || !closeTo(one.P, other.P) {
			t.Errorf("%+v and, turned round, %+v", one, other)
		}
		if !closeTo(one.Ratio, crossed.Ratio) || n < MinRanked && !closeTo(one.SE, crossed.SE) {
			t.Errorf("a/b to c/d is %+v, a/c to b/d %+v", one, crossed)
		}
		ab, _ := Ratio(a, b, 0.05)
		if width := one.Interval.Hi / one.Interval.Lo; width < math.Pow(ab.Interval.Hi/ab.Interval.Lo, 0.5) {
			t.Errorf("the interval of four cells, %v, is much narrower than that of two of them, %v", one.Interval, ab.Interval)
		}
	}
}
