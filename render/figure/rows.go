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
	tickGap     = 8 // between a frame and the labels below it
)

// rowsLayout is where rows are: the distances of their centres from the top of the frame, and their heights.
type rowsLayout struct {
	narrow          bool
	names, values   []string // in lines
	words           []string // of missing rows, in lines
	centres, starts []float64
	height          float64
	left, right     float64 // of the frame, without the axis
}

// paintRows draws a nominal axis of rows, with values printed at the right. On a telephone names are above the marks.
func (s *sheet) paintRows() {
	name, value := s.style(textSize, false, "halo", text.XRight), s.style(textSize, true, "halo", text.XRight)
	if s.width <= float64(Narrow) {
		name.XAlign = text.XLeft
	}
	l := s.layRows(name, value)
	p := s.newPlot()
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
	s.setAxis(&p.X, s.X, x, right-l.left, false)
	if ticks := ticksOf(&p.X); l.narrow && len(ticks) > 0 { // the first label begins on the sheet
		left = max(left, float64(p.X.Tick.Label.Width(ticks[0].Label))/2-p.X.Norm(ticks[0].Value)*(right-left))
	}
	s.addRowGuides(p, l)
	s.addRowMarks(p, l)
	s.addSwarms(p, l)
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) { s.writeRows(c, p, l, name, value) }))
	top := s.y
	frame := s.drawPlot(p, left, right, l.height)
	for i, r := range s.Rows {
		end := l.height
		if i+1 < len(s.Rows) {
			end = l.starts[i+1]
		}
		s.hit(vg.Rectangle{Min: vg.Point{Y: vg.Length(-top - end)}, Max: vg.Point{X: vg.Length(s.width),
			Y: vg.Length(-top - l.starts[i])}}, strings.TrimPrefix(r.Title, r.Name+": "))
	}
	s.y += 9
	s.block(s.style(smallSize, false, "dim", text.XLeft), note(s.X, &p.X), float64(frame.Min.X), 6)
}

// Gaps of rows, in units.
const (
	nameGap  = 16 // between names and the frame
	valueGap = 16 // between the frame and values
	arrow    = 14 // of a lower bound
)

// layRows gives rows their heights.
func (s *sheet) layRows(name, value text.Style) rowsLayout {
	const (
		nameShare, valueShare = .36, .30
		pitch, pitchNarrow    = 25, 39
		edge                  = 14
	)
	l := rowsLayout{narrow: s.width <= float64(Narrow)}
	values, names := 0.0, 0.0
	for _, r := range s.Rows {
		l.values = append(l.values, s.wrap(value, r.Value, valueShare*s.width))
		values = max(values, math.Ceil(float64(value.Width(l.values[len(l.values)-1]))))
	}
	room := math.Floor(nameShare * s.width)
	if l.narrow {
		room = s.width - values - 12
	}
	for _, r := range s.Rows {
		l.names = append(l.names, s.wrap(name, r.Name, room))
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
		words := s.wrap(s.style(smallSize, false, "", text.XLeft), r.Missing, s.roomOf(i, l))
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
	return l
}

// roomOf is the width for the words of a missing row: the frame, or half of it where there is a published value.
func (s *sheet) roomOf(row int, l rowsLayout) float64 {
	room := l.right - l.left - 16
	if s.published(row) != nil {
		room = room/2 - 8
	}
	if s.Rows[row].Failed {
		room -= hatchWidth + 7
	}
	return room
}

// published is the published value of a row; nil for none.
func (s *sheet) published(row int) *Mark {
	for i, m := range s.Marks {
		if int(m.Y) == row && m.Shape == Published {
			return &s.Marks[i]
		}
	}
	return nil
}

// addRowGuides adds what lies behind marks: bands, the grid, zero and the level.
func (s *sheet) addRowGuides(p *plot.Plot, l rowsLayout) {
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		for i, r := range s.Rows {
			if r.Band == nil {
				continue
			}
			end := l.height
			if i+1 < len(s.Rows) {
				end = l.starts[i+1]
			}
			x := func(v float64) vg.Length { return c.X(min(1, max(0, p.X.Norm(v)))) }
			top, foot := c.Max.Y-vg.Length(l.starts[i]), c.Max.Y-vg.Length(end)
			c.FillPolygon(bandInk, []vg.Point{{X: x(r.Band.Lo), Y: top}, {X: x(r.Band.Hi), Y: top},
				{X: x(r.Band.Hi), Y: foot}, {X: x(r.Band.Lo), Y: foot}})
		}
	}))
	for _, t := range ticksOf(&p.X) {
		k := ink("grid")
		if s.X.Scale == Linear && t.Value == 0 {
			k = "axis"
		}
		add(p, upright(k, p, t.Value))
	}
	if s.Level != nil {
		add(p, upright("axis", p, s.Level.Value))
	}
}

