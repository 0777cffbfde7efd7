package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ink is a color.Color for gonum that is a list of classes. gonum hands it to SetColor as it is.
type ink string

// RGBA makes ink a color.Color; a canvas reads the classes instead.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }

// look is what a style sheet makes of a class. Colours are names of palette; empty ones leave it to other classes.
type look struct {
	class, fill, stroke        string
	width                      float64
	fillOpacity, strokeOpacity float64 // 0 is opaque
	dashes                     []vg.Length
	more                       string // declarations that a picture has no use for
}

// looks are the classes of shapes, later ones before earlier ones. The page's style sheet has the same.
//
// Source: site/theme/style.css.
var looks = append(seriesLooks(), []look{
	{class: "grid", fill: "none", stroke: "hair", width: 1},
	{class: "axis", fill: "none", stroke: "ink-3", width: 1},
	{class: "lead", fill: "none", stroke: "ink-3", width: 1, dashes: []vg.Length{2, 3}},
	{class: "ghost", fill: "none", stroke: "ink-3", width: 1.5},
	{class: "hatch", fill: "none", stroke: "ink-3", width: 1},
	{class: "line", fill: "none", width: 2, more: "stroke-linejoin:round;stroke-linecap:round"},
	{class: "thin", width: 1.5},
	{class: "dash", dashes: []vg.Length{5, 4}, more: "stroke-linecap:butt"},
	{class: "trace", fill: "none", width: 1, strokeOpacity: .45},
	{class: "band", stroke: "none", fillOpacity: .22},
	{class: "faint", fillOpacity: .13},
	{class: "ibox", width: 1, fillOpacity: .2},
	{class: "bar", width: 1, fillOpacity: .4},
	{class: "pt", stroke: "paper", width: 1},
	{class: "open", fill: "paper", width: 2},
	{class: "area", fill: "transparent", stroke: "none"},
}...)

// seriesLooks are the fills f0 to f6 and the strokes s0 to s6 of series.
func seriesLooks() (out []look) {
	for i := range MaxSeries + 1 {
		out = append(out, look{class: fmt.Sprintf("f%d", i), fill: fmt.Sprintf("c%d", i)},
			look{class: fmt.Sprintf("s%d", i), stroke: fmt.Sprintf("c%d", i)})
	}
	return out
}

// palette are the colours of the page in light and in dark.
var palette = map[string][2]string{
	"paper": {"#fff", "#14171a"}, "ink": {"#1b1e21", "#e7e5df"}, "ink-2": {"#474e55", "#b6bbc0"},
	"ink-3": {"#646c74", "#949ba2"}, "hair": {"#e6e2d8", "#2a3036"}, "c0": {"#646c74", "#949ba2"},
	"c1": {"#0067a5", "#62b4ec"}, "c2": {"#b84a00", "#f2935a"}, "c3": {"#00755a", "#45c09a"}, "c4": {"#96437a", "#dc95bf"},
	"c5": {"#7d6200", "#d9b648"}, "c6": {"#3f6f8f", "#9cc3dc"},
}

// colourOf is a colour of the palette as CSS.
func colourOf(name string, dark int) string {
	if c, ok := palette[name]; ok {
		return c[dark]
	}
	return name
}

// style is the style sheet of a drawing outside of its page.
func style(dark int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `svg{background:%s}text{font-family:Inter,Arial,sans-serif;font-size:12.5px;fill:%s;`+
		`font-feature-settings:"tnum"}`, colourOf("paper", dark), colourOf("ink-2", dark))
	fmt.Fprintf(&b, ".strong{fill:%s;font-weight:600}.dim{fill:%s}", colourOf("ink", dark), colourOf("ink-3", dark))
	fmt.Fprintf(&b, ".head{font-size:%gpx}.small{font-size:%gpx}.mid{text-anchor:middle}.end{text-anchor:end}", headSize,
		smallSize)
	for _, l := range looks {
		var set []string
		add := func(key, value string) {
			if value != "" {
				set = append(set, key+":"+value)
			}
		}
		number := func(v float64) string {
			if v == 0 {
				return ""
			}
			return fmt.Sprint(v)
		}
		add("fill", colourOf(l.fill, dark))
		add("stroke", colourOf(l.stroke, dark))
		add("stroke-width", number(l.width))
		add("fill-opacity", number(l.fillOpacity))
		add("stroke-opacity", number(l.strokeOpacity))
		if len(l.dashes) > 0 {
			add("stroke-dasharray", strings.Trim(fmt.Sprint(l.dashes), "[]"))
		}
		add("", l.more)
		fmt.Fprintf(&b, ".%s{%s}", l.class, strings.ReplaceAll(strings.Join(set, ";"), ";:", ";"))
	}
	fmt.Fprintf(&b, ".halo{paint-order:stroke;stroke:%s;stroke-width:4px;stroke-linejoin:round}", colourOf("paper", dark))
	return b.String()
}

// look merges the looks of the classes; ok is false for a class that there is not.
func (k ink) look() (out look, ok bool) {
	n := 0
	for _, l := range looks {
		if !strings.Contains(" "+string(k)+" ", " "+l.class+" ") {
			continue
		}
		n++
		out.fill, out.stroke = cmp.Or(l.fill, out.fill), cmp.Or(l.stroke, out.stroke)
		out.width, out.fillOpacity = cmp.Or(l.width, out.width), cmp.Or(l.fillOpacity, out.fillOpacity)
		out.strokeOpacity = cmp.Or(l.strokeOpacity, out.strokeOpacity)
		if len(l.dashes) > 0 {
			out.dashes = l.dashes
		}
	}
	return out, n > 0 && n == len(strings.Fields(string(k)))
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

var _ color.Color = ink("")
