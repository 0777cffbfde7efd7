package lab

import (
	"cmp"
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// UnknownHosts is the ID of machines elsewhere before the first connection. No record has it.
const UnknownHosts = "not connected yet"

// AddressesOf returns the cache keys of named nodes of the project's cluster.
func AddressesOf(project *article.Project, names []string) map[string]string {
	out, o := map[string]string{}, OptionsOf(project)
	for _, name := range names {
		labels := o.ServiceNodes
		if name == plan.LoadNode {
			labels = o.LoadNodes
		}
		out[name] = fmt.Sprintf("kubernetes %q %q %s %v", o.Context, o.Namespace, name, labels) // labels are sorted
	}
	return out
}

// AddressOf returns the address of the project's engine if it is on another machine; else empty.
func (w Config) AddressOf(project *article.Project) string {
	if w.Elsewhere == nil {
		return ""
	}
	return w.Elsewhere(cmp.Or(project.EngineName(), spec.DefaultEngine))
}

// OptionsOf returns how to connect to the cluster of a project, which is the user's current one if it names none.
func OptionsOf(project *article.Project) engine.Cluster {
	o := engine.Cluster{Registry: project.Registry.Value}
	if c := project.Cluster; c != nil {
		o.Context, o.Namespace = c.Context.Value, c.Namespace.Value
		o.ServiceNodes, o.LoadNodes = article.TextsByName(c.Nodes.Services), article.TextsByName(c.Nodes.Load)
	}
	return o
}
