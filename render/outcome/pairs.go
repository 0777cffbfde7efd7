package outcome

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// A group holds cells of one side of a claim over pairs whose pairs have similar outcomes.
type group struct {
	cells         []*dataset.Cell
	pairs         int
	held, against int // pairs supported and contradicted
}

// grade returns 0 if all pairs hold, 1 if most do, 2 if none contradicts the claim, 4 if all do, otherwise 3.
func (g group) grade() int {
	const most = 0.75
	switch {
	case g.held == g.pairs:
		return 0
	case g.against == g.pairs:
		return 4
	case float64(g.held) >= most*float64(g.pairs):
		return 1
	case g.against > 0:
		return 3
	}
	return 2
}

// names lists the first cells of a group: "aiohttp, Daphne and 3 more".
func (g group) names() string {
	const most = 5
	names := slice.Map(g.cells, nameOf)
	if len(names) > most {
		names = append(names[:most-1], fmt.Sprintf("%d more", len(names)-most+1))
	}
	return phrase.List(names)
}

// counted names the cells of a group and counts the pairs that hold: "a and b (16 of 16)". It omits the count if each
// cell has only one pair.
func (g group) counted(of string) string {
	words := g.names()
	if g.pairs > len(g.cells) {
		words += fmt.Sprintf(" (%d of %d%s)", g.held, g.pairs, of)
	}
	return words
}

// grouped groups the pairs of a claim by the cells of its first or second side. It takes the side that explains the
// outcome better: with fewer pairs that deviate from the majority of their cell. Groups are sorted by grade.
func grouped(j *claim.Judgement) (groups []group, bySecond bool) {
	first, impureFirst := groupedBy(j, 0)
	second, impureSecond := groupedBy(j, 1)
	if impureSecond <= impureFirst {
		return second, true
	}
	return first, false
}

func groupedBy(j *claim.Judgement, side int) (groups []group, impure int) {
	var single []group // of one cell each
	for _, p := range j.Parts {
		cell := p.Sides[side].Cells[0]
		g := slice.FindOrAdd(&single, func(g group) bool { return g.cells[0] == cell }, group{cells: []*dataset.Cell{cell}})
		g.pairs++
		switch p.Verdict {
		case stats.Supported:
			g.held++
		case stats.Contradicted:
			g.against++
		}
	}
	groups = make([]group, 5) // by grade
	for _, g := range single {
		impure += min(g.held, g.pairs-g.held)
		all := &groups[g.grade()]
		all.cells = append(all.cells, g.cells...)
		all.pairs, all.held, all.against = all.pairs+g.pairs, all.held+g.held, all.against+g.against
	}
	return slices.DeleteFunc(groups, func(g group) bool { return g.pairs == 0 }), impure
}

// A pairing has the words that compare the two lists of a claim over pairs.
type pairing struct {
	common, noun, other string
	relation, a, b      string
}

// said states a relation between a and b: "throughput was higher for a than for b".
func (p pairing) said(relation, a, b string) string {
	if p.other != p.noun {
		return fmt.Sprintf("%s%s %s was %s than %s %s", p.common, p.noun, a, relation, p.other, b)
	}
	return fmt.Sprintf("%s%s was %s %s than %s", p.common, p.noun, relation, a, b)
}

// pairs is the clause of a claim over pairs: "throughput was higher for sync than for aiohttp and Daphne (16 of 16
// pairs); undecided for uvicorn".
func pairs(j *claim.Judgement) string {
	n, held, against := len(j.Parts), countOf(j, stats.Supported), countOf(j, stats.Contradicted)
	q := quantityOf(j.Sides[0].Metric)
	p := pairing{noun: nounOf(j.Sides[0].Metric), other: nounOf(j.Sides[1].Metric), relation: map[expr.Op]string{
		expr.Greater: q.higher, expr.Less: q.lower, expr.GreaterEqual: "no " + q.lower, expr.LessEqual: "no " + q.higher}[j.Op]}
	p.a, p.b, p.common = ofPairs(j.Sides[0], j.Sides[1])
	opposite, isLoose := strings.CutPrefix(p.relation, "no ")
	switch {
	case n == 1:
		return clause(&j.Parts[0])
	case held+against == 0:
		return "it is open in " + marked(value, heldWords(n, n, "pairs")) + " whether " + p.said(p.relation, p.a, p.b)
	case against == n && isLoose:
		return p.said(opposite, p.a, p.b) + " in " + marked(value, heldWords(n, n, "pairs"))
	case held == n, against == n:
		return p.said(p.relation, p.a, p.b) + " in " + marked(value, heldWords(held, n, "pairs"))
	}
	return groupsClause(j, p)
}

