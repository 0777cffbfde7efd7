package plan

import (
	"cmp"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/spec"
)

// Rules of searches.
//
// Source: docs/searches.md.
const (
	searchProbes    = 3    // of every candidate, short ones; their median counts
	searchPatience  = 2    // candidates running that do not improve
	searchEffect    = 0.05 // that an improvement has to exceed
	capacityStep    = 0.05 // between the bounds in the end
	capacityRepeats = 3    // full repetitions that confirm or refute a bound
	capacityProbe   = 60 * time.Second
)

// searches reads what a trial searches for before its repetitions.
func (p *planner) searches(e *article.Experiment) []spec.Search {
	var out []spec.Search
	for _, named := range e.Tune {
		s := &named.Value
		if !s.Of.IsZero() {
			out = append(out, spec.Search{Name: named.Name.Value, Of: s.Of.Value})
			continue
		}
		one := spec.Search{Name: named.Name.Value, From: 1, To: s.To.V, Maximize: s.Maximize.Value, Budget: s.Budget.V,
			Probes: searchProbes, Patience: searchPatience, Effect: searchEffect}
		if s.From.Known() {
			one.From = s.From.V
		}
		if one.Maximize == "" && e.Command != nil {
			one.Maximize = "time.real"
		}
		one.Maximize = cmp.Or(one.Maximize, "throughput")
		if s.From.Known() && s.To.Known() && s.From.V > s.To.V {
			p.problems.Add("empty-range", s.From.Text.Pos, "the range from %d to %d is empty", s.From.V, s.To.V).
				Hint = "swap from and to"
		}
		out = append(out, one)
	}
	return out
}

// capacity reads the search for a capacity of a trial; nil if it has none.
func (p *planner) capacity(e *article.Experiment) *spec.Capacity {
	c := e.Capacity
	if c == nil {
		return nil
	}
	if e.Load == nil {
		p.problems.Add("contradiction", c.Pos, "capacity is a rate of requests, and a command makes none").
			Hint = "remove capacity, or replace command by load"
		return nil
	}
	if tool := e.Load.Tool; tool.Known() && tool.V != article.OwnTool {
		p.problems.Add("no-flag", tool.Text.Pos, "%s has no flag for a rate, which a capacity search needs", tool.V).
			Hint = "remove tool, or the search"
	}
	needs := func(key string, written bool, hint string) {
		if !written && !c.Tried.Has(key) {
			p.problems.Add("missing-key", c.Pos, "capacity has no %s", key).Hint = hint
		}
	}
	needs("slo", !c.SLO.Text.IsZero(), "add slo: with an objective, such as latency.p99 < 100ms and failed < 0.1%")
	needs("from", c.From.Set(), "add from: with the lowest rate to try, such as 100/s")
	needs("to", c.To.Set(), "add to: with the highest rate to try, such as 20000/s")
	if c.From.Known() && c.To.Known() && c.From.V >= c.To.V {
		p.problems.Add("empty-range", c.From.Text.Pos, "the range from %s to %s is empty", c.From.Text.Value, c.To.Text.Value).
			Hint = "swap from and to"
	}
	return &spec.Capacity{SLO: c.SLO.Text.Value, From: float64(c.From.V), To: float64(c.To.V),
		Step: capacityStep, Repeats: capacityRepeats, Probe: capacityProbe}
}
