package stats

import (
	"errors"
	"fmt"
	"math"
)

// Comparison is how many times as large as those of another cell the values of a cell are.
type Comparison struct {
	Ratio    float64  // of geometric means; it can differ from the quotient of the medians
	Interval Interval // of the ratio, not yet widened by a noise floor; [0, ∞] where there is none
	DF       float64  // degrees of freedom by Welch and Satterthwaite; 0 where there is no interval
	P        float64  // two-sided, of a ratio of 1; 1 where there is no interval
	NA, NB   int      // repetitions of either cell
}

// Ratio compares a to b by Welch's t on logarithms.
//
// Values of both cells share one unit; the result has none. Alpha is one minus the wanted coverage, usually 0.05.
//
// The error is ErrTooFew below three values on a side, where the ratio itself is still given; ErrNoValues if a
// side is empty and ErrNotPositive if a value is zero or less, where it is not; and ErrNotFinite, ErrNegative,
// ErrResolution or ErrAlpha. With any of them the interval is [0, ∞], which decides no claim.
//
// Source: docs/method.md#ratios; Welch 1947; Kalibera and Jones, arXiv 2020.
func Ratio(a, b Cell, alpha float64) (Comparison, error) {
	c := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: len(a.Values), NB: len(b.Values)}
	if err := checkAlpha(alpha); err != nil {
		return c, err
	}
	if err := onBoth(a, b, Cell.check); err != nil {
		return c, err
	}
	if err := onBoth(a, b, Cell.positive); err != nil {
		return c, err
	}
	x := newContrast(a, b)
	c.Ratio = math.Exp(x.d)
	if err := onBoth(a, b, Cell.comparable); err != nil {
		return c, err
	}
	c.Interval, c.DF, c.P = x.interval(alpha), x.df, tTwoSided(x.d/x.se, x.df)
	return c, nil
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

// contrast is the difference of cells on logarithms: the difference of means, its standard error and degrees of
// freedom. The last two need two values of each cell.
type contrast struct {
	d, se, df float64
}

func newContrast(a, b Cell) contrast {
	meanA, ofA := a.logDispersion()
	meanB, ofB := b.logDispersion()
	return welch(meanA-meanB, ofA, ofB)
}

// dispersion is how far the values of a cell lie apart on logarithms, and how many they are.
type dispersion struct {
	variance float64
	n        int
}

// logDispersion is the mean of a cell on logarithms, with its dispersion.
func (c Cell) logDispersion() (mean float64, s dispersion) {
	mean, variance := c.logMoments()
	return mean, dispersion{variance, len(c.Values)}
}

// welch returns the contrast of cells from the sum of their means, each with its sign, and from their dispersions.
func welch(d float64, cells ...dispersion) contrast {
	sum, squares := 0.0, 0.0
	for _, c := range cells {
		v := c.variance / float64(c.n)
		sum += v
		squares += v * v / float64(c.n-1)
	}
	return contrast{d: d, se: math.Sqrt(sum), df: sum * sum / squares}
}

// interval returns the interval of the ratio.
func (x contrast) interval(alpha float64) Interval {
	half := tCritical(alpha, x.df) * x.se
	return Interval{math.Exp(x.d - half), math.Exp(x.d + half)}
}

// beyond returns the two-sided probability of such a difference where the true one, on logarithms, is no larger than a
// margin on either side.
func (x contrast) beyond(margin float64) float64 {
	return tTwoSided(max(0, math.Abs(x.d)-margin)/x.se, x.df)
}

// RatioByRound compares a to b round by round, by Student's t on the logarithms of the ratios of single rounds. What
// all cells of a round share, such as a machine that becomes slower, cancels out; in exchange there are fewer degrees
// of freedom, so that intervals of few rounds are wider than those of Ratio. It shows how far a verdict depends on the
// comparison: verdicts are by Ratio.
//
// Values[i] of both cells are of the same round and share one unit; the result has none. The error is that two cells
// have not as many values, else as for Ratio.
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
	return Comparison{Ratio: math.Exp(d), Interval: x.interval(alpha), DF: x.df, P: tTwoSided(d/se, x.df), NA: n, NB: n},
		nil
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

// RatioOfRatios says how many times as large as the ratio of two cells, c to d, is that of two others, a to b: whether
// a gap is wider in one setting than in another. It is Ratio with four cells in place of two: the sum of the mean
// logarithms, those of b and c subtracted, with Welch's standard error and Satterthwaite's degrees of freedom.
//
// Values of a and b share one unit, and so do those of c and d; the result has none. Of the result NA is the smaller
// number of repetitions of a and b, and NB that of c and d. The errors are those of Ratio.
//
// Source: docs/method.md#ratios, by the general form of Satterthwaite, An Approximate Distribution of Estimates of
// Variance Components, Biometrics Bulletin 1946.
func RatioOfRatios(a, b, c, d Cell, alpha float64) (Comparison, error) {
	out := Comparison{Interval: Interval{0, math.Inf(1)}, P: 1, NA: min(len(a.Values), len(b.Values)),
		NB: min(len(c.Values), len(d.Values))}
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

// RatioOfRatiosRepetitions is RatioRepetitions for RatioOfRatios: how many repetitions of all four cells would have an
// even chance to decide a claim that is inconclusive now.
func RatioOfRatiosRepetitions(a, b, c, d Cell, region Region, floor, alpha float64) (int, error) {
	if _, err := RatioOfRatios(a, b, c, d, alpha); err != nil {
		return 0, err
	}
	cells := []Cell{a, b, c, d}
	return repetitionsOf(newContrastOfRatios(a, b, c, d).d, cells, region, floor, alpha), nil
}
