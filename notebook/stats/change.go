package stats

import (
	"errors"
	"math"
)

// Shift is the verdict on a change, in the words that people read.
type Shift string

const (
	Better Shift = "better" // by more than the smallest effect
	Worse  Shift = "worse"  // by more than the smallest effect
	Higher Shift = "higher" // by more than the smallest effect, of what is neither better nor worse
	Lower  Shift = "lower"  // likewise
	// the values do not show more than that; they do not show that there is none
	NotShown      Shift = "no difference shown"
	NotComparable Shift = "not comparable" // there is no comparison, for a reason
)

// BeforeAfter is one cell, measured twice.
type BeforeAfter struct {
	Before, After Cell
	Floor         float64 // the noise floor, the larger one of both times
	Looks         int     // of the run that is judged for most; 0 is 1
}

// Change is how a cell that was measured twice has changed.
type Change struct {
	Comparison // of After over Before, the interval at alpha and widened by the noise floor
	// of no change beyond noise floor and smallest effect, times the looks, after Holm's correction over all
	// cells; 1 without comparison
	AdjustedP float64
	Shifted   bool  // AdjustedP is at most alpha, the interval says so too, and Err is nil
	Err       error // why there is no comparison: ErrNoValues, ErrTooFew or ErrNotPositive
}

// Changes compares the cells of one metric with themselves at another time. A cell has shifted if its ratio lies beyond
// noise floor and smallest effect at a level that holds for all cells together: what a claim "after > before" or "after
// < before" asks of one pair, corrected for the number of pairs that can be compared. Where rounds were added to a
// finished run its cells are judged at the stricter level of their looks; intervals stay at alpha.
//
// Alpha is the level of all cells together, delta the smallest effect.
//
// The error is ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
//
// Source: docs/method.md#ratios, docs/method.md#claims-as-regions, docs/method.md#number-of-looks and
// docs/method.md#rank-groups; Holm 1979.
func Changes(cells []BeforeAfter, alpha, delta float64) ([]Change, error) {
	out := make([]Change, len(cells))
	var compared []int
	var ps []float64
	for i, c := range cells {
		comparison, err := Ratio(c.After, c.Before, alpha)
		out[i] = Change{Comparison: comparison, AdjustedP: 1, Err: err}
		switch {
		case errors.Is(err, ErrNoValues) || errors.Is(err, ErrTooFew) || errors.Is(err, ErrNotPositive):
			continue
		case err != nil:
			return nil, err
		}
		out[i].Interval = comparison.Widen(c.Floor, alpha)
		compared = append(compared, i)
		p := newSample(c.After).over(newSample(c.Before)).beyond(math.Log1p(delta), c.Floor)
		// at alpha, it is the one at alpha over the number of analyses
		ps = append(ps, min(1, p*float64(max(1, c.Looks))))
	}
	for k, p := range holm(ps) {
		i := compared[k]
		// The interval of a skewed cell is longer on one side, which p does not know.
		seen := out[i].Interval
		out[i].AdjustedP = p
		out[i].Shifted = p <= alpha && (seen.Lo > 1+delta || seen.Hi < 1/(1+delta))
	}
	return out, nil
}

// ShiftOf names a change that was shown by its direction; better says which values are, "" where neither.
func ShiftOf(up bool, better Direction) Shift {
	switch {
	case better == "" && up:
		return Higher
	case better == "":
		return Lower
	case up == (better == HigherIsBetter):
		return Better
	}
	return Worse
}
