package plan

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"benchbook/notebook/article"
)

// A Dockerfile in the root of the repository, above the project, is built with what it copies, and without what
// benchbook makes there.
func TestContextInTheRepository(t *testing.T) {
	p, problems := planIn(t, "name: e\nservices: {s: {build: ../../..}}\nload: {target: http://s/}\n",
		func(dir, outside string) {
			root := filepath.Dir(outside)
			if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "main.go": "package main",
				".dockerignore": "*.log\n", "a.log": "x", ".git/HEAD": "x", ".vscode/settings.json": "{}",
				".vscode/benchbook-record.json": "{}"} {
				write(t, filepath.Join(root, name), text)
			}
			write(t, filepath.Join(dir, article.FileName), "x")
			write(t, filepath.Join(dir, "records", "r"), "x")
		})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var names []string
	for _, f := range p.Experiments[0].Trials[0].Services[0].Image.Build.Files {
		names = append(names, f.Path)
	}
	want := []string{".dockerignore", ".vscode/settings.json", "Dockerfile", "main.go", "p/experiments/sample/Dockerfile"}
	if !slices.Equal(names, want) {
		t.Errorf("the files are %q, want %q", names, want)
	}
}
