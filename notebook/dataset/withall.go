package dataset

import (
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// WithAll returns d with the repetitions that are left out only by checks that depend on their result. The noise floor
// stays as it is in d.
//
// Source: docs/validity.md#what-becomes-of-an-invalid-repetition.
func (d *Dataset) WithAll() *Dataset {
	type key struct{}
	return Once(d, key{}, func() *Dataset {
		out := &Dataset{Doc: d.Doc, Plan: d.Plan, Host: d.Host, Profile: d.Profile, Own: d.Own, Others: d.Others,
			made: &sync.Map{}, records: d.records, siblings: d.siblings}
		out.Experiments = slice.Map(d.Experiments, (*Experiment).withAll)
		return out
	})
}

func (e *Experiment) withAll() *Experiment {
	out := &Experiment{Plan: e.Plan, Known: e.Known, pairs: e.pairs, all: e.all}
	out.Cells = slice.Map(e.Cells, func(c *Cell) *Cell { return c.withAll(out) })
	if e.Calibration != nil {
		out.Calibration = e.Calibration.withAll(out)
	}
	return out
}

func (c *Cell) withAll(e *Experiment) *Cell {
	out := &Cell{Experiment: e, Trial: c.Trial, State: c.State, Records: c.Records, Run: c.Run, LeftOut: c.LeftOut,
		runs: c.runs, searches: c.searches, results: map[string]Result{}, report: c.Validity().WithAll()}
	out.once.Do(func() {}) // the report is there
	return out
}

// LeftOutByResult counts the repetitions that WithAll brings back for a metric.
func (c *Cell) LeftOutByResult(metric string) int {
	if record.IsSearched(metric) {
		return 0 // it is of no repetition
	}
	return c.Validity().LeftOutByResult(metric)
}
