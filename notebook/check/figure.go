package check

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

func (c *checker) figure(f *article.Figure) {
	c.reference(f.Published, f.Pos)
	kind := f.Is()
	if kind.Drawn == article.DrawnAgreement && len(c.d.Doc.Published) == 0 && !f.Published.Shown &&
		!c.d.Doc.Unread("published") {
		c.problems.Add("unknown-published", f.Kind.Pos, "there are no published numbers in this article to agree with").
			Hint = "add a yaml published block"
	}
	e := c.experiment(f.Experiment)
	if e == nil {
		return
	}
	c.axis(e, f, "x", f.X, kind.X)
	for _, y := range f.Y {
		c.axis(e, f, "y", y, kind.Y)
		if _, known := e.Metric(y.Value); known && kind.Drawn == "timeline" && !slices.Contains(dataset.BySecond, y.Value) {
			c.problems.Add("wrong-value", y.Pos, "a timeline shows each second, and %s is known for the whole window only",
				y.Value).Hint = "write y: " + strings.Join(dataset.BySecond, ", or y: ")
		}
	}
	c.setting(e, f.Colour)
	c.column(e, f.Sort)
	c.where(e, f.Where)
	if n := f.Reference.Node; n != nil {
		c.expression(n, e.Plan.Name, f.Reference.Text)
	}
	c.subject(e, f)
}

func (c *checker) colours() {
	if len(c.d.Experiments) < len(c.d.Doc.Experiments) {
		return // other experiments may have the values
	}
	var values []string
	for _, p := range append([]*plan.Plan{c.d.Plan}, c.d.Plan.Others()...) {
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				for _, p := range slices.Concat(t.Parameters, t.Labels) {
					values = slice.Add(values, p.Value)
				}
			}
		}
	}
	for i, value := range c.d.Doc.Front.Colours {
		if !slices.Contains(values, value.Value) {
			c.problems.Add("no-cell", value.Pos, "no cell has the value %q", value.Value).
				Hint = source.Suggest(value.Value, values)
		}
		if i == article.FigureColours {
			c.problems.Add("too-many", value.Pos, "more than %d values have a colour", i).
				Hint = "more cannot be told apart: leave out those that matter least"
		}
	}
}

func (c *checker) axis(e *dataset.Experiment, f *article.Figure, name string, t source.Text, wanted article.FigureAxis) {
	switch {
	case t.Value == "":
	case wanted == article.AxisMetric && slices.Contains(e.Settings(), t.Value):
		c.problems.Add("unknown-metric", t.Pos, "%s of a figure of kind %s must be a metric, and %q is a parameter or label",
			name, f.Kind.Value, t.Value).
			Hint = "write a metric, such as " + e.Measured.Names()[0]
	case wanted == article.AxisSetting:
		c.setting(e, t)
	case wanted == article.AxisNumeric:
		c.setting(e, t)
		for _, cell := range e.Cells {
			value, ok := cell.Setting(t.Value)
			if _, err := expr.ParseQuantity(value); ok && value != "" && err != nil {
				c.problems.Add("not-a-number", t.Pos, "lines need an axis of numbers, and %s can be %q", t.Value, value).
					Hint = "choose another parameter, or draw bars"
				break
			}
		}
	default:
		c.column(e, t)
	}
}

func (c *checker) subject(e *dataset.Experiment, f *article.Figure) {
	switch name := f.X.Value; f.Is().Drawn {
	case article.DrawnTuning:
		if _, known := e.Metric(name); known && !strings.HasPrefix(name, "tune.") {
			c.problems.Add("no-search", f.X.Pos, "a figure of a search for a value shows it, and %s is not one", name).
				Hint = "write x: tune.NAME, with a name under tune: of the experiment"
		}
	case article.DrawnCapacity:
		if _, ok := e.Metric("capacity.rate"); !ok {
			c.problems.Add("no-search", f.Kind.Pos, "experiment %q does not search for its capacity", e.Plan.Name).
				Hint = "add capacity: to it, or name another experiment"
		}
	}
}
