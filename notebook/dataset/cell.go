package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
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
	Records    []*record.Record // of one run and one key, by repetition; empty if Missing. Of a search for a capacity that one record
	Run        string           // their run
	LeftOut    []string         // why files with records of that run, or of later ones, are not among them

	searches map[string]*record.Record // for values of the trial, by name; "" for its capacity

	mu      sync.Mutex
	results map[string]Result // by metric
	limit   *Limit
	decoded map[string]*bars // by what was decoded

	assessing sync.Mutex
	assessed  map[string]assessment // by metric

	checking sync.Once // guards checks
	checks   []CheckResult

	once   sync.Once // guards what follows
	looked []look
	drifts []drift
}

// newCell picks the records of a trial: those of the newest complete run with the present key, else of the newest
// run with that key, else of the newest complete run with another key. Where preferred, a run, is complete too, it
// comes before newer ones: the halves of an A/A pair have to be of one run.
//
// Source: docs/records.md#freshness; docs/method.md#number-of-looks, of runs that looks have stopped trials in.
func newCell(e *Experiment, t *plan.Trial, records []*record.Record, preferred string) *Cell {
	if t.Capacity != nil {
		return newCapacityCell(e, t, records)
	}
	type run struct{ name, key string }
	runs := map[run]map[int]*record.Record{}
	for _, r := range records {
		if r.Experiment != e.Plan.Name || r.Trial != t.Name || r.Calibration != t.Calibration || r.Search != nil {
			continue
		}
		id := run{r.Run, r.Key}
		if runs[id] == nil {
			runs[id] = map[int]*record.Record{}
		}
		if runs[id][r.Repetition] == nil {
			runs[id][r.Repetition] = r
		}
	}
	c := &Cell{Experiment: e, Trial: t, State: Missing, results: map[string]Result{}}
	if len(runs) == 0 {
		return c
	}
	state := func(id run) State {
		current := id.key == t.Key && !e.placedOtherwise(runs[id])
		complete := isComplete(e.stops, runs[id], id.name, e.Plan.Name, t.Name, e.Plan.Repetitions)
		if isImported(runs[id]) {
			complete = e.asPlanned(t, runs[id]) == 1 // nobody will measure the others
		}
		switch {
		case current && complete:
			return Fresh
		case current:
			return Partial
		}
		return Stale
	}
	// What is to be shown comes first. Runs are named by their start.
	order := map[State]int{Fresh: 0, Partial: 1, Stale: 2}
	best := slices.MinFunc(slices.Collect(maps.Keys(runs)), func(a, b run) int {
		sa, sb := state(a), state(b)
		byState := cmp.Compare(order[sa], order[sb])
		if sa == Stale && sb == Stale {
			byState = cmp.Compare(e.asPlanned(t, runs[b]), e.asPlanned(t, runs[a]))
		}
		return cmp.Or(byState, cmp.Compare(boolean(b.name == preferred), boolean(a.name == preferred)),
			cmp.Compare(b.name, a.name), cmp.Compare(b.key, a.key))
	})
	c.State, c.Run = state(best), best.name
	for _, repetition := range slices.Sorted(maps.Keys(runs[best])) {
		c.Records = append(c.Records, runs[best][repetition])
	}
	return c
}

// placedOtherwise says that repetitions of a command had other CPUs than it gets now.
func (e *Experiment) placedOtherwise(repetitions map[int]*record.Record) bool {
	of := &plan.Plan{Experiments: []*plan.Experiment{e.Plan}}
	for _, r := range repetitions {
		if of.PlacedOtherwise(r) != "" {
			return true
		}
	}
	return false
}

// isComplete is record.Stops.Complete of repetitions by their numbers.
func isComplete(stops record.Stops, repetitions map[int]*record.Record, run, experiment, trial string, asked int) bool {
	return stops.Complete(run, experiment, trial, asked, func(k int) bool { return repetitions[k] != nil })
}

// isImported says that repetitions were read from output that somebody saved.
func isImported(repetitions map[int]*record.Record) bool {
	for _, r := range repetitions {
		return r.Imported != nil
	}
	return false
}

// asPlanned is 1 if a run did what it had planned itself of a trial, else 0.
func (e *Experiment) asPlanned(t *plan.Trial, repetitions map[int]*record.Record) int {
	for _, r := range repetitions {
		return boolean(isComplete(e.stops, repetitions, r.Run, e.Plan.Name, t.Name, r.Planned))
	}
	return 0
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Failures returns a sentence for each repetition that could not be run, by repetition.
func (c *Cell) Failures() []string {
	var out []string
	for _, r := range c.Records {
		if r.Failure != "" {
			out = append(out, fmt.Sprintf("repetition %d: %s", r.Repetition, r.Failure))
		}
	}
	return out
}

// setting gives the text of a parameter or label of the cell; false if it has none of that name.
func (c *Cell) setting(name string) (string, bool) {
	for _, list := range [][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
		for _, p := range list {
			if p.Name == name {
				return p.Value, true
			}
		}
	}
	return "", false
}

// settings gives the names of all parameters and labels of an experiment, parameters first.
func (e *Experiment) settings() []string {
	e.naming.Do(func() { e.names = e.findSettings() })
	return slices.Clone(e.names)
}

func (e *Experiment) findSettings() []string {
	names := slices.Clone(e.Plan.Parameters)
	for _, c := range e.Cells {
		for _, list := range [][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
			for _, p := range list {
				if !slices.Contains(names, p.Name) {
					names = append(names, p.Name)
				}
			}
		}
	}
	return names
}

// leaveOut lets the cells say which of their records are not there, as their files are none. What an older run than the one that is shown
// lacks says nothing of it.
func (d *Dataset) leaveOut(bad []record.Bad) {
	for _, e := range d.Experiments {
		cells := e.Cells
		if e.Calibration != nil {
			cells = append(slices.Clone(cells), e.Calibration)
		}
		for _, c := range cells {
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
