package render

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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

var (
	viewBox     = regexp.MustCompile(`viewBox="0 0 (\S+) (\S+)"`)
	textElement = regexp.MustCompile(`<text(?: class="([^"]*)")?.*?</text>`)
	textItem    = regexp.MustCompile(`x="(\S+)"(?: y="(\S+)")?>([^<]*)<`)
)

// All figures of the articles are drawn with their words inside the frame, at every width.
func TestWordsOfFiguresAreInside(t *testing.T) {
	m := figure.NewMetrics()
	number := func(s string) float64 {
		return must.Get(strconv.ParseFloat(s, 64))
	}
	figures, words := 0, 0
	for _, slug := range articles(t) {
		for label, spec := range drawings(t, slug) {
			figures++
			for _, w := range []figure.Width{figure.Full, figure.Top, figure.Narrow} {
				svg := must.Get(spec.SVG(m, w))
				box := viewBox.FindStringSubmatch(string(svg))
				width, height := number(box[1]), number(box[2])
				for _, element := range textElement.FindAllStringSubmatch(string(svg), -1) {
					size, classes := 12.5, " "+element[1]+" "
					if strings.Contains(classes, " small ") {
						size = 11.5
					}
					y := 0.0
					for _, item := range textItem.FindAllStringSubmatch(element[0], -1) {
						words++
						wide := m.Width(html.UnescapeString(item[3]), size, strings.Contains(classes, " strong "))
						x := number(item[1])
						if item[2] != "" { // else it is on the line of the text before
							y = number(item[2])
						}
						switch {
						case strings.Contains(classes, " end "):
							x -= wide
						case strings.Contains(classes, " mid "):
							x -= wide / 2
						}
						if x < -1 || x+wide > width+1 || y < size*figure.Capital-1 || y > height {
							t.Errorf("%s, %s at %d: %q at %.0f, %.0f is not inside %v x %v", slug, label, w, item[3], x, y, width, height)
						}
					}
				}
			}
		}
	}
	if figures < 40 || words < 2000 {
		t.Errorf("only %d figures are drawn, with %d words", figures, words)
	}
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
