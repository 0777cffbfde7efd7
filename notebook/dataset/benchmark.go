package dataset

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// isFramework reports whether a trial runs a benchmark framework: each of its benchmarks is a cell.
func isFramework(t *plan.Trial) bool { return t.Command != nil && t.Command.Output != "" }

// rowOf returns t with benchmark as a parameter. It is for display and must not be run.
func rowOf(t *plan.Trial, benchmark string) *plan.Trial {
	if name, _ := settingOf(t, record.BenchmarkAxis); name != "" {
		return t // the matrix has this axis
	}
	row := *t
	row.Parameters = append(slices.Clone(t.Parameters), record.Parameter{Name: record.BenchmarkAxis, Value: benchmark})
	switch {
	case len(t.Parameters) > 0:
		row.Name = t.Name + ", " + benchmark
	case t.Calibration:
		row.Name = benchmark + " again"
	default:
		row.Name = benchmark
	}
	return &row
}

// benchmarksOf returns the benchmarks for which t has a cell: the one that its matrix names, else all known ones. A
// single empty name means that t runs no framework, or that none is known.
func benchmarksOf(t *plan.Trial, known []string) []string {
	if name, _ := settingOf(t, record.BenchmarkAxis); isFramework(t) && name != "" {
		return []string{name}
	}
	if !isFramework(t) || len(known) == 0 {
		return []string{""}
	}
	return known
}

// withBenchmarks returns the cells, plus a missing cell for each trial and name that it may turn out to have: the
// benchmarks of a program are unknown until it has run.
func (e *Experiment) withBenchmarks(names []string) []*Cell {
	out := slices.Clone(e.Cells)
	for _, name := range names {
		for _, c := range e.Cells {
			t := c.Planned
			if !isFramework(t) || c.State == Fresh || !record.IsBenchmarkName(name) {
				continue
			}
			isKnown := slices.ContainsFunc(out, func(o *Cell) bool { return o.Planned == t && o.benchmark() == name })
			if !isKnown {
				out = append(out, e.expected.Get(expectedCell{t, name}, func() *Cell {
					return newCell(e, t, name, choice{state: Missing})
				}))
			}
		}
	}
	return out
}

// benchmark returns the cell's benchmark; "" if it runs no framework, or no name is known.
func (c *Cell) benchmark() string {
	if !isFramework(c.Planned) {
		return ""
	}
	name, _ := c.Setting(record.BenchmarkAxis)
	return name
}

// expectedCell identifies the cell of a benchmark that has not run.
type expectedCell struct {
	trial     *plan.Trial
	benchmark string
}

// benchmarksOfWhere returns the benchmarks that a where expression compares with.
func benchmarksOfWhere(where expr.Node) (names []string) {
	expr.Walk(where, func(n expr.Node) bool {
		if b, ok := n.(*expr.Binary); ok {
			for _, sides := range [][2]expr.Node{{b.X, b.Y}, {b.Y, b.X}} {
				axis, isName := sides[0].(*expr.Selector)
				text, isText := sides[1].(*expr.String)
				if isName && isText && axis.Name == record.BenchmarkAxis {
					names = slice.Add(names, text.Value)
				}
			}
		}
		return true
	})
	return names
}

// OnePerTrial returns the first cell of each trial. Cells of other benchmarks have the same repetitions.
func OnePerTrial(cells []*Cell) (out []*Cell) {
	for _, c := range cells {
		if !slices.ContainsFunc(out, func(o *Cell) bool { return o.Planned == c.Planned }) {
			out = append(out, c)
		}
	}
	return out
}

// RecordsOf returns the records of cells without duplicates.
func RecordsOf(cells []*Cell) []*record.Record {
	return slices.Concat(slice.Map(OnePerTrial(cells), func(c *Cell) []*record.Record { return c.Records })...)
}

// lacksBenchmark returns the reason for a missing value if no output has the cell's benchmark; else "".
func (c *Cell) lacksBenchmark() string {
	name := c.benchmark()
	has := func(r *record.Record) bool { return len(r.Benchmarks()) > 0 }
	if name == "" || slices.ContainsFunc(c.Records, has) {
		return ""
	}
	return notMeasured + "the output has no benchmark " + name
}