// addRowMarks adds the marks of rows, all but small ones: intervals, the marks on them, and published values, each
// series by series, so that the marks of a series are one element.
func (s *sheet) addRowMarks(p *plot.Plot, l rowsLayout) {
	marks := slices.Clone(s.Marks)
	for i := range marks {
		marks[i].Y = -l.centres[int(marks[i].Y)]
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.Series - b.Series })
	for _, m := range marks {
		s.addRowInterval(p, m)
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

// addRowInterval adds what lies behind a mark: a bar, or the interval.
func (s *sheet) addRowInterval(p *plot.Plot, m Mark) {
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
	case m.Shape == Dot, m.Shape == Centre:
		s.addBox(p, m)
	}
}

// rowTick is an upright stroke at a mark of a row.
func rowTick(k ink, m Mark) plot.Plotter {
	return plotFunc(func(c draw.Canvas, p *plot.Plot) {
		x, y := c.X(p.X.Norm(m.X)), c.Y(p.Y.Norm(m.Y))
		c.StrokeLine2(pen(k), x, y-tickHeight/2, x, y+tickHeight/2)
	})
}

// arrowRight leads from a mark, which is a lower bound.
func arrowRight(k ink, m Mark) plot.Plotter {
	const head = 3.5
	return plotFunc(func(c draw.Canvas, p *plot.Plot) {
		x, y := c.X(p.X.Norm(m.X))+7, c.Y(p.Y.Norm(m.Y))
		tip := x + arrow - 2
		c.StrokeLine2(pen(k), x, y, tip, y)
		c.StrokeLines(pen(k), []vg.Point{{X: tip - head - 1, Y: y + head}, {X: tip, Y: y}, {X: tip - head - 1, Y: y - head}})
	})
}

// addBox adds the interval of a mark as a box.
func (s *sheet) addBox(p *plot.Plot, m Mark) {
	if math.IsNaN(m.XLo) {
		return
	}
	lo, hi := min(1, max(0, p.X.Norm(beyond(&p.X, m.XLo)))), min(1, max(0, p.X.Norm(beyond(&p.X, m.XHi))))
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		y := c.Y(p.Y.Norm(m.Y))
		c.FillPolygon("ibox "+fillInk(m.Series)+" "+strokeInk(m.Series), []vg.Point{{X: c.X(lo), Y: y + boxHeight/2},
			{X: c.X(hi), Y: y + boxHeight/2}, {X: c.X(hi), Y: y - boxHeight/2}, {X: c.X(lo), Y: y - boxHeight/2}})
	}))
}

// addSwarms adds small marks, and moves one that would lie on another up or down.
func (s *sheet) addSwarms(p *plot.Plot, l rowsLayout) {
	const near, reach = 1.7 * smallRadius, boxHeight/2 - 1
	add(p, plotFunc(func(c draw.Canvas, p *plot.Plot) {
		var placed []vg.Point
		for _, m := range s.Marks {
			if m.Shape != Small {
				continue
			}
			at := vg.Point{X: c.X(p.X.Norm(m.X)), Y: c.Y(p.Y.Norm(-l.centres[int(m.Y)]))}
			for _, dy := range []vg.Length{0, reach, -reach, reach / 2, -reach / 2} {
				moved := at.Add(vg.Point{Y: dy})
				isNear := func(o vg.Point) bool {
					d := o.Sub(moved)
					return math.Hypot(float64(d.X), float64(d.Y)) < near
				}
				if !slices.ContainsFunc(placed, isNear) {
					at = moved
					break
				}
			}
			placed = append(placed, at)
			c.DrawGlyphNoClip(glyph(m.Series, m.Hollow, smallRadius), at)
		}
	}))
}

const hatchWidth = 26

// bandInk is the colour of what a claim allows.
const bandInk ink = "band faint f0"

// writeRows writes the texts of rows: values, reasons, and on a telephone their names.
func (s *sheet) writeRows(c draw.Canvas, p *plot.Plot, l rowsLayout, name, value text.Style) {
	small := s.style(smallSize, false, "halo dim", text.XLeft)
	for i, r := range s.Rows {
		y := c.Max.Y - vg.Length(l.centres[i])
		at, t := vg.Point{X: vg.Length(s.width), Y: y}, value
		if l.narrow {
			t.YAlign, at.Y = text.YTop, c.Max.Y-vg.Length(l.starts[i])-10
			name.YAlign = text.YTop
			c.FillText(name, vg.Point{Y: at.Y}, l.names[i])
		}
		c.FillText(t, at, l.values[i])
		if r.Missing == "" {
			continue
		}
		x := c.Min.X + 8
		if m := s.published(i); m != nil {
			if tick := c.X(p.X.Norm(m.X)); tick < c.Center().X {
				x = tick + 8
			}
		}
		if r.Failed {
			hatch(c, vg.Rectangle{Min: vg.Point{X: x, Y: y - boxHeight/2}, Max: vg.Point{X: x + hatchWidth, Y: y + boxHeight/2}})
			x += hatchWidth + 7
		}
		if l.narrow { // lines after the first go below it, as the name is above
			y -= lineHeight / 2 * vg.Length(strings.Count(l.words[i], "\n"))
		}
		c.FillText(small, vg.Point{X: x, Y: y}, l.words[i])
	}
}