// groupsClause says for which cells a claim over pairs holds, and the outcome of the others.
func groupsClause(j *claim.Judgement, p pairing) string {
	n, held, against := len(j.Parts), countOf(j, stats.Supported), countOf(j, stats.Contradicted)
	groups, bySecond := grouped(j)
	holding := slice.Filter(groups, func(g group) bool { return g.grade() < 2 })
	a, b := p.a, p.b
	switch open := n - held - against; {
	case len(holding) > 0 && bySecond:
		b = "for " + holdingFor(holding)
	case len(holding) > 0:
		a = "for " + holdingFor(holding)
	case 2*open > n && held > 0:
		words := marked(value, fmt.Sprintf("%d of %d pairs", open, n)) + " are undecided; " + p.said(p.relation, a, b) +
			fmt.Sprintf(" in %d", held)
		if against > 0 {
			words += fmt.Sprintf("; %d %s not so", against, phrase.Verb(against, "is", "are"))
		}
		return words
	default:
		return p.said(p.relation, a, b) + " in " + marked(value, heldWords(held, n, "pairs")) + "; " + othersOf(j)
	}
	words := p.said(p.relation, a, b)
	for _, g := range groups[len(holding):] {
		switch {
		case g.grade() == 4:
			words += "; not for " + g.counted("")
		case g.grade() == 2 && g.held > 0:
			words += fmt.Sprintf("; decided in %d of %d for %s", g.held, g.pairs, g.names())
		case g.grade() == 2 && g.pairs > len(g.cells):
			words += fmt.Sprintf("; undecided for %s (all %d)", g.names(), g.pairs)
		case g.grade() == 2:
			words += "; undecided for " + g.names()
		case g.held == 0:
			words += fmt.Sprintf("; undecided or not so for %s (%d of %d not so)", g.names(), g.against, g.pairs)
		default:
			words += fmt.Sprintf("; mixed for %s (%d of %d, %d not so)", g.names(), g.held, g.pairs, g.against)
		}
	}
	return words
}

// holdingFor names groups for which a claim holds in all or most pairs.
func holdingFor(groups []group) string {
	words := groups[0].counted(" pairs")
	if groups[0].grade() == 1 && len(groups[0].cells) > 1 {
		words = "most of " + words
	}
	for _, g := range groups[1:] {
		words += ", mostly for " + g.counted("")
	}
	return words
}

// othersOf counts the pairs that don't hold: "27 are undecided, 3 are not so".
func othersOf(j *claim.Judgement) string {
	var words []string
	for _, c := range []struct {
		verdict stats.Verdict
		words   string
	}{{stats.NotMeasured, "not measured"}, {stats.Inconclusive, "undecided"}, {stats.Contradicted, "not so"}} {
		if n := countOf(j, c.verdict); n > 0 {
			words = append(words, fmt.Sprintf("%d %s %s", n, phrase.Verb(n, "is", "are"), c.words))
		}
	}
	return strings.Join(words, ", ")
}

// pairsHeld says how many pairs hold, to follow "in": "all 16 pairs", "16 of 16 with aiohttp and Daphne, and 3 of 16
// with uvicorn".
func pairsHeld(j *claim.Judgement) string {
	n, held := len(j.Parts), countOf(j, stats.Supported)
	groups, _ := grouped(j)
	if held == n || held == 0 || len(groups) == 1 {
		return heldWords(held, n, "pairs")
	}
	return phrase.List(slice.Map(groups, func(g group) string {
		return fmt.Sprintf("%d of %d with %s", g.held, g.pairs, g.names())
	}))
}

// decidedCount says how many of the decided pairs hold, "25 of 27 decided pairs", or how many are undecided if most
// are: "38 of 40 pairs undecided".
func decidedCount(j *claim.Judgement) string {
	held, against, n := countOf(j, stats.Supported), countOf(j, stats.Contradicted), len(j.Parts)
	switch open := n - held - against; {
	case 2*open > n:
		return fmt.Sprintf("%d of %s undecided", open, phrase.Count(n, "pair"))
	case open == 0:
		return fmt.Sprintf("%d of %s", held, phrase.Count(n, "pair"))
	}
	return fmt.Sprintf("%d of %s", held, phrase.Count(held+against, "decided pair"))
}

// Matrix is a table of the pairs of a claim: the cells of its longer side are rows, the others columns.
type Matrix struct {
	Caption string
	Columns []string
	Rows    []MatrixRow
}

// MatrixRow is a cell of the longer side with its pairs.
type MatrixRow struct {
	Name  string
	Pairs []MatrixPair
}

// MatrixPair is a comparison: the sign of its verdict and its ratio, if known.
type MatrixPair struct{ Class, Words string }

// fewestPairs is how many pairs are worth a table.
const fewestPairs = 6

// MatrixOf returns the matrix of a claim over pairs; nil for other claims, few pairs, and sides of one cell.
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

// verdictSigns stands for verdicts in a matrix. Inconclusive has no class, to save space: it is the most common.
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
