package dataset

import (
	"cmp"
	"slices"
	"sync"

	"benchbook/notebook/record"
)

// OtherSessions returns the datasets of single runs under the shown profile, of this host and others of its class, the
// newest first. The runs of some cells are left out.
//
// Source: docs/method.md#sessions.
func (d *Dataset) OtherSessions(cells []*Cell) (out []*Dataset) {
	if d.sessions == nil { // it is a session itself
		return nil
	}
	for _, s := range d.sessions() {
		if !slices.ContainsFunc(cells, func(c *Cell) bool { return c.Run == s.run }) {
			out = append(out, s)
		}
	}
	return out
}

// AreFresh reports whether all cells were measured as they are now.
func AreFresh(cells ...*Cell) bool {
	return !slices.ContainsFunc(cells, func(c *Cell) bool { return c.State != Fresh })
}

// addClass adds the records of the host's class under the shown profile, and divides them by run.
func (d *Dataset) addClass(sets []*set) {
	type session struct{ host, run string }
	runs := map[session]*set{}
	for _, s := range sets {
		if s.plan == nil || s.Profile != d.Profile || record.ClassOf(s.Host) != record.ClassOf(d.Host) {
			continue
		}
		for _, r := range s.records {
			of := session{s.Host, r.Run}
			if runs[of] == nil {
				runs[of] = &set{SetName: s.SetName, plan: s.plan}
			}
			runs[of].records = append(runs[of].records, r)
		}
		d.class = append(d.class, s.records...)
	}
	d.sessions = sync.OnceValue(func() (out []*Dataset) {
		for of, s := range runs {
			one := s.dataset(d.Doc)
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
