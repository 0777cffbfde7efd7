package stats

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestChanges(t *testing.T) {
	var stalled, steady Cell // p alone, 0.0017, shows a difference
	for n := range 20 {
		i := float64(n)
		low := 900.0
		if i < 8 {
			low = 5300
		}
		stalled.Values, steady.Values = append(stalled.Values, low+10*i), append(steady.Values, 5400+10*i)
	}
	slow, fast := values(985, 1000, 1010), values(1185, 1200, 1230) // the example of docs/method.md#ratios
	for _, tt := range []struct {
		name  string
		cells []BeforeAfter
		want  string // of each: shifted or not, the ratio, the interval
	}{
		{"none", nil, ""},
		{"higher", []BeforeAfter{{slow, fast, 0, 0}}, "shifted 1.20519 [1.16105 1.25463]; "},
		{"lower", []BeforeAfter{{fast, slow, 0, 0}}, "shifted 0.829742 [0.797048 0.861293]; "},
		{"the same", []BeforeAfter{{slow, slow, 0, 0}}, "not 1 [0.971796 1.02902]; "},
		{"widened by the floor", []BeforeAfter{{slow, fast, 0.12, 0}}, "not 1.20519 [0.949806 1.52997]; "},
		{"less than the smallest effect", []BeforeAfter{{values(1000, 1001, 999), values(1040, 1041, 1039), 0, 0}},
			"not 1.04 [1.03769 1.04232]; "},
		{"skewed, and not told apart by its interval", []BeforeAfter{{stalled, steady, 0, 0}},
			"not 2.36935 [0.796641 5.3221]; "},
		{"two repetitions", []BeforeAfter{{slow, values(1200, 1230), 0, 0}}, "too few 1.21648 [0 +Inf]; "},
		{"zero", []BeforeAfter{{slow, values(0, 1, 2), 0, 0}}, "not positive 0 [0 +Inf]; "},
		{"those that cannot be compared do not count", []BeforeAfter{{slow, values(1), 0, 0}, {slow, fast, 0, 0}},
			"too few 0.00100129 [0 +Inf]; shifted 1.20519 [1.16105 1.25463]; "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes := must.Get(Changes(tt.cells, 0.05, 0.05))
			got := ""
			for _, c := range changes {
				word := "not"
				switch {
				case errors.Is(c.Err, ErrTooFew):
					word = "too few"
				case errors.Is(c.Err, ErrNotPositive):
					word = "not positive"
				case c.Shifted:
					word = "shifted"
				}
				got += fmt.Sprintf("%s %.6g [%.6g %.6g]; ", word, c.Ratio, c.Interval.Lo, c.Interval.Hi)
			}
			assert.Equal(t, got, tt.want, "changes")
		})
	}
	_, err := Changes([]BeforeAfter{{values(1, 2, math.NaN()), fast, 0, 0}}, 0.05, 0.05)
	assert.Is(t, err, ErrNotFinite, "a value that is not a number")
	must.Get(Changes(nil, 0.05, 0.05))
}

// What one look shows may not be shown in a run with several looks; its interval stays.
func TestChangesAreCorrectedForLooks(t *testing.T) {
	once := BeforeAfter{Before: values(100, 101, 102), After: values(116, 119, 111)}
	twice := once
	twice.Looks = 2
	found := must.Get(Changes([]BeforeAfter{once}, 0.05, 0.05))
	again := must.Get(Changes([]BeforeAfter{twice}, 0.05, 0.05))
	if !found[0].Shifted || again[0].Shifted || !closeTo(again[0].AdjustedP, 2*found[0].AdjustedP) ||
		again[0].Interval != found[0].Interval {
		t.Errorf("at one look %+v, at two %+v", found[0], again[0])
	}
}

// What one cell alone shows may not be shown among many.
func TestChangesAreCorrectedForTheirNumber(t *testing.T) {
	same, moved := values(100, 101, 102), values(116, 119, 111)
	cells := []BeforeAfter{{same, moved, 0, 0}}
	alone := must.Get(Changes(cells, 0.05, 0.05))
	for range 20 {
		cells = append(cells, BeforeAfter{same, same, 0, 0})
	}
	among := must.Get(Changes(cells, 0.05, 0.05))
	assert.Equal(t, [2]bool{alone[0].Shifted, among[0].Shifted}, [2]bool{true, false}, "shifted alone, and among 21")
}

func TestShiftOf(t *testing.T) {
	for _, tt := range []struct {
		up     bool
		better Direction
		want   Shift
	}{
		{true, HigherIsBetter, Better}, {false, HigherIsBetter, Worse},
		{true, LowerIsBetter, Worse}, {false, LowerIsBetter, Better},
		{true, "", Higher}, {false, "", Lower},
	} {
		assert.Equal(t, ShiftOf(tt.up, tt.better), tt.want, "up %v where %q is better", tt.up, tt.better)
	}
}

func TestHolm(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ps, want []float64
	}{
		{"in order", []float64{0.25, 0.5}, []float64{0.5, 0.5}},
		{"out of order, with a running maximum", []float64{0.5, 0.125, 0.25}, []float64{0.5, 0.375, 0.5}},
		{"at most one", []float64{0.75, 0.75}, []float64{1, 1}},
		{"none", []float64{}, []float64{}},
	} {
		assert.Slice(t, holm(tt.ps), tt.want, "%s: of %v", tt.name, tt.ps)
	}
}

// A change can be beyond the smallest effect by its interval but not by its test, which allows for few repetitions.
func TestChangeNearTheFloor(t *testing.T) {
	before, after := Cell{Values: []float64{999.5, 1000, 1000.5}}, Cell{Values: []float64{1119.4, 1120, 1120.6}}
	got := must.Get(Changes([]BeforeAfter{{Before: before, After: after, Floor: 0.03, Looks: 1}}, 0.05, 0.05))[0]
	if got.Shifted || got.Interval.Lo <= 1.05 || got.AloneP <= 0.05 || got.AloneP != got.AdjustedP {
		t.Errorf("shifted %v, %v, p %v alone and %v", got.Shifted, got.Interval, got.AloneP, got.AdjustedP)
	}
}
