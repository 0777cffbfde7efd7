package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestTauB(t *testing.T) {
	tests := []struct {
		name     string
		x, y     []float64
		value, p string
		none     bool
	}{
		{"one pair the other way", []float64{1, 2, 3, 4}, []float64{10, 30, 20, 40}, "0.666667", "0.166667", false},
		{"ties in both", []float64{1, 1, 2, 3}, []float64{1, 2, 2, 3}, "0.8", "0.166667", false},
		{"three rows in order", []float64{1, 2, 3}, []float64{1, 2, 3}, "1", "0.166667", false},
		{"four rows in order", []float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}, "1", "0.041667", false},
		{"four rows reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, "-1", "1", false},
		{"two rows", []float64{1, 2}, []float64{1, 2}, "1", "0.5", false},
		{"one row", []float64{1}, []float64{1}, "", "", true},
		{"no row", nil, nil, "", "", true},
		{"one side constant", []float64{1, 1, 1}, []float64{1, 2, 3}, "", "", true},
		{"tie on one side, so normal from ten rows", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 9},
			[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "0.98883", "0.0000563", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tauB(tt.x, tt.y)
			if (got == nil) != tt.none {
				t.Fatalf("tau is %v, none should be %v", got, tt.none)
			}
			if got == nil {
				return
			}
			wantNumber(t, "tau", got.Value, tt.value)
			wantNumber(t, "p", got.P, tt.p)
			if got.N != len(tt.x) {
				t.Errorf("n is %d, want %d", got.N, len(tt.x))
			}
		})
	}
}

// Without ties, counting inversions gives what trying all orders gives.
func TestTauPExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for n := 2; n <= 7; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i)
		}
		for range 5 {
			y := shuffled(rng, x)
			got := tauB(x, y)
			s := int(math.Round(got.Value * float64(n*(n-1)/2)))
			if want := shareOfOrders(x, y, s); !closeTo(got.P, want) {
				t.Errorf("%v: p is %v, want %v", y, got.P, want)
			}
		}
	}
	wantNumber(t, "p of no inversion among 60, in units of 1/60!", atMostInversions(60, 0)*math.Gamma(61), "1.000000")
	wantNumber(t, "p of any number of inversions", atMostInversions(60, 60*59/2), "1.000000")
	if got, want := atMostInversions(60, 60*59/4-1), 0.5; got >= want || got < 0.49 {
		t.Errorf("p of fewer inversions than half is %v, want just under %v", got, want)
	}
}

// The variance corrected for ties is that over all orders.
func TestVarianceOfS(t *testing.T) {
	tests := []struct {
		name string
		x, y []float64
	}{
		{"no ties", []float64{1, 2, 3, 4, 5}, []float64{1, 2, 3, 4, 5}},
		{"ties on one side", []float64{1, 1, 1, 2, 3, 4}, []float64{1, 2, 3, 4, 5, 6}},
		{"ties on both sides", []float64{1, 1, 1, 2, 2, 4}, []float64{1, 1, 3, 3, 3, 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pairs := len(tt.x) * (len(tt.x) - 1) / 2
			want, before := 0.0, 0.0
			for s := pairs; s >= -pairs; s-- {
				reached := shareOfOrders(tt.x, tt.y, s)
				want += float64(s*s) * (reached - before)
				before = reached
			}
			if got := varianceOfS(tt.x, tt.y); !closeTo(got, want) {
				t.Errorf("variance is %v, want %v", got, want)
			}
		})
	}
}

// Up to 60 rows p is exact; from 61 it is approximate, and continues the exact one.
func TestTauPLarge(t *testing.T) {
	for _, n := range []int{60, 61} {
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = float64(i), float64(i*7%n) // a step through all, n being no multiple of 7
		}
		got := tauB(x, y)
		pairs := n * (n - 1) / 2
		s := int(math.Round(got.Value * float64(pairs)))
		exact := atMostInversions(n, (pairs-s)/2)
		if n == 60 && got.P != exact {
			t.Errorf("p of 60 rows is %v, want %v", got.P, exact)
		}
		if n == 61 && (got.P == exact || math.Abs(got.P-exact) > 0.001) {
			t.Errorf("p of 61 rows is %v, want nearly %v", got.P, exact)
		}
	}
}
