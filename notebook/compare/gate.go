package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// A Gate is a condition on changes, as of --fail-on: comparisons of a metric, which stands for its change from A to
// B, with a limit, joined by and and or.
type Gate struct {
	node expr.Node
}

// NewGate reads a condition such as "throughput < -5%".
//
// The error is an *expr.Error.
//
// Source: docs/command.md#compare.
func NewGate(text string) (*Gate, error) {
	n, err := expr.Parse(text)
	if err != nil {
		return nil, err
	}
	g := &Gate{n}
	return g, g.Check(n)
}

func gateMistake(n expr.Node, hint, format string, args ...any) error {
	return &expr.Error{Span: n.Pos(), Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func (g *Gate) Check(n expr.Node) error {
	b, ok := n.(*expr.Binary)
	if !ok {
		return gateMistake(n, "write a metric and its change, such as throughput < -5%", "%s is not a condition on a change",
			n)
	}
	if b.Op == expr.And || b.Op == expr.Or {
		return cmp.Or(g.Check(b.X), g.Check(b.Y))
	}
	sel, isMetric := b.X.(*expr.Selector)
	if !isMetric || !b.Op.IsOrdering() {
		return gateMistake(n, "write a metric, one of < > <= >=, and a limit, such as latency.p99 > 10%",
			"%s is not a condition on a change", n)
	}
	limit, ok := expr.Constant(b.Y)
	if !ok {
		return gateMistake(b.Y, "write a percentage; for a number of failures, write a number",
			"%s cannot be the limit of a change", b.Y)
	}
	if record.CountsFailures(sel.Name) && sel.Name != "failed" {
		return nil
	}
	switch {
	case !inPercent(b.Y):
		return gateMistake(b.Y, fmt.Sprintf("write %s %s %s%%", sel, b.Op, b.Y), "the change of %s is a percentage", sel.Name)
	case limit <= -1 && (sel.Name == "failed" || b.Op == expr.Less || b.Op == expr.LessEqual):
		return gateMistake(b.Y, "", "no change of %s goes below -100%%", sel.Name)
	}
	return nil
}

// inPercent reports whether a number is written with a per cent sign, or is 0.
func inPercent(n expr.Node) bool {
	if u, ok := n.(*expr.Unary); ok {
		n = u.X
	}
	q, ok := n.(*expr.Quantity)
	return ok && (q.Unit.Symbol == "%" || q.Value == 0)
}

// Metrics are the names of the metrics in the condition.
func (g *Gate) Metrics() []string { return expr.Names(g.node) }

// A GateCell is a cell that a Gate is about.
type GateCell struct {
	Article string
	Name    string // with its experiment and article
	A, B    *dataset.Cell
	Met     bool
	Refuted bool   // the whole interval lies elsewhere, at the same level
	Unknown string // why it cannot be judged; "" if it can
}

// Judge says of every cell that the condition is about whether it is met: that the whole interval of the change lies
// where the condition says, at a level that holds for all of these cells together. A cell whose sides are the same
// repetitions does not meet it.
//
// The error is an *expr.Error for a parameter or value that no cell has.
//
// Source: docs/command.md#compare; docs/method.md#claims-as-regions and docs/method.md#several-comparisons, "any of".
func (g *Gate) Judge(changes []Change) ([]GateCell, error) {
	for _, sel := range expr.Selectors(g.node) {
		if err := checkGateMatches(sel, changes); err != nil {
			return nil, err
		}
	}
	var cells []*dataset.Cell // of A, in order
	byCell := map[*dataset.Cell][]*Change{}
	for i := range changes {
		c := &changes[i]
		if byCell[c.A] == nil {
			cells = append(cells, c.A)
		}
		byCell[c.A] = append(byCell[c.A], c)
	}
	var out []GateCell
	var parts []stats.Part
	for _, cell := range cells {
		own := byCell[cell]
		if !slices.ContainsFunc(expr.Selectors(g.node), func(s *expr.Selector) bool { return changeOf(s, own) != nil }) {
			continue
		}
		out = append(out, GateCell{Article: own[0].Article, Name: own[0].CellName(), A: cell, B: own[0].B})
		parts = append(parts, gatePart(g.node, own))
	}
	for i, part := range parts {
		verdict := part(stats.DefaultAlpha / float64(len(parts)))
		out[i].Met, out[i].Refuted = verdict == stats.Supported, verdict == stats.Contradicted
		if !out[i].Met && part(stats.DefaultAlpha) == stats.NotMeasured {
			out[i].Unknown = unknownOf(g.node, byCell[out[i].A])
		}
	}
	return out, nil
}

// changeOf finds the change of a cell that a selector is about, or nil.
func changeOf(sel *expr.Selector, own []*Change) *Change {
	i := slices.IndexFunc(own, func(c *Change) bool { return c.Metric.Name == sel.Name })
	if i < 0 {
		return nil
	}
	for _, m := range sel.Matches {
		text, _ := own[i].A.Setting(m.Name)
		if m.Name == dataset.ExperimentMatch {
			text = own[i].A.Experiment.Plan.Name
		}
		if ok, err := expr.MatchText(m.Op, m.Value, text); err != nil || !ok {
			return nil
		}
	}
	return own[i]
}

// checkGateMatches refuses matchers that no cell has, which would let everything pass.
func checkGateMatches(sel *expr.Selector, changes []Change) error {
	for _, m := range sel.Matches {
		if m.Name == dataset.ExperimentMatch {
			continue
		}
		var known []string
		for i := range changes {
			for _, name := range changes[i].A.Experiment.Settings() {
				known = slice.Add(known, name)
			}
		}
		if !slices.Contains(known, m.Name) {
			return &expr.Error{Span: m.Span, Msg: fmt.Sprintf("no parameter %q in what is compared", m.Name),
				Hint: source.Suggest(m.Name, append(known, dataset.ExperimentMatch))}
		}
	}
	for i := range changes {
		if changeOf(sel, []*Change{&changes[i]}) != nil {
			return nil
		}
	}
	return &expr.Error{Span: sel.Span, Msg: fmt.Sprintf("no compared cell matches %s", sel)}
}

// gatePart is the condition on one cell as a part of a claim. What does not apply to the cell does not hold.
func gatePart(n expr.Node, own []*Change) stats.Part {
	b := n.(*expr.Binary)
	switch b.Op {
	case expr.And:
		return stats.AllOf(gatePart(b.X, own), gatePart(b.Y, own))
	case expr.Or:
		return stats.AnyOf(gatePart(b.X, own), gatePart(b.Y, own))
	}
	c := changeOf(b.X.(*expr.Selector), own)
	limit, _ := expr.Constant(b.Y) // checked
	region := stats.Region{Lo: limit, Hi: math.Inf(1)}
	if b.Op == expr.Less || b.Op == expr.LessEqual {
		region = stats.Region{Lo: math.Inf(-1), Hi: limit}
	}
	return func(alpha float64) stats.Verdict {
		if c == nil || c.Unchanged {
			return stats.Contradicted
		}
		interval, ok := c.interval(alpha)
		if !ok {
			return stats.NotMeasured
		}
		return stats.Judge(interval, region)
	}
}

// unknownOf is why the condition cannot be judged of a cell.
func unknownOf(n expr.Node, own []*Change) string {
	for _, sel := range expr.Selectors(n) {
		if c := changeOf(sel, own); c != nil && !c.Unchanged && (c.Effect == nil || c.Effect.Interval == nil) {
			return c.Metric.Name + ": " + c.Reason
		}
	}
	return "it has no interval"
}
