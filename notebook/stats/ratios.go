package stats

import (
	"fmt"
	"math"
)

// RatioOfRatios says how many times as large as the ratio of two cells, c to d, is that of two others, a to b: whether a gap is wider
// in one setting than in another. It is Ratio with four cells in place of two: the sum of the mean logarithms, those of b and c
// subtracted, with Welch's standard error and Satterthwaite's degrees of freedom.
//
// Values of a and b share one unit, and so do those of c and d; the result has none. Of the result NA is the smaller number of
// repetitions of a and b, and NB that of c and d. The errors are those of Ratio.
//
// Source: docs/method.md#ratios, by the general form of Satterthwaite, An Approximate Distribution of Estimates of
// Variance Components, Biometrics Bulletin 1946.
func RatioOfRatios(a, b, c, d Cell, alpha float64) (Comparison, error) {
	out := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: min(len(a.Values), len(b.Values)), NB: min(len(c.Values), len(d.Values))}
	over, errOver := ratioAlone(a, b, alpha)
	under, errUnder := ratioAlone(c, d, alpha)
	if over.Ratio > 0 && under.Ratio > 0 {
		out.Ratio = over.Ratio / under.Ratio
	}
	if errOver != nil {
		return out, fmt.Errorf("first ratio: %w", errOver)
	}
	if errUnder != nil {
		return out, fmt.Errorf("second ratio: %w", errUnder)
	}
	x := newContrastOfRatios(a, b, c, d)
	out.Interval, out.DF, out.P = x.interval(alpha), x.df, tTwoSided(x.d/x.se, x.df)
	return out, nil
}

func newContrastOfRatios(a, b, c, d Cell) contrast {
	meanA, ofA := a.logDispersion()
	meanB, ofB := b.logDispersion()
	meanC, ofC := c.logDispersion()
	meanD, ofD := d.logDispersion()
	return welch(meanA-meanB-(meanC-meanD), ofA, ofB, ofC, ofD)
}

// RatioOfRatiosRepetitions is RatioRepetitions for RatioOfRatios: how many repetitions of all four cells would have an even chance to
// decide a claim that is inconclusive now.
func RatioOfRatiosRepetitions(a, b, c, d Cell, region Region, floor, alpha float64) (int, error) {
	if _, err := RatioOfRatios(a, b, c, d, alpha); err != nil {
		return 0, err
	}
	cells := []Cell{a, b, c, d}
	return repetitionsOf(newContrastOfRatios(a, b, c, d).d, cells, region, floor, alpha), nil
}
