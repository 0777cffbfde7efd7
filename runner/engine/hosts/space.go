package hosts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"benchbook/runner/engine"
)

// space is one on every host on which something was started in it. It implements engine.Space.
type space struct {
	engine *Engine
	run    string
	outer  *space // nil for one that is within no other

	mu     sync.Mutex
	closed bool
	on     map[string]engine.Space // by host; those that there are
	names  map[string]string       // in use, with the host of each; of the outermost space
	own    []string                // of them, those of this space
}

var errClosed = errors.New("the space is closed")

// Open implements engine.Engine. The space on the first host is there from the beginning, so that an engine which
// cannot open any says so.
func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	s := &space{engine: e, run: run, on: map[string]engine.Space{}, names: map[string]string{}}
	if _, err := s.at(ctx, e.hosts[0]); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *space) Inner(context.Context) (engine.Space, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	return &space{engine: s.engine, run: s.run, outer: s, on: map[string]engine.Space{}}, nil
}

// at is the space on one host, which is opened if it is not there yet.
func (s *space) at(ctx context.Context, h engine.Host) (engine.Space, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if there := s.on[h.Name]; there != nil {
		return there, nil
	}
	var opened engine.Space
	var err error
	if s.outer == nil {
		opened, err = h.Engine.Open(ctx, s.run)
	} else {
		var around engine.Space
		if around, err = s.outer.at(ctx, h); err == nil {
			opened, err = around.Inner(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", words(h.Name), err)
	}
	s.on[h.Name] = opened
	return opened, nil
}

// outermost is the space that all names are known in.
func (s *space) outermost() *space {
	for s.outer != nil {
		s = s.outer
	}
	return s
}

// take notes that a name is in use, unless it is on another host: each engine knows only those of its own. giveUp
// undoes that, and does nothing where the name was in use before.
func (s *space) take(name, host string) (giveUp func(), err error) {
	all := s.outermost()
	all.mu.Lock()
	defer all.mu.Unlock()
	other, used := all.names[name]
	switch {
	case used && other != host:
		return nil, fmt.Errorf("there is a %q on %s already", name, words(other))
	case used:
		return func() {}, nil
	}
	all.names[name] = host
	return func() { s.free(name) }, nil
}

// free notes that names are not in use any more.
func (s *space) free(names ...string) {
	all := s.outermost()
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, name := range names {
		delete(all.names, name)
	}
}

// enter finds where something is to be started, completes its location with all addresses, and gives its image the id
// that it has there. giveUp is that of take.
func (s *space) enter(ctx context.Context, name string, at *engine.Location,
	image *engine.Prepared) (there engine.Space, giveUp func(), err error) {
	h, err := s.engine.host(at.Host)
	if err != nil {
		return nil, nil, err
	}
	if *at, err = s.engine.location(*at); err != nil {
		return nil, nil, err
	}
	id := s.engine.copyOn(h.Name, *image)
	if id == "" && image.ID != "" {
		return nil, nil, fmt.Errorf("the image %s was not brought to %s", image.Reference, words(h.Name))
	}
	image.ID, at.Host = id, ""
	if there, err = s.at(ctx, h); err != nil {
		return nil, nil, err
	}
	giveUp, err = s.take(name, h.Name)
	return there, giveUp, err
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Running, error) {
	there, giveUp, err := s.enter(ctx, service.Name, &service.Location, &service.Image)
	if err != nil {
		return nil, fmt.Errorf("starting service %q: %w", service.Name, err)
	}
	running, err := there.Start(ctx, service)
	if err != nil {
		giveUp()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = append(s.own, service.Name)
	return running, nil
}

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	if host, ok := s.hostOf(program.Beside); ok && program.Beside != "" {
		if h, err := s.engine.host(program.Host); err == nil && h.Name != host {
			return engine.Exit{}, fmt.Errorf("running program %q: it cannot share the network of %q, which is on %s",
				program.Name, program.Beside, words(host))
		}
	}
	there, giveUp, err := s.enter(ctx, program.Name, &program.Location, &program.Image)
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running program %q: %w", program.Name, err)
	}
	defer giveUp()
	return there.Run(ctx, program, started)
}

// hostOf says on which host a service is.
func (s *space) hostOf(name string) (string, bool) {
	all := s.outermost()
	all.mu.Lock()
	defer all.mu.Unlock()
	host, ok := all.names[name]
	return host, ok
}

func (s *space) Keep(ctx context.Context) ([]engine.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	var all []engine.Kept
	for host, there := range s.on {
		kept, err := there.Keep(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", words(host), err)
		}
		all = append(all, kept...)
	}
	s.closed = true
	slices.SortFunc(all, func(a, b engine.Kept) int { return strings.Compare(a.Service, b.Service) })
	return all, nil
}

// Close implements engine.Space. All hosts are cleared at once, and one that cannot be does not keep it from the
// others.
func (s *space) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	failures := make([]error, 0, len(s.on))
	var closing sync.WaitGroup
	var failed sync.Mutex
	for host, there := range s.on {
		closing.Go(func() {
			if err := there.Close(ctx); err != nil {
				failed.Lock()
				defer failed.Unlock()
				failures = append(failures, fmt.Errorf("%s: %w", words(host), err))
			}
		})
	}
	closing.Wait()
	own := s.own
	s.own = nil
	s.mu.Unlock()
	s.free(own...)
	return errors.Join(failures...)
}
