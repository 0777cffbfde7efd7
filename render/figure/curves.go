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

// Curves is a figure of lines over a numeric axis, such as a parameter, a percentile or the time within a run, with their
// intervals as bands. Each line is named at its end, in its colour.
type Curves struct {
	Head
	X, Y   Axis
	Curves []Curve

	Dots      bool        // each point has a mark, as few that were measured one by one have
	Boxes     bool        // each interval is a box of its own, and lines are thin: nothing is known between points, such as runs
	Reference *Reference  // a level to compare with; nil: none
	Drops     []Reference // upright lines with a name, such as that of a percentile, as far as X reaches
	Notes     []string    // said below the figure: what is not drawn, and why
}

// Curve is one line of Curves.
type Curve struct {
	Name   string
	Series int  // its colour and mark, from 1 to MaxSeries; 0 is grey
	Dash   bool // the second of a colour

	// Points are by ascending X. One that is a gap breaks the line.
	Points []CurvePoint

	// Traces are lines that lie behind it, drawn thin: those of the repetitions.
	Traces [][]Point

	Chosen *Choice // the point that a search chose; nil: none
}

// CurvePoint is a point of a Curve. Its XLo and XHi are not looked at.
type CurvePoint struct {
	Point
	Gap    bool // nothing was measured at X, and Y is not looked at: the line has a gap
	Failed bool // with Gap: it was tried and failed, and is hatched
}

// Choice is the point that a search chose.
type Choice struct {
	At    int    // index into the points of the curve
	Label string // empty for the mark alone
}

// Draw is part of Figure.
//
// The error names the curve and what cannot be drawn of it: a point that has no place on the axes, an interval that is none,
// points out of order, or a colour that there is not; or says what is wrong with the figure: no curves, no point, or a
// Head that is refused.
func (f Curves) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	if err := f.check(width); err != nil {
		return nil, f.Head.wrap(err)
	}
	prepared, err := f.prepare()
	if err != nil {
		return nil, f.Head.wrap(err)
	}
	s := newCurveSheet(prepared, m, width)
	s.paint()
	svg, err := s.document(width, s.height, f.Head)
	return svg, f.Head.wrap(err)
}

// prepare returns the figure as it is drawn: numbers in the units of the axes, words without line ends.
func (f Curves) prepare() (Curves, error) {
	var err error
	if f.X, err = prepareAxis(f.X); err == nil {
		f.Y, err = prepareAxis(f.Y)
	}
	if err != nil {
		return f, err
	}
	if len(f.Curves) == 0 {
		return f, errors.New("there are no curves; leave the figure out")
	}
	curves := make([]Curve, len(f.Curves))
	some := false
	for i, c := range f.Curves {
		if curves[i], err = f.prepareCurve(c); err != nil {
			return f, fmt.Errorf("curve %d, %q: %w", i+1, c.Name, err)
		}
		some = some || slices.ContainsFunc(c.Points, func(p CurvePoint) bool { return !p.Gap })
	}
	if !some {
		return f, errors.New("no curve has a point; leave the figure out and say why")
	}
	f.Curves = curves
	f.Notes = oneLines(f.Notes)
	if f.Reference, err = f.Y.reference(f.Reference); err != nil {
		return f, err
	}
	f.Drops = slices.Clone(f.Drops)
	for i, d := range f.Drops {
		f.Drops[i] = Reference{d.Value / f.X.Unit, oneLine(d.Label)}
	}
	return f, nil
}

