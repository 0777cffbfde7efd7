package outcome

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// nouns are what metrics are called whose titles are no nouns.
var nouns = map[string]string{
	"failed":        "the share of failed requests",
	"generator.cpu": "the load of the generator",
	"bytes.in":      "the rate of received bytes",
	"bytes.out":     "the rate of sent bytes",
	"offered":       "the offered rate",
}

func nounOf(m record.Metric) string {
	if search, ok := strings.CutPrefix(m.Name, "tune."); ok {
		return "the chosen number of " + search
	}
	if _, isOurs := record.LookupMetric(m.Name); isOurs && m.Counted {
		return "the number of " + m.InWords()
	}
	return cmp.Or(nouns[m.Name], m.InWords())
}

// compared names two sides of a claim.
type compared struct {
	within      string // what both have in common, to begin a sentence with: "with 10 clients, "
	noun, other string // the metrics of the first and the second
	a, b        string // "async", "sync"
}

// comparedOf names the sides by what they differ in.
func comparedOf(a, b claim.Side) compared {
	c := compared{noun: nounOf(a.Metric), other: nounOf(b.Metric), a: nameOf(a), b: nameOf(b)}
	if a.Geomean {
		c.noun, c.other = "the geometric mean of "+c.noun, "the geometric mean of "+c.other
	}
	if len(a.Cells) > 1 || len(b.Cells) > 1 {
		return c
	}
	x, y := a.Cells[0], b.Cells[0]
	if x.Experiment != y.Experiment {
		c.a, c.b = dataset.NameOf(x, y), dataset.NameOf(y, x)
		return c
	}
	var apart, common []string
	for _, name := range variedOf(x.Experiment) {
		v, _ := cellview.Field(x, name)
		switch w, _ := cellview.Field(y, name); {
		case v != w:
			apart = append(apart, name)
		case v != "":
			common = append(common, dataset.Setting(name, v))
		}
	}
	if len(apart) == 0 { // two metrics of one cell
		return c
	}
	if len(common) > 0 {
		c.within = "with " + wording.List(common) + ", "
	}
	c.a, c.b = nameBy(x, apart), nameBy(y, apart)
	return c
}

// variedOf lists the parameters that tell the cells of an experiment apart.
func variedOf(e *dataset.Experiment) []string { return cellview.Naming(e.Cells, nil) }

// nameBy names a cell by some of its parameters, in quotes if it has several words.
func nameBy(c *dataset.Cell, fields []string) string {
	name := cellview.Name(c, fields)
	if strings.Contains(name, ",") {
		return "“" + name + "”"
	}
	return name
}

// nameOf names a side: its cell, or the conditions by which the claim picks its cells.
func nameOf(s claim.Side) string {
	if len(s.Cells) == 1 {
		return nameBy(s.Cells[0], variedOf(s.Cells[0].Experiment))
	}
	return cmp.Or(conditions(s.Written), fmt.Sprintf("%d cells", len(s.Cells)))
}

// conditions write the braces of a selector in words: "async with webserver other than daphne".
func conditions(sel *expr.Selector) string {
	if sel == nil {
		return ""
	}
	relations := map[expr.Op]string{expr.Differs: "other than ", expr.Less: "below ", expr.LessEqual: "up to ",
		expr.Greater: "above ", expr.GreaterEqual: "from "}
	var words []string
	for _, m := range sel.Matches {
		switch {
		case m.Name == dataset.ExperimentMatch:
		case relations[m.Op] != "":
			words = append(words, m.Name+" "+relations[m.Op]+m.Value)
		case len(words) == 0 && dataset.IsName(m.Value):
			words = append(words, m.Value)
		default:
			words = append(words, dataset.Setting(m.Name, m.Value))
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return words[0] + " with " + wording.List(words[1:])
}

// A group is cells of one side of a claim over pairs, whose pairs with the other side came out alike.
type group struct {
	cells []*dataset.Cell
	pairs int
	held  int // of the pairs
}

// grade orders groups: all pairs hold, most, some, none.
func (g group) grade() int {
	const most = 0.75
	switch {
	case g.held == g.pairs:
		return 0
	case g.held == 0:
		return 3
	case float64(g.held) >= most*float64(g.pairs):
		return 1
	}
	return 2
}

// words are the count of a group and its cells: "16 of 16 pairs with aiohttp, Daphne and 3 more".
func (g group) words() string {
	const most = 5
	names := slice.Map(g.cells, func(c *dataset.Cell) string { return nameBy(c, variedOf(c.Experiment)) })
	if len(names) > most {
		names = append(names[:most-1], fmt.Sprintf("%d more", len(names)-most+1))
	}
	return fmt.Sprintf("%d of %d pairs with %s", g.held, g.pairs, wording.List(names))
}

// grouped groups the pairs of a claim by the cells of the side that leaves fewer pairs in the minority of their cell.
func grouped(j *claim.Judgement) []group {
	first, impureFirst := groupedBy(j, 0)
	second, impureSecond := groupedBy(j, 1)
	if impureSecond <= impureFirst {
		return second
	}
	return first
}

func groupedBy(j *claim.Judgement, side int) (groups []group, impure int) {
	var single []group
	for i := range j.Parts {
		cell := j.Parts[i].Sides[side].Cells[0]
		at := slices.IndexFunc(single, func(g group) bool { return g.cells[0] == cell })
		if at < 0 {
			at, single = len(single), append(single, group{cells: []*dataset.Cell{cell}})
		}
		single[at].pairs++
		if j.Parts[i].Verdict == stats.Supported {
			single[at].held++
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
	}
	slices.SortStableFunc(groups, func(a, b group) int { return a.grade() - b.grade() })
	return groups, impure
}
