package dataset

import (
	"fmt"
	"slices"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Circumstances returns phrases on how the cell was measured, for readers.
//
// Source: docs/method.md#words-and-defaults.
func (c *Cell) Circumstances() []string {
	var out []string
	facts := func(name string) []string {
		all := slice.Map(c.Records, func(r *record.Record) string { return r.Facts[name] })
		return slice.Add([]string(nil), slices.DeleteFunc(all, func(fact string) bool { return fact == "" })...)
	}
	if len(facts(record.FactTarget)) > 0 {
		out = append(out, "of a running target")
	}
	for _, services := range facts("shared.services") {
		words := "measured on shared services: " + services
		if n := len(facts("shared.start")); n > 1 {
			words += fmt.Sprintf(", of %d starts", n)
		}
		out = append(out, words)
	}
	if n := len(c.LeftOut); n == 1 {
		out = append(out, "a record was left out: "+c.LeftOut[0])
	} else if n > 1 {
		out = append(out, fmt.Sprintf("%d records were left out, the first: %s", n, c.LeftOut[0]))
	}
	return out
}

// Stalled reports for each value of a result whether a request of its repetition lost a second or more to the network.
//
// Source: docs/method.md#stalls.
func (c *Cell) Stalled(of Result) []bool {
	return slice.Map(of.Repetitions, func(repetition int) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool {
			return r.Repetition == repetition && validity.Stalled(r)
		})
	})
}

// MeasuredAgain counts the repetitions that replaced disturbed ones.
func (e *Experiment) MeasuredAgain() int {
	return slice.Count(RecordsOf(e.AllCells()), func(r *record.Record) bool { return r.Order.Replaces > 0 })
}

// ProbesAgain counts the probes of the experiment's own searches that replaced disturbed ones.
func (e *Experiment) ProbesAgain() (n int) {
	for _, c := range OnePerTrial(e.Cells) {
		for _, r := range c.searches {
			if r.Experiment == e.Plan.Name { // else it was taken over
				n += r.Search.Disturbed()
			}
		}
	}
	return n
}

// LookCount returns the number of planned looks at cells: the most in any of their records, at least 1.
//
// Source: docs/method.md#number-of-looks.
func LookCount(cells []*Cell) int {
	count := 1
	for _, c := range cells {
		for _, r := range c.Records {
			count = max(count, len(r.Looks))
		}
	}
	return count
}

// LookLevel returns the significance level of claims and A/A pairs for a number of looks.
func LookLevel(count int) float64 { return stats.Level(stats.DefaultAlpha, count) }

// LookWords returns the level for a number of looks, and that number, in words.
func LookWords(count int) string {
	return fmt.Sprintf("at %.3g %% for %d looks at the data", 100*LookLevel(count), count)
}

// keepsUp is the share of sent requests that must be answered in time.
const keepsUp = 0.99

// NotRanked is the caveat on ranking values for which IsGivenByRate is true.
const NotRanked = "an open loop that keeps up has the throughput of its rate, so throughput does not rank cells"

// IsGivenByRate reports whether a metric is the throughput of an open loop whose services keep up. Its value is the
// rate of the load and does not make one cell better than another.
func (c *Cell) IsGivenByRate(metric string) bool {
	valid := c.Validity().ValidFor(metric)
	return metric == "throughput" && len(valid) > 0 && !slices.ContainsFunc(valid, func(r *record.Record) bool {
		return !r.IsOpenLoop() || r.Load.Open.Due == 0 || float64(r.Load.Completed) < keepsUp*float64(r.Load.Open.Due)
	})
}

// overloaded returns a caveat that counts the repetitions in which services fell behind an open loop; "" for none.
// Overload is a result, not a fault.
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

// LoadsDiffer reports whether the throughputs of closed-loop cells differ by more than delta: the slower server then
// also had less to do.
//
// Source: docs/claims.md#verdicts.
func LoadsDiffer(cells []*Cell, delta float64) bool {
	var rates []float64
	for _, c := range cells {
		isOpenLoop := slices.ContainsFunc(c.Records, (*record.Record).IsOpenLoop)
		if r := c.Metric("throughput"); r.Missing == "" && c.Trial.Load != nil && !isOpenLoop {
			rates = append(rates, r.Estimate.Centre)
		}
	}
	return len(rates) > 0 && slices.Max(rates) > slices.Min(rates)*(1+delta)
}

// Marks of claims and values, as pages word them.
const (
	markTogether  = "not measured together"
	MarkLoads     = "different loads"
	MarkNoFloor   = "noise floor not measured"
	markFloorPair = "noise floor not measured together"
)

// Marks returns the caveats of a number that is made of cells.
func Marks(cells ...*Cell) []string {
	var out []string
	if !Together(cells) {
		out = append(out, markTogether)
	}
	for _, state := range []State{Stale, Partial} {
		if slices.ContainsFunc(cells, func(c *Cell) bool { return c.State == state }) {
			out = append(out, state.String())
		}
	}
	return out
}

// WhyMissing returns a phrase on which cell lacks a number, and why.
func WhyMissing(c *Cell, r Result) string {
	return fmt.Sprintf("%s, %s: %s", r.Metric.InWords(), NameOf(c), r.Missing)
}
