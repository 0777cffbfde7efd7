package pages

import (
	"os"
	"path/filepath"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
)

// committed copies the articles of this repository, with their records.
func committed(t testing.TB) string {
	t.Helper()
	dir, from := t.TempDir(), filepath.Join("..", "..")
	err := os.CopyFS(filepath.Join(dir, ArticlesDir), os.DirFS(filepath.Join(from, ArticlesDir)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(from, article.ProjectFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, article.ProjectFile), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// BenchmarkPreview measures how long a preview takes for all articles, and after an edit of one. The bounds are 2 s for
// all, 300 ms for an edit of hello, and 1 s for one of not-faster.
func BenchmarkPreview(b *testing.B) {
	dir := committed(b)
	project, err := article.OpenProject(dir)
	if err != nil {
		b.Fatal(err)
	}
	open := func(b *testing.B) *Previewer {
		p, err := NewPreviewer(&lab.Session{Stdout: b.Output(), Stderr: b.Output()}, project, Options{})
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	build := func(b *testing.B, p *Previewer) {
		if made := p.Build(b.Context()); made.Problems != "" || made.Files == nil {
			b.Fatal(made.Problems)
		}
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			build(b, open(b))
		}
	})
	for _, slug := range []string{"hello", "not-faster"} {
		b.Run("edit of "+slug, func(b *testing.B) {
			p, name := open(b), filepath.Join(dir, ArticlesDir, slug, article.FileName)
			text, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			build(b, p)
			for b.Loop() {
				text = append(text, "\nMore.\n"...)
				if err := os.WriteFile(name, text, 0o644); err != nil {
					b.Fatal(err)
				}
				build(b, p)
			}
		})
	}
}
