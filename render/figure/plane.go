package figure

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of frames between two axes of numbers, in units.
const (
	planeFull   = 264.0 // heights
	planeNarrow = 230.0
	hitReach    = 9
	dropRoom    = 14 // above a frame, for the names of upright lines
)

// paintPlane draws lines and marks in one frame, and names lines at its right.
func (s *sheet) paintPlane() {
	height := planeFull
	if s.width <= float64(Narrow) {
		height = planeNarrow
	}
	names := s.layNames(s.Lines, .31*s.width)
	height = max(height, names.stack)
	p := s.plane(s.Lines, s.width-max(names.width, 10), height)
	s.caption(note(s.Y, &p.Y))
	if len(s.Drops) > 0 {
		s.y += dropRoom
	}
	frame := s.drawPlot(p, 0, s.width-max(names.width, 10), height)
	s.nameDrops(frame, p)
	s.nameEnds(frame, p, s.Lines, names)
	s.nameMarks(frame, p)
	s.y += 8
	s.block(s.style(smallSize, false, "dim", text.XLeft), note(s.X, &p.X), float64(frame.Min.X), 8)
}

// caption names the axis that goes up, above its frame.
func (s *sheet) caption(words string) {
	if s.y += 2; words != "" {
		s.block(s.style(smallSize, false, "dim", text.XLeft), words, 0, 8)
	}
	s.y += 4
}

// panels are lines in frames of their own with the same axes: more than there are colours, or several of one.
type panels struct {
	lines         [][]Line
	names         []names
	several       bool // a frame has several lines, which are named at their ends
	columns, rows int
	high          float64 // of a frame
	above, beside float64 // the room for its title, and for names
	titles        float64 // the height of titles
}

func (s *sheet) layPanels(title text.Style) (out panels) {
	for _, l := range s.Lines {
		if !slices.ContainsFunc(l.Points, Mark.isDrawn) {
			continue
		}
		i := slices.IndexFunc(out.lines, func(p []Line) bool { return p[0].Panel == l.Panel })
		if i < 0 {
			i, out.lines = len(out.lines), append(out.lines, nil)
		}
		out.lines[i] = append(out.lines[i], l)
		out.several = out.several || len(out.lines[i]) > 1
	}
	out.columns, out.high, out.beside = 4, 66, 14
	if out.several {
		out.columns, out.high = 2, 180
	}
	if s.width <= float64(Narrow) {
		out.columns /= 2
	}
	out.columns = min(out.columns, len(out.lines))
	out.rows = (len(out.lines) + out.columns - 1) / out.columns
	tile := s.width / float64(out.columns)
	for _, lines := range out.lines {
		n := names{}
		if out.several {
			n = s.layNames(lines, .31*tile)
		}
		out.names = append(out.names, n)
		out.beside, out.high = max(out.beside, n.width), max(out.high, n.stack)
		out.titles = max(out.titles, lineHeight*float64(1+strings.Count(s.wrap(title, lines[0].Panel, .8*tile), "\n")))
	}
	out.above = out.titles + 8
	if len(s.Drops) > 0 {
		out.above += dropRoom
	}
	return out
}

// paintPanels draws the frames in rows and columns.
func (s *sheet) paintPanels() {
	title := s.style(smallSize, true, "", text.XLeft)
	l := s.layPanels(title)
	labels, columns := s.labels(l.high), float64(l.columns)
	plots := make([][]*plot.Plot, l.rows)
	for i := range l.rows * l.columns {
		var p *plot.Plot
		if i < len(l.lines) {
			p = s.plane(l.lines[i], s.width/columns-l.beside+labels*(1-1/columns), l.high)
			if i%l.columns > 0 { // levels are named in the first column, and positions in the last of each
				unname(&p.Y)
			}
			if i+l.columns < len(l.lines) {
				unname(&p.X)
			}
		}
		plots[i/l.columns] = append(plots[i/l.columns], p)
	}
	s.caption(note(s.Y, &plots[0][0].Y))
	c := s.draw
	c.Min, c.Max = vg.Point{Y: vg.Length(-s.y - float64(l.rows)*(l.above+l.high+24))}, vg.Point{
		X: vg.Length(s.width - l.beside), Y: vg.Length(-s.y)}
	tiles := draw.Tiles{Rows: l.rows, Cols: l.columns, PadTop: vg.Length(l.above), PadX: vg.Length(l.beside),
		PadY: vg.Length(l.above)}
	for row, list := range plot.Align(plots, tiles, c) {
		for column, at := range list {
			if p, i := plots[row][column], row*l.columns+column; p != nil {
				p.Draw(at)
				s.namePanel(p.DataCanvas(at).Rectangle, p, l, i, title)
			}
		}
	}
	s.y = -float64(c.Min.Y) + 12
	s.block(s.style(smallSize, false, "dim", text.XLeft), note(s.X, &plots[0][0].X), 0, 8)
}

