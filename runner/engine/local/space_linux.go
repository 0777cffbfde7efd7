package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/renameio/v2"

	"benchbook/internal/files"
	"benchbook/runner/engine"
)

// space is the processes of a space, or of a group, which has the folder and the names of its space.
type space struct {
	engine *Engine
	folder string
	run    string
	names  *names
	group  bool
	tree   *engine.Tree[container]
}

// loopback is the address of all services.
const loopback = "127.0.0.1"

// names is the file of names by which our own programs find services.
type names struct {
	file string

	mu      sync.Mutex
	aliases map[string][]string // by service
}

// add adds a service. The error is a *refusal if another one has one of its aliases.
func (n *names) add(service string, aliases []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other, taken := range n.aliases {
		for _, alias := range aliases {
			if other == alias || slices.Contains(taken, alias) {
				return refusef("the engine local finds one service by a name, and %q is one of several: use the engine docker",
					alias)
			}
		}
	}
	n.aliases[service] = aliases
	return n.write()
}

func (n *names) remove(service string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.aliases, service)
	return n.write()
}

// write replaces the file at once, so that a reader finds all names.
func (n *names) write() error {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(n.aliases)) {
		fmt.Fprintf(&text, "%s %s\n", loopback, strings.Join(append([]string{name}, n.aliases[name]...), " "))
	}
	return renameio.WriteFile(n.file, []byte(text.String()), 0o644)
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	group := *s
	group.group, group.tree = true, tree
	return &group, nil
}

// Keep refuses: the processes of a killed run must end with it.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	return nil, errors.New("the engine local keeps nothing running: its processes end with benchbook; use the engine " +
		"docker to look at them later")
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) { return s.start(service) })
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		err = &engine.RejectedError{Name: service.Name, Err: refused.err}
	}
	if err == nil {
		if err = engine.WaitReady(ctx, service, c); err != nil {
			discardErr := s.tree.Remove(service.Name, func() error { return c.remove(ctx, 0) })
			return nil, errors.Join(engine.StartError(ctx, service.Name, err), discardErr)
		}
	}
	if err != nil {
		return nil, engine.StartError(ctx, service.Name, err)
	}
	return c, nil
}

// start starts a container. One that is returned with an error could not be removed again.
func (s *space) start(service engine.Service) (*container, error) {
	c, err := newContainer(s, service)
	if err != nil {
		return nil, err
	}
	if err = c.start(); err == nil {
		return c, nil
	}
	if removeErr := c.remove(context.Background(), 0); removeErr != nil {
		return c, errors.Join(err, removeErr)
	}
	return nil, err
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(func(c *container) error { return c.remove(ctx, c.service.StopGrace) }, func() error {
		if s.group {
			return nil
		}
		return files.RemoveAll(s.folder)
	})
}
