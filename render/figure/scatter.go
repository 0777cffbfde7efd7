package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"

	"benchbook/render/typeface"
)

// Scatter is a figure of points between two numeric axes, with their intervals both ways. Each point is named beside it; where
// one finds no room, all are named right of the frame, with a lead to each. Series are named in a key above.
type Scatter struct {
	Head
	X, Y   Axis
	Points []NamedPoint
	Series []string // names of the series, at most MaxSeries; empty: all points are of one, which is not named

	Slopes    []Slope    // lines through zero, as of equal values or of a common factor
	Reference *Reference // a level to compare with; nil: none
	Notes     []string   // said below the figure: what is not drawn, and why
}

// NamedPoint is a point of Scatter.
type NamedPoint struct {
	Name   string
	Series int // from 1, an index into Scatter.Series; not looked at where that is empty
	Point
}

// Slope is the line on which Y is Factor times X.
type Slope struct {
	Factor float64 // above zero, in values
	Label  string
	Dash   bool
}

// Draw is part of Figure.
//
// The error names the point that cannot be drawn: it has no place on the axes, its interval is none, or its series is not
// named; or says what is wrong with the figure: no points, more series than MaxSeries, or a Head that is refused.
func (f Scatter) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	if err := f.check(width); err != nil {
		return nil, f.wrap(err)
	}
	prepared, err := f.prepare()
	if err != nil {
		return nil, f.wrap(err)
	}
	s := newScatterSheet(prepared, m, width, false)
	if !s.paint() {
		s = newScatterSheet(prepared, m, width, true)
		s.paint()
	}
	svg, err := s.document(width, s.height, f.Head)
	return svg, f.wrap(err)
}

// prepare returns the figure as it is drawn: numbers in the units of the axes, words without line ends.
func (f Scatter) prepare() (Scatter, error) {
	var err error
	if f.X, err = prepareAxis(f.X); err == nil {
		f.Y, err = prepareAxis(f.Y)
	}
	switch {
	case err != nil:
		return f, err
	case len(f.Points) == 0:
		return f, errors.New("there are no points; leave the figure out and say why")
	case len(f.Series) > MaxSeries:
		return f, fmt.Errorf("%d series are more than the %d that can be told apart; draw several figures", len(f.Series), MaxSeries)
	}
	f.Series, f.Notes = oneLines(f.Series), oneLines(f.Notes)
	f.Points = slices.Clone(f.Points)
	for i, p := range f.Points {
		if len(f.Series) == 0 {
			f.Points[i].Series = 1
		} else if p.Series < 1 || p.Series > len(f.Series) {
			return f, fmt.Errorf("point %d, %q: series %d is none of the %d that are named; name it", i+1, p.Name, p.Series, len(f.Series))
		}
		f.Points[i].Name = oneLine(p.Name)
		if f.Points[i].Point, err = p.onAxes(f.X, f.Y); err != nil {
			return f, fmt.Errorf("point %d, %q: %w", i+1, p.Name, err)
		}
	}
	f.Slopes = slices.Clone(f.Slopes)
	for i, l := range f.Slopes {
		f.Slopes[i].Factor, f.Slopes[i].Label = l.Factor*f.X.Unit/f.Y.Unit, oneLine(l.Label)
		if !(l.Factor > 0) || !drawable(f.Slopes[i].Factor) {
			return f, fmt.Errorf("%v is no slope; leave it out", l.Factor)
		}
	}
	if f.Reference, err = f.Y.reference(f.Reference); err != nil {
		return f, err
	}
	return f, nil
}

// scatterSheet is Scatter in the making.
type scatterSheet struct {
	plane
	Scatter
	beside bool // names stand right of the frame
	names  sideNames
	key    []keyEntry
	top    float64 // below the key
}

func newScatterSheet(f Scatter, m *typeface.Metrics, width Width, beside bool) *scatterSheet {
	s := &scatterSheet{plane: plane{sheet: newSheet(m, width), narrow: width == Narrow}, Scatter: f, beside: beside}
	for k, name := range f.Series {
		s.key = append(s.key, keyEntry{k + 1, name})
	}
	if len(s.key) > 0 {
		s.top = s.layKey(s.key, false) + 4
	}
	var names []string
	for _, p := range f.Points {
		names = append(names, p.Name)
	}
	height, right := plotFull, 10.0
	if s.narrow {
		height = plotNarrow
	}
	if beside {
		s.names = s.laySide(textStyle{small: true}, names)
		height, right = max(height, s.names.stack), s.names.width
	}
	var x, y extent
	x.add(f.X.Also...)
	x.add(f.X.Ticks...)
	y.add(f.Y.Also...)
	for _, p := range f.Points {
		x.add(p.X, p.XLo, p.XHi)
		y.add(p.Y, p.YLo, p.YHi)
	}
	if f.Reference != nil {
		y.add(f.Reference.Value)
	}
	s.layPlane(f.X, f.Y, x.padded(f.X.Scale), y.padded(f.Y.Scale), s.top, height, right, f.Notes)
	return s
}

