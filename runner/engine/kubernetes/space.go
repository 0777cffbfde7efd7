package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/output"
	"benchbook/runner/engine/readiness"
)

// outputTimeout is how long the rest of a program's output may take to arrive once it has ended.
const outputTimeout = 30 * time.Second

// leaving is how long what was killed may take to be seen to have ended.
const leaving = 30 * time.Second

// space is what pods of a label may reach, and what they are told. It implements engine.Space. A space within another has the label of
// that one, so that names are used once in all of them.
type space struct {
	engine *Engine
	run    string
	id     string // the label
	outer  *space // nil for one that is within no other
	policy string // its name; empty of one that is within another

	// Held for reading while something is being made, so that Close knows of all of it.
	opening sync.RWMutex
	closed  bool
	done    bool // and everything is removed

	looking sync.Mutex // see claiming

	mu      sync.Mutex
	running map[string]*running // by name; nil while it is being made
	claims  map[string]*claim   // by the names of volumes
	inner   map[*space]bool     // that are not closed
}

// claim is a volume that has a name.
type claim struct {
	id     string
	filled chan struct{} // closed when it has what it begins with, or nobody fills it any more
}

var _ engine.Space = (*space)(nil)

var errClosed = errors.New("the space is closed")

// Open implements engine.Engine.
func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	s := newSpace(e, run, random(), nil)
	s.policy = objectName(run)
	selector := metav1.LabelSelector{MatchLabels: map[string]string{labelSpace: s.id}}
	peers := []networkingv1.NetworkPolicyPeer{
		{PodSelector: &selector},
		{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelEngine: e.id, labelNames: ""}}},
	}
	meta := e.meta(s.policy, run, "")
	meta.Labels[labelSpace] = s.id
	err := e.create(ctx, policyResource, &networkingv1.NetworkPolicy{ObjectMeta: meta, Spec: networkingv1.NetworkPolicySpec{
		PodSelector: selector,
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers}},
		Egress:      []networkingv1.NetworkPolicyEgressRule{{To: peers}},
	}})
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", e.fault(err))
	}
	return s, nil
}

func newSpace(e *Engine, run, id string, outer *space) *space {
	return &space{engine: e, run: run, id: id, outer: outer, running: make(map[string]*running), claims: make(map[string]*claim), inner: make(map[*space]bool)}
}

