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

// State says how the records of a cell relate to the article as it is now.
type State int

// The states of cells.
const (
	Fresh   State = iota // measured with the present inputs, all repetitions in one run
	Stale                // measured with an older version only: shown, and marked
	Partial              // the newest run with the present inputs is not finished
	Missing              // not measured
)

// String returns the state as pages word it.
func (s State) String() string {
	return [...]string{"fresh", "measured with an older version", "run not finished", "not measured"}[s]
}

// Cell is one trial of the plan with its records, or one benchmark of a trial that runs a benchmark framework.
type Cell struct {
	Experiment *Experiment
	Trial      *plan.Trial // includes the benchmark as a parameter
	Planned    *plan.Trial // the trial as it runs: several cells may share it
	State      State
	Run        string           // that Records come from
	Records    []*record.Record // of one run and key, by repetition; empty if Missing; one for a capacity search
	LeftOut    []string         // errors of unreadable files of Run or a later run

	searches map[string]*record.Record // by the name of the tuned value; "" for the capacity
	report   func() *validity.Report
	withAll  func() *Cell
	results  slice.Memo[string, Result]  // by metric
	decoded  slice.Memo[string, decoded] // by encoded histogram
}

// newCell returns the cell of a trial, or of one of its benchmarks.
func newCell(e *Experiment, t *plan.Trial, benchmark string, shown choice) *Cell {
	c := &Cell{Experiment: e, Trial: t, Planned: t, State: shown.state, Run: shown.run, Records: shown.records,
		searches: map[string]*record.Record{}}
	if benchmark != "" {
		c.Trial = rowOf(t, benchmark)
		c.Records = slice.Map(shown.records, func(r *record.Record) *record.Record { return r.Of(benchmark) })
	}
	c.report = sync.OnceValue(func() *validity.Report { return validity.NewReport(c.Records) })
	c.withAll = sync.OnceValue(func() *Cell {
		all := newCell(e, t, benchmark, shown)
		all.LeftOut, all.searches, all.report = c.LeftOut, c.searches, sync.OnceValue(c.report().WithAll)
		return all
	})
	return c
}

// Validity returns what the checks found in the repetitions of the cell.
func (c *Cell) Validity() *validity.Report { return c.report() }

// WithAll returns the cell with the repetitions that are left out only by checks that depend on their results.
//
// Source: docs/validity.md#what-becomes-of-an-invalid-repetition.
func (c *Cell) WithAll() *Cell { return c.withAll() }

// choice holds the records to show for a trial.
type choice struct {
	state   State
	run     string
	records []*record.Record // by repetition
}

// choose picks the records to show for a trial: the newest complete run with the present key, else the newest run with
// that key, else the newest complete run with another key. Among equals the preferred run beats newer ones, since both
// halves of an A/A pair must come from one run.
//
// Source: docs/records.md#freshness.
func choose(e *plan.Experiment, t *plan.Trial, records []*record.Record, preferred string) choice {
	if t.Capacity != nil {
		return chooseCapacity(t, records)
	}
	type runKey struct{ run, key string }
	runs := map[runKey]map[int]*record.Record{} // by repetition
	for _, r := range records {
		k := runKey{r.Run, r.Key}
		switch {
		case r.Search != nil:
			continue
		case runs[k] == nil:
			runs[k] = map[int]*record.Record{}
		}
		if runs[k][r.Repetition] == nil {
			runs[k][r.Repetition] = r
		}
	}
	if len(runs) == 0 {
		return choice{state: Missing}
	}
	best := slices.MaxFunc(slices.Collect(maps.Keys(runs)), func(a, b runKey) int {
		_, rankA := stateOf(e, t, a.key, runs[a])
		_, rankB := stateOf(e, t, b.key, runs[b])
		// Runs are named by their start.
		return cmp.Or(rankA-rankB, boolean(a.run == preferred)-boolean(b.run == preferred), cmp.Compare(a.run, b.run),
			cmp.Compare(a.key, b.key))
	})
	out := choice{run: best.run}
	out.state, _ = stateOf(e, t, best.key, runs[best])
	for _, i := range slices.Sorted(maps.Keys(runs[best])) {
		out.records = append(out.records, runs[best][i])
	}
	return out
}

