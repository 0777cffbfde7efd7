// Package fake is an engine in memory, for tests of what uses engines: nothing is started, everything is scripted, and
// what was asked for is written down in order.
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
	"slices"
	"sync"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// Program is a command of Exec in an idle container.
type Program struct {
	Name        string // of the container
	Image       engine.Prepared
	Service     engine.Service // the container
	Command     []string       // the program and its arguments
	Environment []string       // of the container, and behind it of the command
	WorkingDir  string         // of the command, or else of the container
	Stdin       []byte
	Full        func()
}

// Script says how an engine behaves. A nil function stands for the simplest success. Functions may block, to be slow,
// but must return when their context is done; several may be called at the same time.
type Script struct {
	// Facts are told beside the engine's name.
	Facts map[string]string
	// Prepare says what an image is; by default one that was built anew unless it was prepared before.
	Prepare func(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error)
	// Open may keep a space from being opened.
	Open func(ctx context.Context, run string) error
	// Start returns when a container is ready, or an error that says why it is not. It is not asked for idle containers.
	Start func(ctx context.Context, service engine.Service) error
	// Run returns how a command in an idle container ended: a load generator, a timed command.
	Run func(ctx context.Context, program Program) (engine.Exit, error)
	// Exec returns how a command in another container ended.
	Exec func(ctx context.Context, name string, command engine.Command) (engine.Exit, error)
	// Usage returns what a container has used when it is asked the nth time, counted from 0.
	Usage func(name string, n int) (engine.Usage, error)
	// Threads and Queued return the processor times of the threads of a container, and how long these waited for a core,
	// when they are asked the nth time.
	Threads, Queued func(name string, n int) (map[int]time.Duration, error)
	// Listeners returns where a container listens; nil: unknown.
	Listeners func(name string) ([]netip.AddrPort, error)
	// CPUs returns on which CPUs a container may run; nil: unknown.
	CPUs func(name string) (string, error)
	// Logs returns what a container wrote.
	Logs func(name string) []byte
	// Ended returns how a container has ended, if it has.
	Ended func(name string) (engine.Exit, bool)
	// Gone returns the error of State.
	Gone func(name string) error
	// Close may fail to close a space.
	Close func(ctx context.Context, run string) error
	// Leftovers is what Sweep finds.
	Leftovers []engine.Leftover
	// Find returns the id of a named image; empty if it is not there.
	Find func(name string) (id string)
	// Reach says whether a registry answers, and Storage is where images lie.
	Reach   func(image string) error
	Storage string
}

// Engine is an engine that does what its script says. It implements engine.Engine.
type Engine struct {
	script Script

	mu       sync.Mutex
	calls    []string
	prepared map[string]bool // by reference
	swept    bool
}

var _ engine.Engine = (*Engine)(nil)

// New makes an engine that follows a script.
func New(script Script) *Engine {
	return &Engine{script: script, prepared: make(map[string]bool)}
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
	if e.script.Prepare != nil {
		return e.script.Prepare(ctx, image, log)
	}
	prepared, err := nameOf(image)
	if err != nil {
		return engine.Prepared{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	prepared.Built = image.Name == "" && !image.Machine && !e.prepared[prepared.Reference]
	e.prepared[prepared.Reference] = true
	return prepared, nil
}

// nameOf says what an image is, by what it is made from.
func nameOf(image engine.Image) (engine.Prepared, error) {
	if !image.One() {
		return engine.Prepared{}, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	}
	inputs := image.Name
	switch {
	case image.Build != nil:
		inputs = fmt.Sprintf("%+v", *image.Build)
	case image.Executable != nil:
		inputs = fmt.Sprintf("%+v", *image.Executable)
	case image.Machine:
		inputs = "this machine"
	}
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(inputs)))
	return engine.Prepared{Reference: "fake:" + digest[:12], ID: "sha256:" + digest}, nil
}

func (e *Engine) Endpoint() string { return "fake://" }

func (e *Engine) Storage() string { return e.script.Storage }

func (e *Engine) Reach(_ context.Context, image string) error {
	if e.script.Reach == nil {
		return nil
	}
	return e.script.Reach(image)
}

func (e *Engine) Find(_ context.Context, reference string) (string, error) {
	if e.script.Find == nil {
		return "", nil
	}
	return e.script.Find(reference), nil
}

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	e.called("open", run)
	if e.script.Open != nil {
		if err := e.script.Open(ctx, run); err != nil {
			return nil, err
		}
	}
	return &space{engine: e, run: run, running: make(map[string]bool)}, ctx.Err()
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
	outer  *space // nil for one that is within no other

	mu      sync.Mutex
	closed  bool
	running map[string]bool
}

// has says whether a name is in use here or in the spaces around.
func (s *space) has(name string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[name] || s.outer.has(name)
}

