package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machines"
)

// maxShares is how often the shared services of an experiment are started in a run: what ends again and again will go
// on to, and setting up can take long.
const maxShares = 3

// A bench is where the trials of an experiment are measured: the spaces of repetitions, and the services in them.
type bench struct {
	engine     engine.Engine
	experiment *plan.Experiment
	layout     machines.Layout
	images     images.Set
	driver     func(*plan.Trial) load.Driver
	run        string // its name, which spaces are labelled with
	note       func(string)
	secrets    Secrets

	around   engine.Space // that of repetitions is within, if no services are shared; nil until the first
	up       *block       // nil while no services of a repetition wait for the next one
	shared   *share       // nil while no shared services are up
	starts   int          // of the shared services so far
	unshared *shareError  // nil unless they cannot be had
}

// A share is the services that outlive repetitions, started and set up once.
type share struct {
	space    engine.Space
	trial    *plan.Trial // whose services they are
	services []*spec.Service
	running  []engine.Running
	began    time.Time
	setup    time.Duration
	spoilt   string // why the next repetition cannot be measured on it; empty while it can
}

// open opens the space of a repetition, within that of the shared services if there are some, and else within one in
// which nothing else runs: a network that is made and removed for each repetition takes time in which nothing is
// measured.
func (b *bench) open(ctx context.Context) (engine.Space, error) {
	if b.shared != nil {
		return b.shared.space.Inner(ctx)
	}
	if b.around == nil {
		around, err := b.engine.Open(ctx, b.run)
		if err != nil {
			return nil, err
		}
		b.around = around
	}
	return b.around.Inner(ctx)
}

// closeAround removes the space around those of repetitions, if there is one.
func (b *bench) closeAround(ctx context.Context) error {
	if b.around == nil {
		return nil
	}
	around := b.around
	b.around = nil
	return engine.CloseSpace(ctx, around, 0)
}

// keep leaves the services of a repetition up, in place of closing its space, for somebody to look at.
func (b *bench) keep(ctx context.Context, space engine.Space, kept *Kept) error {
	spaces := []engine.Space{space}
	if b.shared != nil {
		spaces, kept.Cleanup = append(spaces, b.shared.space), b.experiment.Cleanup
	} else {
		spaces = append(spaces, b.around)
	}
	for _, s := range spaces {
		services, err := s.Keep(ctx)
		if err != nil {
			return &engine.LeftError{Err: err}
		}
		kept.Services = append(kept.Services, services...)
	}
	b.shared, b.around = nil, nil
	return nil
}

// fresh are the services of a trial that are started for each repetition.
func (b *bench) fresh(t *plan.Trial) []*spec.Service {
	return slices.DeleteFunc(slices.Clone(t.Services), func(s *spec.Service) bool { return b.isShared(s.Name) })
}

// isShared says that a service lives through the whole experiment.
func (b *bench) isShared(service string) bool { return slices.Contains(b.experiment.Shared, service) }

// share sees to it that the shared services run and are set up. What goes wrong with them is the failure of every
// repetition, and not an error; then they are not tried again. Of shared services all trials have the same, so that any
// of them will do.
func (b *bench) share(ctx context.Context, t *plan.Trial) error {
	if len(b.experiment.Shared) == 0 || b.unshared != nil {
		return nil
	}
	if b.shared != nil {
		died := cmp.Or(b.shared.spoilt, b.died(ctx))
		if died == "" {
			return nil
		}
		if err := b.unshare(ctx); err != nil {
			return err
		}
		if b.starts >= maxShares {
			b.failShared(t, died+fmt.Sprintf(", after %d starts", b.starts), "")
			return nil
		}
		b.note(died + ": starting the shared services again")
	}
	b.starts++
	b.note("starting " + b.sharing())
	bounded, cancel := context.WithTimeout(ctx, b.experiment.Timeout)
	defer cancel()
	err := b.startShared(ctx, bounded, t)
	if err == nil {
		return nil
	}
	failure, log, isResult := failureOf(err)
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), b.unshare(ctx))
	case bounded.Err() != nil:
		failure = fmt.Sprintf("starting %s took longer than %v", b.sharing(), b.experiment.Timeout)
	case !isResult:
		return errors.Join(err, b.unshare(ctx))
	}
	var running []engine.Running
	if b.shared != nil {
		running = b.shared.running
	}
	b.failShared(t, failure, logs(ctx, log, running, err))
	return b.unshare(ctx)
}

// sharing is what share does, in words.
func (b *bench) sharing() string {
	words := "the shared services "
	if len(b.experiment.Shared) == 1 {
		words = "the shared service "
	}
	words += strings.Join(b.experiment.Shared, ", ")
	if len(b.experiment.Setup) > 0 {
		words += ", and setting up"
	}
	return words
}

