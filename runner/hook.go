package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// A resultError is a hook that failed, or a service that ended: a result of the article, and no error of ours.
type resultError struct {
	failure string
	log     string // the end of what it wrote
}

func (e *resultError) Error() string { return e.failure }

// runHooks runs hooks of one kind in order, in services or at the place of the command, until one fails, and returns
// their standard output. The error is a *resultError, or that we could not run a hook.
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

// exitWords says how a service has ended, to be read after its name; empty if it has not, or that is not known.
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

// failureOf returns the failure, and the log, that a record keeps of an error that is a result; false for other errors.
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
