package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/observe"
)

// startServices starts the services of s, each as soon as its dependencies meet their conditions. Even after an error,
// s.running holds the containers that were started.
func (b *bench) startServices(ctx, bounded context.Context, s *services) error {
	s.began = time.Now().UTC()
	all := map[string]*starting{}
	for _, one := range s.list {
		all[one.Name] = newStarting(one)
	}
	group, ctx := errgroup.WithContext(ctx) // an error stops further starts
	for _, one := range all {
		group.Go(func() error {
			for _, name := range one.DependsOn {
				other, ok := all[name]
				if !ok {
					continue // a shared service, already running
				}
				reached := other.ready
				if one.Conditions[name] == spec.ServiceStarted {
					reached = other.begun
				}
				if err := await(ctx, reached); err != nil {
					return err
				}
			}
			return b.startService(ctx, bounded, s, one)
		})
	}
	if s.idle != nil {
		group.Go(func() (err error) {
			for _, one := range all {
				if s.idleLast && err == nil {
					err = await(ctx, one.ready)
				}
			}
			if err == nil {
				s.load, err = startOne(ctx, bounded, s.space, *s.idle)
			}
			return err
		})
	}
	err := group.Wait()
	for _, one := range s.list {
		s.running = append(s.running, slice.Filter(all[one.Name].running, func(c engine.Container) bool { return c != nil })...)
	}
	return err
}

