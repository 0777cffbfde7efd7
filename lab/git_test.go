package lab

import (
	"path/filepath"
	"regexp"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
)

// A revision has +changes if anything except records and generated files is not committed.
func TestRevisionOf(t *testing.T) {
	slowtest.Skip(t)
	const commit, changed = `^[0-9a-f]{12}$`, `^[0-9a-f]{12}\+changes$`
	dir := t.TempDir()
	write := func(name, text string) { must.Write(filepath.Join(dir, name), text) }
	run := func(args ...string) { must.Git(dir, args...) }
	for name, text := range map[string]string{article.ProjectFile: "title: T\n", "experiments/a/article.md": "a",
		".gitignore": "*.bin\n", "bench/web.md": "w", "main.go": "package main\n"} {
		write(name, text)
	}
	project, file := must.Get(article.OpenProject(dir)), must.Get(article.OpenProjectFile(filepath.Join(dir, "bench/web.md")))
	assert.Equal(t, RevisionOf(t.Context(), project), "none: not in a git repository", "without a repository")
	run("init", "-q")
	assert.Equal(t, RevisionOf(t.Context(), project), "none: nothing is committed", "without a commit")
	run("add", ".")
	run("commit", "-q", "-m", "first")
	for _, tt := range []struct {
		name, changed string // a file; none if empty
		project       *article.Project
		want          string
	}{
		{"as committed", "", project, commit},
		{"records", "experiments/a/records/host/full/e/x.json", project, commit},
		{"an article", "experiments/a/article.md", project, changed},
		{"a new file", "experiments/a/server.py", project, changed},
		{"a file that git ignores", "experiments/a/data.bin", project, commit},
		{"a source", "main.go", project, changed},
		{"any file, measured", "bench/web.records/h/full/x.jsonl", file, commit},
		{"any file, rendered", "bench/_site/index.html", file, commit},
		{"any file, changed", "bench/web.md", file, changed},
	} {
		if tt.changed != "" {
			write(tt.changed, "changed")
		}
		got := RevisionOf(t.Context(), tt.project)
		assert.Equal(t, regexp.MustCompile(tt.want).MatchString(got), true, "%s: it is %q, like %s", tt.name, got,
			tt.want)
		run("checkout", "-q", ".")
		run("clean", "-fdxq")
	}
}
