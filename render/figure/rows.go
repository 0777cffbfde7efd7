package figure

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of marks, in units.
const (
	dotRadius   = 3.2
	smallRadius = 2.3
	boxHeight   = 9.0
	tickHeight  = 10.0
	tickGap     = 8 // from a frame to the labels below it
)

// rowsLayout has the texts of rows, and the distances of their centres and starts from the top of the frame.
type rowsLayout struct {
	narrow          bool
	names, values   []string // wrapped
	words           []string // Row.Missing, wrapped
	centres, starts []float64
	height          float64 // the end of the last row, and the last of starts
	left, right     float64 // of the frame, without the axis
}

// paintRows draws rows, with values printed at the right. In a narrow drawing, names are above the marks.
func (s *sheet) paintRows() {
	name, value := textStyle(textSize, false, "halo", text.XRight), textStyle(textSize, true, "halo", text.XRight)
	if s.width <= float64(Narrow) {
		name.XAlign = text.XLeft
	}
	l := s.layRows(name, value)
	p := newPlot()
	p.Y.Min, p.Y.Max = -l.height, 0
	x, _ := s.extents()
	left, right := l.left, l.right
	if !l.narrow {
		left = 0
		ticks := make(plot.ConstantTicks, len(s.Rows))
		for i := range s.Rows {
			ticks[i] = plot.Tick{Value: -l.centres[i], Label: l.names[i]}
		}
		p.Y.Tick.Marker, p.Y.Tick.Label, p.Y.Label.TextStyle, p.Y.Padding = ticks, name, name, nameGap-3
	}
	setAxis(&p.X, s.X, x, right-l.left, false)
	ticks := ticksOf(&p.X)
	if l.narrow && len(ticks) > 0 { // keep the first label on the sheet
		left = max(left, float64(p.X.Tick.Label.Width(ticks[0].Label))/2-p.X.Norm(ticks[0].Value)*(right-left))
	}
	s.addRowGuides(p, l)
	s.addRowMarks(p, l)
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) { s.drawSwarms(c, p, l) }))
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) { s.writeRows(c, p, l, name, value) }))
	top := vg.Length(-s.y)
	s.y += l.height
	if len(ticks) > 0 {
		s.y += float64(tickGap + p.X.Tick.Label.Font.Size*capital)
	}
	c := s.draw
	c.Min, c.Max = vg.Point{X: vg.Length(left), Y: vg.Length(-s.y)}, vg.Point{X: vg.Length(right), Y: top}
	p.Draw(c)
	for i, r := range s.Rows {
		from, to := top-vg.Length(l.starts[i+1]), top-vg.Length(l.starts[i])
		s.hit(vg.Rectangle{Min: vg.Point{Y: from}, Max: vg.Point{X: vg.Length(s.width), Y: to}}, strings.TrimPrefix(r.Title, r.Name+": "))
	}
	s.y += 9
	s.block(small("dim"), note(s.X, &p.X), float64(p.DataCanvas(c).Min.X), 6)
}

// Gaps of rows, in units.
const (
	nameGap  = 16 // from names to the frame
	valueGap = 16 // from the frame to values
	arrow    = 14 // length of the arrow of a lower bound
)

