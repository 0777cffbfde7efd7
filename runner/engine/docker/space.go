package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/runner/engine"
	"benchbook/runner/engine/netns"
	"benchbook/runner/engine/readiness"
)

// outputTimeout is how long the rest of a program's output may take to arrive once it has ended.
const outputTimeout = 30 * time.Second

// space is a network and the containers in it. It implements engine.Space. A space within another is on the network of that one, and
// their containers are named alike, so that the engine itself sees to it that a name is used once.
type space struct {
	engine    *Engine
	run       string
	name      string // of the network, and the first part of the names of its containers
	network   string // its id; empty once it is removed
	reachable bool   // whether this process can connect to addresses in it
	outer     *space // nil for one that is within no other

	// Held for reading while something is being made, so that Close knows of all of it.
	opening sync.RWMutex
	closed  bool

	making sync.Mutex // of volumes and of networks to other hosts, one after the other

	mu         sync.Mutex
	containers map[string]*running      // by id
	volumes    []string                 // as the engine knows them
	crossings  []string                 // networks to other hosts; only of a space that is within no other
	named      map[string]string        // of volumes, those that have a name
	inner      map[*space]bool          // that are not closed
	going      map[string]chan struct{} // by name: closed when a program that has ended is removed
}

var _ engine.Space = (*space)(nil)

var errClosed = errors.New("the space is closed")

var notInContainerName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

func safeName(name string) string { return notInContainerName.ReplaceAllString(name, "-") }

// Open implements engine.Engine.
func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	s := newSpace(e, run)
	s.name = "benchbook-" + safeName(run) + "-" + strings.ToLower(rand.Text()[:6])
	created, err := e.client.NetworkCreate(ctx, s.name, client.NetworkCreateOptions{
		Driver: "bridge", Internal: true, Labels: e.labels(run),
	})
	if err != nil {
		if strings.Contains(err.Error(), "address pool") {
			err = fmt.Errorf("%w: remove networks that nobody needs with docker network prune, or give the engine more addresses "+
				"with default-address-pools", err)
		}
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	s.network = created.ID
	if s.reachable, err = e.reaches(ctx, created.ID); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a space: %w", err), s.Close(ctx))
	}
	return s, nil
}

func newSpace(e *Engine, run string) *space {
	return &space{engine: e, run: run, containers: make(map[string]*running), named: make(map[string]string), inner: make(map[*space]bool),
		going: make(map[string]chan struct{})}
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
	// What cleans up networks that nothing is in may have taken it, and containers would get one that leads out.
	if _, err := s.engine.client.NetworkInspect(ctx, s.network, client.NetworkInspectOptions{}); err != nil {
		if gone(err) {
			err = fmt.Errorf("the network %s was removed by somebody else: let nothing clean up networks during a run, and start it again", s.name)
		}
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	inner := newSpace(s.engine, s.run)
	inner.name, inner.network, inner.reachable, inner.outer = s.name, s.network, s.reachable, s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inner[inner] = true
	return inner, nil
}

// left notes that a space within this one is not there any more.
func (s *space) left(inner *space) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inner, inner)
}

// reaches says whether this process can connect to addresses in a network: whether the engine is local and the bridge
// has one of this machine's addresses. It has none where the engine is in a virtual machine or we are in a container.
func (e *Engine) reaches(ctx context.Context, network string) (bool, error) {
	if !strings.HasPrefix(e.endpoint, "unix://") {
		return false, nil
	}
	inspected, err := e.client.NetworkInspect(ctx, network, client.NetworkInspectOptions{})
	if err != nil {
		return false, err
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, config := range inspected.Network.IPAM.Config {
		for _, address := range addresses {
			if prefix, err := netip.ParsePrefix(address.String()); err == nil && config.Subnet.Contains(prefix.Addr()) {
				return true, nil
			}
		}
	}
	return false, nil
}

// Start implements engine.Space.
func (s *space) Start(ctx context.Context, service engine.Service) (engine.Running, error) {
	ready := &waiting{space: s, service: service}
	created, r, err := s.newContainer(ctx, containerSpec{service: service, ready: ready})
	if err != nil {
		return nil, startError(ctx, service.Name, err)
	}
	ready.id, ready.running = r.id, r
	err = ready.listen(ctx)
	if err == nil {
		defer ready.close()
		err = created.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(startError(ctx, service.Name, err), s.discard(ctx, r))
	}
	return r, nil
}

// startError says why a service could not be started, without the library's stages around it.
func startError(ctx context.Context, service string, err error) error {
	var notReady *engine.NotReadyError
	var probe *readiness.FaultError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &notReady):
		return notReady
	case errors.As(err, &probe):
		err = probe
	default:
		if refused := rejected(service, err); refused != nil {
			return refused
		}
	}
	return fmt.Errorf("starting service %q: %w", service, err)
}

