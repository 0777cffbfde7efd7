package dataset

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// NoPair is the reason for a missing noise floor if no cell is measured twice.
const NoPair = "there is no A/A pair"

// Floor is the noise floor of a metric, from the A/A pairs of all experiments of an article.
type Floor struct {
	stats.Floor
	Missing string // why it is unknown: NoPair, or why a pair cannot be compared: "cell sync: no answers"

	of map[string]stats.PairOfAA // by experiment
}

// pair is one cell measured under two names.
type pair struct{ original, twin *Cell }

// calibrate adds the A/A copies of a cell, one per benchmark, and finds the A/A pairs of all runs with a shown cell.
func (e *Experiment) calibrate(twin *plan.Trial, recordsOf func(*plan.Trial) []*record.Record) {
	original := e.Plan.Original(twin)
	originals := slice.Filter(e.Cells, func(c *Cell) bool { return c.Planned == original })
	copied := choose(e.Plan, twin, recordsOf(twin), originals[0].Run)
	e.copies = slice.Map(originals, func(c *Cell) *Cell { return newCell(e, twin, c.benchmark(), copied) })
	pairsOf := func(of func(*Cell) *Cell) (pairs []pair) {
		for i, c := range originals {
			pairs = append(pairs, pair{of(c), of(e.copies[i])})
		}
		return pairs
	}
	e.pairs = pairsOf(func(shown *Cell) *Cell { return shown })
	measured := slice.Filter(e.Cells, func(c *Cell) bool { return c.State != Missing })
	runs := slice.Map(measured, func(c *Cell) string { return c.Run })
	slices.Sort(runs)
	for _, run := range slices.Compact(runs) {
		pairs := slice.Filter(pairsOf(func(c *Cell) *Cell {
			if c.Run == run {
				return c
			}
			records := slice.Filter(recordsOf(c.Planned), func(r *record.Record) bool { return r.Run == run })
			return newCell(e, c.Planned, c.benchmark(), choose(e.Plan, c.Planned, records, ""))
		}), func(p pair) bool { return p.original.State != Missing && p.twin.State != Missing })
		if len(pairs) > 0 {
			e.pairs, e.pairedRuns = pairs, append(e.pairedRuns, run)
		}
	}
}

// Twins returns the cell that is measured twice in each round, and its second measurement; nil without one. With
// several benchmarks it is the first.
func (e *Experiment) Twins() (original, twin *Cell) {
	if len(e.pairs) == 0 {
		return nil, nil
	}
	return e.pairs[0].original, e.pairs[0].twin
}

// Together reports whether the measured cells come from one run and one experiment. The experiments of a run are
// measured one after another, and the machine may change between them.
func Together(cells []*Cell) bool {
	measured := slice.Filter(cells, func(c *Cell) bool { return c.State != Missing })
	return !slices.ContainsFunc(measured, func(c *Cell) bool {
		return c.Run != measured[0].Run || c.Experiment.Plan.Name != measured[0].Experiment.Plan.Name
	})
}

// Floor returns the noise floor of a metric, from the newest A/A pairs of all experiments on the host. A single session
// uses the floor of its host, so that verdicts do not depend on which session is shown.
//
// Source: docs/method.md#the-noise-floor.
func (d *Dataset) Floor(metric string) Floor {
	if d.ofHost != nil {
		return d.ofHost.Floor(metric)
	}
	return d.floors.Get(metric, func() Floor { return d.measureFloor(metric) })
}

func (d *Dataset) measureFloor(metric string) Floor {
	out := Floor{Missing: NoPair, of: map[string]stats.PairOfAA{}}
	level := stats.DefaultAlpha // lowered to the strictest for the looks at the pairs
	var values [][2]stats.Cell
	var names []string
	for _, e := range d.Experiments {
		for _, p := range e.pairs {
			if why := p.lacks(metric); why != "" {
				if _, has := e.Metric(metric); has || out.Missing == NoPair {
					out.Missing = why
				}
				continue
			}
			values = append(values, [2]stats.Cell{p.original.Metric(metric).Cell(), p.twin.Metric(metric).Cell()})
			names, level = append(names, e.Plan.Name), min(level, LookLevel(LookCount(e.Cells)))
		}
	}
	f, _ := stats.NoiseFloor(values, level, stats.DefaultSmallestEffect) // all cells have an estimate
	if f.Pairs > 0 {
		out.Floor, out.Missing = f, ""
		for i, name := range names { // with several benchmarks, the pair furthest apart
			if of, ok := out.of[name]; !ok || f.Of[i].D > of.D {
				out.of[name] = f.Of[i]
			}
		}
	}
	return out
}

// Pair returns the result of the A/A pair by a metric, or why it is missing: NoPair, or why the halves cannot be
// compared.
func (e *Experiment) Pair(metric string) (p stats.PairOfAA, missing string) {
	if p, ok := e.data.Floor(metric).of[e.Plan.Name]; ok {
		return p, ""
	}
	if len(e.pairs) == 0 {
		return p, NoPair
	}
	return p, e.pairs[0].lacks(metric)
}

// PairIsTogether reports whether both halves of the A/A pair come from one run.
func (e *Experiment) PairIsTogether() bool { return len(e.pairedRuns) > 0 }

// Floor returns the noise floor for numbers made of cells, and a mark: MarkNoFloor if it was not measured, which makes
// it 0, or markFloorPair if the experiment has A/A pairs, but none in a run of the cells.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#the-noise-floor.
func (e *Experiment) Floor(metric string, cells ...*Cell) (f float64, mark string) {
	isPaired := func(c *Cell) bool {
		return c.Experiment == e && c.State != Missing && slices.Contains(e.pairedRuns, c.Run)
	}
	floor := e.data.Floor(metric)
	switch {
	case floor.Missing != "":
		mark = MarkNoFloor
	case len(e.copies) > 0 && !slices.ContainsFunc(cells, isPaired):
		mark = markFloorPair
	}
	return floor.F, mark
}

// lacks returns why the two cells cannot be compared by a metric; "" if they can.
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
