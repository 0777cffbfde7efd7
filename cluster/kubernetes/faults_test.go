package kubernetes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/machine"
)

// bounded is the context of a test.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connected is an engine of the user, which is closed by the test.
func connected(t *testing.T, change func(*Options)) *Engine {
	t.Helper()
	o := options(t)
	if change != nil {
		change(&o)
	}
	e, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// steady is a service that does nothing until it is asked to end.
func steady(ctx context.Context, t *testing.T, e *Engine) engine.Service {
	t.Helper()
	prepared, err := e.prepareAgent(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Service{Service: spec.Service{Name: "steady", Command: []string{agent.Host, machine.Watch}},
		Image: prepared}
}

// started is a service that runs, in a space that is closed by the test.
func started(ctx context.Context, t *testing.T, e *Engine) *running {
	t.Helper()
	r, err := opened(ctx, t, e).Start(ctx, steady(ctx, t, e))
	if err != nil {
		t.Fatal(err)
	}
	return r.(*running)
}

func opened(ctx context.Context, t *testing.T, e *Engine) engine.Space {
	t.Helper()
	space, err := e.Open(ctx, "faults")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := space.Close(context.WithoutCancel(ctx)); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return space
}

// admin is an engine with all rights, by which faults are made.
func admin(t *testing.T) *Engine {
	t.Helper()
	return connected(t, func(o *Options) { o.Kubeconfig = filepath.Join(cluster(t), "admin.kubeconfig") })
}

// wantFault fails the test unless an error says what has happened and what to do.
func wantFault(t *testing.T, err error, texts ...string) {
	t.Helper()
	var fault *Fault
	if !errors.As(err, &fault) || fault.WayOut == "" {
		t.Fatalf("got %v, want a fault with a way out", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q lacks %q", err, text)
		}
	}
}

// awaitFault waits until a service is said to be no more, by no fault of its own.
func awaitFault(ctx context.Context, t *testing.T, r *running) error {
	t.Helper()
	for {
		exit, ended, err := r.Ended(ctx)
		switch {
		case err != nil:
			return err
		case ended:
			t.Fatalf("it is said to have ended by itself: %+v", exit)
		case ctx.Err() != nil:
			t.Fatal("nothing was noticed")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestEvicted(t *testing.T) {
	cluster(t)
	ctx := bounded(t)
	e, a := connected(t, nil), admin(t)
	r := started(ctx, t, e)
	eviction := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"` + r.place.pod +
		`","namespace":"bench"}}`
	if err := a.cluster.core.Post().Namespace(
		"bench").Resource(podResource).Name(r.place.pod).SubResource("eviction").Body([]byte(eviction)).
		SetHeader("Content-Type", "application/json").Do(ctx).Error(); err != nil {
		t.Fatal(err)
	}
	wantFault(t, awaitFault(ctx, t, r), "evicted", `"steady"`, "run again")
}

func TestNodeLost(t *testing.T) {
	folder := cluster(t)
	ctx := bounded(t)
	e, a := connected(t, nil), admin(t)
	r := started(ctx, t, e)
	pid, err := strconv.Atoi(fileOf(t, "node1.pid"))
	if err != nil {
		t.Fatal(err)
	}
	off := filepath.Join(folder, "node1.off")
	if err := os.WriteFile(off, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { awaitNode(t, a, off) })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantFault(t, awaitFault(ctx, t, r), "node1", "lost", "run again")
	if err := r.space.Close(ctx); err != nil {
		t.Errorf("closing a space whose node is lost: %v", err)
	}
}

// awaitNode turns a node on again, for the tests that follow.
func awaitNode(t *testing.T, a *Engine, off string) {
	t.Helper()
	if err := os.Remove(off); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var node corev1.Node
		if err := a.cluster.core.Get().Resource("nodes").Name("node1").Do(context.Background()).Into(&node); err != nil ||
			len(node.Spec.Taints) > 0 {
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

// A node whose CPU manager is not static gives all of its CPUs, also where these are as many as were asked for.
func TestNotOwn(t *testing.T) {
	for _, tt := range []struct {
		asked, given, all string
		own               bool
	}{{"0-1", "4-5", "0-7", true}, {"7", "3", "0-3", true}, {"0-1", "0-7", "0-7", false}, {"0-3", "0-3", "0-3", false},
		{"0-1", "2", "0-3", false}} {
		err := notOwn("server", "node7", tt.asked, tt.given, tt.all)
		if tt.own {
			if err != nil {
				t.Errorf("%s for %s of %s: %v", tt.given, tt.asked, tt.all, err)
			}
			continue
		}
		wantFault(t, err, "node7", `"server"`, tt.given, "cpuManagerPolicy: static")
	}
	if err := notOwn("server", "node7", "0", "", "0-3"); err == nil {
		t.Error("nothing was given, and that is no error")
	}
}

// CPUs of its own are a number of CPUs that nobody else has, and what the node gave is told.
func TestCPUsOfItsOwn(t *testing.T) {
	cluster(t)
	ctx := bounded(t)
	e := connected(t, nil)
	space := opened(ctx, t, e)
	service := steady(ctx, t, e)
	shared, err := space.Start(ctx, service)
	if err != nil {
		t.Fatal(err)
	}
	service.Name, service.CPUSet = "own", "0"
	own, err := space.Start(ctx, service)
	if err != nil {
		t.Fatal(err)
	}
	given, err := own.(*running).CPUs(ctx)
	if _, atoiErr := strconv.Atoi(given); err != nil || atoiErr != nil {
		t.Fatalf("it was given the CPUs %q, %v; want one", given, err)
	}
	rest, err := shared.(*running).CPUs(ctx)
	if err != nil || strings.Contains(","+rest+",", ","+given+",") {
		t.Errorf("another service may run on CPUs %s, %v; want none of %s", rest, err, given)
	}
	exit, err := own.Exec(ctx, engine.Command{Args: act(agent.Do, agent.Deed{Args: []string{"/nothing"}})})
	if err != nil || exit.Code != 127 {
		t.Errorf("a command that is not there ended with %+v, %v; want 127", exit, err)
	}
	service.Name, service.CPUSet, service.CPUs = "both", "0", 0.5
	if _, err := space.Start(ctx, service); !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("half of a CPU of its own: got %v, want a RejectedError", err)
	}
}
