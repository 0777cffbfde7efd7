package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/go-units"
	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	ktesting "k8s.io/client-go/testing"

	"benchbook/cluster/inpod"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// bounded returns the context of a test.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// testImage is an image with a command.
func testImage(t *testing.T) v1.Image {
	t.Helper()
	image := must.Get(crane.Image(map[string][]byte{"server": nil}))
	return must.Get(mutate.Config(image, v1.Config{Entrypoint: []string{"/server"}, Cmd: []string{"on"}}))
}

// prepared returns an image that counts as pushed.
var prepared = engine.Prepared{Reference: "registry.example/benchbook@sha256:" + strings.Repeat("0", 64),
	ID: "sha256:1"}

// fakeEngine returns an engine on an in-memory API server, which runs no programs.
func fakeEngine(t *testing.T, client *fake.Clientset) *Engine {
	t.Helper()
	e := newEngine(Options{Cluster: engine.Cluster{Registry: "registry.example"}})
	e.client, e.config, e.context, e.namespace = client, &rest.Config{Host: "https://cluster.example"}, "test", "bench"
	e.podImage = func(context.Context) (engine.Prepared, error) { return prepared, nil }
	e.images.Store(prepared.Reference, pushedImage{prepared.ID, must.Get(testImage(t).ConfigFile()).Config})
	t.Cleanup(func() { must.Do(e.Close()) })
	return e
}

// server is a service with a file.
func server() engine.Service {
	return engine.Service{Service: spec.Service{Name: "server", Configs: []spec.File{{Path: "/x", Data: []byte("x")}}},
		Image: prepared}
}

// startOn starts the service on an API server where it fails, and checks that nothing is left of it.
func startOn(ctx context.Context, t *testing.T, client *fake.Clientset) error {
	t.Helper()
	space := must.Get(fakeEngine(t, client).Open(ctx, "faults"))
	_, startErr := space.Start(ctx, server())
	assert.Equal(t, startErr != nil, true, "it was not started")
	anew := context.WithoutCancel(ctx)
	assert.Equal(t, len(must.Get(client.CoreV1().Pods("").List(anew, metav1.ListOptions{})).Items), 0, "pods are left")
	files := must.Get(client.CoreV1().ConfigMaps("").List(anew, metav1.ListOptions{}))
	assert.Equal(t, len(files.Items), 0, "files are left")
	must.Do(space.Close(anew))
	namespaces := must.Get(client.CoreV1().Namespaces().List(anew, metav1.ListOptions{}))
	assert.Equal(t, len(namespaces.Items), 0, "namespaces are left")
	return startErr
}

// wantFault fails the test unless an error says what happened and what to do.
func wantFault(t *testing.T, err error, texts ...string) {
	t.Helper()
	var fault *Fault
	if !errors.As(err, &fault) || fault.WayOut == "" {
		t.Fatalf("got %v, want a fault with a way out", err)
	}
	assert.Contains(t, err.Error(), texts...)
}

