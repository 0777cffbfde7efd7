package render

import (
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/render/figure"
	"benchbook/render/rendertest"
)

// drawings draws the figures of an article of the project.
func drawings(t *testing.T, slug string) map[string]*figure.Spec {
	t.Helper()
	r := must.Get(New(os.DirFS(filepath.Join("..", "site", "theme"))))
	d := rendertest.Committed(t, "..", slug)
	c := r.compose(d, Options{})
	specs := map[string]*figure.Spec{}
	for _, f := range d.Doc.Figures {
		cells, _ := must.Two(c.selectCells(f.Experiment.Value, f.Where.Node))
		drawing := c.panel(f, cells).Draw()
		if drawing.Spec == nil {
			t.Errorf("%s: %s is not drawn: %s", slug, f.Label.Value, drawing.Missing)
			continue
		}
		specs[f.Label.Value] = drawing.Spec
	}
	return specs
}

// articles are the slugs of the committed articles.
func articles(t *testing.T) (slugs []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "experiments", "*", article.FileName))
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		slugs = append(slugs, filepath.Base(filepath.Dir(file)))
	}
	return slugs
}

// What is named in several figures of an article has one colour in all of them, or is grey.
func TestOneColourForOneThing(t *testing.T) {
	named := 0
	for _, slug := range articles(t) {
		colours := map[string]int{}
		see := func(label, name string, series int) {
			if series == 0 || name == "" {
				return
			}
			named++
			if other, ok := colours[name]; ok && other != series {
				t.Errorf("%s, %s: %q has colour %d, and %d in another figure", slug, label, name, series, other)
			}
			colours[name] = series
		}
		for label, spec := range drawings(t, slug) {
			for _, k := range spec.Key {
				see(label, k.Name, k.Series)
			}
			for _, l := range spec.Lines {
				see(label, l.Name, l.Series)
			}
			for _, mark := range spec.Marks {
				name := mark.Name
				if len(spec.Rows) > 0 {
					name = spec.Rows[int(mark.Y)].Name
				}
				see(label, name, mark.Series)
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d names have a colour", named)
	}
}
