package stats

import (
	"math"
	"slices"
)

// IntervalKind says how the interval of an Estimate was made, in the words a page prints.
type IntervalKind string

const (
	NoInterval IntervalKind = "none" // one repetition
	// neither measured nor, as far as the records tell, searched for: there is no interval
	Given IntervalKind = "given"
	// one repetition, of whose own values there is an interval: nothing is known of others
	WithinRun IntervalKind = "within one run"
	// counted, and the same number in every repetition: the interval is the number alone
	Exact          IntervalKind = "exact"
	RangeOfTwo     IntervalKind = "range"             // two repetitions: the smaller and the larger, no confidence
	TOnLogs        IntervalKind = "t on logs"         // three to five repetitions, all above zero
	TOnValues      IntervalKind = "t"                 // three to five repetitions, some at zero or below
	SignedRanks    IntervalKind = "signed ranks"      // six repetitions or more
	RankSums       IntervalKind = "rank sums"         // of a ratio, six repetitions or more of either cell
	ClopperPearson IntervalKind = "Clopper–Pearson"   // failed of attempted, widened to the repetitions' own shares
	WiderOfTwo     IntervalKind = "Newcombe or Welch" // of the difference of two such shares
	// where a search found the value to lie: the ends are probes that passed and failed
	BySearch IntervalKind = "search"
)

// Estimate is the centre of a metric and what is known about where it lies.
type Estimate struct {
	N        int          // valid repetitions
	Centre   float64      // pseudo-median; the pooled share of ErrorShare
	Interval Interval     // in the unit of the centre; unbounded for one repetition
	Kind     IntervalKind // how the interval was made
	Coverage float64      // the probability with which such intervals contain the true value; 0 for none or a range
}

// ClaimInterval returns the interval by which a claim about this one cell is judged: the estimate's own, and the
// unbounded one, which decides nothing, below MinRepetitions.
//
// Source: docs/method.md#claims-as-regions.
func (e Estimate) ClaimInterval() Interval {
	if e.N < MinRepetitions {
		return unbounded()
	}
	return e.Interval
}

// Summarize estimates the pseudo-median of a metric from its repetitions.
//
// How the interval is made depends on their number: none for one, the range of two, t on logarithms up to five (on
// the values themselves if one is zero or less), signed ranks from six. The last are unbounded where alpha is so
// small that not even the smallest and largest value reach it; HasEnds tells beforehand. On logarithms no end is
// nearer to the centre than the resolution allows. Both ends are as far out as the bounds of disturbed repetitions
// allow.
//
// The error is ErrNoValues for an empty cell, ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha.
//
// Source: docs/method.md#one-cell.
func Summarize(c Cell, alpha float64) (Estimate, error) {
	if err := checkAlpha(alpha); err != nil {
		return Estimate{}, err
	}
	if err := c.check(); err != nil {
		return Estimate{}, err
	}
	n := len(c.Values)
	if n == 0 {
		return Estimate{}, ErrNoValues
	}
	s := newScale(c.Values)
	middle := s.middle()
	e := Estimate{N: n, Centre: s.value(middle), Interval: unbounded(), Kind: NoInterval}
	switch {
	case n == 1:
		return e, nil
	case n == 2:
		e.Interval, e.Kind = Interval{s.values[0], s.values[1]}, RangeOfTwo
		return e, nil
	case n < MinRanked:
		mean, variance := moments(s.y)
		if e.Kind = TOnValues; s.logs {
			e.Kind, variance = TOnLogs, max(variance, c.step())
		}
		half := tCritical(alpha, float64(n-1)) * math.Sqrt(variance/float64(n))
		e.Interval, e.Coverage = Interval{mean - half, mean + half}, 1-alpha
	default:
		at := signedRank(n, alpha)
		e.Kind, e.Coverage = SignedRanks, 1-at.outside
		if at.k == 0 {
			return e, nil
		}
		e.Interval = Interval{s.mean(at.k), s.mean(n*(n+1)/2 + 1 - at.k)}
	}
	least := 0.0
	if s.logs {
		least = zCritical(alpha) * math.Sqrt(c.step()/float64(n))
	}
	e.Interval = Interval{s.value(min(e.Interval.Lo, middle-least)), s.value(max(e.Interval.Hi, middle+least))}
	e.Interval = e.Interval.times(factors(c.Bounds))
	if c.NonNegative {
		e.Interval.Lo = max(0, e.Interval.Lo)
	}
	return e, nil
}