// A pod that the cluster disturbs is a fault that says where and what to do; an invalid pod is rejected. In both cases
// nothing is left of it.
func TestPodsThatFail(t *testing.T) {
	onNode := func(how func(*corev1.PodStatus)) func(*corev1.Pod) error {
		return func(pod *corev1.Pod) error {
			pod.Spec.NodeName = "node7"
			how(&pod.Status)
			return nil
		}
	}
	disrupted := func(reason, message string) func(*corev1.Pod) error {
		return onNode(func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
				Reason: reason, Message: message})
		})
	}
	failed := func(reason, message string) func(*corev1.Pod) error {
		return onNode(func(s *corev1.PodStatus) { s.Phase, s.Reason, s.Message = corev1.PodFailed, reason, message })
	}
	refused := func(err error) func(*corev1.Pod) error { return func(*corev1.Pod) error { return err } }
	resource := schema.GroupResource{Resource: "pods"}
	for _, tt := range []struct {
		name    string
		becomes func(*corev1.Pod) error
		want    []string // nil: it is rejected
	}{
		{"image cannot be pulled", onNode(func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: mainContainer, Image: prepared.Reference,
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff",
					Message: "no such host"}}}}
		}), []string{`"server"`, "node7", prepared.Reference, "could not be pulled", "reaches the registry", "no such host"}},
		{"no room on any node", func(pod *corev1.Pod) error {
			pod.CreationTimestamp = metav1.NewTime(time.Now().Add(-2 * unschedulable))
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
				Message: "2 Insufficient cpu"}}
			return nil
		}, []string{`"server"`, "no node takes", "choose other nodes", "2 Insufficient cpu"}},
		{"no room on its node", failed("OutOfcpu", "Node didn't have enough resource: cpu"),
			[]string{`"server"`, "node7", "refused", "free CPUs or memory"}},
		{"evicted by somebody", disrupted("EvictionByEvictionAPI", "drained"), []string{`"server"`, "node7", "was evicted", "run again",
			"drained"}},
		{"evicted by its node", failed("Evicted", "The node was low on resource: memory."), []string{`"server"`, "node7", "was evicted",
			"run again", "low on resource"}},
		{"node lost", disrupted("DeletionByTaintManager", "deleting due to NoExecute taint"),
			[]string{`"server"`, "node7", "was lost", "kubectl describe node", "run again"}},
		{"node shut down", failed("Terminated", "Pod was terminated in response to imminent node shutdown."),
			[]string{`"server"`, "node7", "was taken away", "run again"}},
		{"removed by somebody", func(pod *corev1.Pod) error {
			now := metav1.Now()
			pod.DeletionTimestamp = &now
			return nil
		}, []string{`"server"`, "was removed by somebody else", "run again"}},
		{"quota", refused(apierrors.NewForbidden(resource, "x", errors.New("exceeded quota: few, used: pods=4"))),
			[]string{"quota", "benchbook clean", "used: pods=4"}},
		{"no right", refused(apierrors.NewForbidden(resource, "x", errors.New(`User "somebody" cannot create`))),
			[]string{`"test"`, "lacks a right", "the manual"}},
		{"expired credentials", refused(apierrors.NewUnauthorized("Unauthorized")), []string{`"test"`, "log in again"}},
		{"no server", refused(apierrors.NewServiceUnavailable("it stops")), []string{"does not answer", "cluster.example",
			"run again"}},
		{"pod security", refused(apierrors.NewForbidden(resource, "x", errors.New(`violates PodSecurity "restricted:latest"`))), nil},
		{"invalid", refused(apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "x", nil)), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := fake.NewClientset()
			client.PrependReactor("create", "pods", func(a ktesting.Action) (bool, runtime.Object, error) {
				err := tt.becomes(a.(ktesting.CreateAction).GetObject().(*corev1.Pod))
				return err != nil, nil, err
			})
			err := startOn(bounded(t), t, client)
			if tt.want != nil {
				wantFault(t, err, tt.want...)
			} else if !errors.As(err, new(*engine.RejectedError)) {
				t.Errorf("got %v, want a RejectedError", err)
			}
		})
	}
}

// A start that is interrupted leaves nothing, whatever state the pod is in.
func TestInterruptedStart(t *testing.T) {
	ctx, cancel := context.WithCancel(bounded(t))
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(ktesting.Action) (bool, runtime.Object, error) {
		cancel()
		return false, nil, nil
	})
	assert.Is(t, startOn(ctx, t, client), context.Canceled)
}

// deadOwner returns an owner on this machine that has ended.
func deadOwner() string {
	whole := strings.Split(engine.Owner(), "@")[0]
	return whole[:strings.LastIndexByte(whole, '.')+1] + "1" // this process, as if it had begun before the machine
}

// One run at a time holds the cluster, until it has ended or stops renewing its lease.
func TestLease(t *testing.T) {
	ctx := bounded(t)
	const elsewhere = "machine.boot.7.8"
	for _, tt := range []struct {
		name    string
		owner   string
		renewed time.Duration // ago
		busy    bool
	}{
		{"nobody has it", "", 0, false},
		{"another process of this machine has it", engine.OwnerOf(1), 0, true},
		{"another machine has it", elsewhere, 0, true},
		{"another machine was not heard of for long", elsewhere, 2 * leaseDuration, false},
		{"a process has it that was killed", deadOwner(), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := fake.NewClientset()
			first := fakeEngine(t, client)
			if first.owner = tt.owner; tt.owner != "" {
				must.Do(first.takeLease(ctx, "first"))
				leases := client.CoordinationV1().Leases("bench")
				lease := must.Get(leases.Get(ctx, leaseName, metav1.GetOptions{}))
				lease.Spec.RenewTime.Time = time.Now().Add(-tt.renewed)
				must.Get(leases.Update(ctx, lease, metav1.UpdateOptions{}))
			}
			second := fakeEngine(t, client)
			_, err := second.Open(ctx, "second")
			var busy *engine.BusyError
			if errors.As(err, &busy) != tt.busy || !tt.busy && err != nil {
				t.Fatalf("got %v, want busy: %v", err, tt.busy)
			}
			if tt.busy {
				if !strings.Contains(busy.Doing, "first") || busy.Since.IsZero() {
					t.Errorf("it is busy with %+v", busy)
				}
				return
			}
			must.Get(second.Open(ctx, "second"))
			must.Do(second.Close())
			third := fakeEngine(t, client)
			third.owner = elsewhere
			must.Get(third.Open(ctx, "third"))
		})
	}
}

