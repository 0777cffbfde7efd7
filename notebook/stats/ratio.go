package stats

import (
	"fmt"
	"math"
)

// Comparison is the ratio of two cells.
type Comparison struct {
	Ratio    float64  // the quotient of the centres, as they are printed
	Interval Interval // of the ratio, with it inside; not yet widened by a noise floor; [0, ∞] if unknown

	// The test statistics, on logarithms; zero, and P 1, without a comparison.
	D     float64 // the difference of the cells: of means below MinRanked values on a side, else the median of differences
	SE    float64 // its standard error
	DF    float64 // degrees of freedom of its t distribution
	K     int     // which of the sorted differences the interval ends at, before Kappa; 0 if it is not made of ranks
	Kappa float64 // by how much ranks are widened, as one cell is noisier or repetitions are correlated; 0 without ranks
	P     float64 // two-sided, of no difference

	NA, NB int // repetitions of either cell

	// Bounds are by which factors the ratio may be different without a disturbance. Interval includes them.
	Bounds Interval
}

// IsDisturbed reports whether the comparison has bounds, which no number of such repetitions narrows.
func (c Comparison) IsDisturbed() bool { return factors(c.Bounds) != Interval{1, 1} }

// Ratio compares a to b: by Welch's t on logarithms if a side has fewer than MinRanked values, else by the ranks of
// Mann and Whitney, with Moses' interval, guarded against unequal spreads.
//
// Values of both cells have one unit; the result has none. Alpha is one minus the coverage, usually 0.05. If it is so
// small that no ranks reach it, there is no interval, and no error.
//
// The error is ErrTooFew below three values on a side, where Ratio itself is still given; ErrNoValues, or
// ErrNotPositive for a value of zero or less, where it is not; or ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
// With any of them the interval is [0, ∞], which decides no claim.
//
// Source: docs/method.md#ratios; Welch 1947; Moses in Walker and Lev, Statistical Inference, 1953.
func Ratio(a, b Cell, alpha float64) (Comparison, error) {
	c, err := ratioAlone(a, b, alpha)
	if err != nil {
		return c, err
	}
	x := newSample(a).over(newSample(b))
	c.D, c.SE, c.DF, c.Kappa, c.P = x.d, x.se, x.df, x.kappa, x.beyond(0, 0)
	limits, k := x.limits(alpha)
	c.K, c.Interval = k, c.around(limits)
	return c, nil
}

// ratioAlone is the ratio without an interval, and the checks of Ratio.
func ratioAlone(a, b Cell, alpha float64) (Comparison, error) {
	c := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: len(a.Values), NB: len(b.Values),
		Bounds: factors(a.Bounds).Over(factors(b.Bounds))}
	if err := checkAlpha(alpha); err != nil {
		return c, err
	}
	if err := onBoth(a, b, Cell.check); err != nil {
		return c, err
	}
	if err := onBoth(a, b, Cell.positive); err != nil {
		return c, err
	}
	c.Ratio = a.centre() / b.centre()
	return c, onBoth(a, b, Cell.comparable)
}

// around returns the interval with ends given on logarithms, extended to contain the ratio, and widened by its bounds.
func (c Comparison) around(limits Interval) Interval {
	return Interval{min(math.Exp(limits.Lo), c.Ratio), max(math.Exp(limits.Hi), c.Ratio)}.times(factors(c.Bounds))
}

// Widen returns the interval widened by the noise floor f, a standard deviation on logarithms: an offset of that size,
// which repetitions do not show, is added to the ends in quadrature at the level alpha.
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

// Kind says how the interval was made.
func (c Comparison) Kind() IntervalKind {
	switch {
	case math.IsInf(c.Interval.Hi, 1):
		return NoInterval
	case c.K > 0:
		return RankSums
	}
	return TOnLogs
}

// onBoth applies a check to both cells of a comparison and says which one failed it.
func onBoth(a, b Cell, check func(Cell) error) error {
	if err := check(a); err != nil {
		return fmt.Errorf("first cell: %w", err)
	}
	if err := check(b); err != nil {
		return fmt.Errorf("second cell: %w", err)
	}
	return nil
}

// sample is a cell on logarithms, prepared for many comparisons.
type sample struct {
	y              []float64 // sorted
	mean, variance float64   // variance is at least step
	step           float64   // the variance of a reading within one step of the resolution
	bounds         Interval  // of the cell
	serial         float64   // by which its correlation multiplies the variance of its mean
}

func newSample(c Cell) sample {
	bounds := factors(c.Bounds)
	s := sample{y: newScale(c.Values).y, step: c.step(), bounds: Interval{math.Log(bounds.Lo), math.Log(bounds.Hi)},
		serial: c.serial()}
	s.mean, s.variance = moments(s.y)
	s.variance = max(s.variance, s.step)
	return s
}

// contrast is the difference of two samples: its size, standard error and degrees of freedom.
type contrast struct {
	a, b      sample
	d, se, df float64
	kappa     float64 // 0 if it is not by ranks
}

