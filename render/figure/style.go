package figure

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rivo/uniseg"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// CSS styles the classes of drawings, on pages and in files.
//
//go:embed figure.css
var CSS string

// ink is a list of CSS classes. It passes through gonum as a color.Color, up to SetColor.
type ink string

// RGBA implements color.Color. Canvases read the classes instead.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }

// palette returns the light and dark colours of CSS by variable.
var palette = sync.OnceValue(func() map[string][2]string {
	out := map[string][2]string{"var(--sans)": {"Inter, Arial, sans-serif", "Inter, Arial, sans-serif"}}
	for _, m := range regexp.MustCompile(`(--[\w-]+): light-dark\((#\w+), (#\w+)\)`).FindAllStringSubmatch(CSS, -1) {
		out["var("+m[1]+")"] = [2]string{m[2], m[3]}
	}
	return out
})

// comments matches the comments of CSS, which drawings leave out.
var comments = regexp.MustCompile(`(?s)/\*.*?\*/\n?`)

// style returns the style sheet of a drawing outside its page; dark is 0 or 1.
func style(dark int) string {
	_, rules, _ := strings.Cut(comments.ReplaceAllString(CSS, ""), "}\n") // of colours
	var colours []string
	for variable, colour := range palette() {
		colours = append(colours, variable, colour[dark])
	}
	return strings.NewReplacer(colours...).Replace("svg { background: var(--paper); }\n" + rules)
}

// rule holds the declarations of CSS for a class.
type rule struct {
	class        string
	declarations map[string]string
}

// rules returns the rules of CSS for classes inside drawings, in order.
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

// declarations returns what CSS declares for the classes together.
func (k ink) declarations() map[string]string {
	out, classes := map[string]string{}, strings.Fields(string(k))
	for _, r := range rules() {
		if slices.Contains(classes, r.class) {
			maps.Copy(out, r.declarations)
		}
	}
	return out
}

// glyphs has the forms of series, so that colour is not the only cue: corners in units of the radius. The first is a
// circle.
var glyphs = [MaxSeries][]vg.Point{
	nil,
	{{X: 0, Y: 1.28}, {X: 1.28}, {X: 0, Y: -1.28}, {X: -1.28}},
	{{X: -.95, Y: .95}, {X: .95, Y: .95}, {X: .95, Y: -.95}, {X: -.95, Y: -.95}},
	{{X: 0, Y: 1.3}, {X: 1.25, Y: -.95}, {X: -1.25, Y: -.95}},
	{{X: 0, Y: -1.3}, {X: -1.25, Y: .95}, {X: 1.25, Y: .95}},
	{{X: -.5, Y: 1.28}, {X: .5, Y: 1.28}, {X: .5, Y: .5}, {X: 1.28, Y: .5}, {X: 1.28, Y: -.5}, {X: .5, Y: -.5},
		{X: .5, Y: -1.28}, {X: -.5, Y: -1.28}, {X: -.5, Y: -.5}, {X: -1.28, Y: -.5}, {X: -1.28, Y: .5}, {X: -.5, Y: .5}},
}

// seriesGlyph is a series as a draw.GlyphDrawer of its form.
type seriesGlyph int

// DrawGlyph draws the form of the series; grey is a circle, like the first.
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

// glyph returns the mark of a series, filled or open.
func glyph(series int, open bool, radius vg.Length) draw.GlyphStyle {
	k := fillInk(series) + " pt"
	if open {
		k = "open " + strokeInk(series)
	}
	return draw.GlyphStyle{Color: k, Radius: radius, Shape: seriesGlyph(series)}
}

// fillInk and strokeInk return the colour of a series.
func fillInk(series int) ink   { return ink(fmt.Sprintf("f%d", series)) }
func strokeInk(series int) ink { return ink(fmt.Sprintf("s%d", series)) }

// pen returns a line style of classes. They set the width; the one for gonum only has to be positive and tiny.
func pen(k ink) draw.LineStyle { return draw.LineStyle{Color: k, Width: 1e-9} }

// Inter at weights 400 and 600 as OpenType, while browsers load WOFF2. Digits are tabular, as in the style sheet.
// Missing characters count as 1.1 em wide, which is too wide rather than too narrow.
var (
	//go:embed fonts/inter-400.otf
	regular []byte
	//go:embed fonts/inter-600.otf
	strong []byte
)

const strongWeight = 2 // font.WeightSemiBold

