package machines

import (
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/sysinfo"
)

// Of a cluster services have all CPUs of one node, and the load those of another: none of them is chosen by its number.
func TestOnNodes(t *testing.T) {
	trial := &plan.Trial{Services: []*spec.Service{{Name: "s"}}, Load: &spec.Load{Target: "http://s/"}}
	r := Layout{Host: sysinfo.Host{Others: map[string]sysinfo.Host{plan.ServiceNode: {Cores: [][]int{{0}, {1}, {2, 3}}},
		plan.LoadNode: {Cores: [][]int{{0}}}}},
		Experiment: &plan.Experiment{Engine: spec.Kubernetes, Trials: []*plan.Trial{trial},
			Hosts: map[string]string{"s": plan.ServiceNode, "load": plan.LoadNode}},
	}
	if got := r.ServiceCores(trial); got != 4 {
		t.Errorf("services have %d CPUs, want the 4 of their node", got)
	}
	if services, load := r.ServiceCPUs(trial), r.LoadCPUs(trial); services != "" || load != "" {
		t.Errorf("services are on CPU %q and the load is on %q", services, load)
	}
	facts := map[string]string{}
	r.AddFacts(trial, facts)
	if facts[factHosts] != "s on services; load on load" || facts[factCrossing] != betweenPods {
		t.Errorf("facts are %q", facts)
	}
	at := r.Location(trial, "")
	if at.Host != plan.LoadNode {
		t.Errorf("the load is at %+v", at)
	}
	trial.Services[0].CPUSet = "4-5"
	if got := r.ServiceCores(trial); got != 2 {
		t.Errorf("a service with two CPUs of its own has %d", got)
	}
}
