package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// judgeTogether sets the verdicts on the changes of one metric, corrected for the number of cells.
func judgeTogether(changes []*Change) {
	compared := slice.Filter(changes, func(c *Change) bool { return c.mayCompare })
	if len(compared) == 0 {
		return
	}
	points, searched := compared[0].Points, record.IsSearched(compared[0].Metric.Name)
	var found []stats.Change
	var err error
	if !points && !searched {
		found, err = stats.Changes(slice.Map(compared, func(c *Change) stats.BeforeAfter {
			return stats.BeforeAfter{Before: c.ResultA.Cell(), After: c.ResultB.Cell(), Floor: c.Floor, Looks: c.looks}
		}), stats.DefaultAlpha, stats.DefaultSmallestEffect)
	}
	n := slice.Count(found, func(f stats.Change) bool { return f.Err == nil })
	for i, c := range compared {
		switch {
		case err != nil:
			c.Reason = "there is no ratio: " + err.Error()
		case points:
			c.judgePoints(len(compared))
		case searched:
			c.judgeSearched()
		default:
			c.judgeRatio(found[i], n)
		}
	}
}

// judgeRatio sets the verdict on a ratio; n ratios are judged together.
func (c *Change) judgeRatio(f stats.Change, n int) {
	if f.Err != nil && !errors.Is(f.Err, stats.ErrTooFew) {
		c.Reason = "there is no ratio: " + dataset.NoRatio(f.Err, []stats.Cell{c.ResultA.Cell(), c.ResultB.Cell()},
			func(i int) string { return sideNames[i] })
		return
	}
	c.setEffect(dataset.RatioOf(f.Comparison).Change(), "B over A")
	c.P = f.AdjustedP
	if f.Err != nil {
		c.Reason = c.tooFew()
		return
	}
	if f.Shifted {
		c.Verdict = stats.ShiftOf(f.Ratio > 1, stats.Direction(c.Metric.Better))
		return
	}
	c.Verdict = stats.NotShown
	smallest := phrase.Percent(stats.DefaultSmallestEffect)
	switch same := judgeSame(f.Interval); {
	case same == stats.Supported:
		c.Reason = "the same within " + smallest
	case same == stats.Contradicted && f.AloneP > stats.DefaultAlpha:
		c.Reason = "a difference, but not shown by so few repetitions"
	case same == stats.Contradicted:
		c.Reason = c.corrected(n)
	case !f.Interval.Contains(1):
		c.Reason = "a difference, but possibly no more than " + smallest
	}
}

// judgeSame judges the claim that a ratio differs from 1 by at most the smallest effect.
func judgeSame(ratio stats.Interval) stats.Verdict {
	return stats.Judge(ratio, stats.Within(stats.DefaultSmallestEffect))
}

func (c *Change) setEffect(effect dataset.Quantity, how string) {
	effect.Cells, effect.What = []*dataset.Cell{c.A, c.B}, c.Metric.InWords()+", "+how
	c.Effect = &effect
}

func (c *Change) tooFew() string {
	side, n := "A", len(c.ResultA.Values)
	if n >= stats.MinRepetitions {
		side, n = "B", len(c.ResultB.Values)
	}
	return fmt.Sprintf("%s has %s, and a verdict needs %d", side, phrase.Count(n, "valid repetition"), stats.MinRepetitions)
}

// corrected says why a change is not shown although its printed interval lies beyond the limit: the verdict is
// corrected for n cells and for several looks.
func (c *Change) corrected(n int) string {
	switch {
	case n == 1:
		return fmt.Sprintf("it would be shown after a single look, but not after one of %d", c.looks)
	case c.looks > 1:
		return fmt.Sprintf("it would be shown alone, but not for one of %s with %d looks", phrase.Count(n, "cell"), c.looks)
	}
	return fmt.Sprintf("it would be shown for a single cell, but not for one of %d", n)
}

