package stats

import (
	"fmt"
	"math"
)

// Floor is how far apart one metric of one experiment came out for the same cell under two names.
type Floor struct {
	F       float64 // the largest ratio of a pair, as its excess over 1; 0 without pairs
	Biased  bool    // a pair is told apart although it is the same cell
	Exceeds bool    // F is larger than the smallest effect, so that no difference of that size can be believed
	Pairs   int     // A/A pairs that could be compared; 0 means "noise floor not measured"
}

// NoiseFloor returns the noise floor that A/A pairs show. A pair of fewer than three repetitions on a side, or with
// a value at zero or below, is left out. Alpha is the level of all pairs together, delta the smallest effect.
//
// The error is ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
//
// Source: docs/method.md#the-noise-floor.
func NoiseFloor(pairs [][2]Cell, alpha, delta float64) (Floor, error) {
	if err := checkAlpha(alpha); err != nil {
		return Floor{}, err
	}
	var usable []contrast
	for i, pair := range pairs {
		if err := onBoth(pair[0], pair[1], Cell.check); err != nil {
			return Floor{}, fmt.Errorf("A/A pair %d: %w", i+1, err)
		}
		if onBoth(pair[0], pair[1], Cell.comparable) == nil {
			usable = append(usable, newContrast(pair[0], pair[1]))
		}
	}
	floor := Floor{Pairs: len(usable)}
	for _, x := range usable {
		floor.F = max(floor.F, math.Expm1(math.Abs(x.d)))
		floor.Biased = floor.Biased || !x.interval(alpha/float64(len(usable))).Contains(1)
	}
	floor.Exceeds = floor.F > delta
	return floor, nil
}
