package runner

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/images"
)

// A tagged engine has images with movable tags and replaceable programs.
type tagged struct {
	images   map[string]string // ids, by reference
	programs map[string]string // digests, by word
	built    int
}

func (g *tagged) engine(t *testing.T) engine.Engine {
	s := script()
	s.Find = func(name string) string {
		return g.images[name]
	}
	s.Prepare = func(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
		switch {
		case image.Name != "":
			id := g.images[image.Name]
			return engine.Prepared{Reference: image.Name, ID: id, Bases: []engine.Base{{Reference: image.Name, ID: id}}}, nil
		case image.Build != nil: // whose id is another one each time
			g.built++
			from := strings.Fields(string(image.Build.Files[0].Data))[1]
			base := engine.Base{Reference: from, ID: g.images[from]}
			if from == "debian:bookworm-slim" && base.ID == "" {
				base.Substitute, base.ID = "benchbook/debootstrap:bookworm", "sha256:sub"
			}
			return engine.Prepared{Reference: "built", ID: "sha256:built" + string(rune('a'+g.built)),
				Bases: []engine.Base{base}}, nil
		}
		return engine.Prepared{Reference: "x", ID: "sha256:x"}, nil
	}
	run := s.Run
	s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		if p.Name == "program" {
			word := p.Command[len(p.Command)-1]
			digest, ok := g.programs[word]
			if !ok {
				return engine.Exit{Code: 1}, nil
			}
			return engine.Exit{Stdout: []byte(word + " sha256:" + digest + " package 1.0\n")}, nil
		}
		return run(ctx, p)
	}
	return fake.New(s)
}

const taggedArticle = "---\ntitle: x\n---\n```dockerfile file=Dockerfile\nFROM base:1\n```\n\n```yaml experiment\n" +
	"name: e\nservices:\n" +
	"  app: {image: \"app:${{ matrix.tag }}\", expose: [80]}\n" +
	"  db: {build: ., expose: [81]}\nmatrix: {tag: [one, two]}\n" +
	"load: {target: \"http://app/\", requests: 10}\nrepetitions: 2\ncalibrate: false\n```\n"

// measuredAnew runs a plan and returns the trials that were measured in a new run.
func measuredAnew(t *testing.T, p *plan.Plan, store *memory, e engine.Engine) []string {
	t.Helper()
	before := len(store.records)
	must.Get(newRunner(e, &quiet{}).Run(t.Context(), p, store, Options{}))
	var trials []string
	runs := map[string]bool{}
	for _, r := range store.records[:before] {
		runs[r.Run] = true
	}
	for _, r := range store.records[before:] {
		assert.Equal(t, runs[r.Run], false, "%s was measured again in the run %s that there was before", r.Trial, r.Run)
		trials = append(trials, r.Trial)
	}
	slices.Sort(trials)
	return trials
}

// A new image behind a tag, or as the base of a build, is measured again, and nothing else is. When the old image comes
// back it is measured again too, because pages show the newest measurement.
func TestAnotherImageIsMeasuredAgain(t *testing.T) {
	p, store := newPlan(t, taggedArticle), &memory{}
	g := &tagged{images: map[string]string{"app:one": "sha256:1", "app:two": "sha256:2", "base:1": "sha256:b"}}
	both, one := []string{"one", "one", "two", "two"}, []string{"one", "one"}
	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"nothing measured", func() {}, both},
		{"nothing changed, and the build is another image", func() {}, nil},
		{"another image", func() { g.images["app:one"] = "sha256:11" }, one},
		{"nothing changed since", func() {}, nil},
		{"the image of before", func() { g.images["app:one"] = "sha256:1" }, one},
		{"an image that is gone", func() { delete(g.images, "app:two") }, nil},
		{"and comes back", func() { g.images["app:two"] = "sha256:2" }, nil},
		{"another base", func() { g.images["base:1"] = "sha256:bb" }, both},
	} {
		step.change()
		assert.Slice(t, measuredAnew(t, p, store, g.engine(t)), step.want, "%s: measured", step.name)
	}
	want := "image base:1 changed: was sha256:b, is sha256:bb"
	present := images.PresentOn(g.engine(t), func() ([]byte, error) { return nil, nil })
	must.Do(present.Look(t.Context(), store.records))
	got := present.Changes(store.records[0])
	assert.Equal(t, slices.Contains(got, want), true, "%q is among %q", want, got)
	assert.None(t, present.Changes(store.records[len(store.records)-1]))
}