// newContainer creates a container and writes it down, so that it will be removed whatever happens.
func (s *space) newContainer(ctx context.Context, spec containerSpec) (testcontainers.Container, *running, error) {
	s.opening.RLock()
	defer s.opening.RUnlock()
	if s.closed {
		return nil, nil, errClosed
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	s.awaitRemoval(spec.service.Name)
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	created, err := s.create(ctx, spec)
	if created == nil {
		return nil, nil, err
	}
	r := &running{engine: s.engine, name: spec.service.Name, id: created.GetContainerID(), grace: spec.service.StopGrace}
	r.first, r.last = netns.LocalPorts(spec.service.Sysctls)
	s.mu.Lock()
	s.containers[r.id] = r
	s.mu.Unlock()
	if err != nil {
		return nil, nil, errors.Join(err, s.discard(ctx, r))
	}
	return created, r, nil
}

// discard removes a container at once, also if the context is cancelled.
func (s *space) discard(ctx context.Context, r *running) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := r.remove(ctx, 0); err != nil {
		return err // it stays written down, for Close to try again
	}
	s.mu.Lock()
	delete(s.containers, r.id)
	s.mu.Unlock()
	return nil
}

// discardLater removes a program that has ended, while its caller goes on. If it cannot be removed, Close tries again and says so.
func (s *space) discardLater(ctx context.Context, r *running) {
	done := make(chan struct{})
	s.mu.Lock()
	s.going[r.name] = done
	s.mu.Unlock()
	go func() {
		defer close(done)
		_ = s.discard(ctx, r)
	}()
}

// ended names the programs that have ended, and may still have to be removed.
func (s *space) ended() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.going))
}

// awaitRemoval waits until a name is free whose program has ended.
func (s *space) awaitRemoval(name string) {
	for around := s; around != nil; around = around.outer {
		around.mu.Lock()
		done, going := around.going[name]
		around.mu.Unlock()
		if going {
			<-done
		}
	}
}

// Run implements engine.Space.
func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	if refused := rejected(program.Name, err); refused != nil && ctx.Err() == nil {
		return engine.Exit{}, refused
	}
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, err)
	}
	return exit, nil
}

func (s *space) runProgram(
	ctx context.Context, program engine.Program, started func(engine.Running),
) (exit engine.Exit, err error) {
	spec := containerSpec{
		service: program.Service(),
		stdin:   program.Stdin != nil,
	}
	if program.Beside != "" {
		if spec.beside = s.find(program.Beside); spec.beside == "" {
			return exit, fmt.Errorf("there is no service %q whose network it could share", program.Beside)
		}
	}
	created, r, err := s.newContainer(ctx, spec)
	if err != nil {
		return exit, err
	}
	defer s.discardLater(ctx, r)
	// Attached before it starts, so that no output is missed.
	stream, err := s.engine.client.ContainerAttach(ctx, r.id, client.ContainerAttachOptions{
		Stream: true, Stdin: spec.stdin, Stdout: true, Stderr: true,
	})
	if err != nil {
		return exit, err
	}
	defer stream.Close()
	output := collect(stream.HijackedResponse, program.Stdin)
	if err := created.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return exit, context.Cause(ctx)
		}
		return exit, err
	}
	if started != nil {
		started(r)
	}
	if exit.Code, err = awaitEnd(ctx, s.engine.client, r.id); err != nil {
		return exit, err
	}
	select {
	case <-output.done:
	case <-ctx.Done():
		return exit, context.Cause(ctx)
	case <-time.After(outputTimeout):
		return exit, fmt.Errorf("its output did not end within %v after it did", outputTimeout)
	}
	if output.err != nil {
		return exit, fmt.Errorf("reading its output: %w", output.err)
	}
	exit.Stdout, exit.Stderr = output.stdout.Bytes(), output.stderr.Bytes()
	exit.OutOfMemory, err = s.engine.outOfMemory(ctx, r.id, program.Single && exit.Code == 0)
	return exit, err
}

