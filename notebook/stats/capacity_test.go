package stats

import (
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// outcomeOf returns the outcomes for a service with a capacity per second.
func outcomeOf(capacity float64) func(float64, Phase) Outcome {
	return func(rate float64, _ Phase) Outcome {
		if rate <= capacity {
			return ProbeMet
		}
		return ProbeFailed
	}
}

// search makes probes until the search has ended, and returns the rates of those that looked for the bounds.
func (s *CapacitySearch) search(outcome func(float64, Phase) Outcome) (rates []float64, probes int) {
	for {
		rate, phase, ok := s.Next()
		if !ok {
			return rates, probes
		}
		probes++
		if phase == PhaseProbe {
			rates = append(rates, rate)
		}
		s.Tell(outcome(rate, phase))
	}
}

func near(a, b float64) bool { return a == b || math.Abs(a-b) < 1e-3 }

// The example of docs/method.md#capacities, and the other ways in which a search can end.
func TestCapacitySearch(t *testing.T) {
	rule := CapacityRule{From: 100, To: 20_000, Start: 100, Step: 0.05, Repeats: 3}
	with := func(change func(*CapacityRule)) CapacityRule {
		out := rule
		change(&out)
		return out
	}
	never := func(phase Phase, o Outcome, otherwise func(float64, Phase) Outcome) func(float64, Phase) Outcome {
		return func(rate float64, p Phase) Outcome {
			if p == phase {
				return o
			}
			return otherwise(rate, p)
		}
	}
	for _, test := range []struct {
		name    string
		rule    CapacityRule
		outcome func(float64, Phase) Outcome
		rates   []float64
		probes  int
		want    Interval
		stop    Stop
		unknown bool
	}{
		{name: "the example", rule: rule, outcome: outcomeOf(730), rates: []float64{100, 200, 400, 800, 565.685, 672.717,
			733.603, 702.501},
			probes: 8 + 6, want: Interval{702.501, 733.603}, stop: StopStep},
		{name: "from above", rule: with(func(r *CapacityRule) { r.Start = 4000 }), outcome: outcomeOf(730),
			rates: []float64{4000, 2000, 1000, 500, 707.107, 840.896, 771.105, 738.413}, probes: 8 + 6,
			want: Interval{707.107, 738.413}, stop: StopStep},
		{name: "without a start", rule: with(func(r *CapacityRule) { r.Start = 0; r.To = 1600 }), outcome: outcomeOf(390),
			rates: []float64{400, 200, 282.843, 336.359, 366.802, 383.041}, probes: 6 + 6, want: Interval{383.041, 400},
			stop: StopStep},
		{name: "at least the limit", rule: with(func(r *CapacityRule) { r.To = 350 }), outcome: outcomeOf(1e6),
			rates:  []float64{100, 200, 350},
			probes: 3 + 3, want: Interval{350, math.Inf(1)}, stop: StopLimit},
		{name: "the start is cut to the limit", rule: with(func(r *CapacityRule) { r.Start = 1e9 }), outcome: outcomeOf(1e9),
			rates:  []float64{20_000},
			probes: 1 + 3, want: Interval{20_000, math.Inf(1)}, stop: StopLimit},
		{name: "no rate meets it", rule: with(func(r *CapacityRule) { r.Start = 300 }), outcome: outcomeOf(10),
			rates: []float64{300, 150, 100}, probes: 3,
			want: Interval{0, 100}, stop: StopFloor},
		{name: "nothing confirms it", rule: with(func(r *CapacityRule) { r.To = 104 }),
			outcome: never(PhaseConfirm, ProbeFailed, outcomeOf(1e6)),
			rates:   []float64{100, 104}, probes: 2 + 2, want: Interval{0, 100}, stop: StopFloor},
		{name: "only the lowest rate is confirmed", rule: with(func(r *CapacityRule) { r.To = 104 }),
			outcome: func(rate float64, phase Phase) Outcome {
				if phase == PhaseRefute || phase == PhaseConfirm && rate > 100 {
					return ProbeFailed
				}
				return ProbeMet
			}, rates: []float64{100, 104}, probes: 2 + 1 + 3 + 3, want: Interval{100, 104}, stop: StopStep},
		{name: "nothing refutes it", rule: with(func(r *CapacityRule) { r.To = 110; r.Start = 110 }),
			outcome: never(PhaseRefute, ProbeMet, outcomeOf(102)),
			rates:   []float64{110, 100, 104.881}, probes: 3 + 3 + 1, want: Interval{100, math.Inf(1)}, stop: StopLimit},
		{name: "never valid", rule: rule, outcome: func(float64, Phase) Outcome { return ProbeInvalid },
			rates: []float64{100, 100}, probes: 2, unknown: true},
		{name: "a floor above the limit", rule: with(func(r *CapacityRule) { r.From = 900; r.To = 500 }),
			outcome: outcomeOf(1e6), rates: []float64{500},
			probes: 1 + 3, want: Interval{500, math.Inf(1)}, stop: StopLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewCapacitySearch(test.rule)
			rates, probes := s.search(test.outcome)
			if !slices.EqualFunc(rates, test.rates, near) || probes != test.probes {
				t.Errorf("%d probes, of which %v look for bounds, want %d and %v", probes, rates, test.probes, test.rates)
			}
			got, stop, known := s.Found()
			if known == test.unknown || stop != test.stop || !near(got.Lo, test.want.Lo) || !near(got.Hi, test.want.Hi) {
				t.Errorf("found %v (%s, %v), want %v (%s)", got, stop, known, test.want, test.stop)
			}
		})
	}
}

