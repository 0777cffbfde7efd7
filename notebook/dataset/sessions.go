package dataset

import (
	"cmp"
	"slices"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// OtherSessions returns the datasets of single runs under the shown profile, of this host and others of its class, the
// newest first. The runs of some cells are left out. There are none for cells that were not measured as they are now.
//
// Source: docs/method.md#sessions.
func (d *Dataset) OtherSessions(cells []*Cell) []*Dataset {
	if d.sessions == nil || !AreFresh(cells...) { // nil: it is a session itself
		return nil
	}
	return slice.Filter(d.sessions(), func(s *Dataset) bool {
		return !slices.ContainsFunc(cells, func(c *Cell) bool { return c.Run == s.run })
	})
}

// AreFresh reports whether all cells were measured as they are now.
func AreFresh(cells ...*Cell) bool {
	return !slices.ContainsFunc(cells, func(c *Cell) bool { return c.State != Fresh })
}

// IsLike reports whether a cell of another session is of the same trial and benchmark.
func (c *Cell) IsLike(o *Cell) bool {
	return c.Experiment.Plan.Name == o.Experiment.Plan.Name && c.Trial.Name == o.Trial.Name
}

// addClass adds the records of the host's class under the shown profile, and divides them by run.
func (d *Dataset) addClass(sets []*Dataset) {
	type session struct{ host, run string }
	runs := map[session][]*record.Record{}
	for _, s := range sets {
		if s.Plan == nil || s.Profile != d.Profile || record.ClassOf(s.Host) != record.ClassOf(d.Host) {
			continue
		}
		d.class = append(d.class, s.records...)
		for _, r := range s.records {
			runs[session{s.Host, r.Run}] = append(runs[session{s.Host, r.Run}], r)
		}
	}
	d.sessions = sync.OnceValue(func() (out []*Dataset) {
		for of, records := range runs {
			one := newDataset(d.Doc, d.Plan, SetName{Host: of.host, Profile: d.Profile}, records)
			one.run = of.run
			out = append(out, one)
		}
		slices.SortFunc(out, func(a, b *Dataset) int { return cmp.Compare(b.run, a.run) })
		return out
	})
}

// KnownLooks counts the looks at some cells in all known runs of the class under the profile, whatever the cells were
// then. Before returns, from the first record of a run, the looks that were known when it began: of runs that are gone.
//
// Source: docs/method.md#number-of-looks.
func (d *Dataset) KnownLooks(cells []*Cell, before func(first *record.Record) int) int {
	asked := map[trialID]bool{}
	for _, c := range cells {
		asked[trialID{experiment: c.Experiment.Plan.Name, trial: c.Planned.Name}] = true
	}
	looks, first := map[string]int{}, map[string]*record.Record{} // by run
	for _, r := range d.class {
		if r.Search != nil || !asked[trialID{experiment: r.Experiment, trial: r.Trial}] {
			continue
		}
		looks[r.Run] = max(looks[r.Run], len(r.Looks), 1)
		if f := first[r.Run]; f == nil || r.Started.Before(f.Started) {
			first[r.Run] = r
		}
	}
	sum, most := 0, 0
	for run, n := range looks {
		sum, most = sum+n, max(most, before(first[run])+n)
	}
	return max(sum, most)
}
