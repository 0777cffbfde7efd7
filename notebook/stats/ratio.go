package stats

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Comparison is the ratio of two cells.
type Comparison struct {
	Ratio    float64  // the quotient of the centres, as printed
	Interval Interval // contains Ratio; not yet widened by a noise floor; [0, ∞] if unknown

	// The test statistics, on logarithms. Without a comparison they are zero, and P is 1.
	D     float64 // the difference of means below MinRanked values on a side, else the median of differences
	SE    float64 // standard error of D
	DF    float64 // degrees of freedom of D's t distribution
	K     int     // at which of the sorted differences the interval ends, before Kappa; 0 without ranks
	Kappa float64 // widening of ranks for a noisier cell or correlated repetitions; 0 without ranks
	P     float64 // two-sided, for no difference

	NA, NB int // repetitions of each cell

	// Bounds are the factors by which the ratio could differ without a disturbance. Interval includes them.
	Bounds Interval

	a, b sample // without values if there is no comparison
}

// IsDisturbed reports whether the comparison has bounds, which more such repetitions do not narrow.
func (c Comparison) IsDisturbed() bool { return factors(c.Bounds) != Interval{1, 1} }

// Range returns the ratios that are possible without a disturbance, apart from their error; zero if there was none.
func (c Comparison) Range() Interval {
	if !c.IsDisturbed() {
		return Interval{}
	}
	return Interval{c.Ratio, c.Ratio}.times(c.Bounds)
}

// Ratio compares a to b: by Welch's t on logarithms if a side has fewer than MinRanked values, else by the ranks of
// Mann and Whitney, with Moses' interval, guarded against unequal spreads.
//
// Values of both cells have one unit; the result has none. Alpha is one minus the coverage, usually 0.05. If it is too
// small for any ranks, the interval is unbounded, without an error.
//
// The error is ErrTooFew below three values on a side, with Ratio still set; ErrNoValues, or ErrNotPositive for a value
// of zero or less, with Ratio unset; or ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha. With any of them the
// interval is [0, ∞], which decides no claim.
//
// Source: docs/method.md#ratios; Welch 1947; Moses in Walker and Lev, Statistical Inference, 1953.
func Ratio(a, b Cell, alpha float64) (Comparison, error) {
	c := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: len(a.Values), NB: len(b.Values),
		Bounds: factors(a.Bounds).Over(factors(b.Bounds))}
	if err := checkAlpha(alpha); err != nil {
		return c, err
	}
	for _, check := range []func(Cell) error{Cell.check, Cell.positive} {
		if err := onBoth(a, b, check); err != nil {
			return c, err
		}
	}
	c.Ratio = a.centre() / b.centre()
	if err := onBoth(a, b, Cell.comparable); err != nil {
		return c, err
	}
	if c.a, c.b = newSample(a), newSample(b); min(c.NA, c.NB) < MinRanked {
		c.byMeans()
	} else {
		c.byRanks()
	}
	limits, k := c.limits(alpha)
	c.K, c.Interval, c.P = k, c.around(limits), c.beyond(0, 0)
	return c, nil
}

// around returns the interval with ends given on logarithms, extended to contain the ratio and widened by its bounds.
func (c Comparison) around(limits Interval) Interval {
	return Interval{min(math.Exp(limits.Lo), c.Ratio), max(math.Exp(limits.Hi), c.Ratio)}.times(factors(c.Bounds))
}

// Widen returns the interval widened by the noise floor f, a standard deviation on logarithms. An offset of that size,
// which repetitions do not show, is added to both ends in quadrature at the level alpha.
//
// Source: docs/method.md#the-noise-floor.
func (c Comparison) Widen(f, alpha float64) Interval {
	if f == 0 || !(c.Ratio > 0) {
		return c.Interval
	}
	e, offset := math.Log(c.Ratio), zCritical(alpha)*f
	bounds := factors(c.Bounds)
	lo, hi := math.Log(c.Interval.Lo/bounds.Lo), math.Log(c.Interval.Hi/bounds.Hi)
	return c.around(Interval{e - math.Hypot(e-lo, offset), e + math.Hypot(hi-e, offset)})
}

// Kind returns how the interval was made.
func (c Comparison) Kind() IntervalKind {
	switch {
	case math.IsInf(c.Interval.Hi, 1):
		return NoInterval
	case c.K > 0:
		return RankSums
	}
	return TOnLogs
}

