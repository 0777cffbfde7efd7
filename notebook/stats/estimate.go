package stats

import (
	"math"
	"slices"

	"benchbook/internal/slice"
)

// IntervalKind says how an interval was made, as pages print it.
type IntervalKind string

const (
	NoInterval     IntervalKind = "none"              // one repetition
	Given          IntervalKind = "given"             // neither measured nor found by a recorded search
	Exact          IntervalKind = "exact"             // counted, and the same number in every repetition
	RangeOfTwo     IntervalKind = "range"             // two repetitions: from one to the other, without confidence
	TOnLogs        IntervalKind = "t on logs"         // three to five repetitions, all above zero
	TOnValues      IntervalKind = "t"                 // three to five repetitions, some at zero or below
	SignedRanks    IntervalKind = "signed ranks"      // six repetitions or more
	RankSums       IntervalKind = "rank sums"         // of a ratio, six repetitions or more of each cell
	ClopperPearson IntervalKind = "Clopper–Pearson"   // of a share of attempts, widened to the repetitions' own shares
	WiderOfTwo     IntervalKind = "Newcombe or Welch" // of the difference of two such shares
	OverSessions   IntervalKind = "between sessions"  // over the results of three sessions or more
	BySearch       IntervalKind = "search"            // between the probes of a search that passed and failed
)

// Estimate is the centre of a metric, with the interval in which it may lie.
type Estimate struct {
	N        int          // valid repetitions
	Centre   float64      // pseudo-median; the pooled share of ErrorShare
	Interval Interval     // in the unit of the centre; unbounded for one repetition
	Kind     IntervalKind // how the interval was made
	Coverage float64      // share of such intervals that contain the true value; 0 for none or a range
}

// ClaimInterval returns the interval by which a claim about this cell is judged. Below MinRepetitions it is unbounded,
// which decides nothing.
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
// The interval depends on their number: none for one, the range of two, t on logarithms up to five (on the values if
// one is zero or less), signed ranks from six. Ranks are unbounded if alpha is too small for them, see HasEnds.
// Correlated repetitions widen them. On logarithms both ends keep the distance from the centre that the resolution
// requires. Bounds of disturbed repetitions move both ends out.
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
	s := newSample(c)
	centre := s.middle()
	e := Estimate{N: n, Centre: s.value(centre), Interval: unbounded(), Kind: NoInterval}
	switch {
	case n == 1:
		return e, nil
	case n == 2:
		e.Interval, e.Kind = Interval{s.Values[0], s.Values[1]}, RangeOfTwo
		return e, nil
	case n < MinRanked:
		mean, variance := s.moments()
		if e.Kind = TOnValues; s.logs {
			e.Kind = TOnLogs
		}
		half := tCritical(alpha, float64(n-1)) * math.Sqrt(variance/float64(n))
		e.Interval, e.Coverage = Interval{mean - half, mean + half}, 1-alpha
	default:
		at := signedRank(n, alpha)
		e.Kind, e.Coverage = SignedRanks, 1-at.outside
		if at.k == 0 {
			return e, nil
		}
		lo, hi, times := s.mean(at.k), s.mean(n*(n+1)/2+1-at.k), math.Sqrt(c.serial())
		e.Interval = Interval{centre - times*(centre-lo), centre + times*(hi-centre)}
	}
	least := 0.0
	if s.logs {
		least = zCritical(alpha) * math.Sqrt(c.step()/float64(n))
	}
	e.Interval = Interval{s.value(min(e.Interval.Lo, centre-least)), s.value(max(e.Interval.Hi, centre+least))}
	e.Interval = e.Interval.times(factors(c.Bounds))
	if c.NonNegative {
		e.Interval.Lo = max(0, e.Interval.Lo)
	}
	return e, nil
}

// StandardError returns the standard error of a cell's centre, in its unit, without disturbances: half the interval at
// DefaultAlpha, over the quantile of t for as many values.
//
// The error is ErrTooFew below three values, else as for Summarize.
//
// Source: docs/method.md#sessions.
func (c Cell) StandardError() (float64, error) {
	c.Bounds = Interval{}
	e, err := Summarize(c, DefaultAlpha)
	if err == nil && e.N < MinRepetitions {
		err = ErrTooFew
	}
	if err != nil {
		return 0, err
	}
	return e.standardError(func(x float64) float64 { return x }), nil
}

// standardError returns the standard error of an estimate at DefaultAlpha on a scale.
func (e Estimate) standardError(scaled func(float64) float64) float64 {
	return (scaled(e.Interval.Hi) - scaled(e.Interval.Lo)) / 2 / tCritical(DefaultAlpha, float64(e.N-1))
}

