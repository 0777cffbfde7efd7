package lab

import (
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

// UnknownHosts stands for the ID of the nodes of a cluster that was never connected to: no record has it.
const UnknownHosts = "not connected yet"

// AddressesOf are the keys under which nodes of the project's cluster are remembered, by their names.
func AddressesOf(project *article.Project, names []string) map[string]string {
	out, o := map[string]string{}, OptionsOf(project, project.Cluster)
	for _, name := range names {
		labels := o.ServiceNodes
		if name == plan.LoadNode {
			labels = o.LoadNodes
		}
		out[name] = fmt.Sprintf("kubernetes %q %q %s %v", o.Context, o.Namespace, name, labels) // labels are sorted
	}
	return out
}

// OptionsOf is how a cluster is connected to; nil is the current one of the user.
func OptionsOf(project *article.Project, c *article.Cluster) engine.Cluster {
	o := engine.Cluster{Registry: project.Registry.Value}
	if c != nil {
		o.Context, o.Namespace = c.Context.Value, c.Namespace.Value
		o.ServiceNodes, o.LoadNodes = c.Nodes.Services.Map(), c.Nodes.Load.Map()
	}
	return o
}
