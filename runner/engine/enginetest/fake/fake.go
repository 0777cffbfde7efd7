// Package fake is an in-memory engine for tests of code that uses engines. It starts nothing, follows a script, and
// records calls in order.
package fake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Program is a command of Exec in an idle container.
type Program struct {
	Name        string // name of the container
	Image       engine.Prepared
	Service     engine.Service // the container
	Command     []string       // the program and its arguments
	Environment []string       // of the container, followed by the command's
	WorkingDir  string         // the command's, or else the container's
	Stdin       []byte
	Full        func()
}

// Script defines the behaviour of an engine. A nil function succeeds in the simplest way. Functions may block, but must
// return when their context is done, and may be called concurrently.
type Script struct {
	// Facts are the engine's facts besides its name.
	Facts map[string]string
	// Prepare prepares an image; nil: it counts as built the first time.
	Prepare func(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error)
	// Start returns when a service is ready, or the error of Space.Start. It is not called for idle containers.
	Start func(ctx context.Context, service engine.Service) error
	// Run returns how a command in an idle container ended: a load generator, a timed command.
	Run func(ctx context.Context, program Program) (engine.Exit, error)
	// Exec returns how a command in another container ended.
	Exec func(ctx context.Context, name string, command engine.Command) (engine.Exit, error)
	// Usage returns the usage of a container and its threads at the nth reading, counted from 0.
	Usage func(name string, n int) (engine.Usage, error)
	// Listeners returns where a container listens; nil: unknown.
	Listeners func(name string) ([]netip.AddrPort, error)
	// Logs returns the log of a container.
	Logs func(name string) []byte
	// State returns the state of a container.
	State func(name string) (engine.State, error)
	// Close returns the error of closing a space.
	Close func(ctx context.Context, run string) error
	// Leftovers is what Sweep finds.
	Leftovers []engine.Leftover
	// Find returns the ID of a named image; empty if the engine does not have it.
	Find func(name string) (id string)
	// Reach returns why the registry of an image does not answer. Storage is the folder of images.
	Reach   func(image string) error
	Storage string
}

// Engine is an engine that follows a script. It implements engine.Engine.
type Engine struct {
	script Script

	mu       sync.Mutex
	calls    []string
	prepared map[string]bool // by reference
	swept    bool
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine that follows a script.
func New(script Script) *Engine {
	e := &Engine{script: script, prepared: make(map[string]bool)}
	s := &e.script
	set(&s.Prepare, e.prepare)
	set(&s.Start, func(context.Context, engine.Service) error { return nil })
	set(&s.Run, func(context.Context, Program) (engine.Exit, error) { return engine.Exit{}, nil })
	set(&s.Exec, func(context.Context, string, engine.Command) (engine.Exit, error) { return engine.Exit{}, nil })
	set(&s.Usage, func(string, int) (engine.Usage, error) { return engine.Usage{At: time.Now()}, nil })
	set(&s.Listeners, func(string) ([]netip.AddrPort, error) { return nil, nil })
	set(&s.Logs, func(string) []byte { return nil })
	set(&s.State, func(string) (engine.State, error) { return engine.State{}, nil })
	set(&s.Close, func(context.Context, string) error { return nil })
	set(&s.Find, func(string) string { return "" })
	set(&s.Reach, func(string) error { return nil })
	return e
}

// set sets a function if it is nil.
func set[F any](function *F, simplest F) {
	if reflect.ValueOf(*function).IsNil() {
		*function = simplest
	}
}

// Calls returns the calls so far, in order: "open RUN", "group RUN", "start NAME", "run NAME" for Exec in an idle
// container, "exec NAME" in another, "keep RUN" and "close RUN", which is left out if the space was closed before.
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *Engine) called(what, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, what+" "+name)
}

func (e *Engine) Name() string { return "fake" }

func (e *Engine) Facts(context.Context) (map[string]string, error) {
	facts := map[string]string{"engine.name": e.Name()}
	maps.Copy(facts, e.script.Facts)
	return facts, nil
}

func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	return e.script.Prepare(ctx, image, log)
}

