package render

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/render/cellview"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

type valueView struct {
	ID       string
	Missing  bool
	Given    bool // by others: nothing was measured for it
	Constant bool // nobody published or measured it
	Text     string
	Raw      string // unrounded, in the base unit
	Heading  string
	Interval string
	Source   string // the expression, where there is no number
	Origin   string
	Shown    *link
}

// evaluator evaluates the expressions of an article and keeps what it was asked.
type evaluator struct {
	d       *dataset.Dataset
	doc     *article.Document
	results *claim.Results
	numbers map[string]string // of tables and figures by their labels, such as "Figure 2"
	used    []used
}

// Value shows the value of an expression, with a tooltip that says where it comes from.
func (c *composer) Value(in expr.Inline) template.HTML {
	v := c.evaluate(in)
	c.nextID++
	v.ID = prose.ValueID + strconv.Itoa(c.nextID)
	return c.Fill("value", v)
}

// evaluate computes an expression.
func (ev *evaluator) evaluate(in expr.Inline) valueView {
	source := in.Expr.String()
	q, err := ev.d.Eval(in.Expr, "")
	if err != nil {
		v := valueView{Missing: true, Text: wording.NotMeasured, Heading: "Not measured",
			Interval: wording.Sentence(err.Error()), Source: source}
		if unsure := ev.unsure(in.Expr); unsure != "" {
			v.Text, v.Heading = unsure+" (not valid)", "Not valid"
		}
		return v
	}
	ev.use(in.Expr, "")
	w := ev.quantityOf(in, q)
	v := valueView{Text: w.Text(), Raw: strconv.FormatFloat(q.Number, 'g', -1, 64), Heading: cmp.Or(q.What, source),
		Interval: w.IntervalSentence(), Shown: ev.shownAt(in.Expr, q.Cells)}
	v.Given, v.Constant = len(q.Cells) == 0, len(q.Cells) == 0 && q.Note == ""
	o := cellview.OriginOf(q.Cells)
	names := cellview.SortedSet(slice.Map(q.Cells, func(cell *dataset.Cell) string { return cell.Name() }))
	if len(names) > 0 && len(names) <= 3 {
		v.Origin = "cells " + strings.Join(names, "; ") + ", "
		if len(names) == 1 {
			v.Origin = "cell " + names[0] + ", "
		}
	}
	v.Origin = wording.Sentence(v.Origin + o.Where())
	return v
}

// unsure returns the value of a metric of a cell that is not valid; empty for any other expression.
func (ev *evaluator) unsure(n expr.Node) string {
	n, err := ev.d.Expand(n)
	sel, ok := n.(*expr.Selector)
	if err != nil || !ok {
		return ""
	}
	picked, err := dataset.Scope{Data: ev.d}.Pick(sel)
	if cells := picked.Cells; err == nil && len(cells) == 1 {
		return wording.Unsure(cells[0].Metric(sel.Name))
	}
	return ""
}

// use notes the metrics of an expression, whose noise floors matter; experiment is the one of selectors that name none,
// "" for any.
func (ev *evaluator) use(n expr.Node, experiment string) {
	ev.useWithin(n, experiment, len(ev.doc.Front.Values))
}

// useWithin follows names of values up to a depth, as a value may refer to itself, which is an error of the article.
func (ev *evaluator) useWithin(n expr.Node, experiment string, names int) {
	for _, s := range expr.Selectors(n) {
		if to := ev.resolved(s); to != expr.Node(s) {
			if names > 0 {
				ev.useWithin(to, experiment, names-1)
			}
			continue
		}
		of := experiment
		for _, m := range s.Matches {
			if m.Name == "experiment" && m.Op == expr.Equal {
				of = m.Value
			}
		}
		ev.used = slice.Add(ev.used, (used{of, s.Name}))
	}
}

type used struct{ experiment, metric string }

// quantityOf is wording.QuantityOf an expression; published values are written with all their digits.
func (ev *evaluator) quantityOf(in expr.Inline, q dataset.Quantity) wording.Quantity {
	w := wording.QuantityOf(q, in.Filters)
	w.Exact = isCall(ev.resolved(in.Expr), "published") &&
		!slices.ContainsFunc(in.Filters, func(f expr.Filter) bool { return f.Name == "round" })
	return w
}

// resolved replaces the name of a value of the front matter by its expression.
func (ev *evaluator) resolved(n expr.Node) expr.Node {
	for range len(ev.doc.Front.Values) { // a value may name another; each is passed at most once
		s, ok := n.(*expr.Selector)
		if !ok || len(s.Matches) > 0 {
			return n
		}
		i := slices.IndexFunc(ev.doc.Front.Values, func(v article.Named[article.Expression]) bool {
			return v.Name.Value == s.Name
		})
		if i < 0 || ev.doc.Front.Values[i].Value.Node == nil {
			return n
		}
		n = ev.doc.Front.Values[i].Value.Node
	}
	return n
}

func isCall(n expr.Node, name string) bool {
	call, ok := n.(*expr.Call)
	return ok && call.Name == name
}

// shownAt finds the table, else the figure, that shows the cells behind an expression.
func (ev *evaluator) shownAt(n expr.Node, cells []*dataset.Cell) *link {
	metric := ev.metricOf(n)
	if len(cells) == 0 || metric == "" {
		return nil
	}
	for _, t := range ev.doc.Tables {
		if ev.Applies(t.Part) && slices.Contains(article.Texts(t.Columns), metric) &&
			ev.contains(t.Experiment.Value, t.Where.Node, cells) {
			return &link{"#" + t.Label.Value, ev.numbers[t.Label.Value]}
		}
	}
	if f := ev.figureOf(metric, cells); f != nil {
		return &link{"#" + f.Label.Value, ev.numbers[f.Label.Value]}
	}
	return nil
}

// metricOf is the first metric of an expression; empty if it has none.
func (ev *evaluator) metricOf(n expr.Node) string {
	selectors := expr.Selectors(ev.resolved(n))
	if len(selectors) == 0 {
		return ""
	}
	if s, ok := ev.resolved(selectors[0]).(*expr.Selector); ok {
		return s.Name
	}
	return ev.resolved(selectors[0]).String()
}

// figureOf finds the first figure that shows a metric of cells; nil if there is none.
func (ev *evaluator) figureOf(metric string, cells []*dataset.Cell) *article.Figure {
	for _, f := range ev.doc.Figures {
		if ev.Applies(f.Part) && f.Shows(metric) && ev.contains(f.Experiment.Value, f.Where.Node, cells) {
			return f
		}
	}
	return nil
}

// contains reports whether a table or figure shows all of the cells.
func (ev *evaluator) contains(experiment string, where expr.Node, cells []*dataset.Cell) bool {
	shown, _, err := ev.selectCells(experiment, where)
	return err == nil && !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool {
		return !slices.Contains(shown, cell)
	})
}

// selectCells returns the cells of an experiment that fulfil where, which may be nil.
func (ev *evaluator) selectCells(experiment string, where expr.Node) ([]*dataset.Cell, *dataset.Experiment, error) {
	e, ok := ev.d.Experiment(experiment)
	if !ok {
		return nil, nil, fmt.Errorf("there is no experiment %q to show", experiment)
	}
	if where == nil {
		return e.Cells, e, nil
	}
	cells, err := e.Select(where)
	return cells, e, err
}
