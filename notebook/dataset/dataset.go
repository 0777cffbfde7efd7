// Package dataset lays the records of an article over its plan.
//
// A Dataset holds the records of one host and profile, and the plan of that profile as the article is now. Every
// planned trial is a Cell, measured or not; a missing, stale or invalid cell has its reason. Records, documents and
// plans are only read, so goroutines can share a Dataset.
//
// Numbers are unrounded and in base units. Invalid repetitions enter no number, and every number without them carries a
// mark. Mistakes in the article are errors, which package check reports; a missing number is a result with its reason.
//
// The rules are in docs/expressions.md, docs/claims.md, docs/records.md and docs/method.md, the statistics in package
// stats.
package dataset

import (
	"slices"
	"sync"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Dataset lays the records of one host and profile over the profile's plan, cell by cell.
type Dataset struct {
	SetName
	Doc         *article.Document
	Plan        *plan.Plan // nil if the article no longer has the profile
	Own         bool       // Host is this machine
	Experiments []*Experiment
	Others      []*Dataset       // sets that are not shown, newest first
	Records     []*record.Record // including earlier runs

	class    []*record.Record  // of all hosts of its class, in the profile
	sessions func() []*Dataset // nil if this is one session
	run      string            // if this is one session
	ofHost   *Dataset          // all sessions of its host, if this is one session

	profiles   func() []*Dataset         // the other profiles, without records
	floors     slice.Memo[string, Floor] // by metric
	joined     slice.Memo[*article.PublishedRow, []*Cell]
	agreements slice.Memo[blockMetric, BlockAgreement]
}

// SetName identifies the records of one host and profile.
type SetName struct {
	Host    string    // as in records
	Profile string    // "full", "quick", …
	Newest  time.Time // start of the newest repetition
}

// Experiment is one experiment of the plan with its cells.
type Experiment struct {
	Plan     *plan.Experiment
	Cells    []*Cell // in the plan's order, without the A/A copy; none if the profile skips the experiment
	Measured record.Measured

	// Known says how far the experiment is known: problems in the article may hide metrics.
	Known article.Knowledge

	data       *Dataset
	copies     []*Cell                         // the A/A copies, one for each benchmark
	pairs      []pair                          // the A/A pairs of the newest run with both halves, else the shown halves
	pairedRuns []string                        // runs of shown cells with both halves, the newest last
	expected   slice.Memo[expectedCell, *Cell] // see withBenchmarks
	settings   []string                        // names of parameters and labels
}

// trialID identifies a trial in records.
type trialID struct {
	experiment, trial string
	isCopy            bool
}

// WithoutRecords returns the dataset of plan p without records.
func WithoutRecords(doc *article.Document, p *plan.Plan) *Dataset {
	return newDataset(doc, p, SetName{}, nil)
}

// newDataset lays records over p, which is nil if the article no longer has the profile.
func newDataset(doc *article.Document, p *plan.Plan, name SetName, records []*record.Record) *Dataset {
	d := &Dataset{SetName: name, Doc: doc, Plan: p, Records: records}
	if p == nil {
		return d
	}
	d.profiles = sync.OnceValue(func() []*Dataset {
		return slice.Map(p.Others(), func(other *plan.Plan) *Dataset { return WithoutRecords(doc, other) })
	})
	byTrial := map[trialID][]*record.Record{}
	for _, r := range records {
		id := trialID{r.Experiment, r.Trial, r.Calibration}
		byTrial[id] = append(byTrial[id], r)
	}
	for _, planned := range p.Experiments {
		d.Experiments = append(d.Experiments, d.newExperiment(planned, func(t *plan.Trial) []*record.Record {
			return byTrial[trialID{planned.Name, t.Name, t.Calibration}]
		}))
	}
	d.takeOver()
	return d
}

func (d *Dataset) newExperiment(planned *plan.Experiment, recordsOf func(*plan.Trial) []*record.Record) *Experiment {
	e := &Experiment{Plan: planned, Known: article.KnowsAll, data: d}
	shown := map[*plan.Trial]choice{}
	var benchmarks []string // in shown records, in the order of the outputs
	for _, t := range planned.Trials {
		if !t.Calibration {
			shown[t] = choose(planned, t, recordsOf(t), "")
			for _, r := range shown[t].records {
				benchmarks = slice.Add(benchmarks, r.Benchmarks()...)
			}
		}
	}
	for _, t := range planned.Trials {
		if t.Calibration {
			continue
		}
		for _, benchmark := range benchmarksOf(t, benchmarks) {
			c := newCell(e, t, benchmark, shown[t])
			c.pickSearches(recordsOf(t))
			e.Cells = append(e.Cells, c)
		}
	}
	e.Measured, e.settings = e.whatIsMeasured(), e.settingNames()
	if twin, ok := slice.Find(planned.Trials, func(t *plan.Trial) bool { return planned.Original(t) != t }); ok {
		e.calibrate(twin, recordsOf)
	}
	return e
}

// OtherProfiles returns the datasets of the article's other profiles, without records.
func (d *Dataset) OtherProfiles() []*Dataset { return d.profiles() }

// Experiment finds an experiment by name; "" finds the only one, if there is exactly one.
func (d *Dataset) Experiment(name string) (*Experiment, bool) {
	if name == "" {
		if len(d.Experiments) != 1 {
			return nil, false
		}
		return d.Experiments[0], true
	}
	return slice.Find(d.Experiments, func(e *Experiment) bool { return e.Plan.Name == name })
}

// Names returns the names of the experiments.
func (d *Dataset) Names() []string {
	return slice.Map(d.Experiments, func(e *Experiment) string { return e.Plan.Name })
}

// AllCells returns the cells of an experiment, then its A/A copies if there are any.
func (e *Experiment) AllCells() []*Cell { return slices.Concat(e.Cells, e.copies) }

// Settings returns the names of all parameters and labels of an experiment, parameters first.
func (e *Experiment) Settings() []string { return slices.Clone(e.settings) }

func (e *Experiment) settingNames() []string {
	names := slices.Clone(e.Plan.Parameters)
	for _, c := range e.Cells {
		for _, p := range slices.Concat(c.Trial.Parameters, c.Trial.Labels) {
			names = slice.Add(names, p.Name)
		}
	}
	return names
}
