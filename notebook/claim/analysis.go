package claim

import (
	"math"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// A comparison is how two cells are compared.
type comparison int

const (
	standard  comparison = iota // docs/method.md#ratios
	byRound                     // round by round
	ofMedians                   // the medians, each with its own interval
)

// An analysis is how a claim is judged, as far as somebody careful could do it otherwise. The zero value is
// docs/method.md's, and the only one that verdicts are by; the others are for Multiverse.
type analysis struct {
	comparison comparison
	noFloor    bool    // do not widen intervals by the noise floor
	effect     float64 // the smallest effect, as a factor of the claim's; 0 is 1
	first      int     // take the first so many rounds only; 0 is all
	clean      bool    // leave out repetitions with a warning
}

// compare compares two sides. The errors are those of stats.Ratio.
func (h analysis) compare(a, b series, alpha float64) (stats.Comparison, error) {
	switch h.comparison {
	case byRound:
		a, b = a.inRoundsOf(b), b.inRoundsOf(a)
		return stats.RatioByRound(a.Cell, b.Cell, alpha)
	case ofMedians:
		return stats.RatioOfMedians(a.Cell, b.Cell, alpha)
	}
	return stats.Ratio(a.Cell, b.Cell, alpha)
}

// inRoundsOf keeps the values of rounds that another series has too, in order of rounds.
func (s series) inRoundsOf(other series) series {
	out := series{Cell: s.Cell}
	out.Values = nil
	for i, round := range s.rounds {
		if slices.Contains(other.rounds, round) {
			out.Values, out.rounds = append(out.Values, s.Values[i]), append(out.rounds, round)
		}
	}
	return out
}

// effectOf is a comparison in the dress of a Quantity.
func (h analysis) effectOf(c stats.Comparison, change bool) dataset.Quantity {
	q := dataset.RatioOf(c, false)
	if h.comparison == ofMedians && !math.IsInf(c.Interval.Hi, 1) {
		q.Interval, q.Kind = &stats.Interval{Lo: c.Interval.Lo, Hi: c.Interval.Hi}, stats.TOnLogs
		if q.N >= 6 {
			q.Kind = stats.OrderStatistics
		}
	}
	if change {
		dataset.AsChange(&q)
	}
	return q
}

// choose keeps the repetitions of a result that the analysis takes.
func (h analysis) choose(c *dataset.Cell, r dataset.Result) dataset.Result {
	if h.first == 0 && !h.clean || r.Missing != "" {
		return r
	}
	warned := warnedOf(c, r.Metric.Name)
	return r.Keep(func(repetition int) bool {
		return (h.first == 0 || repetition <= h.first) && !(h.clean && slices.Contains(warned, repetition))
	})
}

// warnedOf are the repetitions of a cell for which some check warns, as far as a metric is concerned.
func warnedOf(c *dataset.Cell, metric string) []int {
	a := c.Validity().For(metric)
	var out []int
	for i, r := range c.Records {
		if a.Warned(i) {
			out = append(out, r.Repetition)
		}
	}
	return out
}

// tooFew says that a comparison lacks repetitions of one of its sides, or rounds of both.
func (t ratioTest) tooFew(j *Judgement, a, b series) {
	switch {
	case len(a.Values) < stats.MinRepetitions:
		j.tooFew(t.a.name(t.b), len(a.Values))
	case len(b.Values) < stats.MinRepetitions:
		j.tooFew(t.b.name(t.a), len(b.Values))
	default:
		j.Verdict, j.Reason = stats.Inconclusive, "there are fewer rounds than a verdict needs in which both are valid"
	}
}