// isIncomparable reports whether an error of Ratio is about cells without a ratio, or without an interval for it.
func isIncomparable(err error) bool {
	return errors.Is(err, ErrNoValues) || errors.Is(err, ErrTooFew) || errors.Is(err, ErrNotPositive)
}

// onBoth applies a check to both cells of a comparison. The error says which one failed.
func onBoth(a, b Cell, check func(Cell) error) error {
	if err := check(a); err != nil {
		return fmt.Errorf("first cell: %w", err)
	}
	if err := check(b); err != nil {
		return fmt.Errorf("second cell: %w", err)
	}
	return nil
}

// byMeans compares the cells by Welch's t.
//
// Source: docs/method.md#ratios.
func (c *Comparison) byMeans() { c.byMeansOf(newMean([]Cell{c.a.Cell}), newMean([]Cell{c.b.Cell})) }

// byMeansOf compares two means by Welch's t.
func (c *Comparison) byMeansOf(a, b mean) {
	meanA, varianceA, squaresA := a.moments()
	meanB, varianceB, squaresB := b.moments()
	variance := varianceA + varianceB
	c.D, c.SE, c.DF = meanA-meanB, math.Sqrt(variance), variance*variance/(squaresA+squaresB)
}

// byRanks compares the cells by the differences of all pairs of their values.
//
// Source: docs/method.md#ratios.
func (c *Comparison) byRanks() {
	a, b, n := c.a.y, c.b.y, c.NA*c.NB
	na, nb := float64(c.NA), float64(c.NB)
	c.D, c.DF = difference((n+1)/2, a, b)/2+difference(n/2+1, a, b)/2, na+nb-2
	// For each value of a, the share of b, shifted by D, below it; for each value of b, the share of a above it.
	u := varianceOfShares(c.NA, c.NB, func(i, j int) int { return cmp.Compare(a[i]-b[j], c.D) })
	v := varianceOfShares(c.NB, c.NA, func(j, i int) int { return cmp.Compare(c.D, a[i]-b[j]) })
	alone := u/na + v/nb
	c.Kappa = max(1, math.Sqrt(alone*12*na*nb/(na+nb+1)))
	if alone > 0 {
		c.Kappa *= math.Sqrt((u*c.a.serial()/na + v*c.b.serial()/nb) / alone)
	}
	ends, _ := c.limits(DefaultAlpha)
	c.SE = (ends.Hi - ends.Lo) / 2 / tCritical(DefaultAlpha, c.DF)
}

// varianceOfShares returns the variance of n shares: for each i, the share of the j that compare as 1. Those that
// compare as 0 count half. Comparisons must not rise with j. Sums of counts and halves are exact.
func varianceOfShares(n, of int, compare func(i, j int) int) float64 {
	sum, squares := 0.0, 0.0
	above, equal := 0, 0 // how many j compare as 1, and as 0 or 1; neither falls with i
	for i := range n {
		for above < of && compare(i, above) > 0 {
			above++
		}
		for equal < of && compare(i, equal) >= 0 {
			equal++
		}
		x := float64(above+equal) / 2
		sum += x
		squares += x * x
	}
	return (squares - sum*sum/float64(n)) / float64(n-1) / (float64(of) * float64(of))
}

// limits returns the interval of the difference at a level, infinite if no ranks reach it, and at which of the sorted
// differences it ends, for ranks. Kappa and the smallest width that the resolution allows widen ranks.
func (c Comparison) limits(alpha float64) (ends Interval, k int) {
	if c.Kappa == 0 {
		half := tCritical(alpha, c.DF) * c.SE
		return Interval{c.D - half, c.D + half}, 0
	}
	if k = rankSum(c.NA, c.NB, alpha).k; k == 0 {
		return unbounded(), 0
	}
	lo, hi := difference(k, c.a.y, c.b.y), difference(c.NA*c.NB+1-k, c.a.y, c.b.y)
	least := zCritical(alpha) * math.Sqrt(c.a.step()/float64(c.NA)+c.b.step()/float64(c.NB))
	return Interval{c.D - max(c.Kappa*(c.D-lo), least), c.D + max(c.Kappa*(hi-c.D), least)}, k
}

