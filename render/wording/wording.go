// Package wording writes results in words, the same for terminals, Markdown and pages.
//
// Numbers come in the base units of docs/method.md#definitions (s, 1/s, B, B/s, cores, 1; shares as 0 to 1) and go out
// in the unit that suits their magnitude, with as many digits as a Column of them allows, thousands separated by
// commas, a minus sign (U+2212) and no space at which a line could break between number and unit.
package wording

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// quantityOf is the estimate of a result as a quantity.
func quantityOf(r dataset.Result) dataset.Quantity {
	e := r.Estimate
	q := dataset.Quantity{Number: e.Centre, Unit: r.Metric.Unit, Kind: e.Kind, N: e.N, Step: r.Step()}
	if e.Kind != stats.NoInterval && e.Kind != stats.Given && e.Kind != stats.Exact {
		q.Interval = &e.Interval
	}
	return q
}

// ReadingOf is a result as its digits are chosen by.
func ReadingOf(r dataset.Result) Figure {
	q := quantityOf(r)
	return Reading(&q)
}

// Reading is a quantity as its digits are chosen by.
func Reading(q *dataset.Quantity) Figure {
	out := Figure{Value: q.Number, Step: q.Step, Exact: q.Kind == stats.Exact || q.Kind == stats.Given}
	if q.Interval != nil {
		out.Lo, out.Hi = q.Interval.Lo, q.Interval.Hi
	}
	return out
}

// Estimate writes the centre of a result and its interval, or why it has no interval.
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

// Limit writes what limited a cell or a repetition, after "limited by"; empty if nothing was sampled.
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

// ColumnOf chooses one unit and digits for several results of a metric.
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
