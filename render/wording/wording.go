// Package wording writes results in words, for terminals, Markdown and pages alike.
//
// Numbers are in the base units of docs/method.md#definitions (s, 1/s, B, B/s, cores, 1; shares as 0 to 1). They are
// written in the unit that suits their magnitude, with the digits of their Column, commas between thousands, a minus
// sign (U+2212), and a no-break space before the unit.
package wording

import (
	"fmt"
	"math"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// quantityOf converts the estimate of a result to a quantity.
func quantityOf(r dataset.Result) dataset.Quantity {
	e := r.Estimate
	q := dataset.Quantity{Number: e.Centre, Unit: r.Metric.Unit, Kind: e.Kind, N: e.N, Step: r.Step()}
	if e.Kind != stats.NoInterval && e.Kind != stats.Given && e.Kind != stats.Exact {
		q.Interval = &e.Interval
	}
	return q
}

// ReadingOf returns the numbers of a result that determine its digits.
func ReadingOf(r dataset.Result) Figure {
	q := quantityOf(r)
	return Reading(&q)
}

// Reading returns the numbers of a quantity that determine its digits.
func Reading(q *dataset.Quantity) Figure {
	out := Figure{Value: q.Number, Step: q.Step, Exact: q.Kind == stats.Exact || q.Kind == stats.Given}
	if q.Interval != nil {
		out.Lo, out.Hi = q.Interval.Lo, q.Interval.Hi
	}
	return out
}

// Estimate writes the centre and interval of a result, or why it or its interval is missing.
func Estimate(r dataset.Result, u Column) string {
	e := r.Estimate
	switch {
	case r.Missing != "":
		return r.Missing
	case e.Kind == stats.BySearch && r.Metric.Unit != "1/s":
		return u.Tuned(e.Centre, e.Interval.Lo, e.Interval.Hi)
	}
	q := quantityOf(r)
	return Quantity{Of: q, Unit: u.Unit, Decimals: u.Decimals(Reading(&q)), WithInterval: true, Exact: e.Kind == stats.Given}.Text()
}

// NothingFull says that no resource limited a cell.
const NothingFull = "no sampled resource was above 85\u202f%"

// Limit writes what limited a cell or repetition, to follow "limited by"; "" if nothing was sampled.
func Limit(l validity.Limit) string {
	for _, r := range l.Resources {
		if r.Name == l.By {
			return r.Name + " (" + PercentUnit.Quantity(r.Share, 0) + ")"
		}
	}
	if len(l.Resources) == 0 {
		return ""
	}
	return NothingFull
}

// ColumnOf returns the column for writing results of a metric alike.
func ColumnOf(m record.Metric, results ...dataset.Result) Column {
	var centres []float64
	var readings []Figure
	for _, r := range results {
		if r.Missing == "" {
			centres, readings = append(centres, r.Estimate.Centre), append(readings, ReadingOf(r))
		}
	}
	return UnitFor(m.Unit, m.Share, centres...).Column(readings...)
}

// Some joins the first few names and counts the others.
func Some(names []string) string {
	const most = 4
	if len(names) > most+1 {
		return strings.Join(names[:most], "; ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, "; ")
}

// ShortDate writes a day in UTC: "14 Nov 2026".
func ShortDate(t time.Time) string { return t.UTC().Format("2\u00a0Jan\u00a02006") }

// LongDate writes a day in UTC: "14 November 2026".
func LongDate(t time.Time) string { return t.UTC().Format("2\u00a0January\u00a02006") }

// Lasting writes a duration: "4 h 10 min", "48 s".
func Lasting(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", d/time.Second)
	case d.Round(time.Minute) < time.Hour:
		return fmt.Sprintf("%d\u00a0min", d.Round(time.Minute)/time.Minute)
	}
	d = d.Round(time.Minute)
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d\u00a0h", d/time.Hour)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%d\u00a0min", d/time.Hour, d%time.Hour/time.Minute)
}

// Lower lowers the first letter of a title for the middle of a sentence, except in abbreviations.
func Lower(title string) string {
	if len(title) > 1 && title[1] >= 'A' && title[1] <= 'Z' {
		return title // an abbreviation, such as CPU
	}
	for i, r := range title {
		return strings.ToLower(string(r)) + title[i+len(string(r)):]
	}
	return title
}

// WithUnsure writes an invalid value and the reason; without a value, the reason.
func WithUnsure(r dataset.Result) string {
	unsure := Unsure(r)
	if unsure == "" {
		return r.Missing
	}
	why, more, _ := strings.Cut(r.Missing, "; ")
	if more != "" { // tables have all of it
		why += "; and more"
	}
	return unsure + ", " + why
}

// InvalidReason begins the reason of a result that is missing because its cell is invalid.
const InvalidReason = "invalid: "

// Unsure writes the median of the invalid values of a result, with ≥ before a lower bound; "" if there are none.
func Unsure(r dataset.Result) string {
	if len(r.Unsure) == 0 {
		return ""
	}
	v, bound := stats.Median(r.Unsure), ""
	if r.AtLeast {
		bound = "≥\u00a0"
	}
	return bound + UnitFor(r.Metric.Unit, r.Metric.Share, v).Alone(v)
}

// NotMeasured is written instead of a missing number.
const NotMeasured = "not measured"

// Sentence gives words a capital and a full stop.
func Sentence(words string) string {
	words = strings.TrimSuffix(strings.TrimSpace(words), ",")
	if words == "" {
		return ""
	}
	if !strings.ContainsAny(words[len(words)-1:], ".!?") {
		words += "."
	}
	return Capital(words)
}

// Capital capitalizes words, unless they begin with a name such as per_call or cpu.db.
func Capital(words string) string {
	first, _, _ := strings.Cut(words, " ")
	if strings.ContainsAny(strings.TrimRight(first, ".,;:"), "_.") {
		return words
	}
	for i, r := range words {
		return strings.ToUpper(string(r)) + words[i+len(string(r)):]
	}
	return words
}

// Percent writes a share, such as a noise floor, with two significant digits.
func Percent(f float64) string {
	return PercentUnit.Quantity(f, PercentUnit.Decimals(Figure{Value: f, Hi: f}))
}

// Confidence writes the coverage of an interval with error level alpha: "95 %", "99.38 %".
func Confidence(alpha float64) string {
	const step = 1e4 // a hundredth of a per cent
	return PercentUnit.Exact(math.Round((1-alpha)*step) / step)
}
