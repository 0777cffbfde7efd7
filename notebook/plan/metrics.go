package plan

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// metrics checks the metrics that an experiment adds, and gives those that are computed their units.
func (c *nameCheck) metrics() {
	seen, measured, circles := map[string]bool{}, c.measured(), circlesOf(c.head.Metrics)
	for i := range c.head.Metrics {
		m := &c.head.Metrics[i]
		if seen[m.Name.Value] && m.Name.Value != "" { // one without a name was reported when it was read
			c.problems.Add("duplicate-name", m.Name.Pos, "there is a metric %q already", m.Name.Value).
				Hint = "give one of them another name"
		}
		seen[m.Name.Value] = true
		if m.Value.Node != nil {
			c.computed(m, &c.Metrics[i], measured, circles)
			measured.Added[i] = c.Metrics[i].Metric // with its unit
		}
		c.found(m)
	}
}

// computed checks a metric that is computed from others, and gives it its unit.
func (c *nameCheck) computed(m *article.Metric, out *Metric, measured record.Measured, circles map[string]int) {
	t, err := expr.Check(m.Value.Node, func(s *expr.Selector) (expr.Type, error) { return typeIn(measured, s) })
	if err == nil {
		err = perRepetition(m, circles)
	}
	_, unitKnown := expr.ParseUnit(m.Unit.V)
	switch isNumber := t.Kind == expr.KindNumber; {
	case err != nil:
		article.AddExprError(m.Value.Text, err, c.problems)
	case t.Kind == expr.KindBool:
		c.problems.Add("wrong-value", m.Value.Text.Pos, "a metric is a number, and this is true or false").
			Hint = "compare it in a claim"
	case isNumber && m.Unit.Set() && unitKnown && t.Dimension.Base() != out.Unit:
		c.problems.Add("wrong-unit", m.Unit.Text.Pos, "this is a %s, and the unit is %s", t.Dimension, m.Unit.V).
			Hint = "write unit: \"" + t.Dimension.Base() + "\""
	case isNumber && !m.Unit.Set():
		out.Unit, out.Share = t.Dimension.Base(), t.Dimension == expr.Share
	}
}

// found checks where a metric is found in what something writes.
func (c *nameCheck) found(m *article.Metric) {
	switch service, stream := m.Source(); {
	case stream == "log":
		from := m.From
		from.Value = service
		c.service(from, "metric "+m.Name.Value)
	case stream == "stdout" && c.head.Command == nil:
		c.problems.Add("contradiction", m.From.Pos,
			"only a command writes to standard output, and this experiment has a load").
			Hint = "write from: SERVICE log, prepare or conclude"
	case stream == "prepare" && len(c.head.Prepare) == 0, stream == "conclude" && len(c.head.Conclude) == 0:
		c.problems.Add("unknown-source", m.From.Pos, "the experiment has no %s", stream).
			Hint = "add " + stream + ": with a command"
	}
}

// perRepetition says what of an added metric cannot be computed from one repetition: itself, and functions that see
// cells.
func perRepetition(m *article.Metric, circles map[string]int) error {
	var err error
	expr.Walk(m.Value.Node, func(n expr.Node) bool {
		if call, ok := n.(*expr.Call); ok && err == nil && !expr.IsArithmetic(call.Name) {
			err = &expr.Error{Span: call.Span, Msg: call.Name + " compares cells, and this is about one repetition",
				Hint: "use it in the text or in a claim"}
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, s := range expr.Selectors(m.Value.Node) {
		circle, ok := circles[m.Name.Value]
		if other, isIn := circles[s.Name]; s.Name == m.Name.Value || ok && isIn && circle == other {
			return &expr.Error{Span: s.Span, Msg: fmt.Sprintf("metric %q refers to itself", m.Name.Value),
				Hint: "write out one of them"}
		}
	}
	return nil
}

// circlesOf numbers the circles of metrics that are computed from each other, by the names of the metrics in them.
func circlesOf(metrics []article.Metric) map[string]int {
	ids := map[string]int64{}
	for i := range metrics {
		ids[metrics[i].Name.Value] = int64(i)
	}
	uses := simple.NewDirectedGraph()
	for i := range metrics {
		if metrics[i].Value.Node == nil {
			continue
		}
		from := ids[metrics[i].Name.Value]
		for _, s := range expr.Selectors(metrics[i].Value.Node) {
			if to, ok := ids[s.Name]; ok && to != from {
				uses.SetEdge(uses.NewEdge(simple.Node(from), simple.Node(to)))
			}
		}
	}
	circles := map[string]int{}
	for n, circle := range topo.TarjanSCC(uses) {
		if len(circle) < 2 {
			continue
		}
		for _, node := range circle {
			circles[metrics[node.ID()].Name.Value] = n
		}
	}
	return circles
}

// reaches says whether a graph has a path between two names. Seen are names that were tried.
func reaches(from, to string, edges map[string][]string, seen map[string]bool) bool {
	if from == to || seen[from] {
		return from == to
	}
	seen[from] = true
	return slices.ContainsFunc(edges[from], func(next string) bool { return reaches(next, to, edges, seen) })
}

// typeIn gives the type of a metric among those that an experiment measures.
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

// measured is what all trials of the experiment measure.
func (c *nameCheck) measured() record.Measured {
	out := record.Measured{Command: c.head.Command != nil, Capacity: c.head.Capacity != nil, Services: c.services,
		Searches: Names(c.head.Tune)}
	if l := c.head.Load; l != nil {
		out.OpenLoop = out.Capacity || !l.Rate.IsZero()
	}
	for _, m := range c.Metrics {
		out.Added = append(out.Added, m.Metric)
	}
	return out
}

// suggestMetric is a hint about what a name may mean that is no metric of the experiment.
func suggestMetric(name string, measured record.Measured) string {
	if other, ok := record.OtherName(name); ok {
		if _, known := measured.Lookup(other); known {
			return fmt.Sprintf("did you mean %q?", other)
		}
	}
	return source.Suggest(name, measured.Names())
}
