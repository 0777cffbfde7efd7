package render

import (
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/render/rendertest"
)

// A name has the same colour, or grey, in all figures of a committed article.
func TestOneColourForOneThing(t *testing.T) {
	slowtest.SkipSequential(t)
	r := must.Get(New(os.DirFS("../site/theme")))
	named := 0
	for _, file := range must.Get(filepath.Glob("../experiments/*/" + article.FileName)) {
		d := rendertest.Committed(t, "..", filepath.Base(filepath.Dir(file)))
		c, colours := r.compose(d, Options{}), map[string]int{}
		for _, f := range d.Doc.Figures {
			see := func(name string, series int) {
				if series == 0 || name == "" {
					return
				}
				named++
				if other, ok := colours[name]; ok && other != series {
					t.Errorf("%s, %s: %q has colour %d, and %d in another figure", file, f.Label.Value, name, series, other)
				}
				colours[name] = series
			}
			cells, _ := must.Two(c.selectCells(f.Experiment.Value, f.Where.Node))
			drawing := c.panel(f, cells).Draw()
			if drawing.Spec == nil {
				t.Errorf("%s: %s is not drawn: %s", file, f.Label.Value, drawing.Missing)
				continue
			}
			for _, k := range drawing.Spec.Key {
				see(k.Name, k.Series)
			}
			for _, l := range drawing.Spec.Lines {
				see(l.Name, l.Series)
			}
			for _, mark := range drawing.Spec.Marks {
				name := mark.Name
				if len(drawing.Spec.Rows) > 0 {
					name = drawing.Spec.Rows[int(mark.Y)].Name
				}
				see(name, mark.Series)
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d names have a colour", named)
	}
}
