package lab

import (
	"cmp"
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// UnknownHosts is the host ID of remote machines before the first connection. It never appears in records.
const UnknownHosts = "not connected yet"

// AddressesOf returns the cache keys of nodes in the project's cluster, by node name.
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

// AddressOf returns the address of the project's engine on another machine; empty if it is on this one.
func (w Config) AddressOf(project *article.Project) string {
	if w.Elsewhere == nil {
		return ""
	}
	return w.Elsewhere(cmp.Or(project.EngineName(), spec.DefaultEngine))
}

// OptionsOf returns the connection settings of the project's cluster, by default the user's current one.
func OptionsOf(project *article.Project) engine.Cluster {
	o := engine.Cluster{Registry: project.Registry.Value}
	if c := project.Cluster; c != nil {
		o.Context, o.Namespace = c.Context.Value, c.Namespace.Value
		o.ServiceNodes, o.LoadNodes = article.TextsByName(c.Nodes.Services), article.TextsByName(c.Nodes.Load)
	}
	return o
}
