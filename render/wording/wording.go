// Package wording writes results in words, the same for terminals, Markdown and pages.
package wording

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// ReadingOf is a result as its digits are chosen by.
func ReadingOf(r dataset.Result) Figure {
	e := r.Estimate
	out := Figure{Value: e.Centre, Step: r.Step(), Exact: e.Kind == stats.Exact || e.Kind == stats.Given}
	if !out.Exact && e.Kind != stats.NoInterval {
		out.Lo, out.Hi = e.Interval.Lo, e.Interval.Hi
	}
	return out
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
	q := Quantity{Of: dataset.Quantity{Number: e.Centre, Unit: r.Metric.Unit, Kind: e.Kind, N: e.N}, Unit: u.Unit,
		Decimals: u.Decimals(ReadingOf(r)), WithInterval: true, Exact: e.Kind == stats.Given}
	if e.Kind != stats.NoInterval && e.Kind != stats.Given && e.Kind != stats.Exact {
		q.Of.Interval = &e.Interval
	}
	return q.Text()
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
