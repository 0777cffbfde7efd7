package dataset

import (
	"cmp"
	"slices"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// OtherSessions returns the other sessions in which all of the cells were measured as they are now, newest first: for
// each, a map from the cells to its own. A session is one run under the shown profile, on this host or another of its
// class. Runs of the cells themselves are left out.
//
// Source: docs/method.md#sessions.
func (d *Dataset) OtherSessions(cells []*Cell) (out []map[*Cell]*Cell) {
	isOld := func(c *Cell) bool { return c.State != Fresh }
	if d.sessions == nil || slices.ContainsFunc(cells, isOld) { // nil: d is a session itself
		return nil
	}
	for _, s := range d.sessions() {
		isOwn := slices.ContainsFunc(cells, func(c *Cell) bool { return c.Run == s.run })
		if same := s.freshCells(cells); same != nil && !isOwn {
			out = append(out, same)
		}
	}
	return out
}

// freshCells maps another session's cells to those of d, by trial and benchmark; nil unless all are Fresh.
func (d *Dataset) freshCells(cells []*Cell) map[*Cell]*Cell {
	out := map[*Cell]*Cell{}
	for _, c := range cells {
		e, _ := d.Experiment(c.Experiment.Plan.Name) // the plan is the same
		same, ok := slice.Find(e.Cells, func(o *Cell) bool { return o.Trial.Name == c.Trial.Name })
		if !ok || same.State != Fresh {
			return nil
		}
		out[c] = same
	}
	return out
}

// addClass adds the records of all hosts of the host's class under the shown profile, and groups them by run.
func (d *Dataset) addClass(sets []*Dataset) {
	type session struct{ host, run string }
	runs, hosts := map[session][]*record.Record{}, map[string]*Dataset{}
	for _, s := range sets {
		if s.Plan == nil || s.Profile != d.Profile || record.ClassOf(s.Host) != record.ClassOf(d.Host) {
			continue
		}
		d.class, hosts[s.Host] = append(d.class, s.Records...), s
		for _, r := range s.Records {
			runs[session{s.Host, r.Run}] = append(runs[session{s.Host, r.Run}], r)
		}
	}
	d.sessions = sync.OnceValue(func() (out []*Dataset) {
		for of, records := range runs {
			one := newDataset(d.Doc, d.Plan, SetName{Host: of.host, Profile: d.Profile}, records)
			one.run, one.ofHost = of.run, hosts[of.host]
			out = append(out, one)
		}
		slices.SortFunc(out, func(a, b *Dataset) int { return cmp.Compare(b.run, a.run) })
		return out
	})
}

// KnownLooks counts the looks at cells in all known runs of the class under the profile, even looks at older versions.
// Before returns how many looks were known when a run began, from its first record: they may be of runs that are gone.
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
