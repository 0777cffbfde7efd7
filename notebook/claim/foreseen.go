package claim

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/validity"
	"benchbook/slice"
)

// Foreseen says what will make the results of an article worse than they might be, once for each kind: by its plan, and
// by what was measured of it as it is now.
//
// Source: docs/validity.md#said-beforehand.
func Foreseen(d *dataset.Dataset) []Doubt {
	f := foresight{d: d, known: map[*dataset.Cell]validity.Forecast{}}
	var out []Doubt
	for _, doubt := range []*Doubt{f.fewPairs(), f.headline(shortWindow, f.window,
		", so no headline claim about it is measured", "measure for longer, or with more requests"),
		f.headline(busyGenerator, func(c *dataset.Cell) string { return f.of(c).Generator },
			", and above 80 % no headline claim about it is measured", "give the load more threads, or a lower rate"),
		f.warmup()} {
		if doubt != nil {
			out = append(out, *doubt)
		}
	}
	return out
}

type foresight struct {
	d     *dataset.Dataset
	known map[*dataset.Cell]validity.Forecast
}

// of is what the records of a cell tell; nothing if it was measured with an older version of the article.
func (f *foresight) of(c *dataset.Cell) validity.Forecast {
	known, ok := f.known[c]
	if !ok && c.State != dataset.Stale {
		known = validity.Foresee(c.Records)
	}
	f.known[c] = known
	return known
}

// window says that the window of a cell is too short: by its load, or else by its records. Those of quick say nothing.
func (f *foresight) window(c *dataset.Cell) string {
	if f.d.Plan.Profile == plan.Quick {
		return ""
	}
	if l := c.Trial.Load; l != nil && l.Requests == 0 && l.Duration > 0 {
		return validity.ShortWindow(l.Duration.Seconds())
	}
	return f.of(c).Window
}

// fewestPairs are as many A/A pairs as know the noise floor well.
//
// Source: docs/method.md#the-noise-floor.
const fewestPairs = 3

// fewPairs remarks claims about ratios that few A/A pairs know the noise floor of.
func (f *foresight) fewPairs() *Doubt {
	if f.d.Plan.Profile == plan.Quick {
		return nil
	}
	for _, c := range f.d.Doc.Claims {
		t, err := newTest(f.d, c)
		if err != nil {
			continue
		}
		for _, part := range leaves(t) {
			if _, isRatio := ratioRegion(part); !isRatio {
				continue
			}
			for _, s := range sidesOf(part) {
				pairs, without := f.pairs(s)
				if pairs >= fewestPairs || !needsRepetitions(s) {
					continue
				}
				words, hint := "one A/A pair", "measure some cells again in experiments that extend this one"
				switch {
				case pairs == 0:
					words = "no A/A pair"
				case pairs > 1:
					words = fmt.Sprintf("%d A/A pairs", pairs)
				}
				if len(without) > 0 {
					hint = "remove calibrate: false from " + strings.Join(without, ", ")
				}
				e := s.cells[0].Experiment.Plan
				return &Doubt{IsRemark: true, Rule: fewPairs, at: c.Expect.Text.Pos, experiments: []string{e.Name},
					Words: fmt.Sprintf("the noise floor of %s rests on %s, and three or more would know it better",
						s.metric.InWords(), words), Hint: hint}
			}
		}
	}
	return nil
}

// pairs counts the A/A pairs by the metric of a side, and names experiments that have the metric and no pair. A program
// may print metrics of any name, but not those of a load.
func (f *foresight) pairs(s side) (n int, without []string) {
	isCommand := s.cells[0].Experiment.Measured().Command
	for _, e := range f.d.Experiments {
		switch _, has := e.Metric(s.metric.Name); {
		case !has || len(e.Cells) == 0 || e.Measured().Command != isCommand:
		case e.Calibration != nil:
			n++
		case e.Cells[0].Trial.Capacity == nil:
			without = append(without, e.Plan.Name)
		}
	}
	return n, without
}

// headline doubts a cell of a headline claim about a load.
func (f *foresight) headline(rule string, why func(*dataset.Cell) string, then, hint string) *Doubt {
	var found []*dataset.Cell
	var first *article.Claim
	for _, c := range f.d.Doc.Claims {
		t, err := newTest(f.d, c)
		if err != nil || !c.Headline.V {
			continue
		}
		for _, cell := range cellsOf(t) {
			if why(cell) == "" || slices.Contains(found, cell) {
				continue
			}
			if found = append(found, cell); first == nil {
				first = c
			}
		}
	}
	if first == nil {
		return nil
	}
	return f.doubt(rule, first.Expect.Text.Pos, found, why(found[0])+then, hint)
}

// warmup doubts a load that measures before requests have settled.
func (f *foresight) warmup() *Doubt {
	var found []*dataset.Cell
	for _, e := range f.d.Experiments {
		found = append(found, slice.Filter(e.Cells, func(c *dataset.Cell) bool { return f.of(c).Warmup != "" })...)
	}
	if len(found) == 0 {
		return nil
	}
	return f.doubt(shortWarmup, found[0].Experiment.Plan.Pos, found, f.of(found[0]).Warmup, "warm up for longer")
}

// doubt is one about some cells, the first of which it names.
func (f *foresight) doubt(rule string, at source.Pos, cells []*dataset.Cell, words, hint string) *Doubt {
	name := fmt.Sprintf("%q of experiment %q", cells[0].Trial.Name, cells[0].Experiment.Plan.Name)
	if n := len(cells) - 1; n == 1 {
		name += ", and one more cell"
	} else if n > 1 {
		name += fmt.Sprintf(", and %d more cells", n)
	}
	return &Doubt{Rule: rule, at: at, experiments: []string{cells[0].Experiment.Plan.Name},
		Words: name + ": " + words, Hint: hint}
}
