package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/readiness"

	"benchbook/runner/observe"
)

// A serviceStart is a service that is being started: its containers, and then the link before it if there is one.
type serviceStart struct {
	*spec.Service
	begun, ready chan struct{} // are closed when all of it has begun to run, and when it is ready

	mu       sync.Mutex
	left     int // containers that have not begun to run, if their engine tells
	open     int // containers that are not ready
	running  []engine.Running
	failures []error
}

func newServiceStart(s *spec.Service) *serviceStart {
	n := max(1, s.Scale)
	return &serviceStart{Service: s, begun: make(chan struct{}), ready: make(chan struct{}), left: n, open: n,
		running: make([]engine.Running, n, n+1), failures: make([]error, n)}
}

// startAll starts services of a trial, each as soon as those that it depends on have reached its conditions; others
// that it depends on run already. What was started comes back beside an error too, in the order of the services.
func (b *bench) startAll(ctx, bounded context.Context, space engine.Space, t *plan.Trial,
	services []*spec.Service) ([]engine.Running, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	starts := map[string]*serviceStart{}
	for _, s := range services {
		starts[s.Name] = newServiceStart(s)
	}
	var starting sync.WaitGroup
	for _, s := range starts {
		for i := range s.failures {
			starting.Go(func() {
				err := s.awaitDependencies(ctx, starts)
				var container engine.Service
				if err == nil {
					container, err = b.container(t, s, i+1)
				}
				if err == nil {
					s.running[i], err = startOne(ctx, bounded, space, container)
				}
				if s.failures[i] = err; !s.isLast() {
					return
				}
				if err := b.finish(ctx, bounded, space, t, s); err != nil {
					cancel(err) // the first one: the others end because of it
				}
			})
		}
	}
	starting.Wait()
	var running []engine.Running
	for _, s := range services {
		running = append(running, starts[s.Name].running...)
	}
	return slices.DeleteFunc(running, func(c engine.Running) bool { return c == nil }), context.Cause(ctx)
}

