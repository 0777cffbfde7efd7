package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/lab"
	"benchbook/notebook/article"
)

// composeProjects are ordinary projects with a Compose file, by name.
func composeProjects(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob("testdata/compose/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no projects (%v)", err)
	}
	out := map[string]*txtar.Archive{}
	for _, name := range names {
		project, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(name), ".txtar")] = project
	}
	return out
}

// unpacked writes a project into a folder, and gives its Compose file.
func unpacked(t *testing.T, dir string, project *txtar.Archive) (file string) {
	t.Helper()
	for _, f := range project.Files {
		full := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, project.Files[0].Name)
}

// An article that init makes from the Compose file of an ordinary project has nothing wrong in it.
func TestComposeProjectsAreClean(t *testing.T) {
	for name, project := range composeProjects(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			mustRun(t, scripted(), "init", "--from", unpacked(t, dir, project))
			if got, want := mustRun(t, scripted(), "-C", dir, "check"), "1 article, no problems\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Each of these projects is measured as init leaves it.
func TestComposeProjectsRun(t *testing.T) {
	for name, project := range composeProjects(t) {
		t.Run(name, func(t *testing.T) {
			w := beside(t)
			measuresThroughput(t, w, composed(t, w, name, project))
		})
	}
}

// composed is the folder of a project that init has made of a Compose file.
func composed(t *testing.T, w lab.Config, name string, project *txtar.Archive) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), name)
	mustRun(t, w, "init", "--from", unpacked(t, dir, project))
	return dir
}

// measureOnce has profile quick of the project in a folder measure each trial once.
func measureOnce(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, article.ProjectFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\nprofiles: {quick: {repetitions: 1}}\n"...)
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func measuresThroughput(t *testing.T, w lab.Config, dir string) {
	t.Helper()
	measureOnce(t, dir)
	var stdout, stderr bytes.Buffer
	if status := run([]string{"-C", dir, "run", "--profile", "quick"}, &stdout, &stderr, w); !wasMeasured(status, stderr.String()) {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	if got := mustRun(t, w, "-C", dir, "show", "--format", "csv"); !strings.Contains(got, "throughput") {
		t.Errorf("no throughput was measured:\n%s", got)
	}
}
