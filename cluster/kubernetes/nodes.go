package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/internal/slice"
	"benchbook/runner/engine"
)

var (
	_ engine.Sited = (*running)(nil)
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

// preferred prefers the nodes that a host had before.
func (n *nodes) preferred(host string) []corev1.PreferredSchedulingTerm {
	return slice.Map(n.prefer[host], func(node string) corev1.PreferredSchedulingTerm {
		return corev1.PreferredSchedulingTerm{Weight: 100, Preference: byName(corev1.NodeSelectorOpIn, node)}
	})
}

// byName asks for nodes by their names, one requirement for each: a cluster takes no more in one.
func byName(operator corev1.NodeSelectorOperator, names ...string) (term corev1.NodeSelectorTerm) {
	for _, name := range names {
		term.MatchFields = append(term.MatchFields, corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: operator,
			Values: []string{name}})
	}
	return term
}

func (r *running) Node() string { return r.node }

// of is the node of a host; empty as long as nothing was started there, and for what says nothing of hosts.
func (n *nodes) of(host string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names[host]
}

// settle notes which node a host is, once the first pod of it is there. Services and load on one node would be measured
// together, and taken for two machines.
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