// stateOf returns the state of a trial in one run, and its rank: the highest is shown.
func stateOf(e *plan.Experiment, t *plan.Trial, key string, repetitions map[int]*record.Record) (State, int) {
	gapless, planned := record.Gapless(repetitions), 0
	for _, r := range repetitions {
		planned = max(planned, r.Least())
	}
	switch {
	case key == t.Key && gapless >= e.Least():
		return Fresh, 4
	case key == t.Key:
		return Partial, 3
	case gapless >= planned:
		return Stale, 2
	}
	return Stale, 1
}

// Setting returns the text of a parameter or label of the cell.
func (c *Cell) Setting(name string) (string, bool) { return settingOf(c.Trial, name) }

func settingOf(t *plan.Trial, name string) (string, bool) {
	p, ok := slice.Find(slices.Concat(t.Parameters, t.Labels), func(p record.Parameter) bool { return p.Name == name })
	return p.Value, ok
}

// Name returns the cell's name for readers: the values of its parameters, or of the given parameters and labels, in
// plan order. A value that means little by itself gets its parameter: "uvicorn, 4 workers".
func (c *Cell) Name(fields ...string) string {
	list := c.Trial.Parameters
	if len(fields) > 0 {
		list = slices.Concat(list, c.Trial.Labels)
	}
	var words []string
	for _, p := range list {
		switch {
		case p.Value == "" || len(fields) > 0 && !slices.Contains(fields, p.Name):
		case !IsName(p.Value):
			words = append(words, Setting(p.Name, p.Value))
		default:
			words = append(words, p.Value)
		}
	}
	return cmp.Or(strings.Join(words, ", "), c.Trial.Name)
}

// Setting formats a parameter with its value: "1 trip" and "4 workers" for counts, else "pool = 10".
func Setting(name, value string) string {
	isCount := value != "" && strings.Trim(value, "0123456789") == ""
	isPlural := strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ss") && !strings.HasSuffix(name, "us") &&
		!strings.HasSuffix(name, "is") && !strings.ContainsAny(name, "_-.") && name != "series"
	switch {
	case !isCount || !isPlural:
		return name + " = " + value
	case value != "1":
		return value + " " + name
	case strings.HasSuffix(name, "caches"), strings.HasSuffix(name, "cookies"):
		return "1 " + strings.TrimSuffix(name, "s")
	case strings.HasSuffix(name, "ies"):
		return "1 " + strings.TrimSuffix(name, "ies") + "y"
	case strings.HasSuffix(name, "sses"), strings.HasSuffix(name, "xes"), strings.HasSuffix(name, "ches"):
		return "1 " + strings.TrimSuffix(name, "es")
	}
	return "1 " + strings.TrimSuffix(name, "s")
}

// IsName reports whether a value is understood without its parameter: "async", "10 threads", "1 MB", but not "10" or
// "none".
func IsName(value string) bool {
	meaningless := []string{"", "true", "false", "yes", "no", "on", "off", "none", "null"}
	if slices.Contains(meaningless, strings.ToLower(value)) {
		return false
	}
	return strings.Trim(value[:1], "0123456789.-+") != "" || strings.Contains(value, " ")
}

// NameOf returns the name of a cell in a sentence with others: quoted if it has several parts, and with its experiment
// if another cell has a different one.
func NameOf(c *Cell, others ...*Cell) string {
	name := c.Name()
	if strings.Contains(name, ",") {
		name = "“" + name + "”"
	}
	if slices.ContainsFunc(others, func(o *Cell) bool { return o.Experiment != c.Experiment }) {
		name += " of " + c.Experiment.Plan.Name
	}
	return name
}

// leaveOut notes on each cell the unreadable files of its shown run or a later one.
func (d *Dataset) leaveOut(bad []record.Bad) {
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			for _, b := range bad {
				if run, ok := b.IsOf(d.Host, d.Profile, e.Plan.Name, c.Planned.Name); ok && run >= c.Run {
					c.LeftOut = append(c.LeftOut, b.Err.Error())
				}
			}
		}
	}
}

// notMeasured returns why the cell has no records.
func (c *Cell) notMeasured() string {
	if len(c.LeftOut) > 0 {
		return notMeasured + strings.Join(c.Circumstances(), "; ")
	}
	return "not measured"
}
