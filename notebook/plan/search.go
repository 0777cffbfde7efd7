package plan

import (
	"cmp"
	"time"

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

// searches completes what a trial searches for before its repetitions.
func (d *draft) searches() []spec.Search {
	list := d.definition.Tune
	for i := range list {
		s := &list[i]
		if s.Of != "" {
			*s = spec.Search{Name: s.Name, Of: s.Of}
			continue
		}
		if s.Maximize == "" && d.definition.Command != nil {
			s.Maximize = "time.real"
		}
		s.From, s.Maximize = cmp.Or(s.From, 1), cmp.Or(s.Maximize, "throughput")
		s.Probes, s.Patience, s.Effect = searchProbes, searchPatience, searchEffect
		from := d.node.TextAt("tune", s.Name, "from")
		if !from.IsZero() && s.To > 0 && s.From > s.To {
			d.problems.Add("empty-range", from.Pos, "the range from %d to %d is empty", s.From, s.To).
				Hint = "swap from and to"
		}
	}
	return list
}

// capacity completes the search for a capacity of a trial; nil if it has none.
func (d *draft) capacity() *spec.Capacity {
	c, l, n := d.definition.Capacity, d.definition.Load, d.node.Get("capacity")
	switch {
	case c == nil:
		return nil
	case l == nil:
		d.contradiction(n.Text.Pos, "capacity is a rate of requests, and a command makes none",
			"remove capacity, or replace command by load")
		return nil
	case l.Tool != "":
		d.problems.Add("no-flag", d.node.TextAt("load", "tool").Pos, "%s has no flag for a rate, which a capacity search needs",
			l.Tool).Hint = "remove tool, or the search"
	}
	if from, to := n.TextAt("from"), n.TextAt("to"); c.To > 0 && c.From >= c.To {
		d.problems.Add("empty-range", from.Pos, "the range from %s to %s is empty", from.Value, to.Value).
			Hint = "swap from and to"
	}
	c.Step, c.Repeats, c.Probe = capacityStep, capacityRepeats, capacityProbe
	return c
}
