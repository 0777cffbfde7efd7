package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// checkNames looks at what the parts of an experiment say of each other: services, hosts, metrics.
func (p *planner) checkNames(e *outline) {
	services := names(e.head.Services)
	p.checkShared(e, services)
	p.checkHooks(e, services)
	p.checkHosts(e, services)
	p.checkMetrics(e, services)
	p.checkProfiles(e)
	for i := range e.head.Tune {
		p.checkSearch(e, &e.head.Tune[i], services)
	}
	if c := e.head.Capacity; c != nil && c.SLO.Node != nil {
		if _, err := expr.Check(c.SLO.Node, e.typeOf(services)); err != nil {
			article.AddExprError(c.SLO.Text, err, p.problems)
		} else if !isObjective(c.SLO.Node) {
			p.problems.Add("wrong-value", c.SLO.Text.Pos, "an objective compares metrics with limits").
				Hint = "write latency.p99 < 100ms and failed < 0.1%"
		}
	}
}

// isObjective says that n is made of comparisons joined by and.
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

// serviceName reports a name that is no service.
func (p *planner) serviceName(t source.Text, services []string, where string) bool {
	if slices.Contains(services, t.Value) || strings.Contains(t.Value, "${{") {
		return true
	}
	hint := source.Suggest(t.Value, services)
	if len(services) == 0 {
		hint = "the experiment has no services"
	}
	p.problems.Add("unknown-service", t.Pos, "%s names service %q, which is none", where, t.Value).Hint = hint
	return false
}

// checkShared makes sure that shared services are the same for all trials.
func (p *planner) checkShared(e *outline, services []string) {
	for _, t := range e.head.Shared {
		if !p.serviceName(t, services, "shared") {
			continue
		}
		for _, s := range e.head.Services {
			if s.Name.Value != t.Value {
				continue
			}
			for _, dep := range s.Value.DependsOn {
				if slices.Contains(services, dep.Value) && !slices.Contains(e.Shared, dep.Value) {
					p.problems.Add("shared-on-fresh", dep.Pos, "service %q is shared, and %q is started afresh for every repetition",
						t.Value, dep.Value).
						Hint = fmt.Sprintf("add %s to shared, or remove %s from it", dep.Value, t.Value)
				}
			}
		}
		if n := e.node.Get("services").Get(t.Value); n != nil {
			p.constant(n, fmt.Sprintf("service %q is shared by all trials", t.Value))
		}
	}
}

// constant reports templates that differ between trials.
func (p *planner) constant(n *yamltext.Node, why string) {
	switch n.Kind {
	case yamltext.Scalar:
		for _, name := range templateNames(n) {
			if head, _, _ := strings.Cut(name.Name, "."); head == "matrix" || head == "tune" {
				p.problems.Add("shared-varies", n.Text.At(name.Span.Start, name.Span.End), "%s, so it cannot use %s", why, name.Name).
					Hint = "write a fixed value, or take the service out of shared"
			}
		}
	case yamltext.List:
		for _, item := range n.Items {
			p.constant(item, why)
		}
	case yamltext.Map:
		for _, f := range n.Fields {
			p.constant(f.Value, why)
		}
	}
}

func (p *planner) checkHooks(e *outline, services []string) {
	for _, hook := range []struct {
		name string
		list []article.Hook
		once bool
		each string // the hook that does the same for every repetition
	}{
		{"setup", e.head.Setup, true, "prepare"}, {"prepare", e.head.Prepare, false, ""},
		{"conclude", e.head.Conclude, false, ""}, {"cleanup", e.head.Cleanup, true, "conclude"},
	} {
		for _, h := range hook.list {
			switch {
			case h.Service.Value == "" && h.Tried.Has("service"):
			case h.Service.Value == "" && hook.once:
				p.problems.Add("missing-key", h.Pos, "%s does not say in which service it runs", hook.name).
					Hint = "add service: with a shared service"
			case h.Service.Value == "" && e.head.Command == nil:
				p.problems.Add("missing-key", h.Pos,
					"%s does not say in which service it runs, and there is no command beside which it could", hook.name).
					Hint = "add service: with one of " + strings.Join(services, ", ")
			case h.Service.Value == "":
			case !p.serviceName(h.Service, services, hook.name):
			case completes(e.head.Services, h.Service.Value):
				p.completed(h.Service, hook.name)
			case hook.once && !slices.Contains(e.Shared, h.Service.Value):
				p.problems.Add("not-shared", h.Service.Pos, "%s runs once, and service %q is started afresh for every repetition",
					hook.name, h.Service.Value).
					Hint = fmt.Sprintf("add shared: [%s], or run it in %s", h.Service.Value, hook.each)
			}
		}
	}
}

