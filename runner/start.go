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
	"sync"
	"sync/atomic"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/readiness"
	"benchbook/runner/observe"
)

// startAll starts services of a trial, each as soon as those that it depends on have reached its conditions; others that it depends on run
// already. What was started comes back beside an error too, in the order of the services.
func (r *run) startAll(ctx, bounded context.Context, space engine.Space, t *plan.Trial, services []*spec.Service) ([]engine.Running, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type stage struct{ begun, ready chan struct{} }
	stages := map[string]stage{}
	for _, s := range services {
		stages[s.Name] = stage{make(chan struct{}), make(chan struct{})}
	}
	started := make([][]engine.Running, len(services))
	var starting sync.WaitGroup
	for i, s := range services {
		starting.Go(func() {
			for _, name := range s.DependsOn {
				first, ok := stages[name]
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
					return
				}
			}
			running, err := r.startService(ctx, bounded, space, t, s, sync.OnceFunc(func() { close(stages[s.Name].begun) }))
			if s.Completes {
				for i := range running {
					running[i] = completed{running[i]}
				}
			}
			started[i] = running
			if err != nil {
				cancel(err) // the first one: the others end because of it
				return
			}
			close(stages[s.Name].ready)
		})
	}
	starting.Wait()
	return slices.Concat(started...), context.Cause(ctx)
}

// completed is a container that has run to its end before others started, as it was to. Nothing is left of it but what it wrote.
type completed struct{ engine.Running }

// working are those of some containers that have not completed.
func working(running []engine.Running) []engine.Running {
	return slices.DeleteFunc(slices.Clone(running), func(r engine.Running) bool {
		_, done := r.(completed)
		return done
	})
}

// startService starts the containers of a service at once, and then the link before it if there is one. It calls begun once all of them
// were started, and before it returns without an error.
func (r *run) startService(ctx, bounded context.Context, space engine.Space, t *plan.Trial, s *spec.Service, begun func()) ([]engine.Running, error) {
	service, err := r.service(t, s)
	if err != nil {
		return nil, err
	}
	r.addDriverFiles(t, s.Name, &service)
	if s.Link != nil {
		service.Name += behindLink
	}
	containers := make([]engine.Running, max(1, s.Scale))
	failures := make([]error, len(containers))
	var starting sync.WaitGroup
	var left atomic.Int32
	left.Store(int32(len(containers)))
	if s.Link == nil { // others reach it through its link, which comes last
		service.Begun = func() {
			if left.Add(-1) == 0 {
				begun()
			}
		}
	}
	for i := range containers {
		one := service
		one.Name = replica(service.Name, i+1)
		if i > 0 {
			one.Aliases = append(slices.Clone(service.Aliases), service.Name)
		}
		starting.Go(func() {
			container, err := startOne(ctx, bounded, space, one)
			if err != nil {
				failures[i] = knownAs(err, one.Name, replica(s.Name, i+1))
				return
			}
			if containers[i] = container; s.Link != nil {
				containers[i] = observe.Renamed{Running: container, As: replica(s.Name, i+1)}
			}
		})
	}
	starting.Wait()
	running := slices.DeleteFunc(containers, func(c engine.Running) bool { return c == nil })
	if err := firstOf(failures); err != nil {
		return running, err
	}
	if s.Link == nil {
		begun() // also where an engine tells nothing of it
		return running, nil
	}
	relay, err := r.relayBefore(t, s)
	if err != nil {
		return running, err
	}
	before, err := startOne(ctx, bounded, space, relay)
	if err != nil {
		return running, knownAs(err, s.Name, s.Name+linkSuffix)
	}
	begun()
	return append(running, observe.Renamed{Running: before, As: s.Name + linkSuffix}), nil
}

// firstOf picks the error that says most: a result about a service before what else went wrong.
func firstOf(failures []error) error {
	for _, err := range failures {
		if _, _, ok := failureOf(err); err != nil && ok {
			return err
		}
	}
	return errors.Join(failures...)
}

// startOne starts a container. Its time to become ready ends with that of the repetition, so that it can still say what it waited
// for.
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

// service is a service as engines take it.
func (r *run) service(t *plan.Trial, s *spec.Service) (engine.Service, error) {
	out := engine.Service{Service: *s, Image: r.images().Prepared(s.Image), Location: r.layout().Location(t, s.Name)}
	out.CPUSet = r.layout().CPUsOf(s)
	if s.Link != nil {
		out.Published = false // its link is
	}
	if err := lowerVolumes(&out); err != nil {
		return engine.Service{}, err
	}
	if s.Origin != nil {
		config, err := originEnvironment(s)
		if err != nil {
			return engine.Service{}, err
		}
		out.Image, out.Command, out.Environment = r.images().Own(), []string{agent.Origin}, []string{config}
	}
	return out, nil
}

// addDriverFiles adds what the driver of a trial needs in a service. What the drivers of all trials need is in a service that they share.
func (r *run) addDriverFiles(t *plan.Trial, service string, out *engine.Service) {
	trials := []*plan.Trial{t}
	if r.isShared(service) {
		trials = r.experiment.Trials
	}
	for _, t := range trials {
		if t.Unavailable != "" {
			continue
		}
		driver := r.driver(t)
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

// unreached says why a load could not reach a service of its trial, where nothing listens at a port that it asks: a service that exposes no
// port is ready at once, and another than its own may be asked for. It is empty where something listens, or nothing tells.
func unreached(ctx context.Context, t *plan.Trial, services map[string]engine.Running) string {
	if t.Load == nil {
		return ""
	}
	for target := range t.Load.URLs() {
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
			if words, _ := readiness.Unreached(open, port); words != "" {
				return fmt.Sprintf("service %q: %s", u.Hostname(), words)
			}
		}
	}
	return ""
}
