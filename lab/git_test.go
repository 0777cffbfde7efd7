package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/notebook/article"

	"benchbook/internal/slowtest"
)

// A revision is said to be what was measured only if all is as committed there that an article is read from.
func TestRevisionOf(t *testing.T) {
	slowtest.Skip(t)
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("the revision of an article is found by git, which is not here: install it")
	}
	const commit, changed = `^[0-9a-f]{12}$`, `^[0-9a-f]{12}\+changes$`
	tests := []struct {
		name, article, file string // the file is written after the commit; none if empty
		want                string
	}{
		{"as committed", "a", "", commit},
		{"records of it", "a", "experiments/a/records/host/full/e/x.json", commit},
		{"another article", "a", "experiments/b/article.md", commit},
		{"the article", "a", "experiments/a/article.md", changed},
		{"a file beside it", "a", "experiments/a/server.py", changed},
		{"a file that git ignores", "a", "experiments/a/data.bin", changed},
		{"a folder that git ignores", "a", "experiments/a/out/data", changed},
		{"a folder that git ignores, elsewhere", "a", "out/benchbook", commit},
		{"the project", "a", article.ProjectFile, changed},
		{"a source, where there is a Compose file", "composed", "main.go", changed},
		{"records of another article, where there is a Compose file", "composed", "experiments/a/records/x.jsonl", commit},
		{"what git ignores, where there is a Compose file", "composed", "main.bin", commit},
		{"a source, where a context is around the folder", "around", "main.go", changed},
		{"a source outside", "a", "main.go", commit},
		{"any file, measured", "bench/web.md", "bench/web.records/h/full/x.jsonl", commit},
		{"any file, its neighbour measured", "bench/web.md", "bench/db.records/h/full/x.jsonl", commit},
		{"any file, rendered", "bench/web.md", "bench/_site/index.html", commit},
		{"any file, while it is measured", "bench/web.md", "bench/.benchbook/run.json", commit},
		{"any file, changed", "bench/web.md", "bench/web.md", changed},
		{"any file, another beside it", "bench/web.md", "bench/server.py", changed},
		{"any file, the project above", "bench/web.md", article.ProjectFile, changed},
	}
	const experiment = "---\ntitle: T\n---\n\n```yaml experiment\nname: x\n%s\nload: {target: http://web/}\n```\n"
	texts := map[string]string{article.ProjectFile: "title: T\n", "experiments/a/article.md": "a",
		"experiments/b/article.md": "b", ".gitignore": "*.bin\nout/\n", "bench/web.md": "w", "main.go": "package main\n",
		"experiments/composed/article.md": fmt.Sprintf(experiment, "compose: ../../compose.yaml"),
		"experiments/around/article.md":   fmt.Sprintf(experiment, "services: {web: {build: {context: ../..}}}")}
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
			for name, text := range texts {
				write(name, text)
			}
			open, slug := article.OpenProject, test.article
			name := dir
			if strings.HasSuffix(test.article, ".md") {
				open, name, slug = article.OpenProjectFile, filepath.Join(dir, test.article), "web"
			}
			project, err := open(name)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := project.Article(slug)
			if err != nil {
				t.Fatal(err)
			}
			if got := RevisionOf(t.Context(), project, doc); got != "none: not in a git repository" {
				t.Errorf("without a repository it is %q", got)
			}
			run("init", "-q")
			if got := RevisionOf(t.Context(), project, doc); got != "none: nothing is committed" {
				t.Errorf("without a commit it is %q", got)
			}
			run("add", ".")
			run("-c", "user.name=author", "-c", "user.email=author@example.com", "commit", "-q", "-m", "first")
			if test.file != "" {
				write(test.file, "changed")
			}
			if got := RevisionOf(t.Context(), project, doc); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("it is %q, want %s", got, test.want)
			}
		})
	}
}
