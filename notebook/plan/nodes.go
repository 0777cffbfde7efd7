package plan

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// The nodes of a cluster, which are the hosts of an experiment on the engine kubernetes.
const (
	ServiceNode = "services"
	LoadNode    = "load"
)

// HostOf returns the node that a service runs on; empty for this machine.
func (e *Experiment) HostOf(service string) string { return e.Hosts[service] }

// LoadHost returns the node that the load or command of a trial runs on; empty for this machine.
func (e *Experiment) LoadHost(t *Trial) string {
	if t.Command != nil && t.Command.Service != "" {
		return e.HostOf(t.Command.Service)
	}
	return e.Hosts[LoadName]
}

// HostNames returns the nodes that the experiment uses, sorted; this machine is the empty name.
func (e *Experiment) HostNames() []string {
	var names []string
	for _, t := range e.Trials {
		names = append(names, e.LoadHost(t))
		for _, s := range t.Services {
			names = append(names, e.HostOf(s.Name))
		}
	}
	return sortedSet(names)
}

// UsesHosts reports whether an experiment of the plan runs on nodes of a cluster.
func (p *Plan) UsesHosts() bool {
	return slices.ContainsFunc(p.All, func(e *Experiment) bool { return len(e.Hosts) > 0 })
}

// HostNames returns the nodes of all experiments of the article, sorted; this machine is the empty name. Experiments
// that a run leaves out count: their results are on the same page.
func (p *Plan) HostNames() []string {
	var names []string
	for _, e := range p.All {
		names = append(names, e.HostNames()...)
	}
	return sortedSet(names)
}

// placeOnNodes puts all services of an experiment that runs in a cluster on one node of it, and the load on another.
func (e *outline) placeOnNodes() {
	for _, t := range e.Trials {
		if t.draft.definition == nil || !e.Engine.Can(spec.Nodes) {
			continue
		}
		if e.Hosts == nil {
			e.Hosts = map[string]string{LoadName: LoadNode}
		}
		for _, s := range t.draft.definition.Services {
			e.Hosts[s.Name] = ServiceNode
		}
	}
}

// checkClusters reports an article with some experiments in a cluster and some outside: the results of a page come
// from one set of machines.
func (p *planner) checkClusters() {
	measured := slice.Filter(p.outlines, func(e *outline) bool { return len(e.Trials) > 0 })
	for _, e := range measured {
		if first := measured[0]; p.engine().Can(spec.Nodes) && e.Outside != first.Outside {
			p.problems.Add("across-hosts", e.Pos, "experiments %q and %q: one has a target that runs already and its load on "+
				"this machine, the other runs in a cluster", first.Name, e.Name).
				Hint = "make them two articles: the results of an article are those of one set of machines"
			return
		}
	}
}
