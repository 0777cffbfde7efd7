package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/notebook/article"
	"benchbook/notebook/recordtest"
)

// previewerOf returns a Previewer of a project.
func previewerOf(t testing.TB, dir string) *pages.Previewer {
	t.Helper()
	project := must.Get(article.OpenProject(dir))
	return must.Get(pages.NewPreviewer(&lab.Session{Stdout: t.Output(), Stderr: t.Output(), Version: version}, project))
}

// After any change of a project, the preview is the same as a fresh render.
func TestPreviewIsWhatRenderMakes(t *testing.T) {
	slowtest.Skip(t)
	dir := t.TempDir()
	must.Do(os.CopyFS(filepath.Join(dir, pages.ArticlesDir, "hello"),
		os.DirFS(filepath.Join("..", "..", pages.ArticlesDir, "hello"))))
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: Small\n")
	path := func(slug, name string) string { return filepath.Join(dir, pages.ArticlesDir, slug, name) }
	p := previewerOf(t, dir)
	if b := p.Build(context.Background()); b.Problems != "" {
		t.Fatal(b.Problems)
	}
	hello := must.Read(path("hello", "article.md"))
	emptied := recordtest.Lines(t, path("hello", "records"))[0]
	emptied.Text = nil
	for _, step := range []struct {
		name string
		do   func()
		says string // among the problems
	}{
		{"prose", func() { must.Write(path("hello", "article.md"), hello+"\nMore.\n") }, ""},
		{"a record goes", func() { recordtest.Put(t, emptied) }, ""},
		{"a mistake", func() {
			must.Write(path("hello", "article.md"), strings.Replace(hello, "name: gzip", "nmae: gzip", 1))
		}, `"nmae"`},
		{"the mistake is mended", func() { must.Write(path("hello", "article.md"), hello) }, ""},
		{"a claim says the contrary", func() {
			must.Write(path("hello", "article.md"), strings.Replace(hello, `level="9"} > `, `level="9"} < `, 1))
		}, ""},
		{"an article comes", func() { must.Write(path("new", "article.md"), "---\ntitle: New\n---\n\nText.\n") }, ""},
		{"an article goes", func() { must.Do(os.RemoveAll(filepath.Join(dir, pages.ArticlesDir, "new"))) }, ""},
		{"the project gets a style sheet", func() {
			must.Write(filepath.Join(dir, "look.css"), "body { color: teal }")
			must.Write(filepath.Join(dir, "benchbook.yaml"), "title: Other\ntheme: look.css\n")
		}, ""},
		{"the style sheet goes", func() { must.Do(os.Remove(filepath.Join(dir, "look.css"))) },
			`the style sheet "look.css" cannot be read`},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			b := p.Build(context.Background())
			if step.says != "" {
				if strings.Count(b.Problems, step.says) != 1 || b.Files != nil && b.Files["hello/index.html"].Data == nil {
					t.Errorf("the problems are %q, and the page is there: %v", b.Problems, b.Files["hello/index.html"].Data != nil)
				}
				return
			}
			anew := previewerOf(t, dir).Build(context.Background())
			assert.Equal(t, b.Problems, anew.Problems, "problems")
			var differ []string
			for name, want := range anew.Files {
				if is := b.Files[name]; !bytes.Equal(is.Data, want.Data) || is.From != want.From {
					differ = append(differ, name)
				}
			}
			if len(differ) > 0 || len(b.Files) != len(anew.Files) {
				t.Errorf("of %d files, %d in a new preview, these differ: %q", len(b.Files), len(anew.Files), differ)
			}
		})
	}
}
