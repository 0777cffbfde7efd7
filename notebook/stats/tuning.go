package stats

import "slices"

// Stop says why a search ended.
type Stop string

// Why a search can end by itself.
const (
	StopWorse Stop = "worse" // successive candidates did not improve
	StopLimit Stop = "limit" // the last candidate; for a capacity, the highest rate to try
	StopFloor Stop = "floor" // for a capacity: the lowest rate to try failed
	StopStep  Stop = "step"  // for a capacity: the bounds are close enough
)

// Tuning is the rule of a search for a tuned value, such as a number of workers. Values are those of the first
// candidates, in order: medians of a few probes each, where more is better (see MoreIsBetter); 0 for an invalid one.
//
// Source: docs/method.md#tuned-values.
type Tuning struct {
	Candidates []int   // in ascending order
	Cores      int     // logical cores of the services: the search does not end at a smaller candidate
	Effect     float64 // share by which a candidate must beat the best so far
	Patience   int     // successive candidates without improvement that end the search
}

// MoreIsBetter returns the value, or its inverse if less is better; 0 if it is not above zero.
func MoreIsBetter(value float64, better Direction) float64 {
	switch {
	case !(value > 0):
		return 0
	case better == LowerIsBetter:
		return 1 / value
	}
	return value
}

// Stop returns whether the search ends after the candidates with these values, and why. Only a value that beats the
// best by Effect replaces it, so that small steps add up.
func (t Tuning) Stop(values []float64) (Stop, bool) {
	best, without := 0.0, 0
	for i, v := range values {
		if without++; v > (1+t.Effect)*best {
			best, without = v, 0
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

// Choice is the result of a search for a tuned value.
type Choice struct {
	Chosen  int      // the smallest candidate as good as the best, up to Effect
	Near    Interval // from Chosen to the largest such candidate
	Matters float64  // the best value over the smallest above zero
}

// Choose returns the choice among the candidates with these values; false if none is above zero.
func (t Tuning) Choose(values []float64) (c Choice, ok bool) {
	if len(values) == 0 || slices.Max(values) <= 0 {
		return c, false
	}
	top := slices.Max(values)
	worst := top
	for i, v := range values {
		if v > 0 {
			worst = min(worst, v)
		}
		if v < top/(1+t.Effect) {
			continue
		}
		if c.Chosen == 0 {
			c.Chosen, c.Near.Lo = t.Candidates[i], float64(t.Candidates[i])
		}
		c.Near.Hi = float64(t.Candidates[i])
	}
	c.Matters = top / worst
	return c, true
}