// paint draws everything. It reports false, and leaves the sheet unfinished, if a point finds no room for its name and names do
// not stand beside the frame.
func (s *scatterSheet) paint() bool {
	s.layKey(s.key, true)
	s.drawAxes(s.top)
	for _, l := range s.Slopes {
		if from, to, ok := s.slope(l); ok {
			k := ink("axis")
			if l.Dash {
				k += " dash"
			}
			s.stroke(k, from, to)
		}
	}
	s.plot(s.x, s.y, s.frame, s)
	ok := s.namePoints()
	for _, l := range s.Slopes {
		s.nameSlope(l)
	}
	s.drawReference(s.Reference)
	const reach = 9
	for _, p := range s.Points {
		at := s.at(p.Point)
		s.hit(rect{at.x - reach, at.y - reach, at.x + reach, at.y + reach}, p.Title)
	}
	return ok
}

func (s *scatterSheet) at(p Point) point { return point{s.x.at(p.X), s.y.at(p.Y)} }

// Plot draws intervals, then marks. It makes the sheet a plot.Plotter.
func (s *scatterSheet) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, q := range s.Points {
		at := point{float64(tx(q.X)), -float64(ty(q.Y))}
		k := "line thin " + strokeInk(q.Series)
		if !math.IsNaN(q.XLo) {
			from, to := s.x.within(q.XLo), s.x.within(q.XHi)
			s.stroke(k, point{from, at.y}, point{to, at.y})
			s.marks = append(s.marks, rect{from, at.y - 1, to, at.y + 1})
		}
		if !math.IsNaN(q.YLo) {
			from, to := s.y.within(q.YHi), s.y.within(q.YLo)
			s.stroke(k, point{at.x, from}, point{at.x, to})
			s.marks = append(s.marks, rect{at.x - 1, from, at.x + 1, to})
		}
	}
	for _, q := range s.Points {
		at := point{float64(tx(q.X)), -float64(ty(q.Y))}
		s.mark(q.Series, q.Hollow, at, dotRadius)
		s.marks = append(s.marks, rect{at.x - glyphReach, at.y - glyphReach, at.x + glyphReach, at.y + glyphReach})
	}
}

// namePoints names all points.
func (s *scatterSheet) namePoints() bool {
	style := func(i int) textStyle { return textStyle{ink: "halo " + fillInk(s.Points[i].Series), small: true} }
	if s.beside {
		ends := make([]point, len(s.Points))
		for i, p := range s.Points {
			ends[i] = s.at(p.Point)
		}
		s.drawSide(s.names, ends, style)
		return true
	}
	// Those in the thick of it choose first: they have the fewest places.
	order := make([]int, len(s.Points))
	near := make([]int, len(s.Points))
	for i, p := range s.Points {
		order[i] = i
		for _, q := range s.Points {
			const wide, high = 90, 24
			if a, b := s.at(p.Point), s.at(q.Point); math.Abs(a.x-b.x) < wide && math.Abs(a.y-b.y) < high {
				near[i]++
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return near[b] - near[a] })
	area := s.frame
	area.x1 = s.width
	for _, i := range order {
		if s.Points[i].Name != "" && !s.place(style(i), s.Points[i].Name, area, around(s.at(s.Points[i].Point))) {
			return false
		}
	}
	return true
}

// around are the spots beside a mark, nearest first.
func around(at point) []spot {
	var spots []spot
	for _, gap := range []float64{0, 7} {
		side, up := labelGap+gap, 11+gap
		spots = append(spots, spot{at.x + side, at.y, text.XLeft}, spot{at.x - side, at.y, text.XRight},
			spot{at.x, at.y - up, text.XCenter}, spot{at.x, at.y + up, text.XCenter},
			spot{at.x + side, at.y - up, text.XLeft}, spot{at.x + side, at.y + up, text.XLeft},
			spot{at.x - side, at.y - up, text.XRight}, spot{at.x - side, at.y + up, text.XRight})
	}
	return spots
}

// slope gives the part of a line that lies within the frame; false if none does.
func (s *scatterSheet) slope(l Slope) (from, to point, ok bool) {
	lo, hi := max(s.x.lo, s.y.lo/l.Factor), min(s.x.hi, s.y.hi/l.Factor)
	if !(lo < hi) {
		return from, to, false
	}
	return point{s.x.at(lo), s.y.at(lo * l.Factor)}, point{s.x.at(hi), s.y.at(hi * l.Factor)}, true
}

// nameSlope names a line along it where there is room.
func (s *scatterSheet) nameSlope(l Slope) {
	from, to, ok := s.slope(l)
	if !ok || l.Label == "" {
		return
	}
	var spots []spot
	for _, share := range []float64{.95, .05, .8, .2, .65, .35, .5} {
		x, y := from.x+share*(to.x-from.x), from.y+share*(to.y-from.y)
		spots = append(spots, spot{x - 6, y - 8, text.XRight}, spot{x + 6, y + 8, text.XLeft})
	}
	s.place(textStyle{ink: "halo dim", small: true}, l.Label, s.frame, spots)
}
