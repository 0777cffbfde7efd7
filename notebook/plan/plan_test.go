package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

const (
	dockerfile = "```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"
	listings   = "```python file=sync.py\nprint('sync')\n```\n\n```python file=async.py\nprint('async')\n```\n\n"
	experiment = "name: sockets\n" +
		"services:\n  server:\n    build: .\n    configs: [{source: '${{ matrix.server }}.py', target: /srv/server.py}]\n" +
		"    expose: ['8080']\n" +
		"matrix:\n  server: [sync, async]\n" +
		"load: {target: 'http://server:${{ services.server.port }}/', requests: 100}\n"
)

// text returns an article of fences.
func text(parts ...string) string { return "---\ntitle: x\n---\n\n" + strings.Join(parts, "") }

func block(body string) string { return "```yaml experiment\n" + body + "```\n" }

// newPlan plans an article that lies in a folder with the files given.
func newPlan(t *testing.T, src string, o Options, files map[string]string) (*Plan, []*source.Problem) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	write(filepath.Join(root, article.ProjectFile), files["benchbook.yaml"])
	for name, data := range files {
		if name != "benchbook.yaml" {
			write(filepath.Join(dir, name), data)
		}
	}
	project := must.Get(article.OpenProject(root))
	doc := article.Parse(dir, source.New("article.md", []byte(src)))
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p := must.Get(New(project, doc, o, &problems))
	return p, problems.Sorted()
}

func write(path, data string) {
	must.Do(os.MkdirAll(filepath.Dir(path), 0o755))
	must.Do(os.WriteFile(path, []byte(data), 0o644))
}

func mustPlan(t *testing.T, source string, o Options, files map[string]string) *Experiment {
	t.Helper()
	p := mustPlanAll(t, source, o, files)
	if len(p.Experiments) != 1 {
		t.Fatalf("%d experiments", len(p.Experiments))
	}
	return p.Experiments[0]
}

// mustPlanAll plans all experiments of an article that has no problems.
func mustPlanAll(t *testing.T, source string, o Options, files map[string]string) *Plan {
	t.Helper()
	p, problems := newPlan(t, source, o, files)
	for _, problem := range problems {
		t.Error(problem)
	}
	return p
}

func TestOrder(t *testing.T) {
	source := text(dockerfile, listings, block(experiment+"repetitions: 20\n"))
	e := mustPlan(t, source, Options{}, nil)
	if len(e.Steps) != 60 {
		t.Fatalf("%d steps, want 20 rounds of 3", len(e.Steps))
	}
	firsts := map[string]int{}
	for round := range 20 {
		seen := map[string]bool{}
		for _, s := range e.Steps[3*round : 3*round+3] {
			if s.Round != round+1 || s.Repetition != round+1 {
				t.Errorf("round %d holds a step of round %d, repetition %d", round+1, s.Round, s.Repetition)
			}
			seen[s.Trial.Name] = true
		}
		if len(seen) != 3 {
			t.Errorf("round %d does not have every trial once", round+1)
		}
		firsts[e.Steps[3*round].Trial.Name]++
	}
	if len(firsts) != 3 {
		t.Errorf("in 20 rounds only %v came first", firsts)
	}
	again := mustPlan(t, source, Options{}, nil)
	same := func(a, b *Experiment) bool {
		for i := range a.Steps {
			if a.Steps[i].Trial.Name != b.Steps[i].Trial.Name {
				return false
			}
		}
		return true
	}
	if !same(e, again) || e.Digest != again.Digest {
		t.Error("the same article has another order the second time")
	}
}

func TestUnknownProfile(t *testing.T) {
	root := t.TempDir()
	write(filepath.Join(root, article.ProjectFile), "")
	project := must.Get(article.OpenProject(root))
	doc := article.Parse(filepath.Join(root, "x"), source.New("a", []byte(text())))
	if _, err := New(project, doc, Options{Profile: "fast"}, &source.Problems{}); !errors.Is(err, ErrNoProfile) {
		t.Errorf("got %v", err)
	}
}