// layRows wraps the texts of rows and places rows and frame.
func (s *sheet) layRows(name, value text.Style) rowsLayout {
	const (
		nameShare, valueShare = .36, .30
		pitch, pitchNarrow    = 25, 39
		edge                  = 14
	)
	l := rowsLayout{narrow: s.width <= float64(Narrow)}
	values, names := 0.0, 0.0
	for _, r := range s.Rows {
		l.values = append(l.values, wrap(value, r.Value, valueShare*s.width))
		values = max(values, math.Ceil(float64(value.Width(l.values[len(l.values)-1]))))
	}
	room := math.Floor(nameShare * s.width)
	if l.narrow {
		room = s.width - values - 12
	}
	for _, r := range s.Rows {
		l.names = append(l.names, wrap(name, r.Name, room))
		names = max(names, math.Ceil(float64(name.Width(l.names[len(l.names)-1]))))
	}
	l.left, l.right = names+nameGap, s.width-values-valueGap
	if l.narrow {
		l.left, l.right = edge, s.width-edge
	}
	if slices.ContainsFunc(s.Marks, func(m Mark) bool { return m.AtLeast }) {
		l.right -= arrow
	}
	for i, r := range s.Rows {
		reasons := l.right - l.left - 16 // the width for reasons: the frame, or half of it next to a published value
		if s.published(i) != nil {
			reasons = reasons/2 - 8
		}
		if r.Failed {
			reasons -= hatchWidth + 7
		}
		words := wrap(small(""), r.Missing, reasons)
		l.words = append(l.words, words)
		beside, more := float64(max(strings.Count(l.names[i], "\n"), strings.Count(l.values[i], "\n"))),
			float64(strings.Count(words, "\n"))
		l.starts = append(l.starts, l.height)
		if l.narrow {
			l.centres = append(l.centres, l.height+29+lineHeight*beside)
			l.height += pitchNarrow + lineHeight*(beside+more)
		} else {
			high := pitch + lineHeight*max(beside, more)
			l.centres = append(l.centres, l.height+high/2)
			l.height += high
		}
	}
	if l.narrow {
		l.height += 4
	}
	l.starts = append(l.starts, l.height)
	return l
}

// published returns the published value of a row, or nil.
func (s *sheet) published(row int) *Mark {
	for i, m := range s.Marks {
		if int(m.Y) == row && m.Shape == Published {
			return &s.Marks[i]
		}
	}
	return nil
}

// addRowGuides adds what is behind the marks: bands, the grid, zero and the level.
func (s *sheet) addRowGuides(p *plot.Plot, l rowsLayout) {
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		for i, r := range s.Rows {
			if r.Band != nil {
				box(c, bandInk, c.X(p.X.Norm(inside(&p.X, r.Band.Lo))), c.Max.Y-vg.Length(l.starts[i+1]),
					c.X(p.X.Norm(inside(&p.X, r.Band.Hi))), c.Max.Y-vg.Length(l.starts[i]))
			}
		}
	}))
	for _, t := range ticksOf(&p.X) {
		k := ink("grid")
		if s.X.Scale == Linear && t.Value == 0 {
			k = "axis"
		}
		add(p, l.upright(k, p, t.Value)...)
	}
	if s.Level != nil {
		add(p, l.upright("axis", p, s.Level.Value)...)
	}
}

// upright returns a vertical line through all rows. In a narrow drawing, lines other than the faint grid are
// interrupted at the names of rows, above their marks.
func (l rowsLayout) upright(k ink, p *plot.Plot, v float64) (out []plot.Plotter) {
	const above, below = 8, 7 // from above the centre of a row to below the start of the next
	if !l.narrow || k == "grid" {
		return []plot.Plotter{upright(k, p, v)}
	}
	for i, centre := range l.centres {
		out = append(out, segment(k, v, above-centre, v, -min(l.starts[i+1]+below, l.height)))
	}
	return out
}

// addRowMarks adds the marks of rows, except small ones: intervals, marks, then published values, each series by
// series, so that a series is one element.
func (s *sheet) addRowMarks(p *plot.Plot, l rowsLayout) {
	marks := slices.Clone(s.Marks)
	for i := range marks {
		marks[i].Y = -l.centres[int(marks[i].Y)]
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.Series - b.Series })
	for _, m := range marks {
		addRowInterval(p, m)
	}
	for _, m := range marks {
		edge := strokeInk(m.Series)
		switch m.Shape {
		case Bar:
			add(p, whiskers("line thin "+edge, m, p, 6)...)
		case Centre:
			add(p, rowTick("line "+edge, m))
		case Dot:
			add(p, &plotter.Scatter{XYs: xys([]Mark{m}), GlyphStyle: glyph(m.Series, m.Hollow || m.AtLeast, dotRadius)})
			if m.AtLeast {
				add(p, arrowRight("line thin "+edge, m))
			}
		}
	}
	for _, m := range marks {
		if m.Shape == Published {
			add(p, rowTick("ghost", m))
		}
	}
}

