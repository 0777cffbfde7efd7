package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// imagesPlan is a plan of trials that differ in their image.
func imagesPlan(t *testing.T) *plan.Plan {
	t.Helper()
	return planOf(t, `name: images
matrix: {v: [a, b]}
command: {image: "x:${{ matrix.v }}", run: "true"}
repetitions: 3
calibrate: false
`)
}

// A record has the facts of its own trial's images. The packages of each image are listed once.
func TestFactsOfImagesAreTheTrials(t *testing.T) {
	s := script()
	s.Prepare = func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
		return engine.Prepared{Reference: i.Name, ID: "sha256:" + i.Name,
			Bases: []engine.Base{{Reference: i.Name, ID: "base of " + i.Name}}}, nil
	}
	s.Run = func(_ context.Context, p fake.Program) (engine.Exit, error) {
		if p.Name == "packages" {
			return engine.Exit{Stdout: []byte("packages of " + p.Image.Reference + "\n")}, nil
		}
		return engine.Exit{Stdout: []byte("{}")}, nil
	}
	e, store := fake.New(s), &memory{}
	r := newRunner(e, &quiet{})
	for range 2 { // the second run of the same runner, as for a second article
		must.Get(r.Run(t.Context(), imagesPlan(t), store, Options{Force: true}))
	}
	if len(store.records) != 12 {
		t.Fatalf("%d records", len(store.records))
	}
	lists := 0
	for _, r := range store.records {
		lists += len(r.Lists)
	}
	if lists != 4 { // of two images in two runs
		t.Errorf("records hold %d lists, want 4", lists)
	}
	record.Expand(store.records)
	for _, r := range store.records {
		name := "x:" + r.Trial
		for fact, want := range map[string]string{"image.command": "sha256:" + name, "base.command": name + " base of " +
			name,
			"packages.command": "packages of " + name} {
			assert.Equal(t, r.Facts[fact], want, "trial %s has %s", r.Trial, fact)
		}
	}
	assert.Equal(t, calls(e, "run packages"), 2, "how often packages were asked for")
}

// The value of a build argument that looks like a secret is shown nowhere, even if it arrives in pieces.
func TestBuildersLinesHoldNoSecrets(t *testing.T) {
	s := script()
	s.Prepare = func(_ context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
		if i.Build == nil {
			return engine.Prepared{ID: "x"}, nil
		}
		for _, piece := range []string{"Step 2/2 : RUN echo supersecret", "token\n", "no end: supersecrettoken"} {
			if _, err := io.WriteString(log, piece); err != nil {
				return engine.Prepared{}, err
			}
		}
		return engine.Prepared{}, &engine.BuildError{For: i.Build.For, Tail: "login supersecrettoken",
			Err: errors.New("echo supersecrettoken failed")}
	}
	var said bytes.Buffer
	p := socketsPlan(t)
	givePrivate(p, "supersecrettoken")
	sum, err := newRunner(fake.New(s), &quiet{log: &said}).Run(t.Context(), p, &memory{}, Options{})
	if err != nil || len(sum.LeftOut) != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	var failed *engine.BuildError
	if !errors.As(sum.LeftOut[0], &failed) {
		t.Fatal(sum.LeftOut[0])
	}
	all := said.String() + failed.Tail + failed.Error()
	if strings.Contains(all, "supersecret") || strings.Count(all, "[redacted]") != 4 {
		t.Errorf("said %q", all)
	}
}

// Measurements on a remote engine must not be recorded for this machine.
func TestEngineElsewhere(t *testing.T) {
	s := script()
	s.Facts = map[string]string{"engine.local": "false"}
	e, store := fake.New(s), &memory{}
	_, err := newRunner(e, &quiet{}).Run(t.Context(), imagesPlan(t), store, Options{})
	if err == nil || !strings.Contains(err.Error(), "use an engine of this one") || len(store.records) != 0 ||
		len(e.Calls()) != 0 {
		t.Errorf("got %v, %d records, calls %q", err, len(store.records), e.Calls())
	}
}
