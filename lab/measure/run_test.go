package measure

import (
	"bytes"
	"context"
	"testing"

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