// Inner implements engine.Space.
func (s *space) Inner(ctx context.Context) (engine.Space, error) {
	s.opening.RLock()
	defer s.opening.RUnlock()
	if s.closed {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	inner := newSpace(s.engine, s.run, s.id, s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inner[inner] = true
	return inner, nil
}

// find finds what runs under a name, here or in the spaces around.
func (s *space) find(name string) (r *running, used bool) {
	for around := s; around != nil; around = around.outer {
		around.mu.Lock()
		r, used = around.running[name]
		around.mu.Unlock()
		if used {
			return r, true
		}
	}
	return nil, false
}

// take reserves a name; it is given back by forget.
func (s *space) take(name string) error {
	if _, used := s.find(name); used {
		return fmt.Errorf("there is a service or program %q in this space already", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.running[name]; used {
		return fmt.Errorf("there is a service or program %q in this space already", name)
	}
	s.running[name] = nil
	return nil
}

func (s *space) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, name)
}

// Start implements engine.Space.
func (s *space) Start(ctx context.Context, service engine.Service) (engine.Running, error) {
	c := &container{service: service}
	if service.StopSignal != "" && unix.SignalNum(signalName(service.StopSignal)) == 0 {
		return nil, refuse(service.Name, "there is no signal %q", service.StopSignal)
	}
	if service.Ready.Log != "" {
		c.greeting = greeting()
	}
	r, err := s.launch(ctx, c)
	if err != nil {
		return nil, startError(ctx, service.Name, err)
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p := &probed{running: r}
	if c.greeting != "" {
		p.stdout, p.stderr = newPipe(), newPipe()
		p.attached = s.engine.attach(reading, r.place, c.greeting, c.leave, nil, p.stdout, p.stderr)
		defer func() { p.stdout.stop(); p.stderr.stop() }()
		err = p.attached.begun(ctx)
	}
	if err == nil {
		err = s.release(ctx, r, append([]string{service.Name}, service.Aliases...))
	}
	if err == nil && service.CPUSet != "" {
		err = r.checkCPUs(ctx)
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
		return nil, errors.Join(startError(ctx, service.Name, err), s.discard(ctx, r))
	}
	return r, nil
}

// startError says why a service could not be started.
func startError(ctx context.Context, name string, err error) error {
	var notReady *engine.NotReadyError
	var refused *engine.RejectedError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &notReady):
		return notReady
	}
	return fmt.Errorf("starting service %q: %w", name, err)
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

// launch makes the pod of a container and waits until our program in it holds back what is to be started. What it makes is written down,
// so that it will be removed whatever happens.
func (s *space) launch(ctx context.Context, c *container) (_ *running, err error) {
	s.opening.RLock()
	defer s.opening.RUnlock()
	name := c.service.Name
	if s.closed {
		return nil, errClosed
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := s.take(name); err != nil {
		return nil, err
	}
	r := &running{engine: s.engine, space: s, name: name, grace: c.service.StopGrace, signal: c.service.StopSignal, cpus: c.service.CPUSet,
		token: random() + random(), leave: c.leave, greeting: c.greeting, further: isFurther(c.service.Host) && s.engine.nodeOf(c.service.Host) == ""}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.discard(ctx, r))
		}
	}()
	nameServer, err := s.engine.agent.ensure(ctx, s.engine)
	if err != nil {
		return r, err
	}
	c.token = r.token
	if err := s.engine.describe(ctx, c, net.JoinHostPort(nameServer, strconv.Itoa(namePort))); err != nil {
		return r, err
	}
	var fresh []*claim
	var claimErr error
	err = s.engine.surround(c, s.run, func(volume string) (string, bool) {
		found, isFresh, err := s.claim(ctx, volume)
		if err != nil {
			claimErr = err
			return "", false
		}
		if isFresh {
			fresh = append(fresh, found)
		}
		return found.id, isFresh
	})
	defer func() {
		for _, f := range fresh {
			close(f.filled)
		}
	}()
	if err = errors.Join(claimErr, err); err != nil {
		return r, err
	}
	for _, files := range c.files {
		r.files = append(r.files, files.Name) // written down first: it may be made also if the cluster does not say so
		if err := s.engine.create(ctx, fileResource, files); err != nil {
			return r, fmt.Errorf("making its files: %w", s.engine.asked(name, err))
		}
	}
	pod := s.engine.pod(c, s.run, s.id, nameServer)
	r.place = place{pod.Name, mainContainer}
	if err := s.engine.create(ctx, podResource, pod); err != nil {
		return r, fmt.Errorf("making its pod: %w", s.engine.asked(name, err))
	}
	s.mu.Lock()
	s.running[name] = r
	s.mu.Unlock()
	if err := r.awaitBegin(ctx); err != nil {
		return r, err
	}
	return r, s.engine.settle(c.service.Host, r.place.pod)
}

// claim finds a volume by its name, here or in the spaces around, or makes it here. It is fresh if the caller has to see that it is filled.
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
	size := s.engine.options.VolumeSize
	if size == 0 {
		size = defaultVolumeSize
	}
	object := &corev1.PersistentVolumeClaim{ObjectMeta: s.engine.meta(c.id, s.run, ""), Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: *resource.NewQuantity(size, resource.BinarySI)}},
	}}
	if s.engine.options.StorageClass != "" {
		object.Spec.StorageClassName = &s.engine.options.StorageClass
	}
	if err := s.engine.create(ctx, claimResource, object); err != nil {
		close(c.filled)
		return nil, false, fmt.Errorf("making volume %q: %w", name, s.engine.fault(err))
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

// release makes what was launched known, and lets it begin.
func (s *space) release(ctx context.Context, r *running, names []string) error {
	r.begun = true
	return s.engine.agent.enter(ctx, s.engine, s.id, r.address, names, r.token)
}

// discard removes at once what was launched, also if the context is cancelled.
func (s *space) discard(ctx context.Context, r *running) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := r.remove(ctx, 0); err != nil {
		s.mu.Lock()
		s.running[r.name] = r // for Close to try again
		s.mu.Unlock()
		return err
	}
	s.forget(r.name)
	return nil
}

