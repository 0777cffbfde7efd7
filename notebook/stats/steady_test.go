package stats

import (
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestSteadiness(t *testing.T) {
	rising := []float64{80, 80, 80, 95, 95, 95, 100, 101, 99, 102, 100, 103, 101, 104, 102, 105, 103, 106, 104, 107}
	falling := slices.Clone(rising)
	slices.Reverse(falling)
	flat := make([]float64, 40)
	for i := range flat {
		flat[i] = 100
	}
	slight := make([]float64, 30)
	for i := range slight {
		slight[i] = 100 + 0.1*float64(i)
	}
	for _, tt := range []struct {
		name   string
		series []float64
		want   Drift
	}{
		{"the example", rising, Drift{Rising, 0.156766, 0.000112687}},
		{"with values that are cut off", append(slices.Clone(rising), 1, 1, 1), Drift{Rising, 0.156766, 0.000112687}},
		{"falling", falling, Drift{Falling, -0.156766, 0.000112687}},
		{"all equal", flat, Drift{Steady, 0, 1}},
		{"a trend too small to matter", slight, Drift{Steady, 0.0295712, 5.5e-7}},
		{"nine values", rising[:9], Drift{Trend: NotTested}},
		{"nothing", nil, Drift{Trend: NotTested}},
		{"nothing completed", make([]float64, 20), Drift{Trend: NotTested}},
		{"ties", []float64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, Drift{Rising, 5.0 / 6, 0.0122}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := slices.Clone(tt.series)
			got := must.Get(Steadiness(tt.series, 0.05))
			close := func(a, b float64) bool { return math.Abs(a-b) <= 0.006*math.Abs(b) }
			if got.Trend != tt.want.Trend || !close(got.Share, tt.want.Share) || !close(got.P, tt.want.P) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			assert.Slice(t, tt.series, given, "the series afterwards")
		})
	}
	_, err := Steadiness([]float64{1, math.NaN()}, 0.05)
	assert.Is(t, err, ErrNotFinite, "NaN")
}

func TestUnsteady(t *testing.T) {
	for _, tt := range []struct {
		name   string
		trends []Trend
		want   Trend
	}{
		{"all", []Trend{Rising, Rising, Rising}, Rising},
		{"more than half", []Trend{Falling, Steady, Falling}, Falling},
		{"half", []Trend{Rising, Rising, Steady, Steady}, Steady},
		{"in two directions", []Trend{Rising, Falling, Rising, Falling}, Steady},
		{"some not tested", []Trend{NotTested, Rising, NotTested}, Steady},
		{"none tested", []Trend{NotTested, NotTested}, NotTested},
		{"one", []Trend{Rising}, Rising},
	} {
		assert.Equal(t, Unsteady(tt.trends), tt.want, "%s", tt.name)
	}
}

func TestAtMostInversions(t *testing.T) {
	wantNumber(t, "p of no inversion among 4", atMostInversions(4, 0), "0.0416667")
	wantNumber(t, "p of one inversion among 4", atMostInversions(4, 1), "0.166667")
	wantNumber(t, "p of no inversion among 60, in units of 1/60!", atMostInversions(60, 0)*math.Gamma(61), "1.000000")
	wantNumber(t, "p of any number of inversions", atMostInversions(60, 60*59/2), "1.000000")
	if got, want := atMostInversions(60, 60*59/4-1), 0.5; got >= want || got < 0.49 {
		t.Errorf("p of fewer inversions than half is %v, want just under %v", got, want)
	}
}

// The variance is over all orders, as counted by a program.
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
