package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// services is a space with either the shared services, or a trial's own services and its load.
type services struct {
	trial   *plan.Trial
	space   engine.Space
	list    []*spec.Service
	running []engine.Container
	began   time.Time // start time; zero before

	idle     *engine.Service  // container of the load or command; nil if it runs in a service
	idleLast bool             // start idle after the services
	load     engine.Container // the started idle
}

func (s *services) close(ctx context.Context) error {
	longest := time.Duration(0)
	for _, one := range s.list {
		longest = max(longest, one.StopGrace)
	}
	return engine.CloseSpace(ctx, s.space, longest)
}

// newServices opens a space for the services of a repetition. It is a group in the space of the shared services, or in
// an empty one that all repetitions use, because creating a network for each would take time.
func (b *bench) newServices(ctx context.Context, t *plan.Trial) (_ *services, err error) {
	if b.shared == nil && b.around == nil {
		if b.around, err = b.Engine.Open(ctx, b.id); err != nil {
			b.around = nil
			return nil, err
		}
	}
	within := b.around
	if b.shared != nil {
		within = b.shared.space
	}
	space, err := within.Group(ctx)
	list := slice.Filter(t.Services, func(s *spec.Service) bool { return !b.isShared(s.Name) })
	return &services{trial: t, space: space, list: list}, err
}

// A variant is the set of shared services of the trials that define them alike. All variants stay up until the
// experiment ends, so that each is set up once.
type variant struct {
	shared   *services // nil while down
	setup    time.Duration
	unusable string       // why they must be restarted; empty while usable
	starts   int          // number of starts so far
	unshared *resultError // why they failed for good; nil otherwise
}

func (b *bench) variantOf(t *plan.Trial) *variant {
	own, _ := json.Marshal(slice.Filter(t.Services, func(s *spec.Service) bool { return b.isShared(s.Name) })) // plain data
	v := b.variants[string(own)]
	if v == nil {
		v = &variant{}
		b.variants[string(own)] = v
	}
	return v
}

// maxShares is how often one variant of the shared services is started at most.
const maxShares = 3

// startFormat is the time format of the fact shared.start.
const startFormat = "2006-01-02T15:04:05.000Z"

// isShared reports whether a service stays up for the whole experiment.
func (b *bench) isShared(service string) bool { return slices.Contains(b.experiment.Shared, service) }

// Share starts and sets up the shared services of a trial unless they are running. If the benchmark is at fault, Share
// returns nil and does not try again: every repetition that uses these services fails.
func (b *bench) Share(ctx context.Context, t *plan.Trial) error {
	if len(b.experiment.Shared) == 0 {
		return nil
	}
	if b.variant = b.variantOf(t); b.unshared != nil {
		return nil
	}
	t = b.secrets().put(t)
	if b.shared != nil {
		why := cmp.Or(b.unusable, b.died(ctx))
		if why == "" {
			return nil
		}
		if err := b.unshare(ctx); err != nil {
			return err
		}
		if b.starts >= maxShares {
			b.failShared(t, why+fmt.Sprintf(", after %d starts", b.starts), "")
			return nil
		}
		b.Progress.Note(why + ": starting the shared services again")
	}
	b.starts++
	what := "the shared " + phrase.Noun(len(b.experiment.Shared), "service") + " " +
		strings.Join(b.experiment.Shared, ", ")
	if len(b.variants) > 1 {
		what += " for " + t.Name
	}
	if len(b.experiment.Setup) > 0 {
		what += ", and setting up"
	}
	b.Progress.Note("starting " + what)
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
		failure = fmt.Sprintf("starting %s took longer than %v", what, b.experiment.Timeout)
	case !isResult:
		return errors.Join(err, b.unshare(ctx))
	}
	var running []engine.Container
	if b.shared != nil {
		running = b.shared.running
	}
	b.failShared(t, failure, logs(ctx, log, running, err))
	return b.unshare(ctx)
}

func (b *bench) startShared(ctx, bounded context.Context, t *plan.Trial) error {
	space, err := b.Engine.Open(ctx, b.id)
	if err != nil {
		return err
	}
	list := slice.Filter(t.Services, func(s *spec.Service) bool { return b.isShared(s.Name) })
	b.shared, b.unusable = &services{trial: t, space: space, list: list}, ""
	if err := b.startServices(ctx, bounded, b.shared); err != nil {
		return err
	}
	begin := time.Now()
	_, err = runHooks(bounded, "setup", b.experiment.Setup, t, load.Place{Services: byName(b.shared.running)})
	b.setup = time.Since(begin)
	return err
}

