// Package images prepares what trials run: images, our own program, and drivers of loads. It lists the packages in
// images and finds images and programs that have changed since they were measured.
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

// Preparation shows the progress of preparing one thing: the builder's output, then whether it succeeded.
type Preparation interface {
	io.Writer
	End(ok bool)
}

// Store prepares on an engine what trials need, each thing once.
type Store struct {
	Engine engine.Engine
	Agent  agent.Program            // our program
	Cache  string                   // folder that caches the packages of images; empty: no cache
	Begin  func(string) Preparation // called with the name of each thing before it is prepared

	made    sync.Map   // made by Need.key
	showing sync.Mutex // serializes calls of Begin and of Preparations
}

// made is the result of a Need.
type made struct {
	tried    bool
	image    engine.Prepared
	packages packages
	digest   string        // digest of our program
	program  string        // result of identify for a program of the machine
	missing  *NoImageError // why it is missing; nil if it was made
}

// NoImageError means that an image is not available. Err is a redacted *engine.BuildError or *engine.ImageError, or the
// latter wrapped in the former.
type NoImageError struct {
	Pos source.Pos // line of the Dockerfile that failed, if known and in the article, or what uses the image
	Err error
}

func (e *NoImageError) Error() string { return e.Err.Error() }

func (e *NoImageError) Unwrap() error { return e.Err }

// Need is something that has to be available before trials are measured.
type Need struct {
	store   *Store
	key     string     // identifies the thing
	what    string     // name in messages
	pos     source.Pos // experiment that needs it first
	private []string   // values to redact from the output of builders
	// make prepares it. A *NoImageError, whose Pos may be unset, fails only the experiments that need it.
	make func(ctx context.Context, log io.Writer) (made, error)
}

// Make prepares needed things concurrently and returns the ones that are not available. Each is tried only once per
// Store.
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
	// If the context is done, return its error rather than those of interrupted builders.
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

// atOnce returns how many things are prepared at once: most wait for downloads or the engine, some compile.
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

// buildLog passes a builder's output to a Preparation, redacted. It passes whole lines, so that no private value is cut
// in two.
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
		_, _ = fmt.Fprintln(l.to, l.redact.Text(string(l.rest))) // the log is only for people to read
	}
	l.to.End(ok)
}
