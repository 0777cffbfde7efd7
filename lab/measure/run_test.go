package measure

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/lab"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// onThisMachine is an engine that has only the name of the local engine.
type onThisMachine struct{ engine.Engine }

func (onThisMachine) Name() string { return "local" }

// An interrupted run says that processes were ended, not containers, if its engine starts processes.
func TestInterruptedOnThisMachine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	j := &job{Session: &lab.Session{Stderr: &said}, site: site{engine: onThisMachine{}}, total: runner.Summary{Measured: 2}}
	err := j.aborted(ctx, ctx.Err())
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

// Nothing is measured if the search for leftovers of earlier runs fails.
func TestSweepFails(t *testing.T) {
	dir := writeProject(t, map[string]string{"a": pullingArticle})
	_, err := runOn(t, dir, unswept{fake.New(fake.Script{})}, Options{})
	assert.Error(t, err, "no answer")
}
