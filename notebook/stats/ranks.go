package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"benchbook/internal/slice"
)

// mostExact is the largest number of values, of one cell or of two together, with exact rank distributions. Above it,
// the normal distribution gives the same rank, or one in a hundred off.
const mostExact = 400

// rankOf is the key of a rank: the numbers of values on both sides, b of them 0 for a single cell, and the tail.
type rankOf struct {
	a, b int
	tail float64
}

// rank is the place of an interval's ends among the sorted means or differences, counted from both sides; k is 0 if
// there is none. Outside is the probability that the true value lies beyond one of the ends.
type rank struct {
	k       int
	outside float64
}

// ranks caches the slowest part of making an interval.
var ranks slice.Memo[rankOf, rank]

// signedRank returns the largest l with P(W ≤ l-1) ≤ alpha/2, W being Wilcoxon's signed-rank statistic of n values.
//
// Source: docs/method.md#one-cell; Hollander and Wolfe, Nonparametric Statistical Methods.
func signedRank(n int, alpha float64) rank {
	of := rankOf{a: n, tail: alpha / 2}
	return ranks.Get(of, func() rank {
		values := float64(n)
		if n > mostExact {
			return normalRank(values*(values+1)/4, math.Sqrt(values*(values+1)*(2*values+1)/24), of.tail)
		}
		// p[w] is the probability that the first i ranks, each with a random sign, have a positive sum of w. A
		// tail of up to one half needs no more than half of all sums.
		p := make([]float64, n*(n+1)/4+1)
		p[0] = 1
		for i := range n {
			for w := len(p) - 1; w >= 0; w-- {
				p[w] /= 2
				if w > i {
					p[w] += p[w-i-1] / 2
				}
			}
		}
		return lowerRank(p, of.tail)
	})
}

// rankSum returns the largest k with P(U ≤ k-1) ≤ alpha/2, U being Mann and Whitney's statistic of a and b values.
//
// Source: docs/method.md#ratios; Mann and Whitney 1947; Harding, An Efficient Compact Procedure for Calculating the
// Null Distribution of the Mann–Whitney U Statistic, Applied Statistics 1984.
func rankSum(a, b int, alpha float64) rank {
	of := rankOf{min(a, b), max(a, b), alpha / 2}
	return ranks.Get(of, func() rank {
		if a+b > mostExact {
			product := float64(a) * float64(b)
			return normalRank(product/2, math.Sqrt(product*float64(a+b+1)/12), of.tail)
		}
		// The probabilities are the coefficients of Π (1-q^(b+i))/(1-q^i) · i/(b+i), i from 1 to a. A tail of up to one
		// half needs the lower half of them.
		p := make([]float64, of.a*of.b/2+1)
		p[0] = 1
		for i := 1; i <= of.a; i++ {
			for u := i; u < len(p); u++ {
				p[u] += p[u-i]
			}
			for u := len(p) - 1; u >= of.b+i; u-- {
				p[u] -= p[u-of.b-i]
			}
			for u := range p {
				p[u] *= float64(i) / float64(of.b+i)
			}
		}
		return lowerRank(p, of.tail)
	})
}

// lowerRank returns how many of the smallest values of a statistic with probabilities p fit in a tail.
func lowerRank(p []float64, tail float64) rank {
	sum := 0.0
	for k, at := range p {
		if sum+at > tail {
			return rank{k, 2 * sum}
		}
		sum += at
	}
	return rank{len(p), 2 * sum}
}

// normalRank is lowerRank for a statistic of many values, from a normal distribution with continuity correction.
func normalRank(mean, deviation, tail float64) rank {
	below := distuv.Normal{Mu: mean, Sigma: deviation}
	k := max(0, math.Floor(below.Quantile(tail)+0.5))
	return rank{int(k), 2 * below.CDF(k-0.5)}
}

// PseudoMedian returns the median of the means of all pairs of values, including each with itself, in their unit.
// Values above zero are averaged on logarithms, so two have their geometric mean; if one is zero or less, all are
// averaged as they are. Without values it is NaN.
//
// Source: docs/method.md#one-cell; Hodges and Lehmann, Estimates of Location Based on Rank Tests, 1963.
func PseudoMedian(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := newSample(Cell{Values: values})
	return s.value(s.middle())
}

// sample is a cell with sorted values, and the scale on which they are compared: logarithms if all are above zero.
type sample struct {
	Cell
	y    []float64 // Values on the scale
	logs bool
}

func newSample(c Cell) sample {
	s := sample{Cell: c}
	s.Values = slices.Sorted(slices.Values(c.Values))
	s.y, s.logs = logarithms(s.Values)
	return s
}

// logarithms returns the logarithms of values if all are above zero; else the values and false.
func logarithms(values []float64) ([]float64, bool) {
	if len(values) == 0 || !(slices.Min(values) > 0) {
		return values, false
	}
	return slice.Map(values, math.Log), true
}

// value converts a number on the scale to the unit of the values. For one of the values it returns the measured number.
func (s sample) value(y float64) float64 {
	if !s.logs {
		return y
	}
	if i, found := slices.BinarySearch(s.y, y); found {
		return s.Values[i]
	}
	return math.Exp(y)
}

// moments returns the mean and variance on the scale. On logarithms the variance is at least that of a reading.
func (s sample) moments() (mean, variance float64) {
	mean, variance = moments(s.y)
	if s.logs {
		variance = max(variance, s.step())
	}
	return mean, variance
}

// middle returns the pseudo-median on the scale.
func (s sample) middle() float64 {
	count := len(s.y) * (len(s.y) + 1) / 2
	if count%2 == 1 {
		return s.mean(count/2 + 1)
	}
	return s.mean(count/2)/2 + s.mean(count/2+1)/2
}

// mean returns the k-th smallest mean of two values, including each with itself, on the scale; k counts from 1.
func (s sample) mean(k int) float64 {
	return smallest(s.y[0], s.y[len(s.y)-1], func(limit float64) bool {
		count, j := 0, len(s.y)-1
		for i, y := range s.y {
			for j >= i && y/2+s.y[j]/2 > limit {
				j--
			}
			count += max(0, j-i+1)
		}
		return count >= k
	})
}

// difference returns the k-th smallest difference of a value of a and one of b, both sorted; k counts from 1.
func difference(k int, a, b []float64) float64 {
	return smallest(a[0]-b[len(b)-1], a[len(a)-1]-b[0], func(limit float64) bool {
		count, j := 0, 0
		for _, x := range a {
			for j < len(b) && x-b[j] > limit {
				j++
			}
			count += len(b) - j
		}
		return count >= k
	})
}

// smallest returns the smallest number from lo to hi that is enough, as hi is, by bisecting on their bits. It finds the
// k-th smallest of billions of numbers, as in a simulation, without listing them.
func smallest(lo, hi float64, enough func(float64) bool) float64 {
	const sign = 1 << 63
	place := func(x float64) uint64 { // in the order of all numbers
		if b := math.Float64bits(x); b&sign == 0 {
			return b | sign
		}
		return ^math.Float64bits(x)
	}
	number := func(place uint64) float64 {
		if place&sign != 0 {
			return math.Float64frombits(place &^ sign)
		}
		return math.Float64frombits(^place)
	}
	first, last := place(lo), place(hi)
	for first < last {
		if middle := first + (last-first)/2; enough(number(middle)) {
			last = middle
		} else {
			first = middle + 1
		}
	}
	return number(last) + 0 // never -0
}
