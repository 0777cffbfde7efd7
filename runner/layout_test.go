package runner

import (
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/machine"
)

// In a cluster services have all CPUs of one node, and the load all of another: none is chosen by its number.
func TestLayoutOnNodes(t *testing.T) {
	trial := &plan.Trial{Services: []*spec.Service{{Name: "s"}}, Load: &spec.Load{Target: "http://s/"}}
	l := layout{
		host: machine.Host{Others: map[string]machine.Host{plan.ServiceNode: {Cores: [][]int{{0}, {1}, {2, 3}}},
			plan.LoadNode: {Cores: [][]int{{0}}}}},
		experiment: &plan.Experiment{Engine: spec.Kubernetes, Trials: []*plan.Trial{trial},
			Hosts: map[string]string{"s": plan.ServiceNode, "load": plan.LoadNode}},
	}
	if got := l.serviceCores(trial); got != 4 {
		t.Errorf("services have %d CPUs, want the 4 of their node", got)
	}
	load, cores := l.loadCPUs(trial)
	if services := l.serviceCPUs(trial); services != "" || load != "" || cores != 1 {
		t.Errorf("services are on CPUs %q, the load is on %q, %d of them", services, load, cores)
	}
	facts := map[string]string{}
	l.addFacts(trial, facts)
	if facts[factHosts] != "s on services; load on load" || facts[factCrossing] != betweenPods {
		t.Errorf("facts are %q", facts)
	}
	if err := l.checkConnected(); err == nil {
		t.Error("nodes that are not connected were not reported")
	}
	trial.Services[0].CPUSet = "4-5"
	if got := l.serviceCores(trial); got != 2 {
		t.Errorf("a service with two CPUs of its own has %d", got)
	}
}
