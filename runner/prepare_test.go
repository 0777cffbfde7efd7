package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/images"
	"benchbook/runner/load"
)

// builds is an article with four experiments: two of them share an image, and the others have their own.
func builds(t *testing.T) *plan.Plan {
	t.Helper()
	var text strings.Builder
	text.WriteString("---\ntitle: x\n---\n")
	for _, of := range []string{"a", "b", "c"} {
		fmt.Fprintf(&text, "\n```dockerfile file=%s/Dockerfile\nFROM scratch\nRUN %s\n```\n", of, of)
	}
	for _, e := range []struct{ name, of string }{{"first", "a"}, {"second", "b"}, {"third", "b"}, {"fourth", "c"}} {
		fmt.Fprintf(&text, "\n```yaml experiment\nname: %s\nservices: {server: {build: %s, expose: [\"80\"]}}\n"+
			"load: {target: \"http://server/\", requests: 100}\nrepetitions: 1\ncalibrate: false\n```\n", e.name, e.of)
	}
	return newPlan(t, text.String())
}

// A builder records its builds with their times, and what is started.
type builder struct {
	mu     sync.Mutex
	events []string
	build  func(ctx context.Context, of string) error // what a build does; nil for nothing
	script fake.Script
}

func (b *builder) note(event string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, event)
}

func newBuilder() *builder {
	b := &builder{script: script()}
	b.script.Prepare = func(ctx context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
		if i.Build == nil {
			return engine.Prepared{Reference: "ours", ID: "ours"}, nil
		}
		of, _, _ := strings.Cut(i.Build.Dockerfile, "/")
		if of == "Dockerfile" {
			of = strings.TrimSpace(strings.SplitN(string(i.Build.Files[0].Data), "RUN ", 2)[1])
		}
		b.note("build " + of)
		var err error
		if b.build != nil {
			err = b.build(ctx, of)
		}
		return engine.Prepared{Reference: of, ID: of}, err
	}
	b.script.Start = func(context.Context, engine.Service) error {
		b.note("start")
		return nil
	}
	return b
}

// All images are built before anything starts, and each once.
func TestImagesAreBuiltBeforeAll(t *testing.T) {
	b, store := newBuilder(), &memory{}
	sum := must.Get(newRunner(fake.New(b.script), &quiet{}).Run(t.Context(), builds(t), store, Options{}))
	assert.Equal(t, sum.Measured, 4, "measured")
	slices.Sort(b.events[:min(3, len(b.events))])
	assert.Slice(t, b.events, []string{"build a", "build b", "build c", "start", "start", "start", "start"})
	for _, r := range store.records {
		want := map[string]string{"first": "a", "second": "b", "third": "b", "fourth": "c"}[r.Experiment]
		assert.Equal(t, r.Facts["image.server"], want, "the image of %s", r.Experiment)
	}
}

// A failed build is tried once, reported before anything is measured, and leaves out only its experiments.
func TestFailedBuildLeavesTheRest(t *testing.T) {
	b := newBuilder()
	b.build = func(_ context.Context, of string) error {
		if of == "b" {
			return &engine.BuildError{For: "sample server", Line: 2, Tail: "RUN b\nb: not found",
				Err: errors.New("it ended with status 127")}
		}
		return nil
	}
	p, store, q := builds(t), &memory{}, &quiet{}
	r := newRunner(fake.New(b.script), q)
	missing, err := r.Prepare(t.Context(), p, store, Options{})
	if err != nil || len(missing) != 1 || slices.Contains(b.events, "start") {
		t.Fatalf("%+v, %v, after %q", missing, err, b.events)
	}
	var failed *engine.BuildError
	if line := string(missing[0].Pos.Source.Data[missing[0].Pos.Start:missing[0].Pos.End]); !errors.As(missing[0].Err,
		&failed) ||
		!strings.Contains(failed.Tail, "not found") || line != "RUN b\n" {
		t.Errorf("%+v at %q", missing[0], line)
	}
	sum, err := r.Run(t.Context(), p, store, Options{})
	if err != nil || sum.Measured != 2 || len(sum.LeftOut) != 2 || sum.LeftOut[1].(*images.NoImageError).Pos != missing[0].Pos {
		t.Errorf("%+v, %v", sum, err)
	}
	if got, want := store.trials(), "base-1 base-1"; len(store.records) != 2 || store.records[0].Experiment != "first" ||
		store.records[1].Experiment != "fourth" {
		t.Errorf("measured %s, want %s", got, want)
	}
	assert.Equal(t, strings.Count(strings.Join(b.events, "\n"), "build b"), 1, "how often it was built")
	if len(q.notes) != 2 || q.notes[0] != "left out: an image that it needs is missing" {
		t.Errorf("noted %q", q.notes)
	}
}

// A run that is interrupted during builds ends at once and starts nothing.
func TestInterruptedBuilds(t *testing.T) {
	b := newBuilder()
	ctx, cancel := context.WithCancel(t.Context())
	building := 0
	b.build = func(ctx context.Context, of string) error {
		b.mu.Lock()
		if building++; building == 2 {
			cancel()
		}
		b.mu.Unlock()
		<-ctx.Done()
		return &engine.BuildError{For: of, Err: ctx.Err()} // as of a builder that was killed
	}
	e, store := fake.New(b.script), &memory{}
	sum, err := newRunner(e, &quiet{}).Run(ctx, builds(t), store, Options{})
	if !errors.Is(err, context.Canceled) || len(sum.LeftOut) != 0 || len(store.records) != 0 || len(e.Calls()) != 0 {
		t.Errorf("%+v, %v, calls %q", sum, err, e.Calls())
	}
	// Where there are more processors, a third may be under way when the second interrupts it.
	if n := len(b.events); n < 2 || n > min(3, max(2, runtime.NumCPU())) || slices.Contains(b.events, "start") {
		t.Errorf("it went %q", b.events)
	}
}

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
	assert.Equal(t, store.records[0].Output, "raw", "output")
}

// counting is a driver that counts its calls.
type counting struct{ prepared, measured int }

func (c *counting) Prepare(context.Context, engine.Engine, io.Writer) error {
	c.prepared++
	return nil
}

func (*counting) Container(load.Place, *plan.Trial) *engine.Service { return nil }

func (c *counting) Measure(context.Context, load.Place, *plan.Trial) (load.Measurement, error) {
	c.measured++
	return load.Measurement{Output: "raw"}, nil
}
