package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
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
	"benchbook/runner/engine/kernel"
)

// outputTimeout is how long the rest of a program's output may take to arrive once it has ended.
const outputTimeout = 30 * time.Second

// space is a network and the containers in it. A space within another is on the network of that one, and their
// containers are named alike.
type space struct {
	engine  *Engine
	run     string
	name    string                // of the network, and the first part of the names of its containers
	network string                // its id
	names   netip.Addr            // is asked for names
	outer   *space                // nil for one that is within no other
	tree    *engine.Tree[running] // the containers, by their ids: the engine itself sees to it that a name is used once

	making sync.Mutex // of volumes, one after the other

	mu      sync.Mutex
	volumes []string                 // as the engine knows them
	named   map[string]string        // of volumes, those that have a name
	going   map[string]chan struct{} // by name: closed when a program that has ended is removed
}

var notInContainerName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

func safeName(name string) string { return notInContainerName.ReplaceAllString(name, "-") }

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	name := "benchbook-" + safeName(run) + "-" + strings.ToLower(rand.Text()[:6])
	s := newSpace(e, run, name, engine.New[running]("space "+name))
	created, err := e.client.NetworkCreate(ctx, s.name, client.NetworkCreateOptions{
		Driver: "bridge", Internal: true, Labels: e.labels(run),
	})
	if err != nil {
		if strings.Contains(err.Error(), "address pool") {
			err = fmt.Errorf("%w: remove networks that nobody needs with docker network prune, or give the engine more "+
				"addresses with default-address-pools", err)
		}
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	s.network, s.names = created.ID, netip.AddrFrom4([4]byte{127, 0, 0, 1}) // where Docker answers, in each container
	return s, nil
}

func newSpace(e *Engine, run, name string, tree *engine.Tree[running]) *space {
	return &space{engine: e, run: run, name: name, tree: tree, named: make(map[string]string),
		going: make(map[string]chan struct{})}
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	return s.tree.Group(ctx, func(tree *engine.Tree[running]) (engine.Space, error) {
		// What cleans up networks that nothing is in may have taken it, and containers would get one that leads out.
		if _, err := s.engine.client.NetworkInspect(ctx, s.network, client.NetworkInspectOptions{}); err != nil {
			if gone(err) {
				err = fmt.Errorf("the network %s was removed by somebody else: let nothing clean up networks during a run, and "+
					"start it again", s.name)
			}
			return nil, err
		}
		inner := newSpace(s.engine, s.run, s.name, tree)
		inner.network, inner.names, inner.outer = s.network, s.names, s
		return inner, nil
	})
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	created, r, err := s.newContainer(ctx, containerSpec{service: service, reached: namesOf(service)})
	if err != nil {
		return nil, engine.StartError(ctx, service.Name, rejected(service.Name, err))
	}
	ready := &waiting{space: s, service: service, id: r.id, running: r}
	err = ready.listen(ctx)
	if err == nil {
		defer ready.close()
		err = rejected(service.Name, created.Start(ctx))
	}
	if err == nil {
		err = ready.untilReady(ctx)
	}
	if err != nil {
		return nil, errors.Join(engine.StartError(ctx, service.Name, err), s.discard(ctx, r))
	}
	return r, nil
}

// newContainer creates a container and writes it down, so that it will be removed whatever happens.
func (s *space) newContainer(ctx context.Context, spec containerSpec) (testcontainers.Container, *running, error) {
	leave, err := s.tree.Enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	s.awaitRemoval(spec.service.Name)
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	created, err := s.create(ctx, spec)
	if created == nil {
		return nil, nil, err
	}
	r := &running{engine: s.engine, name: spec.service.Name, reached: spec.reached, id: created.GetContainerID(),
		grace: spec.service.StopGrace}
	r.Meter = kernel.NewMeter(r.name, func(ctx context.Context) (*kernel.Files, error) {
		return s.engine.files(ctx, r.id)
	})
	s.tree.Put(r.id, r)
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
	s.tree.Free(r.id)
	return nil
}

// discardLater removes a program that has ended, while its caller goes on. If it cannot be removed, Close tries again
// and says so.
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

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	return exit, engine.RunError(ctx, program.Name, rejected(program.Name, err))
}

func (s *space) runProgram(
	ctx context.Context, program engine.Program, started func(engine.Container),
) (exit engine.Exit, err error) {
	spec := containerSpec{
		service: program.Service(),
		stdin:   program.Stdin != nil,
	}
	if program.Beside != "" {
		if spec.beside = s.find(program.Beside); spec.beside == "" {
			return exit, fmt.Errorf("there is no service %q whose network it could share", program.Beside)
		}
	} else if spec.known, err = s.known(ctx); err != nil {
		return exit, err
	}
	created, r, err := s.newContainer(ctx, spec)
	if err != nil {
		return exit, err
	}
	defer s.discardLater(ctx, r)
	// Attached before it starts, so that no output is missed.
	stream, err := s.attach(ctx, created, spec.stdin)
	if err != nil {
		return exit, err
	}
	defer stream.Close()
	output := collect(stream.HijackedResponse, program.Stdin, program.Full)
	if err := created.Start(ctx); err != nil {
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
	exit.OutOfMemory, err = s.engine.client.outOfMemory(ctx, r.id, program.Single && exit.Code == 0)
	return exit, err
}

// attach attaches to a program that is about to start.
func (s *space) attach(ctx context.Context, created testcontainers.Container, stdin bool) (client.ContainerAttachResult,
	error) {
	return s.engine.client.ContainerAttach(ctx, created.GetContainerID(), client.ContainerAttachOptions{
		Stream: true, Stdin: stdin, Stdout: true, Stderr: true,
	})
}

// outOfMemory says of a container that has ended whether something in it was killed for lack of memory, unless it is
// known that nothing was: the engine answers only when it has taken the container off its network and unmounted it.
func (d daemon) outOfMemory(ctx context.Context, id string, known bool) (bool, error) {
	if known {
		return false, nil
	}
	exit, _, err := d.ended(ctx, id)
	return exit.OutOfMemory, err
}

// awaitEnd waits until a container has ended, and returns its status. Once the context is done, the error is the reason
// of that.
func awaitEnd(ctx context.Context, api client.APIClient, id string) (status int, err error) {
	ended := api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case result := <-ended.Result:
		if result.Error == nil {
			return int(result.StatusCode), nil
		}
		// The engine could not wait; that says nothing about the container.
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
	for _, r := range s.tree.All() {
		if r.name == name {
			return r.id
		}
	}
	return s.outer.find(name)
}

// Keep implements engine.Space. The engine goes on without us, so there is nothing to do but to leave it alone.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	if err := s.tree.Keep(); err != nil {
		return nil, err
	}
	for _, name := range s.ended() {
		s.awaitRemoval(name)
	}
	var kept []engine.Kept
	for _, r := range s.tree.All() {
		r.Meter.Close()
		kept = append(kept, engine.Kept{Service: r.name, Enter: []string{"docker", "exec", "-it",
			s.containerName(r.name), "sh"}})
	}
	slices.SortFunc(kept, func(a, b engine.Kept) int { return strings.Compare(a.Service, b.Service) })
	return kept, nil
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func(r *running) error { return r.remove(ctx, r.grace) }, func() error {
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		if err := s.removeVolumes(ctx); err != nil || s.outer != nil {
			return err
		}
		return s.engine.client.removeNetwork(ctx, s.network)
	})
}