// prepare names an image by a digest of its inputs.
func (e *Engine) prepare(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
	if !image.One() {
		return engine.Prepared{}, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	}
	inputs := fmt.Sprintf("%+v", image)
	switch {
	case image.Build != nil:
		inputs = fmt.Sprintf("%+v", *image.Build)
	case image.Executable != nil:
		inputs = fmt.Sprintf("%+v", *image.Executable)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(inputs)))
	prepared := engine.Prepared{Reference: "fake:" + digest[:12], ID: "sha256:" + digest}
	e.mu.Lock()
	defer e.mu.Unlock()
	prepared.Built = image.Name == "" && !image.Machine && !e.prepared[prepared.Reference]
	e.prepared[prepared.Reference] = true
	return prepared, nil
}

func (e *Engine) Endpoint() string { return "fake://" }

func (e *Engine) Storage() string { return e.script.Storage }

func (e *Engine) Reach(_ context.Context, image string) error { return e.script.Reach(image) }

func (e *Engine) Find(_ context.Context, reference string) (string, error) {
	return e.script.Find(reference), nil
}

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	e.called("open", run)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &space{engine: e, run: run, tree: engine.NewTree("space "+run,
		func(context.Context, *container, bool) error { return nil })}, nil
}

func (e *Engine) Sweep(_ context.Context, dryRun bool) ([]engine.Leftover, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := slices.Clone(e.script.Leftovers)
	if e.swept {
		left = slices.DeleteFunc(left, func(l engine.Leftover) bool { return l.Problem == "" })
	}
	e.swept = e.swept || !dryRun
	return left, nil
}

func (e *Engine) Close() error { return nil }

// space implements engine.Space.
type space struct {
	engine *Engine
	run    string
	tree   *engine.Tree[container]
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	s.engine.called("start", service.Name)
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) {
		return &container{engine: s.engine, service: service}, nil
	}, func(*container) error {
		if service.Begun != nil {
			service.Begun()
		}
		if isIdle(&service) {
			return nil
		}
		return s.engine.script.Start(ctx, service)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// isIdle reports whether a container is for commands.
func isIdle(s *engine.Service) bool {
	return len(s.Command) > 0 && s.Command[len(s.Command)-1] == agent.Idle
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	s.engine.called("group", s.run)
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	return &space{engine: s.engine, run: s.run, tree: tree}, nil
}

func (s *space) Keep(ctx context.Context) (kept []engine.Kept, err error) {
	s.engine.called("keep", s.run)
	all, err := s.tree.Keep()
	for _, c := range all {
		kept = append(kept, engine.Kept{Service: c.Name(), Enter: []string{"fake", "enter", c.Name()}})
	}
	return kept, cmp.Or(err, ctx.Err())
}

func (s *space) Close(ctx context.Context) (err error) {
	_ = s.tree.Close(ctx, func() error {
		s.engine.called("close", s.run)
		err = s.engine.script.Close(ctx, s.run)
		return err
	})
	return err
}

// container implements engine.Container.
type container struct {
	engine  *Engine
	service engine.Service

	asked atomic.Int64 // number of calls of Usage
}

func (c *container) Name() string { return c.service.Name }

func (c *container) Usage(ctx context.Context, detail engine.Detail) (engine.Usage, error) {
	if ctx.Err() != nil {
		return engine.Usage{}, context.Cause(ctx)
	}
	known, err := c.engine.script.Usage(c.Name(), int(c.asked.Add(1))-1)
	usage := engine.NoUsage()
	if usage.At, usage.CPU = known.At, known.CPU; detail.Totals {
		usage = known
	}
	if usage.Threads = nil; detail.Threads {
		usage.Threads = known.Threads
	}
	if detail.Listeners && err == nil {
		usage.Listeners, err = c.engine.script.Listeners(c.Name())
	}
	return usage, err
}

func (c *container) Logs(context.Context) ([]byte, error) { return c.engine.script.Logs(c.Name()), nil }

func (c *container) State(context.Context) (engine.State, error) {
	return c.engine.script.State(c.Name())
}

func (c *container) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	if !isIdle(&c.service) {
		c.engine.called("exec", c.Name())
		return c.engine.script.Exec(ctx, c.Name(), command)
	}
	c.engine.called("run", c.Name())
	return c.engine.script.Run(ctx, Program{Name: c.Name(), Image: c.service.Image, Service: c.service,
		Command: command.Args, Environment: slices.Concat(c.service.Environment, command.Environment),
		WorkingDir: cmp.Or(command.WorkingDir, c.service.WorkingDir), Stdin: command.Stdin, Full: command.Full})
}
