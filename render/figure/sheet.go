package figure

import (
	"cmp"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// point and rect are in the drawing's coordinates: x to the right, y down, origin top left, in units.
type (
	point struct{ x, y float64 }
	rect  struct{ x0, y0, x1, y1 float64 }
)

// hits tells whether two rectangles share more than an edge.
func (r rect) hits(o rect) bool { return r.x0 < o.x1 && o.x0 < r.x1 && r.y0 < o.y1 && o.y0 < r.y1 }

// contains tells whether o lies in r, edges included.
func (r rect) contains(o rect) bool {
	return r.x0 <= o.x0 && o.x1 <= r.x1 && r.y0 <= o.y0 && o.y1 <= r.y1
}

// grow moves the sides of r outwards, by dx left and right and by dy above and below.
func (r rect) grow(dx, dy float64) rect { return rect{r.x0 - dx, r.y0 - dy, r.x1 + dx, r.y1 + dy} }

// corners are those of r, from the upper left one to the right.
func (r rect) corners() []point {
	return []point{{r.x0, r.y0}, {r.x1, r.y0}, {r.x1, r.y1}, {r.x0, r.y1}}
}

// sheet is a drawing in the making. It keeps where text and marks are, so that labels can stay clear of both.
type sheet struct {
	canvas  *canvas
	draw    draw.Canvas
	metrics *Metrics
	width   float64
	texts   []rect
	marks   []rect
	routes  []rect // of lines that lead through a frame: labels stay clear of them too where they can
	hits    []hit
}

// hit is a part of the sheet whose words a browser shows when it is pointed at.
type hit struct {
	area  rect
	words string
}

func newSheet(m *Metrics, width Width) *sheet {
	c := newCanvas()
	s := &sheet{canvas: c, draw: draw.Canvas{Canvas: c}, metrics: m, width: float64(width)}
	c.drawn = s.remember
	return s
}

// remember keeps where a shape is for labels that are placed later: they stand clear of what is drawn.
func (s *sheet) remember(classes []string, points []point) {
	marks := obstacles(classes, points)
	switch box := bounds(points); {
	case len(marks) == 0 && slices.Contains(classes, "line"):
		s.routes = append(s.routes, pieces(points)...)
	case len(marks) > 0 && (slices.Contains(classes, "pt") || slices.Contains(classes, "open")):
		x, y := (box.x0+box.x1)/2, (box.y0+box.y1)/2
		s.marks = append(s.marks, rect{min(box.x0, x-glyphReach), min(box.y0, y-glyphReach),
			max(box.x1, x+glyphReach), max(box.y1, y+glyphReach)})
	case len(marks) > 0 && box.x0 == box.x1:
		s.marks = append(s.marks, box.grow(1, 0))
	case len(marks) > 0 && box.y0 == box.y1:
		s.marks = append(s.marks, box.grow(0, 1))
	default:
		s.marks = append(s.marks, marks...)
	}
}

// isNarrow tells whether the sheet is that of a telephone.
func (s *sheet) isNarrow() bool { return s.width == float64(Narrow) }

// vgPoint is p as gonum has it.
func vgPoint(p point) vg.Point { return vg.Point{X: vg.Length(p.x), Y: vg.Length(-p.y)} }

func vgPoints(points []point) []vg.Point {
	out := make([]vg.Point, len(points))
	for i, p := range points {
		out[i] = vgPoint(p)
	}
	return out
}

// textStyle is how a text looks: its size and weight, which decide its width, and its ink.
type textStyle struct {
	ink    ink
	strong bool
	small  bool
	align  text.XAlignment
}

// The two font sizes of figures, in units.
const (
	textSize  = 12.5
	smallSize = 11.5
)

func (t textStyle) size() float64 {
	if t.small {
		return smallSize
	}
	return textSize
}

// middle is how far below its centre line a text has its baseline.
func (t textStyle) middle() float64 { return t.size() * Capital / 2 }

// classes are those of the style, in the order of a drawing.
func (t textStyle) classes() string {
	var out []string
	switch t.align {
	case text.XCenter:
		out = append(out, "mid")
	case text.XRight:
		out = append(out, "end")
	}
	if t.small {
		out = append(out, "small")
	}
	if t.strong {
		out = append(out, "strong")
	}
	if t.ink != "" {
		out = append(out, string(t.ink))
	}
	return strings.Join(out, " ")
}

func (s *sheet) wide(t textStyle, str string) float64 {
	return s.metrics.Width(str, t.size(), t.strong)
}

func (s *sheet) widest(t textStyle, lines []string) (w float64) {
	for _, line := range lines {
		w = max(w, s.wide(t, line))
	}
	return w
}

// box is where str stands with its anchor at p, from the top of its highest letters to the foot of its lowest.
func (t textStyle) box(m *Metrics, p point, str string) rect {
	w := m.Width(str, t.size(), t.strong)
	x := p.x + w*float64(t.align)
	return rect{x, p.y - t.size()*Ascent, x + w, p.y + t.size()*Descent}
}

// text writes str with its anchor on the baseline at p.
func (s *sheet) text(t textStyle, p point, str string) {
	if str == "" {
		return
	}
	s.texts = append(s.texts, t.box(s.metrics, p, str))
	s.canvas.text(vgPoint(p), t.classes(), str)
}

// lines writes lines one below the other, the first with its anchor on the baseline at p.
func (s *sheet) lines(t textStyle, p point, lead float64, lines []string) {
	for i, line := range lines {
		s.text(t, point{p.x, p.y + lead*float64(i)}, line)
	}
}

// block is a text in lines, with the place of the first.
type block struct {
	style textStyle
	lines []string
	at    point
}

// block wraps a text, which has no place yet.
func (s *sheet) block(t textStyle, str string, room float64) block {
	return block{t, s.wrap(t, str, room), point{}}
}

// write writes a text with lines as far apart as those of names.
func (s *sheet) write(b block) { s.lines(b.style, b.at, lineHeight, b.lines) }

func (s *sheet) stroke(k ink, points ...point) { s.draw.StrokeLines(pen(k), vgPoints(points)) }

// rule draws a vertical line that stays away from the texts that are there: what would show between their letters and
// lines looks like a mark.
func (s *sheet) rule(k ink, x, top, bottom float64) {
	const (
		apartX, apartY = 3, 2 // from a text
		shortest       = 6    // piece worth drawing
	)
	var crossed []rect
	for _, box := range s.texts {
		if box = box.grow(apartX, apartY); box.x0 < x && x < box.x1 {
			crossed = append(crossed, box)
		}
	}
	slices.SortFunc(crossed, func(a, b rect) int { return cmp.Compare(a.y0, b.y0) })
	crossed = append(crossed, rect{y0: bottom, y1: bottom})
	var p vg.Path
	for _, box := range crossed {
		if end := min(box.y0, bottom); end-top >= shortest {
			p.Move(vgPoint(point{x, top}))
			p.Line(vgPoint(point{x, end}))
		}
		top = max(top, box.y1)
	}
	s.draw.SetLineStyle(pen(k))
	s.draw.Stroke(p)
}

// fill draws an area whose outline runs along points and back to the first.
func (s *sheet) fill(k ink, points ...point) { s.draw.FillPolygon(k, vgPoints(points)) }

// fillOpen draws an area whose outline stays away between the last point and the first.
func (s *sheet) fillOpen(k ink, points ...point) {
	p := make(vg.Path, len(points))
	for i, at := range points {
		p[i] = vg.PathComp{Type: vg.LineComp, Pos: vgPoint(at)}
	}
	p[0].Type = vg.MoveComp
	s.draw.SetColor(k)
	s.draw.Fill(p)
}

// hatch fills a rectangle with strokes from its lower left to its upper right: something stood here and fell.
func (s *sheet) hatch(r rect) {
	const step = 4
	var p vg.Path
	height := r.y1 - r.y0
	for x := r.x0 - height + step/2; x < r.x1; x += step {
		from, to := point{x, r.y1}, point{x + height, r.y0}
		if from.x < r.x0 {
			from = point{r.x0, r.y1 - (r.x0 - x)}
		}
		if to.x > r.x1 {
			to = point{r.x1, r.y0 + (x + height - r.x1)}
		}
		p.Move(vgPoint(from))
		p.Line(vgPoint(to))
	}
	s.draw.SetLineStyle(pen("hatch"))
	s.draw.Stroke(p)
	s.stroke("hatch", append(r.corners(), point{r.x0, r.y0})...)
}

func (s *sheet) fillRect(k ink, r rect) { s.fill(k, r.corners()...) }

// arrow draws a line to the right with a head at its end.
func (s *sheet) arrow(k ink, from, tip point) {
	const head = 3.5
	s.stroke(k, from, tip)
	back := tip.x - head - 1
	s.stroke(k, point{back, tip.y - head}, tip, point{back, tip.y + head})
}

// hit lets an area show words. Without words there is nothing to show.
func (s *sheet) hit(area rect, words string) {
	if words = oneLine(words); words != "" {
		s.hits = append(s.hits, hit{area, words})
	}
}

// document draws the areas that can be pointed at above all else, and wraps the sheet into an svg element.
func (s *sheet) document(width Width, height float64, head Head) ([]byte, error) {
	drawn := len(s.canvas.body)
	for _, h := range s.hits {
		s.canvas.beginHit(h.words)
		s.fillRect("area", h.area)
		s.canvas.end()
	}
	return s.canvas.document(width, height, drawn, head)
}

// glyphs are the marks of series, so that each has a shape as well as a colour: corners in units of the circle's
// radius, and large enough to weigh as much. The first series has the circle, which has no corners.
var glyphs = [MaxSeries][]point{
	nil,
	{{0, -1.28}, {1.28, 0}, {0, 1.28}, {-1.28, 0}},
	{{-.95, -.95}, {.95, -.95}, {.95, .95}, {-.95, .95}},
	{{0, -1.3}, {1.25, .95}, {-1.25, .95}},
	{{0, 1.3}, {-1.25, -.95}, {1.25, -.95}},
	{
		{-.5, -1.28}, {.5, -1.28}, {.5, -.5}, {1.28, -.5}, {1.28, .5}, {.5, .5},
		{.5, 1.28}, {-.5, 1.28}, {-.5, .5}, {-1.28, .5}, {-1.28, -.5}, {-.5, -.5},
	},
}

// seriesGlyph is the mark of a series, counted from 1; that of 0 is the first one's. It is a draw.GlyphDrawer.
type seriesGlyph int

// DrawGlyph draws the mark in the colour that the canvas has.
func (g seriesGlyph) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	corners := glyphs[max(0, g-1)]
	if corners == nil {
		draw.CircleGlyph{}.DrawGlyph(c, style, at)
		return
	}
	outline := make([]vg.Point, len(corners))
	for i, k := range corners {
		outline[i] = at.Add(vgPoint(k).Scale(style.Radius))
	}
	c.FillPolygon(style.Color, outline)
}

func (s *sheet) glyph(style draw.GlyphStyle, at point) { s.draw.DrawGlyphNoClip(style, vgPoint(at)) }

// mark is a point of a series, filled or open.
func mark(series int, open bool, radius vg.Length) draw.GlyphStyle {
	k := fillInk(series) + " pt"
	if open {
		k = "open " + strokeInk(series)
	}
	return draw.GlyphStyle{Color: k, Radius: radius, Shape: seriesGlyph(series)}
}

// fillInk and strokeInk are the colour of a series, counted from 1; 0 is grey.
func fillInk(series int) ink   { return ink("f" + string(rune('0'+series))) }
func strokeInk(series int) ink { return ink("s" + string(rune('0'+series))) }
