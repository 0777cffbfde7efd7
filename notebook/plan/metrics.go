package plan

import (
	"fmt"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// checkMetrics checks the metrics that an experiment adds, and sets the units of computed ones.
func (e *outline) checkMetrics() {
	seen, measured, needs := map[string]bool{}, e.measured(), map[string][]source.Text{}
	for i := range e.head.Metrics {
		m := &e.head.Metrics[i]
		switch {
		case m.Name.Value == "" && !e.head.HasTried(e.headNode.Get("metrics").List()[i], "name"):
			e.problems.Add("missing-key", m.Pos, "a metric has no name").Hint = "add name: with a word of your choice"
		case m.Name.Value != "" && seen[m.Name.Value]:
			e.problems.Add("duplicate-name", m.Name.Pos, "there is a metric %q already", m.Name.Value).
				Hint = "give one of them another name"
		}
		seen[m.Name.Value] = true
		if m.Value.Node != nil {
			for _, s := range expr.Selectors(m.Value.Node) {
				of := source.Text{Value: s.Name, Pos: m.Value.Text.At(s.Span.Start, s.Span.End)}
				needs[m.Name.Value] = append(needs[m.Name.Value], of)
			}
			e.checkComputed(m, &e.Metrics[i], measured)
			measured.Added[i] = e.Metrics[i].Metric // with its unit
		}
		e.checkFound(m)
	}
	inOrder(sortedKeys(needs), needs, func(string) {}, func(name string, of source.Text) {
		e.problems.Add("bad-expression", of.Pos, "metric %q refers to itself", name).Hint = "write out one of them"
	})
}

// checkComputed checks a metric that is computed from others, and sets its unit in out.
func (e *outline) checkComputed(m *article.Metric, out *Metric, measured record.Measured) {
	t, err := expr.Check(m.Value.Node, func(s *expr.Selector) (expr.Type, error) { return typeIn(measured, s) })
	if err == nil {
		err = perRepetition(m.Value.Node)
	}
	_, unitKnown := expr.ParseUnit(m.Unit.Value)
	switch isNumber := t.Kind == expr.KindNumber; {
	case err != nil:
		article.AddExprError(m.Value.Text, err, e.problems)
	case t.Kind == expr.KindBool:
		e.problems.Add("wrong-value", m.Value.Text.Pos, "a metric is a number, and this is true or false").
			Hint = "compare it in a claim"
	case isNumber && !m.Unit.IsZero() && unitKnown && t.Dimension.Base() != out.Unit:
		e.problems.Add("wrong-unit", m.Unit.Pos, "this is a %s, and the unit is %s", t.Dimension, m.Unit.Value).
			Hint = "write unit: \"" + t.Dimension.Base() + "\""
	case isNumber && m.Unit.IsZero():
		out.Unit, out.Share = t.Dimension.Base(), t.Dimension == expr.Share
	}
}

// checkFound checks that the source of a metric exists.
func (e *outline) checkFound(m *article.Metric) {
	switch service, stream := m.Source(); {
	case stream == "log":
		from := m.From
		from.Value = service
		e.checkService(from, "metric "+m.Name.Value)
	case stream == "stdout" && e.head.Command == nil:
		e.problems.Add("contradiction", m.From.Pos,
			"only a command writes to standard output, and this experiment has a load").
			Hint = "write from: SERVICE log, or prepare"
	case stream == "prepare" && len(e.head.Prepare) == 0:
		e.problems.Add("unknown-source", m.From.Pos, "the experiment has no prepare").Hint = "add prepare: with a command"
	}
}

// perRepetition returns an error if n calls a function that compares cells.
func perRepetition(n expr.Node) (err error) {
	expr.Walk(n, func(n expr.Node) bool {
		if call, ok := n.(*expr.Call); ok && err == nil && !expr.IsArithmetic(call.Name) {
			err = &expr.Error{Span: call.Span, Msg: call.Name + " compares cells, and this is about one repetition",
				Hint: "use it in the text or in a claim"}
		}
		return true
	})
	return err
}

func typeIn(measured record.Measured, s *expr.Selector) (expr.Type, error) {
	if len(s.Matches) > 0 {
		return expr.Type{}, &expr.Error{Span: s.Span, Msg: "this is about one repetition, so there are no cells to pick from",
			Hint: "write " + s.Name}
	}
	m, ok := measured.Lookup(s.Name)
	if !ok {
		return expr.Type{}, &expr.Error{Span: s.Span, Msg: fmt.Sprintf("this experiment has no metric %q", s.Name),
			Hint: suggestMetric(s.Name, measured)}
	}
	if m.Unit == "" {
		return expr.Type{}, nil // numbers that a program prints have no known unit
	}
	u, _ := expr.ParseUnit(m.Unit)
	if m.Share {
		u.Dimension = expr.Share
	}
	return expr.Type{Kind: expr.KindNumber, Dimension: u.Dimension}, nil
}

// measured returns the metrics that all trials of the experiment have.
func (e *outline) measured() record.Measured {
	out := record.Measured{Command: e.head.Command != nil, Capacity: e.head.Capacity != nil, Services: e.serviceNames(),
		Searches: e.headNode.Get("tune").Keys(), Benchmarks: e.headNode.Under("command", "output") != nil}
	out.OpenLoop = e.head.Load != nil && (out.Capacity || e.headNode.Under("load", "rate") != nil)
	out.Added = slice.Map(e.Metrics, func(m Metric) record.Metric { return m.Metric })
	return out
}

func suggestMetric(name string, measured record.Measured) string {
	if other, ok := record.OtherName(name); ok {
		if _, known := measured.Lookup(other); known {
			return fmt.Sprintf("did you mean %q?", other)
		}
	}
	return source.Suggest(name, measured.Names())
}