func await(ctx context.Context, reached <-chan struct{}) error {
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// starting is a service that is being started.
type starting struct {
	*spec.Service
	left         atomic.Int32       // containers that are not running yet
	begun, ready chan struct{}      // begun closes when all containers run, ready when the service is ready
	running      []engine.Container // its containers, then its link; nil elements were not started
}

func newStarting(s *spec.Service) *starting {
	n := max(1, s.Scale)
	out := &starting{Service: s, begun: make(chan struct{}), ready: make(chan struct{}),
		running: make([]engine.Container, n, n+1)}
	out.left.Store(int32(n))
	return out
}

// startService starts the containers of a service, then its link.
func (b *bench) startService(ctx, bounded context.Context, set *services, s *starting) error {
	replicas, replicasCtx := errgroup.WithContext(ctx)
	for i := range s.running {
		replicas.Go(func() error {
			container, err := b.container(set.trial, s, i+1)
			if err != nil {
				return err
			}
			name := replica(s.Name, i+1)
			c, err := startOne(replicasCtx, bounded, set.space, container)
			if c != nil {
				s.running[i] = s.named(c, name)
			}
			return renameInError(err, container.Name, name)
		})
	}
	if err := replicas.Wait(); err != nil {
		return err
	}
	if s.Link != nil {
		link := s.Name + observe.LinkSuffix
		c, err := startOne(ctx, bounded, set.space, b.relay(s.Service))
		if err != nil {
			return renameInError(err, s.Name, link)
		}
		s.running = append(s.running, s.named(c, link))
	}
	if s.left.Swap(0) > 0 { // the engine does not call Begun, or the service has a link
		close(s.begun)
	}
	close(s.ready)
	return nil
}

// container returns the nth container of a service, counted from 1.
func (b *bench) container(t *plan.Trial, s *starting, n int) (engine.Service, error) {
	out, err := b.service(s.Service)
	if err != nil {
		return engine.Service{}, err
	}
	if b.hasCommand(t, s.Name) {
		out.Configs = append(slices.Clone(out.Configs), b.Runner.Commands.Timer())
	}
	if s.Link != nil {
		out.Name += behindLink
	} else { // a service with a link has begun when the link runs
		out.Begun = func() {
			if s.left.Add(-1) == 0 {
				close(s.begun)
			}
		}
	}
	if n > 1 {
		out.Aliases = append(slices.Clone(out.Aliases), out.Name)
	}
	out.Name = replica(out.Name, n)
	return out, nil
}

// named wraps a container to give it the name used in records and messages.
func (s *starting) named(c engine.Container, name string) engine.Container {
	if s.Link != nil {
		c = observe.Renamed{Container: c, As: name}
	}
	if s.Completes {
		c = completed{c}
	}
	return c
}

// completed is a container that other services waited for until it had exited. Only its log is left.
type completed struct{ engine.Container }

// stillRunning filters out completed containers.
func stillRunning(running []engine.Container) []engine.Container {
	return slice.Filter(running, func(r engine.Container) bool {
		_, done := r.(completed)
		return !done
	})
}

// startOne starts a container, which must become ready before the deadline of bounded. The engine gets startGrace more
// to say what it waited for.
func startOne(ctx, bounded context.Context, space engine.Space, service engine.Service) (engine.Container, error) {
	deadline, _ := bounded.Deadline() // always set
	left := time.Until(deadline)
	if left <= 0 {
		return nil, cmp.Or(bounded.Err(), context.DeadlineExceeded) // Err is set slightly after the deadline
	}
	service.Within = left
	ctx, cancel := context.WithTimeout(ctx, left+startGrace)
	defer cancel()
	return space.Start(ctx, service)
}

// service returns a service in the form that an engine starts.
func (b *bench) service(s *spec.Service) (engine.Service, error) {
	out := engine.Service{Service: *s, Image: b.images().Prepared(s.Image), Host: b.experiment.HostOf(s.Name)}
	out.CPUSet = b.layout().cpusOf(s)
	if !s.Completes && !s.NoImageHealthcheck {
		out.Ready = s.Ready.Or(out.Image.Healthcheck)
	}
	if s.HealthyByImage && out.Ready.HasNoTest() {
		return engine.Service{}, engine.Refuse(s.Name, "another service waits until it is healthy, but neither it nor its "+
			"image has a healthcheck, and it exposes no port: give it a healthcheck, or write condition: service_started")
	}
	if err := lowerVolumes(&out, b.layout().machine(out.Host).IsHere()); err != nil {
		return engine.Service{}, err
	}
	if s.Origin != nil {
		out.Image, out.Command, out.Ours = b.images().Own(), []string{agent.Origin}, true
		out.Environment = []string{originEnvironment(s)}
	}
	return out, nil
}

// hasCommand reports whether the command of a trial runs in a service; for a shared service, of any trial.
func (b *bench) hasCommand(t *plan.Trial, service string) bool {
	trials := []*plan.Trial{t}
	if b.isShared(service) {
		trials = b.experiment.Trials
	}
	return slices.ContainsFunc(trials, func(t *plan.Trial) bool {
		return t.Command != nil && t.Command.Service == service
	})
}

// lowerVolumes turns tmpfs volumes into tmpfs mounts, and single files into configs, because engines mount only
// folders. It checks that host folders exist, but only if the service runs here.
func lowerVolumes(s *engine.Service, here bool) error {
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
			if _, err := os.Stat(v.Host); v.Host != "" && here && err != nil {
				return engine.Refuse(s.Name, "there is no %s on this machine", v.Source)
			}
			volumes = append(volumes, v)
		}
	}
	s.Volumes = volumes
	return nil
}