func (f Curves) prepareCurve(c Curve) (Curve, error) {
	if c.Series < 0 || c.Series > MaxSeries {
		return c, fmt.Errorf("there is no colour %d; choose one from 1 to %d, or 0 for grey", c.Series, MaxSeries)
	}
	c.Name = oneLine(c.Name)
	c.Points = slices.Clone(c.Points)
	for i, p := range c.Points {
		if i > 0 && !(c.Points[i-1].X*f.X.Unit <= p.X) {
			return c, fmt.Errorf("point %d lies left of the one before; sort them", i+1)
		}
		p.XLo, p.XHi = math.NaN(), math.NaN()
		if p.Gap { // its height says nothing, but has to be a number
			if c.Points[i].X = p.X / f.X.Unit; !f.X.Scale.has(c.Points[i].X) {
				return c, fmt.Errorf("the gap at %v has no place on the axis; leave it out and say so", p.X)
			}
			c.Points[i].Title = oneLine(p.Title)
			continue
		}
		point, err := p.onAxes(f.X, f.Y)
		if err != nil {
			return c, err
		}
		c.Points[i].Point = point
	}
	var err error
	if c.Traces, err = f.prepareTraces(c.Traces); err != nil {
		return c, err
	}
	if c.Chosen != nil {
		if c.Chosen.At < 0 || c.Chosen.At >= len(c.Points) || c.Points[c.Chosen.At].Gap {
			return c, fmt.Errorf("the choice is point %d, which is not there; leave it out", c.Chosen.At+1)
		}
		c.Chosen = &Choice{c.Chosen.At, oneLine(c.Chosen.Label)}
	}
	return c, nil
}

// prepareTraces returns them in the units of the axes.
func (f Curves) prepareTraces(list [][]Point) ([][]Point, error) {
	traces := make([][]Point, len(list))
	for i, trace := range list {
		for _, p := range trace {
			p.XLo, p.XHi, p.YLo, p.YHi = math.NaN(), math.NaN(), math.NaN(), math.NaN()
			p, err := p.onAxes(f.X, f.Y)
			if err != nil {
				return nil, err
			}
			traces[i] = append(traces[i], p)
		}
	}
	return traces, nil
}

// extents are what the axes have to show.
func (f Curves) extents() (x, y extent) {
	x.add(f.X.Also...)
	x.add(f.X.Ticks...)
	y.add(f.Y.Also...)
	for _, c := range f.Curves {
		for _, p := range c.Points {
			if x.add(p.X); !p.Gap {
				y.add(p.Y, p.YLo, p.YHi)
			}
		}
		for _, trace := range c.Traces {
			for _, p := range trace {
				x.add(p.X)
				y.add(p.Y)
			}
		}
	}
	if f.Reference != nil {
		y.add(f.Reference.Value)
	}
	return x, y
}

// curveSheet is Curves in the making.
type curveSheet struct {
	plane
	Curves
	names sideNames
	named []int // the curves that have a point, by which they are named
	drawn []curveLine
}

// curveLine is a curve as it is drawn: the runs of points without a gap.
type curveLine struct{ runs [][]placed }

// placed is a point of a curve on the sheet, with its interval.
type placed struct {
	point
	top, bottom float64 // NaN where there is none
	hollow      bool
}

// curveName sets the name of a curve.
func (s *curveSheet) curveName(i int) textStyle {
	return textStyle{ink: fillInk(s.Curves.Curves[s.named[i]].Series), small: true}
}

func newCurveSheet(f Curves, m *typeface.Metrics, width Width) *curveSheet {
	s := &curveSheet{plane: plane{sheet: newSheet(m, width), narrow: width == Narrow}, Curves: f}
	var names []string
	for i, c := range f.Curves {
		if slices.ContainsFunc(c.Points, func(p CurvePoint) bool { return !p.Gap }) {
			s.named = append(s.named, i)
			names = append(names, c.Name)
		}
	}
	s.names = s.laySide(textStyle{small: true}, names)
	height := plotFull
	if s.narrow {
		height = plotNarrow
	}
	x, y := f.extents()
	s.layPlane(f.X, f.Y, x, y, 0, max(height, s.names.stack), s.names.width, f.Notes)
	return s
}

// paint draws everything, names last: they keep clear of what is there.
func (s *curveSheet) paint() {
	s.drawAxes(0)
	for _, d := range s.Drops {
		if s.x.has(d.Value) {
			s.stroke("lead", point{s.x.at(d.Value), s.frame.y0}, point{s.x.at(d.Value), s.frame.y1})
		}
	}
	s.plot(s.x, s.y, s.frame, s)
	ends := make([]point, len(s.named))
	for i, k := range s.named {
		runs := s.drawn[k].runs
		last := runs[len(runs)-1]
		ends[i] = last[len(last)-1].point
	}
	s.drawSide(s.names, ends, s.curveName)
	for i, c := range s.Curves.Curves {
		if c.Chosen != nil {
			s.nameChoice(i, c)
		}
	}
	s.drawReference(s.Reference)
	s.nameDrops()
	s.hitPoints()
}