func (p *planner) checkHosts(e *outline, services []string) {
	var hosts []string
	for _, h := range p.project.Hosts {
		hosts = append(hosts, h.Name.Value)
	}
	for _, h := range e.head.Hosts {
		if h.Name.Value != loadName {
			p.serviceName(h.Name, services, "hosts")
		}
		if !slices.Contains(hosts, h.Value.Value) {
			hint := source.Suggest(h.Value.Value, hosts)
			if len(hosts) == 0 {
				hint = "add hosts: to " + article.ProjectFile
			}
			p.problems.Add("unknown-host", h.Value.Pos, "no host %q in %s", h.Value.Value, article.ProjectFile).
				Hint = hint
		}
	}
}

// checkProfiles reports a profile that nobody will ever choose because it is a misspelt one.
func (p *planner) checkProfiles(e *outline) {
	known := []string{Full, Quick}
	for name := range p.project.Profiles {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, profile := range e.head.Profiles {
		name := profile.Name
		if hint := source.Suggest(name.Value, known); !slices.Contains(known, name.Value) && strings.HasPrefix(hint, "did you mean") {
			p.problems.Add("unknown-profile", name.Pos, "profile %q is so like another that it looks misspelt", name.Value).
				Hint = hint
		}
	}
}

func (p *planner) checkMetrics(e *outline, services []string) {
	seen := map[string]bool{}
	for i := range e.head.Metrics {
		m := &e.head.Metrics[i]
		if seen[m.Name.Value] && m.Name.Value != "" { // one without a name was reported when it was read
			p.problems.Add("duplicate-name", m.Name.Pos, "there is a metric %q already", m.Name.Value).
				Hint = "give one of them another name"
		}
		seen[m.Name.Value] = true
		if m.Value.Node != nil {
			t, err := expr.Check(m.Value.Node, e.typeOf(services))
			if err == nil {
				err = p.perRepetition(e, m)
			}
			unit := e.Metrics[i].Unit
			_, unitKnown := expr.ParseUnit(m.Unit.V)
			switch {
			case err != nil:
				article.AddExprError(m.Value.Text, err, p.problems)
			case t.Kind == expr.KindBool:
				p.problems.Add("wrong-value", m.Value.Text.Pos, "a metric is a number, and this is true or false").
					Hint = "compare it in a claim"
			case t.Kind == expr.KindNumber && m.Unit.Set() && unitKnown && t.Dimension.Base() != unit:
				p.problems.Add("wrong-unit", m.Unit.Text.Pos, "this is a %s, and the unit is %s", t.Dimension, m.Unit.V).
					Hint = "write unit: \"" + t.Dimension.Base() + "\""
			case t.Kind == expr.KindNumber && !m.Unit.Set():
				e.Metrics[i].Unit, e.Metrics[i].Share = t.Dimension.Base(), t.Dimension == expr.Share
			}
		}
		switch service, stream := m.Source(); {
		case stream == "log":
			from := m.From
			from.Value = service
			p.serviceName(from, services, "metric "+m.Name.Value)
		case stream == "stdout" && e.head.Command == nil:
			p.problems.Add("contradiction", m.From.Pos, "only a command writes to standard output, and this experiment has a load").
				Hint = "write from: SERVICE log, prepare or conclude"
		case stream == "prepare" && len(e.head.Prepare) == 0, stream == "conclude" && len(e.head.Conclude) == 0:
			p.problems.Add("unknown-source", m.From.Pos, "the experiment has no %s", stream).
				Hint = "add " + stream + ": with a command"
		}
	}
}

// perRepetition says what of an added metric cannot be computed from one repetition: itself, and functions that see cells.
func (p *planner) perRepetition(e *outline, m *article.Metric) error {
	var err error
	expr.Walk(m.Value.Node, func(n expr.Node) bool {
		if c, ok := n.(*expr.Call); ok && err == nil && !expr.IsArithmetic(c.Name) {
			err = &expr.Error{Span: c.Span, Msg: c.Name + " compares cells, and this is about one repetition",
				Hint: "use it in the text or in a claim"}
		}
		return true
	})
	if err != nil {
		return err
	}
	uses := map[string][]*expr.Selector{}
	for i := range e.head.Metrics {
		if n := e.head.Metrics[i].Value.Node; n != nil {
			uses[e.head.Metrics[i].Name.Value] = expr.Selectors(n)
		}
	}
	seen := map[string]bool{}
	var reaches func(name string) bool
	reaches = func(name string) bool {
		if name == m.Name.Value || seen[name] {
			return name == m.Name.Value
		}
		seen[name] = true
		return slices.ContainsFunc(uses[name], func(s *expr.Selector) bool { return reaches(s.Name) })
	}
	for _, s := range uses[m.Name.Value] {
		if reaches(s.Name) {
			return &expr.Error{Span: s.Span, Msg: fmt.Sprintf("metric %q is made from itself", m.Name.Value), Hint: "write out one of them"}
		}
	}
	return nil
}

// typeOf gives the types of the metrics that an experiment measures, those that it adds included.
func (e *outline) typeOf(services []string) func(*expr.Selector) (expr.Type, error) {
	return func(s *expr.Selector) (expr.Type, error) {
		if len(s.Matches) > 0 {
			return expr.Type{}, &expr.Error{Span: s.Span, Msg: "this is about one repetition, so there are no cells to pick from",
				Hint: "write " + s.Name}
		}
		m, ok := e.measured(services).Lookup(s.Name)
		switch {
		case ok && m.Unit == "":
			return expr.Type{}, nil // what a program prints
		case ok:
			u, _ := expr.ParseUnit(m.Unit)
			if m.Share {
				u.Dimension = expr.Share
			}
			return expr.Type{Kind: expr.KindNumber, Dimension: u.Dimension}, nil
		}
		return expr.Type{}, &expr.Error{Span: s.Span, Msg: fmt.Sprintf("%q is no metric of this experiment", s.Name),
			Hint: e.suggestMetric(s.Name, services)}
	}
}

// measured is what the experiment measures, as far as that is the same for all of its trials.
func (e *outline) measured(services []string) record.Measured {
	out := record.Measured{Command: e.head.Command != nil, Capacity: e.head.Capacity != nil, Services: services}
	if l := e.head.Load; l != nil {
		out.OpenLoop = out.Capacity || !l.Rate.IsZero() || len(l.Stages) > 0 && l.Stages[0].Rate.Set()
	}
	for _, s := range e.head.Tune {
		out.Searches = append(out.Searches, s.Name.Value)
	}
	for _, m := range e.Metrics {
		out.Added = append(out.Added, m.Metric)
	}
	return out
}

// suggestMetric is a hint about what a name may mean that is no metric of the experiment.
func (e *outline) suggestMetric(name string, services []string) string {
	measured := e.measured(services)
	if other, ok := record.OtherName(name); ok {
		if _, known := measured.Lookup(other); known {
			return fmt.Sprintf("did you mean %q?", other)
		}
	}
	return source.Suggest(name, measured.Names())
}

func (p *planner) checkSearch(e *outline, s *article.Named[article.Search], services []string) {
	if m := s.Value.Maximize; m.Value != "" && !strings.Contains(m.Value, "${{") {
		measured := e.measured(services)
		if known, ok := measured.Lookup(m.Value); !ok {
			p.problems.Add("unknown-metric", m.Pos, "%q is no metric of this experiment", m.Value).
				Hint = e.suggestMetric(m.Value, services)
		} else if known.Better == "" {
			p.problems.Add("wrong-value", m.Pos, "neither more nor less of %s is better", m.Value).
				Hint = "choose another metric, such as throughput"
		}
	}
	used := false
	name := "tune." + s.Name.Value
	walkAll(e.node, func(n *yamltext.Node) {
		for _, t := range templateNames(n) {
			used = used || t.Name == name
		}
	})
	if !used {
		p.problems.Add("unused-search", s.Name.Pos, "nothing uses ${{ %s }}, so all values are the same", name).
			Hint = "write it where the value belongs, or remove the search"
	}
}

// walkAll visits every single value under n.
func walkAll(n *yamltext.Node, visit func(*yamltext.Node)) {
	switch n.Kind {
	case yamltext.Scalar:
		visit(n)
	case yamltext.List:
		for _, item := range n.Items {
			walkAll(item, visit)
		}
	case yamltext.Map:
		for _, f := range n.Fields {
			walkAll(f.Value, visit)
		}
	}
}

// checkReferences looks at what experiments take from each other: choices of searches, and shares of what they bear.
func (p *planner) checkReferences() {
	var known []string
	for _, d := range p.definitions {
		known = append(known, d.block.Name.Value)
	}
	needs := map[string][]source.Text{} // by experiment: those that have to be measured before
	for _, e := range p.outlines {
		if e.head == nil {
			continue
		}
		var refs []source.Text
		for _, s := range e.head.Tune {
			if of := s.Value.Of; of.Value != "" && p.experimentName(of, known) {
				refs = append(refs, of)
				p.checkTuned(of, s.Name.Value)
				p.checkTunedCells(e, of)
			}
		}
		if l := e.head.Load; l != nil && l.Rate.Of.Value != "" && p.experimentName(l.Rate.Of, known) {
			refs = append(refs, l.Rate.Of)
			for _, other := range p.outlines {
				if other.Name == l.Rate.Of.Value && other.head != nil && other.head.Command != nil {
					p.problems.Add("contradiction", l.Rate.Of.Pos,
						"experiment %q times a command, so it has no throughput to take a share of", other.Name).
						Hint = "name an experiment with a load"
				}
			}
		}
		needs[e.Name] = refs
	}
	for _, e := range p.outlines {
		for _, ref := range needs[e.Name] {
			if p.reaches(ref.Value, e.Name, needs, map[string]bool{}) {
				p.problems.Add("circle", ref.Pos, "experiment %q waits for %q, which waits for it", e.Name, ref.Value).
					Hint = "let one of them stand for itself"
			}
		}
	}
}

func (p *planner) experimentName(t source.Text, known []string) bool {
	if slices.Contains(known, t.Value) {
		return true
	}
	p.problems.Add("unknown-experiment", t.Pos, "no experiment %q in this article", t.Value).
		Hint = source.Suggest(t.Value, known)
	return false
}

// checkTuned reports an experiment that does not tune what another one takes from it.
func (p *planner) checkTuned(of source.Text, name string) {
	for _, e := range p.outlines {
		if e.Name != of.Value || e.head == nil {
			continue
		}
		var tuned []string
		for _, s := range e.head.Tune {
			tuned = append(tuned, s.Name.Value)
		}
		if !slices.Contains(tuned, name) {
			hint := source.Suggest(name, tuned)
			if len(tuned) == 0 {
				hint = "add tune: to it"
			}
			p.problems.Add("unknown-search", of.Pos, "experiment %q does not tune %q", of.Value, name).Hint = hint
		}
	}
}

// checkTunedCells reports cells that take over a choice which no cell of the other experiment makes for them, or several do.
func (p *planner) checkTunedCells(e *outline, of source.Text) {
	i := slices.IndexFunc(p.outlines, func(o *outline) bool { return o.Name == of.Value })
	if i < 0 || p.outlines[i].head == nil {
		return
	}
	var cells [][]record.Parameter
	for _, d := range p.outlines[i].drafts {
		if d.unavailable == "" {
			cells = append(cells, d.parameters)
		}
	}
	for _, d := range e.drafts {
		if d.unavailable != "" {
			continue
		}
		if _, err := sameParameters(d.parameters, cells, of.Value); err != nil {
			p.problems.Add("no-cell", of.Pos, "for cell %q nothing is chosen: %v", cmp.Or(d.name(), e.Name), err).
				Hint = "give both experiments the same axes, or tune here as well"
			return // others have the same mistake
		}
	}
}

// reaches says that an experiment waits, by way of others, for a second one.
func (p *planner) reaches(from, to string, needs map[string][]source.Text, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(needs[from], func(t source.Text) bool { return p.reaches(t.Value, to, needs, seen) })
}
