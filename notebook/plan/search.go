package plan

import (
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

func (p *planner) tune(d *article.Experiment) []spec.Search {
	var out []spec.Search
	for i := range d.Tune {
		name, s := d.Tune[i].Name, &d.Tune[i].Value
		if !s.Of.IsZero() {
			out = append(out, spec.Search{Name: name.Value, Of: s.Of.Value})
			continue
		}
		one := spec.Search{Name: name.Value, From: 1, To: s.To.V, Maximize: s.Maximize.Value, Budget: s.Budget.V,
			Probes: searchProbes, Patience: searchPatience, Effect: searchEffect}
		if s.From.Known() {
			one.From = s.From.V
		}
		if one.Maximize == "" {
			one.Maximize = "throughput"
			if d.Command != nil {
				one.Maximize = "time.real"
			}
		}
		if p.options.Profile == Quick {
			one.Points = quickPoints
		}
		for _, v := range []article.Value[int]{s.From, s.To} {
			if v.Known() && (v.V < 1 || v.V > 1_000_000) {
				p.problems.Add("wrong-value", v.Text.Pos, "a search goes through numbers from 1 to 1000000, not %d", v.V)
			}
		}
		if s.From.Known() && s.To.Known() && s.From.V > s.To.V {
			p.problems.Add("empty-range", s.From.Text.Pos, "the range from %d to %d is empty", s.From.V, s.To.V).
				Hint = "swap from and to"
		}
		if s.Budget.Known() && s.Budget.V <= 0 {
			p.problems.Add("wrong-value", s.Budget.Text.Pos, "budget has to be more than 0").
				Hint = "write a time, such as 3m"
		}
		out = append(out, one)
	}
	return out
}

func (p *planner) capacity(d *article.Experiment) *spec.Capacity {
	c := d.Capacity
	if c == nil {
		return nil
	}
	if d.Load == nil {
		p.problems.Add("contradiction", c.Pos, "capacity is a rate of requests, and a command makes none").
			Hint = "remove capacity, or replace command by load"
		return nil
	}
	if tool := d.Load.Tool; tool.Known() && tool.V != article.OwnTool {
		p.problems.Add("no-flag", tool.Text.Pos, "%s has no flag for a rate, which a search for a capacity changes", tool.V).
			Hint = "remove tool, or the search"
	}
	for _, missing := range []struct {
		is        bool
		key, hint string
	}{
		{c.SLO.Text.IsZero(), "slo", "add slo: with an objective, such as latency.p99 < 100ms and failed < 0.1%"},
		{!c.From.Set(), "from", "add from: with the lowest rate to try, such as 100/s"},
		{!c.To.Set(), "to", "add to: with the highest rate to try, such as 20000/s"},
	} {
		if missing.is && !c.Tried.Has(missing.key) {
			p.problems.Add("missing-key", c.Pos, "capacity has no %s", missing.key).Hint = missing.hint
		}
	}
	for _, v := range []article.Value[article.PerSecond]{c.From, c.To} {
		if v.Known() && v.V <= 0 {
			p.problems.Add("wrong-value", v.Text.Pos, "a rate has to be more than 0")
		}
	}
	if c.From.Known() && c.To.Known() && c.From.V >= c.To.V {
		p.problems.Add("empty-range", c.From.Text.Pos, "the range from %s to %s is empty", c.From.Text.Value, c.To.Text.Value).
			Hint = "swap from and to"
	}
	return &spec.Capacity{SLO: c.SLO.Text.Value, From: float64(c.From.V), To: float64(c.To.V),
		Step: capacityStep, Repeats: capacityRepeats, Probe: capacityProbe}
}