// Run implements engine.Space.
func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	var refused *engine.RejectedError
	switch {
	case err == nil:
		return exit, nil
	case ctx.Err() != nil:
		return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, context.Cause(ctx))
	case errors.As(err, &refused):
		return engine.Exit{}, refused
	}
	return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, err)
}

func (s *space) runProgram(ctx context.Context, program engine.Program, started func(engine.Running)) (exit engine.Exit, err error) {
	c := &container{
		program: true, stdin: program.Stdin != nil, greeting: greeting(), leave: random() + random(),
		service: program.Service(),
	}
	var r *running
	if program.Beside == "" {
		r, err = s.launch(ctx, c)
	} else {
		r, err = s.launchBeside(ctx, c, program.Beside)
	}
	if err != nil {
		return exit, err
	}
	defer func() {
		if removeErr := s.discard(ctx, r); err == nil {
			err = removeErr
		}
	}()
	stdout, stderr := &output.Head{Limit: output.MaxStdout}, &output.Tail{Limit: output.MaxStderr}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	read := s.engine.attach(reading, r.place, c.greeting, c.leave, program.Stdin, stdout, stderr)
	if err := read.begun(ctx); err != nil {
		return exit, fmt.Errorf("reading what it writes: %w", s.engine.fault(err))
	}
	var names []string
	if program.Beside == "" {
		names = []string{program.Name}
	}
	if err := s.release(ctx, r, names); err != nil {
		return exit, err
	}
	if program.CPUSet != "" {
		if err := r.checkCPUs(ctx); err != nil {
			return exit, err
		}
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
	select {
	case <-read.done:
	case <-ctx.Done():
		return exit, context.Cause(ctx)
	case <-time.After(outputTimeout):
		return exit, fmt.Errorf("its output did not end within %v after it did", outputTimeout)
	}
	if refused := r.refused(); refused != nil {
		return exit, refused
	}
	if read.err != nil {
		return exit, fmt.Errorf("reading what it writes: %w", s.engine.fault(read.err))
	}
	exit.Stdout, exit.Stderr = stdout.Bytes(), stderr.Bytes()
	if exit.Code == 0 && !read.isWhole() {
		return exit, errors.New("the end of what it wrote was lost on the way")
	}
	return exit, nil
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

// launchBeside puts a container into the pod of a service, with which it shares the network.
func (s *space) launchBeside(ctx context.Context, c *container, beside string) (_ *running, err error) {
	s.opening.RLock()
	defer s.opening.RUnlock()
	name := c.service.Name
	if s.closed {
		return nil, errClosed
	}
	other, _ := s.find(beside)
	if other == nil || other.ephemeral {
		return nil, fmt.Errorf("there is no service %q whose network it could share", beside)
	}
	if c.service.CPUSet != "" || len(c.service.Configs) > 0 {
		return nil, refuse(name, "beside a service, Kubernetes gives a program neither CPUs of its own nor files: leave out cpuset, or run it in a pod of its own")
	}
	if err := s.take(name); err != nil {
		return nil, err
	}
	r := &running{engine: s.engine, space: s, name: name, token: random() + random(), leave: c.leave, greeting: c.greeting, ephemeral: true, address: other.address,
		place: place{other.place.pod, "p" + random()}}
	c.token = r.token
	nameServer, err := s.engine.agent.ensure(ctx, s.engine)
	if err == nil {
		err = s.engine.describe(ctx, c, net.JoinHostPort(nameServer, strconv.Itoa(namePort)))
	}
	if err != nil {
		s.forget(name)
		return nil, err
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: r.place.container, Image: c.main.Image, ImagePullPolicy: c.main.ImagePullPolicy, Command: c.main.Command, Env: c.main.Env,
			WorkingDir: c.main.WorkingDir, Stdin: c.main.Stdin, StdinOnce: c.main.StdinOnce, SecurityContext: c.main.SecurityContext,
		},
	}}}})
	if err == nil {
		err = s.engine.patch(ctx, r.place.pod, "ephemeralcontainers", patch)
	}
	if err != nil {
		s.forget(name)
		return nil, fmt.Errorf("making it beside %q: %w", beside, s.engine.asked(name, err))
	}
	s.mu.Lock()
	s.running[name] = r
	s.mu.Unlock()
	if err := r.awaitBegin(ctx); err != nil {
		return r, errors.Join(err, s.discard(ctx, r))
	}
	return r, nil
}

