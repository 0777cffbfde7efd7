package stats

import (
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

// beyond returns the two-sided probability of such a difference where the true one, on logarithms, is no larger than a margin
// on either side.
func (x contrast) beyond(margin float64) float64 {
	return tTwoSided(max(0, math.Abs(x.d)-margin)/x.se, x.df)
}
