package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/chart"
	"benchbook/render/method"
	"benchbook/render/number"
	"benchbook/render/prose"
	"benchbook/render/wording"
	"benchbook/slice"
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
	Drawing  template.HTML
	Source   string // the expression, where there is no number
	Origin   string
	Shown    *link
}

// evaluator evaluates the expressions of an article and keeps what it was asked.
type evaluator struct {
	d       *dataset.Dataset
	doc     *article.Document
	numbers map[string]string // of tables and figures by their labels, such as "Figure 2"
	values  []method.Value    // for the table of all values
	used    []used
}

// Value shows the value of an expression, with a tooltip that says where it comes from.
func (c *composer) Value(in expr.Inline) template.HTML {
	v, _ := c.evaluate(in)
	c.nextID++
	v.ID = prose.ValueID + strconv.Itoa(c.nextID)
	return c.Fill("value", v)
}

// evaluate computes an expression and adds it to the table of all values.
func (ev *evaluator) evaluate(in expr.Inline) (valueView, *dataset.Quantity) {
	source := in.Expr.String()
	q, err := ev.d.Eval(in.Expr, "")
	if err != nil {
		ev.note(method.Value{Text: wording.NotMeasured, Interval: "–", Repetitions: "–", From: source})
		return valueView{Missing: true, Text: wording.NotMeasured, Heading: "Not measured",
			Interval: wording.Sentence(err.Error()), Source: source}, nil
	}
	if q.Text != "" {
		o := cellview.OriginOf(ev.d, q.Cells)
		ev.note(method.Value{Text: q.Text, Interval: "–", Repetitions: "–", From: cmp.Or(q.What, source)})
		return valueView{Text: q.Text, Raw: q.Text, Heading: cmp.Or(q.What, source), Interval: q.Note,
			Origin: wording.Sentence(o.Where())}, &q
	}
	ev.use(in.Expr, "")
	w := ev.writerOf(in, q)
	v := valueView{Text: w.text(), Raw: strconv.FormatFloat(q.Number, 'g', -1, 64), Heading: cmp.Or(q.What, source),
		Interval: w.intervalSentence(), Shown: ev.shownAt(in.Expr, q.Cells)}
	v.Given, v.Constant = len(q.Cells) == 0, len(q.Cells) == 0 && q.Note == ""
	v.Drawing = chart.Repetitions(ev.repetitionsOf(in.Expr), q.Number, q.Interval)
	o := cellview.OriginOf(ev.d, q.Cells)
	names := cellview.SortedSet(slice.Map(q.Cells, func(cell *dataset.Cell) string { return cell.Trial.Name }))
	from := cmp.Or(q.What, source)
	if len(names) > 0 && len(names) <= 3 {
		v.Origin = "cells " + strings.Join(names, "; ") + ", "
		if len(names) == 1 {
			v.Origin = "cell " + names[0] + ", "
		}
	}
	v.Origin = wording.Sentence(v.Origin + o.Where())
	ev.note(method.Value{Text: w.text(), Interval: w.intervalShort(), Repetitions: w.runs(), From: from})
	return v, &q
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

// note adds a row to the table of values, unless it is there.
func (ev *evaluator) note(row method.Value) {
	ev.values = slice.Add(ev.values, row)
}

type writer struct {
	q        dataset.Quantity
	unit     number.Unit
	decimals int
	interval bool // to be printed with the number
	exact    bool // all digits
}

func writerFor(q dataset.Quantity, filters []expr.Filter) writer {
	w := writer{q: q, unit: number.For(q.Unit, q.Share, q.Number)}
	unit, digits := unitOf(filters)
	if unit != nil {
		w.unit = *unit
	}
	w.interval = slices.ContainsFunc(filters, func(f expr.Filter) bool { return f.Name == "interval" })
	if w.decimals = w.unit.Decimals(wording.Reading(&q)); digits != nil {
		if w.decimals = *digits; w.interval {
			w.decimals = w.unit.WithEnds(wording.Reading(&q), *digits)
		}
	}
	return w
}

// unitOf returns the unit and the digits that filters ask for; nil if they ask for none.
func unitOf(filters []expr.Filter) (unit *number.Unit, digits *int) {
	for _, f := range filters {
		switch f.Name {
		case "percent":
			percent := number.Percent
			unit = &percent
		case "unit":
			unit = &number.Unit{Symbol: f.Unit.Symbol, Scale: f.Unit.ToBase(1)}
		case "round":
			digits = &f.Digits
		}
	}
	return unit, digits
}

// writerOf is writerFor an expression; published values are written with all their digits.
func (ev *evaluator) writerOf(in expr.Inline, q dataset.Quantity) writer {
	w := writerFor(q, in.Filters)
	w.exact = isCall(ev.resolved(in.Expr), "published") &&
		!slices.ContainsFunc(in.Filters, func(f expr.Filter) bool { return f.Name == "round" })
	return w
}

// text writes the number for prose, with an interval as docs/method.md#one-cell prints it.
func (w writer) text() string {
	text := w.unit.Quantity(w.q.Number, w.decimals)
	if w.exact {
		text = w.unit.Exact(w.q.Number)
	}
	if w.isCapacity() && (w.interval || w.q.Number <= 0 || math.IsInf(w.q.Interval.Hi, 1)) {
		return w.unit.Capacity(w.q.Interval.Lo, w.q.Interval.Hi)
	}
	if !w.interval {
		return text
	}
	switch {
	case w.q.Kind == stats.WithinRun && w.q.Interval != nil:
		return text + " (1 run; within the run " + w.unit.Between(w.q.Interval.Lo, w.q.Interval.Hi, w.decimals) + ")"
	case w.q.Kind == stats.RangeOfTwo && w.q.Interval != nil:
		return text + " (2 runs: " + w.unit.Range(w.q.Interval.Lo, w.q.Interval.Hi, w.decimals) + ")"
	case w.q.Interval != nil:
		return text + " [" + w.unit.Range(w.q.Interval.Lo, w.q.Interval.Hi, w.decimals) + "]"
	case w.q.Kind == stats.Given || w.q.Kind == stats.Exact:
		return text
	case w.q.N == 1:
		return text + " (1 run)"
	}
	return text + " (no interval)"
}

// isCapacity reports whether the number is a rate found by a search, rather than a ratio of two.
func (w writer) isCapacity() bool {
	return w.q.Kind == stats.BySearch && w.q.Unit == "1/s" && w.q.Interval != nil
}

func (w writer) intervalSentence() string {
	switch {
	case w.q.Kind == stats.Exact:
		return wording.Sentence(strings.Trim(exactWords(w.q.N)+"; "+w.q.Note, "; "))
	case w.q.Interval == nil && w.q.Kind != stats.Given && w.q.N == 1 && len(w.q.Cells) == 1:
		return strings.TrimSpace("1\u00a0run, so no interval. " + wording.Sentence(w.q.Note))
	case w.q.Interval == nil:
		return wording.Sentence(cmp.Or(w.q.Note, "no interval"))
	case w.q.Kind == stats.WithinRun:
		return w.intervalShort() + ", 95\u202f% interval within one run, as if its requests were independent; the " +
			"variation between runs is unknown."
	case w.q.Kind == stats.RangeOfTwo:
		return "Range of 2\u00a0runs: " + w.intervalShort() + "."
	}
	if w.q.Kind == stats.BySearch {
		return wording.Sentence(strings.Trim("found by a search, within "+w.intervalShort()+"; "+w.q.Note, "; "))
	}
	text := w.intervalShort() + ", 95\u202f% interval"
	if w.q.N > 0 {
		text += " of " + number.Count(w.q.N, "repetition")
	}
	if w.q.Note != "" {
		text += "; " + w.q.Note
	}
	return text + "."
}

// exactWords stand instead of an interval.
func exactWords(n int) string { return "the same in all " + number.Count(n, "repetition") }

func (w writer) intervalShort() string {
	if w.q.Kind == stats.Exact {
		return exactWords(w.q.N)
	}
	if w.q.Interval == nil {
		return "none"
	}
	return w.unit.Between(w.q.Interval.Lo, w.q.Interval.Hi, w.unit.WithEnds(wording.Reading(&w.q), w.decimals))
}

func (w writer) runs() string {
	if w.q.N == 0 {
		return "–"
	}
	return strconv.Itoa(w.q.N)
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

// repetitionsOf returns one value per repetition to draw: one metric of one cell, or the ratio or change of two by
// rounds, which only repetitions of one experiment in one run share. Verdicts do not use the latter:
// docs/method.md#ratios.
func (ev *evaluator) repetitionsOf(n expr.Node) []float64 {
	var a, b expr.Node
	change := 0.0
	switch n := ev.resolved(n).(type) {
	case *expr.Selector:
		r, _ := ev.resultOf(n)
		return r.Values
	case *expr.Binary:
		if n.Op == expr.Div {
			a, b = n.X, n.Y
		}
	case *expr.Call:
		if isCall(n, "ratio", "change") && len(n.Args) == 2 {
			a, b = n.Args[0], n.Args[1]
		}
		if n.Name == "change" {
			change = 1
		}
	}
	if a == nil {
		return nil
	}
	x, runX := ev.resultOf(a)
	y, runY := ev.resultOf(b)
	if runX != runY {
		return nil
	}
	return ratiosByRound(x, y, change)
}

// resultOf returns the metric of a cell that a node selects, and its run.
func (ev *evaluator) resultOf(n expr.Node) (r dataset.Result, run string) {
	s, ok := ev.resolved(n).(*expr.Selector)
	if !ok {
		return r, ""
	}
	q, err := ev.d.Eval(s, "")
	if err != nil || len(q.Cells) != 1 {
		return r, ""
	}
	return q.Cells[0].Metric(s.Name), q.Cells[0].Run + " " + q.Cells[0].Experiment.Plan.Name
}

// ratiosByRound returns the ratios of two cells in the same rounds, less something; nil if one of them is not a number.
func ratiosByRound(x, y dataset.Result, less float64) []float64 {
	byRound := map[int]float64{}
	for i, v := range y.Values {
		byRound[y.Repetition(i)] = v
	}
	var out []float64
	for i, v := range x.Values {
		other, ok := byRound[x.Repetition(i)]
		if !ok {
			continue
		}
		ratio := v/other - less
		if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
			return nil
		}
		out = append(out, ratio)
	}
	return out
}

// shownAt finds the table, else the figure, that shows the cells behind an expression.
func (ev *evaluator) shownAt(n expr.Node, cells []*dataset.Cell) *link {
	selectors := expr.Selectors(ev.resolved(n))
	if len(cells) == 0 || len(selectors) == 0 {
		return nil
	}
	metric := ev.resolved(selectors[0]).String()
	if s, ok := ev.resolved(selectors[0]).(*expr.Selector); ok {
		metric = s.Name
	}
	for _, t := range ev.doc.Tables {
		if slices.Contains(article.Texts(t.Columns), metric) && ev.contains(t.Experiment.Value, t.Where.Node, cells) {
			return &link{"#" + t.Label.Value, ev.numbers[t.Label.Value]}
		}
	}
	for _, f := range ev.doc.Figures {
		if f.Shows(metric) && ev.contains(f.Experiment.Value, f.Where.Node, cells) {
			return &link{"#" + f.Label.Value, ev.numbers[f.Label.Value]}
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

type keyView struct {
	Is        template.HTML
	Value     template.HTML
	Interval  string
	Published string
}

// withoutDetails cuts the details off a reason, which the tooltip has: "throughput, a: invalid".
func withoutDetails(reason string) string {
	parts := strings.SplitN(reason, ": ", 3)
	return strings.Join(parts[:min(len(parts), 2)], ": ")
}

// publishedValue writes the published number of a value; empty if there is none.
func (ev *evaluator) publishedValue(in expr.Inline, q dataset.Quantity) string {
	n := ev.resolved(in.Expr)
	_, isOne := n.(*expr.Selector)
	b, isBinary := n.(*expr.Binary)
	if !isOne && !isCall(n, "ratio", "change") && !(isBinary && b.Op == expr.Div) {
		return ""
	}
	x, ok := ev.publishedNumber(n, q.Cells, !isOne)
	if !ok {
		return ""
	}
	w := ev.writerOf(in, q)
	if isOne {
		return w.unit.Exact(x)
	}
	if isCall(n, "change") {
		x--
	}
	return w.unit.Quantity(x, w.decimals)
}

func (c *composer) keyValues() []keyView {
	var out []keyView
	for _, k := range c.doc.Front.KeyValues {
		is, _ := c.prose.Inline(k.Is.Value)
		in, err := expr.ParseInline(k.Value.Value)
		if err != nil {
			c.Warnf("the key value %q cannot be read: %v", k.Value.Value, err)
			continue
		}
		v, q := c.evaluate(in)
		c.nextID++
		v.ID = prose.ValueID + strconv.Itoa(c.nextID)
		row := keyView{Is: is, Value: c.Fill("value", v)}
		switch {
		case v.Missing:
			row.Interval = wording.Sentence(withoutDetails(v.Interval))
		case q != nil && q.Interval != nil:
			row.Interval = c.writerOf(in, *q).intervalShort()
		}
		if q != nil {
			row.Published = c.publishedValue(in, *q)
		}
		out = append(out, row)
	}
	return out
}
