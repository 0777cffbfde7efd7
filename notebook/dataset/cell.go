package dataset

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
)

// State says how what was measured of a cell stands to the article as it is now.
type State int

// The states of cells.
const (
	Fresh   State = iota // measured with the present inputs, all repetitions in one run
	Stale                // measured with an older version only: shown, and marked
	Partial              // the newest run with the present inputs is not finished
	Missing              // not measured
)

// String is the state in the words of a page.
func (s State) String() string {
	return [...]string{"fresh", "measured with an older version", "run not finished", "not measured"}[s]
}

// Cell is one trial of the plan and what was measured of it.
type Cell struct {
	Experiment *Experiment
	Trial      *plan.Trial
	State      State
	// of one run and one key, by repetition; empty if Missing. Of a search for a capacity that one record
	Records []*record.Record
	Run     string   // their run
	LeftOut []string // why files with records of that run, or of later ones, are not among them

	runs []*cellRun // all that measured the trial

	searches map[string]*record.Record // for values of the trial, by name; "" for its capacity

	mu      sync.Mutex
	results map[string]Result       // by metric
	decoded map[string]*record.Bars // by what was decoded

	once   sync.Once // guards report
	report *validity.Report
}

// emptyCell is a cell of which nothing was measured.
func emptyCell(e *Experiment, t *plan.Trial) *Cell {
	return &Cell{Experiment: e, Trial: t, State: Missing, results: map[string]Result{},
		searches: map[string]*record.Record{}}
}

// Validity is what the checks found in the repetitions of the cell.
func (c *Cell) Validity() *validity.Report {
	c.once.Do(func() { c.report = validity.NewReport(c.Records) })
	return c.report
}

// A cellRun is what one run measured of a trial by one key.
type cellRun struct {
	name, key   string
	repetitions map[int]*record.Record
	state       State
	asPlanned   bool // it did what it had planned itself, at least
}

// newCell picks the records of a trial: those of the newest complete run with the present key, else of the newest
// run with that key, else of the newest complete run with another key. Where preferred, a run, is complete too, it
// comes before newer ones: the halves of an A/A pair have to be of one run.
//
// Source: docs/records.md#freshness.
func newCell(e *Experiment, t *plan.Trial, records []*record.Record, preferred string) *Cell {
	if t.Capacity != nil {
		return newCapacityCell(e, t, records)
	}
	c := emptyCell(e, t)
	runs := cellRuns(e, t, records)
	if len(runs) == 0 {
		return c
	}
	// What is to be shown comes first. Runs are named by their start.
	order := map[State]int{Fresh: 0, Partial: 1, Stale: 2}
	best := slices.MinFunc(runs, func(a, b *cellRun) int {
		byState := cmp.Compare(order[a.state], order[b.state])
		if a.state == Stale && b.state == Stale {
			byState = cmp.Compare(boolean(b.asPlanned), boolean(a.asPlanned))
		}
		return cmp.Or(byState, cmp.Compare(boolean(b.name == preferred), boolean(a.name == preferred)),
			cmp.Compare(b.name, a.name), cmp.Compare(b.key, a.key))
	})
	c.State, c.Run = best.state, best.name
	for _, repetition := range slices.Sorted(maps.Keys(best.repetitions)) {
		c.Records = append(c.Records, best.repetitions[repetition])
	}
	c.runs = runs
	return c
}

// cellRuns divides the repetitions of a trial by run and key.
func cellRuns(e *Experiment, t *plan.Trial, records []*record.Record) []*cellRun {
	var out []*cellRun
	for _, r := range records {
		if r.Experiment != e.Plan.Name || r.Trial != t.Name || r.Calibration != t.Calibration || r.Search != nil {
			continue
		}
		i := slices.IndexFunc(out, func(o *cellRun) bool { return o.name == r.Run && o.key == r.Key })
		if i < 0 {
			i = len(out)
			out = append(out, &cellRun{name: r.Run, key: r.Key, repetitions: map[int]*record.Record{}})
		}
		if out[i].repetitions[r.Repetition] == nil {
			out[i].repetitions[r.Repetition] = r
		}
	}
	for _, run := range out {
		run.judge(e, t)
	}
	return out
}

// judge fills in what is left.
func (run *cellRun) judge(e *Experiment, t *plan.Trial) {
	isComplete := func(asked int) bool {
		return record.HasLeast(asked, func(k int) bool { return run.repetitions[k] != nil })
	}
	least := 0
	for _, r := range run.repetitions {
		least = max(least, r.Least())
	}
	run.asPlanned = isComplete(least)
	switch {
	case run.key != t.Key:
		run.state = Stale
	case isComplete(e.Plan.Least()):
		run.state = Fresh
	default:
		run.state = Partial
	}
}

// boolean is 1 for true.
func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Setting gives the text of a parameter or label of the cell; false if it has none of that name.
func (c *Cell) Setting(name string) (string, bool) {
	for _, list := range [...][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
		for _, p := range list {
			if p.Name == name {
				return p.Value, true
			}
		}
	}
	return "", false
}

// Settings gives the names of all parameters and labels of an experiment, parameters first.
func (e *Experiment) Settings() []string {
	e.naming.Do(func() {
		e.names = slices.Clone(e.Plan.Parameters)
		for _, c := range e.Cells {
			for _, p := range slices.Concat(c.Trial.Parameters, c.Trial.Labels) {
				e.names = slice.Add(e.names, p.Name)
			}
		}
	})
	return slices.Clone(e.names)
}

// AllCells are the cells of an experiment and the A/A copy, if there is one.
func (e *Experiment) AllCells() []*Cell {
	if e.Calibration == nil {
		return e.Cells
	}
	return append(slices.Clone(e.Cells), e.Calibration)
}

// leaveOut lets the cells say which of their records are not there, as their files are none. What an older run than
// the one that is shown lacks says nothing of it.
func (d *Dataset) leaveOut(bad []record.Bad) {
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			for _, b := range bad {
				if run, ok := b.IsOf(d.Host, d.Profile, e.Plan.Name, c.Trial.Name); ok && run >= c.Run {
					c.LeftOut = append(c.LeftOut, b.Err.Error())
				}
			}
		}
	}
}

// notMeasured is why the cell has no records.
func (c *Cell) notMeasured() string {
	if len(c.LeftOut) > 0 {
		return notMeasured + strings.Join(c.Circumstances(), "; ")
	}
	return "not measured"
}
