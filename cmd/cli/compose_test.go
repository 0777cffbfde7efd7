package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
)

// An article that init makes from the Compose file of an ordinary project has nothing wrong in it, and is measured as it is.
func TestComposeProjects(t *testing.T) {
	names, err := filepath.Glob("testdata/compose/*.txtar")
	if err != nil || len(names) < 2 {
		t.Fatalf("%d projects, %v", len(names), err)
	}
	serve := read(t, "testdata/compose/serve.py") // what all apps do with their answers
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			project := must.Get(txtar.ParseFile(name))
			dir := t.TempDir()
			for _, f := range project.Files {
				text := string(f.Data)
				if filepath.Base(f.Name) == "app.py" {
					text += serve
				}
				put(t, filepath.Join(dir, f.Name), text)
			}
			mustRun(t, scripted(), "init", "--from", filepath.Join(dir, project.Files[0].Name))
			if got, want := mustRun(t, scripted(), "-C", dir, "check"), "1 article, no problems\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			w := beside(t)
			measureOnce(t, dir)
			mustRun(t, w, "-C", dir, "run", "--profile", "quick")
			if got := mustRun(t, w, "-C", dir, "show", "--format", "csv"); !strings.Contains(got, "throughput") {
				t.Errorf("no throughput was measured:\n%s", got)
			}
		})
	}
}

// measureOnce has profile quick of the project in a folder measure each trial once.
func measureOnce(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, article.ProjectFile)
	put(t, name, read(t, name)+"\nprofiles: {quick: {repetitions: 1}}\n")
}
