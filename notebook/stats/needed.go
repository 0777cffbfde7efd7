package stats

import (
	"math"
	"slices"

	"benchbook/internal/slice"
)

// MaxRepetitions is the most repetitions, beyond a plan's looks, that Needed and CellNeeded consider.
const MaxRepetitions = 160

// Needed returns how many repetitions of a comparison's cells have an even chance to decide an inconclusive claim: the
// first look of the plan, then of the usual sequence, at which the interval with the present ratio and spread lies on
// one side of the nearest limit. Alpha is the level in use, f the noise floor. It is 0 if no number helps, because the
// ratio is nearer to a limit than the noise floor, and above MaxRepetitions if more are needed.
//
// Source: docs/method.md#repetitions-needed.
func Needed(c Comparison, region Region, f, alpha float64, looks []int) int {
	distance, offset := region.distance(c.Ratio, math.Log), zCritical(alpha)*f
	return firstLook(min(c.NA, c.NB), looks, distance, offset, func(n int) float64 {
		return tCritical(alpha, float64(2*n-2)) * c.SE * math.Sqrt(float64(min(c.NA, c.NB))/float64(n))
	})
}

// CellNeeded is Needed for a claim about one cell's value, which no noise floor widens.
//
// The error is ErrTooFew below three values, else as for Summarize.
//
// Source: docs/method.md#repetitions-needed.
func CellNeeded(c Cell, region Region, alpha float64, looks []int) (int, error) {
	if err := checkAlpha(alpha); err != nil {
		return 0, err
	}
	e, err := Summarize(c, DefaultAlpha)
	if err != nil {
		return 0, err
	}
	if e.N < MinRepetitions {
		return 0, ErrTooFew
	}
	scaled := func(x float64) float64 { return x }
	if c.positive() == nil {
		scaled = math.Log
	}
	se := e.standardError(scaled)
	return firstLook(e.N, looks, region.distance(e.Centre, scaled), 0, func(n int) float64 {
		return tCritical(alpha, float64(n-1)) * se * math.Sqrt(float64(e.N)/float64(n))
	}), nil
}

// distance returns how far a value is from the region's nearest limit on a scale; infinite without limits.
func (r Region) distance(value float64, scaled func(float64) float64) float64 {
	nearest := math.Inf(1)
	for _, limit := range []float64{r.Lo, r.Hi} {
		// On logarithms, limits at or below zero are infinitely far.
		if x := scaled(limit); !math.IsInf(x, 0) && !math.IsNaN(x) {
			nearest = min(nearest, math.Abs(scaled(value)-x))
		}
	}
	return nearest
}

// firstLook returns the first look after n repetitions at which half the expected interval is less than the distance to
// the nearest limit.
func firstLook(n int, looks []int, distance, offset float64, half func(n int) float64) int {
	if offset >= distance {
		return 0
	}
	last := 0
	if len(looks) > 0 {
		last = looks[len(looks)-1]
	}
	usual := slice.Filter(Looks(MaxRepetitions), func(look int) bool { return look > last })
	for _, look := range slices.Concat(looks, usual) {
		if look > n && math.Hypot(half(look), offset) < distance {
			return look
		}
	}
	return MaxRepetitions + 1
}
