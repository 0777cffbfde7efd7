// Package images makes available what trials run: images, our own program, and what drivers of loads bring. It knows
// their packages, and which images and programs have changed since they were measured.
package images

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Preparation shows how one thing is made available: what its builder prints, and then whether it succeeded.
type Preparation interface {
	io.Writer
	End(ok bool)
}

// Store makes available what trials need on an engine, each thing once.
type Store struct {
	Engine engine.Engine
	Agent  agent.Program            // reads our program
	Cache  string                   // folder that keeps which packages images have; empty for none
	Begin  func(string) Preparation // is called with the name of each thing before it is made available

	made    sync.Map   // of made, by Need.key
	showing sync.Mutex // serializes calls of Begin and of Preparations
}

// made is what was made available.
type made struct {
	tried    bool
	image    engine.Prepared
	packages packages
	digest   string        // of our program
	program  string        // file of the machine that a word in an article means, see identify
	missing  *NoImageError // why it is missing; nil otherwise
}

// NoImageError is an image that could not be had. Err is an *engine.BuildError or *engine.ImageError, or the latter in
// the former, without secrets.
type NoImageError struct {
	Pos source.Pos // of the line of the Dockerfile that failed, if it is known and in the article, else of its user
	Err error
}

func (e *NoImageError) Error() string { return e.Err.Error() }

func (e *NoImageError) Unwrap() error { return e.Err }

// Need is something that has to be available before trials are measured.
type Need struct {
	store   *Store
	key     string     // same for the same thing
	what    string     // name in messages
	pos     source.Pos // of what needs it first
	private []string   // values that are removed from the output of builders
	// make makes it available. The error is a *NoImageError, whose Pos may be unknown, if only those that need it fail.
	make func(ctx context.Context, log io.Writer) (made, error)
}

// Make provides needed things that are missing, independent ones at once, and returns the ones that could not be
// had. Each is tried once.
func Make(ctx context.Context, needs ...Need) (missing []*NoImageError, err error) {
	type thing struct {
		store *Store
		key   string
	}
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(atOnce())
	begun := map[thing]bool{}
	for _, n := range needs {
		if same := (thing{n.store, n.key}); !begun[same] && !n.store.get(n.key).tried {
			begun[same] = true
			group.Go(func() error { return n.meet(bounded) })
		}
	}
	// Once the context is done, what interrupted builders print no longer counts.
	if err := group.Wait(); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	for _, n := range needs {
		if got := n.store.get(n.key); got.missing != nil {
			missing = slice.Add(missing, got.missing)
		}
	}
	return missing, ctx.Err()
}

// atOnce is how many things are made at the same time: most wait for packages or for the engine, and some compile.
func atOnce() int { return max(2, runtime.NumCPU()) }

func (n Need) meet(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	n.store.showing.Lock()
	log := &buildLog{to: n.store.Begin(n.what), mu: &n.store.showing, redact: record.NewRedactor(n.private...)}
	n.store.showing.Unlock()
	got, err := n.make(ctx, log)
	log.end(err == nil)
	if err != nil && (ctx.Err() != nil || !errors.As(err, &got.missing)) {
		return err
	}
	if got.missing != nil && got.missing.Pos.Source == nil {
		got.missing.Pos = n.pos
	}
	got.tried = true
	n.store.made.Store(n.key, got)
	return nil
}

func (s *Store) get(key string) made {
	is, _ := s.made.Load(key)
	got, _ := is.(made)
	return got
}

// buildLog passes what a builder prints to a Preparation, without private values, in whole lines so that no value is
// cut in two.
type buildLog struct {
	to     Preparation
	mu     *sync.Mutex
	redact *record.Redactor
	rest   []byte
}

func (l *buildLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.to, l.redact.Text(string(l.rest[:end])))
	l.rest = bytes.Clone(l.rest[end:])
	return len(p), err
}

func (l *buildLog) end(ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		_, _ = fmt.Fprintln(l.to, l.redact.Text(string(l.rest))) // it is only for people to read
	}
	l.to.End(ok)
}
