package plan

import (
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// metrics checks the metrics that an experiment adds, and gives those that are computed their units.
func (c *nameCheck) metrics() {
	seen, measured, uses := map[string]bool{}, c.measured(), map[string][]string{}
	for _, m := range c.head.Metrics {
		for _, s := range expr.Selectors(m.Value.Node) {
			uses[m.Name.Value] = append(uses[m.Name.Value], s.Name)
		}
	}
	cycles := cyclesOf(uses)
	for i := range c.head.Metrics {
		m := &c.head.Metrics[i]
		switch {
		case m.Name.Value == "" && !c.head.HasTried(c.headNode.Get("metrics").List()[i], "name"):
			c.problems.Add("missing-key", m.Pos, "a metric has no name").Hint = "add name: with a word of your choice"
		case m.Name.Value != "" && seen[m.Name.Value]:
			c.problems.Add("duplicate-name", m.Name.Pos, "there is a metric %q already", m.Name.Value).
				Hint = "give one of them another name"
		}
		seen[m.Name.Value] = true
		if m.Value.Node != nil {
			c.computed(m, &c.Metrics[i], measured, cycles)
			measured.Added[i] = c.Metrics[i].Metric // with its unit
		}
		c.found(m)
	}
}

// computed checks a metric that is computed from others, and gives it its unit.
func (c *nameCheck) computed(m *article.Metric, out *Metric, measured record.Measured, cycles map[string]int) {
	t, err := expr.Check(m.Value.Node, func(s *expr.Selector) (expr.Type, error) { return typeIn(measured, s) })
	if err == nil {
		err = perRepetition(m, cycles)
	}
	_, unitKnown := expr.ParseUnit(m.Unit.Value)
	switch isNumber := t.Kind == expr.KindNumber; {
	case err != nil:
		article.AddExprError(m.Value.Text, err, c.problems)
	case t.Kind == expr.KindBool:
		c.problems.Add("wrong-value", m.Value.Text.Pos, "a metric is a number, and this is true or false").
			Hint = "compare it in a claim"
	case isNumber && !m.Unit.IsZero() && unitKnown && t.Dimension.Base() != out.Unit:
		c.problems.Add("wrong-unit", m.Unit.Pos, "this is a %s, and the unit is %s", t.Dimension, m.Unit.Value).
			Hint = "write unit: \"" + t.Dimension.Base() + "\""
	case isNumber && m.Unit.IsZero():
		out.Unit, out.Share = t.Dimension.Base(), t.Dimension == expr.Share
	}
}

func (c *nameCheck) found(m *article.Metric) {
	switch service, stream := m.Source(); {
	case stream == "log":
		from := m.From
		from.Value = service
		c.service(from, "metric "+m.Name.Value)
	case stream == "stdout" && c.head.Command == nil:
		c.problems.Add("contradiction", m.From.Pos,
			"only a command writes to standard output, and this experiment has a load").
			Hint = "write from: SERVICE log, or prepare"
	case stream == "prepare" && len(c.head.Prepare) == 0:
		c.problems.Add("unknown-source", m.From.Pos, "the experiment has no prepare").Hint = "add prepare: with a command"
	}
}

// perRepetition returns why a metric cannot be computed from one repetition: it calls a function of cells, or refers to
// itself.
func perRepetition(m *article.Metric, cycles map[string]int) error {
	var err error
	expr.Walk(m.Value.Node, func(n expr.Node) bool {
		if call, ok := n.(*expr.Call); ok && err == nil && !expr.IsArithmetic(call.Name) {
			err = &expr.Error{Span: call.Span, Msg: call.Name + " compares cells, and this is about one repetition",
				Hint: "use it in the text or in a claim"}
		}
		return true
	})
	for _, s := range expr.Selectors(m.Value.Node) {
		if err == nil && cycles[s.Name] == cycles[m.Name.Value] {
			err = &expr.Error{Span: s.Span, Msg: fmt.Sprintf("metric %q refers to itself", m.Name.Value),
				Hint: "write out one of them"}
		}
	}
	return err
}

// cyclesOf numbers the names of a graph: two have the same number if there are paths between them both ways, and so does
// each with itself. It visits each edge once.
//
// Source: R. Tarjan, Depth-first search and linear graph algorithms, 1972.
func cyclesOf(edges map[string][]string) map[string]int {
	order, low, out := map[string]int{}, map[string]int{}, map[string]int{}
	var stack []string
	var visit func(name string)
	visit = func(name string) {
		order[name] = len(order) + 1
		low[name] = order[name]
		stack = append(stack, name)
		for _, next := range edges[name] {
			if order[next] == 0 {
				visit(next)
				low[name] = min(low[name], low[next])
			} else if out[next] == 0 {
				low[name] = min(low[name], order[next])
			}
		}
		if low[name] != order[name] {
			return
		}
		for out[name] == 0 {
			last := len(stack) - 1
			out[stack[last]], stack = order[name], stack[:last]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(edges)) {
		if order[name] == 0 {
			visit(name)
		}
	}
	return out
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
		return expr.Type{}, nil // what a program prints
	}
	u, _ := expr.ParseUnit(m.Unit)
	if m.Share {
		u.Dimension = expr.Share
	}
	return expr.Type{Kind: expr.KindNumber, Dimension: u.Dimension}, nil
}

// measured returns the metrics that all trials of the experiment have.
func (c *nameCheck) measured() record.Measured {
	out := record.Measured{Command: c.head.Command != nil, Capacity: c.head.Capacity != nil, Services: c.services,
		Searches: c.headNode.Get("tune").Keys(), Benchmarks: c.headNode.Under("command", "output") != nil}
	out.OpenLoop = c.head.Load != nil && (out.Capacity || c.headNode.Under("load", "rate") != nil)
	for _, m := range c.Metrics {
		out.Added = append(out.Added, m.Metric)
	}
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