// addRowInterval adds what is behind a mark: a bar, or its interval as a box or line.
func addRowInterval(p *plot.Plot, m Mark) {
	edge := strokeInk(m.Series)
	switch {
	case m.Shape == Bar:
		k := "bar " + fillInk(m.Series) + " " + edge
		if m.Hollow {
			k = "open " + edge
		}
		add(p, &plotter.BarChart{Values: plotter.Values{m.X}, Width: boxHeight, Color: k, XMin: m.Y, Horizontal: true})
	case m.Shape == Dot && m.Thin:
		add(p, whiskers("line thin "+edge, m, p, 0)...)
	case (m.Shape == Dot || m.Shape == Centre) && !math.IsNaN(m.XLo):
		add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
			lo, hi := spot(c, p, inside(&p.X, m.XLo), m.Y), spot(c, p, inside(&p.X, m.XHi), m.Y)
			box(c, "ibox "+fillInk(m.Series)+" "+edge, lo.X, lo.Y-boxHeight/2, hi.X, hi.Y+boxHeight/2)
		}))
	}
}

func rowTick(k ink, m Mark) plot.Plotter {
	return plotFunc(func(c draw.Canvas, p *plot.Plot) { tick(c, k, spot(c, p, m.X, m.Y)) })
}

// arrowRight returns the arrow of a mark that is a lower bound.
func arrowRight(k ink, m Mark) plot.Plotter {
	const head = 3.5
	return plotFunc(func(c draw.Canvas, p *plot.Plot) {
		at := spot(c, p, m.X, m.Y)
		x, y, tip := at.X+7, at.Y, at.X+5+arrow
		c.StrokeLine2(pen(k), x, y, tip, y)
		c.StrokeLines(pen(k), []vg.Point{{X: tip - head - 1, Y: y + head}, {X: tip, Y: y}, {X: tip - head - 1, Y: y - head}})
	})
}

// drawSwarms draws small marks, and moves those that would overlap another up or down.
func (s *sheet) drawSwarms(c draw.Canvas, p *plot.Plot, l rowsLayout) {
	const near, reach = 1.7 * smallRadius, boxHeight/2 - 1
	var placed []vg.Point
	for _, m := range s.Marks {
		if m.Shape != Small {
			continue
		}
		at := spot(c, p, m.X, -l.centres[int(m.Y)])
		for _, dy := range []vg.Length{0, reach, -reach, reach / 2, -reach / 2} {
			moved := at.Add(vg.Point{Y: dy})
			isNear := func(o vg.Point) bool { return math.Hypot(float64(o.X-moved.X), float64(o.Y-moved.Y)) < near }
			if !slices.ContainsFunc(placed, isNear) {
				at = moved
				break
			}
		}
		placed = append(placed, at)
		c.DrawGlyphNoClip(glyph(m.Series, m.Hollow, smallRadius), at)
	}
}

const hatchWidth = 26

// writeRows writes the texts of rows: values, reasons, and their names in a narrow drawing.
func (s *sheet) writeRows(c draw.Canvas, p *plot.Plot, l rowsLayout, name, value text.Style) {
	for i, r := range s.Rows {
		at := vg.Point{X: vg.Length(s.width), Y: c.Max.Y - vg.Length(l.centres[i])}
		reason := vg.Point{X: c.Min.X + 8, Y: at.Y}
		if l.narrow {
			value.YAlign, name.YAlign, at.Y = text.YTop, text.YTop, c.Max.Y-vg.Length(l.starts[i])-10
			c.FillText(name, vg.Point{Y: at.Y}, l.names[i])
		}
		c.FillText(value, at, l.values[i])
		if r.Missing == "" {
			continue
		}
		if m := s.published(i); m != nil {
			if x := c.X(p.X.Norm(m.X)); x < c.Center().X {
				reason.X = x + 8
			}
		}
		if r.Failed {
			hatch(c, vg.Rectangle{Min: reason.Sub(vg.Point{Y: boxHeight / 2}), Max: reason.Add(vg.Point{X: hatchWidth, Y: boxHeight / 2})})
			reason.X += hatchWidth + 7
		}
		if l.narrow { // keep the first line in place, as the name is above it
			reason.Y -= lineHeight / 2 * vg.Length(strings.Count(l.words[i], "\n"))
		}
		c.FillText(small("halo dim"), reason, l.words[i])
	}
}