// HasEnds reports whether Summarize gives n repetitions an interval with two ends at alpha, which a plan can ask
// before anything is measured.
//
// Source: docs/method.md#one-cell.
func HasEnds(n int, alpha float64) bool {
	if n < MinRanked {
		return n >= MinRepetitions
	}
	return signedRank(n, alpha).k > 0
}

// RatioHasEnds is HasEnds for the ratio of two cells of n repetitions each.
//
// Source: docs/method.md#ratios.
func RatioHasEnds(n int, alpha float64) bool {
	if n < MinRanked {
		return n >= MinRepetitions
	}
	return rankSum(n, n, alpha).k > 0
}

// ErrorShare estimates which share of attempts fails, from the numbers failed and attempted in each repetition.
//
// Attempts of all repetitions are pooled. The interval is Clopper and Pearson's, widened to the smallest and
// largest share of a single repetition, because errors come in bursts. N counts the repetitions with attempts.
//
// The error is ErrNoValues if nothing was attempted, ErrAlpha, or says which counts cannot be.
//
// Source: docs/method.md#one-cell; Clopper and Pearson 1934.
func ErrorShare(failed, attempted []int64, alpha float64) (Estimate, error) {
	if err := checkAlpha(alpha); err != nil {
		return Estimate{}, err
	}
	p, err := FailureCounts{failed, attempted}.pool()
	if err != nil {
		return Estimate{}, err
	}
	shares := Interval{slices.Min(p.shares), slices.Max(p.shares)}
	return Estimate{N: len(p.shares), Centre: p.share(), Interval: p.clopperPearson(alpha).orWider(shares),
		Kind: ClopperPearson, Coverage: 1 - alpha}, nil
}

// Outlying is which repetitions of a cell lie far from the others. They are marked and stay in all statistics: a value
// is never a reason to leave out a repetition.
type Outlying struct {
	At   []int // indices into the values, of five or more
	Wide bool  // of three or four values, the largest is more than 1.25 times the smallest
}

// widest is the ratio of the largest to the smallest of three or four values from which on they are wide.
const widest = 1.25

// Outliers finds outlying repetitions. Of five or more it is those whose modified z-score on logarithms is above 3.5
// and which are more than delta from the median. There are none of fewer than three values, or where one is zero or
// less.
//
// The error is ErrNotFinite, ErrNegative or ErrResolution.
//
// Source: docs/method.md#outlying-repetitions; Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
func Outliers(c Cell, delta float64) (Outlying, error) {
	if err := c.check(); err != nil {
		return Outlying{}, err
	}
	n := len(c.Values)
	if n < MinRepetitions || c.positive() != nil {
		return Outlying{}, nil
	}
	logs := make([]float64, n)
	least, most := math.Inf(1), math.Inf(-1)
	for i, v := range c.Values {
		logs[i] = math.Log(v)
		least, most = min(least, v), max(most, v)
	}
	if n < 5 {
		return Outlying{Wide: most/least > widest}, nil
	}
	middle := Median(logs)
	apart := make([]float64, n)
	for i, y := range logs {
		apart[i] = math.Abs(y - middle)
	}
	scale := max(Median(apart), c.Resolution, MinResolution)
	var out Outlying
	for i, d := range apart {
		if 0.6745*d/scale > 3.5 && d > math.Log1p(delta) {
			out.At = append(out.At, i)
		}
	}
	return out, nil
}