// over compares two samples.
//
// Source: docs/method.md#ratios.
func (a sample) over(b sample) contrast {
	if min(len(a.y), len(b.y)) < MinRanked {
		return a.welch(b)
	}
	return a.ranked(b)
}

// welch compares two samples by their means.
func (a sample) welch(b sample) contrast {
	na, nb := float64(len(a.y)), float64(len(b.y))
	va, vb := a.variance*a.serial/na, b.variance*b.serial/nb
	df := (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
	return contrast{a: a, b: b, d: a.mean - b.mean, se: math.Sqrt(va + vb), df: df}
}

// ranked compares two samples by the differences of all their values.
func (a sample) ranked(b sample) contrast {
	x := contrast{a: a, b: b, df: float64(len(a.y) + len(b.y) - 2)}
	na, nb, n := float64(len(a.y)), float64(len(b.y)), len(a.y)*len(b.y)
	x.d = difference((n+1)/2, a.y, b.y)/2 + difference(n/2+1, a.y, b.y)/2
	u, v := varianceOfShares(a.y, b.y, x.d)
	x.kappa = max(1, math.Sqrt((u/na+v/nb)*12*na*nb/(na+nb+1)))
	if alone := u/na + v/nb; alone > 0 {
		x.kappa *= math.Sqrt((u*a.serial/na + v*b.serial/nb) / alone)
	}
	ends := x.guarded(rankSum(len(a.y), len(b.y), DefaultAlpha).k, DefaultAlpha)
	x.se = (ends.Hi - ends.Lo) / 2 / tCritical(DefaultAlpha, x.df)
	return x
}

// guarded returns the interval from the k-th smallest to the k-th largest difference, widened by kappa, and to the
// smallest width that the resolution allows.
func (x contrast) guarded(k int, alpha float64) Interval {
	lo, hi := difference(k, x.a.y, x.b.y), difference(len(x.a.y)*len(x.b.y)+1-k, x.a.y, x.b.y)
	least := zCritical(alpha) * math.Sqrt(x.a.step/float64(len(x.a.y))+x.b.step/float64(len(x.b.y)))
	return Interval{x.d - max(x.kappa*(x.d-lo), least), x.d + max(x.kappa*(hi-x.d), least)}
}

// varianceOfShares returns the variances of two shares: for each of a, how much of b shifted by d lies below it; for
// each of b, how much of a lies above. Equal values count half.
func varianceOfShares(a, b []float64, d float64) (ofA, ofB float64) {
	above, equal := 0, 0 // how many of b have a difference above d, and not below it
	ofA = variance(len(a), float64(len(b)), func(i int) float64 {
		for above < len(b) && a[i]-b[above] > d {
			above++
		}
		for equal < len(b) && a[i]-b[equal] >= d {
			equal++
		}
		return float64(above+equal) / 2
	})
	below, same := 0, 0 // how many of a have a difference below d, and not above it
	ofB = variance(len(b), float64(len(a)), func(j int) float64 {
		for below < len(a) && a[below]-b[j] < d {
			below++
		}
		for same < len(a) && a[same]-b[j] <= d {
			same++
		}
		return float64(below+same) / 2
	})
	return ofA, ofB
}

// variance returns the variance of n counts as shares. Sums of counts and halves are exact.
func variance(n int, of float64, count func(int) float64) float64 {
	sum, squares := 0.0, 0.0
	for i := range n {
		x := count(i)
		sum += x
		squares += x * x
	}
	return (squares - sum*sum/float64(n)) / float64(n-1) / (of * of)
}

// limits returns the interval of the difference at a level, infinite without such ranks, and for ranks the place of its
// ends among the sorted differences.
func (x contrast) limits(alpha float64) (ends Interval, k int) {
	if x.kappa == 0 {
		half := tCritical(alpha, x.df) * x.se
		return Interval{x.d - half, x.d + half}, 0
	}
	k = rankSum(len(x.a.y), len(x.b.y), alpha).k
	if k == 0 {
		return unbounded(), 0
	}
	return x.guarded(k, alpha), k
}

// beyond returns the two-sided probability of such a difference if the true one, on logarithms, is at most a margin,
// and there are offsets with the standard deviation f. It uses the smallest difference that the bounds allow.
//
// Source: docs/method.md#ratios and docs/method.md#disturbed-repetitions.
func (x contrast) beyond(margin, f float64) float64 {
	least := max(x.d+x.a.bounds.Lo-x.b.bounds.Hi, x.b.bounds.Lo-x.a.bounds.Hi-x.d)
	return tTwoSided(max(0, least-margin)/math.Hypot(x.se, f), x.df)
}

// RatioOfRatios divides the ratio of a to b by the ratio of c to d: is a gap wider in one setting than in another? The
// interval is around the difference of the two differences, whose standard errors add up in quadrature, and whose
// degrees of freedom add up.
//
// Values of a and b have one unit, values of c and d too; the result has none. NA is the smaller number of repetitions
// of a and b, NB of c and d. Errors are as for Ratio.
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
	half := tCritical(alpha, out.DF) * out.SE
	out.P, out.Interval = tTwoSided(out.D/out.SE, out.DF), out.around(Interval{out.D - half, out.D + half})
	return out, nil
}
