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
)

// outputTimeout is how long the rest of a program's output may take to arrive once it has ended.
const outputTimeout = 30 * time.Second

// space is a network and the containers in it. It implements engine.Space.
type space struct {
	engine    *Engine
	run       string
	name      string // of the network, and the first part of the names of its containers
	network   string // its id
	reachable bool   // whether this process can connect to addresses in it

	// Held for reading while a container is being made, so that Close knows of all of them.
	opening sync.RWMutex
	closed  bool

	mu         sync.Mutex
	containers map[string]*running // by id
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
	s := &space{
		engine:     e,
		run:        run,
		name:       "benchbook-" + safeName(run) + "-" + strings.ToLower(rand.Text()[:6]),
		containers: make(map[string]*running),
	}
	created, err := e.client.NetworkCreate(ctx, s.name, client.NetworkCreateOptions{
		Driver: "bridge", Internal: true, Labels: e.labels(run),
	})
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	s.network = created.ID
	if s.reachable, err = e.reaches(ctx, created.ID); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a space: %w", err), s.Close(ctx))
	}
	return s, nil
}

// reaches says whether this process can connect to addresses in a network: whether the engine is local and the bridge
// has one of this machine's addresses. It has none where the engine is in a virtual machine or we are in a container.
func (e *Engine) reaches(ctx context.Context, network string) (bool, error) {
	if !strings.HasPrefix(e.client.DaemonHost(), "unix://") {
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
	waiting := &readiness{space: s, service: service}
	created, r, err := s.newContainer(ctx, containerSpec{service: service, ready: waiting})
	if err != nil {
		return nil, startError(ctx, service.Name, err)
	}
	waiting.id = r.id
	if err := created.Start(ctx); err != nil {
		return nil, errors.Join(startError(ctx, service.Name, err), s.discard(ctx, r))
	}
	return r, nil
}

// startError says why a service could not be started, without the library's stages around it.
func startError(ctx context.Context, service string, err error) error {
	var notReady *engine.NotReadyError
	var probe *probeError
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
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	created, err := s.create(ctx, spec)
	if created == nil {
		return nil, nil, err
	}
	r := &running{engine: s.engine, name: spec.service.Name, id: created.GetContainerID(), grace: spec.service.StopGrace}
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
		service: engine.Service{
			Name: program.Name, Image: program.Image, Entrypoint: program.Entrypoint, Command: program.Command,
			Environment: program.Environment, Files: program.Files, WorkingDir: program.WorkingDir, CPUSet: program.CPUSet,
		},
		stdin: len(program.Stdin) > 0,
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
	defer func() { err = errors.Join(err, s.discard(ctx, r)) }()
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
	ended := s.engine.client.ContainerWait(ctx, r.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case result := <-ended.Result:
		if result.Error != nil {
			return exit, errors.New(result.Error.Message)
		}
		exit.Code = int(result.StatusCode)
	case err := <-ended.Error:
		if ctx.Err() != nil {
			return exit, context.Cause(ctx)
		}
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
	exit.Stdout, exit.Stderr = output.stdout.data, output.stderr.Bytes()
	inspected, err := s.engine.client.ContainerInspect(ctx, r.id, client.ContainerInspectOptions{})
	if err != nil {
		return exit, err
	}
	exit.OutOfMemory = inspected.Container.State.OOMKilled
	return exit, nil
}

// find returns the id of a container by its name, and nothing if there is none.
func (s *space) find(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.containers {
		if r.name == name {
			return id
		}
	}
	return ""
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
	containers := slices.Collect(maps.Values(s.containers))
	s.mu.Unlock()

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
	if _, err := s.engine.client.NetworkRemove(ctx, s.network, client.NetworkRemoveOptions{}); err != nil && !gone(err) {
		return fmt.Errorf("closing space %s: %w", s.name, err)
	}
	s.network = ""
	return nil
}
