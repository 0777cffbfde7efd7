package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// agentPod answers for the names of all spaces of an Engine, and is where services are probed from.
type agentPod struct {
	starting sync.Mutex
	place    place  // empty: it is not there yet
	address  string // of the pod
	policy   string

	mu    sync.Mutex // held while the table is changed and told
	table agent.Names
}

// mainContainer is the name of the container of every pod of ours.
const mainContainer = "main"

const namePort = 53

// ensure starts the pod when it is first needed, and returns its address.
func (a *agentPod) ensure(ctx context.Context, e *Engine) (address string, err error) {
	a.starting.Lock()
	defer a.starting.Unlock()
	if a.address != "" {
		return a.address, nil
	}
	prepared, err := e.prepareAgent(ctx)
	if err != nil {
		return "", err
	}
	pod := &corev1.Pod{ObjectMeta: e.meta(objectName("names"), "", "")}
	pod.Labels[labelNames] = ""
	a.policy = pod.Name
	own := &metav1.LabelSelector{MatchLabels: map[string]string{labelEngine: e.id}}
	peers := []networkingv1.NetworkPolicyPeer{{PodSelector: own}}
	err = e.cluster.create(ctx, policyResource, &networkingv1.NetworkPolicy{
		ObjectMeta: e.meta(a.policy, "", ""),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{labelEngine: e.id, labelNames: ""}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers}},
			Egress:      []networkingv1.NetworkPolicyEgressRule{{To: peers}},
		},
	})
	if err != nil {
		return "", fmt.Errorf("making the policy of the pod of names: %w", e.cluster.fault(err))
	}
	nobody, no, yes, always := int64(65534), false, true, corev1.SeccompProfileTypeRuntimeDefault
	pod.Spec = corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever,
		AutomountServiceAccountToken: &no,
		EnableServiceLinks:           &no,
		NodeSelector:                 e.options.LoadNodes,
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: e.nodes.preferred(LoadHost)}},
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &nobody, RunAsGroup: &nobody, SeccompProfile: &corev1.SeccompProfile{Type: always},
			Sysctls: []corev1.Sysctl{{Name: "net.ipv4.ip_unprivileged_port_start", Value: "0"}},
		},
		Containers: []corev1.Container{{
			Name: mainContainer, Image: prepared.Reference, ImagePullPolicy: corev1.PullIfNotPresent,
			Command: act(agent.Answer, ":"+strconv.Itoa(namePort)),
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
		}},
	}
	if err := e.cluster.create(ctx, podResource, pod); err != nil {
		return "", fmt.Errorf("making the pod of names: %w", e.cluster.creationError("names", err))
	}
	a.place = place{pod.Name, mainContainer}
	started, err := e.pods.wait(ctx, pod.Name, func(s podState) (bool, error) {
		if err := trouble("names", s); err != nil {
			return false, err
		}
		if ended := terminated(s.pod, mainContainer); ended != nil {
			return false, fmt.Errorf("it ended with status %d: %s", ended.ExitCode, ended.Message)
		}
		return isRunning(s.pod, mainContainer) && s.pod.Status.PodIP != "", nil
	})
	if err != nil {
		return "", errors.Join(fmt.Errorf("starting the pod of names: %w", err), a.drop(ctx, e))
	}
	a.address = started.Status.PodIP
	return a.address, nil
}

// prepareAgent makes the image with nothing but our program.
func (e *Engine) prepareAgent(ctx context.Context) (engine.Prepared, error) {
	if e.options.Agent == nil {
		return engine.Prepared{}, fmt.Errorf("containers on Kubernetes need the program %s", agent.Name)
	}
	data, err := e.options.Agent()
	if err != nil {
		return engine.Prepared{}, err
	}
	return e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: data}}, io.Discard)
}

// remove removes the pod, if it was ever made.
func (a *agentPod) remove(ctx context.Context, e *Engine) error {
	a.starting.Lock()
	defer a.starting.Unlock()
	return a.drop(ctx, e)
}

// drop is remove with the lock held.
func (a *agentPod) drop(ctx context.Context, e *Engine) error {
	var err error
	if a.place.pod != "" {
		err = e.cluster.remove(ctx, podResource, a.place.pod, 0)
	}
	if a.policy != "" {
		err = errors.Join(err, e.cluster.remove(ctx, policyResource, a.policy, 0))
	}
	a.place, a.address, a.policy = place{}, "", ""
	return e.cluster.fault(err)
}

// change changes the table and tells it.
func (a *agentPod) change(ctx context.Context, e *Engine, how func(*agent.Names)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	how(&a.table)
	text, err := json.Marshal(a.table)
	if err != nil {
		return err
	}
	if err := e.cluster.tell(ctx, a.place, act(agent.Know, nil), bytes.NewReader(text)); err != nil {
		return fmt.Errorf("telling names to pod %s: %w", a.place.pod, err)
	}
	return nil
}

// enter makes the names of a pod known in its space, and lets it begin.
func (a *agentPod) enter(ctx context.Context, e *Engine, space, address string, names []string, token string) error {
	return a.change(ctx, e, func(table *agent.Names) {
		table.Clients[address] = space
		if table.Spaces[space] == nil {
			table.Spaces[space] = make(map[string][]string)
		}
		for _, name := range names {
			name = strings.ToLower(name)
			table.Spaces[space][name] = append(table.Spaces[space][name], address)
		}
		table.Tokens = append(table.Tokens, token)
	})
}

// dismiss lets a container end whose program has.
func (a *agentPod) dismiss(ctx context.Context, e *Engine, token string) error {
	return a.change(ctx, e, func(table *agent.Names) { table.Tokens = append(table.Tokens, token) })
}

// leave undoes what enter and dismiss did. It is told with the next change: nobody asks for a pod that is gone, unless
// its space goes on.
func (a *agentPod) leave(space, address string, tokens []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.table.Clients[address] == space {
		delete(a.table.Clients, address)
	}
	for name, addresses := range a.table.Spaces[space] {
		addresses = slices.DeleteFunc(addresses, func(other string) bool { return other == address })
		if a.table.Spaces[space][name] = addresses; len(addresses) == 0 {
			delete(a.table.Spaces[space], name)
		}
	}
	if len(a.table.Spaces[space]) == 0 {
		delete(a.table.Spaces, space)
	}
	a.table.Tokens = slices.DeleteFunc(a.table.Tokens, func(other string) bool { return slices.Contains(tokens, other) })
}

// dial connects to a port of a pod from where the load is.
func (a *agentPod) dial(ctx context.Context, e *Engine, address string, port int) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	go func() {
		var said strings.Builder
		_, err := e.cluster.run(ctx, a.place, act(agent.Connect, net.JoinHostPort(address, strconv.Itoa(port))), in, out,
			&said)
		if err == nil && said.Len() > 0 {
			err = errors.New(strings.TrimSpace(said.String()))
		}
		_ = out.CloseWithError(err)
		_ = in.CloseWithError(err)
	}()
	conn, err := agent.Conn(stdin, stdout, func() { _ = stdin.Close(); cancel() })
	if err != nil {
		if ctx.Err() != nil {
			// Whose time ran out first says little: that no connection was made does.
			err = fmt.Errorf("pod %s, which tried, has not said that it has one", a.place.pod)
		}
		cancel()
		return nil, err
	}
	return conn, nil
}
