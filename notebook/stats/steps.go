package stats

import (
	"errors"
	"math"
	"slices"
)

// A Step is a change of the level of a series, from one value to the next.
type Step struct {
	At         int // the first value of the new level, from 0
	From, To   int // the new level begins from here to here, at 95 %
	Comparison     // of the values after the step, up to the next one, with those before it, from the last one
}

// ErrSeries is the error of a series with values of zero or less: levels are compared by their ratios.
var ErrSeries = errors.New("a value is not above zero")

// Steps finds where the level of a series changes, such as the results of a benchmark run after run.
//
// The series is cut into the levels that fit it best: of all ways to do so, each level at least MinRepetitions long,
// it is the one with the least sum of squared distances of logarithms from their level plus a price for each step,
// found exactly. The price is three times the logarithm of the number of values, in units of the variance of one
// value, so that of a hundred series without a step about one has one. The variance is that of the differences of
// successive values, by their median, which steps hardly change. Values more than three standard deviations from the
// median of their neighbours count as that far, so that a single odd value is no level.
//
// As long as some step has two levels that Ratio does not tell apart at alpha, the least certain goes, and its two
// levels become one. Where a step is lies at 95 % in the fewest places around it that have 95 % of the likelihood, all
// other steps being where they are.
//
// Values are above zero, in one unit, in the order of time. The error is ErrSeries, or that of Ratio.
//
// Source: docs/method.md#steps; Jackson et al., An algorithm for optimal partitioning of data on an interval, 2005;
// Yao, Estimating the number of change-points via Schwarz' criterion, 1988.
func Steps(values []float64, alpha float64) ([]Step, error) {
	if slices.ContainsFunc(values, func(v float64) bool { return !(v > 0) || math.IsInf(v, 1) }) {
		return nil, ErrSeries
	}
	if len(values) < 2*MinRepetitions {
		return nil, nil
	}
	s := newSeries(values)
	ends := slices.Concat([]int{0}, s.cuts(), []int{len(values)})
	for {
		var out []Step
		weakest, p := 0, alpha // the step that is the least certain; 0 if all are certain enough
		for i := 1; i < len(ends)-1; i++ {
			c, err := Ratio(Cell{Values: values[ends[i]:ends[i+1]]}, Cell{Values: values[ends[i-1]:ends[i]]}, DefaultAlpha)
			if err != nil {
				return nil, err
			}
			if c.P > p {
				weakest, p = i, c.P
			}
			from, to := s.where(ends[i-1], ends[i], ends[i+1])
			out = append(out, Step{ends[i], from, to, c})
		}
		if weakest == 0 {
			return out, nil
		}
		ends = slices.Delete(ends, weakest, weakest+1)
	}
}

// A series is what steps are looked for in: logarithms, without what is odd, in units of their standard deviation.
type series struct {
	sums, squares []float64 // of the first n
}

func newSeries(values []float64) series {
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	var jumps []float64
	for i := range logs[1:] {
		jumps = append(jumps, math.Abs(logs[i+1]-logs[i]))
	}
	// The median of the absolute value of a normal variable is 0.6745 of its standard deviation, and the difference of two
	// has √2 times that of one. What was measured has a resolution, however equal it looks.
	deviation := max(Median(jumps)/(0.6745*math.Sqrt2), MinResolution)
	s := series{sums: []float64{0}, squares: []float64{0}}
	for i, v := range logs {
		near := Median(logs[max(0, i-2):min(len(logs), i+3)])
		x := (min(max(v, near-3*deviation), near+3*deviation) - logs[0]) / deviation
		s.sums, s.squares = append(s.sums, s.sums[i]+x), append(s.squares, s.squares[i]+x*x)
	}
	return s
}

// cost is the sum of squared distances from their mean of the values from one place up to another.
func (s series) cost(from, to int) float64 {
	sum := s.sums[to] - s.sums[from]
	return max(0, s.squares[to]-s.squares[from]-sum*sum/float64(to-from))
}

// cuts are where levels begin after the first, for the least cost of all.
func (s series) cuts() []int {
	n := len(s.sums) - 1
	price := 3 * math.Log(float64(n))
	best, last := make([]float64, n+1), make([]int, n+1) // of the first values, and where their last level begins
	for end := range n + 1 {
		best[end] = math.Inf(1)
	}
	best[0] = -price
	for end := MinRepetitions; end <= n; end++ {
		for begin := 0; begin <= end-MinRepetitions; begin++ {
			if c := best[begin] + s.cost(begin, end) + price; c < best[end] {
				best[end], last[end] = c, begin
			}
		}
	}
	var cuts []int
	for at := last[n]; at > 0; at = last[at] {
		cuts = append(cuts, at)
	}
	slices.Reverse(cuts)
	return cuts
}

// where is between which places a step lies at 95 %, between the steps before and after it.
func (s series) where(before, at, after int) (from, to int) {
	weight := func(cut int) float64 {
		return math.Exp((s.cost(before, at) + s.cost(at, after) - s.cost(before, cut) - s.cost(cut, after)) / 2)
	}
	all := 0.0
	for cut := before + 1; cut < after; cut++ {
		all += weight(cut)
	}
	from, to = at, at
	for sum := weight(at); sum < 0.95*all; {
		left, right := math.Inf(-1), math.Inf(-1)
		if from-1 > before {
			left = weight(from - 1)
		}
		if to+1 < after {
			right = weight(to + 1)
		}
		if left >= right {
			from, sum = from-1, sum+left
		} else {
			to, sum = to+1, sum+right
		}
	}
	return from, to
}
