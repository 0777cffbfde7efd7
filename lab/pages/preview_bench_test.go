package pages

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/article"
)

// BenchmarkPreview measures how long a preview takes for all articles, and after an edit of one. The bounds are 2 s for
// all, 300 ms for an edit of hello, and 1 s for one of not-faster.
func BenchmarkPreview(b *testing.B) {
	dir, root := b.TempDir(), filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, article.ProjectFile))
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, article.ProjectFile), text, 0o644),
		os.CopyFS(filepath.Join(dir, ArticlesDir), os.DirFS(filepath.Join(root, ArticlesDir)))); err != nil {
		b.Fatal(err)
	}
	project := must.Get(article.OpenProject(dir))
	p := must.Get(NewPreviewer(&lab.Session{Stdout: b.Output(), Stderr: b.Output()}, project))
	for _, edited := range []string{"", "hello", "not-faster"} {
		b.Run("edit of "+edited, func(b *testing.B) {
			name := filepath.Join(dir, ArticlesDir, edited, article.FileName)
			for n := 0; b.Loop(); n++ {
				if edited == "" {
					p, err = NewPreviewer(&lab.Session{Stdout: b.Output(), Stderr: b.Output()}, project)
				} else if text, err = os.ReadFile(name); err == nil {
					err = os.WriteFile(name, append(text, "\nMore.\n"...), 0o644)
				}
				if made := p.Build(b.Context()); err != nil || made.Problems != "" || made.Files == nil {
					b.Fatal(err, made.Problems)
				}
			}
		})
	}
}
