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
)

// maxShares is how often the shared services of an experiment are started in a run: what ends again and again will go on to, and
// setting up can take long.
const maxShares = 3

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

// isShared says that a service lives through the whole experiment.
func (r *run) isShared(service string) bool { return slices.Contains(r.experiment.Shared, service) }

// Share sees to it that the shared services run and are set up. What goes wrong with them is the failure of every repetition, and not
// an error; then they are not tried again. Of shared services all trials have the same, so that any of them will do.
func (r *run) Share(ctx context.Context, t *plan.Trial) error {
	if len(r.experiment.Shared) == 0 || r.unshared != nil {
		return nil
	}
	begin, spent := time.Now(), r.summary.Spent
	defer func() { r.summary.Spent.since(Sharing, begin, spent) }()
	if r.shared != nil {
		died := cmp.Or(r.shared.spoilt, r.died(ctx))
		if died == "" {
			return nil
		}
		if err := r.unshare(ctx); err != nil {
			return err
		}
		if r.shares >= maxShares {
			r.failShared(t, died+fmt.Sprintf(", after %d starts", r.shares), "")
			return nil
		}
		r.Progress.Note(died + ": starting the shared services again")
	}
	r.shares++
	r.Progress.Note("starting " + r.sharing())
	bounded, cancel := context.WithTimeout(ctx, r.experiment.Timeout)
	defer cancel()
	err := r.startShared(ctx, bounded, t)
	if err == nil {
		return nil
	}
	failure, log, isResult := failureOf(err)
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), r.unshare(ctx))
	case bounded.Err() != nil:
		failure = fmt.Sprintf("starting %s took longer than %v", r.sharing(), r.experiment.Timeout)
	case !isResult:
		return errors.Join(err, r.unshare(ctx))
	}
	var running []engine.Running
	if r.shared != nil {
		running = r.shared.running
	}
	r.failShared(t, failure, logs(ctx, log, running, err))
	return r.unshare(ctx)
}

// sharing is what share does, in words.
func (r *run) sharing() string {
	words := "the shared services "
	if len(r.experiment.Shared) == 1 {
		words = "the shared service "
	}
	words += strings.Join(r.experiment.Shared, ", ")
	if len(r.experiment.Setup) > 0 {
		words += ", and setting up"
	}
	return words
}

func (r *run) startShared(ctx, bounded context.Context, t *plan.Trial) error {
	space, err := r.Engine.Open(ctx, r.id)
	if err != nil {
		return err
	}
	r.shared = &share{space: space, trial: t, began: time.Now().UTC()}
	for _, s := range t.Services {
		if r.isShared(s.Name) {
			r.shared.services = append(r.shared.services, s)
		}
	}
	if r.shared.running, err = r.startAll(ctx, bounded, space, t, r.shared.services); err != nil {
		return err
	}
	begin := time.Now()
	_, err = runHooks(bounded, "setup", r.experiment.Setup, t, byName(r.shared.running))
	r.shared.setup = time.Since(begin)
	return err
}

// failShared notes that no repetition can be measured any more, and why. What is said of it may be kept by whoever started us, and has no
// more secrets in it than records have.
func (r *run) failShared(t *plan.Trial, failure, log string) {
	r.unshared = &unshared{failure: failure, log: log}
	r.Progress.Note("no repetition of " + r.experiment.Name + " can be measured: " + record.NewRedactor(t.Definition).Text(failure))
}

// unshared is why there are no shared services.
type unshared struct{ failure, log string }

// entersShared says that commands of a repetition run in shared services.
func (r *run) entersShared(t *plan.Trial) bool {
	own := ""
	if t.Command != nil {
		own = t.Command.Service
	}
	return r.isShared(own) || slices.ContainsFunc(slices.Concat(t.Prepare, t.Conclude), func(h spec.Hook) bool { return r.isShared(h.Service) })
}

// died says which shared service has ended, and nothing while all of them run.
func (r *run) died(ctx context.Context) string {
	if r.shared == nil {
		return ""
	}
	for _, s := range working(r.shared.running) {
		if words := endedAs(ctx, s); words != "" {
			return fmt.Sprintf("shared service %q %s", s.Name(), words)
		}
	}
	return ""
}

// cleanupGrace is how long the hooks at the end of an experiment may take that was interrupted, or cannot go on.
const cleanupGrace = 30 * time.Second

// cleanup runs the hooks at the end of an experiment, also of one that cannot go on, or that was interrupted or is meanwhile: what they
// clean up may outlive us. One that fails is said, and fails no repetition.
func (r *run) cleanup(ctx context.Context, failed bool) {
	if r.shared == nil || len(r.experiment.Cleanup) == 0 {
		return
	}
	begin, spent := time.Now(), r.summary.Spent
	defer func() { r.summary.Spent.since(Sharing, begin, spent) }()
	limit := r.experiment.Timeout
	if failed {
		limit = min(limit, cleanupGrace)
		r.Progress.Note(fmt.Sprintf("cleaning up after experiment %s, for %v at most", r.experiment.Name, limit))
	}
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("the hook cleanup took longer than %v", limit))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanupGrace, cancel) })
	defer stop()
	_, err := runHooks(bounded, "cleanup", r.experiment.Cleanup, r.shared.trial, byName(r.shared.running))
	if err == nil {
		return
	}
	if failure, _, isResult := failureOf(err); isResult {
		err = errors.New(record.NewRedactor(r.shared.trial.Definition).Text(failure))
	} else if bounded.Err() != nil {
		err = context.Cause(bounded)
	}
	r.summary.NoCleanup = append(r.summary.NoCleanup, NoCleanupError{r.experiment, err})
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
func (r *run) unshare(ctx context.Context) error {
	if r.shared == nil {
		return nil
	}
	space, stop := r.shared.space, longestStop(r.shared.services)
	r.shared = nil
	return engine.CloseSpace(ctx, space, stop)
}

// sharedFacts say which shared services a repetition was measured on, and from which start: they may be started more than once in a
// run.
func (r *run) sharedFacts(rec *record.Record) {
	if r.shared == nil {
		return
	}
	rec.Facts["shared.services"] = strings.Join(r.experiment.Shared, ", ")
	rec.Facts["shared.start"] = r.shared.began.Format("2006-01-02T15:04:05.000Z")
	if len(r.experiment.Setup) > 0 {
		rec.Facts["shared.setup"] = r.shared.setup.Round(time.Millisecond).String()
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
