package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
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
			assert.Equal(t, [2]int{got.NA, got.NB}, [2]int{len(tt.a.Values), len(tt.b.Values)}, "n of both cells")
		})
	}
}

// Swapping the cells inverts the ratio; a common unit cancels; p and the interval agree.
func TestRatioProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		a := lognormal(rng, 3+rng.IntN(5), 100, 0.05)
		b := lognormal(rng, 3+rng.IntN(5), 105, 0.02)
		ab, ba := must.Get(Ratio(a, b, 0.05)), must.Get(Ratio(b, a, 0.05))
		if !closeTo(ab.Ratio, 1/ba.Ratio) || !closeTo(ab.Interval.Lo, 1/ba.Interval.Hi) ||
			!closeTo(ab.Interval.Hi, 1/ba.Interval.Lo) || !closeTo(ab.P, ba.P) || !closeTo(ab.DF, ba.DF) {
			t.Errorf("swapped, %v becomes %v", ab, ba)
		}
		assert.Equal(t, ab.Interval.Contains(ab.Ratio), true, "the interval %v has the ratio %v", ab.Interval, ab.Ratio)
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
		assert.Near(t, tCritical(alpha, 2)/want, 1, 1e-9, "t(1-%v/2, 2), over %v", alpha, want)
		assert.Near(t, tTwoSided(want, 2)/alpha, 1, 1e-9, "p of t %v at df 2, over %v", want, alpha)
	}
	wantNumber(t, "t(0.975, 4)", tCritical(0.05, 4), "2.776445")
	wantNumber(t, "t(0.975, 9)", tCritical(0.05, 9), "2.262157")
	wantNumber(t, "t(0.975, 1000)", tCritical(0.05, 1000), "1.962339")
}

// The first case combines two results of Ratio by hand.
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

func TestRatioOfMeans(t *testing.T) {
	a, b := values(1200, 1230, 1185), values(1000, 1010, 985)
	// Means of one cell are compared like the cells.
	alone, one := must.Get(RatioOfMeans([]Cell{a}, []Cell{b}, 0.05)), must.Get(Ratio(a, b, 0.05))
	wantInterval(t, alone.Interval, fmt.Sprintf("%.9f", one.Interval.Lo), fmt.Sprintf("%.9f", one.Interval.Hi))
	wantNumber(t, "df", alone.DF, fmt.Sprintf("%.9f", one.DF))
	wantNumber(t, "p", alone.P, fmt.Sprintf("%.9f", one.P))

	// A cell may have more repetitions than another. The numbers are computed by hand.
	more := must.Get(RatioOfMeans([]Cell{a, values(1190, 1210, 1225, 1201)}, []Cell{b, values(990, 1003, 1001)}, 0.05))
	wantNumber(t, "difference", more.D, "0.188883")
	wantNumber(t, "standard error", more.SE, "0.00753204")
	wantNumber(t, "df", more.DF, "5.60029")
	assert.Equal(t, [2]int{more.NA, more.NB}, [2]int{3, 3}, "repetitions")

	// Each cell bounds the mean by its share.
	slowed := a
	slowed.Bounds = Interval{1, 1.44}
	bounded := must.Get(RatioOfMeans([]Cell{slowed, a}, []Cell{b}, 0.05))
	wantInterval(t, bounded.Bounds, "1", "1.2")

	for _, tt := range []struct {
		name string
		a    []Cell
		want error
	}{
		{"two repetitions", []Cell{a, values(1200, 1210)}, ErrTooFew},
		{"a zero", []Cell{values(0, 1, 1), a}, ErrNotPositive},
		{"an empty cell", []Cell{a, {}}, ErrNoValues},
	} {
		got, err := RatioOfMeans(tt.a, []Cell{b}, 0.05)
		if !errors.Is(err, tt.want) || got.Interval != (Interval{0, math.Inf(1)}) {
			t.Errorf("%s: %v, %v; want %v", tt.name, got.Interval, err, tt.want)
		}
	}
}

func TestSerialCorrelation(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"too few", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0},
		{"all the same", []float64{7, 7, 7, 7, 7, 7, 7, 7, 7, 7}, 0},
		{"alternating", []float64{1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, 0},
		{"two halves", []float64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, 0.8}, // r 0.7, corrected above the limit
		// Deviations −0.1 and 0.9: r = (8·0.01 − 0.09)/0.9.
		{"one apart", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, math.E}, (1 - 10*0.01/0.9) / 7},
		// Mean −0.2, deviations −0.8 and 1.2.
		{"runs of two", []float64{-1, -1, 1, 1, -1, -1, 1, 1, -1, -1}, (1 + 10*(3*0.64+2*1.44-4*0.96)/9.6) / 7},
		// Powers of ten 0 1 2 1 0 1 2 1 0 1, mean 0.9, squares 4.9.
		{"on logarithms", []float64{1, 10, 100, 10, 1, 10, 100, 10, 1, 10}, (1 + 10*(-5*0.09+4*0.11)/4.9) / 7},
	} {
		assert.Near(t, SerialCorrelation(tt.values), tt.want, 1e-9, "%s", tt.name)
	}
}

// Correlation widens intervals by √((1 + ρ)/(1 − ρ)) around the same centre, and nothing else.
func TestCorrelationWidens(t *testing.T) {
	a := Cell{Values: []float64{98, 99, 100, 101, 102, 103, 104, 105, 106, 107}}
	b := Cell{Values: []float64{91, 92, 93, 94, 95, 96, 97, 98, 99, 100}}
	wideA, wideB := a, b
	wideA.Correlation, wideB.Correlation = 0.6, 0.6 // twofold
	alone := must.Get(Summarize(a, DefaultAlpha))
	wide := must.Get(Summarize(wideA, DefaultAlpha))
	half := func(i Interval, centre float64) [2]float64 {
		return [2]float64{math.Log(centre) - math.Log(i.Lo), math.Log(i.Hi) - math.Log(centre)}
	}
	check := func(what string, alone, wide [2]float64) {
		for i := range alone {
			assert.Near(t, wide[i]/alone[i], 2, 1e-6, "%s: times half of %v", what, alone[i])
		}
	}
	check("one cell", half(alone.Interval, alone.Centre), half(wide.Interval, wide.Centre))
	before := must.Get(Ratio(a, b, DefaultAlpha))
	after := must.Get(Ratio(wideA, wideB, DefaultAlpha))
	assert.Equal(t, [2]any{after.Ratio, after.K}, [2]any{before.Ratio, before.K}, "ratio and k")
	if before.Kappa == 1 {
		check("a ratio", half(before.Interval, math.Exp(before.D)), half(after.Interval, math.Exp(after.D)))
	}
	assert.Near(t, after.SE/before.SE, 2, 1e-6, "standard error, over the one before")
}
