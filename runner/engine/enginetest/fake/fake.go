// Package fake is an engine in memory, for tests of what uses engines: nothing is started, everything is scripted, and
// what was asked for is written down in order.
package fake

import (
	"bytes"
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
)

// Script says how an engine behaves. A nil function stands for the simplest success. Functions may block, to be slow,
// but must return when their context is done; several may be called at the same time.
type Script struct {
	// Facts are told beside the engine's name.
	Facts map[string]string
	// Prepare says what an image is; by default one that was built anew unless it was prepared before.
	Prepare func(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error)
	// Open may keep a space from being opened.
	Open func(ctx context.Context, run string) error
	// Start returns when a service is ready, or an error that says why it is not.
	Start func(ctx context.Context, service engine.Service) error
	// Waits is told of a program with standard input when it begins to read that. All of it is read before Run is
	// called.
	Waits func(program engine.Program)
	// Run returns how a program ended.
	Run func(ctx context.Context, program engine.Program) (engine.Exit, error)
	// Exec returns how a command in a service or program ended.
	Exec func(ctx context.Context, name string, command engine.Command) (engine.Exit, error)
	// Usage returns what a service or program has used at the nth time of asking, counted from 0.
	Usage func(name string, n int) (engine.Usage, error)
	// Listeners returns where a service listens. Without it nothing tells.
	Listeners func(name string) ([]netip.AddrPort, error)
	// CPUs returns on which CPUs a service or program may run. Without it nothing tells.
	CPUs func(name string) (string, error)
	// Threads returns the processor times of the threads of a service or program at the nth time of asking, counted
	// from 0.
	Threads func(name string, n int) (map[int]time.Duration, error)
	// Queued returns how long these threads waited for a core at the nth time of asking.
	Queued func(name string, n int) (map[int]time.Duration, error)
	// Logs returns what a service or program wrote.
	Logs func(name string) []byte
	// Ended says how a service or program has ended, if it has.
	Ended func(name string) (engine.Exit, bool)
	// Gone says why nothing is known of a service or program any more, if that is so.
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

var (
	_ engine.Engine     = (*Engine)(nil)
	_ engine.Inspected  = (*Engine)(nil)
	_ engine.ImageStore = (*Engine)(nil)
	_ engine.Threaded   = (*running)(nil)
	_ engine.Listening  = (*running)(nil)
	_ engine.Placed     = (*running)(nil)
)

// New makes an engine that follows a script.
func New(script Script) *Engine {
	return &Engine{script: script, prepared: make(map[string]bool)}
}

// Calls returns what was asked for so far, in order: "open RUN", "inner RUN", "start SERVICE", "run PROGRAM", "exec
// NAME", "keep RUN" and "close RUN". A call is written down when it is made, a close only
// if it was not closed before, and that of a program with standard input when all of that is read.
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
	if s.engine.script.Start != nil {
		if err := s.engine.script.Start(ctx, service); err != nil {
			s.leave(service.Name)
			return nil, err
		}
	}
	return &running{engine: s.engine, name: service.Name}, nil
}

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	if program.Stdin == nil {
		s.engine.called("run", program.Name)
	}
	if err := s.enter(ctx, program.Name); err != nil {
		return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, err)
	}
	defer s.leave(program.Name)
	if started != nil {
		started(&running{engine: s.engine, name: program.Name})
	}
	if program.Stdin != nil {
		if s.engine.script.Waits != nil {
			s.engine.script.Waits(program)
		}
		input, err := readAll(ctx, program.Stdin)
		if err != nil {
			return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, err)
		}
		program.Stdin = bytes.NewReader(input)
		s.engine.called("run", program.Name)
	}
	if s.engine.script.Run == nil {
		return engine.Exit{}, nil
	}
	return s.engine.script.Run(ctx, program)
}

// readAll reads all of a standard input, unless the context is done before.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(r)
		done <- read{data, err}
	}()
	var all read
	select {
	case all = <-done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // also where whoever has given up ends the input as well
		return nil, context.Cause(ctx)
	}
	return all.data, all.err
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	s.engine.called("inner", s.run)
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

// running implements engine.Running.
type running struct {
	engine *Engine
	name   string

	mu                    sync.Mutex
	asked, looked, queued int // how often for usage, for threads, and for how long these waited
}

func (r *running) Name() string { return r.name }

func (r *running) Usage(ctx context.Context) (engine.Usage, error) {
	if ctx.Err() != nil {
		return engine.Usage{}, context.Cause(ctx)
	}
	r.mu.Lock()
	n := r.asked
	r.asked++
	r.mu.Unlock()
	if r.engine.script.Usage == nil {
		return engine.Usage{At: time.Now()}, nil
	}
	return r.engine.script.Usage(r.name, n)
}

// errUntold is what the script says nothing of.
var errUntold = errors.New("the script does not tell")

// numbered asks a script about a container for the nth time, counted from 0.
func numbered[T any](r *running, tell func(name string, n int) (T, error), count *int) (told T, _ error) {
	if tell == nil {
		return told, errUntold
	}
	r.mu.Lock()
	n := *count
	*count++
	r.mu.Unlock()
	return tell(r.name, n)
}

func (r *running) Threads(context.Context, ...int) (map[int]time.Duration, error) {
	return numbered(r, r.engine.script.Threads, &r.looked)
}

func (r *running) Waits(context.Context) (map[int]time.Duration, error) {
	return numbered(r, r.engine.script.Queued, &r.queued)
}

func (r *running) Listeners(context.Context) ([]netip.AddrPort, error) {
	if r.engine.script.Listeners == nil {
		return nil, errUntold
	}
	return r.engine.script.Listeners(r.name)
}

func (r *running) CPUs(context.Context) (string, error) {
	if r.engine.script.CPUs == nil {
		return "", errUntold
	}
	return r.engine.script.CPUs(r.name)
}

func (r *running) Logs(context.Context) ([]byte, error) {
	if r.engine.script.Logs == nil {
		return nil, nil
	}
	return r.engine.script.Logs(r.name), nil
}

func (r *running) Ended(context.Context) (engine.Exit, bool, error) {
	if r.engine.script.Gone != nil {
		if err := r.engine.script.Gone(r.name); err != nil {
			return engine.Exit{}, false, err
		}
	}
	if r.engine.script.Ended == nil {
		return engine.Exit{}, false, nil
	}
	exit, ended := r.engine.script.Ended(r.name)
	return exit, ended, nil
}

func (r *running) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	r.engine.called("exec", r.name)
	if r.engine.script.Exec == nil {
		return engine.Exit{}, nil
	}
	return r.engine.script.Exec(ctx, r.name, command)
}
