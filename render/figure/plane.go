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

	"benchbook/internal/slice"
)

// Measures of frames between two axes of numbers, in units.
const (
	hitReach = 9
	dropRoom = 14 // above a frame, for the names of upright lines
	axisRoom = 24 // below a frame, for its ticks and labels
	nameLead = 14.0
)

// frame is one of the frames of a figure of lines or points.
type frame struct {
	title string
	lines []Line
	names []endName
}

// endName is the name of a line, or of the level, to the right of its frame.
type endName struct {
	words  string // wrapped
	color  ink
	x, y   float64 // where the line ends
	height float64 // of the words
}

// frames is a grid of frames with the same axes: one for all lines, or one for each Line.Panel.
type frames struct {
	list          []frame
	columns, rows int
	isNamed       bool    // lines have names at the right, as titles of frames don't name them
	wide, high    float64 // size of a frame
	above, aside  float64 // room for its title and for names
}

func (s *sheet) layFrames(title text.Style) (out frames) {
	isTiled := false
	for _, l := range s.Lines {
		f := slice.FindOrAdd(&out.list, func(f frame) bool { return f.title == l.Panel }, frame{title: l.Panel})
		f.lines = append(f.lines, l)
		isTiled = isTiled || l.Panel != ""
		out.isNamed = out.isNamed || len(f.lines) > 1
	}
	if len(out.list) == 0 { // of points
		out.list = make([]frame, 1)
	}
	out.isNamed = out.isNamed || !isTiled
	isNarrow := s.width <= float64(Narrow)
	switch {
	case isTiled && out.isNamed:
		out.columns, out.high, out.aside = 2, 180, 14
	case isTiled:
		out.columns, out.high, out.aside = 4, 66, 14
	default:
		out.columns, out.high, out.aside = 2, 264, 10
	}
	if isNarrow {
		out.columns, out.high = out.columns/2, min(out.high, 230)
	}
	out.columns = min(out.columns, len(out.list))
	out.rows = (len(out.list) + out.columns - 1) / out.columns
	for i := range out.list {
		s.layFrame(&out, &out.list[i], title)
	}
	if len(s.Drops) > 0 {
		out.above += dropRoom
	}
	out.wide = (s.width-s.labels(out.high))/float64(out.columns) - out.aside
	return out
}

// layFrame makes room for the title and the names of a frame.
func (s *sheet) layFrame(l *frames, f *frame, title text.Style) {
	tile := s.width / float64(l.columns)
	if f.title != "" {
		f.title = wrap(title, f.title, .8*tile)
		l.above = max(l.above, float64(heightOf(title, f.title))+14)
	}
	if l.isNamed {
		f.names = s.endNames(f.lines, .31*tile)
	}
	stack := 0.0
	for _, n := range f.names {
		l.aside = max(l.aside, float64(small("").Width(n.words))+10)
		stack += n.height
	}
	l.high = max(l.high, stack)
}

// plots returns the plots of frames, in rows. Only the first column has labels for Y, and the last row of each column
// for X.
func (s *sheet) plots(l frames) [][]*plot.Plot {
	out := make([][]*plot.Plot, l.rows)
	for i := range l.rows * l.columns {
		var p *plot.Plot
		if i < len(l.list) {
			p = s.plane(l.list[i].lines, l.wide, l.high)
			if i%l.columns > 0 {
				unname(&p.Y)
			}
			if i+l.columns < len(l.list) {
				unname(&p.X)
			}
		}
		out[i/l.columns] = append(out[i/l.columns], p)
	}
	return out
}

