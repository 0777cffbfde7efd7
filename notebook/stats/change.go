package stats

import (
	"math"
	"slices"

	"benchbook/internal/slice"
)

// Direction says which values of a metric are better, in an article's words.
type Direction string

const (
	HigherIsBetter Direction = "higher"
	LowerIsBetter  Direction = "lower"
)

// Shift is the verdict on a change, in words.
type Shift string

const (
	Better Shift = "better" // by more than the smallest effect
	Worse  Shift = "worse"  // by more than the smallest effect
	Higher Shift = "higher" // by more than the smallest effect, for a metric without a better direction
	Lower  Shift = "lower"

	NotShown      Shift = "no difference shown" // neither a difference nor equality is shown
	NotComparable Shift = "not comparable"
)

// BeforeAfter is one cell, measured twice.
type BeforeAfter struct {
	Before, After Cell
	Floor         float64 // the larger noise floor of both times
	Looks         int     // the larger number of looks of both times; 0 is 1
}

// Change is how a cell differs between two measurements.
type Change struct {
	Comparison         // of After over Before, the interval at alpha and widened by the noise floor
	AdjustedP  float64 // for no change beyond noise floor and smallest effect, over all cells and looks; 1 if Err
	AloneP     float64 // the same, for this cell alone and one look
	Shifted    bool    // AdjustedP is at most alpha, the interval says so too, and Err is nil
	Err        error   // why there is no comparison: ErrNoValues, ErrTooFew or ErrNotPositive
}

// Changes compares cells of one metric with themselves at another time. A cell has shifted if its ratio lies beyond
// noise floor and smallest effect, as for a claim "after > before" or "after < before", with Holm's correction for the
// number of cells and their looks. Intervals stay at alpha, the level of all cells; delta is the smallest effect.
//
// The error is ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
//
// Source: docs/method.md#ratios, docs/method.md#claims-as-regions, docs/method.md#number-of-looks and
// docs/method.md#several-comparisons; Holm 1979.
func Changes(cells []BeforeAfter, alpha, delta float64) ([]Change, error) {
	out := make([]Change, len(cells))
	var compared []int
	var ps []float64
	for i, c := range cells {
		comparison, err := Ratio(c.After, c.Before, alpha)
		out[i] = Change{Comparison: comparison, AdjustedP: 1, AloneP: 1, Err: err}
		switch {
		case isIncomparable(err):
			continue
		case err != nil:
			return nil, err
		}
		out[i].Interval = comparison.Widen(c.Floor, alpha)
		compared = append(compared, i)
		out[i].AloneP = comparison.beyond(math.Log1p(delta), c.Floor)
		ps = append(ps, min(1, out[i].AloneP*float64(max(1, c.Looks))))
	}
	for k, p := range holm(ps) {
		i := compared[k]
		// A skewed cell has a longer interval on one side, which p ignores.
		seen := out[i].Interval
		out[i].AdjustedP = p
		out[i].Shifted = p <= alpha && (seen.Lo > 1+delta || seen.Hi < 1/(1+delta))
	}
	return out, nil
}

// ShiftOf names a shown change. Better says which values are better, "" if neither.
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

// holm returns the probabilities with Holm's correction: sorted p(i)·(m-i+1), never smaller than the one before, at
// most 1.
func holm(ps []float64) []float64 {
	sorted := slices.Clone(ps)
	slices.Sort(sorted)
	corrected := make([]float64, len(ps))
	largest := 0.0
	for i, p := range sorted {
		largest = min(1, max(largest, p*float64(len(ps)-i)))
		corrected[i] = largest
	}
	return slice.Map(ps, func(p float64) float64 {
		i, _ := slices.BinarySearch(sorted, p)
		return corrected[i]
	})
}
