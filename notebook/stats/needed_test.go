package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestNeeded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		effect float64 // the present ratio
		region Region
		floor  float64
		want   int
	}{
		{"on the boundary", 1.05, Greater(0.05), 0, 0},
		{"nearer to the boundary than the noise floor", 1.07, Greater(0.05), 0.03, 0},
		{"just beyond the boundary", 1.055, Greater(0.05), 0, MaxRepetitions + 1},
		{"well beyond the boundary", 1.08, Greater(0.05), 0, 40},
		{"well beyond the boundary, with a noise floor", 1.08, Greater(0.05), 0.01, 80},
		{"likely to be contradicted", 1.02, Greater(0.05), 0, 40},
		{"inside a region with two ends", 1, Within(0.05), 0, 10},
		{"far beyond the boundary", 2, Greater(0.05), 0, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := func(n int) Comparison {
				return must.Get(Ratio(spread(n, math.Log(tt.effect), 0.05), spread(n, 0, 0.05), 0.05))
			}
			got := Needed(at(4), tt.region, tt.floor, 0.05, nil)
			assert.Equal(t, got, tt.want, "repetitions")
			// With means, cells that have exactly the expected values are decided at that look, and not before.
			for _, n := range Looks(MaxRepetitions) {
				if n%2 == 1 || n < 6 {
					continue // spread needs an even number of values
				}
				c := at(n)
				c.Ratio = tt.effect
				c.byMeans()
				c.Kappa = 0
				ends, _ := c.limits(0.05)
				c.Interval = c.around(ends)
				decided := Judge(c.Widen(tt.floor, 0.05), tt.region) != Inconclusive
				assert.Equal(t, decided, got > 0 && n >= got, "%d repetitions: decided", n)
			}
		})
	}
}

// The looks of the plan come first, then the usual ones beyond them.
func TestNeededFollowsThePlan(t *testing.T) {
	c := Comparison{Ratio: 1.12, SE: 0.04, NA: 5, NB: 7}
	for _, tt := range []struct {
		name  string
		looks []int
		alpha float64
		want  int
	}{
		{"no plan", nil, 0.0125, 20},
		{"one look", []int{5}, 0.0125, 20},
		{"a look between", []int{3, 6, 12, 16}, 0.0125, 16},
		{"beyond the plan", []int{3, 6, 12}, 0.0125, 20},
		{"more than the usual looks", []int{200, 400}, 0.05, 200},
		{"a stricter level", Looks(20), 0.0125 / 16, 40},
	} {
		assert.Equal(t, Needed(c, Greater(0.05), 0, tt.alpha, tt.looks), tt.want, "%s: repetitions", tt.name)
	}
}

func TestCellNeeded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cell   Cell
		region Region
		alpha  float64
		want   int
	}{
		{"on the limit", values(98, 102, 105), Below(PseudoMedian([]float64{98, 102, 105})), 0.05, 0},
		{"just under the limit", values(98, 102, 105), Below(101.8), 0.05, MaxRepetitions + 1},
		{"one more look is enough", values(98, 102, 105), Below(110), 0.05, 5},
		{"several looks are needed", values(98, 102, 105), Below(104.2), 0.05, 20},
		{"beyond the limit", values(98, 102, 105), Below(95), 0.05, 5},
		{"at a stricter level", values(98, 99, 100, 101, 102), Below(102), 0.05 / 3, 10},
		{"zeros", values(0, 0, 3), Above(-2), 0.05, 5},
	} {
		assert.Equal(t, must.Get(CellNeeded(tt.cell, tt.region, tt.alpha, nil)), tt.want, "%s: repetitions", tt.name)
	}
	_, err := CellNeeded(values(1, 2), Below(5), 0.05, nil)
	assert.Is(t, err, ErrTooFew, "two values")
}

func TestLooks(t *testing.T) {
	for n, want := range map[int][]int{
		1: {1}, 3: {3}, 4: {3, 4}, 5: {3, 5}, 7: {3, 5, 7}, 10: {3, 5, 10}, 20: {3, 5, 10, 20}, 40: {3, 5, 10, 20, 40},
		41: {3, 5, 10, 20, 40, 41},
	} {
		assert.Slice(t, Looks(n), want, "up to %d: looks", n)
	}
}

// Example 12 of the method.
func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		looks []int
		want  float64
	}{
		{"a plain number", []int{5}, 0.05},
		{"up to 20", Looks(20), 0.0125},
		{"up to 40", Looks(40), 0.01},
		{"nothing planned", nil, 0.05},
	} {
		assert.Near(t, Level(DefaultAlpha, len(tt.looks)), tt.want, 1e-15, "%s: level", tt.name)
	}
}
