package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/must"
)

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
		if got := SerialCorrelation(tt.values); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
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
			if math.Abs(wide[i]/alone[i]-2) > 1e-6 {
				t.Errorf("%s: half %v becomes %v", what, alone[i], wide[i])
			}
		}
	}
	check("one cell", half(alone.Interval, alone.Centre), half(wide.Interval, wide.Centre))
	before := must.Get(Ratio(a, b, DefaultAlpha))
	after := must.Get(Ratio(wideA, wideB, DefaultAlpha))
	if after.Ratio != before.Ratio || after.K != before.K {
		t.Errorf("%+v becomes %+v", before, after)
	}
	if before.Kappa == 1 {
		check("a ratio", half(before.Interval, math.Exp(before.D)), half(after.Interval, math.Exp(after.D)))
	}
	if math.Abs(after.SE/before.SE-2) > 1e-6 {
		t.Errorf("standard error %v becomes %v", before.SE, after.SE)
	}
}
