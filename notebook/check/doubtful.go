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

// Doubtful warns of metrics that an experiment with a command seems not to have. A program may print metrics of any name, so that only
// records know them; but one that is nearly called as another, or that nothing mentions which is run, is likely to be misspelt.
func Doubtful(doc *article.Document, p *plan.Plan, problems *source.Problems) {
	d := dataset.WithoutRecords(doc, p)
	look := func(name string, of string, at source.Pos) {
		e, ok := d.Experiment(of)
		if !ok || e.Plan.Skipped != "" || !e.Measured().Command || slices.Contains(e.Settings(), name) {
			return
		}
		if _, isValue := d.Value(name); isValue || name == "" {
			return
		}
		if _, ok := e.Metric(name); !ok || slices.Contains(e.Measured().Names(), name) {
			return // it is a problem, or measured
		}
		if slices.ContainsFunc(e.Measured().Services, func(service string) bool { return strings.HasSuffix(name, "."+service) }) {
			return // as of a service beside the command
		}
		found, all := e.Plan.Mentions(name)
		hint := source.Suggest(name, e.Measured().Names())
		if found || !dataset.IsNear(hint) && !all {
			return
		}
		problems.Warn("unknown-metric", at, "nothing that experiment %q runs mentions a metric %q", e.Plan.Name, name).Hint = hint
	}
	inExpr := func(n expr.Node, t source.Text, of string) {
		if n == nil {
			return
		}
		for _, s := range expr.Selectors(n) {
			in := of
			for _, m := range s.Matches {
				if m.Name == dataset.ExperimentMatch && m.Op == expr.Equal {
					in = m.Value
				}
			}
			look(s.Name, in, t.At(s.Span.Start, min(s.Span.End, s.Span.Start+len(s.Name))))
		}
	}
	for _, v := range doc.Front.Values {
		inExpr(v.Value.Node, v.Value.Text, "")
	}
	for _, c := range doc.Claims {
		inExpr(c.Expect.Node, c.Expect.Text, c.Experiment.Value)
	}
	for _, v := range doc.Values {
		if v.Valid {
			inExpr(v.Inline.Expr, v.Written, "")
		}
	}
	for _, t := range doc.Tables {
		for _, column := range t.Columns {
			look(column.Value, t.Experiment.Value, column.Pos)
		}
	}
	for _, f := range doc.Figures {
		kind := f.Is()
		if kind.X == figurekind.Metric || kind.X == figurekind.Anything {
			look(f.X.Value, f.Experiment.Value, f.X.Pos)
		}
		if kind.Y == figurekind.Metric {
			for _, y := range f.Y {
				look(y.Value, f.Experiment.Value, y.Pos)
			}
		}
	}
}
