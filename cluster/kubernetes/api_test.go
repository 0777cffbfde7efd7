package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"benchbook/internal/slowtest"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// api is an API server in memory with as much of one as faults need: objects are made, listed, watched and removed, and
// tests say what becomes of pods. No program runs.
type api struct {
	server *httptest.Server

	mu      sync.Mutex
	objects map[string]map[string]object // by resource and name
	events  []podEvent                   // the version of a list is how many there were
	changed chan struct{}                // closed with every change, and replaced
	becomes func(*corev1.Pod)            // nil: pods wait for a node
	fails   func(http.ResponseWriter, *http.Request) bool
}

type object struct {
	meta metav1.ObjectMeta
	body json.RawMessage
}

type podEvent struct {
	Type   string      `json:"type"`
	Object *corev1.Pod `json:"object"`
}

// listKinds are those of the resources that an Engine makes.
var listKinds = map[string]metav1.TypeMeta{
	podResource:    {Kind: "PodList", APIVersion: "v1"},
	fileResource:   {Kind: "ConfigMapList", APIVersion: "v1"},
	claimResource:  {Kind: "PersistentVolumeClaimList", APIVersion: "v1"},
	policyResource: {Kind: "NetworkPolicyList", APIVersion: "networking.k8s.io/v1"},
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{objects: make(map[string]map[string]object), changed: make(chan struct{})}
	for resource := range listKinds {
		a.objects[resource] = make(map[string]object)
	}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	fails := a.fails
	a.mu.Unlock()
	if fails != nil && fails(w, r) {
		return
	}
	if r.URL.Path == "/version" {
		answer(w, http.StatusOK, map[string]string{"gitVersion": "v1.0.0", "platform": "linux/amd64"})
		return
	}
	_, path, _ := strings.Cut(r.URL.Path, "/namespaces/bench/")
	resource, name, _ := strings.Cut(path, "/")
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	switch known := a.objects[resource] != nil && err == nil; {
	case known && r.Method == http.MethodPost && name == "":
		a.post(w, r, resource)
	case known && r.Method == http.MethodGet && name == "" && r.URL.Query().Get("watch") != "":
		a.watch(w, r, selector)
	case known && r.Method == http.MethodGet && name == "":
		a.list(w, resource, selector)
	case known && r.Method == http.MethodDelete && name != "":
		a.delete(w, resource, name)
	default:
		refusal(w, http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %s is not known here", r.Method, r.URL))
	}
}

func answer(w http.ResponseWriter, status int, with any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(with) // whoever does not read it is gone
}

// refusal is the answer of a server that does not do what it is asked for.
func refusal(w http.ResponseWriter, status int, reason metav1.StatusReason, message string) {
	answer(w, status, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusFailure, Reason: reason,
		Message: message, Code: int32(status)})
}

