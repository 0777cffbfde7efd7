package kubernetes

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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
	for host, want := range map[string][]string{LoadHost: {"n1", "n3"}, "load-2": {"n1", "n3"}, ServiceHost: {"s1"},
		"": nil} {
		if got := preferred(host); !slices.Equal(got, want) {
			t.Errorf("on host %q it prefers the nodes %q, want %q", host, got, want)
		}
	}
	e.Spread(LoadHost, []string{"n7"})
	if got := preferred(LoadHost); got != nil {
		t.Errorf("what follows prefers the nodes %q", got)
	}
}

// Further nodes of the load are such that no host has, until there are none, which is said at once. What is started on
// one of them later is on the same one, in the order that they are given.
func TestFurtherNodes(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	e := engineOn(t, a)
	e.options.LoadNodes, e.options.ServiceNodes = map[string]string{"pool": "load"}, map[string]string{"pool": "services"}
	a.become(schedule([][2]string{{"s1", "services"}, {"n3", "load"}, {"n1", "load"}, {"n2", "load"}}))
	opened, err := e.Open(ctx, "spread")
	if err != nil {
		t.Fatal(err)
	}
	launched := 0
	launch := func(host string) (string, error) {
		launched++
		r, err := opened.(*space).launch(ctx, &container{service: engine.Service{Service: spec.Service{
			Name: "p" + string(rune('a'+launched))},
			Image:    prepared,
			Location: engine.Location{Host: host}}}, "")
		if err != nil {
			return "", err
		}
		return r.Node(), nil
	}
	for _, want := range []struct{ host, node string }{{LoadHost, "n3"}, {ServiceHost, "s1"},
		{e.Further(LoadHost, 1), "n3"}, {e.Further(LoadHost, 2), "n1"},
		{e.Further(LoadHost, 3), "n2"}, {e.Further(LoadHost, 2), "n1"}} {
		if node, err := launch(want.host); err != nil || node != want.node {
			t.Errorf("on host %s it is on node %q, %v, want %s", want.host, node, err, want.node)
		}
	}
	for _, node := range []string{"n1", "n2", "n3", "s1"} {
		if not := e.nodes.unused().NodeSelectorTerms[0].MatchFields; !slices.ContainsFunc(not,
			func(r corev1.NodeSelectorRequirement) bool {
				return r.Operator == corev1.NodeSelectorOpNotIn && r.Values[0] == node
			}) {
			t.Errorf("a further node could be %s: %+v", node, not)
		}
	}
	pods, begun := len(a.left()), time.Now()
	if _, err := launch(e.Further(LoadHost, 4)); !errors.Is(err, engine.ErrNoFurther) ||
		time.Since(begun) > unschedulable/2 {
		t.Errorf("where there is no node for it: %v after %v", err, time.Since(begun))
	}
	if left := len(a.left()); left != pods {
		t.Errorf("of what no node took, %d objects stay", left-pods)
	}
	// Those that were found are put in order, and one of them is not wanted.
	e.Spread(LoadHost, []string{"n1", "n3"})
	for host, node := range map[string]string{LoadHost: "n1", "load-2": "n3", "load-3": "", ServiceHost: "s1"} {
		if got := e.nodes.of(host); got != node {
			t.Errorf("host %s is node %q, want %q", host, got, node)
		}
	}
	if node, err := launch("load-3"); err != nil || node != "n2" {
		t.Errorf("a node that is free again: %q, %v", node, err)
	}
	var refused *engine.RejectedError
	for _, host := range []string{"load-1", "load-x", "services-2"} {
		if _, err := launch(host); !errors.As(err, &refused) {
			t.Errorf("on host %q, which is none: %v", host, err)
		}
	}
	if err := opened.Close(context.WithoutCancel(ctx)); err != nil {
		t.Error(err)
	}
	a.wantNone(t, "")
}
