package stats

import (
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostExact is the most values, of one cell or of two together, with exact distributions of ranks. Normal distributions
// of more values give the same rank, or one in a hundred off.
const mostExact = 400

// memo keeps what takes longest in an interval. A preview computes the same intervals after every change of a word.
type memo[K comparable, V any] struct {
	sync.Mutex
	known map[K]V
}

// mostKnown is how many values a memo keeps before it starts again: an article has some thousands of intervals.
const mostKnown = 1 << 16

func (m *memo[K, V]) get(key K, compute func(K) V) V {
	m.Lock()
	v, known := m.known[key]
	m.Unlock()
	if known {
		return v
	}
	v = compute(key)
	m.Lock()
	defer m.Unlock()
	if m.known == nil || len(m.known) >= mostKnown {
		m.known = make(map[K]V)
	}
	m.known[key] = v
	return v
}

// rankOf is the question for a rank: the values on either side, and the tail.
type rankOf struct {
	a, b int
	tail float64
}

// rank is the place of an interval's end among the sorted means or differences, from either side; k is 0 if there is
// none. Outside is the probability that the true value lies beyond one of the two ends.
type rank struct {
	k       int
	outside float64
}

var signedRanks, rankSums memo[rankOf, rank]

// signedRank returns the largest l with P(W ≤ l-1) ≤ alpha/2, W being Wilcoxon's signed-rank statistic of n values.
//
// Source: docs/method.md#one-cell; Hollander and Wolfe, Nonparametric Statistical Methods.
func signedRank(n int, alpha float64) rank {
	return signedRanks.get(rankOf{a: n, tail: alpha / 2}, func(of rankOf) rank {
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
	return rankSums.get(rankOf{min(a, b), max(a, b), alpha / 2}, func(of rankOf) rank {
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

// lowerRank returns how many of the smallest values of a statistic lie in a tail, by their probabilities.
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

// normalRank is lowerRank for a statistic of many values, by a normal distribution with a correction for continuity.
func normalRank(mean, deviation, tail float64) rank {
	below := distuv.Normal{Mu: mean, Sigma: deviation}
	k := max(0, math.Floor(below.Quantile(tail)+0.5))
	return rank{int(k), 2 * below.CDF(k-0.5)}
}

// PseudoMedian returns the median of the means of all pairs of values, each with itself too. Values above zero are
// averaged on logarithms, so two of them have their geometric mean; if one is zero or less all are taken as they are.
// It is NaN without values, and has their unit.
//
// Source: docs/method.md#one-cell; Hodges and Lehmann, Estimates of Location Based on Rank Tests, 1963.
func PseudoMedian(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := newScale(values)
	return s.value(s.middle())
}

// scale holds the sorted values of a cell on the scale on which they are compared: logarithms if all are above zero.
type scale struct {
	y      []float64 // sorted, on the scale
	values []float64 // sorted
	logs   bool
}

func newScale(values []float64) scale {
	sorted := slices.Sorted(slices.Values(values))
	s := scale{y: sorted, values: sorted}
	if len(sorted) > 0 && sorted[0] > 0 {
		s.logs, s.y = true, make([]float64, len(sorted))
		for i, v := range sorted {
			s.y[i] = math.Log(v)
		}
	}
	return s
}

// value converts a number on the scale to the unit of the values. One of the values is returned as it was measured.
func (s scale) value(y float64) float64 {
	if !s.logs {
		return y
	}
	if i, found := slices.BinarySearch(s.y, y); found {
		return s.values[i]
	}
	return math.Exp(y)
}

// middle returns the pseudo-median on the scale.
func (s scale) middle() float64 {
	count := len(s.y) * (len(s.y) + 1) / 2
	if count%2 == 1 {
		return s.mean(count/2 + 1)
	}
	return s.mean(count/2)/2 + s.mean(count/2+1)/2
}

// mean returns the k-th smallest mean of two values, each with itself too, on the scale; k counts from 1.
func (s scale) mean(k int) float64 {
	n := len(s.y)
	return bracket{s.y[0], s.y[n-1], 1, n * (n + 1) / 2}.find(k, func(limit float64) (count int, below, above float64) {
		below, above = math.Inf(-1), math.Inf(1)
		j := n - 1
		for i, y := range s.y {
			for ; j >= 0 && y/2+s.y[j]/2 > limit; j-- {
				above = min(above, y/2+s.y[j]/2)
			}
			if j < i {
				// The means of this value with itself and with larger ones are all above the limit.
				above = min(above, y)
				break
			}
			count += j - i + 1
			below = max(below, y/2+s.y[j]/2)
		}
		return count, below, above
	})
}

// halves returns the smaller and the larger half of all differences of a value of a and one of b, both sorted. The
// middle one of an odd number is in both.
func halves(a, b []float64) (lower, upper bracket) {
	n := len(a) * len(b)
	all := bracket{a[0] - b[len(b)-1], a[len(a)-1] - b[0], 1, n}
	lower, upper = all, all
	lower.last, upper.first = (n+1)/2, n/2+1
	lower.hi = difference(lower.last, a, b, all)
	upper.lo = lower.hi
	if n%2 == 0 {
		upper.lo = difference(upper.first, a, b, bracket{lower.hi, all.hi, lower.last, n})
	}
	return lower, upper
}

// difference returns the k-th smallest of all differences of a value of a and one of b, both sorted; k counts from 1.
func difference(k int, a, b []float64, within bracket) float64 {
	return within.find(k, func(limit float64) (count int, below, above float64) {
		below, above = math.Inf(-1), math.Inf(1)
		j := 0 // the first of b whose difference is not above the limit
		for _, x := range a {
			for j < len(b) && x-b[j] > limit {
				j++
			}
			if j > 0 && x-b[j-1] < above {
				above = x - b[j-1]
			}
			if j == len(b) {
				break
			}
			count += len(b) - j
			if x-b[j] > below {
				below = x - b[j]
			}
		}
		return count, below, above
	})
}

// bracket is two of many numbers, and their places among all of them sorted, counted from 1.
type bracket struct {
	lo, hi      float64
	first, last int
}

// find returns the k-th smallest number without listing all of them: a simulation has billions. split counts the
// numbers up to a limit, and returns the largest of them and the smallest above.
func (b bracket) find(k int, split func(limit float64) (count int, below, above float64)) float64 {
	for halve := false; b.lo < b.hi && k < b.last; halve = !halve {
		if k == b.first {
			return b.lo
		}
		// Numbers are rarely spread evenly, but more often nearly so than not at all.
		share := 0.5
		if !halve {
			share = float64(k-b.first) / float64(b.last-b.first)
		}
		limit := b.lo*(1-share) + b.hi*share
		if !(limit > b.lo && limit < b.hi) { // they are neighbours
			limit = b.lo
		}
		if count, below, above := split(limit); count >= k {
			b.hi, b.last = below, count
		} else {
			b.lo, b.first = above, count+1
		}
	}
	return b.hi
}
