package figure

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// CSS is how the classes of drawings look, on a page and in files of their own.
//
//go:embed figure.css
var CSS string

// ink is a color.Color for gonum that is a list of classes. gonum hands it to SetColor as it is.
type ink string

// RGBA makes ink a color.Color; a canvas reads the classes instead.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }

// palette has the colours of CSS in light and in dark, by the variable that stands for them.
var palette = sync.OnceValue(func() map[string][2]string {
	out := map[string][2]string{"var(--sans)": {"Inter, Arial, sans-serif", "Inter, Arial, sans-serif"}}
	for _, m := range regexp.MustCompile(`(--[\w-]+): light-dark\((#\w+), (#\w+)\)`).FindAllStringSubmatch(CSS, -1) {
		out["var("+m[1]+")"] = [2]string{m[2], m[3]}
	}
	return out
})

// comments are the comments of CSS, which its readers have here.
var comments = regexp.MustCompile(`(?s)/\*.*?\*/\n?`)

// style is the style sheet of a drawing outside of its page.
func style(dark int) string {
	_, rules, _ := strings.Cut(comments.ReplaceAllString(CSS, ""), "}\n") // of colours
	var colours []string
	for variable, colour := range palette() {
		colours = append(colours, variable, colour[dark])
	}
	return strings.NewReplacer(colours...).Replace("svg { background: var(--paper); }\n" + rules)
}

// rule is what CSS declares of a class.
type rule struct {
	class        string
	declarations map[string]string
}

// rules are the rules of CSS for a class inside a drawing, in their order.
var rules = sync.OnceValue(func() (out []rule) {
	for _, m := range regexp.MustCompile(`(svg [^{]*)\{([^}]*)\}`).FindAllStringSubmatch(CSS, -1) {
		set := map[string]string{}
		for declaration := range strings.SplitSeq(m[2], ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(declaration), ": ")
			set[key] = value
		}
		for selector := range strings.SplitSeq(m[1], ",") {
			if class, ok := strings.CutPrefix(strings.TrimSpace(selector), "svg ."); ok {
				out = append(out, rule{class, set})
			}
		}
	}
	return out
})

// declarations are what CSS declares of the classes together.
func (k ink) declarations() map[string]string {
	out, classes := map[string]string{}, strings.Fields(string(k))
	for _, r := range rules() {
		if slices.Contains(classes, r.class) {
			maps.Copy(out, r.declarations)
		}
	}
	return out
}

// glyphs are the forms of series, so that each has one besides its colour: corners in units of the radius of the circle,
// which the first has.
var glyphs = [MaxSeries][]vg.Point{
	nil,
	{{X: 0, Y: 1.28}, {X: 1.28}, {X: 0, Y: -1.28}, {X: -1.28}},
	{{X: -.95, Y: .95}, {X: .95, Y: .95}, {X: .95, Y: -.95}, {X: -.95, Y: -.95}},
	{{X: 0, Y: 1.3}, {X: 1.25, Y: -.95}, {X: -1.25, Y: -.95}},
	{{X: 0, Y: -1.3}, {X: -1.25, Y: .95}, {X: 1.25, Y: .95}},
	{{X: -.5, Y: 1.28}, {X: .5, Y: 1.28}, {X: .5, Y: .5}, {X: 1.28, Y: .5}, {X: 1.28, Y: -.5}, {X: .5, Y: -.5},
		{X: .5, Y: -1.28}, {X: -.5, Y: -1.28}, {X: -.5, Y: -.5}, {X: -1.28, Y: -.5}, {X: -1.28, Y: .5}, {X: -.5, Y: .5}},
}

// seriesGlyph is the form of a series. It is a draw.GlyphDrawer.
type seriesGlyph int

// DrawGlyph draws the form; grey has the circle of the first series.
func (g seriesGlyph) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	corners := glyphs[max(0, g-1)]
	if corners == nil {
		draw.CircleGlyph{}.DrawGlyph(c, style, at)
		return
	}
	outline := make([]vg.Point, len(corners))
	for i, k := range corners {
		outline[i] = at.Add(k.Scale(style.Radius))
	}
	c.FillPolygon(style.Color, outline)
}

// glyph is the mark of a series, filled or open.
func glyph(series int, open bool, radius vg.Length) draw.GlyphStyle {
	k := fillInk(series) + " pt"
	if open {
		k = "open " + strokeInk(series)
	}
	return draw.GlyphStyle{Color: k, Radius: radius, Shape: seriesGlyph(series)}
}

// fillInk and strokeInk are the colour of a series.
func fillInk(series int) ink   { return ink(fmt.Sprintf("f%d", series)) }
func strokeInk(series int) ink { return ink(fmt.Sprintf("s%d", series)) }

// pen draws lines in classes, which give them their width: gonum gets one that is seen and moves nothing.
func pen(k ink) draw.LineStyle { return draw.LineStyle{Color: k, Width: 1e-9} }
