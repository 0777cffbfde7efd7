package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/readiness"
)

// outputTimeout is how long the rest of a program's output may take to arrive once it has ended.
const outputTimeout = 30 * time.Second

// leaving is how long what was killed may take to be seen to have ended.
const leaving = 30 * time.Second

// space is what pods of a label may reach, and what they are told. A space within another has the label of that one, so
// that names are used once in all of them.
type space struct {
	engine *Engine
	run    string
	id     string // the label
	outer  *space // nil for one that is within no other
	policy string // its name; empty of one that is within another
	tree   *engine.Tree[running]

	looking sync.Mutex // see claiming

	mu     sync.Mutex
	claims map[string]*claim // by the names of volumes
}

// claim is a volume that has a name.
type claim struct {
	id     string
	filled chan struct{} // closed when it has what it begins with, or nobody fills it any more
}

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	s := &space{engine: e, run: run, id: random(), tree: engine.New[running]("a space"), claims: make(map[string]*claim)}
	s.policy = objectName(run)
	selector := metav1.LabelSelector{MatchLabels: map[string]string{labelSpace: s.id}}
	peers := []networkingv1.NetworkPolicyPeer{
		{PodSelector: &selector},
		{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelEngine: e.id, labelNames: ""}}},
	}
	meta := e.meta(s.policy, run, "")
	meta.Labels[labelSpace] = s.id
	err := e.cluster.create(ctx, policyResource, &networkingv1.NetworkPolicy{ObjectMeta: meta,
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: selector,
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers}},
			Egress:      []networkingv1.NetworkPolicyEgressRule{{To: peers}},
		}})
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", e.cluster.fault(err))
	}
	return s, nil
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	return s.tree.Group(ctx, func(tree *engine.Tree[running]) (engine.Space, error) {
		return &space{engine: s.engine, run: s.run, id: s.id, outer: s, tree: tree, claims: make(map[string]*claim)}, nil
	})
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c := &container{service: service}
	if service.StopSignal != "" && unix.SignalNum(signalName(service.StopSignal)) == 0 {
		return nil, refuse(service.Name, "there is no signal %q", service.StopSignal)
	}
	if service.Ready.Log != "" {
		c.greeting = greeting()
	}
	r, err := s.launch(ctx, c, "")
	if err != nil {
		return nil, engine.StartError(ctx, service.Name, err)
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p := &probed{running: r}
	if c.greeting != "" {
		p.stdout, p.stderr = newPipe(), newPipe()
		p.attached = s.engine.cluster.attach(reading, r.place, c.greeting, c.leave, nil, p.stdout, p.stderr)
		defer func() { p.stdout.stop(); p.stderr.stop() }()
		err = p.attached.begun(ctx)
	}
	if err == nil {
		err = s.release(ctx, r, append([]string{service.Name}, service.Aliases...))
	}
	if err == nil {
		err = readiness.Wait(ctx, service, p)
	}
	if notReady := (*engine.NotReadyError)(nil); errors.As(err, &notReady) {
		if refused := r.refused(); refused != nil {
			err = refused
		}
	}
	if err != nil {
		return nil, errors.Join(engine.StartError(ctx, service.Name, err), s.discard(ctx, r))
	}
	return r, nil
}

func greeting() string { return "benchbook: about to begin " + random() + random() }

// signalName is the name of a signal as the kernel has it.
func signalName(name string) string {
	name = strings.ToUpper(name)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	return name
}

// launch makes the pod of a container, or puts it into the pod of a service whose network it shares, and waits until
// our program in it holds back what is to be started. What it makes is written down, so that it will be removed
// whatever happens.
func (s *space) launch(ctx context.Context, c *container, beside string) (_ *running, err error) {
	leave, err := s.tree.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	name := c.service.Name
	var other *running
	if beside != "" {
		if other, _ = s.tree.Find(beside); other == nil || other.ephemeral {
			return nil, fmt.Errorf("there is no service %q whose network it could share", beside)
		}
		if c.service.CPUSet != "" || len(c.service.Configs) > 0 {
			return nil, refuse(name, "beside a service, Kubernetes gives a program neither CPUs of its own nor files: leave "+
				"out cpuset, or run it in a pod of its own")
		}
	}
	if err := s.tree.Take(name); err != nil {
		return nil, err
	}
	c.token = random() + random()
	r := &running{engine: s.engine, space: s, name: name, grace: c.service.StopGrace, cpus: c.service.CPUSet,
		token: c.token, leave: c.leave,
		greeting: c.greeting}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.discard(ctx, r))
		}
	}()
	nameServer, err := s.engine.agent.ensure(ctx, s.engine)
	if err != nil {
		return nil, err
	}
	if err := s.engine.describe(ctx, c, net.JoinHostPort(nameServer, strconv.Itoa(namePort))); err != nil {
		return nil, err
	}
	r.signal = cmp.Or(c.service.StopSignal, c.stopSignal)
	if other != nil {
		return r, s.addTo(ctx, c, r, other)
	}
	return r, s.makePod(ctx, c, r, nameServer)
}