// failShared remembers why the shared services failed for good. The note is redacted, because it may be logged.
func (b *bench) failShared(t *plan.Trial, failure, log string) {
	b.unshared = &resultError{failure, log}
	b.Progress.Note("no repetition of " + b.experiment.Name + " can be measured: " + b.secrets().redactor(t).Text(failure))
}

// entersShared reports whether the command or a prepare hook of a trial runs in a shared service.
func (b *bench) entersShared(t *plan.Trial) bool {
	return t.Command != nil && b.isShared(t.Command.Service) || slices.ContainsFunc(t.Prepare,
		func(h spec.Hook) bool { return b.isShared(h.Service) })
}

// died names a shared service that has exited and says how; it is empty while all run.
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

// unshare stops the shared services, if they are up.
func (b *bench) unshare(ctx context.Context) error {
	if b.shared == nil {
		return nil
	}
	shared := b.shared
	b.shared = nil
	return shared.close(ctx)
}

// sharedFacts adds the shared services that a repetition used and the time of their start, as they may be restarted.
func (b *bench) sharedFacts(rec *record.Record) {
	if b.shared == nil {
		return
	}
	rec.Facts["shared.services"] = strings.Join(b.experiment.Shared, ", ")
	rec.Facts["shared.start"] = b.shared.began.Format(startFormat)
	if len(b.experiment.Setup) > 0 {
		rec.Facts["shared.setup"] = b.setup.Round(time.Millisecond).String()
	}
}

// byName returns running containers by name. A service's name stands for the first container of a scaled service.
func byName(running []engine.Container) map[string]engine.Container {
	out := map[string]engine.Container{}
	for _, c := range running {
		out[c.Name()] = c
	}
	return out
}

// A resultError is a hook that failed or a service that exited. It is a result to record, not an error of benchbook.
type resultError struct {
	failure string
	log     string // the end of its output
}

func (e *resultError) Error() string { return e.failure }

// runHooks runs hooks in order until one fails, each in its service or where the command runs, and returns their
// standard output. A hook that fails gives a *resultError; other errors mean that a hook could not be run.
func runHooks(ctx context.Context, kind string, hooks []spec.Hook, t *plan.Trial, at load.Place) (stdout string,
	err error) {
	var all strings.Builder
	failed := "the hook " + kind + " failed: "
	for _, h := range hooks {
		in, command := at.Services[h.Service], engine.Command{Args: h.Run}
		if h.Service == "" {
			if in, command = at.OfCommand(t.Command, h.Run); in == nil {
				continue
			}
		}
		exit, err := in.Exec(ctx, command)
		if err != nil {
			if ended := exitWords(ctx, in); ended != "" {
				return all.String(), &resultError{failure: fmt.Sprintf("%sservice %q %s", failed, in.Name(), ended)}
			}
			return all.String(), fmt.Errorf("hook %s: %w", kind, err)
		}
		all.Write(exit.Stdout)
		if exit.Code != 0 {
			wrote := exit.Stderr
			if len(wrote) == 0 {
				wrote = exit.Stdout // an engine may say there why it could not start the program
			}
			failed += h.Run[0]
			if in != at.Load {
				failed += " in " + in.Name()
			}
			failed += fmt.Sprintf(" ended with status %d", exit.Code)
			if last := engine.LastLine(wrote); last != "" {
				failed += ": " + last
			}
			return all.String(), &resultError{failed, engine.LastLines(string(exit.Stdout)+string(exit.Stderr), maxLog)}
		}
	}
	return all.String(), nil
}

// exitWords says how a service exited, for use after its name. It is empty if the service runs or its state is unknown.
func exitWords(ctx context.Context, s engine.Container) string {
	state, err := s.State(ctx)
	switch {
	case err != nil || !state.Ended:
		return ""
	case state.Exit.OutOfMemory:
		return "ran out of memory"
	}
	return fmt.Sprintf("has ended with status %d", state.Exit.Code)
}

// failureOf returns the failure and log to record for an error that is a result, and false for any other error.
func failureOf(err error) (failure, log string, ok bool) {
	var notReady *engine.NotReadyError
	var rejected *engine.RejectedError
	var hook *resultError
	switch {
	case errors.As(err, &notReady):
		return notReady.Error(), "", true // its log is taken with the others
	case errors.As(err, &rejected):
		return rejected.Error(), "", true
	case errors.As(err, &hook):
		return hook.failure, hook.log, true
	}
	return "", "", false
}
