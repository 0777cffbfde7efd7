package stats

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// MaxRepetitions is the most repetitions that RatioRepetitions and CellRepetitions think of asking for.
const MaxRepetitions = 200

// RatioRepetitions returns how many repetitions of both cells would have an even chance to decide a claim about the
// ratio of a to b that is inconclusive now.
//
// It is a planning formula, not a promise: the smallest n, above that of the cell with fewer repetitions, at which
// the interval of docs/method.md#ratios with the present ratio and the present variances, but n values on either side,
// widened by the noise floor, lies inside or outside the region. Where the truth is as the present values say, a run
// of that size is as likely to decide the claim as not to: it is the least that is worth trying.
//
// The result is 0 if no number would do, because the ratio lies on a boundary or nearer to it than the noise floor,
// and MaxRepetitions+1 if more than MaxRepetitions are needed. The errors are those of Ratio.
//
// Source: docs/method.md#claims-as-regions; docs/method.md#ratios.
func RatioRepetitions(a, b Cell, region Region, floor, alpha float64) (int, error) {
	if _, err := Ratio(a, b, alpha); err != nil {
		return 0, err
	}
	return repetitionsOf(newContrast(a, b).d, []Cell{a, b}, region, floor, alpha), nil
}

// repetitionsOf is RatioRepetitions for a difference on logarithms, of as many cells as it is made of.
func repetitionsOf(d float64, cells []Cell, region Region, floor, alpha float64) int {
	limit := Interval{math.Exp(d), math.Exp(d)}.Widen(floor)
	if Judge(limit, region) == Inconclusive {
		return 0
	}
	dispersions := make([]dispersion, len(cells))
	first := math.MaxInt
	for i, c := range cells {
		_, dispersions[i] = c.logDispersion()
		first = min(first, dispersions[i].n+1)
	}
	// Intervals of more repetitions lie within those of fewer: what one decides, all that follow decide.
	return first + sort.Search(MaxRepetitions+1-first, func(i int) bool {
		for k := range dispersions {
			dispersions[k].n = first + i
		}
		return Judge(welch(d, dispersions...).interval(alpha).Widen(floor), region) != Inconclusive
	})
}

// CellRepetitions returns how many repetitions would have an even chance to decide a claim about the value of one cell
// that is inconclusive now, as RatioRepetitions does for two.
//
// The interval expected of n repetitions is that of docs/method.md#one-cell with the present median and standard
// deviation. Its order statistics, from six repetitions on, are expected where Blom's approximation puts those of a
// normal distribution, Φ⁻¹((l-3/8)/(n+1/4)) standard deviations from the median.
//
// The error is ErrTooFew below three values, else as for Summarize.
//
// Source: docs/method.md#claims-as-regions; docs/method.md#one-cell; Blom, Statistical Estimates and Transformed
// Beta-Variables, 1958.
func CellRepetitions(c Cell, region Region, alpha float64) (int, error) {
	e, err := Summarize(c, alpha)
	if err != nil {
		return 0, err
	}
	if e.N < MinRepetitions {
		return 0, ErrTooFew
	}
	_, variance := moments(c.Values)
	centre, unscale := e.Centre, func(x float64) float64 { return x }
	if c.positive() == nil {
		_, variance = c.logMoments()
		centre, unscale = math.Log(centre), math.Exp
	}
	s := math.Sqrt(variance)
	return firstDecided(e.N+1, Interval{e.Centre, e.Centre}, region, func(n int) Interval {
		var half float64
		if n < 6 {
			half = tCritical(alpha, float64(n-1)) * s / math.Sqrt(float64(n))
		} else {
			rank, _ := medianRank(n, alpha)
			if rank == 0 {
				return unbounded()
			}
			half = -s * distuv.UnitNormal.Quantile((float64(rank)-0.375)/(float64(n)+0.25))
		}
		return Interval{unscale(centre - half), unscale(centre + half)}
	}), nil
}

// firstDecided returns the smallest n from first on whose expected interval decides the claim: 0 if the interval that
// they tend to does not, MaxRepetitions+1 if none up to MaxRepetitions does. Intervals of order statistics do not
// always shrink from one n to the next.
func firstDecided(first int, limit Interval, region Region, expected func(n int) Interval) int {
	if Judge(limit, region) == Inconclusive {
		return 0
	}
	for n := first; n <= MaxRepetitions; n++ {
		if Judge(expected(n), region) != Inconclusive {
			return n
		}
	}
	return MaxRepetitions + 1
}
