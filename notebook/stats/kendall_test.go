package stats

import (
	"math"
	"testing"
)

func TestAtMostInversions(t *testing.T) {
	wantNumber(t, "p of no inversion among 4", atMostInversions(4, 0), "0.0416667")
	wantNumber(t, "p of one inversion among 4", atMostInversions(4, 1), "0.166667")
	wantNumber(t, "p of no inversion among 60, in units of 1/60!", atMostInversions(60, 0)*math.Gamma(61), "1.000000")
	wantNumber(t, "p of any number of inversions", atMostInversions(60, 60*59/2), "1.000000")
	if got, want := atMostInversions(60, 60*59/4-1), 0.5; got >= want || got < 0.49 {
		t.Errorf("p of fewer inversions than half is %v, want just under %v", got, want)
	}
}

// The variance is over all orders, which a program has counted.
func TestVarianceOfS(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"no ties", []float64{1, 2, 3, 4, 5}, "16.6667"},
		{"ties", []float64{1, 1, 1, 2, 3, 4}, "24.6667"},
	} {
		wantNumber(t, tt.name, varianceOfS(tt.values), tt.want)
	}
}
