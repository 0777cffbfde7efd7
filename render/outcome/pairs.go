package outcome

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// A group is cells of one side of a claim over pairs, whose pairs with the other side came out alike.
type group struct {
	cells         []*dataset.Cell
	pairs         int
	held, against int // of the pairs; the others are undecided or not measured
}

// grade grades a group: 0 all of its pairs hold, 1 most, 2 some or none are decided, 3 all are against the claim.
func (g group) grade() int {
	const most = 0.75
	switch {
	case g.held == g.pairs:
		return 0
	case g.against == g.pairs:
		return 3
	case float64(g.held) >= most*float64(g.pairs):
		return 1
	}
	return 2
}

// names lists the cells of a group: "aiohttp, Daphne and 3 more".
func (g group) names() string {
	const most = 5
	names := slice.Map(g.cells, func(c *dataset.Cell) string { return nameBy(c, variedOf(c.Experiment)) })
	if len(names) > most {
		names = append(names[:most-1], fmt.Sprintf("%d more", len(names)-most+1))
	}
	return wording.List(names)
}

// counted names the cells of a group with the count of its pairs that hold: "a and b (16 of 16)". There is no count
// where each cell is in one pair.
func (g group) counted(of string) string {
	words := g.names()
	if g.pairs > len(g.cells) {
		words += fmt.Sprintf(" (%d of %d%s)", g.held, g.pairs, of)
	}
	return words
}

// grouped groups the pairs of a claim by the cells of its first or second side: by those that explain the outcome
// better, which leave fewer pairs in the minority of their cell. Groups are in the order of their grades, and cells in
// that of the claim.
func grouped(j *claim.Judgement) (groups []group, bySecond bool) {
	first, impureFirst := groupedBy(j, 0)
	second, impureSecond := groupedBy(j, 1)
	if impureSecond <= impureFirst {
		return second, true
	}
	return first, false
}

func groupedBy(j *claim.Judgement, side int) (groups []group, impure int) {
	var single []group
	for i := range j.Parts {
		p := &j.Parts[i]
		cell := p.Sides[side].Cells[0]
		at := slices.IndexFunc(single, func(g group) bool { return g.cells[0] == cell })
		if at < 0 {
			at, single = len(single), append(single, group{cells: []*dataset.Cell{cell}})
		}
		g := &single[at]
		g.pairs++
		switch p.Verdict {
		case stats.Supported:
			g.held++
		case stats.Contradicted:
			g.against++
		}
	}
	for _, g := range single {
		impure += min(g.held, g.pairs-g.held)
		at := slices.IndexFunc(groups, func(other group) bool { return other.grade() == g.grade() })
		if at < 0 {
			groups = append(groups, g)
			continue
		}
		groups[at].cells = append(groups[at].cells, g.cells...)
		groups[at].pairs, groups[at].held = groups[at].pairs+g.pairs, groups[at].held+g.held
		groups[at].against += g.against
	}
	slices.SortStableFunc(groups, func(a, b group) int { return a.grade() - b.grade() })
	return groups, impure
}

// pairs says for which cells of two lists a comparison holds: "throughput was higher for sync than for aiohttp and
// Daphne (16 of 16 pairs); undecided for uvicorn (3 of 8)".
func (s *Sentence) pairs(j *claim.Judgement) {
	n, held, against := len(j.Parts), countOf(j, stats.Supported), countOf(j, stats.Contradicted)
	q, other := quantityOf(j.Sides[0].Metric), quantityOf(j.Sides[1].Metric)
	a, b, common := ofPairs(j.Sides[0], j.Sides[1])
	relation := map[expr.Op]string{expr.Greater: q.higher, expr.Less: q.lower, expr.GreaterEqual: "no " + q.lower,
		expr.LessEqual: "no " + q.higher}[j.Op]
	opposite, isLoose := strings.CutPrefix(relation, "no ")
	noun := q.noun
	compared := func(was, relation, a, b string) string {
		return common + thanOther(noun, other.noun, was, relation, a, b)
	}
	switch {
	case held+against == 0:
		s.add(Value, fmt.Sprintf("none of the %d pairs", n))
		s.say(" is decided by " + noun)
	case n == 1 && held == 0:
		s.say(compared(" was not", relation, a, b))
	case n == 1:
		s.say(compared(" was", relation, a, b))
	case against == n && isLoose:
		s.say(compared(" was", opposite, a, b) + " in ")
		s.add(Value, heldWords(n, n, "pairs"))
	case held == n, against == n:
		s.say(compared(" was", relation, a, b) + " in ")
		s.add(Value, heldWords(held, n, "pairs"))
	default:
		s.groups(j, noun, relation, compared)
	}
}

