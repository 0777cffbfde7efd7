package kubernetes

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// A clock that has drifted is found out, also if no answer comes as fast as one did before.
func TestClockThatDrifts(t *testing.T) {
	asked, questions := io.Pipe()
	answers, answer := io.Pipe()
	var drift atomic.Int64
	go func() {
		for lines := bufio.NewScanner(asked); lines.Scan(); {
			if json.NewEncoder(answer).Encode(agent.Reading{At: time.Now().Add(time.Duration(drift.Load()))}) != nil {
				return
			}
		}
	}()
	r := &running{name: "host", meter: &meter{questions: questions, answers: bufio.NewReader(answers), cancel: func() {}}}
	defer r.release()
	for _, want := range []time.Duration{0, time.Hour, -time.Hour} {
		drift.Store(int64(want))
		ahead, uncertain, err := r.Clock(bounded(t))
		if err != nil || (ahead-want).Abs() > time.Minute || uncertain <= 0 || uncertain > time.Minute {
			t.Errorf("the clock is %v ahead, give or take %v, %v; want %v", ahead, uncertain, err, want)
		}
		r.meter.fastest = 1 // as if one had come in no time
	}
}

// schedule gives pods the first of some nodes that they ask for, each with the pool that it is in.
func schedule(nodes [][2]string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		var terms []corev1.NodeSelectorTerm
		if a := pod.Spec.Affinity; a != nil && a.NodeAffinity != nil {
			if required := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
				terms = required.NodeSelectorTerms
			}
		}
		for _, node := range nodes {
			fits := pod.Spec.NodeSelector["pool"] == node[1]
			for _, term := range terms {
				for _, r := range term.MatchFields {
					fits = fits && r.Key == "metadata.name" && len(r.Values) == 1 && // all that a cluster takes
						(r.Values[0] == node[0]) == (r.Operator == corev1.NodeSelectorOpIn)
				}
			}
			if fits {
				pod.Spec.NodeName, pod.Status.PodIP = node[0], "10.0.0.1"
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: mainContainer,
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
				return
			}
		}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
			Reason:  corev1.PodReasonUnschedulable,
			Message: "0/4 nodes are available"}}
	}
}

// What decides on the node of a host prefers those of the run before; what follows is bound to that node.
func TestNodesOfTheRunBefore(t *testing.T) {
	e := engineOn(t, newAPI(t))
	e.nodes.prefer = map[string][]string{LoadHost: {"n1", "n3"}, ServiceHost: {"s1"}}
	preferred := func(host string) (names []string) {
		pod := e.pod(&container{program: true, service: engine.Service{Service: spec.Service{Name: "p"},
			Location: engine.Location{Host: host}}}, "run", "space", "10.0.0.9")
		if a := pod.Spec.Affinity.NodeAffinity; a != nil {
			for _, term := range a.PreferredDuringSchedulingIgnoredDuringExecution {
				names = append(names, term.Preference.MatchFields[0].Values...)
			}
		}
		return names
	}
	for host, want := range map[string][]string{LoadHost: {"n1", "n3"}, ServiceHost: {"s1"},
		"": nil} {
		if got := preferred(host); !slices.Equal(got, want) {
			t.Errorf("on host %q it prefers the nodes %q, want %q", host, got, want)
		}
	}
}
