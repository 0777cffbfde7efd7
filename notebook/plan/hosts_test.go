package plan

import (
	"slices"
	"testing"

	"benchbook/notebook/source"
)

// On a cluster all services are on one node and the load is on another, unless it shares their network; nobody chooses
// CPUs by number.
func TestNodes(t *testing.T) {
	plan := func(body string) *Experiment {
		return mustPlan(t, text(block("name: e\nservices: {s: {image: x, cpuset: '7'}, t: {image: x, scale: 2}}\n"+body)),
			Options{},
			map[string]string{"benchbook.yaml": "engine: kubernetes\nregistry: registry.example\n" +
				"kubernetes: {context: lab, namespace: bench, nodes: {load: {pool: clients}}}\n"})
	}
	e := plan("load: {target: 'http://s/'}\n")
	if got := e.HostNames(); !slices.Equal(got, []string{"load", "services"}) || e.LoadHost(e.Trials[0]) != LoadNode ||
		e.HostOf("t") != ServiceNode {
		t.Errorf("hosts are %q", got)
	}
	cores := [][]int{{0}, {1}}
	if got := e.Place(ServiceNode, cores); got != (Placement{ServiceCores: 2, LoadCores: 2}) {
		t.Errorf("placed as %+v", got)
	}
	var problems source.Problems
	e.CheckCPUs(func(string) [][]int { return cores }, &problems)
	if !problems.Empty() {
		t.Errorf("its CPUs are a problem: %v", problems.Sorted())
	}
	if got := plan("load: {target: 'http://s/', network: shared}\n").HostNames(); !slices.Equal(got,
		[]string{"services"}) {
		t.Errorf("with a load in the network of its service hosts are %q", got)
	}
}
