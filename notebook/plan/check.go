package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// nameCheck checks the names that parts of an experiment use of each other.
type nameCheck struct {
	*outline
	services []string
	problems *source.Problems
}

// checkNames checks the names of services, profiles and metrics that parts of an experiment use.
func checkNames(e *outline, project *article.Project, problems *source.Problems) {
	c := &nameCheck{e, e.headNode.Get("services").Keys(), problems}
	c.shared()
	for _, n := range e.headNode.Under("setup").List() {
		c.setup(n)
	}
	for _, n := range e.headNode.Under("prepare").List() {
		c.prepare(n)
	}
	c.metrics()
	c.profiles(project)
	for _, f := range e.headNode.Get("tune").All() {
		c.search(f.Key, f.Value)
	}
	if slo := e.headNode.TextAt("capacity", "slo"); !isTemplate(slo) {
		c.objective(slo)
	}
}

func (c *nameCheck) objective(slo source.Text) {
	measured := c.measured()
	typeOf := func(s *expr.Selector) (expr.Type, error) { return typeIn(measured, s) }
	node, err := expr.Parse(slo.Value)
	if err != nil {
		return // it was reported, or there is none
	}
	if _, err := expr.Check(node, typeOf); err != nil {
		article.AddExprError(slo, err, c.problems)
	} else if !isObjective(node) {
		c.problems.Add("wrong-value", slo.Pos, "an objective compares metrics with limits").
			Hint = "write latency.p99 < 100ms and failed < 0.1%"
	}
}

// isObjective reports whether n is comparisons joined by and.
func isObjective(n expr.Node) bool {
	b, ok := n.(*expr.Binary)
	if !ok {
		return false
	}
	if b.Op == expr.And {
		return isObjective(b.X) && isObjective(b.Y)
	}
	limited := (len(expr.Selectors(b.X)) > 0) != (len(expr.Selectors(b.Y)) > 0)
	return b.Op.IsComparison() && b.Op != expr.Same && b.Op != expr.Differs && limited
}

// service reports a name that no service has. It is false then.
func (c *nameCheck) service(t source.Text, where string) bool {
	if slices.Contains(c.services, t.Value) || strings.Contains(t.Value, "${{") {
		return true
	}
	hint := source.Suggest(t.Value, c.services)
	if len(c.services) == 0 {
		hint = "the experiment has no services"
	}
	c.problems.Add("unknown-service", t.Pos, "%s names service %q, which does not exist", where, t.Value).Hint = hint
	return false
}

// shared checks that shared services take no values of searches, and depend on shared services only.
func (c *nameCheck) shared() {
	for _, t := range c.head.Shared {
		if !c.service(t, "shared") {
			continue
		}
		for _, dep := range dependencies(c.headNode.Under("services", t.Value)) {
			if slices.Contains(c.services, dep.Value) && !slices.Contains(c.Shared, dep.Value) {
				c.problems.Add("shared-on-fresh", dep.Pos, "service %q is shared, but %q is started fresh for every repetition",
					t.Value, dep.Value).Hint = fmt.Sprintf("add %s to shared, or remove %s from it", dep.Value, t.Value)
			}
		}
		n := c.Node.Get("services").Get(t.Value)
		if n == nil {
			continue
		}
		visitNames(n, "", func(_ string, n *source.Node, name *expr.Selector) {
			if head, _, _ := strings.Cut(name.Name, "."); head == "tune" {
				c.problems.Add("shared-varies", n.Text.At(name.Span.Start, name.Span.End),
					"service %q is shared, so it cannot use %s, which is searched for", t.Value, name.Name).
					Hint = "write a fixed value, or take the service out of shared"
			}
		})
	}
}

func (c *nameCheck) setup(n *source.Node) {
	switch service := n.TextAt("service"); {
	case service.Value == "" && !c.head.HasTried(n, "service"):
		c.problems.Add("missing-key", n.Text.Pos, "setup does not name its service").
			Hint = "add service: with a shared service"
	case service.Value != "" && c.runsHook("setup", service) && !slices.Contains(c.Shared, service.Value):
		c.problems.Add("not-shared", service.Pos, "setup runs once, but service %q is started fresh for every repetition",
			service.Value).Hint = fmt.Sprintf("add shared: [%s], or run it in prepare", service.Value)
	}
}

func (c *nameCheck) prepare(n *source.Node) {
	if service := n.TextAt("service"); service.Value != "" {
		c.runsHook("prepare", service)
	} else if c.head.Command == nil && !c.head.HasTried(n, "service") {
		c.problems.Add("missing-key", n.Text.Pos, "prepare does not name its service, and the experiment has no command").
			Hint = "add service: with one of " + strings.Join(c.services, ", ")
	}
}

// runsHook reports a service that cannot run a hook. It is false then.
func (c *nameCheck) runsHook(name string, service source.Text) bool {
	if !c.service(service, name) {
		return false
	}
	if completes(c.headNode.Get("services"), service.Value) {
		addCompleted(service, name, c.problems)
		return false
	}
	return true
}

// profiles reports profiles that look misspelt.
func (c *nameCheck) profiles(project *article.Project) {
	known := sortedSet(append(slices.Collect(maps.Keys(project.Profiles)), Full))
	for _, profile := range c.head.Profiles {
		name := profile.Name
		hint := source.Suggest(name.Value, known)
		if !slices.Contains(known, name.Value) && strings.HasPrefix(hint, "did you mean") {
			c.problems.Add("unknown-profile", name.Pos, "profile %q looks like a misspelling of another one", name.Value).
				Hint = hint
		}
	}
}

// search checks the metric that a search maximizes, and that something uses its result.
func (c *nameCheck) search(key source.Text, n *source.Node) {
	if m := n.TextAt("maximize"); m.Value != "" && !strings.Contains(m.Value, "${{") {
		measured := c.measured()
		if known, ok := measured.Lookup(m.Value); !ok {
			c.problems.Add("unknown-metric", m.Pos, "this experiment has no metric %q", m.Value).
				Hint = suggestMetric(m.Value, measured)
		} else if known.Better == "" {
			c.problems.Add("wrong-value", m.Pos, "%s has no better direction", m.Value).
				Hint = "choose another metric, such as throughput"
		}
	}
	used, name := false, "tune."+key.Value
	visitNames(c.Node, "", func(_ string, _ *source.Node, n *expr.Selector) { used = used || n.Name == name })
	if !used {
		c.problems.Add("unused-search", key.Pos, "nothing uses ${{ %s }}, so all values are the same", name).
			Hint = "write it where the value belongs, or remove the search"
	}
}
