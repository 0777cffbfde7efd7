package dataset

import (
	"fmt"

	"benchbook/notebook/stats"
)

// Floor returns the noise floor that the A/A pair of an experiment shows for a metric. It is false if the experiment
// has no such pair, or the pair has fewer than three valid repetitions on a side or a value of zero.
//
// Source: METHOD.md 5.
func (d *Dataset) Floor(experiment, metric string) (stats.Floor, bool) {
	e, ok := d.Experiment(experiment)
	if !ok {
		return stats.Floor{}, false
	}
	return e.floor(metric)
}

func (e *Experiment) floor(metric string) (stats.Floor, bool) {
	if e.Calibration == nil {
		return stats.Floor{}, false
	}
	original := e.original(e.Calibration.Trial)
	if original == nil {
		return stats.Floor{}, false
	}
	a, b := original.Metric(metric), e.Calibration.Metric(metric)
	if a.Missing != "" || b.Missing != "" {
		return stats.Floor{}, false
	}
	f, err := stats.NoiseFloor([][2]stats.Cell{{a.cell(), b.cell()}}, stats.DefaultAlpha, stats.DefaultSmallestEffect)
	return f, err == nil && f.Pairs > 0
}

// Groups ranks the cells of an experiment by a metric and says which of them can be told apart. Cells are named by
// their trials; those without an estimate are among the left out.
//
// The error is for an unknown experiment or metric, and for a metric of which neither more nor less is better.
//
// Source: METHOD.md 4.
func (d *Dataset) Groups(experiment, metric string) (stats.Grouping, error) {
	e, ok := d.Experiment(experiment)
	if !ok {
		return stats.Grouping{}, fmt.Errorf("ranking by %s: no experiment %q", metric, experiment)
	}
	m, ok := e.metric(metric)
	if !ok {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q: it has no metric %q", e.Plan.Name, metric)
	}
	if m.Better == "" {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q: %s has no better direction", e.Plan.Name, metric)
	}
	var cells []stats.NamedCell
	for _, c := range e.Cells {
		named := stats.NamedCell{Name: c.Trial.Name}
		if r := c.Metric(metric); r.Missing == "" {
			named.Cell = r.cell()
		}
		cells = append(cells, named)
	}
	f, _ := e.floor(metric)
	g, err := stats.Groups(cells, stats.Direction(m.Better), stats.DefaultAlpha, f.F)
	if err != nil {
		return stats.Grouping{}, fmt.Errorf("ranking experiment %q by %s: %w", e.Plan.Name, metric, err)
	}
	return g, nil
}
