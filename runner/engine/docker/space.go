package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// space is a network and the containers in it. A group is on the network of the space around it, and their containers
// are named alike.
type space struct {
	engine *Engine
	run    string
	name   string // of the network, and the first part of the names of its containers
	outer  *space // nil unless it is a group
	tree   *engine.Tree[container]

	mu      *sync.Mutex       // of a space and its groups
	volumes []string          // as the engine knows them
	named   map[string]string // volumes that have a name
}

var notInContainerName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

func safeName(name string) string { return notInContainerName.ReplaceAllString(name, "-") }

// suffix returns letters and digits that make a name unique.
func suffix() string { return "-" + strings.ToLower(rand.Text()[:6]) }

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	name := "benchbook-" + safeName(run) + suffix()
	//lint:ignore SA1019 what replaces it gives networks names of its own
	_, err := e.provider.CreateNetwork(ctx, testcontainers.NetworkRequest{Name: name, Driver: "bridge",
		Internal: true, Labels: e.labels(run)})
	if err != nil {
		if strings.Contains(err.Error(), "address pool") {
			err = fmt.Errorf("%w: remove networks that nobody needs with docker network prune, or give the engine more "+
				"addresses with default-address-pools", err)
		}
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	return &space{engine: e, run: run, name: name, mu: new(sync.Mutex), named: make(map[string]string),
		tree: engine.NewTree("space "+name, remove)}, nil
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	_, err = s.engine.client.NetworkInspect(ctx, s.name, client.NetworkInspectOptions{})
	if errdefs.IsNotFound(err) {
		err = fmt.Errorf("the network %s was removed by somebody else: let nothing clean up networks during a run, and "+
			"start it again", s.name)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a group of space %s: %w", s.name, err)
	}
	return &space{engine: s.engine, run: s.run, name: s.name, outer: s, mu: s.mu, named: make(map[string]string),
		tree: tree}, nil
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) { return s.create(ctx, service) },
		func(c *container) error { return c.start(ctx) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// create creates a container. One comes back with an error too, if it is there to be removed.
func (s *space) create(ctx context.Context, service engine.Service) (*container, error) {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	c := newContainer(s, service)
	request, err := s.request(ctx, c)
	if err != nil {
		return nil, err
	}
	c.library, err = s.engine.provider.CreateContainer(ctx, request)
	if c.library == nil {
		return nil, rejected(service.Name, err)
	}
	c.id = c.library.GetContainerID()
	return c, rejected(service.Name, err)
}

// containerName returns the engine's name of a container of the space.
func (s *space) containerName(service string) string { return s.name + "-" + safeName(service) }

// known returns the names of containers with their addresses, as "name:address". A program that looks up a name for every
// connection would otherwise have the engine's daemon work during a measurement. Names that several containers may have
// are left out, although the others may not run yet: the engine takes turns with their addresses.
func (s *space) known(ctx context.Context) (hosts []string) {
	around := map[*space]bool{}
	for outer := s; outer != nil; outer = outer.outer {
		around[outer] = true
	}
	for _, c := range s.tree.All() {
		if address, err := c.address(ctx); err == nil && around[c.space] && c.service.Scale <= 1 {
			hosts = append(hosts, c.Name()+":"+address.String())
		}
	}
	slices.Sort(hosts)
	return hosts
}

// probeName is the name of the container that connects to services where this process cannot.
const probeName = "benchbook-probe"

// prober returns a running container of the network in which our agent idles, and starts one if needed.
func (s *space) prober(ctx context.Context) (*container, error) {
	for s.outer != nil {
		s = s.outer
	}
	done, err := s.engine.alone(ctx, s.containerName(probeName))
	if err != nil {
		return nil, err
	}
	defer done()
	if probe := s.tree.Find(probeName); probe != nil {
		if state, err := probe.library.State(ctx); err == nil && state.Running {
			return probe, nil
		}
		if err := s.tree.Remove(ctx, probeName, false); err != nil {
			return nil, err
		}
	}
	if s.engine.agent == nil {
		return nil, fmt.Errorf("containers of the engine at %s cannot be reached from here, so that their ports cannot be "+
			"probed: give them a healthcheck that is a command or a text in the log", s.engine.Endpoint())
	}
	program, err := s.engine.agent()
	if err != nil {
		return nil, err
	}
	image, err := s.engine.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}},
		io.Discard)
	if err != nil {
		return nil, err
	}
	service := engine.Service{Image: image, Ours: true}
	service.Name, service.Command = probeName, []string{agent.Idle}
	started, err := s.Start(ctx, service)
	if err != nil {
		return nil, err
	}
	return started.(*container), nil
}

// Keep implements engine.Space. The engine keeps the containers running without us.
func (s *space) Keep(context.Context) (kept []engine.Kept, err error) {
	containers, err := s.tree.Keep()
	for _, c := range containers {
		c.closeGroup()
		if c.Name() == probeName { // which is no service, and has no shell
			continue
		}
		kept = append(kept, engine.Kept{Service: c.Name(), Enter: []string{"docker", "exec", "-it",
			s.containerName(c.Name()), "sh"}})
	}
	return kept, err
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func() error {
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		if err := s.removeVolumes(ctx); err != nil || s.outer != nil {
			return err
		}
		return s.engine.removeEmptied(ctx, s.name)
	})
}
