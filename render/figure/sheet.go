package figure

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sheet is a figure while it is drawn, from the top down.
type sheet struct {
	Spec
	draw  draw.Canvas
	width float64
	y     float64 // height drawn so far
	hits  []hit
}

// hit is an area with a tooltip.
type hit struct {
	area  vg.Rectangle
	words string
}

// SVG draws the figure for a page, as an svg element of class full or narrow.
//
// It fails if a value is not finite or off its scale, or if there is nothing to draw.
func (s Spec) SVG(w Width) ([]byte, error) {
	return s.write(w, "", (*sheet).paint)
}

// File draws the figure for use outside its page: with its title, source, a style for light and dark, and facts (name
// and value) as metadata. It does not embed Inter; the fallback, Arial, is narrower.
//
// Source: docs/results.md#provenance-of-files.
func (s Spec) File(facts [][2]string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<style>%s@media (prefers-color-scheme:dark){%s}</style>\n<metadata>\n", style(0), style(1))
	for _, fact := range facts {
		if fact[1] != "" {
			fmt.Fprintln(&b, escape(fact[0]+": "+fact[1]))
		}
	}
	b.WriteString("</metadata>\n")
	return s.write(Full, b.String(), (*sheet).headed)
}

func (s Spec) write(w Width, before string, paint func(*sheet)) ([]byte, error) {
	spec, err := s.prepared()
	if err != nil {
		return nil, err
	}
	c := &canvas{}
	sh := &sheet{Spec: spec, draw: draw.Canvas{Canvas: c}, width: float64(w)}
	paint(sh)
	id, words, hits, space := escape(spec.ID), "", "", ""
	if before != "" {
		space = ` xmlns="http://www.w3.org/2000/svg"`
	}
	if w != Narrow { // a phone has no pointer, and the page describes the figure once
		words = fmt.Sprintf("<desc id=\"%s-d\">%s</desc>\n", id, escape(spec.Desc))
		if spec.Title != "" {
			words = fmt.Sprintf("<title id=\"%s-t\">%s</title>", id, escape(spec.Title)) + words
		}
		hits = sh.areas()
	}
	return fmt.Appendf(nil, `<svg class="%s" viewBox="0 0 %d %s" role="img" aria-labelledby="%s-t" `+
		`aria-describedby="%[4]s-d"%[9]s>`+"\n%[5]s%[6]s<g aria-hidden=\"true\">\n%[7]s%[8]s</g>\n</svg>\n",
		w.class(), w, inUnits(tenths(vg.Length(sh.y))), id, before, words, c.body(), hits, space), nil
}

// areas returns the areas with tooltips as SVG.
func (s *sheet) areas() string {
	if len(s.hits) == 0 {
		return ""
	}
	var b strings.Builder
	for _, h := range s.hits {
		size := h.area.Size()
		fmt.Fprintf(&b, `<path d="M%sh%sv%sh%s"><title>%s</title></path>`, pair(tenths(h.area.Min.X), tenths(-h.area.Max.Y)),
			inUnits(tenths(size.X)), inUnits(tenths(size.Y)), inUnits(tenths(-size.X)), escape(h.words))
	}
	return `<g class="area">` + b.String() + "</g>\n"
}

// headed draws the figure with its title and source.
func (s *sheet) headed() {
	s.y += 4
	s.block(textStyle(headSize, true, "", text.XLeft), s.Title, 0, 8)
	s.block(textStyle(textSize, false, "", text.XLeft), s.Sub, 0, 10)
	s.y += 4
	s.paint()
	if s.Source != "" {
		s.y += 10
		s.block(small("dim"), s.Source, 0, 6)
	}
}

func (s *sheet) paint() {
	s.paintKey()
	if len(s.Rows) > 0 {
		s.paintRows()
	} else {
		s.paintFrames()
	}
	for _, note := range s.Notes {
		s.block(small("dim"), note, 0, 6)
	}
}

// block writes a wrapped text, with space below it.
func (s *sheet) block(t text.Style, str string, x, below float64) {
	if str == "" {
		return
	}
	str = wrap(t, str, s.width-x)
	t.YAlign = text.YTop
	s.draw.FillText(t, vg.Point{X: vg.Length(x), Y: vg.Length(-s.y)}, str)
	s.y += float64(heightOf(t, str)) + below
}