// A substitute counts as unchanged while the image it replaces is absent; the image itself counts as a change.
func TestImageInPlaceOfItsSubstitute(t *testing.T) {
	g := &tagged{images: map[string]string{"app:one": "sha256:1", "app:two": "sha256:2"}}
	p, store := newPlan(t, strings.ReplaceAll(taggedArticle, "base:1", "debian:bookworm-slim")), &memory{}
	all := []string{"one", "one", "two", "two"}
	assert.Slice(t, measuredAnew(t, p, store, g.engine(t)), all, "measured at first")
	assert.Slice(t, measuredAnew(t, p, store, g.engine(t)), nil, "measured with the same substitute")
	g.images["debian:bookworm-slim"] = "sha256:deb"
	present := images.PresentOn(g.engine(t), func() ([]byte, error) { return nil, nil })
	must.Do(present.Look(t.Context(), store.records))
	assert.Slice(t, present.Changes(store.records[0]), []string{"image debian:bookworm-slim changed: was its substitute " +
		"benchbook/debootstrap:bookworm with sha256:sub, is sha256:deb"}, "changes")
	assert.Slice(t, measuredAnew(t, p, store, g.engine(t)), all, "measured with the image")
	assert.Slice(t, measuredAnew(t, p, store, g.engine(t)), nil, "measured with the same image")
}

// Records without image facts count as current, and no engine is asked. Without an engine nothing counts as changed; an
// engine that fails is an error.
func TestPresentWithoutEngine(t *testing.T) {
	known := &record.Record{Facts: map[string]string{"base.app": "app:1 sha256:1"}}
	broken := errors.New("broken")
	for _, tt := range []struct {
		record          *record.Record
		connects, wants error
	}{{known, engine.ErrUnavailable, nil}, {known, broken, broken}, {&record.Record{}, broken, nil}} {
		present := &images.Present{Connect: func(context.Context) (engine.Engine, error) { return nil, tt.connects }}
		err := present.Look(t.Context(), []*record.Record{tt.record})
		if !errors.Is(err, tt.wants) || present.Changes(tt.record) != nil {
			t.Errorf("%v, %v: got %v, changes %v", tt.record.Facts, tt.connects, err, present.Changes(tt.record))
		}
	}
}

// With the engine local, a changed program is measured again, even one that only a script names.
func TestAnotherProgramIsMeasuredAgain(t *testing.T) {
	const text = "---\ntitle: x\n---\n```yaml experiment\nname: e\nservices:\n" +
		"  app: {command: [server, -v], expose: [80]}\n  db: {command: [sh, -c, \"cd / && TOOL=1 exec tool 'other x' | " +
		"sort\"], expose: [81]}\n" +
		"load: {target: \"http://app/\", requests: 10}\nrepetitions: 2\ncalibrate: false\n```\n"
	p, store := newPlan(t, text, "engine: local"), &memory{}
	g := &tagged{programs: map[string]string{"server": "s", "sh": "h", "tool": "t", "other": "o", "sort": "so"}}
	twice := []string{"e", "e"}
	for _, step := range []struct {
		name, program, digest string
		want                  []string
	}{
		{"nothing measured", "other", "o", twice},
		{"nothing changed", "other", "o", nil},
		{"another server", "server", "s2", twice},
		{"another program of the script", "tool", "t2", twice},
		{"a word within quotes", "other", "o2", nil},
		{"another shell", "sh", "h2", twice},
	} {
		g.programs[step.program] = step.digest
		got := measuredAnew(t, p, store, g.engine(t))
		for i := range got {
			got[i] = "e"
		}
		assert.Slice(t, got, step.want, "%s: measured", step.name)
	}
	facts := store.records[0].Facts
	for fact, want := range map[string]string{"program.app": "server sha256:s package 1.0",
		"program.db":      "sh sha256:h package 1.0",
		"program.db.tool": "tool sha256:t package 1.0", "program.db.cd": "", "program.db.other": "",
		"image.app": "", "base.app": "", "packages.app": ""} {
		assert.Equal(t, facts[fact], want, "fact %s", fact)
	}
}