// makePod makes a pod for a container, with all that it needs.
func (s *space) makePod(ctx context.Context, c *container, r *running, nameServer string) error {
	var fresh []*claim
	defer func() {
		for _, f := range fresh {
			close(f.filled)
		}
	}()
	err := s.engine.surround(c, s.run, func(volume string) (string, bool, error) {
		found, isFresh, err := s.claim(ctx, volume)
		if err != nil {
			return "", false, err
		}
		if isFresh {
			fresh = append(fresh, found)
		}
		return found.id, isFresh, nil
	})
	if err != nil {
		return err
	}
	for _, files := range c.files {
		r.files = append(r.files, files.Name) // written down first: it may be made also if the cluster does not say so
		if err := s.engine.cluster.create(ctx, fileResource, files); err != nil {
			return fmt.Errorf("making its files: %w", s.engine.cluster.creationError(r.name, err))
		}
	}
	pod := s.engine.pod(c, s.run, s.id, nameServer)
	r.place = place{pod.Name, mainContainer}
	if err := s.engine.cluster.create(ctx, podResource, pod); err != nil {
		return fmt.Errorf("making its pod: %w", s.engine.cluster.creationError(r.name, err))
	}
	s.tree.Put(r.name, r)
	if err := r.awaitBegin(ctx); err != nil {
		return err
	}
	return s.engine.nodes.settle(c.service.Host, r.node)
}

// claim finds a volume by its name, here or in the spaces around, or makes it here. It is fresh if the caller has to
// see that it is filled.
func (s *space) claim(ctx context.Context, name string) (c *claim, fresh bool, err error) {
	s.claiming().Lock()
	for around := s; around != nil && c == nil; around = around.outer {
		around.mu.Lock()
		c = around.claims[name]
		around.mu.Unlock()
	}
	if c == nil {
		c, fresh = &claim{objectName(name), make(chan struct{})}, true
		s.mu.Lock()
		s.claims[name] = c // written down first: it may be made also if the cluster does not say so
		s.mu.Unlock()
	}
	s.claiming().Unlock()
	if !fresh {
		select {
		case <-c.filled:
			return c, false, nil
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
	size := cmp.Or(s.engine.options.VolumeSize, defaultVolumeSize)
	object := &corev1.PersistentVolumeClaim{ObjectMeta: s.engine.meta(c.id, s.run, ""),
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: *resource.NewQuantity(size, resource.BinarySI)}},
		}}
	if err := s.engine.cluster.create(ctx, claimResource, object); err != nil {
		close(c.filled)
		return nil, false, fmt.Errorf("making volume %q: %w", name, s.engine.cluster.fault(err))
	}
	return c, true, nil
}

// claiming is the lock by which a volume is looked for, and made if it is not there, in one space and those within it.
func (s *space) claiming() *sync.Mutex {
	for s.outer != nil {
		s = s.outer
	}
	return &s.looking
}

// release makes what was launched known, lets it begin, and checks which CPUs it has.
func (s *space) release(ctx context.Context, r *running, names []string) error {
	r.begun = true
	err := s.engine.agent.enter(ctx, s.engine, s.id, r.address, names, r.token)
	if err == nil && r.cpus != "" {
		err = r.checkCPUs(ctx)
	}
	return err
}

// discard removes at once what was launched, also if the context is cancelled.
func (s *space) discard(ctx context.Context, r *running) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := r.remove(ctx, 0); err != nil {
		s.tree.Put(r.name, r) // for Close to try again
		return err
	}
	s.tree.Free(r.name)
	return nil
}

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	return exit, engine.RunError(ctx, program.Name, err)
}

