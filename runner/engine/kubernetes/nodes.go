package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/runner/engine"
)

var (
	_ engine.Spreading = (*Engine)(nil)
	_ engine.Sited     = (*running)(nil)
)

// Further implements engine.Spreading.
func (e *Engine) Further(host string, n int) string {
	if n < 2 {
		return host
	}
	return host + "-" + strconv.Itoa(n)
}

// isFurther says that a host is a node of the load beside the first.
func isFurther(host string) bool {
	text, ok := strings.CutPrefix(host, LoadHost+"-")
	n, err := strconv.Atoi(text)
	return ok && err == nil && n > 1
}

// isLoad says that a host is a node of the load.
func isLoad(host string) bool { return host == LoadHost || isFurther(host) }

// Spread implements engine.Spreading.
func (e *Engine) Spread(host string, nodes []string) {
	e.nodesMu.Lock()
	defer e.nodesMu.Unlock()
	maps.DeleteFunc(e.nodes, func(other, _ string) bool { return other == host || host == LoadHost && isFurther(other) })
	for i, node := range nodes {
		e.nodes[e.Further(host, i+1)] = node
	}
}

// again prefers the nodes that a host had before.
func (e *Engine) again(host string) []corev1.PreferredSchedulingTerm {
	if isLoad(host) {
		host = LoadHost
	}
	var terms []corev1.PreferredSchedulingTerm
	for _, node := range e.options.Prefer[host] {
		terms = append(terms, corev1.PreferredSchedulingTerm{Weight: 100, Preference: corev1.NodeSelectorTerm{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}})
	}
	return terms
}

// elsewhere asks for a node that no host has.
func (e *Engine) elsewhere() *corev1.NodeSelector {
	e.nodesMu.Lock()
	taken := slices.Sorted(maps.Values(e.nodes))
	e.nodesMu.Unlock()
	var not []corev1.NodeSelectorRequirement
	for _, node := range taken {
		not = append(not, corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: corev1.NodeSelectorOpNotIn, Values: []string{node}})
	}
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: not}}}
}

// noFurther says that no node takes a pod that asks for one that no host has, as soon as the scheduler has looked: what is started to find
// out how many there are asks for nothing else that could still become free.
func noFurther(pod *corev1.Pod) error {
	if pod == nil {
		return nil
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return fmt.Errorf("%w: %s", engine.ErrNoFurther, c.Message)
		}
	}
	return nil
}

// Node implements engine.Sited.
func (r *running) Node() string {
	state, _ := r.engine.pods.get(r.place.pod) // a pod stays where it is
	if state.pod == nil {
		return ""
	}
	return state.pod.Spec.NodeName
}

// nodeOf is the node of a host; empty as long as nothing was started there, and for what says nothing of hosts.
func (e *Engine) nodeOf(host string) string {
	e.nodesMu.Lock()
	defer e.nodesMu.Unlock()
	return e.nodes[host]
}

// settle notes which node a host is, once the first pod of it is there. Services and load on one node would be measured together, and taken
// for two machines. Further nodes of the load are others by what their pods ask for.
func (e *Engine) settle(host, pod string) error {
	if host == "" {
		return nil
	}
	state, err := e.pods.get(pod)
	if err != nil || state.pod == nil {
		return err // whoever uses the pod learns what became of it
	}
	e.nodesMu.Lock()
	defer e.nodesMu.Unlock()
	node := state.pod.Spec.NodeName
	for other, taken := range e.nodes {
		if other != host && taken == node {
			return &Fault{fmt.Sprintf("services and load would both be on node %s", node),
				"give the cluster a second node that takes pods, or name two different ones by their labels, under kubernetes: nodes: in benchbook.yaml", nil}
		}
	}
	e.nodes[host] = node
	return nil
}

// clockLooks is how often a clock is asked: the answer that came fastest counts.
const clockLooks = 5

// Clock implements engine.Clocked: it is that of the node. Clocks drift, so that what was answered long ago does not count, however fast.
func (r *running) Clock(ctx context.Context) (ahead, uncertain time.Duration, err error) {
	r.mu.Lock()
	if r.meter != nil {
		r.meter.fastest = 0
	}
	r.mu.Unlock()
	for range clockLooks {
		if _, err := r.CPU(ctx); err != nil {
			return 0, 0, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.meter == nil {
		return 0, 0, fmt.Errorf("measuring %s: it was removed", r.name)
	}
	return r.meter.ahead, r.meter.fastest / 2, nil
}
