package render

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/render/cellview"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

type valueView struct {
	ID       string
	Missing  bool
	Given    bool // no measured cell went into it
	Constant bool // Given, and not published either
	Text     string
	Raw      string // unrounded, in the base unit
	Heading  string
	Interval string
	Source   string // the expression, if the value is missing
	Origin   string
	Shown    *link
}

// Value renders the value of an expression, with a tooltip that says where it comes from.
func (c *composer) Value(in expr.Inline) template.HTML {
	v := c.evaluate(in)
	c.nextID++
	v.ID = prose.ValueID + strconv.Itoa(c.nextID)
	return c.Fill("value", v)
}

func (c *composer) evaluate(in expr.Inline) valueView {
	source := in.Expr.String()
	q, err := c.d.Eval(in.Expr, "")
	if err != nil {
		v := valueView{Missing: true, Text: wording.NotMeasured, Heading: "Not measured",
			Interval: wording.Sentence(err.Error()), Source: source}
		if unsure := c.unsure(in.Expr); unsure != "" {
			v.Text, v.Heading = unsure+" (not valid)", "Not valid"
		}
		return v
	}
	c.use(in.Expr, "")
	w := c.quantityOf(in, q)
	v := valueView{Text: w.Text(), Raw: strconv.FormatFloat(q.Number, 'g', -1, 64), Heading: cmp.Or(q.What, source),
		Interval: w.IntervalSentence(), Shown: c.shownAt(in.Expr, q.Cells)}
	v.Given, v.Constant = len(q.Cells) == 0, len(q.Cells) == 0 && q.Note == ""
	o := cellview.OriginOf(q.Cells)
	names := cellview.SortedSet(slice.Map(q.Cells, func(cell *dataset.Cell) string { return cell.Name() }))
	if len(names) > 0 && len(names) <= 3 {
		v.Origin = phrase.Noun(len(names), "cell") + " " + strings.Join(names, "; ") + ", "
	}
	v.Origin = wording.Sentence(v.Origin + o.Session())
	return v
}

// expanded replaces the names of front matter values by their expressions. It returns n if that fails.
func (c *composer) expanded(n expr.Node) expr.Node {
	if whole, err := c.d.Expand(n); err == nil {
		return whole
	}
	return n
}

// unsure returns the text of an invalid value if n selects a metric of one cell; otherwise "".
func (c *composer) unsure(n expr.Node) string {
	sel, ok := c.expanded(n).(*expr.Selector)
	if !ok {
		return ""
	}
	picked, err := dataset.Scope{Data: c.d}.Pick(sel)
	if cells := picked.Cells; err == nil && len(cells) == 1 {
		return wording.Unsure(cells[0].Metric(sel.Name))
	}
	return ""
}

// use records the metrics of an expression, for warnings about their noise floors. Selectors that name no experiment
// get the given one; "" stands for all.
func (c *composer) use(n expr.Node, experiment string) {
	for _, s := range expr.Selectors(c.expanded(n)) {
		of := experiment
		for _, m := range s.Matches {
			if m.Name == dataset.ExperimentMatch && m.Op == expr.Equal {
				of = m.Value
			}
		}
		c.used = slice.Add(c.used, used{of, s.Name})
	}
}

type used struct{ experiment, metric string }

// quantityOf is like wording.QuantityOf, but a published value keeps all its digits, unless the author rounds it.
func (c *composer) quantityOf(in expr.Inline, q dataset.Quantity) wording.Quantity {
	w := wording.QuantityOf(q, in.Filters)
	call, isCall := c.expanded(in.Expr).(*expr.Call)
	w.Exact = isCall && call.Name == "published" &&
		!slices.ContainsFunc(in.Filters, func(f expr.Filter) bool { return f.Name == "round" })
	return w
}

// shownAt links the first table, else the first figure, that shows the cells behind an expression; nil without one.
func (c *composer) shownAt(n expr.Node, cells []*dataset.Cell) *link {
	metric := c.metricOf(n)
	if len(cells) == 0 || metric == "" {
		return nil
	}
	for _, t := range c.doc.Tables {
		if c.Applies(t.Part) && slices.Contains(article.Texts(t.Columns), metric) &&
			c.contains(t.Experiment.Value, t.Where.Node, cells) {
			return &link{"#" + t.Label.Value, c.numbers[t.Label.Value]}
		}
	}
	if f := c.figureOf(metric, cells); f != nil {
		return &link{"#" + f.Label.Value, c.numbers[f.Label.Value]}
	}
	return nil
}

// metricOf returns the first metric of an expression, or "".
func (c *composer) metricOf(n expr.Node) string {
	if selectors := expr.Selectors(c.expanded(n)); len(selectors) > 0 {
		return selectors[0].Name
	}
	return ""
}

// figureOf returns the first figure that shows a metric of all of the cells, or nil.
func (c *composer) figureOf(metric string, cells []*dataset.Cell) *article.Figure {
	for _, f := range c.doc.Figures {
		if c.Applies(f.Part) && f.Shows(metric) && c.contains(f.Experiment.Value, f.Where.Node, cells) {
			return f
		}
	}
	return nil
}

// contains reports whether a table or figure shows all of the cells.
func (c *composer) contains(experiment string, where expr.Node, cells []*dataset.Cell) bool {
	shown, _, err := c.selectCells(experiment, where)
	return err == nil && !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool {
		return !slices.Contains(shown, cell)
	})
}

// selectCells returns the cells of an experiment that match where; nil matches all.
func (c *composer) selectCells(experiment string, where expr.Node) ([]*dataset.Cell, *dataset.Experiment, error) {
	e, ok := c.d.Experiment(experiment)
	if !ok {
		return nil, nil, fmt.Errorf("there is no experiment %q to show", experiment)
	}
	cells, err := e.Select(where)
	return cells, e, err
}

// shownCells returns the cells of a table or figure, or a sentence why there are none.
func (c *composer) shownCells(experiment string, where expr.Node) (cells []*dataset.Cell, missing string) {
	cells, e, err := c.selectCells(experiment, where)
	switch {
	case err != nil:
		return nil, wording.Sentence(err.Error())
	case e.Plan.Skipped != "":
		return nil, wording.Sentence("left out: " + e.Plan.Skipped)
	case len(cells) == 0:
		return nil, "No cells to show."
	}
	return cells, ""
}
