package runner

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

// An experiment whose trials have several tools prepares each of them once, and measures every trial with its own.
func TestDriversOfTrials(t *testing.T) {
	p := socketsPlan(t)
	for i, trial := range p.Experiments[0].Trials {
		l := *trial.Load
		l.Tool = []string{"", "ab"}[i%2]
		trial.Load = &l
	}
	ours, theirs := &counting{}, &counting{}
	r := newRunner(fake.New(script()), &quiet{})
	r.Requests, r.Tools = ours, map[string]load.Driver{"ab": theirs}
	store := &memory{}
	must.Get(r.Run(t.Context(), p, store, Options{}))
	if ours.prepared != 1 || theirs.prepared != 1 || ours.measured+theirs.measured != len(store.records) ||
		theirs.measured == 0 || ours.measured == 0 {
		t.Errorf("ours %+v, theirs %+v", ours, theirs)
	}
	if store.records[0].Output != "raw" {
		t.Errorf("output %q", store.records[0].Output)
	}
	r.Tools = nil
	if _, err := r.Run(t.Context(), p, &memory{}, Options{}); err == nil || !strings.Contains(err.Error(),
		"there is no driver for ab") {
		t.Error(err)
	}
	// An image that cannot be had is one of the experiment.
	theirs.err = &engine.ImageError{Reference: "debian:bookworm-slim", Err: errors.New("no debian")}
	r = newRunner(fake.New(script()), &quiet{}) // the one before has prepared it
	r.Tools = map[string]load.Driver{"ab": theirs}
	sum, err := r.Run(t.Context(), p, &memory{}, Options{})
	if err != nil || len(sum.NoImage) != 1 || sum.NoImage[0].Pos != p.Experiments[0].Pos {
		t.Errorf("%+v, %v", sum, err)
	}
}

// counting is a driver that counts what it is asked for.
type counting struct {
	prepared, measured int
	err                error
}

func (c *counting) Prepare(context.Context, engine.Engine, io.Writer) error {
	c.prepared++
	return c.err
}

func (*counting) Files(*plan.Trial, string) []spec.File { return nil }

func (*counting) Container(load.Place, *plan.Trial) (*engine.Service, error) { return nil, nil }

func (c *counting) Measure(context.Context, load.Place, *plan.Trial) (load.Measurement, error) {
	c.measured++
	return load.Measurement{Output: "raw"}, nil
}
