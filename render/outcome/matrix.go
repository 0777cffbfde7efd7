package outcome

import (
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

// pairsOf returns the comparisons of a claim over each pair of two lists of cells; ok is false for other claims.
func pairsOf(j *claim.Judgement) (sides [2][]*dataset.Cell, pairs map[[2]*dataset.Cell]*claim.Judgement, ok bool) {
	pairs = map[[2]*dataset.Cell]*claim.Judgement{}
	for i := range j.Parts {
		p := &j.Parts[i]
		if len(p.Parts) > 0 || len(p.Sides) != 2 || len(p.Sides[0].Cells) != 1 || len(p.Sides[1].Cells) != 1 {
			return sides, nil, false
		}
		a, b := p.Sides[0].Cells[0], p.Sides[1].Cells[0]
		sides[0], sides[1] = slice.Add(sides[0], a), slice.Add(sides[1], b)
		pairs[[2]*dataset.Cell{a, b}] = p
	}
	return sides, pairs, len(sides[0])*len(sides[1]) == len(j.Parts) && len(pairs) == len(j.Parts)
}

// MatrixOf returns the pairs of a claim over each pair of two lists of cells; nil for other claims.
func MatrixOf(j *claim.Judgement) *Matrix {
	sides, pairs, ok := pairsOf(j)
	if !ok || len(j.Parts) < fewestPairs || len(j.Sides) < 2 || min(len(sides[0]), len(sides[1])) < 2 {
		return nil
	}
	rows, columns, order := sides[0], sides[1], "row over column"
	isByRow := len(rows) >= len(columns)
	if !isByRow {
		rows, columns, order = columns, rows, "column over row"
	}
	varied := slice.Filter(variedOf(rows[0].Experiment), func(name string) bool {
		return slice.Count(append(rows, columns...), func(c *dataset.Cell) bool {
			return valueOf(c, name) != valueOf(rows[0], name)
		}) > 0
	})
	name := func(c *dataset.Cell) string { return nameBy(c, varied) }
	m, isRatio := &Matrix{Columns: slice.Map(columns, name)}, true
	for _, row := range rows {
		r := MatrixRow{Name: name(row)}
		for _, column := range columns {
			key := [2]*dataset.Cell{row, column}
			if !isByRow {
				key[0], key[1] = column, row
			}
			p, hasOther := pairOf(pairs[key])
			isRatio = isRatio && !hasOther
			r.Pairs = append(r.Pairs, p)
		}
		m.Rows = append(m.Rows, r)
	}
	m.Caption = "✓ supported, ✗ contradicted, ? inconclusive, – not measured"
	if isRatio {
		m.Caption = "Number: " + nounOf(j.Sides[0].Metric) + ", " + order + ". " + m.Caption
	}
	return m
}

// verdictSigns replace words in narrow places. Most of many pairs are inconclusive, which has no class.
var verdictSigns = map[stats.Verdict]MatrixPair{stats.Supported: {"is-supported", "✓"}, stats.Stronger: {"is-stronger", "✓"},
	stats.Contradicted: {"is-contradicted", "✗"}, stats.Inconclusive: {"", "?"}, stats.NotMeasured: {"is-none", "–"}}

// pairOf shows a comparison, and reports whether its effect is another number than a ratio.
func pairOf(j *claim.Judgement) (p MatrixPair, hasOther bool) {
	p = verdictSigns[j.Outcome()]
	if j.Effect == nil || j.Verdict == stats.NotMeasured {
		return p, false
	}
	e := EffectOf(j)
	if e.Ratio > 0 {
		p.Words += " " + wording.Plain.Number(e.Ratio, wording.Plain.Readable(wording.Figure{Value: e.Ratio}))
		return p, false
	}
	p.Words += " " + e.Text()
	return p, true
}
