package dataset

import (
	"slices"
	"strings"

	"benchbook/notebook/record"
)

// A Session is one run under the shown profile, on a host of the shown class.
//
// Source: docs/method.md#sessions.
type Session struct {
	Run  string
	Data *Dataset // of its records alone
}

// Sessions returns all sessions, the newest first: runs of the shown host, and of others of its class.
func (d *Dataset) Sessions() []Session {
	if d.sessions == nil { // it is a session itself
		return nil
	}
	return d.sessions()
}

// divide returns a function that divides sets of one class and profile by run.
func (d *Dataset) divide(sets []*set) func() []Session {
	return func() (out []Session) {
		for _, s := range sets {
			byRun := map[string]*set{}
			for _, r := range s.records {
				if r.Profile != s.Profile { // a search of full runs, which each of the quick ones uses
					continue
				}
				if byRun[r.Run] == nil {
					byRun[r.Run] = &set{SetName: s.SetName, plan: s.plan}
				}
				byRun[r.Run].records = append(byRun[r.Run].records, r)
			}
			for run, of := range byRun {
				out = append(out, Session{run, of.dataset(d.Doc)})
			}
		}
		slices.SortFunc(out, func(a, b Session) int { return strings.Compare(b.Run, a.Run) })
		return out
	}
}

// ofClass returns the sets of a host's class under a profile that the article still has.
func ofClass(sets []*set, host, profile string) []*set {
	return slices.DeleteFunc(slices.Clone(sets), func(s *set) bool {
		return s.plan == nil || s.Profile != profile || record.ClassOf(s.Host) != record.ClassOf(host)
	})
}

// KnownLooks counts the looks at some cells in all known runs of the class under the profile, whatever the cells were
// then. Before returns, from the first record of a run, the looks that were known when it began: of runs that are gone.
//
// Source: docs/method.md#number-of-looks.
func (d *Dataset) KnownLooks(cells []*Cell, before func(first *record.Record) int) int {
	own, first := map[string]int{}, map[string]*record.Record{} // by run
	for _, s := range d.class {
		for _, r := range s.records {
			if r.Profile != s.Profile || r.Search != nil || !slices.ContainsFunc(cells, func(c *Cell) bool {
				return c.Trial.Name == r.Trial && c.Experiment.Plan.Name == r.Experiment
			}) {
				continue
			}
			own[r.Run] = max(own[r.Run], len(r.Looks), 1)
			if first[r.Run] == nil || r.Started.Before(first[r.Run].Started) {
				first[r.Run] = r
			}
		}
	}
	sum, most := 0, 0
	for run, looks := range own {
		sum, most = sum+looks, max(most, before(first[run])+looks)
	}
	return max(sum, most)
}
