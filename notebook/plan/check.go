package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// checkNames checks the services, profiles, metrics and searches that keys of an experiment refer to.
func (e *outline) checkNames() {
	e.checkShared()
	for _, n := range e.headNode.Under("setup").List() {
		e.checkSetup(n)
	}
	for _, n := range e.headNode.Under("prepare").List() {
		e.checkPrepare(n)
	}
	e.checkMetrics()
	e.checkProfiles()
	for _, f := range e.headNode.Get("tune").All() {
		e.checkSearch(f.Key, f.Value)
	}
	if slo := e.headNode.TextAt("capacity", "slo"); !isTemplate(slo) {
		e.checkObjective(slo)
	}
}

func (e *outline) serviceNames() []string { return e.headNode.Get("services").Keys() }

// checkObjective checks the objective of a capacity search.
func (e *outline) checkObjective(slo source.Text) {
	measured := e.measured()
	node, err := expr.Parse(slo.Value)
	if err != nil {
		return // already reported, or there is no objective
	}
	if _, err := expr.Check(node, func(s *expr.Selector) (expr.Type, error) { return typeIn(measured, s) }); err != nil {
		article.AddExprError(slo, err, e.problems)
	} else if !isObjective(node) {
		e.problems.Add("wrong-value", slo.Pos, "an objective compares metrics with limits").
			Hint = "write latency.p99 < 100ms and failed < 0.1%"
	}
}

// isObjective reports whether n is one or more comparisons of metrics with limits, joined by and.
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

// checkService returns whether t names a service or is a template, and adds a problem if not.
func (e *outline) checkService(t source.Text, where string) bool {
	services := e.serviceNames()
	if slices.Contains(services, t.Value) || isTemplate(t) {
		return true
	}
	e.problems.Add("unknown-service", t.Pos, "%s names service %q, which does not exist", where, t.Value).
		Hint = cmp.Or(source.Suggest(t.Value, services), "the experiment has no services")
	return false
}

// checkShared checks that shared services use no tuned values and depend only on shared services.
func (e *outline) checkShared() {
	for _, t := range e.head.Shared {
		if !e.checkService(t, "shared") {
			continue
		}
		for _, dep := range dependencies(e.headNode.Under("services", t.Value)) {
			if slices.Contains(e.serviceNames(), dep.Value) && !slices.Contains(e.Shared, dep.Value) {
				e.problems.Add("shared-on-fresh", dep.Pos, "service %q is shared, but %q is started fresh for every repetition",
					t.Value, dep.Value).Hint = fmt.Sprintf("add %s to shared, or remove %s from it", dep.Value, t.Value)
			}
		}
		visitNames(e.node.Get("services").Get(t.Value), func(_ string, at source.Text, name *expr.Selector) {
			if strings.HasPrefix(name.Name, "tune.") {
				e.problems.Add("shared-varies", at.At(name.Span.Start, name.Span.End),
					"service %q is shared, so it cannot use %s, which is searched for", t.Value, name.Name).
					Hint = "write a fixed value, or take the service out of shared"
			}
		})
	}
}

func (e *outline) checkSetup(n *source.Node) {
	switch service := n.TextAt("service"); {
	case service.Value == "" && !e.head.HasTried(n, "service"):
		e.problems.Add("missing-key", n.Text.Pos, "setup does not name its service").
			Hint = "add service: with a shared service"
	case service.Value != "" && e.checkHookService("setup", service) && !slices.Contains(e.Shared, service.Value):
		e.problems.Add("not-shared", service.Pos, "setup runs once, but service %q is started fresh for every repetition",
			service.Value).Hint = fmt.Sprintf("add shared: [%s], or run it in prepare", service.Value)
	}
}

func (e *outline) checkPrepare(n *source.Node) {
	if service := n.TextAt("service"); service.Value != "" {
		e.checkHookService("prepare", service)
	} else if e.head.Command == nil && !e.head.HasTried(n, "service") {
		e.problems.Add("missing-key", n.Text.Pos, "prepare does not name its service, and the experiment has no command").
			Hint = "add service: with one of " + strings.Join(e.serviceNames(), ", ")
	}
}