// A run that lost its lease while the cluster was unreachable opens no further space.
func TestLeaseLost(t *testing.T) {
	ctx, client := bounded(t), fake.NewClientset()
	first, second := fakeEngine(t, client), fakeEngine(t, client)
	must.Get(first.Open(ctx, "first"))
	first.owner, second.owner = "machine.boot.7.8", "machine.boot.9.10"
	leases := client.CoordinationV1().Leases("bench")
	lease := must.Get(leases.Get(ctx, leaseName, metav1.GetOptions{}))
	lease.Spec.HolderIdentity = &second.owner
	must.Get(leases.Update(ctx, lease, metav1.UpdateOptions{}))
	first.renewLease(ctx, "first")
	_, err := first.Open(ctx, "first")
	assert.Equal(t, errors.As(err, new(*engine.BusyError)), true, "%v says that the cluster is busy", err)
}

// A namespace whose creation was not answered is removed.
func TestUnansweredNamespace(t *testing.T) {
	ctx, client := bounded(t), fake.NewClientset()
	client.PrependReactor("create", "namespaces", func(action ktesting.Action) (bool, runtime.Object, error) {
		made := action.(ktesting.CreateAction)
		if err := client.Tracker().Create(made.GetResource(), made.GetObject(), ""); err != nil {
			t.Error(err)
		}
		return true, nil, apierrors.NewTimeoutError("no answer", 1)
	})
	_, err := fakeEngine(t, client).Open(ctx, "run")
	wantFault(t, err, "does not answer")
	left := must.Get(client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{}))
	assert.Equal(t, len(left.Items), 0, "namespaces are left")
}

// Leftovers of a killed process are removed, and nothing of a live one.
func TestSweep(t *testing.T) {
	ctx, client := bounded(t), fake.NewClientset()
	e := fakeEngine(t, client)
	for run, owner := range map[string]string{"killed": deadOwner(), "alive": engine.Owner(), "elsewhere": "a.b.7.8"} {
		e.owner = owner
		must.Get(e.Open(ctx, run))
	}
	for _, dryRun := range []bool{true, false} {
		left, err := e.Sweep(ctx, dryRun)
		if err != nil || len(left) != 1 || left[0].Kind != "namespace" || left[0].Run != "killed" {
			t.Errorf("dry run %v: found %+v, %v", dryRun, left, err)
		}
	}
	var runs []string
	namespaces := must.Get(client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{}))
	for _, n := range namespaces.Items {
		runs = append(runs, n.Annotations[engine.LabelRun])
	}
	if slices.Sort(runs); !slices.Equal(runs, []string{"alive", "elsewhere"}) {
		t.Errorf("namespaces of %v are left", runs)
	}
}

// A node without a static CPU manager gives all of its CPUs, which is an error even if the number matches.
func TestExclusiveCPUs(t *testing.T) {
	for _, tt := range []struct {
		asked, given, all string
		exclusive         bool
	}{{"0-1", "4-5", "0-7", true}, {"7", "3", "0-3", true}, {"0-1", "0-7", "0-7", false}, {"0-3", "0-3", "0-3", false},
		{"0-1", "2", "0-3", false}} {
		err := notExclusive("server", "node7", tt.asked, tt.given, tt.all)
		if tt.exclusive && err != nil {
			t.Errorf("%s for %s of %s: %v", tt.given, tt.asked, tt.all, err)
		}
		if !tt.exclusive {
			wantFault(t, err, "node7", `"server"`, tt.given, "cpuManagerPolicy: static")
		}
	}
	assert.Error(t, notExclusive("server", "node7", "0", "", "0-3"), "")
}

