package kubernetes

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
)

// clusterFolder returns the folder of the cluster that cluster/clustertest/run creates, or skips the test.
func clusterFolder(t *testing.T) string {
	t.Helper()
	folder, ok := os.LookupEnv("BENCHBOOK_TEST_CLUSTER")
	if !ok {
		slowtest.Missing(t, "kubernetes", "run make test-kubernetes", errors.New("BENCHBOOK_TEST_CLUSTER is not set"))
	}
	return folder
}

// connected returns an engine for a user of the cluster.
func connected(t *testing.T, user string, change func(*Options)) *Engine {
	t.Helper()
	folder := clusterFolder(t)
	builder := must.Get(docker.New(t.Context(), nil))
	registry := must.Get(os.ReadFile(filepath.Join(folder, "registry")))
	o := Options{Kubeconfig: filepath.Join(folder, user+".kubeconfig"), Builder: builder,
		Cluster: engine.Cluster{Registry: strings.TrimSpace(string(registry)),
			LoadNodes:    map[string]string{"benchbook.test/pool": "load"},
			ServiceNodes: map[string]string{"benchbook.test/pool": "services"}}}
	if change != nil {
		change(&o)
	}
	e := must.Get(New(t.Context(), o))
	t.Cleanup(func() { must.Do(errors.Join(e.Close(), builder.Close())) })
	return e
}

// The user of the cluster has exactly the rights that the manual lists.
func TestEngine(t *testing.T) {
	clusterFolder(t)
	t.Cleanup(func() { discardImages(t) })
	enginetest.Run(t, func(t *testing.T) engine.Engine { return connected(t, "user", nil) },
		enginetest.Leaves("namespace"), enginetest.AsksFirst())
}

// discardImages removes the suite's images from the builder.
func discardImages(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	ids := must.Get(exec.CommandContext(ctx, "docker", "images", "--quiet", "--filter",
		"label="+engine.LabelImage+"="+enginetest.Made()).Output())
	for _, id := range strings.Fields(string(ids)) {
		must.Run(exec.CommandContext(ctx, "docker", "rmi", "--force", id))
	}
}

// idle returns a service that does nothing until it is told to stop.
func idle(ctx context.Context, t *testing.T, e *Engine, name string) engine.Service {
	t.Helper()
	data := must.Get(enginetest.Agent(t)())
	image := must.Get(e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: data}}, io.Discard))
	return engine.Service{Service: spec.Service{Name: name, Command: []string{agent.Idle}}, Image: image, Ours: true}
}

func opened(ctx context.Context, t *testing.T, e *Engine) engine.Space {
	t.Helper()
	space := must.Get(e.Open(ctx, "faults"))
	t.Cleanup(func() { must.Do(space.Close(context.WithoutCancel(ctx))) })
	return space
}

func started(ctx context.Context, t *testing.T, space engine.Space, service engine.Service) *container {
	t.Helper()
	c := must.Get(space.Start(ctx, service))
	return c.(*container)
}

// awaitFault waits until a container is reported as lost by a Fault.
func awaitFault(ctx context.Context, t *testing.T, c *container) error {
	t.Helper()
	for {
		state, err := c.State(ctx)
		switch {
		case ctx.Err() != nil:
			t.Fatal("nothing was noticed")
		case errors.As(err, new(*Fault)):
			return err
		case state.Ended:
			t.Fatalf("it is said to have ended by itself: %+v", state.Exit)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestEvicted(t *testing.T) {
	ctx := bounded(t)
	e, admin := connected(t, "user", nil), connected(t, "admin", nil)
	c := started(ctx, t, opened(ctx, t, e), idle(ctx, t, e, "steady"))
	must.Do(admin.client.PolicyV1().Evictions(c.space.namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Name: c.pod, Namespace: c.space.namespace}}))
	wantFault(t, awaitFault(ctx, t, c), "evicted", `"steady"`, "run again")
}

func TestNodeLost(t *testing.T) {
	folder := clusterFolder(t)
	ctx := bounded(t)
	e, admin := connected(t, "user", nil), connected(t, "admin", nil)
	space := opened(ctx, t, e)
	c := started(ctx, t, space, idle(ctx, t, e, "steady"))
	text := must.Get(os.ReadFile(filepath.Join(folder, "node1.pid")))
	pid := must.Get(strconv.Atoi(strings.TrimSpace(string(text))))
	off := filepath.Join(folder, "node1.off")
	must.Do(os.WriteFile(off, nil, 0o600))
	t.Cleanup(func() { awaitNode(t, admin, off) })
	must.Do(syscall.Kill(pid, syscall.SIGKILL))
	wantFault(t, awaitFault(ctx, t, c), "node1", "lost", "run again")
	must.Do(space.Close(ctx))
}

// awaitNode turns a node on again, for the tests that follow.
func awaitNode(t *testing.T, admin *Engine, off string) {
	t.Helper()
	must.Do(os.Remove(off))
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		node, err := admin.client.CoreV1().Nodes().Get(context.Background(), "node1", metav1.GetOptions{})
		if err != nil || len(node.Spec.Taints) > 0 {
			continue
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue &&
				time.Since(c.LastTransitionTime.Time) < time.Minute {
				return
			}
		}
	}
	t.Error("node1 did not come back")
}

// Everything on one host runs on one node, services and load on different nodes. The facts name the nodes, and
// exclusive CPUs belong to one container.
func TestPlacement(t *testing.T) {
	ctx := bounded(t)
	e := connected(t, "user", func(o *Options) { o.LoadNodes, o.ServiceNodes = nil, nil })
	space := opened(ctx, t, e)
	nodes, cpus := map[string]string{}, map[string]string{}
	for _, at := range []struct{ name, host, cpus string }{{"a", LoadHost, ""}, {"b", ServiceHost, ""},
		{"c", ServiceHost, "0"}, {"d", LoadHost, ""}} {
		service := idle(ctx, t, e, at.name)
		service.Host, service.CPUSet = at.host, at.cpus
		state, err := started(ctx, t, space, service).State(ctx)
		if err != nil || state.Node == "" || nodes[at.host] != "" && nodes[at.host] != state.Node {
			t.Errorf("%s is on %q, %v; and host %s on %s", at.name, state.Node, err, at.host, nodes[at.host])
		}
		nodes[at.host], cpus[at.name] = state.Node, state.CPUs
	}
	if nodes[LoadHost] == nodes[ServiceHost] {
		t.Errorf("services and load are both on %s", nodes[LoadHost])
	}
	if _, err := strconv.Atoi(cpus["c"]); err != nil {
		t.Errorf("with a CPU of its own it has CPUs %q", cpus["c"])
	}
	facts, err := e.Facts(ctx)
	for host, node := range nodes {
		if err != nil || facts["engine.node."+host] != node || facts["engine.node."+host+".kubelet"] == "" {
			t.Errorf("of host %s the facts say %v, %v", host, facts, err)
		}
	}
	same := connected(t, "user", func(o *Options) { o.LoadNodes = o.ServiceNodes })
	same.owner = e.owner
	space = opened(ctx, t, same)
	for _, host := range []string{LoadHost, ServiceHost} {
		service := idle(ctx, t, same, "on-"+host)
		service.Host = host
		_, err = space.Start(ctx, service)
	}
	wantFault(t, err, "second node")
}
