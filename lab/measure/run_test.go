package measure

import (
	"bytes"
	"context"
	"testing"
	"time"

	"benchbook/lab"
	"benchbook/runner"
	"benchbook/runner/engine"
)

// onThisMachine is the engine local, of which nothing but its name is asked.
type onThisMachine struct{ engine.Engine }

func (onThisMachine) Name() string { return "local" }

// What an interrupted run says was ended is what its engine begins: processes, and no containers.
func TestInterruptedOnThisMachine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	err := abortedRun(ctx, &lab.Session{Stderr: &said}, &target{engine: onThisMachine{}}, runner.Summary{Measured: 2},
		runner.Options{}, ctx.Err())
	want := "\ninterrupted; 2 finished repetitions are kept and all processes ended. The same command resumes from here.\n"
	if said.String() != want || err == nil {
		t.Errorf("got %q and %v, want %q", &said, err, want)
	}
}

// The rest of a run's time is told by size, without what cannot be seen.
func TestRestOf(t *testing.T) {
	s := runner.Spent{runner.Measuring: time.Hour, runner.Searching: time.Hour, runner.Starting: 2 * time.Second,
		runner.Stopping: 3400 * time.Millisecond,
		runner.Saving:   30 * time.Millisecond, runner.Other: -time.Second}
	if got, want := restOf(s), "3.4s stopping services, 2s starting services"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
