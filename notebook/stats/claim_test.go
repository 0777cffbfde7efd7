package stats

import (
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// The three cells of docs/method.md#ratios.
func cellA() Cell { return values(1200, 1230, 1185) }
func cellB() Cell { return values(1000, 1010, 985) }
func cellC() Cell { return values(800, 790, 812) }

// beats is the part "a > b" at the default smallest effect.
func beats(a, b Cell) Part {
	return func(alpha float64) Verdict {
		c, err := Ratio(a, b, alpha)
		if err != nil {
			return NotMeasured
		}
		return Judge(c.Interval, Greater(0.05))
	}
}

func TestJudgeExamples(t *testing.T) {
	tests := []struct {
		name   string
		region Region
		floor  float64
		want   Verdict
	}{
		{"a > b", Greater(0.05), 0, Supported},
		{"a >= b", NotLess(0.05), 0, Supported},
		{"at least 1.1", Above(1.1), 0, Supported},
		{"at least 1.3", Above(1.3), 0, Contradicted},
		{"at least 1.3, noise floor of 4 %", Above(1.3), 0.04, Inconclusive},
		{"at most 1.3", Below(1.3), 0, Supported},
		{"at most 1.1", Below(1.1), 0, Contradicted},
		{"within 10 %", Within(0.1), 0, Contradicted},
		{"within 30 %", Within(0.3), 0, Supported},
		{"within 20 %", Within(0.2), 0, Inconclusive},
		{"about 1.2", About(1.2, 0.25), 0, Supported},
		{"about 2", About(2, 0.25), 0, Contradicted},
	}
	c := must.Get(Ratio(cellA(), cellB(), 0.05))
	for _, tt := range tests {
		interval := c.Widen(tt.floor, 0.05)
		assert.Equal(t, Judge(interval, tt.region), tt.want, "%s: %v in %v", tt.name, interval, tt.region)
	}
}

func TestJudgeBoundaries(t *testing.T) {
	infinite := math.Inf(1)
	for _, tt := range []struct {
		name     string
		interval Interval
		region   Region
		want     Verdict
	}{
		{"inside", Interval{1.1, 1.2}, Region{1, 2}, Supported},
		{"touching from inside, below", Interval{1, 1.2}, Region{1, 2}, Inconclusive},
		{"touching from inside, above", Interval{1.2, 2}, Region{1, 2}, Inconclusive},
		{"outside, below", Interval{0.8, 0.9}, Region{1, 2}, Contradicted},
		{"outside, above", Interval{2.1, 2.2}, Region{1, 2}, Contradicted},
		{"touching from outside, below", Interval{0.8, 1}, Region{1, 2}, Inconclusive},
		{"touching from outside, above", Interval{2, 2.2}, Region{1, 2}, Inconclusive},
		{"around the region", Interval{0.5, 3}, Region{1, 2}, Inconclusive},
		{"across a boundary", Interval{0.5, 1.5}, Region{1, 2}, Inconclusive},
		{"a limit kept", Interval{93, 99}, Below(100), Supported},
		{"a limit broken", Interval{101, 105}, Below(100), Contradicted},
		{"a limit exceeded", Interval{101, 105}, Above(100), Supported},
		{"at least, beyond k", Interval{1.5, infinite}, Above(1.2), Supported},
		{"at least, above the region", Interval{3, infinite}, Within(1), Contradicted},
		{"at least, below k", Interval{1.1, infinite}, Above(1.2), Inconclusive},
		{"no rate meets it", Interval{0, 0.8}, Below(0.9), Supported},
		{"unbounded", unbounded(), Above(1.2), Inconclusive},
		{"no ratio", Interval{0, infinite}, Below(0.9), Inconclusive},
		{"not a number below", Interval{math.NaN(), 0.5}, Below(0.9), Inconclusive},
		{"not a number above", Interval{2, math.NaN()}, Above(1), Inconclusive},
	} {
		assert.Equal(t, Judge(tt.interval, tt.region), tt.want, "%s: %v in %v", tt.name, tt.interval, tt.region)
	}
}

func TestRegions(t *testing.T) {
	infinite := math.Inf(1)
	for _, tt := range []struct {
		name   string
		region Region
		want   Region
	}{
		{"a > b", Greater(0.05), Region{1.05, infinite}},
		{"a >= b", NotLess(0.25), Region{0.8, infinite}},
		{"the same", Within(0.25), Region{0.8, 1.25}},
		{"at least", Above(3), Region{3, infinite}},
		{"at most", Below(3), Region{-infinite, 3}},
		{"about", About(2, 0.25), Region{1.6, 2.5}},
	} {
		assert.Equal(t, tt.region, tt.want, "%s: region", tt.name)
	}
}

func TestIntervalOver(t *testing.T) {
	infinite := math.Inf(1)
	for _, tt := range []struct {
		name string
		a, b Interval
		want Interval
	}{
		{"two capacities", Interval{700, 735}, Interval{350, 400}, Interval{1.75, 2.1}},
		{"at least, on top", Interval{700, infinite}, Interval{350, 400}, Interval{1.75, infinite}},
		{"at least, below", Interval{700, 735}, Interval{350, infinite}, Interval{0, 2.1}},
		{"none, below", Interval{700, 735}, Interval{0, 100}, Interval{7, infinite}},
	} {
		assert.Equal(t, tt.a.Over(tt.b), tt.want, "%s: %v over %v", tt.name, tt.a, tt.b)
	}
}

func TestGroupsOfParts(t *testing.T) {
	ab, bc, cb := beats(cellA(), cellB()), beats(cellB(), cellC()), beats(cellC(), cellB())
	always := func(v Verdict) Part { return func(float64) Verdict { return v } }
	// onlyAt returns v at levels down to smallest, and inconclusive below.
	onlyAt := func(smallest float64, v Verdict) Part {
		return func(alpha float64) Verdict {
			if alpha < smallest {
				return Inconclusive
			}
			return v
		}
	}
	for _, tt := range []struct {
		name string
		part Part
		want Verdict
	}{
		{"A > B and B > C", AllOf(ab, bc), Supported},
		{"A > B and C > B", AllOf(ab, cb), Contradicted},
		{"all of: supported needs no correction", AllOf(onlyAt(0.05, Supported), always(Supported)), Supported},
		{"all of: contradicted at alpha is not enough", AllOf(onlyAt(0.05, Contradicted), always(Supported)), Inconclusive},
		{"all of: contradicted at alpha/2", AllOf(onlyAt(0.025, Contradicted), always(Supported)), Contradicted},
		{"all of: alpha/2 is not enough among three",
			AllOf(onlyAt(0.025, Contradicted), always(Supported), always(Supported)), Inconclusive},
		{"all of: a part not measured", AllOf(always(Supported), always(NotMeasured)), NotMeasured},
		{"all of: contradicted goes before not measured", AllOf(always(NotMeasured), always(Contradicted)), Contradicted},
		{"all of: not measured goes before inconclusive", AllOf(always(Inconclusive), always(NotMeasured)), NotMeasured},
		{"one part is itself", AllOf(onlyAt(0.05, Contradicted)), Contradicted},
		{"no parts", AllOf(), NotMeasured},
		{"nor corrected less inside",
			AllOf(AllOf(onlyAt(0.0125, Contradicted), always(Supported)), always(Supported)), Contradicted},
		{"the levels of both groups multiply",
			AllOf(AllOf(onlyAt(0.013, Contradicted), always(Supported)), always(Supported)), Inconclusive},
	} {
		assert.Equal(t, tt.part(0.05), tt.want, "%s: verdict", tt.name)
	}
}

func TestStandingOf(t *testing.T) {
	const yes, no, open, missing = Supported, Contradicted, Inconclusive, NotMeasured
	for _, tt := range []struct {
		name       string
		headlines  []Verdict
		mostly     int // number of the headline that holds mostly, from 1
		holds      Standing
		reproduces Standing
	}{
		{"all supported", []Verdict{yes, yes}, 0, Holds, Reproduced},
		{"some inconclusive", []Verdict{yes, open}, 0, PartlyHolds, PartlyReproduced},
		{"some not measured", []Verdict{missing, yes}, 0, PartlyHolds, PartlyReproduced},
		{"some contradicted", []Verdict{yes, no}, 0, PartlyHolds, PartlyReproduced},
		{"none supported, one contradicted", []Verdict{open, no}, 0, DoesNotHold, NotReproduced},
		{"none decided", []Verdict{open, missing}, 0, Undecided, Undecided},
		{"none measured", []Verdict{missing, missing}, 0, StandingNotMeasured, StandingNotMeasured},
		{"no headline claims", nil, 0, StandingMeasured, StandingMeasured},
		{"contradicted, and holds mostly", []Verdict{no}, 1, PartlyHolds, PartlyReproduced},
		{"open, and holds mostly", []Verdict{no, open}, 2, PartlyHolds, PartlyReproduced},
		{"not measured in a few pairs, and holds mostly", []Verdict{missing}, 1, PartlyHolds, PartlyReproduced},
		{"all supported but one that holds mostly", []Verdict{yes, open}, 2, PartlyHolds, PartlyReproduced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headlines []Headline
			for i, v := range tt.headlines {
				headlines = append(headlines, Headline{v, i+1 == tt.mostly})
			}
			assert.Equal(t, StandingOf(headlines, false), tt.holds, "standing")
			assert.Equal(t, StandingOf(headlines, true), tt.reproduces, "standing where something is reproduced")
		})
	}
}

func TestMostlyHolds(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		supported, contradicted, n int
		want                       bool
	}{
		{"the example", 37, 3, 40, true},
		{"four of five", 4, 0, 5, true},
		{"a tenth contradicted", 9, 1, 10, true},
		{"more than a tenth contradicted", 8, 1, 9, false},
		{"fewer than four fifths", 7, 0, 9, false},
		{"four pairs", 4, 0, 4, false},
		{"all of them", 5, 0, 5, false},
	} {
		pairs := slices.Concat(slices.Repeat([]Verdict{Supported}, tt.supported),
			slices.Repeat([]Verdict{Contradicted}, tt.contradicted),
			slices.Repeat([]Verdict{Inconclusive}, tt.n-tt.supported-tt.contradicted))
		assert.Equal(t, MostlyHolds(pairs), tt.want, "%s", tt.name)
	}
}
