package check

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/figurekind"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// Doubtful warns of metrics that an experiment with a command seems not to have. A program may print metrics of any
// name, so that only records know them; but one that is nearly called as another, or that nothing mentions which is
// run, is likely to be misspelt.
func Doubtful(doc *article.Document, p *plan.Plan, problems *source.Problems) {
	c := doubter{dataset.WithoutRecords(doc, p), problems}
	for _, v := range doc.Front.Values {
		c.expression(v.Value.Node, v.Value.Text, "")
	}
	for _, claim := range slices.Concat(doc.Claims, doc.Tests()) {
		c.expression(claim.Expect.Node, claim.Expect.Text, claim.Experiment.Value)
	}
	for _, v := range doc.Values {
		if v.Valid {
			c.expression(v.Inline.Expr, v.Written, "")
		}
	}
	for _, t := range doc.Tables {
		for _, column := range t.Columns {
			c.metric(column.Value, t.Experiment.Value, column.Pos)
		}
	}
	for _, f := range doc.Figures {
		kind := f.Is()
		if kind.X == figurekind.Metric || kind.X == figurekind.Anything {
			c.metric(f.X.Value, f.Experiment.Value, f.X.Pos)
		}
		if kind.Y == figurekind.Metric {
			for _, y := range f.Y {
				c.metric(y.Value, f.Experiment.Value, y.Pos)
			}
		}
	}
}

type doubter struct {
	d        *dataset.Dataset
	problems *source.Problems
}

// metric warns of a metric of an experiment if it is doubtful.
func (c doubter) metric(name, experiment string, at source.Pos) {
	e, ok := c.d.Experiment(experiment)
	if !ok || name == "" || e.Plan.Skipped != "" || slices.Contains(e.Settings(), name) {
		return
	}
	measured := e.Measured()
	known := measured.Names()
	_, isValue := c.d.Value(name)
	_, isMetric := e.Metric(name) // if not, it is a problem
	ofService := func(service string) bool { return strings.HasSuffix(name, "."+service) }
	if !measured.Command || isValue || !isMetric || slices.Contains(known, name) || slices.ContainsFunc(measured.Services,
		ofService) {
		return
	}
	hint := source.Suggest(name, known)
	if found, all := e.Plan.Mentions(name); !found && (dataset.IsNear(hint) || all) {
		c.problems.Warn("unknown-metric", at, "nothing that experiment %q runs mentions a metric %q", e.Plan.Name,
			name).Hint = hint
	}
}

// expression warns of doubtful metrics in an expression that stands in t.
func (c doubter) expression(n expr.Node, t source.Text, experiment string) {
	if n == nil {
		return
	}
	for _, s := range expr.Selectors(n) {
		in := experiment
		for _, m := range s.Matches {
			if m.Name == dataset.ExperimentMatch && m.Op == expr.Equal {
				in = m.Value
			}
		}
		c.metric(s.Name, in, t.At(s.Span.Start, min(s.Span.End, s.Span.Start+len(s.Name))))
	}
}
