package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// A resultError is a hook that failed, or a service that ended: a result of the article, and no error of ours.
type resultError struct {
	failure string
	log     string // the end of what it wrote
}

func (e *resultError) Error() string { return e.failure }

// runHooks runs hooks of one kind in services, in order, until one fails, and returns their standard output. Hooks in a
// command's own container are left to its driver. The error is a *resultError, or that we could not run a hook.
func runHooks(ctx context.Context, kind string, hooks []spec.Hook, t *plan.Trial,
	services map[string]engine.Container) (stdout string, err error) {
	var all strings.Builder
	for _, h := range hooks {
		in, command := h.Service, engine.Command{Args: h.Run}
		if in == "" {
			if t.Command == nil || t.Command.Service == "" {
				continue
			}
			in, command.Environment, command.WorkingDir = t.Command.Service, t.Command.Environment, t.Command.WorkingDir
		}
		exit, err := services[in].Exec(ctx, command)
		if err != nil {
			if ended := exitWords(ctx, services[in]); ended != "" {
				return all.String(), &resultError{failure: load.HookFailed(kind, fmt.Sprintf("service %q %s", in, ended))}
			}
			return all.String(), fmt.Errorf("hook %s: %w", kind, err)
		}
		all.Write(exit.Stdout)
		if exit.Code != 0 {
			wrote := exit.Stderr
			if len(wrote) == 0 {
				wrote = exit.Stdout // an engine may say there why it could not start the program
			}
			failure := agent.HookFailure(h.Run[0]+" in "+in, exit.Code, wrote)
			return all.String(), &resultError{load.HookFailed(kind, failure),
				engine.LastLines(string(exit.Stdout)+string(exit.Stderr), maxLog)}
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
