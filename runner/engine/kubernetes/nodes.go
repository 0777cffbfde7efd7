package kubernetes

import (
	"context"
	"fmt"
	"time"
)

// nodeOf is the node of a host; empty as long as nothing was started there, and for what says nothing of hosts.
func (e *Engine) nodeOf(host string) string {
	e.nodesMu.Lock()
	defer e.nodesMu.Unlock()
	return e.nodes[host]
}

// settle notes which node a host is, once the first pod of it is there. Services and load on one node would be measured together, and taken
// for two machines.
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

// Clock implements engine.Clocked: it is that of the node.
func (r *running) Clock(ctx context.Context) (ahead, uncertain time.Duration, err error) {
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
