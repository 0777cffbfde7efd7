package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/projects"
)

// A revision is said to be what was measured only if all is as committed there that an article is read from.
func TestRevisionOf(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("the revision of an article is found by git, which is not here: install it")
	}
	const commit, changed = `^[0-9a-f]{12}$`, `^[0-9a-f]{12}\+changes$`
	tests := []struct {
		name, file string // that is written after the commit; none if empty
		want       string
	}{
		{"as committed", "", commit},
		{"records of it", "experiments/a/records/host/full/e/x.json", commit},
		{"another article", "experiments/b/article.md", commit},
		{"the article", "experiments/a/article.md", changed},
		{"a file beside it", "experiments/a/server.py", changed},
		{"a file that git ignores", "experiments/a/data.bin", changed},
		{"the project", article.ProjectFile, changed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			run := func(args ...string) {
				cmd := exec.Command("git", args...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("git %q: %v: %s", args, err, out)
				}
			}
			project := &projects.Project{Dir: dir}
			if got := RevisionOf(t.Context(), project, "a"); got != "none: not in a git repository" {
				t.Errorf("without a repository it is %q", got)
			}
			run("init", "-q")
			if got := RevisionOf(t.Context(), project, "a"); got != "none: nothing is committed" {
				t.Errorf("without a commit it is %q", got)
			}
			for name, text := range map[string]string{article.ProjectFile: "title: T\n", "experiments/a/article.md": "a",
				"experiments/b/article.md": "b", ".gitignore": "*.bin\n"} {
				write(name, text)
			}
			run("add", ".")
			run("-c", "user.name=author", "-c", "user.email=author@example.com", "commit", "-q", "-m", "first")
			if test.file != "" {
				write(test.file, "changed")
			}
			if got := RevisionOf(t.Context(), project, "a"); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("it is %q, want %s", got, test.want)
			}
		})
	}
}
