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

// OtherSessions returns the sessions without the runs of some cells.
func (d *Dataset) OtherSessions(cells []*Cell) (out []*Dataset) {
	for _, s := range d.Sessions() {
		if !slices.ContainsFunc(cells, func(c *Cell) bool { return c.Run == s.Run }) {
			out = append(out, s.Data)
		}
	}
	return out
}

// AreFresh reports whether all cells were measured as they are now, or are unavailable.
func AreFresh(cells ...*Cell) bool {
	return !slices.ContainsFunc(cells, func(c *Cell) bool { return c.State != Fresh && c.Trial.Unavailable == "" })
}

// divide returns a function that divides sets of one class and profile by run.
func (d *Dataset) divide(sets []*set) func() []Session {
	return func() (out []Session) {
		for _, s := range sets {
			byRun := map[string]*set{}
			for _, r := range s.records {
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
	if d.looks == nil { // without records
		return 0
	}
	runs, byTrial := map[string]runLooks{}, d.looks()
	for _, c := range cells {
		for run, of := range byTrial[trialID{experiment: c.Experiment.Plan.Name, trial: c.Planned.Name}] {
			runs[run] = runs[run].with(of)
		}
	}
	sum, most := 0, 0
	for _, of := range runs {
		sum, most = sum+of.looks, max(most, before(of.first)+of.looks)
	}
	return max(sum, most)
}

// runLooks are the planned looks at a trial, or at several, in one run, and its first record of them.
type runLooks struct {
	looks int
	first *record.Record
}

func (l runLooks) with(o runLooks) runLooks {
	l.looks = max(l.looks, o.looks)
	if l.first == nil || o.first.Started.Before(l.first.Started) {
		l.first = o.first
	}
	return l
}

// looksByTrial finds the looks of each run at each trial in sets of one class and profile.
func looksByTrial(sets []*set) map[trialID]map[string]runLooks {
	out := map[trialID]map[string]runLooks{}
	for _, s := range sets {
		for _, r := range s.records {
			if r.Search != nil {
				continue
			}
			id := trialID{experiment: r.Experiment, trial: r.Trial}
			if out[id] == nil {
				out[id] = map[string]runLooks{}
			}
			out[id][r.Run] = out[id][r.Run].with(runLooks{max(len(r.Looks), 1), r})
		}
	}
	return out
}