// unname takes the labels of an axis away, but not their room.
func unname(g *plot.Axis) {
	ticks := ticksOf(g)
	for i := range ticks {
		ticks[i].Label = " "
	}
}

// namePanel writes around the frame of a panel: its title, and the names of its lines.
func (s *sheet) namePanel(frame vg.Rectangle, p *plot.Plot, l panels, i int, title text.Style) {
	if !l.several {
		title.Color = fillInk(l.lines[i][0].Series)
	}
	title.YAlign = text.YBottom
	words := s.wrap(title, l.lines[i][0].Panel, float64(frame.Size().X)+l.beside-6)
	s.draw.FillText(title, vg.Point{X: frame.Min.X, Y: frame.Max.Y + vg.Length(l.above-l.titles) + 1}, words)
	s.nameDrops(frame, p)
	if l.several {
		s.nameEnds(frame, p, l.lines[i], l.names[i])
	} else {
		s.hitPoints(frame, p, l.lines[i])
	}
}

// labels is the width of the labels of a Y axis, with the gap to its frame.
func (s *sheet) labels(height float64) (width float64) {
	p := s.newPlot()
	_, y := s.extents()
	s.setAxis(&p.Y, s.Y, y, height, true)
	for _, t := range ticksOf(&p.Y) {
		width = max(width, float64(p.Y.Tick.Label.Width(t.Label)))
	}
	return width + 9
}

// plane is a plot of lines, and of the marks of the figure, this wide with the labels of its Y axis.
func (s *sheet) plane(lines []Line, width, height float64) *plot.Plot {
	p := s.newPlot()
	x, y := s.extents()
	if len(s.Marks) > 0 {
		x, y = x.padded(s.X.Scale), y.padded(s.Y.Scale)
	} else if slices.ContainsFunc(lines, func(l Line) bool { return !l.Plain }) && len(s.X.Ticks) > 0 {
		x = x.padded(s.X.Scale)
	}
	s.setAxis(&p.Y, s.Y, y, height, true)
	s.setAxis(&p.X, s.X, x, width-s.labels(height), false)
	p.Y.Padding = 5
	p.X.LineStyle, p.X.Tick.LineStyle, p.X.Tick.Length = pen("axis"), pen("axis"), 5
	add(p, &plotter.Grid{Horizontal: pen("grid")})
	if s.Y.Scale == Linear && p.Y.Min < 0 {
		add(p, level("axis", p, 0))
	}
	if s.Level != nil {
		add(p, level("axis", p, s.Level.Value))
	}
	for _, d := range s.Drops {
		if p.X.Min <= d.Value && d.Value <= p.X.Max {
			add(p, upright("lead", p, d.Value))
		}
	}
	for _, g := range s.Slopes {
		if lo, hi, ok := slopeEnds(g, p); ok {
			k := ink("axis")
			if g.Dash {
				k += " dash"
			}
			add(p, segment(k, lo, lo*g.Value, hi, hi*g.Value))
		}
	}
	s.addLines(p, lines)
	for _, m := range s.Marks {
		add(p, whiskers("line thin "+strokeInk(m.Series), m, p, 0)...)
	}
	for _, m := range s.Marks {
		add(p, &plotter.Scatter{XYs: plotter.XYs{{X: m.X, Y: m.Y}}, GlyphStyle: glyph(m.Series, m.Hollow, dotRadius)})
	}
	return p
}

// slopeEnds are the X between which a slope lies in the frame.
func slopeEnds(g Guide, p *plot.Plot) (lo, hi float64, ok bool) {
	lo, hi = max(p.X.Min, p.Y.Min/g.Value), min(p.X.Max, p.Y.Max/g.Value)
	return lo, hi, lo < hi
}

