package measure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

const (
	buildingArticle = "---\ntitle: x\n---\n```dockerfile file=Dockerfile\nFROM base:1\n```\n\n```yaml experiment\nname: e\n" +
		"services: {server: {build: ., expose: [80]}}\nload: {target: \"http://server/\", requests: 1000, connections: 5}\n" +
		"repetitions: 2\ncalibrate: false\n```\n"
	pullingArticle = "---\ntitle: x\n---\n```yaml experiment\nname: e\nservices: {server: {image: base:1, expose: [80]}}\n" +
		"load: {target: \"http://server/\", requests: 1000, connections: 5}\nrepetitions: 2\ncalibrate: false\n```\n"
)

// writeProject writes a project with one article for each text.
func writeProject(t *testing.T, articles map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: x\n")
	for slug, text := range articles {
		must.Write(filepath.Join(dir, "experiments", slug, "article.md"), text)
	}
	return dir
}

// runOn measures a project with an engine and returns the output on standard error.
func runOn(t *testing.T, dir string, e engine.Engine, o Options) (printed string, err error) {
	t.Helper()
	var stderr bytes.Buffer
	a := &lab.Session{Stdout: io.Discard, Stderr: &stderr, Dir: dir, Config: lab.Config{
		Agent: func() ([]byte, error) { return []byte("program"), nil }, LockDir: t.TempDir(), Scripted: true,
		Engines: []lab.Engine{{Name: spec.Docker, Connect: func(context.Context) (engine.Engine, error) { return e, nil }}}}}
	project, list := must.Two(a.Select(nil))
	o.Profile = plan.Full
	err = Run(t.Context(), a, project, list, o)
	return stderr.String(), err
}

// allGoesWell returns the output of programs whose loads succeed.
func allGoesWell(_ context.Context, p fake.Program) (engine.Exit, error) {
	if slices.Equal(p.Command, []string{agent.Load, loadgen.CheckArgument}) {
		return engine.Exit{Stdout: labtest.Answers(p.Stdin, "")}, nil
	}
	return engine.Exit{Stdout: labtest.Requests()}, nil
}

// TestArticleByArticle checks in which order a run builds and measures articles, and when it says so.
func TestArticleByArticle(t *testing.T) {
	three := map[string]string{"a": buildingArticle, "b": buildingArticle, "c": pullingArticle}
	measured := func(slug string) []string { return []string{"load", "load", "measured " + slug} }
	for _, tt := range []struct {
		name     string
		articles map[string]string
		options  Options
		broken   string // article whose build fails
		want     [][]string
	}{
		{"the next article is built after the one before it is measured",
			map[string]string{"a": buildingArticle, "b": buildingArticle}, Options{}, "",
			[][]string{{"build a"}, measured("a"), {"build b", "load", "load"}}},
		{"an article without builds comes first", three, Options{}, "",
			[][]string{measured("c"), {"build a"}, measured("a"), {"build b", "load", "load"}}},
		{"an article whose build fails", three, Options{}, "a",
			[][]string{measured("c"), {"build a", "measured a", "build b", "load", "load"}}},
		{"nothing is built once the budget is over", map[string]string{"a": buildingArticle}, Options{Budget: 1}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var events []string
			note := func(event string) {
				mu.Lock()
				defer mu.Unlock()
				events = append(events, event)
			}
			script := fake.Script{Prepare: func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
				if i.Build == nil {
					return engine.Prepared{Reference: "x", ID: "x"}, nil
				}
				slug, _, _ := strings.Cut(i.Build.For, " ")
				note("build " + slug)
				if slug == tt.broken {
					return engine.Prepared{}, &engine.BuildError{For: i.Build.For, Err: errors.New("it failed")}
				}
				return engine.Prepared{Reference: "x", ID: "x"}, nil
			}, Run: func(ctx context.Context, p fake.Program) (engine.Exit, error) {
				if p.Name == "load" && !slices.Contains(p.Command, loadgen.CheckArgument) {
					note("load")
				}
				return allGoesWell(ctx, p)
			}}
			tt.options.Measured = func(c *lab.Article) { note("measured " + c.Slug) }
			_, err := runOn(t, writeProject(t, tt.articles), fake.New(script), tt.options)
			if failed := err != nil; failed != (tt.broken != "" || tt.options.Budget > 0) {
				t.Errorf("the run ended with %v", err)
			}
			assert.Slice(t, events, slices.Concat(tt.want...))
		})
	}
}

// All sessions share the budget, and building images does not count towards it.
func TestBudget(t *testing.T) {
	isSame := func(*lab.Article, *plan.Experiment) {}
	for _, tt := range []struct {
		name    string
		options Options
		want    int // loads, of a second each and two to a session
		said    string
	}{
		{"builds that may be the same", Options{Budget: 3 * time.Second, Same: isSame}, 2, "measured 2 repetitions"},
		{"all sessions", Options{Budget: 7 * time.Second, Sessions: 3}, 6, "session 3 of 3"},
		{"over after a session", Options{Budget: 1500 * time.Millisecond, Sessions: 3}, 2,
			"the budget of 1.5s ran out after session 1 of 3"},
		{"over in a session", Options{Budget: 2500 * time.Millisecond, Sessions: 3}, 3,
			"the budget of 2.5s ran out before everything was measured"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var loads atomic.Int32
				script := fake.Script{Prepare: func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
					if i.Build == nil {
						return engine.Prepared{Reference: "x", ID: "x"}, nil
					}
					time.Sleep(time.Minute)
					return engine.Prepared{Reference: "x"}, nil // without an id, nobody can tell whether it is the same
				}, Run: func(ctx context.Context, p fake.Program) (engine.Exit, error) {
					if p.Name == "load" && !slices.Contains(p.Command, loadgen.CheckArgument) {
						time.Sleep(time.Second)
						loads.Add(1)
					}
					return allGoesWell(ctx, p)
				}}
				said, err := runOn(t, writeProject(t, map[string]string{"a": buildingArticle}), fake.New(script), tt.options)
				if n := int(loads.Load()); err != nil || n != tt.want || !strings.Contains(said, tt.said) {
					t.Errorf("%v, and %d loads, want %d and %q in\n%s", err, n, tt.want, tt.said, said)
				}
			})
		})
	}
}