// runsOf are the points between gaps, where they are drawn.
func (s *curveSheet) runsOf(points []CurvePoint, at func(x, y float64) point) [][]placed {
	var runs [][]placed
	var run []placed
	for _, q := range points {
		if q.Gap {
			if len(run) > 0 {
				runs, run = append(runs, run), nil
			}
			continue
		}
		here := placed{at(q.X, q.Y), math.NaN(), math.NaN(), q.Hollow}
		if !math.IsNaN(q.YLo) {
			here.top, here.bottom = s.y.within(q.YHi), s.y.within(q.YLo)
		}
		run = append(run, here)
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs
}

// Plot draws bands, traces, lines and marks, in this order, so that nothing lies under what says less. It makes the sheet a
// plot.Plotter.
func (s *curveSheet) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	at := func(x, y float64) point { return point{float64(tx(x)), -float64(ty(y))} }
	s.drawn = make([]curveLine, len(s.Curves.Curves))
	for i, c := range s.Curves.Curves {
		s.drawn[i].runs = s.runsOf(c.Points, at)
	}
	const crowded = 3
	band := ink("band ")
	if len(s.named) > crowded {
		band = "band faint "
	}
	for i, c := range s.Curves.Curves {
		for _, run := range s.drawn[i].runs {
			if s.Boxes {
				s.paintBoxes(c.Series, run)
			} else {
				s.paintBand(band+fillInk(c.Series), run)
			}
		}
	}
	for _, c := range s.Curves.Curves {
		for _, trace := range c.Traces {
			points := make([]point, len(trace))
			for k, q := range trace {
				points[k] = at(q.X, q.Y)
			}
			if len(points) > 1 {
				s.stroke("trace "+strokeInk(c.Series), points...)
			}
		}
	}
	for i, c := range s.Curves.Curves {
		s.paintLine(c, s.drawn[i].runs)
	}
	for i, c := range s.Curves.Curves {
		s.paintPoints(c, s.drawn[i].runs)
	}
}

// paintBand draws the intervals of a run of points. A single one has a line, which a band would hide.
func (s *curveSheet) paintBand(k ink, run []placed) {
	for start := 0; start < len(run); start++ {
		end := start
		for end < len(run) && !math.IsNaN(run[end].top) {
			end++
		}
		switch part := run[start:end]; {
		case len(part) == 1:
			s.fillRect(k, rect{part[0].x - 2, part[0].top, part[0].x + 2, part[0].bottom})
		case len(part) > 1:
			var outline []point
			for _, p := range part {
				outline = append(outline, point{p.x, p.top})
			}
			for _, p := range slices.Backward(part) {
				outline = append(outline, point{p.x, p.bottom})
			}
			s.fill(k, outline...)
		}
		start = max(start, end)
	}
}

// paintBoxes draws the interval of each point by itself.
func (s *curveSheet) paintBoxes(series int, run []placed) {
	const wide = 9.0
	for _, p := range run {
		if math.IsNaN(p.top) {
			continue
		}
		box := rect{p.x - wide/2, p.top, p.x + wide/2, p.bottom}
		s.fillRect("ibox "+fillInk(series)+" "+strokeInk(series), box)
		s.marks = append(s.marks, box)
	}
}

func (s *curveSheet) paintLine(c Curve, runs [][]placed) {
	k := "line " + strokeInk(c.Series)
	if s.Boxes {
		k = "line thin " + strokeInk(c.Series)
	}
	if c.Dash {
		k += " dash"
	}
	for _, run := range runs {
		points := make([]point, len(run))
		for i, p := range run {
			points[i] = p.point
		}
		if len(points) > 1 {
			s.stroke(k, points...)
			s.routes = append(s.routes, pieces(points)...)
		}
	}
}

