package outcome

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Matrix shows the pairs of a claim as a table: the cells of its longer side as rows, the others as columns.
type Matrix struct {
	Caption string
	Columns []string
	Rows    []MatrixRow
}

// MatrixRow is one cell of a side with its pairs.
type MatrixRow struct {
	Name  string
	Pairs []MatrixPair
}

// MatrixPair is one comparison: its verdict as a sign, and its effect if that is known.
type MatrixPair struct{ Class, Words string }

// fewestPairs are worth a table.
const fewestPairs = 6

// MatrixOf returns the pairs of a claim over each pair of two lists of cells; nil for other claims.
func MatrixOf(j *claim.Judgement) *Matrix {
	if j.Form != claim.Pairs || len(j.Parts) < fewestPairs || len(j.Sides[0].Cells) < 2 || len(j.Sides[1].Cells) < 2 {
		return nil
	}
	rows, columns, order := j.Sides[0].Cells, j.Sides[1].Cells, "row over column"
	part := func(row, column int) *claim.Judgement { return &j.Parts[row*len(columns)+column] }
	if len(rows) < len(columns) {
		rows, columns, order = columns, rows, "column over row"
		part = func(row, column int) *claim.Judgement { return &j.Parts[column*len(rows)+row] }
	}
	all := slices.Concat(rows, columns)
	varied := slice.Filter(variedOf(rows[0].Experiment), func(name string) bool {
		return slices.ContainsFunc(all, func(c *dataset.Cell) bool { return valueOf(c, name) != valueOf(rows[0], name) })
	})
	name := func(c *dataset.Cell) string { return nameBy(c, varied) }
	m := &Matrix{Columns: slice.Map(columns, name), Caption: "Number: " + nounOf(j.Sides[0].Metric) + ", " + order +
		". ✓ supported, ✗ contradicted, ? inconclusive, – not measured"}
	for i, row := range rows {
		r := MatrixRow{Name: name(row)}
		for k := range columns {
			r.Pairs = append(r.Pairs, pairOf(part(i, k)))
		}
		m.Rows = append(m.Rows, r)
	}
	return m
}

// verdictSigns replace words in narrow places. Most of many pairs are inconclusive, which has no class.
var verdictSigns = map[stats.Verdict]MatrixPair{stats.Supported: {"yes", "✓"}, stats.Stronger: {"yes", "✓"},
	stats.Contradicted: {"no", "✗"}, stats.Inconclusive: {"", "?"}, stats.NotMeasured: {"is-none", "–"}}

func pairOf(j *claim.Judgement) MatrixPair {
	p := verdictSigns[j.Outcome()]
	if j.Effect != nil && j.Verdict != stats.NotMeasured {
		ratio := EffectOf(j).Ratio
		p.Words += " " + wording.Plain.Number(ratio, wording.Plain.Readable(wording.Figure{Value: ratio}))
	}
	return p
}
