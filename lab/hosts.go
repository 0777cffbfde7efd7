package lab

import (
	"fmt"
	"path/filepath"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
)

// UnknownHosts stands for the ID of several machines of which one was never met from here: no record has it.
const UnknownHosts = "not connected yet"

// endpointOf is how a host of the project is connected to.
func endpointOf(project *projects.Project, h projects.ProjectHost) docker.Options {
	o := docker.Options{Host: h.Docker.Value, TLS: h.TLS.Value}
	if o.TLS != "" && !filepath.IsAbs(o.TLS) {
		o.TLS = filepath.Join(project.Dir, o.TLS)
	}
	return o
}

// EndpointsOf are the endpoints of hosts of the project, by their names.
func EndpointsOf(project *projects.Project, names []string) map[string]docker.Options {
	out := map[string]docker.Options{}
	for _, h := range project.Hosts {
		if slices.Contains(names, h.Name.Value) && h.Value.Kubernetes == nil {
			out[h.Name.Value] = endpointOf(project, h.Value)
		}
	}
	return out
}

// AddressesOf are by what hosts are remembered from one hostSession to the next, by their names. They are those of a
// plan in a cluster, as plan.Plan.Cluster has it.
func AddressesOf(project *projects.Project, cluster string, names []string) map[string]string {
	out := map[string]string{}
	if o, ok := ClusterOf(project, cluster); ok {
		for _, name := range names {
			labels := o.ServiceNodes
			if name == plan.LoadNode {
				labels = o.LoadNodes
			}
			// which is in the order of the labels
			out[name] = fmt.Sprintf("kubernetes %q %q %s %v", o.Context, o.Namespace, name, labels)
		}
		return out
	}
	for name, o := range EndpointsOf(project, names) {
		out[name] = o.Host
	}
	return out
}

// ClusterOf is how the cluster of a plan is connected to: the host of this name, or the project's own where there is
// none. It is false of a plan that runs in none.
func ClusterOf(project *projects.Project, name string) (engine.Cluster, bool) {
	if name == "" {
		return OptionsOf(project, project.Cluster), project.Engine.V.Can(spec.Nodes)
	}
	for _, h := range project.Hosts {
		if h.Name.Value == name && h.Value.Kubernetes != nil {
			return OptionsOf(project, h.Value.Kubernetes), true
		}
	}
	return engine.Cluster{}, false
}

// OptionsOf is how a cluster is connected to; nil is the current one of the user.
func OptionsOf(project *projects.Project, c *projects.Cluster) engine.Cluster {
	o := engine.Cluster{Registry: project.Registry.Value}
	if c != nil {
		o.Context, o.Namespace = c.Context.Value, c.Namespace.Value
		o.ServiceNodes, o.LoadNodes = c.Nodes.Services.Map(), c.Nodes.Load.Map()
	}
	return o
}
