package dataset

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A pair is one cell under two names.
type pair struct{ original, twin *Cell }

// pairsByRun finds the A/A pairs of all runs of which a cell is shown, the newest last.
func (e *Experiment) pairsByRun(twin *plan.Trial, records []*record.Record) []pair {
	original := e.original(twin)
	if original == nil {
		return nil
	}
	var out []pair
	for _, run := range RunsOf(e.Cells) {
		own := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Run != run })
		p := pair{original, e.Calibration}
		if p.original.Run != run {
			p.original = newCell(e, original.Trial, own, "")
		}
		if p.twin.Run != run {
			p.twin = newCell(e, twin, own, "")
		}
		if p.original.State != Missing && p.twin.State != Missing {
			out = append(out, p)
		}
	}
	return out
}

// RunsOf lists the runs that cells are of, sorted; those without records have none.
func RunsOf(cells []*Cell) []string {
	measured := slice.Filter(cells, func(c *Cell) bool { return c.State != Missing })
	runs := slice.Map(measured, func(c *Cell) string { return c.Run })
	slices.Sort(runs)
	return slices.Compact(runs)
}

// Together reports whether the measured ones of some cells, of which numbers are to be compared, are of one run and
// one experiment: the experiments of a run are measured one after another, and the machine may have changed in
// between.
func Together(cells []*Cell) bool {
	var first *Cell
	for _, c := range cells {
		switch {
		case c.State == Missing:
		case first == nil:
			first = c
		case c.Run != first.Run || c.Experiment.Plan.Name != first.Experiment.Plan.Name:
			return false
		}
	}
	return true
}

// NoPair is why an experiment that measures no cell twice has no noise floor.
const NoPair = "there is no A/A pair"

// A Floor is the noise floor of a metric, made of the A/A pairs of all experiments of an article.
type Floor struct {
	stats.Floor
	Missing string // why there is none: NoPair, or what a half of a pair lacks, such as "cell sync: no answers"

	of map[string]stats.PairOfAA // by experiment
}

// allPairs has the A/A pairs of an article.
type allPairs struct {
	experiments []*Experiment
	known       sync.Map // func() Floor, by metric
}

// Floor returns the noise floor of a metric: of the newest A/A pairs of all experiments of the article.
//
// Source: docs/method.md#the-noise-floor.
func (d *Dataset) Floor(metric string) Floor {
	if len(d.Experiments) == 0 {
		return Floor{Missing: NoPair}
	}
	return d.Experiments[0].all.floor(metric)
}

func (a *allPairs) floor(metric string) Floor {
	known, _ := a.known.LoadOrStore(metric, sync.OnceValue(func() Floor { return a.measure(metric) }))
	return known.(func() Floor)()
}

func (a *allPairs) measure(metric string) Floor {
	out := Floor{Missing: NoPair, of: map[string]stats.PairOfAA{}}
	level := stats.DefaultAlpha // the strictest of those that the looks at the pairs leave
	var values [][2]stats.Cell
	var names []string
	for _, e := range a.experiments {
		p, ok := e.newestPair()
		if !ok {
			continue
		}
		if why := p.lacks(metric); why != "" {
			if _, has := e.Metric(metric); has || out.Missing == NoPair {
				out.Missing = why
			}
			continue
		}
		values = append(values, [2]stats.Cell{p.original.Metric(metric).Cell(), p.twin.Metric(metric).Cell()})
		names, level = append(names, e.Plan.Name), min(level, e.level())
	}
	f, err := stats.NoiseFloor(values, level, stats.DefaultSmallestEffect)
	switch {
	case err != nil:
		out.Missing = err.Error()
	case f.Pairs > 0:
		out.Floor, out.Missing = f, ""
		for i, name := range names {
			out.of[name] = f.Of[i]
		}
	}
	return out
}

