package wording

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
)

// Quantity is a quantity with the unit and digits to write it in.
type Quantity struct {
	Of           dataset.Quantity
	Unit         Unit
	Decimals     int
	WithInterval bool // in Text
	Exact        bool // with all digits, as Unit.Exact writes them
}

// QuantityOf returns a quantity with the unit and digits that filters ask for, or else suitable ones.
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

// UnitOf returns the unit and digits that filters ask for, or nil.
func UnitOf(filters []expr.Filter) (unit *Unit, digits *int) {
	for _, f := range filters {
		switch f.Name {
		case "percent":
			percent := PercentUnit
			unit = &percent
		case "unit":
			unit = &Unit{Symbol: f.Unit.Symbol, Scale: f.Unit.ToBase(1)}
			if unit.Symbol == "us" { // as people type it
				unit.Symbol = "µs"
			}
		case "round":
			digits = &f.Digits
		}
	}
	return unit, digits
}

// Text writes the number, with its interval as in docs/method.md#one-cell if WithInterval.
func (w Quantity) Text() string {
	q, text := w.Of, w.Unit.Quantity(w.Of.Number, w.Decimals)
	if w.Exact {
		text = w.Unit.Exact(q.Number)
	}
	switch {
	case w.isCapacity() && (w.WithInterval || q.Number <= 0 || math.IsInf(q.Interval.Hi, 1)):
		return w.Unit.Capacity(q.Interval.Lo, q.Interval.Hi)
	case !w.WithInterval || q.Interval == nil && (q.Kind == stats.Given || q.Kind == stats.Exact):
		return text
	case q.Interval == nil && q.N == 1:
		return text + " (1 run)"
	case q.Interval == nil:
		return text + " (no interval)"
	}
	ends := w.Unit.Range(q.Interval.Lo, q.Interval.Hi, w.Decimals)
	if q.Kind == stats.RangeOfTwo {
		return text + " (2 runs: " + ends + ")"
	}
	return text + " [" + ends + "]"
}

// isCapacity reports whether the number is a rate found by a search, rather than a ratio of two.
func (w Quantity) isCapacity() bool {
	return w.Of.Kind == stats.BySearch && w.Of.Unit == "1/s" && w.Of.Interval != nil
}

// IntervalSentence describes the interval in a sentence, or says why it is missing.
func (w Quantity) IntervalSentence() string {
	q := w.Of
	var text string
	switch {
	case q.Kind == stats.Exact:
		text = Exactly(q.N)
	case q.Interval == nil && q.Kind != stats.Given && q.N == 1 && len(q.Cells) == 1:
		return strings.TrimSpace("1\u00a0run, so no interval. " + Sentence(q.Note))
	case q.Interval == nil:
		return Sentence(cmp.Or(q.Note, "no interval"))
	case q.Kind == stats.RangeOfTwo:
		return "Range of 2\u00a0runs: " + w.Interval() + "."
	case q.Kind == stats.BySearch:
		text = "found by a search, within " + w.Interval()
	case q.Kind == stats.OverSessions:
		text = w.Interval() + ", 95\u202f% interval between " + Count(q.N, "session")
	case q.N > 0:
		text = w.Interval() + ", 95\u202f% interval of " + Count(q.N, "repetition")
	default:
		text = w.Interval() + ", 95\u202f% interval"
	}
	return Sentence(strings.Trim(text+"; "+q.Note, "; "))
}

// Exactly returns the words for a count that was equal in all n repetitions, instead of an interval.
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