// addLines adds lines with their intervals: bands of plain ones first, then traces, lines and marks.
func (s *sheet) addLines(p *plot.Plot, lines []Line) {
	for _, l := range lines {
		for _, run := range runs(l.Points) {
			if l.Plain {
				add(p, band(p, l, run, len(lines) > 3)...)
			}
		}
	}
	for _, l := range lines {
		for _, trace := range l.Traces {
			add(p, &plotter.Line{XYs: xys(trace), LineStyle: pen("trace " + strokeInk(l.Series))})
		}
	}
	for i, l := range lines {
		k := "line " + strokeInk(l.Series)
		if l.Dash {
			k += " dash"
		}
		for _, run := range runs(l.Points) {
			run = dodged(p, run, i, lines)
			add(p, &plotter.Line{XYs: xys(run), LineStyle: pen(k)})
			if l.Plain && len(run) > 1 {
				continue
			}
			caps := vg.Length(5)
			if len(lines) == 1 {
				caps = 0
			}
			for _, m := range run {
				if !l.Plain {
					add(p, whiskers("line thin "+strokeInk(l.Series), m, p, caps)...)
				}
			}
			for _, m := range run {
				add(p, &plotter.Scatter{XYs: xys([]Mark{m}), GlyphStyle: glyph(l.Series, m.Hollow, 2.8)})
			}
		}
		s.addChosen(p, l)
		add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) { hatchFailed(c, p, l.Points) }))
	}
}

// hatchFailed hatches what was tried and failed, at the foot of the frame.
func hatchFailed(c draw.Canvas, p *plot.Plot, points []Mark) {
	const half, high = 4.5, 16
	for _, m := range points {
		if m.Gap && m.Failed {
			x := min(max(c.X(p.X.Norm(m.X)), c.Min.X+half), c.Max.X-half)
			hatch(c, vg.Rectangle{Min: vg.Point{X: x - half, Y: c.Min.Y}, Max: vg.Point{X: x + half, Y: c.Min.Y + high}})
		}
	}
}

// addChosen marks the point that a search chose.
func (s *sheet) addChosen(p *plot.Plot, l Line) {
	if l.Chosen == 0 {
		return
	}
	const ring = 5.5
	m := l.Points[l.Chosen-1]
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		at := vg.Point{X: c.X(p.X.Norm(m.X)), Y: c.Y(p.Y.Norm(m.Y))}
		c.StrokeLine2(pen("lead"), at.X, at.Y-ring-2, at.X, c.Min.Y)
		c.DrawGlyphNoClip(glyph(l.Series, true, ring), at)
	}))
}

// runs are the points between gaps.
func runs(points []Mark) (out [][]Mark) {
	isNew := true
	for _, m := range points {
		if m.isDrawn() {
			if isNew {
				out = append(out, nil)
			}
			out[len(out)-1] = append(out[len(out)-1], m)
		}
		isNew = m.Gap
	}
	return out
}

func xys(points []Mark) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, m := range points {
		out[i] = plotter.XY{X: m.X, Y: m.Y}
	}
	return out
}

// band is the area between the ends of the intervals of points that follow each other; a point alone has a whisker.
func band(p *plot.Plot, l Line, run []Mark, crowded bool) (out []plot.Plotter) {
	k := "band " + fillInk(l.Series)
	if crowded {
		k = "band faint " + fillInk(l.Series)
	}
	hasNone := func(m Mark) bool { return math.IsNaN(m.YLo) }
	for len(run) > 0 {
		n := slices.IndexFunc(run, hasNone)
		if n < 0 {
			n = len(run)
		}
		var above, below plotter.XYs
		for _, m := range run[:n] {
			above = append(above, plotter.XY{X: m.X, Y: inside(&p.Y, m.YHi)})
			below = append(below, plotter.XY{X: m.X, Y: inside(&p.Y, m.YLo)})
		}
		slices.Reverse(below)
		if n == 1 {
			out = append(out, whiskers("line thin "+strokeInk(l.Series), run[0], p, 5)...)
		} else if n > 1 {
			out = append(out, &plotter.Polygon{XYs: []plotter.XYs{append(above, below...)}, Color: k})
		}
		run = run[min(len(run), n+1):]
	}
	return out
}

// inside is v, or the end of the axis that it lies beyond.
func inside(g *plot.Axis, v float64) float64 { return min(g.Max, max(g.Min, v)) }