// paintFrames draws lines and points between two axes.
func (s *sheet) paintFrames() {
	title := textStyle(smallSize, true, "", text.XLeft)
	title.YAlign = text.YBottom
	l := s.layFrames(title)
	plots := s.plots(l)
	s.y += 2
	s.block(small("dim"), note(s.Y, &plots[0][0].Y), 0, 8)
	s.y += 4
	c := s.draw
	c.Max = vg.Point{X: vg.Length(s.width - l.aside), Y: vg.Length(-s.y)}
	c.Min = vg.Point{Y: vg.Length(-s.y - float64(l.rows)*(l.above+l.high+axisRoom))}
	tiles := draw.Tiles{Rows: l.rows, Cols: l.columns, PadTop: vg.Length(l.above), PadX: vg.Length(l.aside),
		PadY: vg.Length(l.above)}
	areas := plot.Align(plots, tiles, c)
	for i, f := range l.list {
		p, area := plots[i/l.columns][i%l.columns], areas[i/l.columns][i%l.columns]
		p.Draw(area)
		if !l.isNamed {
			title.Color = fillInk(f.lines[0].Series)
		}
		data := p.DataCanvas(area)
		top := data.Max.Y + 9
		if len(s.Drops) > 0 {
			top += dropRoom
		}
		data.FillText(title, vg.Point{X: data.Min.X, Y: top}, f.title)
		s.nameDrops(data, p)
		s.nameEnds(data, p, f.names)
		s.nameMarks(data, p)
		s.hitPoints(data, p, f.lines)
	}
	s.y = -float64(c.Min.Y) + 8
	s.block(small("dim"), note(s.X, &plots[0][0].X), float64(plots[0][0].DataCanvas(areas[0][0]).Min.X), 8)
}

// unname blanks the labels of an axis but keeps their room.
func unname(g *plot.Axis) {
	ticks := ticksOf(g)
	for i := range ticks {
		ticks[i].Label = " "
	}
}

// labels returns the width of the labels of the Y axis, with the gap to the frame.
func (s *sheet) labels(height float64) (width float64) {
	p := newPlot()
	_, y := s.extents()
	setAxis(&p.Y, s.Y, y, height, true)
	for _, t := range ticksOf(&p.Y) {
		width = max(width, float64(p.Y.Tick.Label.Width(t.Label)))
	}
	return width + 9
}

// plane returns a plot of lines and of the marks of the figure.
func (s *sheet) plane(lines []Line, width, height float64) *plot.Plot {
	p := newPlot()
	x, y := s.extents()
	if len(s.Marks) > 0 {
		x, y = x.padded(s.X.Scale), y.padded(s.Y.Scale)
	} else if slices.ContainsFunc(lines, func(l Line) bool { return !l.Plain }) && len(s.X.Ticks) > 0 {
		x = x.padded(s.X.Scale)
	}
	setAxis(&p.Y, s.Y, y, height, true)
	setAxis(&p.X, s.X, x, width, false)
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
	addLines(p, lines)
	for _, m := range s.Marks {
		add(p, whiskers("line thin "+strokeInk(m.Series), m, p, 0)...)
	}
	for _, m := range s.Marks {
		add(p, &plotter.Scatter{XYs: plotter.XYs{{X: m.X, Y: m.Y}}, GlyphStyle: glyph(m.Series, m.Hollow, dotRadius)})
	}
	return p
}

// slopeEnds returns the range of X in which a slope is inside the frame.
func slopeEnds(g Guide, p *plot.Plot) (lo, hi float64, ok bool) {
	lo, hi = max(p.X.Min, p.Y.Min/g.Value), min(p.X.Max, p.Y.Max/g.Value)
	return lo, hi, lo < hi
}

// addLines adds lines with their intervals: bands first, then traces, lines and marks.
func addLines(p *plot.Plot, lines []Line) {
	for _, l := range lines {
		if l.Plain {
			add(p, bands(p, l, len(lines) > 3)...)
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
		for _, run := range stretches(l.Points, Mark.IsDrawn) {
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
		addChosen(p, l)
		add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) { hatchFailed(c, p, l.Points) }))
	}
}

// hatchFailed hatches failed points at the bottom of the frame.
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
func addChosen(p *plot.Plot, l Line) {
	if l.Chosen == 0 {
		return
	}
	const ring = 5.5
	m := l.Points[l.Chosen-1]
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		at := spot(c, p, m.X, m.Y)
		c.StrokeLine2(pen("lead"), at.X, at.Y-ring-2, at.X, c.Min.Y)
		c.DrawGlyphNoClip(glyph(l.Series, true, ring), at)
	}))
}