// HasEnds reports whether n repetitions have an interval with two ends at alpha: from Summarize, or for the ratio of
// two cells with n repetitions each.
//
// Source: docs/method.md#one-cell and docs/method.md#ratios.
func HasEnds(n int, ofRatio bool, alpha float64) bool {
	switch {
	case n < MinRanked:
		return n >= MinRepetitions
	case ofRatio:
		return rankSum(n, n, alpha).k > 0
	}
	return signedRank(n, alpha).k > 0
}

// ErrorShare estimates the share of attempts that fail, from the numbers failed and attempted in each repetition. The
// interval is Clopper and Pearson's for all attempts, widened to the smallest and largest share of a single repetition,
// because errors come in bursts. N counts the repetitions with attempts.
//
// The error is ErrNoValues if nothing was attempted, ErrAlpha, or names impossible counts.
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

// Outlying says which repetitions of a cell lie far from the others. They stay in all statistics.
type Outlying struct {
	At   []int // indices into the values, for five or more
	Wide bool  // for three or four values: the largest is more than 1.25 times the smallest
}

// widest is the largest ratio that three or four values may have without being Wide.
const widest = 1.25

// Outliers finds outlying repetitions: of five or more, those with a modified z-score on logarithms above 3.5 that are
// more than delta from the median. It finds none below three values, or if a value is zero or less.
//
// The error is ErrNotFinite, ErrNegative or ErrResolution.
//
// Source: docs/method.md#outlying-repetitions; Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
func Outliers(c Cell, delta float64) (Outlying, error) {
	if err := c.check(); err != nil {
		return Outlying{}, err
	}
	n := len(c.Values)
	logs, ok := logarithms(c.Values)
	switch {
	case n < MinRepetitions || !ok:
		return Outlying{}, nil
	case n < 5:
		return Outlying{Wide: slices.Max(c.Values)/slices.Min(c.Values) > widest}, nil
	}
	middle := Median(logs)
	apart := slice.Map(logs, func(y float64) float64 { return math.Abs(y - middle) })
	scale := max(Median(apart), c.Resolution, MinResolution)
	var out Outlying
	for i, d := range apart {
		if 0.6745*d/scale > 3.5 && d > math.Log1p(delta) {
			out.At = append(out.At, i)
		}
	}
	return out, nil
}

// Digits returns how many significant digits a value with a relative resolution can have.
//
// Source: docs/figures.md#digits.
func Digits(resolution float64) int {
	const exact = 1e-9 // 0.001 is a thousandth
	return max(1, 1+int(math.Floor(exact-math.Log10(resolution))))
}

// LastDigit returns the value of one unit in the last of these digits, a power of ten.
func LastDigit(value, resolution float64) float64 {
	return math.Pow10(int(math.Floor(math.Log10(math.Abs(value)))) + 1 - Digits(resolution))
}

const (
	// MinSerial is the fewest values whose correlation is estimated.
	MinSerial = 10
	// MaxCorrelation is the strongest correlation that intervals are widened for: threefold.
	MaxCorrelation = 0.8
)

// SerialCorrelation estimates how much each value resembles the one before it: the autocorrelation of lag 1, on
// logarithms if all values are positive, corrected for its bias (nr + 1)/(n − 3), and cut to [0, MaxCorrelation]. It is
// 0 below MinSerial values, and if all are the same.
//
// Source: docs/method.md#correlated-repetitions; Marriott and Pope, Biometrika 1954.
func SerialCorrelation(values []float64) float64 {
	n := len(values)
	if n < MinSerial || slices.Min(values) == slices.Max(values) {
		return 0
	}
	y, _ := logarithms(values)
	mean, _ := moments(y)
	products, squares := 0.0, 0.0
	for i, v := range y {
		squares += (v - mean) * (v - mean)
		if i > 0 {
			products += (v - mean) * (y[i-1] - mean)
		}
	}
	rho := (float64(n)*products/squares + 1) / float64(n-3)
	if !(rho > 0) { // also if NaN
		return 0
	}
	return min(rho, MaxCorrelation)
}

// serial returns how many times correlation raises the variance of a mean: (1 + ρ)/(1 − ρ).
//
// Source: docs/method.md#correlated-repetitions.
func (c Cell) serial() float64 {
	rho := min(max(0, c.Correlation), MaxCorrelation)
	return (1 + rho) / (1 - rho)
}
