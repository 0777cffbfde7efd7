package lab

import (
	"cmp"
	"crypto/sha256"
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// UnknownHosts stands for the ID of machines elsewhere that were never connected to: no record has it.
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

// AddressOf returns the address of the project's engine if that is on another machine, else nothing.
func (w Config) AddressOf(project *article.Project) string {
	if w.Elsewhere == nil {
		return ""
	}
	return w.Elsewhere(cmp.Or(project.Engine.V, spec.DefaultEngine))
}

// LockIDOf returns what stands for the ID of the machine at an address in its lock, before it is known.
func LockIDOf(address string) string {
	return fmt.Sprintf("at-%x", sha256.Sum256([]byte(address)))[:12]
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
