package dataset

import (
	"fmt"
	"slices"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// keepsUp is the share of what was sent that has to be answered in time.
const keepsUp = 0.99

// isOpenLoop reports whether the cell's load followed a schedule.
func (c *Cell) isOpenLoop() bool { return slices.ContainsFunc(c.Records, (*record.Record).IsOpenLoop) }

// RateGives reports whether the rate of an open loop gave the cell its value of a metric: its throughput, where it
// answered what was due. Such values differ by how requests fall into a window, so they make no cell better than
// another one.
func (c *Cell) RateGives(metric string) bool {
	if metric != "throughput" {
		return false
	}
	valid, given := c.Validity().For(metric).Valid, false
	for i, r := range c.Records {
		if !valid[i] {
			continue
		}
		if !r.IsOpenLoop() || r.Load.Open.Due == 0 || float64(r.Load.Completed) < keepsUp*float64(r.Load.Open.Due) {
			return false
		}
		given = true
	}
	return given
}

// overloaded says in how many repetitions of an open loop the services did not keep up with what was sent, which is a
// result and no fault; empty if they did in all.
//
// Source: docs/validity.md#checks.
func (c *Cell) overloaded() string {
	n, worst := 0, 1.0
	for _, r := range c.Records {
		if r.Failure != "" || !r.IsOpenLoop() || r.Load.Open.Sent == 0 {
			continue
		}
		if share := float64(r.Load.Completed) / float64(r.Load.Open.Sent); share < keepsUp {
			n, worst = n+1, min(worst, share)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("overloaded in %d of %d repetitions: %s of what was sent was answered in time", n, len(c.Records),
		phrase.PercentBeside(worst, keepsUp))
}

// LoadsDiffer reports whether the throughputs of some cells with closed loops differ by more than delta: there the
// slower server also had less to do.
//
// Source: docs/claims.md#verdicts.
func LoadsDiffer(cells []*Cell, delta float64) bool {
	var rates []float64
	for _, c := range cells {
		if r := c.Metric("throughput"); r.Missing == "" && c.Trial.Load != nil && !c.isOpenLoop() {
			rates = append(rates, r.Estimate.Centre)
		}
	}
	return len(rates) > 0 && slices.Max(rates) > slices.Min(rates)*(1+delta)
}
