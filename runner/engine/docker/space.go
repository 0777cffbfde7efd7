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

// space is a network and the containers in it. A group uses the network of its outer space, and the same prefix for
// container names.
type space struct {
	engine *Engine
	run    string
	name   string // name of the network and prefix of its containers' names
	outer  *space // nil unless this is a group
	tree   *engine.Tree[container]

	mu      *sync.Mutex       // shared by a space and its groups
	volumes []string          // the engine's names
	named   map[string]string // the engine's names of named volumes, by name
}

var notInContainerName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

func safeName(name string) string { return notInContainerName.ReplaceAllString(name, "-") }

// suffix returns a dash and random characters that make a name unique.
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

// create creates a container. It returns one together with an error if the container must be removed.
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

// known returns the running containers as "name:address" for a hosts file. Otherwise, a program that looks up a name
// for every connection would make the engine's daemon work during a measurement. Scaled services are left out, because
// the engine alternates between the addresses of their containers.
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

// probeName is the name of the container that probes services which this process cannot reach.
const probeName = "benchbook-probe"

// prober returns a running container with our agent in the network, and starts one if needed.
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
		if c.Name() == probeName { // not a service, and without a shell
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