// dodged moves the points of one of several lines a little to the side, so that intervals at one X stand apart.
func dodged(p *plot.Plot, run []Mark, line int, lines []Line) []Mark {
	const step = .008 // of the axis
	if len(lines) < 2 || lines[line].Plain || math.IsNaN(run[0].YLo) {
		return run
	}
	by := step * (float64(line) - float64(len(lines)-1)/2)
	out := slices.Clone(run)
	for i := range out {
		if p.X.Scale == Log {
			out[i].X *= math.Pow(p.X.Max/p.X.Min, by)
		} else {
			out[i].X += by * (p.X.Max - p.X.Min)
		}
	}
	return out
}

// names are the names of lines to the right of a frame, in lines of text.
type names struct {
	words        []string
	width, stack float64 // the width of the column, and the height of all
}

const nameLead = 14.0

// layNames wraps the names of lines for a column, and the name of the level after them.
func (s *sheet) layNames(lines []Line, room float64) (n names) {
	t := s.style(smallSize, false, "", text.XLeft)
	add := func(name string) {
		words := s.wrap(t, name, room)
		n.words = append(n.words, words)
		if name != "" {
			n.width = max(n.width, float64(t.Width(words))+10)
			n.stack += nameLead*float64(1+strings.Count(words, "\n")) + 1.5
		}
	}
	for _, l := range lines {
		add(l.Name)
	}
	if s.Level != nil {
		add(oneLine(s.Level.Label))
	}
	return n
}

// nameEnds writes the names of lines right of their frame, from top to bottom as the lines end, with a lead to those
// that had to move.
func (s *sheet) nameEnds(frame vg.Rectangle, p *plot.Plot, lines []Line, n names) {
	const far = 5
	type end struct {
		at     vg.Point
		words  string
		color  ink
		centre float64 // up
	}
	var ends []end
	c := s.draw
	c.Rectangle = frame
	add := func(x, y float64, words string, color ink) {
		at := vg.Point{X: c.X(p.X.Norm(x)), Y: c.Y(p.Y.Norm(y))}
		ends = append(ends, end{at, words, color, float64(at.Y)})
	}
	for i, l := range lines {
		if r := runs(l.Points); len(r) > 0 && n.words[i] != "" {
			last := r[len(r)-1][len(r[len(r)-1])-1]
			add(last.X, last.Y, n.words[i], fillInk(l.Series))
		}
	}
	if s.Level != nil && n.words[len(lines)] != "" {
		add(p.X.Max, s.Level.Value, n.words[len(lines)], "dim")
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(b.at.Y, a.at.Y) })
	height := func(e end) float64 { return nameLead*float64(1+strings.Count(e.words, "\n")) + 1.5 }
	top, foot := float64(frame.Max.Y)+6, float64(frame.Min.Y)-6
	for i := range ends { // no higher than the one above allows
		h := height(ends[i]) / 2
		ends[i].centre = min(ends[i].centre, top-h)
		top = ends[i].centre - h
	}
	for i := len(ends) - 1; i >= 0; i-- { // and no lower than the one below
		h := height(ends[i]) / 2
		ends[i].centre = max(ends[i].centre, foot+h)
		foot = ends[i].centre + h
	}
	for _, e := range ends {
		if math.Abs(e.centre-float64(e.at.Y)) > far || e.at.X < frame.Max.X-3*far {
			c.StrokeLine2(pen("lead"), e.at.X+2, e.at.Y, frame.Max.X+6, vg.Length(e.centre))
		}
		t := s.style(smallSize, false, e.color, text.XLeft)
		c.FillText(t, vg.Point{X: frame.Max.X + 8, Y: vg.Length(e.centre)}, e.words)
	}
	s.hitPoints(frame, p, lines)
}

// hitPoints lets the points of lines, and the marks of the figure, show their words.
func (s *sheet) hitPoints(frame vg.Rectangle, p *plot.Plot, lines []Line) {
	c := s.draw
	c.Rectangle = frame
	points := slices.Clone(s.Marks)
	for i, l := range lines {
		for _, m := range l.Points {
			if !m.Gap {
				m = dodged(p, []Mark{m}, i, lines)[0]
			}
			if l.Name == l.Panel { // which the frame has as its title
				m.Title = strings.TrimPrefix(m.Title, l.Name+", ")
			}
			points = append(points, m)
		}
	}
	for _, m := range points {
		at := vg.Point{X: c.X(p.X.Norm(m.X)), Y: frame.Min.Y + hitReach}
		if !m.Gap {
			at.Y = c.Y(p.Y.Norm(m.Y))
		}
		s.hit(around(at, hitReach), m.Title)
	}
}

