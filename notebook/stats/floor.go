package stats

import (
	"fmt"
	"math"

	"benchbook/internal/slice"
)

// Floor is how far apart one metric is for the same cell under two names, beyond what repetitions explain.
type Floor struct {
	F       float64    // the standard deviation of lasting offsets, on logarithms; 0 without pairs
	Biased  bool       // the interval of a pair excludes 1
	Exceeds bool       // F is larger than the smallest effect
	Pairs   int        // A/A pairs that could be compared; 0 if the noise floor was not measured
	Of      []PairOfAA // each pair, in the order given
}

// PairOfAA is the result of one A/A pair.
type PairOfAA struct {
	D      float64 // distance of the two names, on logarithms; not below zero
	SE     float64 // the standard error of D; 0 if the pair cannot be compared
	Biased bool    // its interval excludes 1
}

// usualOffset is the expected size of lasting offsets, on logarithms. Pairs with smaller standard errors get about
// equal weights, others smaller ones.
const usualOffset = 0.01

// NoiseFloor returns the noise floor of A/A pairs. It leaves out pairs with fewer than three repetitions on a side, or
// with a value at or below zero. Alpha is the level of all pairs together, delta the smallest effect.
//
// F squared is a weighted mean over the pairs' squared differences, less what their standard errors explain, and one
// pseudo-pair without an offset.
//
// The error is ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
//
// Source: docs/method.md#the-noise-floor.
func NoiseFloor(pairs [][2]Cell, alpha, delta float64) (Floor, error) {
	if err := checkAlpha(alpha); err != nil {
		return Floor{}, err
	}
	isUsable := func(pair [2]Cell) bool { return onBoth(pair[0], pair[1], Cell.comparable) == nil }
	floor := Floor{Of: make([]PairOfAA, len(pairs)), Pairs: slice.Count(pairs, isUsable)}
	var compared []PairOfAA
	for i, pair := range pairs {
		c, err := Ratio(pair[0], pair[1], alpha/float64(max(1, floor.Pairs)))
		switch {
		case isIncomparable(err):
			continue
		case err != nil:
			return Floor{}, fmt.Errorf("A/A pair %d: %w", i+1, err)
		}
		floor.Of[i] = PairOfAA{D: math.Abs(c.D), SE: c.SE, Biased: !c.Interval.Contains(1)}
		floor.Biased = floor.Biased || floor.Of[i].Biased
		compared = append(compared, floor.Of[i])
	}
	floor.F = offsets(compared)
	floor.Exceeds = floor.F > delta
	return floor, nil
}

// offsets returns the standard deviation of lasting offsets, on logarithms.
func offsets(pairs []PairOfAA) float64 {
	excess, weights := 0.0, 1/(4*math.Pow(usualOffset, 4)) // weights begins with the pseudo-pair
	for _, p := range pairs {
		known := p.SE*p.SE + usualOffset*usualOffset
		excess += (p.D*p.D - p.SE*p.SE) / (known * known)
		weights += 1 / (known * known)
	}
	return math.Sqrt(max(0, excess/weights))
}