// checkHookService returns whether a service exists and keeps running, and adds a problem if not. Name is the key.
func (e *outline) checkHookService(name string, service source.Text) bool {
	return e.checkService(service, name) && e.checkKeepsRunning(e.headNode.Get("services"), service, name)
}

// checkProfiles reports profiles that look misspelt.
func (e *outline) checkProfiles() {
	known := sortedSet(append(slices.Collect(maps.Keys(e.project.Profiles)), Full))
	for _, profile := range e.head.Profiles {
		name := profile.Name
		hint := source.Suggest(name.Value, known)
		if !slices.Contains(known, name.Value) && strings.HasPrefix(hint, "did you mean") {
			e.problems.Add("unknown-profile", name.Pos, "profile %q looks like a misspelling of another one", name.Value).
				Hint = hint
		}
	}
}

// checkSearch checks the metric that a search maximizes, and that a template uses the value it finds.
func (e *outline) checkSearch(key source.Text, n *source.Node) {
	if m := n.TextAt("maximize"); m.Value != "" && !isTemplate(m) {
		measured := e.measured()
		if known, ok := measured.Lookup(m.Value); !ok {
			e.problems.Add("unknown-metric", m.Pos, "this experiment has no metric %q", m.Value).
				Hint = suggestMetric(m.Value, measured)
		} else if known.Better == "" {
			e.problems.Add("wrong-value", m.Pos, "%s has no better direction", m.Value).
				Hint = "choose another metric, such as throughput"
		}
	}
	used, name := false, "tune."+key.Value
	visitNames(e.node, func(_ string, _ source.Text, n *expr.Selector) { used = used || n.Name == name })
	if !used {
		e.problems.Add("unused-search", key.Pos, "nothing uses ${{ %s }}, so all values are the same", name).
			Hint = "write it where the value belongs, or remove the search"
	}
}

// inOrder visits names, each after the ones it needs, and calls circle for every need that closes a cycle.
func inOrder(names []string, needs map[string][]source.Text, visit func(name string), circle func(name string,
	need source.Text)) {
	begun, done := map[string]bool{}, map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		begun[name] = true
		for _, need := range needs[name] {
			if !begun[need.Value] {
				walk(need.Value)
			} else if !done[need.Value] {
				circle(name, need)
			}
		}
		done[name] = true
		visit(name)
	}
	for _, name := range names {
		if !begun[name] {
			walk(name)
		}
	}
}

// AddWarnings adds the experiment's warnings to problems. They do not prevent a run.
func (e *Experiment) AddWarnings(problems *source.Problems) { problems.Merge(&e.remarks) }

// checkAxes warns about axes that no template uses: their cells all measure the same.
func (e *outline) checkAxes(body *source.Node) {
	if e.head.Matrix == nil {
		return
	}
	used := map[string]bool{}
	visitNames(body, func(_ string, _ source.Text, s *expr.Selector) {
		if path := strings.Split(s.Name, "."); path[0] == "matrix" && len(path) > 1 {
			used[path[1]] = true
		}
	})
	for _, row := range e.head.Matrix.Include { // a row may give fields to the axis values that it names
		for _, f := range row.Fields {
			used[f.Name.Value] = true
		}
	}
	for _, axis := range e.head.Matrix.Axes {
		name := axis.Name.Value
		if !used[name] && len(axis.Value) > 1 {
			e.remarks.Warn("unused-axis", axis.Name.Pos, "nothing uses axis %q, so its cells all measure the same", name).
				Hint = "write ${{ matrix." + name + " }} where they differ, or remove the axis"
		}
	}
}