// awaitDependencies waits until a service may be started. The error is why none is started any more.
func (s *serviceStart) awaitDependencies(ctx context.Context, starts map[string]*serviceStart) error {
	for _, name := range s.DependsOn {
		first, ok := starts[name]
		if !ok {
			continue
		}
		reached := first.ready
		if s.Conditions[name] == string(article.ServiceStarted) {
			reached = first.begun
		}
		select {
		case <-reached:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// hasBegun notes that one of the containers has begun to run.
func (s *serviceStart) hasBegun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 {
		close(s.begun)
	}
}

// isLast notes that one of the containers was started or could not be, and says whether it is the last one.
func (s *serviceStart) isLast() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	return s.open == 0
}

func (b *bench) container(t *plan.Trial, s *serviceStart, n int) (engine.Service, error) {
	out, err := b.service(t, s.Service)
	if err != nil {
		return engine.Service{}, err
	}
	b.addDriverFiles(t, s.Name, &out)
	if s.Link != nil {
		out.Name += behindLink
	} else { // else others reach it through its link, which comes last
		out.Begun = s.hasBegun
	}
	if n > 1 {
		out.Aliases = append(slices.Clone(out.Aliases), out.Name)
	}
	out.Name = replica(out.Name, n)
	return out, nil
}

// known is a container as the rest of us knows it.
func (s *serviceStart) known(c engine.Running, name string) engine.Running {
	if s.Link != nil {
		c = observe.Renamed{Running: c, As: name}
	}
	if s.Completes {
		c = completed{c}
	}
	return c
}

// finish ends the start of a service whose containers are all ready, or failed: it starts the link before it.
func (b *bench) finish(ctx, bounded context.Context, space engine.Space, t *plan.Trial, s *serviceStart) error {
	for i, c := range s.running {
		name := replica(s.Name, i+1)
		if s.Link != nil {
			s.failures[i] = renameInError(s.failures[i], replica(s.Name+behindLink, i+1), name)
		}
		if c != nil {
			s.running[i] = s.known(c, name)
		}
	}
	if err := mostTelling(s.failures); err != nil {
		return err
	}
	if s.Link != nil {
		relay, err := b.relay(t, s.Service)
		if err != nil {
			return err
		}
		link := s.Name + linkSuffix
		before, err := startOne(ctx, bounded, space, relay)
		if err != nil {
			return renameInError(err, s.Name, link)
		}
		s.running = append(s.running, s.known(before, link))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left > 0 { // its engine tells nothing of it, or it is the link that others wait for
		s.left = 0
		close(s.begun)
	}
	close(s.ready)
	return nil
}

// completed is a container that has run to its end before others started, as it was to. Nothing is left of it but what
// it wrote.
type completed struct{ engine.Running }

// stillRunning are those of some containers that have not completed.
func stillRunning(running []engine.Running) []engine.Running {
	return slices.DeleteFunc(slices.Clone(running), func(r engine.Running) bool {
		_, done := r.(completed)
		return done
	})
}

// mostTelling picks the error that says most: a result about a service before what else went wrong.
func mostTelling(failures []error) error {
	for _, err := range failures {
		if _, _, ok := failureOf(err); err != nil && ok {
			return err
		}
	}
	return errors.Join(failures...)
}

// startOne starts a container. Its time to become ready ends with that of the repetition, so that it can still say what
// it waited for.
func startOne(ctx, bounded context.Context, space engine.Space, service engine.Service) (engine.Running, error) {
	deadline, _ := bounded.Deadline() // it has one
	left := time.Until(deadline)
	if left <= 0 {
		return nil, cmp.Or(bounded.Err(), context.DeadlineExceeded) // the context learns of it a moment later
	}
	service.Within = left
	ctx, cancel := context.WithTimeout(ctx, left+startGrace)
	defer cancel()
	return space.Start(ctx, service)
}

func (b *bench) service(t *plan.Trial, s *spec.Service) (engine.Service, error) {
	out := engine.Service{Service: *s, Image: b.images.Prepared(s.Image), Location: b.layout.Location(t, s.Name)}
	out.CPUSet = b.layout.CPUsOf(s)
	if !s.Completes && !s.NoImageHealthcheck {
		out.Ready = s.Ready.Or(out.Image.Healthcheck)
	}
	if s.HealthyByImage && out.Ready.HasNoTest() {
		return engine.Service{}, &engine.RejectedError{Name: s.Name, Err: errors.New("another service waits until it is " +
			"healthy, but neither it nor its image has a healthcheck, and it exposes no port: give it a healthcheck, or write " +
			"condition: service_started")}
	}
	if err := lowerVolumes(&out); err != nil {
		return engine.Service{}, err
	}
	if s.Origin != nil {
		config, err := originEnvironment(s)
		if err != nil {
			return engine.Service{}, err
		}
		out.Image, out.Command, out.Environment = b.images.Own(), []string{agent.Origin}, []string{config}
		out.Confined = true
	}
	return out, nil
}

// addDriverFiles adds what the driver of a trial needs in a service. What the drivers of all trials need is in a
// service that they share.
func (b *bench) addDriverFiles(t *plan.Trial, service string, out *engine.Service) {
	trials := []*plan.Trial{t}
	if b.isShared(service) {
		trials = b.experiment.Trials
	}
	for _, t := range trials {
		if t.Unavailable != "" {
			continue
		}
		driver := b.driver(t)
		if driver == nil {
			continue // none of its repetitions is to be done
		}
		for _, f := range driver.Files(t, service) {
			if !slices.ContainsFunc(out.Configs, func(have spec.File) bool { return have.Path == f.Path }) {
				out.Configs = append(out.Configs, f)
			}
		}
	}
}

// lowerVolumes turns volumes that engines have other words for into these: memory into tmpfs, and a single file of the
// article into a config, as engines mount folders only. Of another machine than this its own engine says what it does
// not have.
func lowerVolumes(s *engine.Service) error {
	var volumes []spec.Volume
	s.Tmpfs, s.Configs = slices.Clone(s.Tmpfs), slices.Clone(s.Configs)
	for _, v := range s.Volumes {
		switch {
		case v.Type == spec.TmpfsVolume && v.Size > 0:
			s.Tmpfs = append(s.Tmpfs, fmt.Sprintf("%s:size=%d", v.Target, v.Size))
		case v.Type == spec.TmpfsVolume:
			s.Tmpfs = append(s.Tmpfs, v.Target)
		case v.Single:
			file := v.Files[0]
			file.Path = v.Target
			s.Configs = append(s.Configs, file)
		default:
			if _, err := os.Stat(v.Host); v.Host != "" && s.Host == "" && err != nil {
				return &engine.RejectedError{Name: s.Name, Err: fmt.Errorf("there is no %s on this machine", v.Source)}
			}
			volumes = append(volumes, v)
		}
	}
	s.Volumes = volumes
	return nil
}

// unreachedTarget says why a load could not reach a service of its trial, where nothing listens at a port that it asks:
// a service that exposes no port is ready at once, and another than its own may be asked for. It is empty where
// something listens, or nothing tells.
func unreachedTarget(ctx context.Context, by engine.Engine, t *plan.Trial, services map[string]engine.Running) string {
	if t.Load == nil {
		return ""
	}
	for _, target := range t.Load.URLs() {
		u, err := url.Parse(target)
		if err != nil {
			continue
		}
		port, err := strconv.Atoi(cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
		if err != nil {
			continue
		}
		told, ok := observe.EngineRunning(services[u.Hostname()]).(engine.Listening)
		if !ok {
			continue
		}
		if open, err := told.Listeners(ctx); err == nil {
			words, loopback := readiness.Unreached(open, port)
			// without containers the loopback is where services are reached
			if words != "" && !(loopback && spec.Engine(by.Name()).Can(spec.Machine)) {
				if !strings.Contains(words, "(") && !isExposed(t, u.Hostname(), port) {
					words += " yet (nothing waited for it: add it to expose)"
				}
				return fmt.Sprintf("service %q: %s", u.Hostname(), words)
			}
		}
	}
	return ""
}

// isExposed reports whether a service of a trial exposes a port, which is waited for.
func isExposed(t *plan.Trial, service string, port int) bool {
	return slices.ContainsFunc(t.Services, func(s *spec.Service) bool {
		return s.Name == service && slices.Contains(s.Expose, port)
	})
}
