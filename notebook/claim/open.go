package claim

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Open names, by experiment, the trials that go on after a look: those of comparisons that are undecided in a claim
// that is, and those of published numbers whose order is undecided.
//
// Source: docs/method.md#number-of-looks.
func Open(d *dataset.Dataset) map[string][]string {
	out := map[string][]string{}
	add := func(cells []*dataset.Cell) {
		for _, c := range cells {
			name := c.Experiment.Plan.Name
			out[name] = slice.Add(out[name], c.Trial.Name)
		}
	}
	for _, c := range d.Doc.Claims {
		t, err := newTest(d, c)
		if err != nil || isBySearches(t) || unfit(d, c, t) != "" {
			continue // Check has reported it, or no repetition would decide it
		}
		if j := judgeAtLevel(t); !isDecided(j) {
			add(openCells(t, j))
		}
	}
	for _, b := range d.Doc.Published {
		for _, metric := range dataset.MetricsOf(b) {
			if !record.IsSearched(metric) {
				add(d.UndecidedRows(b, metric))
			}
		}
	}
	return out
}

// Touched are the cells that may go on after a look if some are measured: those of claims and published numbers about
// one of them.
func Touched(d *dataset.Dataset, isMeasured func(*dataset.Cell) bool) map[*dataset.Cell]bool {
	out := map[*dataset.Cell]bool{}
	add := func(cells []*dataset.Cell) {
		for _, c := range cells {
			out[c] = out[c] || slices.ContainsFunc(cells, isMeasured)
		}
	}
	for _, c := range d.Doc.Claims {
		if t, err := newTest(d, c); err == nil && !isBySearches(t) {
			add(cellsOf(t))
		}
	}
	for _, b := range d.Doc.Published {
		var cells []*dataset.Cell
		for i := range b.Rows {
			cells = append(cells, d.Join(b, &b.Rows[i])...)
		}
		add(cells)
	}
	return out
}

func isDecided(j Judgement) bool {
	return j.Verdict == stats.Supported || j.Verdict == stats.Contradicted
}

// openCells are those of the comparisons of an undecided test that are not decided in its favour. One that no more
// repetitions would help is not open.
func openCells(t test, j Judgement) []*dataset.Cell {
	group, ok := t.(groupTest)
	if !ok {
		cells := cellsOf(t)
		hasNoRatio := j.Verdict == stats.Inconclusive && j.IsRatio && j.Effect == nil
		if hasNoRatio || j.Verdict == stats.NotMeasured &&
			(slices.ContainsFunc(cells, isHopeless) || !slices.ContainsFunc(cells, hasTooFew)) {
			return nil
		}
		return cells
	}
	var out []*dataset.Cell
	for i, part := range group.parts {
		switch p := j.Parts[i]; {
		case p.Verdict == stats.Supported:
		case isDecided(p):
			out = append(out, cellsOf(part)...)
		default:
			out = append(out, openCells(part, p)...)
		}
	}
	return out
}

// hasTooFew reports whether a cell has fewer valid repetitions than a verdict needs.
func hasTooFew(c *dataset.Cell) bool {
	return len(c.Validity().ValidFor("")) < stats.MinRepetitions
}

// isHopeless reports whether none of the repetitions of a cell is valid, and none was disturbed by the machine: more of
// them would be no better.
func isHopeless(c *dataset.Cell) bool {
	return len(c.Validity().ValidFor("")) == 0 && !slices.ContainsFunc(c.Records,
		func(r *record.Record) bool { _, disturbed := validity.Disturbed(r); return disturbed })
}