func (s *space) runProgram(ctx context.Context, program engine.Program, started func(engine.Container)) (exit engine.Exit,
	err error) {
	c := &container{
		program: true, stdin: program.Stdin != nil, greeting: greeting(), leave: random() + random(),
		service: program.Service(),
	}
	r, err := s.launch(ctx, c, program.Beside)
	if err != nil {
		return exit, err
	}
	defer func() {
		if removeErr := s.discard(ctx, r); err == nil {
			err = removeErr
		}
	}()
	stdout, stderr := &engine.Head{Limit: engine.MaxStdout, Full: program.Full}, &engine.Tail{Limit: engine.MaxStderr}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	read := s.engine.cluster.attach(reading, r.place, c.greeting, c.leave, program.Stdin, stdout, stderr)
	if err := read.begun(ctx); err != nil {
		return exit, fmt.Errorf("reading what it writes: %w", s.engine.cluster.fault(err))
	}
	var names []string
	if program.Beside == "" {
		names = []string{program.Name}
	}
	if err := s.release(ctx, r, names); err != nil {
		return exit, err
	}
	if started != nil {
		started(r)
	}
	go func() {
		select {
		case <-read.whole:
		case <-read.done: // nobody reads any more what it could wait for
		case <-reading.Done():
			return
		}
		_ = s.engine.agent.dismiss(reading, s.engine, c.leave) // if it is not told, it ends a little later
	}()
	if exit, err = r.wait(ctx); err != nil {
		return exit, err
	}
	err = r.awaitOutput(ctx, read, exit.Code == 0)
	exit.Stdout, exit.Stderr = stdout.Bytes(), stderr.Bytes()
	return exit, err
}

// awaitOutput waits until all is read that a program has written which has ended, well or not.
func (r *running) awaitOutput(ctx context.Context, read *attached, well bool) error {
	select {
	case <-read.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(outputTimeout):
		return fmt.Errorf("its output did not end within %v after it did", outputTimeout)
	}
	if refused := r.refused(); refused != nil {
		return refused
	}
	if read.err != nil {
		return fmt.Errorf("reading what it writes: %w", r.engine.cluster.fault(read.err))
	}
	if well && !read.isWhole() {
		return errors.New("the end of what it wrote was lost on the way")
	}
	return nil
}

// begun waits until all that is written is read for certain.
func (a *attached) begun(ctx context.Context) error {
	select {
	case <-a.greeted:
		return nil
	case <-a.done:
		return errors.Join(errors.New("the connection to its outputs ended before it began"), a.err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// addTo puts a container into the pod of a service, with which it shares the network.
func (s *space) addTo(ctx context.Context, c *container, r, other *running) error {
	r.ephemeral, r.address, r.place = true, other.address, place{other.place.pod, "p" + random()}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: r.place.container, Image: c.main.Image, ImagePullPolicy: c.main.ImagePullPolicy, Command: c.main.Command,
			Env:        c.main.Env,
			WorkingDir: c.main.WorkingDir, Stdin: c.main.Stdin, StdinOnce: c.main.StdinOnce,
			SecurityContext: c.main.SecurityContext,
		},
	}}}})
	if err == nil {
		err = s.engine.cluster.patch(ctx, r.place.pod, "ephemeralcontainers", patch)
	}
	if err != nil {
		return fmt.Errorf("making it beside %q: %w", other.name, s.engine.cluster.creationError(r.name, err))
	}
	s.tree.Put(r.name, r)
	return r.awaitBegin(ctx)
}

func (c *clusterClient) patch(ctx context.Context, pod, part string, patch []byte) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	return c.core.Patch(types.StrategicMergePatchType).Namespace(
		c.namespace).Resource(podResource).Name(pod).SubResource(part).Body(patch).Do(ctx).Error()
}

// Keep implements engine.Space. The cluster goes on without us, so there is nothing to do but to leave it alone.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	if err := s.tree.Keep(); err != nil {
		return nil, err
	}
	s.engine.kept.Store(true)
	var kept []engine.Kept
	for _, r := range s.tree.All() {
		if r.ephemeral {
			continue
		}
		r.release()
		kept = append(kept, engine.Kept{Service: r.name, Enter: []string{"kubectl", "--context", s.engine.cluster.context,
			"--namespace", s.engine.cluster.namespace, "exec", "-it", r.place.pod, "--", "sh"}})
	}
	return kept, nil
}

// Close returns when nothing runs any more; what the cluster keeps of that a moment longer is being removed.
func (s *space) Close(ctx context.Context) error {
	var had atomic.Bool
	remove := func(r *running) error {
		had.Store(true)
		return r.remove(ctx, r.grace)
	}
	return s.tree.Close(ctx, remove, func() error {
		failures := s.removeClaims(ctx)
		switch {
		case s.outer == nil:
			failures = append(failures, s.engine.cluster.fault(s.engine.cluster.remove(ctx, policyResource, s.policy, 0)))
		case had.Load():
			// Whoever goes on must not find what is gone.
			ctx, cancel := uncancelled(ctx)
			defer cancel()
			failures = append(failures, s.engine.agent.change(ctx, s.engine, func(*agent.Names) {}))
		}
		return errors.Join(failures...)
	})
}

func (s *space) removeClaims(ctx context.Context) (failures []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.claims {
		if err := s.engine.cluster.remove(ctx, claimResource, c.id, 0); err != nil {
			failures = append(failures, s.engine.cluster.fault(err))
			continue
		}
		delete(s.claims, name)
	}
	return failures
}
