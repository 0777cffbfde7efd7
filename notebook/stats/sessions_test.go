package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// The vectors were computed outside of this package.
func TestRatioBetween(t *testing.T) {
	sessions := func(effects, errs []float64) (list []SessionEffect) {
		for i := range effects {
			list = append(list, SessionEffect{Effect: effects[i], SE: errs[i]})
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		sessions []SessionEffect
		alpha    float64
		ratio    float64
		interval Interval
	}{
		{"three", sessions([]float64{1.33, 1.29, 1.41}, []float64{0.03, 0.025, 0.04}), 0.05,
			1.34242, Interval{1.19985, 1.50192}},
		{"three far apart", sessions([]float64{4.53, 3.73, 4.10}, []float64{0.03, 0.02, 0.03}), 0.05,
			4.10705, Interval{3.22627, 5.22829}},
		{"three that agree by chance", sessions([]float64{1.012, 1.013, 1.0125}, []float64{0.02, 0.02, 0.02}), 0.05,
			1.0125, Interval{0.98766, 1.03797}},
		{"five at a level for four looks",
			sessions([]float64{0.86, 0.88, 0.79, 0.87, 0.85}, []float64{0.02, 0.02, 0.03, 0.02, 0.02}), 0.0125,
			0.84939, Interval{0.78246, 0.92205}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ratio, interval := must.Two(RatioBetween(tt.sessions, tt.alpha))
			for _, n := range [][2]float64{{ratio, tt.ratio}, {interval.Lo, tt.interval.Lo}, {interval.Hi, tt.interval.Hi}} {
				assert.Near(t, n[0], n[1], 5e-6, "%.5f %.5f", ratio, interval)
			}
		})
	}
}

// The interval contains all that a search or a disturbance leaves open: lower ends make its lower end, upper ends its
// upper one.
func TestBetweenRanges(t *testing.T) {
	of := func(ranges ...Interval) (list []SessionEffect) {
		for _, r := range ranges {
			list = append(list, SessionEffect{Effect: r.Lo, Range: r})
		}
		return list
	}
	inf := math.Inf(1)
	for _, tt := range []struct {
		name     string
		sessions []SessionEffect
		want     Interval
	}{
		{"the same", of(Interval{1000, 1050}, Interval{1000, 1050}, Interval{1000, 1050}), Interval{1000, 1050}},
		{"no upper ends", of(Interval{1000, inf}, Interval{1000, inf}, Interval{1000, inf}), Interval{1000, inf}},
		{"one without an upper end", of(Interval{1000, inf}, Interval{1000, 1050}, Interval{1000, 1050}), Interval{1000, inf}},
	} {
		_, ratio := must.Two(RatioBetween(tt.sessions, 0.05))
		_, difference := must.Two(DifferenceBetween(tt.sessions, 0.05))
		for _, got := range []Interval{ratio, difference} {
			if math.Abs(got.Lo-tt.want.Lo) > 1e-6 || got.Hi != tt.want.Hi && math.Abs(got.Hi-tt.want.Hi) > 1e-6 {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
	zero := []SessionEffect{{Effect: 1, Range: Interval{0, 2}}, {Effect: 1, Range: Interval{0, 2}}, {Effect: 1, Range: Interval{0, 2}}}
	_, interval := must.Two(RatioBetween(zero, 0.05))
	assert.Equal(t, interval.Lo, 0, "the lower end of ratios from zero")
}

func TestBetweenRefuses(t *testing.T) {
	three := []SessionEffect{{Effect: 1, SE: 0.1}, {Effect: 2, SE: 0.1}, {Effect: 3, SE: 0.1}}
	for _, tt := range []struct {
		name     string
		sessions []SessionEffect
		alpha    float64
		want     error
	}{
		{"two sessions", three[:2], 0.05, ErrFewSessions},
		{"no level", three, 0, ErrAlpha},
		{"a ratio of zero", []SessionEffect{{Effect: 0, SE: 0.1}, {Effect: 2, SE: 0.1}, {Effect: 3, SE: 0.1}}, 0.05, ErrNotPositive},
		{"no number", []SessionEffect{{Effect: math.NaN(), SE: 0.1}, {Effect: 2, SE: 0.1}, {Effect: 3, SE: 0.1}}, 0.05, ErrNotFinite},
		{"an infinite error", []SessionEffect{{Effect: 1, SE: math.Inf(1)}, {Effect: 2, SE: 0.1}, {Effect: 3, SE: 0.1}}, 0.05, ErrNotFinite},
	} {
		_, _, err := RatioBetween(tt.sessions, tt.alpha)
		assert.Is(t, err, tt.want, "%s", tt.name)
	}
}
