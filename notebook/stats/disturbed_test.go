package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Disturbed values are judged by the bound that is furthest from what was measured.
//
// Source: docs/method.md#disturbed-repetitions.
func TestExampleOfDisturbedRepetitions(t *testing.T) {
	factor := 1 / (1 - 2*0.16)
	wantNumber(t, "factor", factor, "1.4705882")
	a := Cell{Values: []float64{580, 600, 590}, Bounds: Interval{1, factor}}
	b := Cell{Values: []float64{20, 20.4, 20.2}, Bounds: Interval{1, factor}}
	c := must.Get(Ratio(a, b, DefaultAlpha))
	wantNumber(t, "ratio", c.Ratio, "29.2065387")
	wantInterval(t, c.Interval, "19.1827869", "44.4666877")
	for limit, want := range map[float64]Verdict{10: Supported, 25: Inconclusive, 50: Contradicted} {
		assert.Equal(t, Judge(c.Interval, Above(limit)), want, "more than %v times", limit)
	}
}

// Bounds multiply the ends of every interval of the same cells without bounds.
func TestBoundsWidenIntervals(t *testing.T) {
	for _, n := range []int{4, 8} {
		cells := make([]Cell, 4)
		for i := range cells {
			for k := range n {
				cells[i].Values = append(cells[i].Values, 100*float64(4-i)+float64(k*k))
			}
		}
		rate, duration := Interval{1, 1.5}, Interval{0.8, 1}
		for _, tt := range []struct {
			name    string
			compare func(cells []Cell) (Interval, error)
			bounds  []Interval
			want    Interval
		}{
			{"one cell", func(c []Cell) (Interval, error) {
				e, err := Summarize(c[0], DefaultAlpha)
				return e.Interval, err
			}, []Interval{rate}, Interval{1, 1.5}},
			{"a ratio over a disturbed cell", ratioBy(Ratio), []Interval{{}, rate}, Interval{1 / 1.5, 1}},
			{"a ratio of two", ratioBy(Ratio), []Interval{rate, {1, 2}}, Interval{0.5, 1.5}},
			{"a ratio of times", ratioBy(Ratio), []Interval{duration, duration}, Interval{0.8, 1.25}},
			{"a ratio of ratios", func(c []Cell) (Interval, error) {
				r, err := RatioOfRatios(c[0], c[1], c[2], c[3], DefaultAlpha)
				return r.Interval, err
			}, []Interval{rate, rate, {}, {1, 2}}, Interval{1 / 1.5, 3}},
		} {
			known := must.Get(tt.compare(cells))
			disturbed := append([]Cell(nil), cells...)
			for i, b := range tt.bounds {
				disturbed[i].Bounds = b
			}
			got := must.Get(tt.compare(disturbed))
			want := known.times(tt.want)
			if math.Abs(got.Lo/want.Lo-1) > 1e-12 || math.Abs(got.Hi/want.Hi-1) > 1e-12 {
				t.Errorf("%s, n = %d: %v, want %v", tt.name, n, got, want)
			}
		}
	}
}

func ratioBy(compare func(a, b Cell, alpha float64) (Comparison, error)) func([]Cell) (Interval, error) {
	return func(c []Cell) (Interval, error) {
		r, err := compare(c[0], c[1], DefaultAlpha)
		return r.Interval, err
	}
}

// The noise floor is independent of a disturbance, so bounds multiply the ends that it has widened.
func TestBoundsComeOnTopOfTheNoiseFloor(t *testing.T) {
	a, b := cellA(), cellB()
	known, _ := Ratio(a, b, DefaultAlpha)
	a.Bounds = Interval{1, 1.5}
	disturbed, _ := Ratio(a, b, DefaultAlpha)
	want := known.Widen(0.03, DefaultAlpha).times(a.Bounds)
	if got := disturbed.Widen(0.03, DefaultAlpha); math.Abs(got.Lo-want.Lo) > 1e-12 || math.Abs(got.Hi-want.Hi) > 1e-12 {
		t.Errorf("widened to %v, want %v", got, want)
	}
	assert.Equal(t, [2]bool{known.IsDisturbed(), disturbed.IsDisturbed()}, [2]bool{false, true}, "disturbed")
}

// Changes are shown only as far as the bounds allow.
func TestBoundsInTests(t *testing.T) {
	for _, n := range []int{3, 8} { // by t and by ranks
		var fast, slow Cell
		for i := range n {
			fast.Values, slow.Values = append(fast.Values, 130+float64(i)), append(slow.Values, 100+float64(i))
		}
		for _, tt := range []struct {
			name       string
			fast, slow Interval
			want       bool
		}{
			{"not disturbed", Interval{}, Interval{}, true},
			{"the faster one is", Interval{1, 1.5}, Interval{}, true},
			{"the slower one is", Interval{}, Interval{1, 1.5}, false},
			{"the slower one hardly is", Interval{}, Interval{1, 1.02}, true},
			{"both are", Interval{1, 1.5}, Interval{1, 1.5}, false},
		} {
			fast.Bounds, slow.Bounds = tt.fast, tt.slow
			for _, pair := range []BeforeAfter{{Before: slow, After: fast}, {Before: fast, After: slow}} {
				changes := must.Get(Changes([]BeforeAfter{pair}, DefaultAlpha, DefaultSmallestEffect))
				assert.Equal(t, changes[0].Shifted, tt.want, "%s, n = %d: shifted by p = %v", tt.name, n, changes[0].AdjustedP)
			}
		}
	}
}