// paintKey draws the key, with as many entries in a line as fit.
func (s *sheet) paintKey() {
	const thumb, apart, line = 12, 18, 17
	x := 0.0
	for _, k := range s.Key {
		name := oneLine(k.Name)
		t := small("dim")
		if k.Shape < Published && !k.Band {
			t = textStyle(smallSize, true, fillInk(k.Series), text.XLeft)
		}
		t.YAlign = text.YTop
		wide := thumb + float64(t.Width(name+" "))
		if x > 0 && x+wide > s.width {
			x, s.y = 0, s.y+line
		}
		at := vg.Point{X: vg.Length(x), Y: vg.Length(-s.y)}
		k.draw(s.draw, at.Add(vg.Point{X: thumb / 2, Y: -heightOf(t, name) / 2}))
		s.draw.FillText(t, at.Add(vg.Point{X: thumb + t.Width(" ")}), name)
		x += wide + apart
	}
	if len(s.Key) > 0 {
		s.y += line
	}
}

// draw draws the shape of the entry.
func (k Key) draw(c draw.Canvas, at vg.Point) {
	switch {
	case k.Band:
		box(c, bandInk, at.X-6, at.Y-5, at.X+4, at.Y+5)
	case k.Shape == Rule:
		tick(c, "axis", at)
	case k.Shape == Published:
		tick(c, "ghost", at)
	default:
		c.DrawGlyphNoClip(glyph(k.Series, false, dotRadius), at)
	}
}

// bandInk is the colour of bands.
const bandInk ink = "band faint f0"

func box(c draw.Canvas, k ink, x0, y0, x1, y1 vg.Length) {
	c.FillPolygon(k, []vg.Point{{X: x0, Y: y1}, {X: x1, Y: y1}, {X: x1, Y: y0}, {X: x0, Y: y0}})
}

func tick(c draw.Canvas, k ink, at vg.Point) {
	c.StrokeLine2(pen(k), at.X, at.Y-tickHeight/2, at.X, at.Y+tickHeight/2)
}

// spot returns the place of a value in a frame.
func spot(c draw.Canvas, p *plot.Plot, x, y float64) vg.Point {
	return vg.Point{X: c.X(p.X.Norm(x)), Y: c.Y(p.Y.Norm(y))}
}

// newPlot returns a plot without axis lines, in the fonts of the page.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	t := textStyle(smallSize, false, "dim", text.XCenter)
	p.Title.TextStyle, p.Legend.TextStyle = t, t
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Padding, a.LineStyle, a.Tick.LineStyle, a.Tick.Length = 0, draw.LineStyle{}, draw.LineStyle{}, 0
		a.Label.TextStyle, a.Tick.Label, a.Tick.Marker = t, t, plot.ConstantTicks(nil)
		a.Min, a.Max = 0, 1
	}
	p.X.Tick.Label.YAlign, p.X.Tick.Label.Handler = text.YTop, lettering{gap: tickGap}
	p.Y.Tick.Label.XAlign = text.XRight
	return p
}

// setAxis sets up an axis of gonum, with as many ticks as fit on a length.
func setAxis(g *plot.Axis, a Axis, e extent, length float64, upright bool) {
	const between, lines = 14.0, 18.0
	g.Scale = a.Scale
	if !e.some {
		return
	}
	lo, hi := e.ends(a)
	for _, set := range a.tickSets(lo, hi) {
		g.Min, g.Max, g.Tick.Marker = set.lo, set.hi, plot.ConstantTicks(set.ticks)
		hasRoom := true
		for i := range set.ticks[1:] {
			l, r := set.ticks[i], set.ticks[i+1]
			need := lines
			if !upright {
				need = float64(g.Tick.Label.Width(l.Label)+g.Tick.Label.Width(r.Label))/2 + between
			}
			hasRoom = hasRoom && length*(g.Norm(r.Value)-g.Norm(l.Value)) >= need
		}
		if hasRoom {
			return
		}
	}
}

// ticksOf returns the ticks of an axis.
func ticksOf(g *plot.Axis) []plot.Tick { return g.Tick.Marker.Ticks(g.Min, g.Max) }