// groups says for which cells a claim over pairs holds, and what became of the others.
func (s *Sentence) groups(j *claim.Judgement, noun, relation string, compared func(was, relation, a, b string) string) {
	n, held, against := len(j.Parts), countOf(j, stats.Supported), countOf(j, stats.Contradicted)
	a, b, _ := ofPairs(j.Sides[0], j.Sides[1])
	groups, bySecond := grouped(j)
	holding := slice.Filter(groups, func(g group) bool { return g.grade() < 2 })
	if len(holding) == 0 {
		if open := n - held - against; 2*open > n {
			s.add(Value, fmt.Sprintf("%d of %d pairs", open, n))
			s.say(" are undecided")
			if held > 0 {
				s.say("; " + compared(" was", relation, a, b) + fmt.Sprintf(" in %d", held))
			}
			if against > 0 {
				s.say(fmt.Sprintf("; %d %s against it", against, expr.Verb(against, "is", "are")))
			}
			return
		}
		s.say(compared(" was", relation, a, b) + " in ")
		s.add(Value, fmt.Sprintf("%d of %d pairs", held, n))
		s.say("; " + othersOf(j))
		return
	}
	if words := holdingFor(holding); bySecond {
		s.say(compared(" was", relation, a, "for "+words))
	} else {
		s.say(compared(" was", relation, "for "+words, b))
	}
	for _, g := range groups {
		switch {
		case g.grade() < 2:
		case g.grade() == 3:
			s.say("; not for " + g.counted(""))
		case g.against == 0:
			s.say("; undecided for " + g.counted(""))
		default:
			s.say(fmt.Sprintf("; mixed for %s (%d of %d, %d against)", g.names(), g.held, g.pairs, g.against))
		}
	}
}

// thanOther says that a metric of a had a relation to one of b; one noun serves both if it is the same.
func thanOther(noun, other, was, relation, a, b string) string {
	if other != noun {
		return fmt.Sprintf("%s %s%s %s than %s %s", noun, a, was, relation, other, b)
	}
	return fmt.Sprintf("%s%s %s %s than %s", noun, was, relation, a, b)
}

// holdingFor names groups for which a claim holds in all or most pairs.
func holdingFor(groups []group) string {
	words := groups[0].counted(" pairs")
	if groups[0].grade() == 1 {
		words = "most of " + words
	}
	for _, g := range groups[1:] {
		words += ", mostly for " + g.counted("")
	}
	return words
}

// othersOf counts the pairs that do not hold: "27 are undecided, 3 are against it".
func othersOf(j *claim.Judgement) string {
	var words []string
	for _, c := range []struct {
		verdict stats.Verdict
		words   string
	}{{stats.NotMeasured, "not measured"}, {stats.Inconclusive, "undecided"}, {stats.Contradicted, "against it"}} {
		if n := countOf(j, c.verdict); n > 0 {
			words = append(words, fmt.Sprintf("%d %s %s", n, expr.Verb(n, "is", "are"), c.words))
		}
	}
	return strings.Join(words, ", ")
}

// pairsHeld is how many pairs hold, in words that follow "in": "all 16 pairs with aiohttp and Daphne, and 3 of 16 with
// uvicorn".
func pairsHeld(j *claim.Judgement) string {
	n, held := len(j.Parts), countOf(j, stats.Supported)
	groups, _ := grouped(j)
	if held == n || held == 0 || len(groups) == 1 {
		return heldWords(held, n, "pairs")
	}
	return wording.List(slice.Map(groups, func(g group) string {
		return fmt.Sprintf("%d of %d with %s", g.held, g.pairs, g.names())
	}))
}

// decided counts the pairs that hold among those that are decided, "25 of 27 decided pairs", or those that are not if
// they are more: "38 of 40 pairs undecided".
func decided(j *claim.Judgement) string {
	held, against, n := countOf(j, stats.Supported), countOf(j, stats.Contradicted), len(j.Parts)
	switch open := n - held - against; {
	case 2*open > n:
		return fmt.Sprintf("%d of %s undecided", open, expr.Plural(n, "pair"))
	case open == 0:
		return fmt.Sprintf("%d of %s", held, expr.Plural(len(j.Parts), "pair"))
	}
	return fmt.Sprintf("%d of %s", held, expr.Plural(held+against, "decided pair"))
}
