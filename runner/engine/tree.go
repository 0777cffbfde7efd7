package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

var errClosed = errors.New("the space is closed")

// Tree tracks the containers of a space and its groups by name. R is the engine's container type.
type Tree[R any] struct {
	outer *Tree[R] // nil for a space, set for a group
	*shared[R]
	closing sync.Mutex
	closed  bool // guarded by starting
	removed bool // guarded by closing
}

// shared is common to a space and its groups.
type shared[R any] struct {
	what     string
	remove   func(ctx context.Context, container *R, graceful bool) error
	starting sync.RWMutex // held for reading while a container starts, so that Close sees all of them
	mu       sync.Mutex
	running  map[string]member[R]
}

type member[R any] struct {
	container *R // nil while starting
	of        *Tree[R]
}

// NewTree returns the tree of a space, which errors call what. Remove kills and removes a container, which may be gone
// already; if graceful, it first gives the container its time to exit, until the context is done.
func NewTree[R any](what string, remove func(ctx context.Context, container *R, graceful bool) error) *Tree[R] {
	return &Tree[R]{shared: &shared[R]{what: what, remove: remove, running: make(map[string]member[R])}}
}

// Group returns the tree of a new group in t.
func (t *Tree[R]) Group(ctx context.Context) (*Tree[R], error) {
	t.starting.RLock()
	defer t.starting.RUnlock()
	if err := t.open(ctx); err != nil {
		return nil, fmt.Errorf("opening a group of %s: %w", t.what, err)
	}
	return &Tree[R]{outer: t, shared: t.shared}, nil
}

// open returns an error if the space or an outer one is closed, or the context is done.
func (t *Tree[R]) open(ctx context.Context) error {
	for ; t != nil; t = t.outer {
		if t.closed {
			return errClosed
		}
	}
	return context.Cause(ctx)
}

// Start implements Space.Start. It calls start, which may return a container together with an error, and then await. If
// either fails, the container is removed; if that fails too, Close tries again.
func (t *Tree[R]) Start(ctx context.Context, name string, start func() (*R, error), await func(*R) error) (*R, error) {
	c, err := t.start(ctx, name, start)
	if err == nil {
		err = await(c)
	}
	if err == nil {
		return c, nil
	}
	err = startError(ctx, name, err)
	if c != nil {
		err = errors.Join(err, t.Remove(ctx, name, false))
	}
	return nil, err
}

func (t *Tree[R]) start(ctx context.Context, name string, start func() (*R, error)) (*R, error) {
	t.starting.RLock()
	defer t.starting.RUnlock()
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	_, used := t.running[name]
	if !used {
		t.running[name] = member[R]{of: t}
	}
	t.mu.Unlock()
	if used {
		return nil, fmt.Errorf("there is a service %q in this space already", name)
	}
	container, err := start()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[name] = (member[R]{container, t}); container == nil {
		delete(t.running, name)
	}
	return container, err
}

// Find returns a container of the space or any group, or nil if there is none or it is still starting.
func (t *Tree[R]) Find(name string) *R {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running[name].container
}

// All returns the started containers of the space and all groups.
func (t *Tree[R]) All() (all []*R) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.running {
		if m.container != nil {
			all = append(all, m.container)
		}
	}
	return all
}

// Remove removes a container unless it is gone, and then frees its name. For graceful, see NewTree.
func (t *Tree[R]) Remove(ctx context.Context, name string, graceful bool) error {
	c := t.Find(name)
	if c == nil {
		return nil
	}
	err := t.remove(ctx, c, graceful)
	if err == nil {
		t.mu.Lock()
		delete(t.running, name)
		t.mu.Unlock()
	}
	return err
}

// close marks the space as closed and returns the containers in it and its groups, by name.
func (t *Tree[R]) close() map[string]*R {
	t.starting.Lock()
	defer t.starting.Unlock()
	t.closed = true
	t.mu.Lock()
	defer t.mu.Unlock()
	inside := make(map[string]*R)
	for name, m := range t.running {
		for of := m.of; of != nil; of = of.outer {
			if of == t {
				inside[name] = m.container
			}
		}
	}
	return inside
}

// Keep closes the space without removing anything and returns its containers, sorted by name.
func (t *Tree[R]) Keep() (kept []*R, err error) {
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.removed {
		return nil, errClosed
	}
	inside := t.close()
	t.removed = true
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(inside)) {
		kept = append(kept, inside[name])
		delete(t.running, name)
	}
	return kept, nil
}

// Close removes all containers of the space and its groups concurrently, then calls rest. Another Close retries what
// failed.
func (t *Tree[R]) Close(ctx context.Context, rest func() error) error {
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.removed {
		return nil
	}
	var all errgroup.Group
	for name := range t.close() {
		all.Go(func() error { return t.Remove(ctx, name, true) })
	}
	err := all.Wait()
	if err == nil {
		err = rest()
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", t.what, err)
	}
	t.removed = true
	return nil
}