// beyond returns the two-sided probability of such a difference if the true one, on logarithms, is at most margin, and
// offsets have the standard deviation f. It uses the smallest difference that the bounds allow.
//
// Source: docs/method.md#ratios and docs/method.md#disturbed-repetitions.
func (c Comparison) beyond(margin, f float64) float64 {
	a, b := factors(c.a.Bounds), factors(c.b.Bounds)
	least := max(c.D+math.Log(a.Lo)-math.Log(b.Hi), math.Log(b.Lo)-math.Log(a.Hi)-c.D)
	return tTwoSided(max(0, least-margin)/math.Hypot(c.SE, f), c.DF)
}

// RatioOfRatios divides the ratio of a to b by the ratio of c to d: is a gap wider in one setting than in another? The
// interval is around the difference of the two differences. Their standard errors add up in quadrature, and their
// degrees of freedom add up.
//
// Values of a and b have one unit, as have those of c and d; the result has none. NA is the smaller number of
// repetitions of a and b, NB of c and d. Errors are as for Ratio.
//
// Source: docs/method.md#ratios.
func RatioOfRatios(a, b, c, d Cell, alpha float64) (Comparison, error) {
	out := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: min(len(a.Values), len(b.Values)),
		NB: min(len(c.Values), len(d.Values))}
	over, errOver := Ratio(a, b, alpha)
	under, errUnder := Ratio(c, d, alpha)
	if over.Ratio > 0 && under.Ratio > 0 {
		out.Ratio, out.Bounds = over.Ratio/under.Ratio, over.Bounds.Over(under.Bounds)
	}
	if errOver != nil {
		return out, fmt.Errorf("first ratio: %w", errOver)
	}
	if errUnder != nil {
		return out, fmt.Errorf("second ratio: %w", errUnder)
	}
	out.D, out.SE, out.DF = over.D-under.D, math.Hypot(over.SE, under.SE), over.DF+under.DF
	limits, _ := out.limits(alpha)
	out.P, out.Interval = tTwoSided(out.D/out.SE, out.DF), out.around(limits)
	return out, nil
}

// RatioOfMeans compares the geometric mean of the cells of a to that of b, by Welch's t on logarithms. The interval is
// around the difference of the means of all cells' means, whose variances add up. Repetitions of different cells are
// not paired by round.
//
// Values of all cells have one unit; the result has none. NA and NB are the fewest repetitions of any cell on each
// side. Errors are as for Ratio.
//
// Source: docs/method.md#ratios; Welch 1947; Satterthwaite 1946.
func RatioOfMeans(a, b []Cell, alpha float64) (Comparison, error) {
	over, under := newMean(a), newMean(b)
	out := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: over.n, NB: under.n, Bounds: over.bounds.Over(under.bounds)}
	if err := checkAlpha(alpha); err != nil {
		return out, err
	}
	for _, check := range []func(Cell) error{Cell.check, Cell.positive} {
		for _, c := range slices.Concat(a, b) {
			if err := check(c); err != nil {
				return out, err
			}
		}
	}
	out.Ratio = over.centre() / under.centre()
	for _, c := range slices.Concat(a, b) {
		if err := c.comparable(); err != nil {
			return out, err
		}
	}
	out.byMeansOf(over, under)
	limits, _ := out.limits(alpha)
	out.P, out.Interval = tTwoSided(out.D/out.SE, out.DF), out.around(limits)
	return out, nil
}

// mean is the geometric mean of cells.
type mean struct {
	cells  []Cell
	n      int // the fewest repetitions of any cell
	bounds Interval
}

func newMean(cells []Cell) mean {
	m := mean{cells: cells, bounds: Interval{1, 1}}
	for i, c := range cells {
		if n := len(c.Values); i == 0 || n < m.n {
			m.n = n
		}
		share, bounds := 1/float64(len(cells)), factors(c.Bounds)
		m.bounds = m.bounds.times(Interval{math.Pow(bounds.Lo, share), math.Pow(bounds.Hi, share)})
	}
	return m
}

// centre returns the geometric mean of the centres of the cells.
func (m mean) centre() float64 {
	sum := 0.0
	for _, c := range m.cells {
		sum += math.Log(c.centre())
	}
	return math.Exp(sum / float64(len(m.cells)))
}

// moments returns the mean on logarithms, its variance, and the sum over cells of their squared part of the variance
// over its degrees of freedom.
func (m mean) moments() (d, variance, squares float64) {
	k := float64(len(m.cells))
	for _, c := range m.cells {
		s, n := newSample(c), float64(len(c.Values))
		y, v := s.moments()
		part := v * s.serial() / n / (k * k)
		d, variance, squares = d+y/k, variance+part, squares+part*part/(n-1)
	}
	return d, variance, squares
}
