package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/runner/engine"
	"benchbook/slice"
)

var (
	_ engine.Spreading = (*Engine)(nil)
	_ engine.Sited     = (*running)(nil)
)

// nodes are those of a cluster that are hosts.
type nodes struct {
	prefer map[string][]string // by host: those of the run before

	mu    sync.Mutex
	names map[string]string // of the hosts that something was started on
}

func (n *nodes) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.names)
}

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

func (e *Engine) Spread(host string, nodes []string) {
	e.nodes.mu.Lock()
	defer e.nodes.mu.Unlock()
	maps.DeleteFunc(e.nodes.names, func(other, _ string) bool {
		return other == host || host == LoadHost && isFurther(other)
	})
	for i, node := range nodes {
		e.nodes.names[e.Further(host, i+1)] = node
	}
}

// preferred prefers the nodes that a host had before.
func (n *nodes) preferred(host string) []corev1.PreferredSchedulingTerm {
	if isLoad(host) {
		host = LoadHost
	}
	return slice.Map(n.prefer[host], func(node string) corev1.PreferredSchedulingTerm {
		return corev1.PreferredSchedulingTerm{Weight: 100, Preference: byName(corev1.NodeSelectorOpIn, node)}
	})
}

// unused asks for a node that no host has.
func (n *nodes) unused() *corev1.NodeSelector {
	taken := slices.Sorted(maps.Values(n.all()))
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{byName(corev1.NodeSelectorOpNotIn, taken...)}}
}

// byName asks for nodes by their names, one requirement for each: a cluster takes no more in one.
func byName(operator corev1.NodeSelectorOperator, names ...string) (term corev1.NodeSelectorTerm) {
	for _, name := range names {
		term.MatchFields = append(term.MatchFields, corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: operator,
			Values: []string{name}})
	}
	return term
}

// noFurther says that no node takes a pod that asks for one that no host has, as soon as the scheduler has looked: what
// is started to find out how many there are asks for nothing else that could still become free.
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

func (r *running) Node() string { return r.node }

// of is the node of a host; empty as long as nothing was started there, and for what says nothing of hosts.
func (n *nodes) of(host string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names[host]
}

// settle notes which node a host is, once the first pod of it is there. Services and load on one node would be measured
// together, and taken for two machines. Further nodes of the load are others by what their pods ask for.
func (n *nodes) settle(host, node string) error {
	if host == "" {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for other, taken := range n.names {
		if other != host && taken == node {
			return &Fault{fmt.Sprintf("services and load would both be on node %s", node), "give the cluster a second node " +
				"that takes pods, or name two different ones by their labels, under kubernetes: nodes: in benchbook.yaml", nil}
		}
	}
	n.names[host] = node
	return nil
}

// clockLooks is how often a clock is asked: the answer that came fastest counts.
const clockLooks = 5

// Clock implements engine.Clocked: it is that of the node. Clocks drift, so that what was answered long ago does not
// count, however fast.
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