// outOfMemory says of a container that has ended whether something in it was killed for lack of memory, unless it is known that nothing
// was: the engine answers only when it has taken the container off its network and unmounted it.
func (e *Engine) outOfMemory(ctx context.Context, id string, known bool) (bool, error) {
	if known {
		return false, nil
	}
	inspected, err := e.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return false, err
	}
	return inspected.Container.State.OOMKilled, nil
}

// awaitEnd waits until a container has ended, and returns its status. Once the context is done, the error is the reason of that.
func awaitEnd(ctx context.Context, api client.APIClient, id string) (status int, err error) {
	ended := api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case result := <-ended.Result:
		if result.Error == nil {
			return int(result.StatusCode), nil
		}
		// The engine could not wait; that says nothing about the container. It may be because we no longer do: over TLS it hears of that
		// before the connection is closed, and there is time for it to answer.
		err = errors.New(result.Error.Message)
	case err = <-ended.Error:
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return 0, err
}

// find returns the id of a container by its name, also in the spaces around, and nothing if there is none.
func (s *space) find(name string) string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.containers {
		if r.name == name {
			return id
		}
	}
	return s.outer.find(name)
}

// Keep implements engine.Space. The engine goes on without us, so there is nothing to do but to leave it alone.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed {
		return nil, errClosed
	}
	s.closed, s.network = true, ""
	s.outer.left(s)
	for _, name := range s.ended() {
		s.awaitRemoval(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []engine.Kept
	for _, r := range s.containers {
		r.release()
		kept = append(kept, engine.Kept{Service: r.name, Enter: append(s.engine.command(), "exec", "-it", s.containerName(r.name), "sh")})
	}
	slices.SortFunc(kept, func(a, b engine.Kept) int { return strings.Compare(a.Service, b.Service) })
	return kept, nil
}

// Close implements engine.Space.
func (s *space) Close(ctx context.Context) error {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed && s.network == "" {
		return nil
	}
	s.closed = true
	s.mu.Lock()
	containers, inner := slices.Collect(maps.Values(s.containers)), slices.Collect(maps.Keys(s.inner))
	s.mu.Unlock()
	for _, i := range inner {
		if err := i.Close(ctx); err != nil {
			return err
		}
	}

	failures := make([]error, len(containers))
	var group sync.WaitGroup
	for i, r := range containers {
		group.Go(func() {
			failures[i] = r.remove(ctx, r.grace)
			if failures[i] == nil {
				s.mu.Lock()
				delete(s.containers, r.id)
				s.mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("closing space %s: %w", s.name, err)
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := s.removeVolumes(ctx); err != nil {
		return fmt.Errorf("closing space %s: %w", s.name, err)
	}
	if s.outer == nil {
		if _, err := s.engine.client.NetworkRemove(ctx, s.network, client.NetworkRemoveOptions{}); err != nil && !gone(err) {
			return fmt.Errorf("closing space %s: %w", s.name, err)
		}
		if err := s.removeCrossings(ctx); err != nil {
			return fmt.Errorf("closing space %s: %w", s.name, err)
		}
	}
	s.network = ""
	s.outer.left(s)
	return nil
}