// fonts returns the regular and the strong font.
var fonts = sync.OnceValue(func() *font.Cache {
	face := func(f font.Font, data []byte) font.Face {
		outlines, err := opentype.Parse(data)
		if err != nil {
			panic(fmt.Sprintf("reading a font of figures: %v", err))
		}
		return font.Face{Font: f, Face: outlines}
	}
	return font.NewCache(font.Collection{face(font.Font{}, regular), face(font.Font{Weight: strongWeight}, strong)})
})

// Font sizes and baseline distances, in units, and the height of capitals, in ems.
const (
	textSize   = 12.5
	smallSize  = 11.5
	headSize   = 15.0
	lineHeight = 15
	headHeight = 19
	capital    = 2048.0 / 2816
)

// textStyle returns the style of a text; strong means weight 600.
func textStyle(size vg.Length, strong bool, k ink, align text.XAlignment) text.Style {
	f := font.Font{Size: size}
	if strong {
		f.Weight = strongWeight
	}
	return text.Style{Color: k, Font: f, XAlign: align, YAlign: text.YCenter, Handler: lettering{}}
}

// small returns the style of small text, aligned left.
func small(k ink) text.Style { return textStyle(smallSize, false, k, text.XLeft) }

// lettering is a text.Handler that measures in the fonts of the page and writes classes. A box is as high as capitals,
// so that gonum centres what readers see, plus a gap above.
type lettering struct{ gap vg.Length }

func (lettering) Cache() *font.Cache { return fonts() }

func (lettering) Extents(f font.Font) font.Extents {
	return font.Extents{Ascent: f.Size * capital, Height: f.Size * capital}
}

func (lettering) Lines(s string) []string { return strings.Split(s, "\n") }

func (l lettering) Box(s string, f font.Font) (width, height, depth vg.Length) {
	face := fonts().Lookup(f, f.Size)
	return face.Width(s), f.Size*capital + l.gap, 0
}

// The classes of text by alignment and size.
var (
	alignClass = map[text.XAlignment]string{text.XCenter: "mid ", text.XRight: "end "}
	sizeClass  = map[vg.Length]string{smallSize: "small ", headSize: "head "}
)

// Draw writes the lines of s, at the bottom of their box.
func (l lettering) Draw(c vg.Canvas, s string, style text.Style, at vg.Point) {
	classes := alignClass[style.XAlign] + sizeClass[style.Font.Size]
	if style.Font.Weight == strongWeight {
		classes += "strong "
	}
	k, _ := style.Color.(ink)
	c.SetColor(ink(strings.TrimSpace(classes + string(k))))
	at.Y += (heightOf(style, s) + l.gap) * vg.Length(style.YAlign)
	lines := l.Lines(s)
	for i, line := range lines {
		below := leadOf(style) * vg.Length(len(lines)-1-i)
		c.FillString(fonts().Lookup(style.Font, style.Font.Size), vg.Point{X: at.X, Y: at.Y + below}, line)
	}
}

// leadOf returns the distance between baselines.
func leadOf(t text.Style) vg.Length {
	if t.Font.Size == headSize {
		return headHeight
	}
	return lineHeight
}

// heightOf returns the height of a text from the top of its capitals to its last baseline.
func heightOf(t text.Style, s string) vg.Length {
	return t.Font.Size*capital + leadOf(t)*vg.Length(strings.Count(s, "\n"))
}

// wrap breaks str into lines no wider than room, separated by "\n". Lines end where Unicode allows it (UAX 14) or after
// a plus sign, as in names of servers; wider pieces break anywhere.
func wrap(t text.Style, str string, room float64) string {
	wide := func(line string) bool { return float64(t.Width(strings.TrimRight(line, " "))) > room }
	str = oneLine(str)
	if !wide(str) {
		return str
	}
	var lines []string
	line := ""
	for _, piece := range pieces(str) {
		parts := []string{piece}
		if wide(piece) {
			parts = strings.Split(piece, "")
		}
		for _, part := range parts {
			if line != "" && wide(line+part) {
				lines, line = append(lines, strings.TrimRight(line, " ")), ""
			}
			line += part
		}
	}
	return strings.Join(append(lines, strings.TrimRight(line, " ")), "\n")
}

// pieces splits a text after each place where a line may end. It keeps "5/s" together, which Unicode would not.
func pieces(str string) (out []string) {
	const joiner = "\u2060"
	rest, state := strings.ReplaceAll(str, "/s", "/"+joiner+"s"), -1
	for rest != "" {
		var piece string
		piece, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		out = append(out, strings.SplitAfter(strings.ReplaceAll(piece, joiner, ""), "+")...)
	}
	return out
}