// stretches returns the runs of consecutive points for which isAsked is true.
func stretches(points []Mark, isAsked func(Mark) bool) (out [][]Mark) {
	isNew := true
	for _, m := range points {
		if isAsked(m) {
			if isNew {
				out = append(out, nil)
			}
			out[len(out)-1] = append(out[len(out)-1], m)
		}
		isNew = !isAsked(m)
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

// bands returns the areas between the intervals of consecutive points. A single point has a whisker.
func bands(p *plot.Plot, l Line, isCrowded bool) (out []plot.Plotter) {
	k := "band " + fillInk(l.Series)
	if isCrowded {
		k = "band faint " + fillInk(l.Series)
	}
	for _, points := range stretches(l.Points, func(m Mark) bool { return m.IsDrawn() && !math.IsNaN(m.YLo) }) {
		if len(points) == 1 {
			out = append(out, whiskers("line thin "+strokeInk(l.Series), points[0], p, 5)...)
			continue
		}
		var outline plotter.XYs
		for _, m := range points {
			outline = append(outline, plotter.XY{X: m.X, Y: inside(&p.Y, m.YHi)})
		}
		for _, m := range slices.Backward(points) {
			outline = append(outline, plotter.XY{X: m.X, Y: inside(&p.Y, m.YLo)})
		}
		out = append(out, &plotter.Polygon{XYs: []plotter.XYs{outline}, Color: k})
	}
	return out
}

// inside clamps v to the ends of an axis.
func inside(g *plot.Axis, v float64) float64 { return min(g.Max, max(g.Min, v)) }

// dodged moves the points of one of several lines sideways a little, so that intervals at the same X don't overlap.
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

// endNames returns the names of lines, wrapped to room, and of the level, from top to bottom.
func (s *sheet) endNames(lines []Line, room float64) (out []endName) {
	add := func(name string, color ink, x, y float64) {
		if name != "" {
			words := wrap(small(""), name, room)
			out = append(out, endName{words, color, x, y, nameLead*float64(1+strings.Count(words, "\n")) + 1.5})
		}
	}
	for _, l := range lines {
		for _, m := range slices.Backward(l.Points) {
			if m.IsDrawn() {
				add(l.Name, fillInk(l.Series), m.X, m.Y)
				break
			}
		}
	}
	if s.Level != nil {
		add(s.Level.Label, "dim", math.Inf(1), s.Level.Value)
	}
	slices.SortStableFunc(out, func(a, b endName) int { return cmp.Compare(b.y, a.y) })
	return out
}

// nameEnds writes names to the right of a frame, with a leader to those that had to move.
func (s *sheet) nameEnds(c draw.Canvas, p *plot.Plot, names []endName) {
	const far = 5
	centres := make([]float64, len(names)) // up
	top, foot := float64(c.Max.Y)+6, float64(c.Min.Y)-6
	for i, n := range names { // below the one before
		centres[i] = min(float64(c.Y(p.Y.Norm(n.y))), top-n.height/2)
		top = centres[i] - n.height/2
	}
	for i, n := range slices.Backward(names) { // above the one after
		centres[i] = max(centres[i], foot+n.height/2)
		foot = centres[i] + n.height/2
	}
	for i, n := range names {
		at, y := spot(c, p, inside(&p.X, n.x), n.y), vg.Length(centres[i])
		if math.Abs(float64(y-at.Y)) > far || at.X < c.Max.X-3*far {
			c.StrokeLine2(pen("lead"), at.X+2, at.Y, c.Max.X+6, y)
		}
		c.FillText(small(n.color), vg.Point{X: c.Max.X + 8, Y: y}, n.words)
	}
}

// hitPoints gives the points of lines and the marks of the figure their tooltips.
func (s *sheet) hitPoints(c draw.Canvas, p *plot.Plot, lines []Line) {
	points := slices.Clone(s.Marks)
	for i, l := range lines {
		for _, m := range l.Points {
			if !m.Gap {
				m = dodged(p, []Mark{m}, i, lines)[0]
			}
			if l.Name == l.Panel { // the title of the frame says it
				m.Title = strings.TrimPrefix(m.Title, l.Name+", ")
			}
			points = append(points, m)
		}
	}
	for _, m := range points {
		at := vg.Point{X: c.X(p.X.Norm(m.X)), Y: c.Min.Y + hitReach}
		if !m.Gap {
			at.Y = c.Y(p.Y.Norm(m.Y))
		}
		s.hit(around(at, hitReach), m.Title)
	}
}

// nameDrops writes the labels of vertical lines above their frame.
func (s *sheet) nameDrops(c draw.Canvas, p *plot.Plot) {
	free := -math.MaxFloat64
	for _, d := range s.Drops {
		t := textStyle(smallSize, false, "dim", text.XCenter)
		half := float64(t.Width(d.Label)) / 2
		if x := float64(c.X(p.X.Norm(d.Value))); p.X.Min <= d.Value && d.Value <= p.X.Max && x-half > free {
			free = x + half + 6
			c.FillText(t, vg.Point{X: vg.Length(x), Y: c.Max.Y + dropRoom/2}, d.Label)
		}
	}
}

// nameMarks writes the names of marks next to them, and of slopes near their upper ends, unless they would overlap
// something: the tooltip of a mark has its name, too.
func (s *sheet) nameMarks(c draw.Canvas, p *plot.Plot) {
	area := vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: c.Min.Y - 3}, Max: vg.Point{X: vg.Length(s.width), Y: c.Max.Y + 10}}
	var taken []vg.Rectangle
	for _, m := range s.Marks {
		at := spot(c, p, m.X, m.Y)
		taken = append(taken, around(at, 5))
		if !math.IsNaN(m.XLo) {
			lo, hi := c.X(p.X.Norm(beyond(&p.X, m.XLo))), c.X(p.X.Norm(beyond(&p.X, m.XHi)))
			taken = append(taken, vg.Rectangle{Min: vg.Point{X: lo, Y: at.Y - 1}, Max: vg.Point{X: hi, Y: at.Y + 1}})
		}
	}
	write := func(k ink, words string, at vg.Point) {
		t := small(k)
		for _, place := range namePlaces {
			t.XAlign = place.align
			from := at.Add(place.Point).Add(vg.Point{X: vg.Length(t.XAlign) * t.Width(words)})
			name := vg.Rectangle{Min: vg.Point{X: from.X, Y: from.Y - 6}, Max: vg.Point{X: from.X + t.Width(words), Y: from.Y + 6}}
			isFree := !slices.ContainsFunc(taken, func(o vg.Rectangle) bool { return overlap(o, name) })
			if isFree && union(area, name) == area {
				taken = append(taken, name)
				c.FillText(t, at.Add(place.Point), words)
				return
			}
		}
	}
	for _, m := range s.Marks {
		if m.Name != "" {
			write("halo "+fillInk(m.Series), oneLine(m.Name), spot(c, p, m.X, m.Y))
		}
	}
	for _, g := range s.Slopes {
		if lo, hi, ok := slopeEnds(g, p); ok {
			x := lo + .85*(hi-lo)
			write("halo dim", g.Label, spot(c, p, x, x*g.Value))
		}
	}
}

// namePlaces has the places of a name around its mark, the best first.
var namePlaces = []struct {
	vg.Point
	align text.XAlignment
}{{vg.Point{X: 9}, text.XLeft}, {vg.Point{X: -9}, text.XRight}, {vg.Point{X: 6, Y: 10}, text.XLeft},
	{vg.Point{X: 6, Y: -10}, text.XLeft}, {vg.Point{X: -6, Y: 10}, text.XRight}, {vg.Point{X: -6, Y: -10}, text.XRight},
	{vg.Point{Y: 14}, text.XCenter}, {vg.Point{Y: -14}, text.XCenter}}

// overlap reports whether two areas share more than an edge.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
