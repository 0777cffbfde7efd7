package wording

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
)

// Quantity is a measured quantity with the unit and digits in which it is written.
type Quantity struct {
	Of           dataset.Quantity
	Unit         Unit
	Decimals     int
	WithInterval bool // to be printed with the number
	Exact        bool // all digits
}

// QuantityOf chooses unit and digits, unless filters ask for others.
func QuantityOf(q dataset.Quantity, filters []expr.Filter) Quantity {
	w := Quantity{Of: q, Unit: UnitFor(q.Unit, q.Share, q.Number)}
	unit, digits := UnitOf(filters)
	if unit != nil {
		w.Unit = *unit
	}
	w.WithInterval = slices.ContainsFunc(filters, func(f expr.Filter) bool { return f.Name == "interval" })
	if w.Decimals = w.Unit.Decimals(Reading(&q)); digits != nil {
		if w.Decimals = *digits; w.WithInterval {
			w.Decimals = w.Unit.WithEnds(Reading(&q), *digits)
		}
	}
	return w
}

// UnitOf returns the unit and the digits that filters ask for; nil if they ask for none.
func UnitOf(filters []expr.Filter) (unit *Unit, digits *int) {
	for _, f := range filters {
		switch f.Name {
		case "percent":
			percent := PercentUnit
			unit = &percent
		case "unit":
			unit = &Unit{Symbol: f.Unit.Symbol, Scale: f.Unit.ToBase(1)}
		case "round":
			digits = &f.Digits
		}
	}
	return unit, digits
}

// Text writes the number for prose, with an interval as docs/method.md#one-cell prints it.
func (w Quantity) Text() string {
	text := w.Unit.Quantity(w.Of.Number, w.Decimals)
	if w.Exact {
		text = w.Unit.Exact(w.Of.Number)
	}
	if w.isCapacity() && (w.WithInterval || w.Of.Number <= 0 || math.IsInf(w.Of.Interval.Hi, 1)) {
		return w.Unit.Capacity(w.Of.Interval.Lo, w.Of.Interval.Hi)
	}
	if !w.WithInterval {
		return text
	}
	switch {
	case w.Of.Kind == stats.WithinRun && w.Of.Interval != nil:
		return text + " (1 run; within the run " + w.Unit.Between(w.Of.Interval.Lo, w.Of.Interval.Hi, w.Decimals) + ")"
	case w.Of.Kind == stats.RangeOfTwo && w.Of.Interval != nil:
		return text + " (2 runs: " + w.Unit.Range(w.Of.Interval.Lo, w.Of.Interval.Hi, w.Decimals) + ")"
	case w.Of.Interval != nil:
		return text + " [" + w.Unit.Range(w.Of.Interval.Lo, w.Of.Interval.Hi, w.Decimals) + "]"
	case w.Of.Kind == stats.Given || w.Of.Kind == stats.Exact:
		return text
	case w.Of.N == 1:
		return text + " (1 run)"
	}
	return text + " (no interval)"
}

// isCapacity reports whether the number is a rate found by a search, rather than a ratio of two.
func (w Quantity) isCapacity() bool {
	return w.Of.Kind == stats.BySearch && w.Of.Unit == "1/s" && w.Of.Interval != nil
}

// IntervalSentence describes the interval, or says why it is missing.
func (w Quantity) IntervalSentence() string {
	switch {
	case w.Of.Kind == stats.Exact:
		return Sentence(strings.Trim(Exactly(w.Of.N)+"; "+w.Of.Note, "; "))
	case w.Of.Interval == nil && w.Of.Kind != stats.Given && w.Of.N == 1 && len(w.Of.Cells) == 1:
		return strings.TrimSpace("1\u00a0run, so no interval. " + Sentence(w.Of.Note))
	case w.Of.Interval == nil:
		return Sentence(cmp.Or(w.Of.Note, "no interval"))
	case w.Of.Kind == stats.WithinRun:
		return w.Interval() + ", 95\u202f% interval within one run, as if its requests were independent; the " +
			"variation between runs is unknown."
	case w.Of.Kind == stats.RangeOfTwo:
		return "Range of 2\u00a0runs: " + w.Interval() + "."
	}
	if w.Of.Kind == stats.BySearch {
		return Sentence(strings.Trim("found by a search, within "+w.Interval()+"; "+w.Of.Note, "; "))
	}
	text := w.Interval() + ", 95\u202f% interval"
	switch {
	case w.Of.Kind == stats.OverSessions:
		text += " between " + Count(w.Of.N, "session")
	case w.Of.N > 0:
		text += " of " + Count(w.Of.N, "repetition")
	}
	if w.Of.Note != "" {
		text += "; " + w.Of.Note
	}
	return text + "."
}

// Exactly is written instead of an interval.
func Exactly(n int) string { return "the same in all " + Count(n, "repetition") }

// Interval writes the interval alone: "14 to 20 %".
func (w Quantity) Interval() string {
	if w.Of.Kind == stats.Exact {
		return Exactly(w.Of.N)
	}
	if w.Of.Interval == nil {
		return "none"
	}
	return w.Unit.Between(w.Of.Interval.Lo, w.Of.Interval.Hi, w.Unit.WithEnds(Reading(&w.Of), w.Decimals))
}

// Runs counts the repetitions, for a table.
func (w Quantity) Runs() string {
	switch {
	case w.Of.N == 0:
		return "–"
	case w.Of.Kind == stats.OverSessions:
		return Count(w.Of.N, "session")
	}
	return strconv.Itoa(w.Of.N)
}
