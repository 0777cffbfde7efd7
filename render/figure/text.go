package figure

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/rivo/uniseg"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Inter at weights 400 and 600, as OpenType: browsers load it as WOFF2. Its digits are tabular, as the style sheet asks
// for, and a character that it lacks is 1.1 em wide, rather too wide than too narrow.
var (
	//go:embed fonts/inter-400.otf
	regular []byte
	//go:embed fonts/inter-600.otf
	strong []byte
)

const strongWeight = 2 // font.WeightSemiBold

// fonts are the regular and the strong font.
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

// The font sizes of figures, in units, the distance of the baselines of lines, and the height of capitals, in ems.
const (
	textSize   = 12.5
	smallSize  = 11.5
	headSize   = 15.0
	lineHeight = 15
	headHeight = 19
	capital    = 2048.0 / 2816
)

// textStyle is how text of a size looks; strong is at weight 600.
func textStyle(size vg.Length, strong bool, k ink, align text.XAlignment) text.Style {
	f := font.Font{Size: size}
	if strong {
		f.Weight = strongWeight
	}
	return text.Style{Color: k, Font: f, XAlign: align, YAlign: text.YCenter, Handler: lettering{}}
}

// small is how small text looks that begins at its place.
func small(k ink) text.Style { return textStyle(smallSize, false, k, text.XLeft) }

// lettering is a text.Handler that measures in the fonts of the page and writes classes. A box is as high as capitals,
// so that gonum centres what readers see; above it is a gap.
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

// The classes of text by its alignment and size.
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

// leadOf is the distance of the baselines of lines.
func leadOf(t text.Style) vg.Length {
	if t.Font.Size == headSize {
		return headHeight
	}
	return lineHeight
}

// heightOf is the height of a text, from the top of its first capitals to its last baseline.
func heightOf(t text.Style, s string) vg.Length {
	return t.Font.Size*capital + leadOf(t)*vg.Length(strings.Count(s, "\n"))
}

// wrap breaks str into lines no wider than room, joined by line ends. Lines end where Unicode lets them (UAX 14) or
// after a plus sign, by which names of servers are joined; a piece that is wider than room ends anywhere.
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

// pieces splits a text after each place where a line may end. A rate keeps its unit: Unicode would let a line end in
// "5/".
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