// nameDrops names upright lines above their frame.
func (s *sheet) nameDrops(frame vg.Rectangle, p *plot.Plot) {
	c := s.draw
	c.Rectangle = frame
	free := -math.MaxFloat64
	for _, d := range s.Drops {
		t := s.style(smallSize, false, "dim", text.XCenter)
		half := float64(t.Width(d.Label)) / 2
		if x := float64(c.X(p.X.Norm(d.Value))); p.X.Min <= d.Value && d.Value <= p.X.Max && x-half > free {
			free = x + half + 6
			c.FillText(t, vg.Point{X: vg.Length(x), Y: frame.Max.Y + dropRoom/2}, d.Label)
		}
	}
}

// nameMarks writes the names of marks next to them, and of slopes at their upper ends, where they hit nothing: a mark
// without a name shows its words when it is pointed at.
func (s *sheet) nameMarks(frame vg.Rectangle, p *plot.Plot) {
	c := s.draw
	c.Rectangle = frame
	area := frame
	area.Max.X = vg.Length(s.width)
	var taken []vg.Rectangle
	at := make([]vg.Point, len(s.Marks))
	for i, m := range s.Marks {
		at[i] = vg.Point{X: c.X(p.X.Norm(m.X)), Y: c.Y(p.Y.Norm(m.Y))}
		taken = append(taken, around(at[i], 5))
	}
	for i, m := range s.Marks {
		for _, end := range []vg.Point{{X: c.X(p.X.Norm(beyond(&p.X, m.XLo)))}, {X: c.X(p.X.Norm(beyond(&p.X, m.XHi)))}} {
			if !math.IsNaN(float64(end.X)) {
				taken = append(taken, vg.Rectangle{Min: vg.Point{X: min(at[i].X, end.X), Y: at[i].Y - 1},
					Max: vg.Point{X: max(at[i].X, end.X), Y: at[i].Y + 1}})
			}
		}
	}
	write := func(t text.Style, words string, at vg.Point) {
		for _, spot := range nameSpots {
			t.XAlign = spot.align
			box := vg.Rectangle{Min: vg.Point{Y: -6}, Max: vg.Point{X: t.Width(words), Y: 6}}.Add(at.Add(spot.Point).Add(
				vg.Point{X: vg.Length(t.XAlign) * t.Width(words)}))
			isIn := area.Min.X <= box.Min.X && box.Max.X <= area.Max.X && area.Min.Y-3 <= box.Min.Y && box.Max.Y <= area.Max.Y+10
			if isIn && !slices.ContainsFunc(taken, func(o vg.Rectangle) bool { return overlap(o, box) }) {
				taken = append(taken, box)
				c.FillText(t, at.Add(spot.Point), words)
				return
			}
		}
	}
	for i, m := range s.Marks {
		if m.Name != "" {
			write(s.style(smallSize, false, "halo "+fillInk(m.Series), text.XLeft), m.Name, at[i])
		}
	}
	for _, g := range s.Slopes {
		if lo, hi, ok := slopeEnds(g, p); ok {
			x := lo + .85*(hi-lo)
			write(s.style(smallSize, false, "halo dim", text.XLeft), g.Label, vg.Point{X: c.X(p.X.Norm(x)), Y: c.Y(p.Y.Norm(x * g.Value))})
		}
	}
}

// nameSpots are the places of a name around its mark, the best first.
var nameSpots = []struct {
	vg.Point
	align text.XAlignment
}{{vg.Point{X: 9}, text.XLeft}, {vg.Point{X: -9}, text.XRight}, {vg.Point{X: 6, Y: 10}, text.XLeft},
	{vg.Point{X: 6, Y: -10}, text.XLeft}, {vg.Point{X: -6, Y: 10}, text.XRight}, {vg.Point{X: -6, Y: -10}, text.XRight},
	{vg.Point{Y: 14}, text.XCenter}, {vg.Point{Y: -14}, text.XCenter}}

// overlap reports whether two areas share more than an edge.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
