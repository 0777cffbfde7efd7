package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

func TestRatio(t *testing.T) {
	for _, tt := range []struct {
		name      string
		a, b      Cell
		ratio     string
		lo, hi    string
		df, p     string
		err       error
		errPlaced string
	}{
		{"a fifth faster", values(1200, 1230, 1185), values(1000, 1010, 985),
			"1.205194", "1.161046", "1.254630", "3.48133", "0.000324", nil, ""},
		{"equal readings", values(5, 5, 5), values(5, 5, 5), "1", "0.999346", "1.000655", "4", "1", nil, ""},
		{"one cell read coarsely", Cell{Values: []float64{5, 5, 5}, Resolution: 0.1}, values(5, 5, 5),
			"1", "0.930809", "1.074334", "2.00040", "1", nil, ""},
		{"two repetitions", values(10, 12), values(5, 5, 5), "2.19089", "0", "+Inf", "0", "1", ErrTooFew, "first cell"},
		{"one repetition", values(10, 10, 10), values(5), "2", "0", "+Inf", "0", "1", ErrTooFew, "second cell"},
		{"an empty cell", values(10, 10, 10), Cell{}, "0", "0", "+Inf", "0", "1", ErrNoValues, "second cell"},
		{"a zero", values(0, 10, 10), values(5, 5, 5), "0", "0", "+Inf", "0", "1", ErrNotPositive, "first cell"},
		{"few and a zero", values(10), values(0, 5), "0", "0", "+Inf", "0", "1", ErrNotPositive, "second cell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Ratio(tt.a, tt.b, 0.05)
			if !errors.Is(err, tt.err) || err != nil && !strings.HasPrefix(err.Error(), tt.errPlaced) {
				t.Fatalf("error is %v, want %v of %s", err, tt.err, tt.errPlaced)
			}
			wantNumber(t, "ratio", got.Ratio, tt.ratio)
			wantInterval(t, got.Interval, tt.lo, tt.hi)
			wantNumber(t, "df", got.DF, tt.df)
			wantNumber(t, "p", got.P, tt.p)
			if got.NA != len(tt.a.Values) || got.NB != len(tt.b.Values) {
				t.Errorf("n is %d and %d, want %d and %d", got.NA, got.NB, len(tt.a.Values), len(tt.b.Values))
			}
		})
	}
}

// Swapping the cells inverts the ratio; a common unit cancels; p and the interval tell the same.
func TestRatioProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		a := lognormal(rng, 3+rng.IntN(5), 100, 0.05)
		b := lognormal(rng, 3+rng.IntN(5), 105, 0.02)
		ab, err1 := Ratio(a, b, 0.05)
		ba, err2 := Ratio(b, a, 0.05)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if !closeTo(ab.Ratio, 1/ba.Ratio) || !closeTo(ab.Interval.Lo, 1/ba.Interval.Hi) ||
			!closeTo(ab.Interval.Hi, 1/ba.Interval.Lo) || !closeTo(ab.P, ba.P) || !closeTo(ab.DF, ba.DF) {
			t.Errorf("swapped, %v becomes %v", ab, ba)
		}
		if !ab.Interval.Contains(ab.Ratio) {
			t.Errorf("interval %v without the ratio %v", ab.Interval, ab.Ratio)
		}
		if ab.K == 0 && !ab.Interval.Contains(1) && ab.P > 0.05 {
			t.Errorf("interval %v and p %v contradict each other", ab.Interval, ab.P)
		}
		factor := math.Exp(5 * rng.NormFloat64())
		for _, c := range []Cell{a, b} {
			for i := range c.Values {
				c.Values[i] *= factor
			}
		}
		scaled := must.Get(Ratio(a, b, 0.05))
		if !closeTo(ab.Ratio, scaled.Ratio) || !closeTo(ab.Interval.Lo, scaled.Interval.Lo) {
			t.Errorf("in another unit, %v becomes %v", ab, scaled)
		}
	}
}

// Student's t has closed forms at two degrees of freedom, and tables give the rest.
func TestTCritical(t *testing.T) {
	for _, alpha := range []float64{0.2, 0.05, 0.05 / 3, 0.05 / 300} {
		u := 1 - alpha
		want := u * math.Sqrt(2/(1-u*u))
		if got := tCritical(alpha, 2); math.Abs(got/want-1) > 1e-9 {
			t.Errorf("t(1-%v/2, 2) is %v, want %v", alpha, got, want)
		}
		if got := tTwoSided(want, 2); math.Abs(got/alpha-1) > 1e-9 {
			t.Errorf("p of t %v at df 2 is %v, want %v", want, got, alpha)
		}
	}
	wantNumber(t, "t(0.975, 4)", tCritical(0.05, 4), "2.776445")
	wantNumber(t, "t(0.975, 9)", tCritical(0.05, 9), "2.262157")
	wantNumber(t, "t(0.975, 1000)", tCritical(0.05, 1000), "1.962339")
}