func (a *api) post(w http.ResponseWriter, r *http.Request, resource string) {
	var body json.RawMessage
	var about struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	if err == nil {
		err = json.Unmarshal(body, &about)
	}
	if err != nil {
		refusal(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[resource][about.Metadata.Name] = object{about.Metadata, body}
	if resource == podResource {
		a.edit("ADDED", about.Metadata.Name, func(pod *corev1.Pod) {
			pod.CreationTimestamp, pod.Status.Phase = metav1.Now(), corev1.PodPending
			if a.becomes != nil {
				a.becomes(pod)
			}
		})
	}
	answer(w, http.StatusCreated, a.objects[resource][about.Metadata.Name].body)
}

// edit changes a pod and tells it. It is called with the lock held.
func (a *api) edit(what, name string, how func(*corev1.Pod)) {
	var pod corev1.Pod
	if err := json.Unmarshal(a.objects[podResource][name].body, &pod); err != nil {
		panic(err) // clients send what they have encoded
	}
	pod.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
	how(&pod)
	body, err := json.Marshal(&pod)
	if err != nil {
		panic(err)
	}
	a.objects[podResource][name] = object{pod.ObjectMeta, body}
	a.events = append(a.events, podEvent{what, &pod})
	a.tell()
}

// change changes a pod.
func (a *api) change(name string, how func(*corev1.Pod)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.edit("MODIFIED", name, how)
}

// become says what becomes of pods that are made from now on. How is called with the lock held.
func (a *api) become(how func(*corev1.Pod)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.becomes = how
}

// fail lets requests fail for which a function has an answer, and ends those that go on; nil for none.
func (a *api) fail(with func(http.ResponseWriter, *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fails = with
	a.tell()
}

// tell wakes all who watch. It is called with the lock held.
func (a *api) tell() {
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *api) list(w http.ResponseWriter, resource string, selector labels.Selector) {
	a.mu.Lock()
	defer a.mu.Unlock()
	items := []json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(a.objects[resource])) {
		if o := a.objects[resource][name]; selector.Matches(labels.Set(o.meta.Labels)) {
			items = append(items, o.body)
		}
	}
	answer(w, http.StatusOK, map[string]any{"kind": listKinds[resource].Kind, "apiVersion": listKinds[resource].APIVersion,
		"metadata": map[string]string{"resourceVersion": strconv.Itoa(len(a.events))}, "items": items})
}

func (a *api) watch(w http.ResponseWriter, r *http.Request, selector labels.Selector) {
	next, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if err != nil {
		refusal(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	flusher := http.NewResponseController(w)
	for {
		a.mu.Lock()
		events, changed, fails := a.events[next:], a.changed, a.fails
		a.mu.Unlock()
		if fails != nil && fails(httptest.NewRecorder(), r) {
			return
		}
		for _, e := range events {
			if selector.Matches(labels.Set(e.Object.Labels)) {
				_ = json.NewEncoder(w).Encode(e)
			}
		}
		next += len(events)
		if flusher.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

func (a *api) delete(w http.ResponseWriter, resource, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.objects[resource][name]; !ok {
		refusal(w, http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %q not found", resource, name))
		return
	}
	if resource == podResource {
		a.edit("DELETED", name, func(*corev1.Pod) {})
	}
	delete(a.objects[resource], name)
	answer(w, http.StatusOK, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusSuccess})
}

// left are the objects that there are, as RESOURCE/NAME.
func (a *api) left() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var left []string
	for resource, objects := range a.objects {
		for name := range objects {
			left = append(left, resource+"/"+name)
		}
	}
	slices.Sort(left)
	return left
}

// wantNone fails the test if anything is left of a resource, or of any where that is empty.
func (a *api) wantNone(t *testing.T, resource string) {
	t.Helper()
	for _, left := range a.left() {
		if strings.HasPrefix(left, resource) {
			t.Errorf("%s is left", left)
		}
	}
}

// unbuilt stands for an engine that builds images, of which none are asked for.
type unbuilt struct {
	engine.Engine
	engine.Carrier
}

// prepared is an image as if it had been pushed.
var prepared = engine.Prepared{Reference: "registry.example/benchbook@sha256:" + strings.Repeat("0", 64),
	ID: "sha256:1"}

// connect gives an Engine on the server, with options that may be changed.
func (a *api) connect(t *testing.T, changes ...func(*Options)) (*Engine, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q}}]
users: [{name: test, user: {token: secret}}]
contexts: [{name: test, context: {cluster: test, user: test, namespace: bench}}]
current-context: test
`, a.server.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Kubeconfig: file, Builder: unbuilt{}, Cluster: engine.Cluster{Registry: "registry.example"}}
	for _, change := range changes {
		change(&o)
	}
	return New(t.Context(), o)
}

// engineOn is an Engine on the server, which has its pod of names already.
func engineOn(t *testing.T, a *api) *Engine {
	t.Helper()
	e, err := a.connect(t)
	if err != nil {
		t.Fatal(err)
	}
	e.agent.place, e.agent.address = place{"names", mainContainer}, "10.0.0.9"
	e.images.known[prepared.Reference] = &imageConfig{entrypoint: []string{"/server"}}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// openOn is a space of an engine there.
func openOn(ctx context.Context, t *testing.T, a *api) (*Engine, engine.Space) {
	t.Helper()
	e := engineOn(t, a)
	s, err := e.Open(ctx, "faults")
	if err != nil {
		t.Fatal(err)
	}
	return e, s
}

// wantNothingAfter closes a space, with which everything has to go.
func (a *api) wantNothingAfter(ctx context.Context, t *testing.T, s engine.Space) {
	t.Helper()
	if err := s.Close(ctx); err != nil {
		t.Errorf("closing the space: %v", err)
	}
	a.wantNone(t, "")
}

// steadyOn is a service whose pod is there, as if it ran.
func steadyOn(ctx context.Context, t *testing.T, e *Engine, s engine.Space) *running {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: e.meta("steady", "faults", "server")}
	pod.Spec.Containers = []corev1.Container{{Name: mainContainer, Image: prepared.Reference}}
	if err := e.cluster.create(ctx, podResource, pod); err != nil {
		t.Fatal(err)
	}
	if _, err := e.pods.wait(ctx, pod.Name, func(s podState) (bool, error) { return s.pod != nil, nil }); err != nil {
		t.Fatal(err)
	}
	in := s.(*space)
	r := &running{engine: e, space: in, name: "server", place: place{pod.Name, mainContainer}}
	in.tree.Put(r.name, r)
	return r
}

// What a cluster does with a pod, before its program begins or while that runs, is a fault that says where it was and
// what to do. Nothing of it stays.
func TestPodsThatFail(t *testing.T) {
	slowtest.Skip(t)
	onNode := func(how func(*corev1.PodStatus)) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.NodeName = "node7"
			how(&pod.Status)
		}
	}
	disrupted := func(reason, message string) func(*corev1.Pod) {
		return onNode(func(s *corev1.PodStatus) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
				Reason: reason, Message: message})
		})
	}
	failed := func(reason, message string) func(*corev1.Pod) {
		return onNode(func(s *corev1.PodStatus) { s.Phase, s.Reason, s.Message = corev1.PodFailed, reason, message })
	}
	tests := []struct {
		name    string
		becomes func(*corev1.Pod)
		want    []string
	}{
		{"image cannot be pulled", onNode(func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: mainContainer, Image: prepared.Reference,
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff",
					Message: "no such host"}}}}
		}), []string{"node7", prepared.Reference, "could not be pulled", "reaches the registry", "no such host"}},
		{"no room on any node", func(pod *corev1.Pod) {
			pod.CreationTimestamp = metav1.NewTime(time.Now().Add(-2 * unschedulable))
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
				Message: "2 Insufficient cpu"}}
		}, []string{"no node takes", "choose other nodes", "2 Insufficient cpu"}},
		{"no room on its node", failed("OutOfcpu", "Node didn't have enough resource: cpu"),
			[]string{"node7", "refused", "free CPUs or memory"}},
		{"evicted by somebody", disrupted("EvictionByEvictionAPI", "drained"), []string{"node7", "was evicted", "run again",
			"drained"}},
		{"evicted by its node", failed("Evicted", "The node was low on resource: memory."), []string{"node7", "was evicted",
			"run again", "low on resource"}},
		{"node lost", disrupted("DeletionByTaintManager", "deleting due to NoExecute taint"),
			[]string{"node7", "was lost", "kubectl describe node", "run again"}},
		{"node shut down", failed("Terminated", "Pod was terminated in response to imminent node shutdown."),
			[]string{"node7", "was taken away", "run again"}},
		{"removed by somebody", func(pod *corev1.Pod) {
			now := metav1.Now()
			pod.DeletionTimestamp = &now
		}, []string{"was removed by somebody else", "run again"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, a := bounded(t), newAPI(t)
			e, s := openOn(ctx, t, a)
			r := steadyOn(ctx, t, e, s)
			a.change(r.place.pod, tt.becomes)
			wantFault(t, awaitFault(ctx, t, r), append(tt.want, `"server"`)...)
			a.become(tt.becomes)
			_, err := s.Start(ctx, engine.Service{Service: spec.Service{Name: "other"},
				Image: prepared})
			wantFault(t, err, append(tt.want, `"other"`)...)
			a.wantNothingAfter(ctx, t, s)
		})
	}
}

// unauthorized is the answer to a token that has expired.
func unauthorized(w http.ResponseWriter, _ *http.Request) bool {
	refusal(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
	return true
}

// unavailable is the answer of an API server that stops, or of what stands before it.
func unavailable(w http.ResponseWriter, _ *http.Request) bool {
	refusal(w, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "the server is not there")
	return true
}

// forbidden is the answer to whoever has no right to look at pods.
func forbidden(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/"+podResource) {
		return false
	}
	refusal(w, http.StatusForbidden, metav1.StatusReasonForbidden,
		`pods is forbidden: User "somebody" cannot list resource "pods"`)
	return true
}

// Without access there is no Engine, and the error says what to do.
func TestNoAccess(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fails func(http.ResponseWriter, *http.Request) bool
		want  string
	}{{"expired credentials", unauthorized, "log in again"}, {"no right", forbidden, "lacks a right"},
		{"no service", unavailable, "does not answer"},
		{"no server", nil, "does not answer"}} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAPI(t)
			if a.fail(tt.fails); tt.fails == nil {
				a.server.Close()
			}
			e, err := a.connect(t)
			if e != nil || !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrUnavailable with %q", err, tt.want)
			}
		})
	}
}

// Where the quota of the namespace is full nothing is started, and nothing stays.
func TestQuotaThatIsFull(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	_, s := openOn(ctx, t, a)
	a.fail(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/"+podResource) {
			return false
		}
		refusal(w, http.StatusForbidden, metav1.StatusReasonForbidden,
			`pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4`)
		return true
	})
	_, err := s.Start(ctx, engine.Service{Service: spec.Service{Name: "server"},
		Image: prepared})
	wantFault(t, err, "quota", `"bench"`, "benchbook clean", "used: pods=4")
	a.wantNothingAfter(ctx, t, s)
}

// Credentials that expire while a service starts are said at once. What could not be removed then is when somebody has
// logged in again.
func TestCredentialsThatExpire(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	_, s := openOn(ctx, t, a)
	a.become(func(*corev1.Pod) { a.fails = unauthorized })
	_, err := s.Start(ctx, engine.Service{Service: spec.Service{Name: "server"},
		Image: prepared})
	wantFault(t, err, `"test"`, "log in again", "removing server")
	a.fail(nil)
	a.wantNothingAfter(ctx, t, s)
}

// An API server that is out of reach for a moment is waited for. One that stays so is a fault, until it is found again
// with what runs there.
func TestAPIOutOfReach(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	e, s := openOn(ctx, t, a)
	r := steadyOn(ctx, t, e, s)
	a.fail(unavailable)
	waited := false
	_, err := e.pods.wait(ctx, r.place.pod, func(podState) (bool, error) {
		e.pods.mu.Lock()
		defer e.pods.mu.Unlock()
		if !waited && !e.pods.lost.IsZero() {
			if outage := e.pods.outage(); outage != nil {
				t.Errorf("a moment is a fault: %v", outage)
			}
			waited, e.pods.lost = true, e.pods.lost.Add(-patience)
		}
		return false, nil
	})
	wantFault(t, err, "does not answer", a.server.URL, "run again")
	if _, _, err := r.Ended(ctx); err == nil {
		t.Error("nobody can know that it still runs")
	}
	a.fail(nil)
	for {
		e.pods.mu.Lock()
		found, changed := e.pods.lost.IsZero(), e.pods.changed
		e.pods.mu.Unlock()
		if found {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("it was not found again")
		}
	}
	if _, ended, err := r.Ended(ctx); ended || err != nil {
		t.Errorf("it has ended: %v, %v", ended, err)
	}
	a.wantNothingAfter(ctx, t, s)
}

// A start that is interrupted leaves no pod, whatever state that is in.
func TestInterruptedStart(t *testing.T) {
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	a := newAPI(t)
	_, s := openOn(ctx, t, a)
	a.become(func(*corev1.Pod) { cancel() })
	if _, err := s.Start(ctx, engine.Service{Service: spec.Service{Name: "server",
		Configs: []spec.File{{Path: "/x", Data: []byte("x")}}},
		Image: prepared}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	a.wantNone(t, podResource)
	a.wantNone(t, fileResource)
	a.wantNothingAfter(ctx, t, s)
}

// endedOwner is that of a process of this machine that has ended, made of one that lives.
func endedOwner(owner string) string {
	whole := strings.Split(owner, "@")[0]
	return whole[:strings.LastIndexByte(whole, '.')+1] + "1" // this process, as if it had begun before the machine
}

// What a process has left that was killed is removed, and nothing of one that lives.
func TestSweepAfterKill(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	killed, alive := engineOn(t, a), engineOn(t, a)
	killed.owner = endedOwner(killed.owner)
	if _, err := killed.Open(ctx, "killed"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(killed.cluster.create(ctx, podResource,
		&corev1.Pod{ObjectMeta: killed.meta("pod", "killed", "server")}),
		killed.cluster.create(ctx, fileResource, &corev1.ConfigMap{ObjectMeta: killed.meta("files", "killed",
			"server")})); err != nil {
		t.Fatal(err)
	}
	kept, err := alive.Open(ctx, "alive")
	if err != nil {
		t.Fatal(err)
	}
	before := a.left()
	for _, dryRun := range []bool{true, false} {
		left, err := alive.Sweep(ctx, dryRun)
		var kinds []string
		for _, l := range left {
			kinds = append(kinds, l.Kind)
			if l.Run != "killed" {
				t.Errorf("%s %s of run %q was left behind", l.Kind, l.Name, l.Run)
			}
		}
		if err != nil || !slices.Equal(kinds, []string{"container", "files", "network"}) {
			t.Errorf("found %v, %v", kinds, err)
		}
		if dryRun && !slices.Equal(a.left(), before) {
			t.Errorf("%v are there, and were %v", a.left(), before)
		}
	}
	if got, want := a.left(), []string{policyResource + "/" + kept.(*space).policy}; !slices.Equal(got, want) {
		t.Errorf("%v are there, want %v", got, want)
	}
	if err := kept.Close(ctx); err != nil {
		t.Error(err)
	}
}
