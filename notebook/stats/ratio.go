package stats

import (
	"fmt"
	"math"
)

// Comparison is how many times as large as those of another cell the values of a cell are.
type Comparison struct {
	Ratio    float64  // the quotient of the centres, as they are printed
	Interval Interval // of the ratio, with it inside; not yet widened by a noise floor; [0, ∞] where there is none

	// What the interval and tests are made of, on logarithms; zero, and P 1, where there is no comparison.
	D     float64 // the difference of the cells: of means below MinRanked values on a side, else the median of differences
	SE    float64 // its standard error
	DF    float64 // of which t distribution
	K     int     // which of the sorted differences the interval ends at, before Kappa; 0 if it is not made of ranks
	Kappa float64 // by how much ranks are widened because one cell is noisier than the other; 0 if there are none
	P     float64 // two-sided, of no difference

	NA, NB int // repetitions of either cell

	// Bounds are how many times as large as measured the ratio may be without a disturbance, by which Interval is widened.
	Bounds Interval
}

// IsDisturbed reports whether the comparison has bounds that no number of such repetitions narrows.
func (c Comparison) IsDisturbed() bool { return factors(c.Bounds) != Interval{1, 1} }

// Ratio compares a to b: by Welch's t on logarithms if a side has fewer than MinRanked values, else by the ranks of
// Mann and Whitney, with Moses' interval, guarded against unequal spreads.
//
// Values of both cells share one unit; the result has none. Alpha is one minus the wanted coverage, usually 0.05. If
// it is so small that no ranks reach it, there is no interval, and no error.
//
// The error is ErrTooFew below three values on a side, where the ratio itself is still given; ErrNoValues if a
// side is empty and ErrNotPositive if a value is zero or less, where it is not; and ErrNotFinite, ErrNegative,
// ErrResolution or ErrAlpha. With any of them the interval is [0, ∞], which decides no claim.
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

// ratioAlone is Ratio without an interval: its checks, and the ratio.
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

// around is the interval whose ends on logarithms are given, extended to contain the ratio, and widened by its bounds.
func (c Comparison) around(limits Interval) Interval {
	return Interval{min(math.Exp(limits.Lo), c.Ratio), max(math.Exp(limits.Hi), c.Ratio)}.times(factors(c.Bounds))
}

// Widen returns the interval of the ratio widened by the noise floor f, a standard deviation on logarithms: an offset
// of that size, of which repetitions show nothing, is added to the ends in quadrature at the level alpha in use.
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

// onBoth applies a check to both cells of a comparison and says which of them failed it.
func onBoth(a, b Cell, check func(Cell) error) error {
	if err := check(a); err != nil {
		return fmt.Errorf("first cell: %w", err)
	}
	if err := check(b); err != nil {
		return fmt.Errorf("second cell: %w", err)
	}
	return nil
}

// A sample is a cell on logarithms, ready to be compared with many others.
type sample struct {
	y              []float64 // sorted
	mean, variance float64   // the latter at least that of a reading within one step of the resolution
	step           float64   // that one
	bounds         Interval  // how much larger any value may be
}

func newSample(c Cell) sample {
	bounds := factors(c.Bounds)
	s := sample{y: newScale(c.Values).y, step: c.step(), bounds: Interval{math.Log(bounds.Lo), math.Log(bounds.Hi)}}
	s.mean, s.variance = moments(s.y)
	s.variance = max(s.variance, s.step)
	return s
}

// contrast is the difference of two samples: its size, standard error and degrees of freedom.
type contrast struct {
	a, b         sample
	d, se, df    float64
	kappa        float64 // 0 if it is not by ranks
	lower, upper bracket // the differences up to the median and from it on, if it is by ranks
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
	va, vb := a.variance/na, b.variance/nb
	df := (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
	return contrast{a: a, b: b, d: a.mean - b.mean, se: math.Sqrt(va + vb), df: df}
}

// ranked compares two samples by the differences of all their values.
func (a sample) ranked(b sample) contrast {
	x := contrast{a: a, b: b, df: float64(len(a.y) + len(b.y) - 2)}
	na, nb := float64(len(a.y)), float64(len(b.y))
	x.lower, x.upper = halves(a.y, b.y)
	x.d = x.lower.hi/2 + x.upper.lo/2
	u, v := varianceOfShares(a.y, b.y, x.d)
	x.kappa = max(1, math.Sqrt((u/na+v/nb)*12*na*nb/(na+nb+1)))
	ends := x.guarded(rankSum(len(a.y), len(b.y), DefaultAlpha).k, DefaultAlpha)
	x.se = (ends.Hi - ends.Lo) / 2 / tCritical(DefaultAlpha, x.df)
	return x
}

// guarded returns the interval from the k-th smallest to the k-th largest difference, widened where one sample is
// noisier than the other, and to what the resolution allows.
func (x contrast) guarded(k int, alpha float64) Interval {
	lo := difference(k, x.a.y, x.b.y, x.lower)
	hi := difference(len(x.a.y)*len(x.b.y)+1-k, x.a.y, x.b.y, x.upper)
	least := x.least(alpha)
	return Interval{x.d - max(x.kappa*(x.d-lo), least), x.d + max(x.kappa*(hi-x.d), least)}
}

// least is the smallest half width of an interval of ranks.
func (x contrast) least(alpha float64) float64 {
	return zCritical(alpha) * math.Sqrt(x.a.step/float64(len(x.a.y))+x.b.step/float64(len(x.b.y)))
}

// varianceOfShares returns the variances of two shares: of each of a, how much of b shifted by d lies below it; and of
// each of b, how much of a lies above. Half of what is equal counts.
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

// variance is that of n counts as shares of so many. Sums of counts and halves are exact.
func variance(n int, of float64, count func(int) float64) float64 {
	sum, squares := 0.0, 0.0
	for i := range n {
		x := count(i)
		sum += x
		squares += x * x
	}
	return (squares - sum*sum/float64(n)) / float64(n-1) / (of * of)
}

// limits returns the interval of the difference at a level, and for ranks which of the sorted differences it ends at.
// It is infinite if there are no such ranks.
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

// beyond returns the two-sided probability of such a difference where the true one, on logarithms, is no larger than a
// margin on either side, and offsets of a standard deviation f come on top of what repetitions show. The difference is
// the smallest that the bounds of both samples allow.
//
// Source: docs/method.md#ratios and docs/method.md#disturbed-repetitions.
func (x contrast) beyond(margin, f float64) float64 {
	least := max(x.d+x.a.bounds.Lo-x.b.bounds.Hi, x.b.bounds.Lo-x.a.bounds.Hi-x.d)
	return tTwoSided(max(0, least-margin)/math.Hypot(x.se, f), x.df)
}

// RatioOfRatios says how many times as large as the ratio of two cells, c to d, is that of two others, a to b: whether
// a gap is wider in one setting than in another. Its ratio is the quotient of the two ratios; the interval is around
// the difference of the two differences, whose standard errors add up in quadrature, and whose degrees of freedom add
// up.
//
// Values of a and b share one unit, and so do those of c and d; the result has none. Of the result NA is the smaller
// number of repetitions of a and b, and NB that of c and d. The errors are those of Ratio.
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
