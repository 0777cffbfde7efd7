package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"
)

// Scatter is a figure of points between two numeric axes, with their intervals both ways. Each point is named beside
// it; where one finds no room, all are named right of the frame, with a lead to each. Series are named in a key above.
type Scatter struct {
	Head
	X, Y   Axis
	Points []NamedPoint
	Series []string // by colour, as of Rows

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

// Draw draws the figure, as Figure has it.
//
// The error names the point that cannot be drawn: it has no place on the axes, its interval is none, or its series is
// not named; or says what is wrong with the figure: no points, more series than MaxSeries, or a Head that is refused.
func (f Scatter) Draw(m *Metrics, width Width) ([]byte, error) {
	c := Curves{Head: f.Head, X: f.X, Y: f.Y, Reference: f.Reference, Notes: f.Notes, Dots: true}
	prepare := func() error { return f.prepare(&c) }
	return f.draw(m, width, prepare, func(s *sheet, crowded bool) (float64, bool) {
		p := &plane{sheet: s, f: c, slopes: f.Slopes, cross: true}
		if crowded {
			p.nameAll()
		}
		top := 0.0
		if key := seriesEntries(f.Series); len(key) > 0 {
			top = s.drawKey(key) + 4
		}
		p.lay(top)
		p.paint()
		for i := range f.Slopes {
			p.nameSlope(i)
		}
		p.nameBeside("halo ")
		return p.height, crowded || p.namePoints()
	})
}

// prepare makes the points curves, and all as it is drawn.
func (f *Scatter) prepare(c *Curves) (err error) {
	if len(f.Points) == 0 {
		return errors.New("there are no points; leave the figure out and say why")
	}
	if err = c.prepareFrame(); err != nil {
		return err
	}
	if f.Series, err = seriesNames(f.Series); err != nil {
		return err
	}
	for i, p := range f.Points {
		out := Curve{Name: oneLine(p.Name)}
		if out.Series, err = seriesOf(f.Series, p.Series); err == nil {
			p.Point, err = c.place(p.Point)
		}
		if err != nil {
			return fmt.Errorf("point %d, %q: %w", i+1, p.Name, err)
		}
		out.Points = []CurvePoint{{Point: p.Point}}
		c.Curves = append(c.Curves, out)
	}
	f.Slopes = slices.Clone(f.Slopes)
	for i, l := range f.Slopes {
		f.Slopes[i].Factor, f.Slopes[i].Label = l.Factor*c.X.Unit/c.Y.Unit, oneLine(l.Label)
		if !(l.Factor > 0) || !drawable(f.Slopes[i].Factor) {
			return fmt.Errorf("%v is not a slope; leave it out", l.Factor)
		}
	}
	return nil
}

func glyphsAt(points []Point, style func(i int) draw.GlyphStyle) plot.Plotter {
	return &plotter.Scatter{XYs: pairs(points), GlyphStyleFunc: style}
}

// namePoints names all points beside them. It reports false if one has no room.
func (p *plane) namePoints() bool {
	// Those in the thick of it choose first: they have the fewest places.
	const wide, high = 90, 24
	type named struct {
		Curve
		at   point
		near int
	}
	list := make([]named, len(p.f.Curves))
	for i, c := range p.f.Curves {
		list[i] = named{Curve: c, at: p.at(c.Points[0].Point)}
	}
	for i, a := range list {
		for _, b := range list {
			if math.Abs(a.at.x-b.at.x) < wide && math.Abs(a.at.y-b.at.y) < high {
				list[i].near++
			}
		}
	}
	slices.SortStableFunc(list, func(a, b named) int { return b.near - a.near })
	area := p.frame
	area.x1 = p.width
	for _, n := range list {
		t := textStyle{ink: "halo " + fillInk(n.Series), small: true}
		// A name nearer to another mark would be taken for its name.
		isOthers := func(sp spot) bool {
			box := t.boxAt(p.metrics, sp, n.Name)
			return slices.ContainsFunc(list, func(o named) bool {
				return o.at != n.at && box.away(o.at) <= box.away(n.at)
			})
		}
		if n.Name != "" && !p.place(t, n.Name, area, slices.DeleteFunc(around(n.at), isOthers)) {
			return false
		}
	}
	return true
}

// around are the spots beside a mark, nearest first.
func around(at point) []spot {
	var spots []spot
	for _, more := range []float64{0, 7} {
		side, up := labelGap+more, 11+more
		right, left := at.x+side, at.x-side
		spots = append(spots, beside(at.x, at.y, side)...)
		spots = append(spots, spot{at.x, at.y - up, text.XCenter}, spot{at.x, at.y + up, text.XCenter},
			spot{right, at.y - up, text.XLeft}, spot{right, at.y + up, text.XLeft},
			spot{left, at.y - up, text.XRight}, spot{left, at.y + up, text.XRight})
	}
	return spots
}

// slope gives the part of a line that lies within the frame; false if none does.
func (p *plane) slope(l Slope) (from, to point, ok bool) {
	lo, hi := max(p.x.lo, p.y.lo/l.Factor), min(p.x.hi, p.y.hi/l.Factor)
	if !(lo < hi) {
		return from, to, false
	}
	return point{p.x.at(lo), p.y.at(lo * l.Factor)}, point{p.x.at(hi), p.y.at(hi * l.Factor)}, true
}

// nameSlope names one of the lines along it, or at its upper end, where it is nearer to it than to the others.
func (p *plane) nameSlope(which int) {
	l := p.slopes[which]
	from, to, ok := p.slope(l)
	if !ok || l.Label == "" {
		return
	}
	var spots []spot
	for _, share := range []float64{.95, .05, .8, .2, .65, .35, .5} {
		x, y := from.x+share*(to.x-from.x), from.y+share*(to.y-from.y)
		spots = append(spots, spot{x - 6, y - 8, text.XRight}, spot{x + 6, y + 8, text.XLeft})
	}
	spots = append(spots, spot{to.x, to.y - 9, text.XRight}, spot{to.x + 6, to.y, text.XLeft})
	isOthers := func(sp spot) bool {
		const clear = 4 // units nearer
		box := wordsStyle.boxAt(p.metrics, sp, l.Label)
		own := box.awayFrom(from, to)
		for i, o := range p.slopes {
			if from, to, ok := p.slope(o); ok && i != which && box.awayFrom(from, to) < own+clear {
				return true
			}
		}
		return false
	}
	area := p.frame.grow(0, smallSize+clearance)
	if p.names.width == 0 {
		area.x1 = p.width
	}
	p.place(wordsStyle, l.Label, area, slices.DeleteFunc(spots, isOthers))
}
