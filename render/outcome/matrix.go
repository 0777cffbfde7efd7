package outcome

import (
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Matrix shows the pairs of a claim as a table: the cells of its longer side as rows, those of the other as columns.
type Matrix struct {
	Metric  string // what is compared
	IsRatio bool   // numbers are the first side over the second
	ByRow   bool   // the rows are the first side
	Columns []string
	Rows    []MatrixRow
}

// MatrixRow is one cell of a side with its pairs.
type MatrixRow struct {
	Name  string
	Pairs []MatrixPair
}

// MatrixPair is one comparison: its verdict as a sign, and its effect, empty if that is not known.
type MatrixPair struct {
	Verdict      stats.Verdict
	Sign, Effect string
}

// fewestPairs are worth a table.
const fewestPairs = 6

// MatrixOf returns the pairs of a claim over each pair of two lists of cells; nil for other claims.
func MatrixOf(j *claim.Judgement) *Matrix {
	if len(j.Parts) < fewestPairs || len(j.Sides) < 2 {
		return nil
	}
	var sides [2][]*dataset.Cell
	pairs := map[[2]*dataset.Cell]*claim.Judgement{}
	for i := range j.Parts {
		p := &j.Parts[i]
		if len(p.Parts) > 0 || len(p.Sides) != 2 || len(p.Sides[0].Cells) != 1 || len(p.Sides[1].Cells) != 1 {
			return nil
		}
		a, b := p.Sides[0].Cells[0], p.Sides[1].Cells[0]
		sides[0], sides[1] = slice.Add(sides[0], a), slice.Add(sides[1], b)
		pairs[[2]*dataset.Cell{a, b}] = p
	}
	if len(sides[0])*len(sides[1]) != len(j.Parts) || len(pairs) != len(j.Parts) || min(len(sides[0]), len(sides[1])) < 2 {
		return nil
	}
	m := &Matrix{Metric: nounOf(j.Sides[0].Metric), IsRatio: true, ByRow: len(sides[0]) >= len(sides[1])}
	rows, columns := sides[0], sides[1]
	if !m.ByRow {
		rows, columns = columns, rows
	}
	varied := slice.Filter(variedOf(rows[0].Experiment), func(name string) bool {
		return slice.Count(append(rows, columns...), func(c *dataset.Cell) bool {
			return valueOf(c, name) != valueOf(rows[0], name)
		}) > 0
	})
	name := func(c *dataset.Cell) string { return nameBy(c, varied) }
	m.Columns = slice.Map(columns, name)
	for _, row := range rows {
		r := MatrixRow{Name: name(row)}
		for _, column := range columns {
			key := [2]*dataset.Cell{row, column}
			if !m.ByRow {
				key[0], key[1] = column, row
			}
			r.Pairs = append(r.Pairs, m.pair(pairs[key]))
		}
		m.Rows = append(m.Rows, r)
	}
	return m
}

// Signs of verdicts where there is no room for words.
var verdictSigns = map[stats.Verdict]string{stats.Supported: "✓", stats.Stronger: "✓", stats.Contradicted: "✗",
	stats.Inconclusive: "?", stats.NotMeasured: "–"}

func (m *Matrix) pair(p *claim.Judgement) MatrixPair {
	out := MatrixPair{Verdict: p.Outcome(), Sign: verdictSigns[p.Outcome()]}
	if p.Effect == nil || p.Verdict == stats.NotMeasured {
		return out
	}
	e := EffectOf(p)
	if m.IsRatio = m.IsRatio && e.Ratio > 0; e.Ratio > 0 {
		out.Effect = wording.Plain.Number(e.Ratio, wording.Plain.Readable(wording.Figure{Value: e.Ratio}))
	} else {
		out.Effect = e.Text()
	}
	return out
}
