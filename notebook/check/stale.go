package check

import (
	"math"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// nearby is how many times a typed number may be a measured one, or the other way round, to be taken for what was
// measured once: numbers farther apart are about something else.
const nearby = 2

// StaleNumbers warns of numbers that the author typed beside measured ones of the same unit in a sentence, and that lie
// outside their intervals: what was measured has changed, and the words have not. A number that somebody else published
// stays what it is, and a part of the text that does not apply says nothing.
//
// Source: docs/command.md#check, stale-number.
func StaleNumbers(results *claim.Results, problems *source.Problems) {
	for _, s := range sentencesOf(results.Data.Doc) {
		if !results.Applies(s.part) {
			continue
		}
		for _, l := range s.literals {
			compareTyped(results, l, s.values, problems)
		}
	}
}

// compareTyped warns of a typed number if it is near measured values, and within the interval of none.
func compareTyped(results *claim.Results, l literal, values []*article.InlineValue, problems *source.Problems) {
	var stale *article.InlineValue
	var interval stats.Interval // of it
	for _, v := range values {
		q, ok := measuredBeside(results, v)
		if !ok || q.Dimension() != l.dimension {
			continue
		}
		switch lo, hi := l.number-l.precision, l.number+l.precision; {
		case hi >= q.Interval.Lo && lo <= q.Interval.Hi:
			return
		case stale == nil && math.Max(q.Number/l.number, l.number/q.Number) <= nearby && q.Number > 0:
			stale, interval = v, *q.Interval
		}
	}
	if stale == nil || isPublished(results.Data.Doc, l) {
		return
	}
	unit := l.unit.Symbol
	if unit != "" && !strings.HasPrefix(unit, "/") {
		unit = " " + unit
	}
	problems.Warn("stale-number", l.text.Pos, "%q contradicts the measured value beside it: %.4g to %.4g%s",
		l.text.Value, l.unit.FromBase(interval.Lo), l.unit.FromBase(interval.Hi), unit).
		Hint = "write `{value} " + stale.Written.Value + "` instead, or correct it"
}

// measuredBeside is what a value in a sentence was measured to be; false if it has no interval over repetitions.
func measuredBeside(results *claim.Results, v *article.InlineValue) (dataset.Quantity, bool) {
	if !v.Valid {
		return dataset.Quantity{}, false
	}
	q, err := results.Data.Eval(v.Inline.Expr, "")
	if err == nil {
		q, _ = results.AsJudged(v.Inline.Expr, q)
	}
	return q, err == nil && q.Interval != nil && q.Kind != stats.WithinRun
}

// isPublished reports whether a typed number is one of those that the article compares itself with.
func isPublished(doc *article.Document, l literal) bool {
	for _, b := range doc.Published {
		for _, row := range b.Rows {
			for _, m := range row.Metrics {
				if math.Abs(m.Value.Number-l.number) <= l.precision*(1+1e-9) {
					return true
				}
			}
		}
	}
	return false
}