// judgePoints sets the verdict on failures; n changes are judged together. A change is shown if the intervals of the
// sides do not overlap.
//
// Source: docs/method.md#claims-as-regions, fewer errors.
func (c *Change) judgePoints(n int) {
	printed, err := c.points(stats.DefaultAlpha)
	if err != nil {
		c.Reason = err.Error()
		return
	}
	judged, _ := c.points(stats.DefaultAlpha / float64(n*c.looks)) // no error, as the other level had none
	a, b := c.ResultA.Estimate, c.ResultB.Estimate
	effect := dataset.Quantity{Number: b.Centre - a.Centre, Unit: cmp.Or(c.Metric.Unit, "1"), Share: c.Metric.Share,
		Interval: &printed, Kind: a.Kind, N: min(a.N, b.N), Step: max(c.ResultA.Step(), c.ResultB.Step())}
	switch {
	case effect.N < stats.MinRepetitions:
		effect.Interval, effect.Kind, c.Reason = nil, stats.NoInterval, c.tooFew()
	case !judged.Contains(0):
		c.Verdict = stats.ShiftOf(judged.Lo > 0, stats.Direction(c.Metric.Better))
	default:
		c.Verdict = stats.NotShown
		if !printed.Contains(0) {
			c.Reason = c.corrected(n)
		}
	}
	c.setEffect(effect, "B less A")
}

// points returns the range of B - A for values within the intervals of both sides at level alpha. It contains 0 unless
// the intervals do not overlap.
func (c *Change) points(alpha float64) (stats.Interval, error) {
	a, err := c.ResultA.At(alpha)
	if err != nil {
		return stats.Interval{}, err
	}
	b, err := c.ResultB.At(alpha)
	if err != nil {
		return stats.Interval{}, err
	}
	x, y := a.ClaimInterval(), b.ClaimInterval()
	return stats.Interval{Lo: y.Lo - x.Hi, Hi: y.Hi - x.Lo}, nil
}

// judgeSearched sets the verdict on results of searches: they differ if their intervals prove a change.
//
// Source: docs/method.md#capacities.
func (c *Change) judgeSearched() {
	effect := dataset.SearchedRatio(c.ResultB, c.ResultA).Change()
	if !dataset.Finite(effect.Number) {
		c.Reason = "there is no ratio: no rate met the objective"
		return
	}
	c.setEffect(effect, "B over A")
	if c.Verdict = stats.NotShown; judgeSame(c.ratioInterval()) == stats.Contradicted {
		c.Verdict = stats.ShiftOf(effect.Interval.Lo > 0, stats.Direction(c.Metric.Better))
	}
}

// ratioInterval returns the printed interval of B/A.
func (c *Change) ratioInterval() stats.Interval {
	return stats.Interval{Lo: c.Effect.Interval.Lo + 1, Hi: c.Effect.Interval.Hi + 1}
}

// interval returns the interval of Effect at level alpha, corrected for looks; false without one.
func (c *Change) interval(alpha float64) (stats.Interval, bool) {
	alpha /= float64(c.looks)
	switch {
	case c.Effect == nil || c.Effect.Interval == nil:
		return stats.Interval{}, false
	case record.IsSearched(c.Metric.Name):
		return *c.Effect.Interval, !math.IsInf(c.Effect.Interval.Hi, 0)
	case c.Points:
		i, err := c.points(alpha)
		return i, err == nil
	}
	r, err := stats.Ratio(c.ResultB.Cell(), c.ResultA.Cell(), alpha)
	i := r.Widen(c.Floor, alpha)
	return stats.Interval{Lo: i.Lo - 1, Hi: i.Hi - 1}, err == nil && !math.IsInf(i.Hi, 0)
}

// isUndecided reports whether more repetitions could lead to another verdict.
func (c *Change) isUndecided() bool {
	if c.Verdict != stats.NotShown || c.Effect == nil || c.Effect.Interval == nil {
		return c.Verdict == stats.NotComparable
	}
	return judgeSame(c.ratioInterval()) != stats.Supported
}