// note returns the name of an axis, and that it is logarithmic, or where it starts if not at zero.
func note(a Axis, g *plot.Axis) string {
	ticks := ticksOf(g)
	words := ""
	switch {
	case len(ticks) == 0 || len(a.Ticks) > 0 && a.Scale == Linear:
	case a.Scale == Log:
		words = "log scale"
	case g.Min > 0:
		words = "the axis starts at " + ticks[0].Label
	case g.Max < 0:
		words = "the axis ends at " + ticks[len(ticks)-1].Label
	}
	if a.Name != "" && words != "" {
		return a.Name + "; " + words
	}
	return a.Name + words
}

// plotFunc is a function as a plot.Plotter.
type plotFunc func(c draw.Canvas, p *plot.Plot)

func (f plotFunc) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// add adds plotters, and hides their requests for room beyond the frame.
func add(p *plot.Plot, plotters ...plot.Plotter) {
	for _, q := range plotters {
		p.Add(struct{ plot.Plotter }{q})
	}
}

// hit gives an area a tooltip, unless words are empty.
func (s *sheet) hit(area vg.Rectangle, words string) {
	if words != "" {
		s.hits = append(s.hits, hit{area, words})
	}
}

// around returns the square around a point.
func around(at vg.Point, reach vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: at.X - reach, Y: at.Y - reach}, Max: vg.Point{X: at.X + reach, Y: at.Y + reach}}
}

// segment returns a line between two points of a frame.
func segment(k ink, x0, y0, x1, y1 float64) plot.Plotter {
	return &plotter.Line{XYs: plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y1}}, LineStyle: pen(k)}
}

// upright and level return lines through a whole frame.
func upright(k ink, p *plot.Plot, v float64) plot.Plotter { return segment(k, v, p.Y.Min, v, p.Y.Max) }
func level(k ink, p *plot.Plot, v float64) plot.Plotter   { return segment(k, p.X.Min, v, p.X.Max, v) }

// beyond returns an end of an interval; an open end is put outside the frame, where gonum clips it.
func beyond(g *plot.Axis, v float64) float64 {
	if !math.IsInf(v, 0) {
		return v
	}
	lo, hi := g.Min-(g.Max-g.Min), g.Max+(g.Max-g.Min)
	if g.Scale == Log {
		lo, hi = g.Min*g.Min/g.Max, g.Max*g.Max/g.Min
	}
	if v < 0 {
		return lo
	}
	return hi
}

// whiskers returns the intervals of a mark in X and Y.
func whiskers(k ink, m Mark, p *plot.Plot, caps vg.Length) []plot.Plotter {
	at := plotter.XYs{{X: m.X, Y: m.Y}}
	var out []plot.Plotter
	if !math.IsNaN(m.XLo) {
		out = append(out, &plotter.XErrorBars{XYs: at, LineStyle: pen(k), CapWidth: caps,
			XErrors: plotter.XErrors{{Low: m.X - min(m.X, beyond(&p.X, m.XLo)), High: max(m.X, beyond(&p.X, m.XHi)) - m.X}}})
	}
	if !math.IsNaN(m.YLo) {
		out = append(out, &plotter.YErrorBars{XYs: at, LineStyle: pen(k), CapWidth: caps,
			YErrors: plotter.YErrors{{Low: m.Y - min(m.Y, beyond(&p.Y, m.YLo)), High: max(m.Y, beyond(&p.Y, m.YHi)) - m.Y}}})
	}
	return out
}

// hatch fills an area with diagonal strokes, the sign of a failure.
func hatch(c draw.Canvas, r vg.Rectangle) {
	const step = 4
	height := r.Size().Y
	for x := r.Min.X - height + step/2; x < r.Max.X; x += step {
		from, to := vg.Point{X: x, Y: r.Min.Y}, vg.Point{X: x + height, Y: r.Max.Y}
		if d := r.Min.X - from.X; d > 0 {
			from = from.Add(vg.Point{X: d, Y: d})
		}
		if d := to.X - r.Max.X; d > 0 {
			to = to.Sub(vg.Point{X: d, Y: d})
		}
		c.StrokeLine2(pen("hatch"), from.X, from.Y, to.X, to.Y)
	}
}