// Settings of a service are in its pod, or refused.
func TestPod(t *testing.T) {
	e := fakeEngine(t, fake.NewClientset())
	e.nodes.names[LoadHost] = "node2"
	no := false
	of := func(s spec.Service) engine.Service { return engine.Service{Service: s} }
	command := func(p *podSpec) any { return p.main.Command }
	escalation := func(p *podSpec) any { return p.main.SecurityContext.AllowPrivilegeEscalation }
	node := func(p *podSpec) any {
		return e.nodes.affinity(p.service.Host).RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	}
	for _, tt := range []struct {
		name    string
		service engine.Service
		got     func(p *podSpec) any
		want    any // nil: it is refused
	}{
		{"the command of its image", of(spec.Service{}), command, []string{"/server", "on"}},
		{"its own command", of(spec.Service{Command: []string{"$(X)"}}), command, []string{"/server", "$$(X)"}},
		{"its own entrypoint", of(spec.Service{Entrypoint: []string{"/other"}}), command, []string{"/other"}},
		{"limits of its process", of(spec.Service{Ulimits: map[string]spec.Ulimit{"core": {}}}), command, act(inpod.Do,
			inpod.Deed{Args: []string{"/server", "on"}, Ulimits: []units.Ulimit{{Name: "core"}}})},
		{"a user and its group", of(spec.Service{User: "1000:2000"}), func(p *podSpec) any {
			return []int64{*p.main.SecurityContext.RunAsUser, *p.main.SecurityContext.RunAsGroup}
		}, []int64{1000, 2000}},
		{"our own program", engine.Service{Ours: true}, func(p *podSpec) any {
			s := p.main.SecurityContext
			return []any{*s.RunAsNonRoot, *s.ReadOnlyRootFilesystem, s.Capabilities.Drop}
		}, []any{true, true, []corev1.Capability{"ALL"}}},
		{"no new privileges", of(spec.Service{}), escalation, &no},
		{"new privileges", of(spec.Service{SecurityOpt: []string{"no-new-privileges:false"}}), escalation, (*bool)(nil)},
		{"CPUs of its own", of(spec.Service{CPUSet: "0-1"}), func(p *podSpec) any {
			return p.main.Resources.Requests.Cpu().String() + " " + p.init[0].Resources.Limits.Memory().String()
		}, "2 1Gi"},
		{"the node of its host", engine.Service{Host: LoadHost}, node,
			[]corev1.NodeSelectorTerm{byName(corev1.NodeSelectorOpIn, "node2")}},
		{"another node than the load", engine.Service{Host: ServiceHost}, node,
			[]corev1.NodeSelectorTerm{byName(corev1.NodeSelectorOpNotIn, "node2")}},
		{"files", server(), func(p *podSpec) any { return p.files[0].BinaryData }, map[string][]byte{"f0": []byte("x")}},
		{"a folder in memory", of(spec.Service{Tmpfs: []string{"/run:size=1m,mode=700,uid=7"}}),
			func(p *podSpec) any { return fmt.Sprintf("%o %v", p.fill.Modes[0].Mode, p.fill.Modes[0].UID) }, "700 7"},
		{"a process that reaps", of(spec.Service{Init: true}),
			func(p *podSpec) any { return *p.pod.Spec.ShareProcessNamespace }, true},
		{"half of an exclusive CPU", of(spec.Service{CPUSet: "0", CPUs: 0.5}), nil, nil},
		{"a limit of processes", of(spec.Service{PIDs: 30}), nil, nil},
		{"a large file", of(spec.Service{Configs: []spec.File{{Path: "/x", Data: make([]byte, maxFiles+1)}}}), nil, nil},
		{"a relative path", of(spec.Service{Configs: []spec.File{{Path: "x"}}}), nil, nil},
		{"an unknown mount option", of(spec.Service{Tmpfs: []string{"/run:noexec"}}), nil, nil},
		{"an unknown host", engine.Service{Host: "elsewhere"}, nil, nil},
		{"a user by name", of(spec.Service{User: "web"}), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.service.Name, tt.service.Image = "server", prepared
			p, err := e.describe(bounded(t), tt.service)
			if tt.want == nil {
				if !errors.As(err, new(*engine.RejectedError)) {
					t.Fatalf("got %v, want a RejectedError", err)
				}
				return
			}
			must.Do(err)
			if got := tt.got(p); fmt.Sprintf("%#v", deref(got)) != fmt.Sprintf("%#v", deref(tt.want)) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}

// deref makes pointers to bool comparable as text.
func deref(value any) any {
	if p, ok := value.(*bool); ok && p != nil {
		return *p
	}
	return value
}
