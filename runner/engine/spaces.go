// Package spaces has what the spaces of every engine have in common: which space is within which, what runs there under
// which name, and the order in which all of that is removed.
package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

var errClosed = errors.New("the space is closed")

// Tree is one space among those around and within it. R is what runs in it.
type Tree[R any] struct {
	what  string   // in errors: "space benchbook-1"
	outer *Tree[R] // nil for one that is within no other

	// Held for reading while something is being made, so that Close knows of all of it.
	opening sync.RWMutex
	closed  bool
	removed bool // and nothing is left to remove

	mu      sync.Mutex
	running map[string]*R      // by name; nil while it is being made
	inner   map[*Tree[R]]Space // that are not closed
}

// New is the tree of a space that is within no other. What names the space in errors.
func New[R any](what string) *Tree[R] {
	return &Tree[R]{what: what, running: make(map[string]*R), inner: make(map[*Tree[R]]Space)}
}

// Group opens a space within this one.
func (t *Tree[R]) Group(ctx context.Context, open func(*Tree[R]) (Space, error)) (Space, error) {
	leave, err := t.Enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	defer leave()
	inner := New[R](t.what)
	inner.outer = t
	space, err := open(inner)
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inner[inner] = space
	return space, nil
}

// Enter keeps the space from being closed until leave is called. The error is that it is closed already, or the reason
// why the context is done.
func (t *Tree[R]) Enter(ctx context.Context) (leave func(), err error) {
	t.opening.RLock()
	switch {
	case t.closed:
		err = errClosed
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	default:
		return t.opening.RUnlock, nil
	}
	t.opening.RUnlock()
	return nil, err
}

// Find finds what runs under a name, here or in the spaces around; nil while it is being made.
func (t *Tree[R]) Find(name string) (r *R, used bool) {
	for around := t; around != nil && !used; around = around.outer {
		around.mu.Lock()
		r, used = around.running[name]
		around.mu.Unlock()
	}
	return r, used
}

// Take reserves a name for something that is going to be Put.
func (t *Tree[R]) Take(name string) error {
	_, used := t.Find(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, usedNow := t.running[name]; used || usedNow {
		return fmt.Errorf("there is a service or program %q in this space already", name)
	}
	t.running[name] = nil
	return nil
}

// Put notes what runs under a name.
func (t *Tree[R]) Put(name string, r *R) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[name] = r
}

// Free gives a name back.
func (t *Tree[R]) Free(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, name)
}

// All is what runs in this space itself, in order of names.
func (t *Tree[R]) All() []*R {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*R
	for _, name := range slices.Sorted(maps.Keys(t.running)) {
		if r := t.running[name]; r != nil {
			all = append(all, r)
		}
	}
	return all
}

// Keep closes the space without removing anything.
func (t *Tree[R]) Keep() error {
	t.opening.Lock()
	defer t.opening.Unlock()
	if t.closed {
		return errClosed
	}
	t.closed = true
	t.leaveOuter()
	return nil
}

// Close closes the spaces within this one, calls remove for all that runs here, at once, and rest when that is gone.
// What failed is tried again by the next Close; once nothing has failed, it does nothing.
func (t *Tree[R]) Close(ctx context.Context, remove func(*R) error, rest func() error) error {
	t.opening.Lock()
	defer t.opening.Unlock()
	if t.removed {
		return nil
	}
	t.closed = true
	t.mu.Lock()
	inner, running := slices.Collect(maps.Values(t.inner)), maps.Clone(t.running)
	t.mu.Unlock()
	for _, space := range inner {
		if err := space.Close(ctx); err != nil {
			return err
		}
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var failures []error
	for name, r := range running {
		if r == nil {
			continue
		}
		group.Go(func() {
			err := remove(r)
			if err == nil {
				t.Free(name)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, err)
		})
	}
	group.Wait()
	err := errors.Join(failures...)
	if err == nil {
		err = rest()
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", t.what, err)
	}
	t.leaveOuter()
	return nil
}

// leaveOuter notes that nothing of the space is left to remove.
func (t *Tree[R]) leaveOuter() {
	t.removed = true
	if t.outer != nil {
		t.outer.mu.Lock()
		defer t.outer.mu.Unlock()
		delete(t.outer.inner, t)
	}
}

// StartError is the error of Space.Start, given why a service could not be started.
func StartError(ctx context.Context, service string, err error) error {
	var notReady *NotReadyError
	var rejected *RejectedError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &rejected):
		return rejected
	case errors.As(err, &notReady):
		return notReady
	}
	return fmt.Errorf("starting service %q: %w", service, err)
}
