// Package stats says what repeated measurements mean: estimates, intervals, comparisons and verdicts.
//
// The repetition is the unit of replication. A Cell holds one value per valid repetition of one metric, all in
// one unit, in any order; slices handed in are left as they are, and the same values give the same result in
// whatever order they come. Results in the unit of the values are estimates; ratios, shares and probabilities
// have no unit. Nothing is rounded: that is for whoever prints.
//
// A value that is NaN or infinite is an error, never skipped. Where there is no upper or lower end, an Interval
// is infinite on that side. Ends are compared as plain floating point numbers, and an interval that touches the
// boundary of a Region is inconclusive.
//
// Alpha is one minus the confidence, in (0, 1). Whoever judges several parts, or looked at results before a run
// was over, hands in a smaller one: AllOf and Level say which.
//
// The rules, with the error rates they were chosen for, are those of docs/method.md, of which every function
// names its section.
package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Defaults of docs/method.md#words-and-defaults.
const (
	DefaultAlpha          = 0.05  // one minus the confidence
	DefaultSmallestEffect = 0.05  // δ: differences up to it do not count as a difference
	DefaultNear           = 0.25  // w: how far from k "about k" still is, and how far from published "near"
	MinResolution         = 0.001 // r: the three significant digits of a latency histogram
	MinRepetitions        = 3     // the fewest valid repetitions that a comparison or a claim rests on
	MinRanked             = 6     // the fewest valid repetitions whose intervals are made of ranks
)

// The reasons why values have no estimate or no comparison. They come wrapped, with the value or the cell that
// is meant.
var (
	ErrNoValues    = errors.New("no values: nothing was measured")
	ErrTooFew      = errors.New("fewer than 3 values: measure at least 3 repetitions")
	ErrNotPositive = errors.New("a value is zero or less, so there is no ratio: compare differences or counts instead")
	ErrNotFinite   = errors.New("a value is not a finite number: check what the metric is computed from")
	ErrNegative    = errors.New("a value is negative where the metric cannot be: check what it is computed from")
	ErrResolution  = errors.New("resolution is not a finite number of at least 0: give step/value, or 0 for the default")
	ErrAlpha       = errors.New("alpha is not between 0 and 1: give one minus the confidence, such as 0.05")
)

// Cell is what was measured of one metric under one setting of an experiment.
type Cell struct {
	// Values are one per valid repetition, in one unit and any order.
	Values []float64

	// Resolution is the relative step of the measurement, such as the step of a tool's output over the median
	// of the cell. It keeps equal readings from looking certain. Less than MinResolution counts as that, so
	// zero is the default.
	Resolution float64

	// Centre is what is printed of the values where that is not their pseudo-median: the pooled share of ErrorShare.
	// Zero is the pseudo-median; a share is zero only where all values are.
	Centre float64

	// NonNegative says that the metric cannot be below zero, so that no interval of it reaches there.
	NonNegative bool

	// Bounds are how many times as large as measured any of Values may be without a disturbance, from at most 1 to at
	// least 1. Zero is that none was disturbed.
	Bounds Interval
}

// factors are the bounds of a cell or comparison, which are 1 to 1 where nothing was disturbed.
func factors(bounds Interval) Interval {
	if bounds == (Interval{}) {
		return Interval{1, 1}
	}
	return bounds
}

// check refuses what no statistic can be made from.
func (c Cell) check() error {
	if math.IsNaN(c.Resolution) || math.IsInf(c.Resolution, 0) || c.Resolution < 0 {
		return ErrResolution
	}
	for i, v := range c.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("value %d is %v: %w", i+1, v, ErrNotFinite)
		}
		if c.NonNegative && v < 0 {
			return fmt.Errorf("value %d is %v: %w", i+1, v, ErrNegative)
		}
	}
	return nil
}

// centre is what is printed of the values, NaN if there are none: sizes, orders and ratios are of it.
//
// Source: docs/method.md#one-cell.
func (c Cell) centre() float64 {
	if c.Centre != 0 && len(c.Values) > 0 {
		return c.Centre
	}
	return PseudoMedian(c.Values)
}

// positive tells why values have no logarithms; nil if they have.
func (c Cell) positive() error {
	if len(c.Values) == 0 {
		return ErrNoValues
	}
	if smallest := slices.Min(c.Values); smallest <= 0 {
		return fmt.Errorf("smallest value %v: %w", smallest, ErrNotPositive)
	}
	return nil
}

// comparable tells why a cell cannot be compared on logarithms; nil if it can.
func (c Cell) comparable() error {
	if err := c.positive(); err != nil {
		return err
	}
	if n := len(c.Values); n < MinRepetitions {
		return fmt.Errorf("n = %d: %w", n, ErrTooFew)
	}
	return nil
}

// step is the variance on logarithms of a reading that is only known to lie within one step of the resolution.
func (c Cell) step() float64 {
	r := max(c.Resolution, MinResolution)
	return r * r / 12
}

// moments returns the mean of the values and their variance with n-1 below the line, NaN for a single one. It
// sorts them first: rounding must not depend on the order in which they came.
func moments(values []float64) (mean, variance float64) {
	return stat.MeanVariance(slices.Sorted(slices.Values(values)), nil)
}

// Median returns the middle one of the values, and the mean of the middle two of an even number of them; NaN if
// there are none. It has the unit of the values.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2
}

// checkAlpha refuses a level outside (0, 1).
func checkAlpha(alpha float64) error {
	if !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("alpha %v: %w", alpha, ErrAlpha)
	}
	return nil
}

// tCritical returns t(1-alpha/2, df), how many standard errors an interval reaches to either side.
func tCritical(alpha, df float64) float64 {
	return criticals.get(tail{alpha, df}, func(of tail) float64 {
		if math.IsInf(of.df, 1) {
			return -distuv.UnitNormal.Quantile(of.alpha / 2)
		}
		return -distuv.StudentsT{Sigma: 1, Nu: of.df}.Quantile(of.alpha / 2)
	})
}

// zCritical is tCritical of a normal distribution.
func zCritical(alpha float64) float64 { return tCritical(alpha, math.Inf(1)) }

// tail is the part of a t distribution that is looked for.
type tail struct{ alpha, df float64 }

var criticals memo[tail, float64]

// tTwoSided returns the probability of a t at least as far from zero.
func tTwoSided(t, df float64) float64 {
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}

// Interval is the numbers from Lo to Hi, both included; an end is infinite where it is unbounded.
type Interval struct {
	Lo, Hi float64
}

// unbounded is the interval that tells nothing about a value.
func unbounded() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Lo <= x && x <= i.Hi }

// Over returns the interval of the ratio of two quantities that are only known to lie in an interval each, such
// as two tuned values: [lo/other.Hi, hi/other.Lo]. Neither interval may reach below zero.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#capacities.
func (i Interval) Over(other Interval) Interval { return Interval{i.Lo / other.Hi, i.Hi / other.Lo} }

// times returns the interval with either end that many times as large.
func (i Interval) times(factors Interval) Interval {
	return Interval{i.Lo * factors.Lo, i.Hi * factors.Hi}
}