// A bound that does not hold moves by a step, and starts its repetitions again.
func TestCapacityBoundsMove(t *testing.T) {
	s := NewCapacitySearch(CapacityRule{From: 100, To: 1000, Start: 200, Step: 0.05, Repeats: 3})
	for i, step := range []struct {
		rate  float64
		phase Phase
		tell  Outcome
	}{
		{200, PhaseProbe, ProbeMet}, {400, PhaseProbe, ProbeFailed}, {282.843, PhaseProbe, ProbeFailed},
		{237.841, PhaseProbe, ProbeFailed},
		{218.102, PhaseProbe, ProbeFailed}, {208.855, PhaseProbe, ProbeInvalid}, {208.855, PhaseProbe, ProbeMet},
		{208.855, PhaseConfirm, ProbeMet}, {208.855, PhaseConfirm, ProbeInvalid}, {208.855, PhaseConfirm, ProbeFailed},
		{198.910, PhaseConfirm, ProbeMet}, {198.910, PhaseConfirm, ProbeMet}, {198.910, PhaseConfirm, ProbeMet},
		{208.855, PhaseRefute, ProbeFailed}, {208.855, PhaseRefute, ProbeMet},
		{219.298, PhaseRefute, ProbeFailed}, {219.298, PhaseRefute, ProbeFailed}, {219.298, PhaseRefute, ProbeFailed},
	} {
		rate, phase, ok := s.Next()
		if !ok || !near(rate, step.rate) || phase != step.phase {
			t.Fatalf("probe %d: %v, %s, %v, want %v, %s", i+1, rate, phase, ok, step.rate, step.phase)
		}
		s.Tell(step.tell)
	}
	if got, stop, known := s.Found(); !known || stop != StopStep || !near(got.Lo, 198.910) || !near(got.Hi, 219.298) {
		t.Errorf("found %v, %s, %v", got, stop, known)
	}
}

func TestAdmissible(t *testing.T) {
	p99 := must.Get(ParsePercentile("99"))
	need := p99.Need() // 1000 attempts
	assert.Equal(t, near(AdmissibleFloor(1, 60, need), 18.3333), true, "the floor is raised to %v",
		AdmissibleFloor(1, 60, need))
	assert.Equal(t, AdmissibleFloor(100, 60, need), 100, "the floor without need")
	for _, test := range []struct{ rate, usual, want float64 }{{100, 10, 11}, {1000, 10, 10}, {10, 10, 60}, {10, 90, 90}} {
		if got := AdmissibleWindow(test.rate, test.usual, 60, need); !near(got, test.want) {
			t.Errorf("at %v/s a window of %v s becomes one of %v s, want %v", test.rate, test.usual, got, test.want)
		}
	}
}