// enter notes that a name is in use, until leave.
func (s *space) enter(ctx context.Context, name string) error {
	taken := s.outer.has(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.closed:
		return errors.New("the space is closed")
	case taken || s.running[name]:
		return fmt.Errorf("the name %q is in use", name)
	}
	s.running[name] = true
	return nil
}

func (s *space) leave(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, name)
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	s.engine.called("start", service.Name)
	if err := s.enter(ctx, service.Name); err != nil {
		return nil, fmt.Errorf("starting service %q: %w", service.Name, err)
	}
	if service.Begun != nil {
		service.Begun()
	}
	if s.engine.script.Start != nil && !isIdle(&service) {
		if err := s.engine.script.Start(ctx, service); err != nil {
			s.leave(service.Name)
			return nil, err
		}
	}
	return &container{engine: s.engine, service: service}, nil
}

// isIdle reports whether a container is one for commands.
func isIdle(s *engine.Service) bool {
	n := len(s.Command)
	return n > 0 && s.Command[n-1] == agent.Idle
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	s.engine.called("group", s.run)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("opening a space: the one around it is closed")
	}
	return &space{engine: s.engine, run: s.run, outer: s, running: make(map[string]bool)}, ctx.Err()
}

func (s *space) Keep(ctx context.Context) ([]engine.Kept, error) {
	s.engine.called("keep", s.run)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("keeping a space: it is closed")
	}
	s.closed = true
	var kept []engine.Kept
	for _, name := range slices.Sorted(maps.Keys(s.running)) {
		kept = append(kept, engine.Kept{Service: name, Enter: []string{"fake", "enter", name}})
	}
	return kept, ctx.Err()
}

func (s *space) Close(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.engine.called("close", s.run)
	if s.engine.script.Close != nil {
		if err := s.engine.script.Close(ctx, s.run); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return nil
}

// container implements engine.Container.
type container struct {
	engine  *Engine
	service engine.Service

	mu                     sync.Mutex
	asked, threads, queued int // how often for usage, for threads, and for how long these waited
}

func (c *container) Name() string { return c.service.Name }

func (c *container) Usage(ctx context.Context, detail engine.Detail) (engine.Usage, error) {
	if ctx.Err() != nil {
		return engine.Usage{}, context.Cause(ctx)
	}
	script, usage := &c.engine.script, engine.NoUsage()
	if script.Usage != nil {
		known, err := script.Usage(c.Name(), c.count(&c.asked))
		if err != nil {
			return known, err
		}
		usage.At, usage.CPU = known.At, known.CPU
		if detail.Totals {
			usage = known
		}
	}
	var err error
	if detail.Threads && script.Threads != nil {
		if usage.Threads, err = c.readThreads(); err != nil {
			return usage, err
		}
	}
	if detail.Listeners && script.Listeners != nil {
		usage.Listeners, err = script.Listeners(c.Name())
	}
	return usage, err
}

// readThreads joins what the script says about the threads.
func (c *container) readThreads() (map[int]engine.Thread, error) {
	script := &c.engine.script
	times, err := script.Threads(c.Name(), c.count(&c.threads))
	if err != nil {
		return nil, err
	}
	var waits map[int]time.Duration
	if script.Queued != nil {
		if waits, err = script.Queued(c.Name(), c.count(&c.queued)); err != nil {
			return nil, err
		}
	}
	threads := make(map[int]engine.Thread, len(times))
	for id, cpu := range times {
		waited, ok := waits[id]
		if !ok {
			waited = -1
		}
		threads[id] = engine.Thread{CPU: cpu, Waited: waited}
	}
	return threads, nil
}

// count returns how often something was counted before.
func (c *container) count(times *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	*times++
	return *times - 1
}

func (c *container) Logs(context.Context) ([]byte, error) {
	if c.engine.script.Logs == nil {
		return nil, nil
	}
	return c.engine.script.Logs(c.Name()), nil
}

func (c *container) State(context.Context) (state engine.State, err error) {
	script := &c.engine.script
	if script.Gone != nil {
		if err := script.Gone(c.Name()); err != nil {
			return state, err
		}
	}
	if script.Ended != nil {
		state.Exit, state.Ended = script.Ended(c.Name())
	}
	if script.CPUs != nil {
		state.CPUs, err = script.CPUs(c.Name())
	}
	return state, err
}

func (c *container) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	script := &c.engine.script
	if isIdle(&c.service) {
		c.engine.called("run", c.Name())
		if script.Run == nil {
			return engine.Exit{}, nil
		}
		return script.Run(ctx, Program{Name: c.Name(), Image: c.service.Image, Service: c.service, Command: command.Args,
			Environment: slices.Concat(c.service.Environment, command.Environment),
			WorkingDir:  cmp.Or(command.WorkingDir, c.service.WorkingDir), Stdin: command.Stdin, Full: command.Full})
	}
	c.engine.called("exec", c.Name())
	if script.Exec == nil {
		return engine.Exit{}, nil
	}
	return script.Exec(ctx, c.Name(), command)
}
