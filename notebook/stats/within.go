package stats

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// RankInterval says which of n sorted values enclose a percentile of what they were drawn from.
type RankInterval struct {
	Lo, Hi   int64   // ranks, counted from 1 for the smallest; 0 where there is no end on that side
	Coverage float64 // the probability that they enclose it, if the values are independent
}

// RankInterval returns the ranks among n values of one repetition between which the percentile lies with probability
// 1-alpha at least: the largest l with P(Bin(n, q) ≤ l-1) ≤ alpha/2 and the smallest u with P(Bin(n, q) ≤ u-1) ≥ 1-alpha/2.
//
// It assumes that requests are independent, which queues break, so it is shown of a single repetition only, labelled
// "within one run", and never enters a claim.
//
// The error is ErrAlpha, or ErrNoValues of no values.
//
// Source: docs/method.md#interval-within-one-repetition; Conover, Practical Nonparametric Statistics, 3rd ed., 3.2.
func (p Percentile) RankInterval(n int64, alpha float64) (RankInterval, error) {
	if err := checkAlpha(alpha); err != nil {
		return RankInterval{}, err
	}
	if n < 1 {
		return RankInterval{}, ErrNoValues
	}
	below := distuv.Binomial{N: float64(n), P: float64(p.unscaled) / float64(p.hundred())}
	// The first rank from which the distribution function of the rank before is above a bound.
	from := func(above func(cdf float64) bool) int64 {
		return int64(sort.Search(int(n), func(i int) bool { return above(below.CDF(float64(i))) })) + 1
	}
	r := RankInterval{Lo: from(func(cdf float64) bool { return cdf > alpha/2 }) - 1, Hi: from(func(cdf float64) bool { return cdf >= 1-alpha/2 })}
	if r.Hi > n {
		r.Hi = 0
	}
	r.Coverage = 1
	if r.Hi > 0 {
		r.Coverage = below.CDF(float64(r.Hi - 1))
	}
	if r.Lo > 0 {
		r.Coverage -= below.CDF(float64(r.Lo - 1))
	}
	r.Coverage = math.Max(0, r.Coverage)
	return r, nil
}
