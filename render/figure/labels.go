package figure

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/segmenter"
	"gonum.org/v1/plot/text"
)

// clearance is how far apart two texts of one line stay, in units: less reads as one text.
const clearance = 5

// spot is a place that a label may take: on the centre line y, beginning at x (text.XLeft) or ending there
// (text.XRight).
type spot struct {
	x, y  float64
	align text.XAlignment
}

// beside are the spots right and left of x.
func beside(x, y, gap float64) []spot {
	return []spot{{x + gap, y, text.XLeft}, {x - gap, y, text.XRight}}
}

// place writes a label of one line at the first spot within area where it hits no text, no mark and no line, or else at
// the first where it hits no text and no mark. If there is none it writes nothing and reports false.
func (s *sheet) place(t textStyle, label string, area rect, spots []spot) bool {
	return s.placeClear(t, label, area, spots, s.routes) || s.placeClear(t, label, area, spots, nil)
}

// placeClear is place for lines on routes alone.
func (s *sheet) placeClear(t textStyle, label string, area rect, spots []spot, routes []rect) bool {
	for _, sp := range spots {
		if box := t.boxAt(s.metrics, sp, label); area.contains(box) && s.free(box) && !slices.ContainsFunc(routes, box.hits) {
			t.align = sp.align
			s.text(t, point{sp.x, sp.y + t.middle()}, label)
			return true
		}
	}
	return false
}

// boxAt is where a label stands at a spot.
func (t textStyle) boxAt(m *Metrics, at spot, label string) rect {
	t.align = at.align
	return t.box(m, point{at.x, at.y + t.middle()}, label)
}

// away is how far a rectangle is from a point.
func (r rect) away(p point) float64 {
	return math.Hypot(max(r.x0-p.x, 0, p.x-r.x1), max(r.y0-p.y, 0, p.y-r.y1))
}

// awayFrom is how far a rectangle is from the line between two points.
func (r rect) awayFrom(a, b point) float64 {
	least := math.Inf(1)
	for _, piece := range pieces([]point{a, b}) {
		least = min(least, r.away(point{(piece.x0 + piece.x1) / 2, (piece.y0 + piece.y1) / 2}))
	}
	return least
}

// pieces are boxes along lines between points, short enough that they hit nothing that the lines do not come near to.
// One that is level or upright needs no more than one.
func pieces(points []point) []rect {
	const (
		length = 4.0
		pen    = .5 // half the width of a line
	)
	var out []rect
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		n := math.Ceil(math.Hypot(b.x-a.x, b.y-a.y) / length)
		if a.x == b.x || a.y == b.y {
			n = min(n, 1)
		}
		at := func(k float64) point { return point{a.x + (b.x-a.x)*k/n, a.y + (b.y-a.y)*k/n} }
		for k := range int(n) {
			p, q := at(float64(k)), at(float64(k+1))
			out = append(out, rect{min(p.x, q.x), min(p.y, q.y), max(p.x, q.x), max(p.y, q.y)}.grow(pen, pen))
		}
	}
	return out
}

// free tells whether a text in box would stand clear of what is there.
func (s *sheet) free(box rect) bool {
	return !slices.ContainsFunc(s.texts, box.grow(clearance, 1).hits) && !slices.ContainsFunc(s.marks, box.grow(1, 1).hits)
}

// wrap breaks str into lines no wider than room. Lines end where Unicode lets them (UAX 14) or behind a plus sign,
// by which names of servers are joined; in a word wider than room also behind other punctuation; and in what is then
// still too wide between any two characters.
func (s *sheet) wrap(t textStyle, str string, room float64) []string {
	if s.wide(t, str) <= room {
		return []string{str}
	}
	lines := s.pour(t, []string{""}, str, room, splitLine, splitWord, splitCharacters)
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// pour appends str to the last of lines, piece by piece, and starts another line where a piece finds no room. Pieces
// come from the first of splits; one that is too wide for a whole line is split by the next.
func (s *sheet) pour(t textStyle, lines []string, str string, room float64, splits ...func(string) []string) []string {
	for _, piece := range splits[0](str) {
		last := &lines[len(lines)-1]
		switch {
		case s.wide(t, strings.TrimRight(*last+piece, " ")) <= room:
			*last += piece
		case len(splits) > 1 && s.wide(t, strings.TrimRight(piece, " ")) > room:
			lines = s.pour(t, lines, piece, room, splits[1:]...)
		case *last == "":
			*last = piece
		default:
			lines = append(lines, piece)
		}
	}
	return lines
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

// isPerSecond tells whether a text begins with the s of a rate, and not with a word.
func isPerSecond(str string) bool {
	rest, ok := strings.CutPrefix(str, "s")
	return ok && !strings.ContainsFunc(rest[:min(1, len(rest))], unicode.IsLetter)
}

// splitWord splits a word after each run of punctuation.
func splitWord(str string) (pieces []string) {
	start, inRun := 0, false
	for i, r := range str {
		mark := unicode.IsPunct(r) || unicode.IsSymbol(r)
		if inRun && !mark {
			pieces = append(pieces, str[start:i])
			start = i
		}
		inRun = mark
	}
	return append(pieces, str[start:])
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
