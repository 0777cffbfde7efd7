package stats

import (
	"errors"
	"math"
	"testing"
)

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
		want       Choice
		err        error
	}{
		{"the example", byHalf, 4, []float64{100, 190, 260, 305, 308, 290}, 6, StopWorse, Choice{5, Interval{5, 8}, 3.08},
			nil},
		{"not before the cores", byHalf, 8, []float64{100, 100, 100, 100, 200, 200, 200}, 7, StopWorse,
			Choice{8, Interval{8, 18}, 2}, nil},
		{"the last candidate", byHalf[:3], 1, []float64{100, 190, 260}, 3, StopLimit, Choice{3, Interval{3, 3}, 2.6}, nil},
		{"the last is the second without improvement", byHalf[:3], 1, []float64{100, 100, 100}, 3, StopWorse,
			Choice{1, Interval{1, 3}, 1}, nil},
		{"slow creep adds up", byHalf, 1, []float64{100, 103, 106, 107, 110}, 5, StopWorse, Choice{3, Interval{3, 8}, 1.1},
			nil},
		{"a dip", byHalf, 1, []float64{100, 90, 200, 190, 180}, 5, StopWorse, Choice{3, Interval{3, 3}, 200. / 90}, nil},
		{"near ones on both sides of a worse one", byHalf, 8, []float64{100, 80, 99, 50, 60}, 5, StopWorse,
			Choice{1, Interval{1, 3}, 2}, nil},
		{"some that were not valid", byHalf, 1, []float64{0, 100, 0, 0}, 4, StopWorse, Choice{2, Interval{2, 2}, 1}, nil},
		{"none that was", byHalf, 1, []float64{0, 0}, 2, StopWorse, Choice{}, ErrNoChoice},
		{"a single candidate", []int{4}, 8, []float64{7}, 1, StopLimit, Choice{4, Interval{4, 4}, 1}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			rule := Tuning{Candidates: test.candidates, Cores: test.cores, Effect: DefaultSmallestEffect, Patience: 2}
			at := 0
			values, stop := rule.search(func(int) float64 { at++; return test.values[at-1] })
			if len(values) != test.tried || stop != test.stop {
				t.Errorf("tried %d and stopped for %q, want %d and %q", len(values), stop, test.tried, test.stop)
			}
			got, err := rule.Choose(values)
			if !errors.Is(err, test.err) || got.Chosen != test.want.Chosen || got.Near != test.want.Near ||
				math.Abs(got.Matters-test.want.Matters) > 1e-9 {
				t.Errorf("chose %+v, %v, want %+v, %v", got, err, test.want, test.err)
			}
		})
	}
	if _, err := (Tuning{}).Choose(nil); !errors.Is(err, ErrNoChoice) {
		t.Errorf("a choice of nothing: %v", err)
	}
}

func TestMoreIsBetter(t *testing.T) {
	for _, test := range []struct {
		value  float64
		better Direction
		want   float64
	}{{4, HigherIsBetter, 4}, {4, LowerIsBetter, 0.25}, {0, LowerIsBetter, 0}, {-1, HigherIsBetter, 0},
		{math.NaN(), HigherIsBetter, 0}} {
		if got := MoreIsBetter(test.value, test.better); got != test.want {
			t.Errorf("MoreIsBetter(%v, %s) = %v, want %v", test.value, test.better, got, test.want)
		}
	}
}