// paintPoints draws the marks of a curve. A point that stands alone always has one, as there is no line to it.
func (s *curveSheet) paintPoints(c Curve, runs [][]placed) {
	const small, ring = 2.8, 5.5
	chosen := point{math.NaN(), 0}
	if c.Chosen != nil {
		q := c.Points[c.Chosen.At]
		chosen = point{s.x.at(q.X), s.y.at(q.Y)}
		s.stroke("lead", point{chosen.x, chosen.y + ring + 2}, point{chosen.x, s.frame.y1})
		s.glyph("open "+strokeInk(c.Series), c.Series, chosen, ring)
		s.marks = append(s.marks, rect{chosen.x - 1.3*ring, chosen.y - 1.3*ring, chosen.x + 1.3*ring, chosen.y + 1.3*ring})
	}
	for _, run := range runs {
		for _, p := range run {
			if !s.Dots && len(run) > 1 {
				continue
			}
			radius := small
			if math.Abs(p.x-chosen.x) < .05 {
				radius = 2.2
			}
			s.mark(c.Series, p.hollow, p.point, radius)
			s.marks = append(s.marks, rect{p.x - glyphReach, p.y - glyphReach, p.x + glyphReach, p.y + glyphReach})
		}
	}
	const wide, high = 9, 16
	for _, q := range c.Points {
		if q.Gap && q.Failed {
			x := min(max(s.x.at(q.X), s.frame.x0+wide/2), s.frame.x1-wide/2)
			s.hatch(rect{x - wide/2, s.frame.y1 - high, x + wide/2, s.frame.y1})
		}
	}
}

// nameChoice names the chosen point: close to it, else beside the line down from it, else not at all, as hits and words say it.
func (s *curveSheet) nameChoice(i int, c Curve) {
	if c.Chosen.Label == "" {
		return
	}
	q := c.Points[c.Chosen.At]
	at := point{s.x.at(q.X), s.y.at(q.Y)}
	const near, step = 14, 7
	var spots []spot
	for _, dy := range []float64{-near, near} {
		spots = append(spots, spot{at.x, at.y + dy, text.XCenter}, spot{at.x + 6, at.y + dy, text.XLeft}, spot{at.x - 6, at.y + dy, text.XRight})
	}
	spots = append(spots, spot{at.x + near, at.y, text.XLeft}, spot{at.x - near, at.y, text.XRight})
	for y := at.y + 2*near; y < s.frame.y1-near; y += step {
		spots = append(spots, spot{at.x + 5, y, text.XLeft}, spot{at.x - 5, y, text.XRight})
	}
	s.place(textStyle{ink: "halo " + fillInk(c.Series), strong: true, small: true}, c.Chosen.Label, s.frame.grow(0, 12), spots)
}

// nameDrops names upright lines where there is room beside them; the axis has their ticks in any case.
func (s *curveSheet) nameDrops() {
	for _, d := range s.Drops {
		if !s.x.has(d.Value) {
			continue
		}
		x := s.x.at(d.Value)
		var spots []spot
		for _, y := range []float64{s.frame.y0 + 7, s.frame.y0 + 24, s.frame.y1 - 10, s.frame.y1 - 27} {
			spots = append(spots, spot{x + 5, y, text.XLeft}, spot{x - 5, y, text.XRight})
		}
		s.place(textStyle{ink: "halo dim", small: true}, d.Label, s.frame, spots)
	}
}

// hitPoints lets points be pointed at. Those of several curves that lie on each other can be reached by the keyboard one by one.
func (s *curveSheet) hitPoints() {
	const reach = 9
	for _, c := range s.Curves.Curves {
		for _, q := range c.Points {
			at := point{s.x.at(q.X), s.frame.y1 - reach}
			if !q.Gap {
				at.y = s.y.at(q.Y)
			}
			s.hit(rect{at.x - reach, at.y - reach, at.x + reach, at.y + reach}, q.Title)
		}
	}
}