// unreachedTarget says why a load could not reach a service: nothing listens on the port, for example because a service
// that exposes no port counts as ready at once. It is empty if something listens, or the engine cannot tell.
func unreachedTarget(ctx context.Context, by engine.Engine, t *plan.Trial, services map[string]engine.Container) string {
	if t.Load == nil {
		return ""
	}
	for _, target := range t.Load.URLs() {
		u, err := url.Parse(target)
		if err != nil || services[u.Hostname()] == nil {
			continue
		}
		port, err := strconv.Atoi(cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
		if err != nil {
			continue
		}
		usage, err := services[u.Hostname()].Usage(ctx, engine.Detail{Listeners: true})
		if err != nil || usage.Listeners == nil {
			continue
		}
		words, loopback := engine.Unreached(usage.Listeners, port)
		// Local processes are reached through loopback.
		if words == "" || loopback && spec.Engine(by.Name()).Can(spec.Machine) {
			continue
		}
		isExposed := slices.ContainsFunc(t.Services, func(s *spec.Service) bool {
			return s.Name == u.Hostname() && slices.Contains(s.Expose, port)
		})
		if !strings.Contains(words, "(") && !isExposed {
			words += " yet (nothing waited for it: add it to expose)"
		}
		return fmt.Sprintf("service %q: %s", u.Hostname(), words)
	}
	return ""
}

// behindLink is the suffix that a service with a link has in the engine. The relay takes the service's own name, so
// requests reach the relay. Service names have no dots, so the suffix is unambiguous.
const behindLink = ".behind"

// seed returns the seed of an origin. It depends only on the service's name, so that all repetitions and cells of an
// experiment see the same delays.
func seed(service string) uint64 {
	sum := sha256.Sum256([]byte("origin\x00" + service))
	return binary.BigEndian.Uint64(sum[:])
}

func originEnvironment(s *spec.Service) string {
	config, _ := json.Marshal(agent.OriginConfig{Semantics: record.OriginSemantics, Seed: seed(s.Name),
		HTTPOrigin: *s.Origin}) // plain data
	return "BENCHBOOK_ORIGIN=" + string(config)
}

// relay returns the link in front of a service. Its readiness comes from its log, because a request to its ports would
// reach the service.
func (b *bench) relay(s *spec.Service) engine.Service {
	c := agent.LinkConfig{Semantics: record.LinkSemantics, Link: *s.Link}
	for _, port := range s.Expose {
		c.Routes = append(c.Routes, agent.LinkRoute{Listen: fmt.Sprintf(":%d", port),
			Target: fmt.Sprintf("%s%s:%d", s.Name, behindLink, port)})
	}
	config, _ := json.Marshal(c) // plain data
	host := b.experiment.HostOf(s.Name)
	return engine.Service{Image: b.images().Own(), Host: host, Ours: true, Service: spec.Service{
		Name: s.Name, Command: []string{agent.Link}, Environment: []string{"BENCHBOOK_LINK=" + string(config)},
		CPUSet: b.layout().placement(host).Services,
		// Closed connections stay in TIME_WAIT for a minute. The relay may hold those of all clients and run out of ports.
		Sysctls: map[string]string{"net.ipv4.tcp_tw_reuse": "1"},
		Ready:   spec.Ready{Log: agent.LinkReadyLine},
	}}
}

// replica returns the name of the nth container of a scaled service, counted from 1. The first has the service's own
// name, which the others have as an alias.
func replica(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, n)
}

// renameInError replaces a container's engine name in an error by its name in records and messages.
func renameInError(err error, engineName, name string) error {
	if notReady := (*engine.NotReadyError)(nil); errors.As(err, &notReady) && notReady.Service == engineName {
		notReady.Service = name
	}
	if rejected := (*engine.RejectedError)(nil); errors.As(err, &rejected) && rejected.Name == engineName {
		rejected.Name = name
	}
	return err
}

// lateness adds facts about the lateness of our own programs: link.late.X for the link in front of X, origin.late.X for
// an origin X. After a short measurement it waits for their next reports, to cover most of the measurement.
func lateness(ctx context.Context, t *plan.Trial, running []engine.Container, length time.Duration,
	facts map[string]string) {
	programs := byName(running)
	add := func(fact, name string, delays bool) {
		program := programs[name]
		if program == nil {
			return
		}
		if delays && length < 20*agent.ReportEvery {
			_ = engine.Sleep(ctx, agent.ReportEvery+50*time.Millisecond) // for the line to get into the log
		}
		if log, err := program.Logs(ctx); err == nil {
			if late, ok := agent.ReadLateness(log); ok {
				facts[fact] = late.String()
			}
		}
	}
	for _, s := range t.Services {
		if s.Origin != nil {
			add("origin.late."+s.Name, s.Name, s.Origin.Distribution != "")
		}
		if s.Link != nil {
			add("link.late."+s.Name, s.Name+observe.LinkSuffix, *s.Link != spec.Link{})
		}
	}
}

// serviceLog returns the log of a container, without the reports of our own programs.
func serviceLog(ctx context.Context, r engine.Container) ([]byte, error) {
	log, err := r.Logs(ctx)
	if err != nil {
		return nil, err
	}
	return agent.WithoutLateness(bytes.Clone(log)), nil
}
