package measure

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

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
	must.Do(os.WriteFile(filepath.Join(dir, "benchbook.yaml"), []byte("title: x\n"), 0o644))
	for slug, text := range articles {
		must.Write(filepath.Join(dir, "experiments", slug, "article.md"), text)
	}
	return dir
}

// runOn measures a project with an engine.
func runOn(t *testing.T, dir string, e engine.Engine, o Options) error {
	t.Helper()
	a := &lab.Session{Stdout: io.Discard, Stderr: io.Discard, Dir: dir, Config: lab.Config{
		Agent: func() ([]byte, error) { return []byte("program"), nil }, LockDir: t.TempDir(), Scripted: true,
		Engines: []lab.Engine{{Name: spec.Docker, Connect: func(context.Context) (engine.Engine, error) { return e, nil }}}}}
	project, list := must.Two(a.Select(nil))
	o.Profile = plan.Full
	return Run(t.Context(), a, project, list, o)
}

// allGoesWell is what programs print whose loads all go well.
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
			err := runOn(t, writeProject(t, tt.articles), fake.New(script), tt.options)
			if failed := err != nil; failed != (tt.broken != "" || tt.options.Budget > 0) {
				t.Errorf("the run ended with %v", err)
			}
			if want := slices.Concat(tt.want...); !slices.Equal(events, want) {
				t.Errorf("it did %q, want %q", events, want)
			}
		})
	}
}