// checkPort warns about a target port that its service does not expose, because readiness waits for exposed ports only.
func (e *outline) checkPort(t *Trial, load *source.Node) {
	for _, target := range targetsOf(load) {
		u, err := url.Parse(target.Value)
		if err != nil {
			continue
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			port = map[string]int{"http": 80, "https": 443}[u.Scheme]
		}
		s := t.service(u.Hostname())
		if port == 0 || s == nil || slices.Contains(s.Expose, port) || len(s.Expose) == 0 && !s.Ready.HasNoTest() {
			continue
		}
		exposed := "no port"
		if len(s.Expose) > 0 {
			exposed = strings.Join(slice.Map(s.Expose, strconv.Itoa), ", ")
		}
		e.remarks.Warn("port-not-exposed", target.Pos, "the load goes to port %d of service %q, which exposes %s",
			port, s.Name, exposed).Hint = "correct the port, or add it to expose, which is waited for"
	}
}

// service returns the service with a name, or nil.
func (t *Trial) service(name string) *spec.Service {
	found, _ := slice.Find(t.Services, func(s *spec.Service) bool { return s.Name == name })
	return found
}

// checkReferences checks references to other experiments (rate.of, tune.of). It reports unknown experiments, missing
// searches and cells, and cycles.
func (p *planner) checkReferences() {
	names, needs := p.names(), map[string][]source.Text{}
	for _, e := range p.outlines {
		if e.head == nil {
			continue
		}
		for _, of := range e.references() {
			if slices.Contains(names, of.Value) {
				needs[e.Name] = append(needs[e.Name], of)
			} else {
				p.unknownExperiment(of)
			}
		}
		e.checkTuned()
		e.checkRate()
	}
	inOrder(names, needs, func(string) {}, func(name string, of source.Text) {
		p.problems.Add("circle", of.Pos, "experiment %q waits for %q, which waits for it", name, of.Value).
			Hint = "remove one of the references (rate.of or tune.of)"
	})
}

// references returns the names of the experiments that e refers to in rate.of and tune.of.
func (e *outline) references() []source.Text {
	refs := []source.Text{e.headNode.TextAt("load", "rate", "of")}
	for _, f := range e.headNode.Get("tune").All() {
		refs = append(refs, f.Value.TextAt("of"))
	}
	return slices.DeleteFunc(refs, source.Text.IsZero)
}

// find returns the experiment with a name; nil if it is unknown, skipped by the profile, or could not be read.
func (p *planner) find(name source.Text) *outline {
	found, _ := slice.Find(p.outlines, func(e *outline) bool {
		return name.Value != "" && e.Name == name.Value && e.head != nil
	})
	return found
}

// checkTuned checks that the experiments whose tuned values e takes tune them, and have matching cells.
func (e *outline) checkTuned() {
	for _, f := range e.headNode.Get("tune").All() {
		of := f.Value.TextAt("of")
		other := e.find(of)
		if other == nil {
			continue
		}
		if tuned := other.headNode.Get("tune").Keys(); !slices.Contains(tuned, f.Key.Value) {
			e.problems.Add("unknown-search", of.Pos, "experiment %q does not tune %q", other.Name, f.Key.Value).
				Hint = cmp.Or(source.Suggest(f.Key.Value, tuned), "add tune: to it")
		}
		e.checkCells(other, of, "nothing is chosen", "give both experiments the same axes, or tune here as well")
	}
}

// checkRate checks the experiment whose throughput the rate is a share of.
func (e *outline) checkRate() {
	of := e.headNode.TextAt("load", "rate", "of")
	other := e.find(of)
	if other == nil {
		return
	}
	if other.head.Command != nil {
		e.problems.Add("contradiction", of.Pos,
			"experiment %q times a command, so it has no throughput to take a share of", other.Name).
			Hint = "name an experiment with a load"
	}
	if e.head.Load.RateOwn {
		e.checkCells(other, of, "no throughput is known", "give both experiments the same axes, or remove own")
	}
}

// checkCells reports the first cell of e that does not have exactly one counterpart in other.
func (e *outline) checkCells(other *outline, of source.Text, missing, hint string) {
	for _, t := range e.Trials {
		if _, err := other.SameCell(t); err != nil {
			e.problems.Add("no-cell", of.Pos, "for cell %q %s: %v", t.Name, missing, err).Hint = hint
			return // other cells have the same mistake
		}
	}
}
