// Package stats turns repeated measurements into estimates, intervals, comparisons and verdicts.
//
// The repetition is the unit of replication. A Cell holds one value per valid repetition of one metric, in one unit and
// any order, which does not affect results. Slices are not changed. Estimates have the unit of the values; ratios,
// shares and probabilities have none. Nothing is rounded. A value that is NaN or infinite is an error. An Interval is
// infinite on a side without an end, and inconclusive if it touches the boundary of a Region.
//
// Alpha is one minus the confidence, in (0, 1). AllOf and Level say how small it must be for several parts, or several
// looks at the results.
//
// The rules, and the error rates they were chosen for, are in docs/method.md; each function names its section.
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
	DefaultSmallestEffect = 0.05  // δ: differences up to it do not count
	DefaultNear           = 0.25  // w: how far "about k" reaches from k, and "near" from a published number
	MinResolution         = 0.001 // r: the three significant digits of a latency histogram
	MinRepetitions        = 3     // the fewest valid repetitions for a comparison or a claim
	MinRanked             = 6     // the fewest valid repetitions for an interval by ranks
)

// Why values have no estimate or no comparison. These errors are wrapped with the value or the cell.
var (
	ErrNoValues    = errors.New("no values: nothing was measured")
	ErrTooFew      = errors.New("fewer than 3 values: measure at least 3 repetitions")
	ErrNotPositive = errors.New("a value is zero or less, so there is no ratio: compare differences or counts instead")
	ErrNotFinite   = errors.New("a value is not a finite number: check what the metric is computed from")
	ErrNegative    = errors.New("a value is negative where the metric cannot be: check what it is computed from")
	ErrResolution  = errors.New("resolution is not a finite number of at least 0: give step/value, or 0 for the default")
	ErrAlpha       = errors.New("alpha is not between 0 and 1: give one minus the confidence, such as 0.05")
)

// Cell holds the measurements of one metric under one setting of an experiment.
type Cell struct {
	// Values has one number per valid repetition, in one unit and any order.
	Values []float64

	// Resolution is the relative step of the measurement, such as the step of a tool's output over the cell's median.
	// It keeps equal readings from looking certain. Less than MinResolution, such as zero, counts as MinResolution.
	Resolution float64

	// Centre is the printed centre if that is not the pseudo-median: the pooled share of ErrorShare. Zero means the
	// pseudo-median; a share is zero only if all values are.
	Centre float64

	// NonNegative says that the metric cannot be below zero, so no interval reaches there.
	NonNegative bool

	// Bounds are the factors, from at most 1 to at least 1, by which any of Values could differ without a disturbance.
	// Zero means that none was disturbed.
	Bounds Interval

	// Correlation is how much each of Values resembles the one measured before it, from 0 to MaxCorrelation: see
	// SerialCorrelation. It widens intervals of ten values and more.
	Correlation float64
}

// factors returns the bounds, or 1 to 1 if nothing was disturbed.
func factors(bounds Interval) Interval {
	if bounds == (Interval{}) {
		return Interval{1, 1}
	}
	return bounds
}

// check rejects values without a statistic.
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

// centre returns the printed value of the cell, used for sizes, orders and ratios; NaN without values.
func (c Cell) centre() float64 {
	if c.Centre != 0 && len(c.Values) > 0 {
		return c.Centre
	}
	return PseudoMedian(c.Values)
}

// positive returns why the values have no logarithms; nil if they have.
func (c Cell) positive() error {
	if len(c.Values) == 0 {
		return ErrNoValues
	}
	if smallest := slices.Min(c.Values); smallest <= 0 {
		return fmt.Errorf("smallest value %v: %w", smallest, ErrNotPositive)
	}
	return nil
}

// comparable returns why a cell cannot be compared on logarithms; nil if it can.
func (c Cell) comparable() error {
	if err := c.positive(); err != nil {
		return err
	}
	if n := len(c.Values); n < MinRepetitions {
		return fmt.Errorf("n = %d: %w", n, ErrTooFew)
	}
	return nil
}

// step returns the variance, on logarithms, of a reading known to within one step of the resolution.
func (c Cell) step() float64 {
	r := max(c.Resolution, MinResolution)
	return r * r / 12
}

// moments returns the mean of the values and their variance over n-1, NaN for a single one. It sorts them first, so
// that rounding does not depend on their order.
func moments(values []float64) (mean, variance float64) {
	return stat.MeanVariance(slices.Sorted(slices.Values(values)), nil)
}

// Median returns the median of the values, in their unit; NaN without values.
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

// checkAlpha rejects a level outside (0, 1).
func checkAlpha(alpha float64) error {
	if !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("alpha %v: %w", alpha, ErrAlpha)
	}
	return nil
}

// tCritical returns t(1-alpha/2, df): how many standard errors an interval extends to each side.
func tCritical(alpha, df float64) float64 {
	if math.IsInf(df, 1) {
		return -distuv.UnitNormal.Quantile(alpha / 2)
	}
	return -distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(alpha / 2)
}

// zCritical is tCritical for a normal distribution.
func zCritical(alpha float64) float64 { return tCritical(alpha, math.Inf(1)) }

// tTwoSided returns the probability of a t at least as far from zero.
func tTwoSided(t, df float64) float64 {
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}

// Interval holds the numbers from Lo to Hi, both included; an open end is infinite.
type Interval struct{ Lo, Hi float64 }

func unbounded() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Contains reports whether x lies in the interval.
func (i Interval) Contains(x float64) bool { return i.Lo <= x && x <= i.Hi }

// Over returns the interval of the ratio of two quantities that each lie in an interval, such as tuned values:
// [lo/other.Hi, hi/other.Lo]. Neither interval may reach below zero.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#capacities.
func (i Interval) Over(other Interval) Interval { return Interval{i.Lo / other.Hi, i.Hi / other.Lo} }

// times multiplies the ends of the interval by those of factors.
func (i Interval) times(factors Interval) Interval {
	return Interval{i.Lo * factors.Lo, i.Hi * factors.Hi}
}