// newestPair is the A/A pair of the newest run that has both halves, or else what is shown of them; false if there is
// none.
func (e *Experiment) newestPair() (pair, bool) {
	if n := len(e.pairs); n > 0 {
		return e.pairs[n-1], true
	}
	if e.Calibration != nil {
		if original := e.original(e.Calibration.Trial); original != nil {
			return pair{original, e.Calibration}, true
		}
	}
	return pair{}, false
}

// Pair is what the A/A pair of an experiment shows by a metric. Missing is why it shows nothing: NoPair, or what a half
// of it lacks.
func (e *Experiment) Pair(metric string) (p stats.PairOfAA, missing string) {
	if p, ok := e.all.floor(metric).of[e.Plan.Name]; ok {
		return p, ""
	}
	own, ok := e.newestPair()
	if !ok {
		return p, NoPair
	}
	return p, own.lacks(metric)
}

// FloorTogether reports whether both halves of the A/A pair of an experiment are of one run; true if there is none.
func (e *Experiment) FloorTogether() bool {
	if e.Calibration == nil {
		return true
	}
	original := e.original(e.Calibration.Trial)
	return original == nil || Together([]*Cell{original, e.Calibration})
}

// Floor is the noise floor of the article for numbers that are made of some cells. Where none of their runs has an A/A
// pair, that of other ones has to do, and together is false.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#the-noise-floor.
func (e *Experiment) Floor(metric string, cells ...*Cell) (f Floor, together bool) {
	runs := RunsOf(slices.DeleteFunc(slices.Clone(cells), func(c *Cell) bool { return c.Experiment != e }))
	isOfRuns := func(p pair) bool { return slices.Contains(runs, p.original.Run) }
	return e.all.floor(metric), e.Calibration == nil || slices.ContainsFunc(e.pairs, isOfRuns)
}

// lacks is why the two cannot be compared by a metric; empty if they can.
func (p pair) lacks(metric string) string {
	for _, c := range []*Cell{p.original, p.twin} {
		r := c.Metric(metric)
		why := r.Missing
		if kind, _, _ := strings.Cut(why, ": "); kind == "failed" || kind == "invalid" {
			why = kind // the cell itself says more
		}
		switch n := len(r.Values); {
		case why != "":
		case r.slowed != nil:
			why = "disturbed"
		case slices.Min(r.Values) <= 0:
			return "0 has no ratio"
		case n < stats.MinRepetitions:
			why = fmt.Sprintf("needs %d repetitions, has %d", stats.MinRepetitions, n)
		}
		if why != "" {
			return "cell " + c.Trial.Name + ": " + why
		}
	}
	return ""
}

// Groups ranks the cells of an experiment by a metric and says which of them can be told apart. Cells are named by
// their trials; those without an estimate are among the left out.
//
// The error is for an unknown experiment or metric, and for a metric of which neither more nor less is better.
//
// Source: docs/method.md#rank-groups.
func (d *Dataset) Groups(experiment, metric string) (stats.Grouping, error) {
	e, ok := d.Experiment(experiment)
	if !ok {
		return stats.Grouping{}, fmt.Errorf("ranking by %s: no experiment %q", metric, experiment)
	}
	m, ok := e.Metric(metric)
	if !ok {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q: it has no metric %q", e.Plan.Name, metric)
	}
	if m.Better == "" {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q: %s has no better direction", e.Plan.Name, metric)
	}
	if record.IsSearched(metric) {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q: "+
			"%s comes from one search per cell, and letters compare repetitions", e.Plan.Name, m.InWords())
	}
	var cells []stats.NamedCell
	for _, c := range e.Cells {
		named := stats.NamedCell{Name: c.Trial.Name, Given: c.RateGives(metric)}
		if r := c.Metric(metric); r.Missing == "" {
			named.Cell = r.Cell()
		}
		cells = append(cells, named)
	}
	g, err := stats.Groups(cells, stats.Direction(m.Better), e.level(), e.all.floor(metric).F)
	if err != nil {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q by %s: %w", e.Plan.Name, metric, err)
	}
	return g, nil
}
