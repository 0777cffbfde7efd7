package compare

import (
	"cmp"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// StepLevel is how sure a step has to be: of a thousand pairs of levels that are the same one is told apart.
const StepLevel = 0.001

// A Series is what one metric of a cell came to in one run after another, on one host in one profile.
type Series struct {
	Article string // slug
	Host    string
	Profile string
	Cell    *dataset.Cell // of the last run
	Metric  record.Metric
	Points  []Point // the oldest first
	Steps   []LevelStep
}

// A Point is what one run came to.
type Point struct {
	Moment *Moment
	Result dataset.Result

	cell *dataset.Cell
}

// Revision is what the run was measured from, as record.FactRevision has it; empty if its records do not tell.
func (p *Point) Revision() string { return p.cell.Records[0].Facts[record.FactRevision] }

// A LevelStep is a change of the level of a series that lasts.
type LevelStep struct {
	stats.Step
	Shift       stats.Shift  // by the direction of the metric; NotShown if it may be within the smallest effect
	Differences []Difference // between the last run before it and the first one after it
}

// SeriesOf follows each metric of each cell over the runs of each host and profile, and finds where its level
// changes. It is about the metrics that are named, and about all key metrics that can be better or worse where none
// is. Runs that have not all repetitions of an experiment are left out of its series, and so are cells without a
// value above zero. Moments are those of History.
//
// The error is that of dataset.New, or of definitions that cannot be read.
//
// Source: docs/method.md#steps.
func SeriesOf(moments []*Moment, metrics []string) ([]Series, error) {
	type key struct{ host, profile, experiment, trial, metric, unit, semantics string }
	var out []Series
	at := map[key]int{}
	for _, m := range slices.Backward(moments) {
		d, err := m.Alone()
		if err != nil {
			return nil, err
		}
		for _, e := range d.Experiments {
			if !slices.Contains(m.Whole, e.Plan.Name) {
				continue
			}
			for _, c := range e.Cells {
				for _, metric := range followed(e, metrics) {
					r := c.Metric(metric.Name)
					if len(c.Records) == 0 || r.Missing != "" || !(r.Estimate.Centre > 0) || c.RateGives(metric.Name) {
						continue
					}
					k := key{m.Host, m.Profile, e.Plan.Name, c.Trial.Name, metric.Name, r.Metric.Unit, semanticsOf(c.Records[0])}
					if _, ok := at[k]; !ok {
						at[k] = len(out)
						out = append(out, Series{Article: m.Doc.Slug, Host: m.Host, Profile: m.Profile})
					}
					s := &out[at[k]]
					s.Cell, s.Metric, s.Points = c, r.Metric, append(s.Points, Point{m, r, c})
				}
			}
		}
	}
	for i := range out {
		if err := out[i].findSteps(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// followed are the metrics of an experiment whose history is looked at.
func followed(e *dataset.Experiment, named []string) []record.Metric {
	list := e.KeyMetrics()
	if len(named) > 0 {
		list = nil
		for _, name := range named {
			if m, ok := e.Metric(name); ok {
				list = append(list, m)
			}
		}
	}
	return slices.DeleteFunc(list, func(m record.Metric) bool {
		return record.CountsFailures(m.Name) || m.Better == "" && len(named) == 0
	})
}

func (s *Series) findSteps() error {
	var centres []float64
	for _, p := range s.Points {
		centres = append(centres, p.Result.Estimate.Centre)
	}
	steps, err := stats.Steps(centres, StepLevel)
	if err != nil {
		return err
	}
	for _, step := range steps {
		found := LevelStep{Step: step, Shift: stats.NotShown}
		if d := stats.DefaultSmallestEffect; step.Interval.Lo > 1+d || step.Interval.Hi < 1/(1+d) {
			found.Shift = stats.ShiftOf(step.Ratio > 1, stats.Direction(s.Metric.Better))
		}
		if found.Differences, err = differencesOf(s.Points[step.At-1].cell, s.Points[step.At].cell); err != nil {
			return err
		}
		slices.SortStableFunc(found.Differences, func(a, b Difference) int { return cmp.Compare(a.rank(), b.rank()) })
		for i := range found.Differences {
			found.Differences[i].Cells = []string{}
		}
		s.Steps = append(s.Steps, found)
	}
	return nil
}
