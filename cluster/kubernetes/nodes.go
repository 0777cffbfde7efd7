package kubernetes

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// nodes are the nodes that were chosen for hosts.
type nodes struct {
	prefer map[string][]string // names by host, from the run before

	mu    sync.Mutex
	names map[string]string // by host, once something was started there
}

func (n *nodes) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.names)
}

// settle notes the node of a host, once its first pod is there.
func (n *nodes) settle(host, node string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if host != "" {
		n.names[host] = node
	}
}

// affinity says on which nodes a pod of a host may be, or should be: on the host's node; before it has one, on one
// that no other host has, and if possible one of the run before.
func (n *nodes) affinity(host string) *corev1.NodeAffinity {
	chosen := n.all()
	var term corev1.NodeSelectorTerm
	affinity := &corev1.NodeAffinity{}
	switch {
	case host == "":
		return nil
	case chosen[host] != "":
		term = byName(corev1.NodeSelectorOpIn, chosen[host])
	default:
		for _, node := range chosen {
			term.MatchFields = append(term.MatchFields, byName(corev1.NodeSelectorOpNotIn, node).MatchFields...)
		}
		for _, node := range n.prefer[host] {
			affinity.PreferredDuringSchedulingIgnoredDuringExecution = append(
				affinity.PreferredDuringSchedulingIgnoredDuringExecution,
				corev1.PreferredSchedulingTerm{Weight: 100, Preference: byName(corev1.NodeSelectorOpIn, node)})
		}
	}
	if len(term.MatchFields) > 0 {
		affinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}
	}
	return affinity
}

func byName(operator corev1.NodeSelectorOperator, node string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: operator,
		Values: []string{node}}}}
}
