package figure

import (
	"strings"
	"unicode"

	"github.com/go-text/typesetting/segmenter"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// The font sizes of figures, in units, and the distance of the baselines of lines.
const (
	textSize   = 12.5
	smallSize  = 11.5
	headSize   = 15.0
	lineHeight = 15
	headHeight = 19
)

// lettering is a text.Handler that measures in the fonts of the page and writes classes. A box is as high as capitals,
// so that gonum centres what readers see; above it is a gap.
type lettering struct{ gap vg.Length }

func (lettering) Cache() *font.Cache { return nil }

func (l lettering) Extents(f font.Font) font.Extents {
	return font.Extents{Ascent: f.Size * Capital, Height: f.Size * Capital}
}

func (lettering) Lines(s string) []string { return strings.Split(s, "\n") }

func (l lettering) Box(s string, f font.Font) (width, height, depth vg.Length) {
	return vg.Length(textWidth(s, float64(f.Size), isStrong(f))), f.Size*Capital + l.gap, 0
}

func isStrong(f font.Font) bool { return f.Weight != 0 }

// Draw writes the lines of s, at the bottom of their box.
func (l lettering) Draw(c vg.Canvas, s string, style text.Style, at vg.Point) {
	lines := l.Lines(s)
	lead := leadOf(style)
	height := heightOf(style, s) + l.gap
	classes := []string{}
	switch style.XAlign {
	case text.XCenter:
		classes = append(classes, "mid")
	case text.XRight:
		classes = append(classes, "end")
	}
	switch style.Font.Size {
	case smallSize:
		classes = append(classes, "small")
	case headSize:
		classes = append(classes, "head")
	}
	if isStrong(style.Font) {
		classes = append(classes, "strong")
	}
	if k, _ := style.Color.(ink); k != "" {
		classes = append(classes, string(k))
	}
	c.SetColor(ink(strings.Join(classes, " ")))
	for i, line := range lines {
		y := at.Y + height*vg.Length(style.YAlign) + lead*vg.Length(len(lines)-1-i)
		c.FillString(font.Face{Font: style.Font, Face: typefaceOf(isStrong(style.Font)).outlines}, vg.Point{X: at.X, Y: y}, line)
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
	return t.Font.Size*Capital + leadOf(t)*vg.Length(strings.Count(s, "\n"))
}

// style is how text of a size looks; strong is at weight 600.
func (s *sheet) style(size vg.Length, strong bool, k ink, align text.XAlignment) text.Style {
	f := font.Font{Size: size}
	if strong {
		f.Weight = 2
	}
	return text.Style{Color: k, Font: f, XAlign: align, YAlign: text.YCenter, Handler: lettering{}}
}

// wrap breaks str into lines no wider than room, joined by line ends. Lines end where Unicode lets them (UAX 14) or
// after a plus sign, by which names of servers are joined; a piece that is wider than room ends anywhere.
func (s *sheet) wrap(t text.Style, str string, room float64) string {
	wide := func(line string) bool { return float64(t.Width(strings.TrimRight(line, " "))) > room }
	if !wide(str) {
		return str
	}
	var lines []string
	line := ""
	add := func(piece string) {
		if line != "" && wide(line+piece) {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		}
		line += piece
	}
	for _, piece := range splitLine(str) {
		if !wide(piece) {
			add(piece)
			continue
		}
		for _, c := range splitCharacters(piece) {
			add(c)
		}
	}
	return strings.Join(append(lines, strings.TrimRight(line, " ")), "\n")
}

// splitLine splits a text after each place where a line may end. A rate keeps its unit: Unicode would let a line end in
// "5/".
func splitLine(str string) (pieces []string) {
	var seg segmenter.Segmenter
	seg.Init([]rune(str))
	for it := seg.LineIterator(); it.Next(); {
		piece := string(it.Line().Text)
		if last := len(pieces) - 1; last >= 0 && strings.HasSuffix(pieces[last], "/") && isPerSecond(piece) {
			pieces[last] += piece
			continue
		}
		pieces = append(pieces, strings.SplitAfter(piece, "+")...)
	}
	return pieces
}

// isPerSecond reports whether a text begins with the s of a rate, and not with a word.
func isPerSecond(str string) bool {
	rest, ok := strings.CutPrefix(str, "s")
	return ok && !strings.ContainsFunc(rest[:min(1, len(rest))], unicode.IsLetter)
}

// splitCharacters splits a text into what readers take for characters.
func splitCharacters(str string) (pieces []string) {
	var seg segmenter.Segmenter
	seg.Init([]rune(str))
	for it := seg.GraphemeIterator(); it.Next(); {
		pieces = append(pieces, string(it.Grapheme().Text))
	}
	return pieces
}
