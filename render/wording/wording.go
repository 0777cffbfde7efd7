// Package wording writes results and changes in words, the same for terminals, Markdown and pages.
package wording

import (
	"fmt"
	"math"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/number"
)

// Estimate writes the centre of a result and its interval, or why there is none.
func Estimate(r dataset.Result, u number.Unit) string {
	e := r.Estimate
	switch {
	case r.Missing != "":
		return r.Missing
	case e.Kind == stats.Given:
		return u.Exact(e.Centre)
	case e.Kind == stats.NoInterval:
		return u.Quantity(e.Centre, u.Decimals(e.Centre, math.NaN(), math.NaN())) + " (1 run)"
	case e.Kind == stats.BySearch && r.Metric.Unit == "1/s":
		return u.Capacity(e.Interval.Lo, e.Interval.Hi)
	case e.Kind == stats.BySearch:
		return u.Tuned(e.Centre, e.Interval.Lo, e.Interval.Hi)
	}
	decimals := u.Decimals(e.Centre, e.Interval.Lo, e.Interval.Hi)
	between := u.Range(e.Interval.Lo, e.Interval.Hi, decimals)
	switch e.Kind {
	case stats.RangeOfTwo:
		return fmt.Sprintf("%s (2 runs: %s)", u.Quantity(e.Centre, decimals), between)
	case stats.WithinRun:
		return fmt.Sprintf("%s (1 run; within the run %s)", u.Quantity(e.Centre, decimals),
			u.Between(e.Interval.Lo, e.Interval.Hi, decimals))
	}
	return fmt.Sprintf("%s [%s]", u.Quantity(e.Centre, decimals), between)
}

// NothingFull says that no resource limited a cell.
const NothingFull = "no sampled resource was above 85\u202f%"

// Limit writes what limited a cell or a repetition, after "limited by"; empty if nothing was sampled.
func Limit(l validity.Limit) string {
	for _, r := range l.Resources {
		if r.Name == l.By {
			return r.Name + " (" + number.Percent.Quantity(r.Share, 0) + ")"
		}
	}
	if len(l.Resources) == 0 {
		return ""
	}
	return NothingFull
}

// UnitFor chooses one unit for several results of a metric.
func UnitFor(m record.Metric, results ...dataset.Result) number.Unit {
	var centres []float64
	for _, r := range results {
		if r.Missing == "" {
			centres = append(centres, r.Estimate.Centre)
		}
	}
	return number.For(m.Unit, m.Share, centres...)
}