// patch changes a part of a pod.
func (e *Engine) patch(ctx context.Context, pod, part string, patch []byte) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	return e.core.Patch(types.StrategicMergePatchType).Namespace(e.namespace).Resource(podResource).Name(pod).SubResource(part).Body(patch).Do(ctx).Error()
}

// Keep implements engine.Space. The cluster goes on without us, so there is nothing to do but to leave it alone.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed {
		return nil, errClosed
	}
	s.closed, s.done = true, true
	s.left()
	s.engine.keepMu.Lock()
	s.engine.kept = true
	s.engine.keepMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []engine.Kept
	for _, r := range s.running {
		if r == nil || r.ephemeral {
			continue
		}
		r.release()
		kept = append(kept, engine.Kept{Service: r.name, Enter: []string{"kubectl", "--context", s.engine.context, "--namespace", s.engine.namespace,
			"exec", "-it", r.place.pod, "--", "sh"}})
	}
	slices.SortFunc(kept, func(a, b engine.Kept) int { return strings.Compare(a.Service, b.Service) })
	return kept, nil
}

// left notes that the space is not there any more within the one around it.
func (s *space) left() {
	if s.outer == nil {
		return
	}
	s.outer.mu.Lock()
	defer s.outer.mu.Unlock()
	delete(s.outer.inner, s)
}

// Close implements engine.Space. It returns when nothing runs any more; what the cluster keeps of that a moment longer is being removed.
func (s *space) Close(ctx context.Context) error {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.done {
		return nil
	}
	s.closed = true
	s.mu.Lock()
	inner, all := slices.Collect(maps.Keys(s.inner)), slices.Collect(maps.Values(s.running))
	s.mu.Unlock()
	for _, i := range inner {
		if err := i.Close(ctx); err != nil {
			return err
		}
	}
	failures := make([]error, len(all))
	var group sync.WaitGroup
	for i, r := range all {
		if r == nil {
			continue
		}
		group.Go(func() {
			if failures[i] = r.remove(ctx, r.grace); failures[i] == nil {
				s.forget(r.name)
			}
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("closing a space: %w", err)
	}
	var leftFor []error
	s.mu.Lock()
	for name, c := range s.claims {
		if err := s.engine.remove(ctx, claimResource, c.id, 0); err != nil {
			leftFor = append(leftFor, s.engine.fault(err))
			continue
		}
		delete(s.claims, name)
	}
	s.mu.Unlock()
	switch {
	case s.outer == nil:
		leftFor = append(leftFor, s.engine.fault(s.engine.remove(ctx, policyResource, s.policy, 0)))
	case len(all) > 0:
		// Whoever goes on must not find what is gone.
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		leftFor = append(leftFor, s.engine.agent.change(ctx, s.engine, func(*agent.Names) {}))
	}
	if err := errors.Join(leftFor...); err != nil {
		return fmt.Errorf("closing a space: %w", err)
	}
	s.done = true
	s.left()
	return nil
}
