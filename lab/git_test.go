package lab

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"

	"benchbook/internal/slowtest"
)

// A revision has +changes if anything but records and made files is not committed.
func TestRevisionOf(t *testing.T) {
	slowtest.Skip(t)
	const commit, changed = `^[0-9a-f]{12}$`, `^[0-9a-f]{12}\+changes$`
	tests := []struct {
		name, project, file string // the file is written after the commit; none if empty
		want                string
	}{
		{"as committed", "", "", commit},
		{"records", "", "experiments/a/records/host/full/e/x.json", commit},
		{"an article", "", "experiments/a/article.md", changed},
		{"a new file", "", "experiments/a/server.py", changed},
		{"a file that git ignores", "", "experiments/a/data.bin", commit},
		{"a source", "", "main.go", changed},
		{"any file, measured", "bench/web.md", "bench/web.records/h/full/x.jsonl", commit},
		{"any file, rendered", "bench/web.md", "bench/_site/index.html", commit},
		{"any file, changed", "bench/web.md", "bench/web.md", changed},
	}
	texts := map[string]string{article.ProjectFile: "title: T\n", "experiments/a/article.md": "a", ".gitignore": "*.bin\n",
		"bench/web.md": "w", "main.go": "package main\n"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				path := filepath.Join(dir, name)
				must.Do(errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)))
			}
			run := func(args ...string) {
				if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
					t.Fatalf("git %q: %v: %s", args, err, out)
				}
			}
			for name, text := range texts {
				write(name, text)
			}
			open := article.OpenProject
			if test.project != "" {
				open = article.OpenProjectFile
			}
			project := must.Get(open(filepath.Join(dir, test.project)))
			assert.Equal(t, RevisionOf(t.Context(), project), "none: not in a git repository", "without a repository")
			run("init", "-q")
			assert.Equal(t, RevisionOf(t.Context(), project), "none: nothing is committed", "without a commit")
			run("add", ".")
			run("-c", "user.name=author", "-c", "user.email=author@example.com", "commit", "-q", "-m", "first")
			if test.file != "" {
				write(test.file, "changed")
			}
			if got := RevisionOf(t.Context(), project); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("it is %q, want %s", got, test.want)
			}
		})
	}
}
