package stats

import (
	"errors"
	"fmt"
	"math"
)

// RatioByRound compares a to b round by round, by Student's t on the logarithms of the ratios of single rounds. What all cells of
// a round share, such as a machine that becomes slower, cancels out; in exchange there are fewer degrees of freedom, so that
// intervals of few rounds are wider than those of Ratio. It shows how far a verdict depends on the comparison: verdicts are by Ratio.
//
// Values[i] of both cells are of the same round and share one unit; the result has none. The error is that two cells have not as
// many values, else as for Ratio.
//
// Source: docs/method.md#ratios.
func RatioByRound(a, b Cell, alpha float64) (Comparison, error) {
	c, err := ratioAlone(a, b, alpha)
	if err != nil {
		return c, err
	}
	n := len(a.Values)
	if n != len(b.Values) {
		return c, fmt.Errorf("%d values against %d: give one of each cell for every round", n, len(b.Values))
	}
	logs := make([]float64, n)
	for i := range logs {
		logs[i] = math.Log(a.Values[i]) - math.Log(b.Values[i])
	}
	d, variance := moments(logs)
	ra, rb := max(a.Resolution, MinResolution), max(b.Resolution, MinResolution)
	se := math.Sqrt(max(variance, (ra*ra+rb*rb)/12) / float64(n))
	x := contrast{d: d, se: se, df: float64(n - 1)}
	return Comparison{Ratio: math.Exp(d), Interval: x.interval(alpha), DF: x.df, P: tTwoSided(d/se, x.df), NA: n, NB: n}, nil
}

// RatioOfMedians compares the median of a to that of b. The interval is made of those of the two medians by
// docs/method.md#one-cell, each at half of alpha, so that it holds with a probability of 1-alpha at least; it is wider
// than that of Ratio, which assumes more. It shows how far a verdict depends on the comparison: verdicts are by Ratio.
//
// DF and P are 0 and 1: there is no t. The errors are those of Ratio.
//
// Source: docs/method.md#one-cell; Bonferroni's inequality.
func RatioOfMedians(a, b Cell, alpha float64) (Comparison, error) {
	c, err := ratioAlone(a, b, alpha)
	if err == nil || errors.Is(err, ErrTooFew) {
		c.Ratio = Median(a.Values) / Median(b.Values)
	}
	if err != nil {
		return c, err
	}
	x, err := Summarize(a, alpha/2)
	if err != nil {
		return c, fmt.Errorf("first cell: %w", err)
	}
	y, err := Summarize(b, alpha/2)
	if err != nil {
		return c, fmt.Errorf("second cell: %w", err)
	}
	if !math.IsInf(x.Interval.Hi, 1) && !math.IsInf(y.Interval.Hi, 1) {
		c.Interval = x.Interval.Over(y.Interval)
	}
	return c, nil
}

// ratioAlone is Ratio without an interval: the checks of Ratio, and how many times as large the geometric mean is.
func ratioAlone(a, b Cell, alpha float64) (Comparison, error) {
	c, err := Ratio(a, b, alpha)
	c.Interval, c.DF, c.P = Interval{0, math.Inf(1)}, 0, 1
	return c, err
}
