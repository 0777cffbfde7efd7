package stats

import (
	"errors"
	"slices"
)

// Stop says why a search ended.
type Stop string

// Why a search ends by itself.
const (
	StopWorse Stop = "worse" // candidates running that did not improve
	StopLimit Stop = "limit" // the last candidate; of a capacity, the highest rate that may be tried
	StopFloor Stop = "floor" // of a capacity: the lowest rate that may be tried failed
	StopStep  Stop = "step"  // of a capacity: the bounds are as near to each other as they should be
)

// Tuning is the rule by which a search for a tuned value, such as a number of workers, goes on. Values are those of
// Candidates so far, in their order: medians of a few probes each, of which more is better, see MoreIsBetter. One that
// was not valid is 0.
//
// Source: docs/method.md#tuned-values.
type Tuning struct {
	Candidates []int   // in ascending order
	Cores      int     // logical cores of the services: fewer candidates running that do not improve prove nothing
	Effect     float64 // share by which a candidate has to be better than the best so far to improve on it
	Patience   int     // candidates running without improvement after which the search ends
}

// MoreIsBetter turns a value into one of which more is better: itself, or its inverse where less of it is better. What
// is not above zero is 0.
func MoreIsBetter(value float64, better Direction) float64 {
	switch {
	case !(value > 0):
		return 0
	case better == LowerIsBetter:
		return 1 / value
	}
	return value
}

// Stop says whether the search ends after the candidates that there are values of, and why. The best value is replaced
// only by one that improves on it, so that slow creep adds up.
func (t Tuning) Stop(values []float64) (Stop, bool) {
	best, without := 0.0, 0
	for i, v := range values {
		if v > (1+t.Effect)*best {
			best, without = v, 0
		} else {
			without++
		}
		if without >= t.Patience && t.Candidates[i] >= t.Cores {
			return StopWorse, true
		}
	}
	if len(values) >= len(t.Candidates) {
		return StopLimit, true
	}
	return "", false
}

// ErrNoChoice is that no candidate of a search has a value above zero.
var ErrNoChoice = errors.New("no candidate has a value above zero")

// Choice is what a search for a tuned value came to.
type Choice struct {
	Chosen  int      // the smallest candidate that is as good as the best one, up to Effect
	Near    Interval // from Chosen to the largest such candidate: where the best value may lie
	Matters float64  // the best value over the smallest above zero
}

// Choose gives the choice from the candidates that there are values of. The error is ErrNoChoice.
func (t Tuning) Choose(values []float64) (Choice, error) {
	if len(values) == 0 || slices.Max(values) <= 0 {
		return Choice{}, ErrNoChoice
	}
	top, worst := slices.Max(values), slices.Max(values)
	var c Choice
	for i, v := range values {
		if v > 0 {
			worst = min(worst, v)
		}
		if v < top/(1+t.Effect) {
			continue
		}
		w := float64(t.Candidates[i])
		if c.Chosen == 0 {
			c.Chosen, c.Near.Lo = t.Candidates[i], w
		}
		c.Near.Hi = w
	}
	c.Matters = top / worst
	return c, nil
}