func (b *bench) startShared(ctx, bounded context.Context, t *plan.Trial) error {
	space, err := b.engine.Open(ctx, b.run)
	if err != nil {
		return err
	}
	b.shared = &share{space: space, trial: t, began: time.Now().UTC()}
	for _, s := range t.Services {
		if b.isShared(s.Name) {
			b.shared.services = append(b.shared.services, s)
		}
	}
	if b.shared.running, err = b.startAll(ctx, bounded, space, t, b.shared.services); err != nil {
		return err
	}
	begin := time.Now()
	_, err = runHooks(bounded, "setup", b.experiment.Setup, t, byName(b.shared.running))
	b.shared.setup = time.Since(begin)
	return err
}

// failShared notes that no repetition can be measured any more, and why. What is said of it may be kept by whoever
// started us, and has no more secrets in it than records have.
func (b *bench) failShared(t *plan.Trial, failure, log string) {
	b.unshared = &shareError{failure: failure, log: log}
	b.note("no repetition of " + b.experiment.Name + " can be measured: " + b.secrets.redactor(t).Text(failure))
}

// shareError is why there are no shared services.
type shareError struct{ failure, log string }

// spoil notes why the next repetition cannot be measured on the shared services.
func (b *bench) spoil(why string) {
	if b.shared != nil {
		b.shared.spoilt = why
	}
}

// entersShared says that commands of a repetition run in shared services.
func (b *bench) entersShared(t *plan.Trial) bool {
	own := ""
	if t.Command != nil {
		own = t.Command.Service
	}
	return b.isShared(own) || slices.ContainsFunc(slices.Concat(t.Prepare, t.Conclude),
		func(h spec.Hook) bool { return b.isShared(h.Service) })
}

// died says which shared service has ended, and nothing while all of them run.
func (b *bench) died(ctx context.Context) string {
	if b.shared == nil {
		return ""
	}
	for _, s := range stillRunning(b.shared.running) {
		if words := exitWords(ctx, s); words != "" {
			return fmt.Sprintf("shared service %q %s", s.Name(), words)
		}
	}
	return ""
}

// cleanupGrace is how long the hooks at the end of an experiment may take that was interrupted, or cannot go on.
const cleanupGrace = 30 * time.Second

// cleanup runs the hooks at the end of an experiment, also of one that cannot go on, or that was interrupted or is
// meanwhile: what they clean up may outlive us. One that fails fails no repetition.
func (b *bench) cleanup(ctx context.Context, failed bool) *NoCleanupError {
	if b.shared == nil || len(b.experiment.Cleanup) == 0 {
		return nil
	}
	limit := b.experiment.Timeout
	if failed {
		limit = min(limit, cleanupGrace)
		b.note(fmt.Sprintf("cleaning up after experiment %s, for %v at most", b.experiment.Name, limit))
	}
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit,
		fmt.Errorf("the hook cleanup took longer than %v", limit))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanupGrace, cancel) })
	defer stop()
	_, err := runHooks(bounded, "cleanup", b.experiment.Cleanup, b.shared.trial, byName(b.shared.running))
	if err == nil {
		return nil
	}
	if failure, _, isResult := failureOf(err); isResult {
		err = errors.New(b.secrets.redactor(b.shared.trial).Text(failure))
	} else if bounded.Err() != nil {
		err = context.Cause(bounded)
	}
	return &NoCleanupError{b.experiment, err}
}

// NoCleanupError is a hook that failed at the end of an experiment.
type NoCleanupError struct {
	Experiment *plan.Experiment
	Err        error
}

func (e *NoCleanupError) Error() string {
	return fmt.Sprintf("experiment %q is not cleaned up: %v", e.Experiment.Name, e.Err)
}

func (e *NoCleanupError) Unwrap() error { return e.Err }

// unshare takes the shared services down, if they are up.
func (b *bench) unshare(ctx context.Context) error {
	if b.shared == nil {
		return nil
	}
	err := b.endBlock(ctx) // what is in it is within the space of the shared services
	space, stop := b.shared.space, longestStop(b.shared.services)
	b.shared = nil
	return errors.Join(err, engine.CloseSpace(ctx, space, stop))
}

// sharedFacts say which shared services a repetition was measured on, and from which start: they may be started more
// than once in a run.
func (b *bench) sharedFacts(rec *record.Record) {
	if b.shared == nil {
		return
	}
	rec.Facts["shared.services"] = strings.Join(b.experiment.Shared, ", ")
	rec.Facts["shared.start"] = b.shared.began.Format(startFormat)
	if len(b.experiment.Setup) > 0 {
		rec.Facts["shared.setup"] = b.shared.setup.Round(time.Millisecond).String()
	}
}

// byName gives the containers that services are reached by: of one that is scaled the first, and not a link before it.
func byName(running []engine.Running) map[string]engine.Running {
	out := map[string]engine.Running{}
	for _, c := range running {
		out[c.Name()] = c
	}
	return out
}
