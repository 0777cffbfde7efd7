package measure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
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

// unswept is an engine that cannot remove leftovers.
type unswept struct{ engine.Engine }

func (unswept) Sweep(context.Context, bool) ([]engine.Leftover, error) {
	return nil, errors.New("no answer")
}

// Nothing is measured if leftovers of earlier runs cannot be looked for.
func TestSweepFails(t *testing.T) {
	a := &lab.Session{Stdout: io.Discard, Stderr: io.Discard, Dir: writeProject(t, map[string]string{"a": pullingArticle}),
		Config: lab.Config{Agent: func() ([]byte, error) { return []byte("program"), nil }, LockDir: t.TempDir(),
			Engines: []lab.Engine{{Name: spec.Docker, Connect: func(context.Context) (engine.Engine, error) {
				return unswept{fake.New(fake.Script{})}, nil
			}}}}}
	project, list, err := a.Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), a, project, list, Options{Profile: plan.Full})
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v, want no answer", err)
	}
}