// search tries candidates until the rule stops it.
func (t Tuning) search(value func(w int) float64) (values []float64, why Stop) {
	for {
		values = append(values, value(t.Candidates[len(values)]))
		if why, stop := t.Stop(values); stop {
			return values, why
		}
	}
}

// The example of docs/method.md#tuned-values, and the edges of the rule.
func TestTuning(t *testing.T) {
	byHalf := []int{1, 2, 3, 5, 8, 12, 18, 24}
	for _, test := range []struct {
		name       string
		candidates []int
		cores      int
		values     []float64 // of the first candidates
		tried      int
		stop       Stop
		want       Choice // nothing chosen if none has a value
	}{
		{"the example", byHalf, 4, []float64{100, 190, 260, 305, 308, 290}, 6, StopWorse, Choice{5, Interval{5, 8}, 3.08}},
		{"not before the cores", byHalf, 8, []float64{100, 100, 100, 100, 200, 200, 200}, 7, StopWorse,
			Choice{8, Interval{8, 18}, 2}},
		{"the last candidate", byHalf[:3], 1, []float64{100, 190, 260}, 3, StopLimit, Choice{3, Interval{3, 3}, 2.6}},
		{"the last is the second without improvement", byHalf[:3], 1, []float64{100, 100, 100}, 3, StopWorse,
			Choice{1, Interval{1, 3}, 1}},
		{"slow creep adds up", byHalf, 1, []float64{100, 103, 106, 107, 110}, 5, StopWorse, Choice{3, Interval{3, 8}, 1.1}},
		{"a dip", byHalf, 1, []float64{100, 90, 200, 190, 180}, 5, StopWorse, Choice{3, Interval{3, 3}, 200. / 90}},
		{"near ones on both sides of a worse one", byHalf, 8, []float64{100, 80, 99, 50, 60}, 5, StopWorse,
			Choice{1, Interval{1, 3}, 2}},
		{"some that were not valid", byHalf, 1, []float64{0, 100, 0, 0}, 4, StopWorse, Choice{2, Interval{2, 2}, 1}},
		{"none that was", byHalf, 1, []float64{0, 0}, 2, StopWorse, Choice{}},
		{"a single candidate", []int{4}, 8, []float64{7}, 1, StopLimit, Choice{4, Interval{4, 4}, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rule := Tuning{Candidates: test.candidates, Cores: test.cores, Effect: DefaultSmallestEffect, Patience: 2}
			at := 0
			values, stop := rule.search(func(int) float64 { at++; return test.values[at-1] })
			assert.Equal(t, [2]any{len(values), stop}, [2]any{test.tried, test.stop}, "tried, and why it stopped")
			got, ok := rule.Choose(values)
			if ok != (test.want.Chosen > 0) || got.Chosen != test.want.Chosen || got.Near != test.want.Near ||
				math.Abs(got.Matters-test.want.Matters) > 1e-9 {
				t.Errorf("chose %+v, %v, want %+v", got, ok, test.want)
			}
		})
	}
	_, ok := (Tuning{}).Choose(nil)
	assert.Equal(t, ok, false, "there is a choice of nothing")
}

func TestMoreIsBetter(t *testing.T) {
	for _, test := range []struct {
		value  float64
		better Direction
		want   float64
	}{{4, HigherIsBetter, 4}, {4, LowerIsBetter, 0.25}, {0, LowerIsBetter, 0}, {-1, HigherIsBetter, 0},
		{math.NaN(), HigherIsBetter, 0}} {
		assert.Equal(t, MoreIsBetter(test.value, test.better), test.want, "MoreIsBetter(%v, %s)", test.value, test.better)
	}
}
