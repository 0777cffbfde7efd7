package stats

import (
	"errors"
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/must"
)

func TestOutliers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   Outlying
	}{
		{"the example, five", []float64{100, 101, 99, 100, 130}, Outlying{At: []int{4}}},
		{"the example, three", []float64{100, 101, 130}, Outlying{Wide: true}},
		{"three that are close", []float64{100, 101, 124}, Outlying{}},
		{"two", []float64{100, 1000}, Outlying{}},
		{"equal but for a small one", []float64{100, 100, 100, 100, 104}, Outlying{}}, // far by the score, near by δ
		{"equal but for two", []float64{60, 100, 100, 100, 100, 100, 140}, Outlying{At: []int{0, 6}}},
		{"spread", []float64{80, 90, 100, 110, 120}, Outlying{}},
		{"a zero", []float64{0, 100, 100, 100, 100}, Outlying{}},
		{"none", nil, Outlying{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(Outliers(Cell{Values: tt.values}, 0.05))
			if !slices.Equal(got.At, tt.want.At) || got.Wide != tt.want.Wide {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	// Differences below the resolution are not outliers.
	coarse := Cell{Values: []float64{10, 10, 10, 10, 11}, Resolution: 0.1}
	if got, err := Outliers(coarse, 0.05); err != nil || len(got.At) > 0 {
		t.Errorf("one step of the measurement away: %+v, %v", got, err)
	}
	if _, err := Outliers(Cell{Values: []float64{1, math.Inf(1), 1}}, 0.05); !errors.Is(err, ErrNotFinite) {
		t.Errorf("infinite: %v", err)
	}
}
