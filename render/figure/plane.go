package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curves is a figure of lines over a numeric axis, such as a parameter, a percentile or the time within a run, with
// their intervals as bands. Each line is named at its end, in its colour; more lines than MaxSeries have a frame each.
type Curves struct {
	Head
	X, Y   Axis
	Curves []Curve

	Dots      bool        // each point has a mark, as few that were measured one by one have
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

// Point is a point of a figure over numbers.
type Point struct {
	X, Y float64 // in the units of the axes' values

	// XLo to XHi is the interval of X, and YLo to YHi that of Y; both ends are NaN where there is none. An end that is
	// infinite, or has no place on its scale, is drawn to the edge of the frame.
	XLo, XHi, YLo, YHi float64

	// Title is the point in words. Whoever points at it is shown it; without words there is nothing to point at.
	Title string

	// Hollow says that the point is not of what is measured now, or not of all of it, as Title says: an open mark.
	Hollow bool
}

// Draw draws the figure, as Figure has it.
//
// The error names the curve and what cannot be drawn of it: a point that has no place on the axes, an interval that is
// none, points out of order, or a colour that there is not; or says what is wrong with the figure: no curves, no point,
// or a Head that is refused.
func (f Curves) Draw(m *Metrics, width Width) ([]byte, error) {
	return f.draw(m, width, f.prepare, func(s *sheet, _ bool) (float64, bool) {
		p := &plane{sheet: s, f: f}
		if p.nameAll(); len(p.named) > MaxSeries {
			return f.multiples(s), true
		}
		p.lay(0)
		p.paint()
		p.nameDrops()
		p.nameBeside("")
		for _, c := range f.Curves {
			p.nameChoice(c)
		}
		return p.height, true
	})
}

func isDrawn(q CurvePoint) bool { return !q.Gap }

// prepare makes the figure as it is drawn: numbers in the units of the axes, words without line ends.
func (f *Curves) prepare() error {
	if len(f.Curves) == 0 {
		return errors.New("there are no curves; leave the figure out")
	}
	if err := f.prepareFrame(); err != nil {
		return err
	}
	curves := slices.Clone(f.Curves)
	some := false
	for i, c := range curves {
		var err error
		if curves[i], err = f.prepareCurve(c); err != nil {
			return fmt.Errorf("curve %d, %q: %w", i+1, c.Name, err)
		}
		some = some || slices.ContainsFunc(c.Points, isDrawn)
	}
	if !some {
		return errors.New("no curve has a point; leave the figure out and say why")
	}
	f.Curves = curves
	f.Drops = slices.Clone(f.Drops)
	for i, d := range f.Drops {
		f.Drops[i] = Reference{d.Value / f.X.Unit, oneLine(d.Label)}
	}
	return nil
}

// prepareFrame prepares all but curves.
func (f *Curves) prepareFrame() (err error) {
	if f.X, err = f.X.prepared(); err != nil {
		return err
	}
	if f.Y, err = f.Y.prepared(); err != nil {
		return err
	}
	f.Notes = oneLines(f.Notes)
	f.Reference, err = f.Y.reference(f.Reference)
	return err
}

func (f *Curves) prepareCurve(c Curve) (_ Curve, err error) {
	if c.Series < 0 || c.Series > MaxSeries {
		return c, fmt.Errorf("there is no colour %d; choose one from 1 to %d, or 0 for grey", c.Series, MaxSeries)
	}
	c.Name, c.Points = oneLine(c.Name), slices.Clone(c.Points)
	for i, p := range c.Points {
		if i > 0 && !(c.Points[i-1].X*f.X.Unit <= p.X) {
			return c, fmt.Errorf("point %d lies left of the one before; sort them", i+1)
		}
		p.XLo, p.XHi = math.NaN(), math.NaN()
		if p.Gap { // its height says nothing, but has to be a number
			p.X, err = f.X.place("the gap at", p.X)
			p.Title = oneLine(p.Title)
		} else {
			p.Point, err = f.place(p.Point)
		}
		if c.Points[i] = p; err != nil {
			return c, err
		}
	}
	traces := make([][]Point, len(c.Traces))
	for i, trace := range c.Traces {
		for _, p := range trace {
			if p, err = f.place(Point{p.X, p.Y, math.NaN(), math.NaN(), math.NaN(), math.NaN(), "", false}); err != nil {
				return c, err
			}
			traces[i] = append(traces[i], p)
		}
	}
	c.Traces = traces
	if c.Chosen != nil {
		if c.Chosen.At < 0 || c.Chosen.At >= len(c.Points) || c.Points[c.Chosen.At].Gap {
			return c, fmt.Errorf("the choice is point %d, which is not there; leave it out", c.Chosen.At+1)
		}
		c.Chosen = &Choice{c.Chosen.At, oneLine(c.Chosen.Label)}
	}
	return c, nil
}

// place is a point in the units of the axes, with intervals that have two ends or none.
func (f *Curves) place(p Point) (_ Point, err error) {
	p.Title = oneLine(p.Title)
	if p.X, err = f.X.place("the X", p.X); err != nil {
		return p, err
	}
	if p.Y, err = f.Y.place("the Y", p.Y); err != nil {
		return p, err
	}
	if p.XLo, p.XHi, err = f.X.interval(p.XLo, p.XHi); err != nil {
		return p, err
	}
	p.YLo, p.YHi, err = f.Y.interval(p.YLo, p.YHi)
	return p, err
}

// extents are what the axes have to show.
func (f *Curves) extents() (x, y extent) {
	x.add(f.X.Ticks...)
	for _, c := range f.Curves {
		for _, p := range c.Points {
			if x.add(p.X, p.XLo, p.XHi); !p.Gap {
				y.add(p.Y, p.YLo, p.YHi)
			}
		}
		for _, p := range slices.Concat(c.Traces...) {
			x.add(p.X)
			y.add(p.Y)
		}
	}
	if f.Reference != nil {
		y.add(f.Reference.Value)
	}
	return x, y
}

// plane is Curves or Scatter in the making: a frame between two axes, laid out before anything is drawn. The points of
// Scatter are curves of one point each.
type plane struct {
	*sheet
	f      Curves
	slopes []Slope // of Scatter, whose intervals are crosses and whose axes reach a little further
	cross  bool
	bare   bool  // the levels are named beside another frame
	named  []int // the curves that have a point, by which they are named
	names  sideNames

	x, y   axis
	frame  rect
	words  []block // around the frame: the names of its axes, and notes
	height float64
}

// Measures of planes, in units.
const (
	plotFull   = 264.0 // height of the frame
	plotNarrow = 230.0
	planeTop   = 14.0 // from the top to the baseline of the first line
	planeGap   = 11.0 // from the last baseline above the frame to the frame
	dropRoom   = 14.0 // above the frame for the names of upright lines
	besideTick = 8.0  // from the frame to the labels beside it
	noteGap    = 8.0  // above the first note
	glyphReach = 4.2  // half the width that a mark takes at most
	hitReach   = 9.0  // of what can be pointed at around a mark
)

// noteStyle sets what is said below a plane.
var noteStyle = textStyle{ink: "dim", small: true}

// nameAll lets all curves that have a point be named beside the frame.
func (p *plane) nameAll() {
	for i, c := range p.f.Curves {
		if !isEmpty(c) {
			p.named = append(p.named, i)
		}
	}
}

// lay puts the frame below top between its axes.
func (p *plane) lay(top float64) {
	height := plotFull
	if p.isNarrow() {
		height = plotNarrow
	}
	p.laySide()
	height, right := max(height, p.names.stack), max(10, p.names.width)
	x, y := p.f.extents()
	if p.cross {
		x, y = x.padded(p.f.X.Scale), y.padded(p.f.Y.Scale)
	}
	lo, hi := y.ends(p.f.Y.Scale, p.f.Y.Zero)
	p.y = newUpright(p.f.Y.Scale, lo, hi, height, 0)
	yName := p.block(captionStyle, p.y.caption(p.f.Y.Name), p.width)
	yName.at.y = top + planeTop
	p.frame.y0 = yName.at.y + lineHeight*float64(len(yName.lines)-1) + planeGap
	if len(p.f.Drops) > 0 {
		p.frame.y0 += dropRoom
	}
	p.frame.y1 = p.frame.y0 + height
	p.y.from, p.y.to = p.frame.y1, p.frame.y0

	lo, hi = x.ends(p.f.X.Scale, p.f.X.Zero)
	left, right := math.Ceil(p.widest(tickStyle, p.y.labels))+besideTick, p.width-math.Ceil(right)
	p.x = newAxisAt(p.sheet, p.f.X.Scale, p.f.X.Ticks, lo, hi, left, right)
	p.frame.x0, p.frame.x1 = p.x.from, p.x.to

	xName := p.block(captionStyle, p.x.caption(p.f.X.Name), p.width-p.frame.x0)
	xName.at = point{p.frame.x0, p.frame.y1 + tickBelow + 2 + captionDrop}
	p.words = append(p.words, yName, xName)
	base := xName.at.y + lineHeight*float64(len(xName.lines)-1)
	for i, note := range p.f.Notes {
		if i == 0 {
			base += noteGap
		}
		b := p.block(noteStyle, note, p.width)
		b.at.y = base + lineHeight
		base += lineHeight * float64(len(b.lines))
		p.words = append(p.words, b)
	}
	p.height = base + foot
}

func (p *plane) at(q Point) point { return point{p.x.at(q.X), p.y.at(q.Y)} }

// paint draws all but names, and lets points be pointed at. Those of several curves that lie on each other can be
// reached by the keyboard one by one.
func (p *plane) paint() {
	for _, b := range p.words {
		p.write(b)
	}
	p.plot(p.frame, func(g *plot.Plot) {
		p.x.gonum(p.sheet, &g.X, tickStyle, point{0, tickBelow + 2 - tickLength})
		g.X.LineStyle, g.X.Tick.LineStyle, g.X.Tick.Length = pen("axis"), pen("axis"), tickLength
		beside := tickStyle
		beside.align = text.XRight
		p.y.gonum(p.sheet, &g.Y, beside, point{-besideTick, beside.middle()})
		if p.bare {
			g.Y.Tick.Marker = plot.ConstantTicks(nil)
		}
	}, p.plotters()...)
	for _, c := range p.f.Curves {
		for _, q := range c.Points {
			at := point{p.x.at(q.X), p.frame.y1 - hitReach}
			if !q.Gap {
				at.y = p.y.at(q.Y)
			}
			p.hit(rect{at.x, at.y, at.x, at.y}.grow(hitReach, hitReach), q.Title)
		}
	}
}

// plotters are what gonum draws into the frame: grid, bands, traces, lines and marks, in this order, so that nothing
// lies under what says less.
func (p *plane) plotters() []plot.Plotter {
	out := []plot.Plotter{plotFunc(p.paintGrid)}
	runs := make([][][]Point, len(p.f.Curves))
	for i, c := range p.f.Curves {
		runs[i] = runsOf(c.Points)
		for _, run := range runs[i] {
			out = append(out, p.intervals(c.Series, run)...)
		}
	}
	for _, c := range p.f.Curves {
		for _, trace := range c.Traces {
			out = append(out, line("trace "+strokeInk(c.Series), trace))
		}
	}
	for i, c := range p.f.Curves {
		k := "line " + strokeInk(c.Series)
		if c.Dash {
			k += " dash"
		}
		for _, run := range runs[i] {
			out = append(out, line(k, run))
		}
	}
	for i, c := range p.f.Curves {
		out = append(out, p.points(c, runs[i])...)
	}
	return out
}

// plotFunc draws into a frame what is not of data alone.
type plotFunc func()

// Plot makes it a plot.Plotter.
func (f plotFunc) Plot(draw.Canvas, *plot.Plot) { f() }

// paintGrid draws level lines at the ticks, and what leads through the frame.
func (p *plane) paintGrid() {
	for _, v := range p.y.ticks {
		k := ink("grid")
		if v == 0 && p.y.scale == Linear {
			k = "axis"
		}
		if y := p.y.at(v); y < p.frame.y1-.5 {
			p.stroke(k, point{p.frame.x0, y}, point{p.frame.x1, y})
		}
	}
	if r := p.f.Reference; r != nil {
		p.stroke("axis", point{p.frame.x0, p.y.at(r.Value)}, point{p.frame.x1, p.y.at(r.Value)})
	}
	for _, d := range p.f.Drops {
		if x := p.x.at(d.Value); p.x.has(d.Value) {
			p.stroke("lead", point{x, p.frame.y0}, point{x, p.frame.y1})
		}
	}
	for _, l := range p.slopes {
		if from, to, ok := p.slope(l); ok {
			k := ink("axis")
			if l.Dash {
				k += " dash"
			}
			p.stroke(k, from, to)
		}
	}
}

// runsOf are the points between gaps.
func runsOf(points []CurvePoint) [][]Point {
	var runs [][]Point
	isNew := true
	for _, q := range points {
		if !q.Gap {
			if isNew {
				runs = append(runs, nil)
			}
			last := &runs[len(runs)-1]
			*last = append(*last, q.Point)
		}
		isNew = q.Gap
	}
	return runs
}

// line is a line through points; nothing for a single one.
func line(k ink, points []Point) plot.Plotter {
	return &plotter.Line{XYs: pairs(points), LineStyle: pen(k)}
}

func pairs(points []Point) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, q := range points {
		out[i] = plotter.XY{X: q.X, Y: q.Y}
	}
	return out
}

// intervals are those of a run of points: a cross at each, or a band along all. A single point has a
// line, which a band would hide.
func (p *plane) intervals(series int, run []Point) []plot.Plotter {
	const crowded, lineWide = 3, 4.0
	band := "band " + fillInk(series)
	if len(p.named) > crowded {
		band = "band faint " + fillInk(series)
	}
	var out []plot.Plotter
	hasInterval := func(q Point) bool { return !math.IsNaN(q.YLo) }
	for start := 0; start < len(run); start++ {
		q := run[start]
		if p.cross {
			out = append(out, p.crossOf(series, q)...)
			continue
		}
		end := start
		for end < len(run) && hasInterval(run[end]) {
			end++
		}
		switch part := run[start:end]; {
		case len(part) == 0:
			continue
		case len(part) == 1:
			out = append(out, p.upright(band, q, lineWide))
		default:
			out = append(out, p.bandOf(band, part))
		}
		start = end - 1
	}
	return out
}

// upright is the interval of a point alone, as wide as it takes to be seen.
func (p *plane) upright(k ink, q Point, wide float64) plot.Plotter {
	return plotFunc(func() {
		x := p.x.at(q.X)
		p.fillRect(k, rect{x - wide/2, p.y.at(p.y.within(q.YHi)), x + wide/2, p.y.at(p.y.within(q.YLo))})
	})
}

// bandOf is the area between the ends of the intervals of points.
func (p *plane) bandOf(k ink, points []Point) plot.Plotter {
	var above, below []Point
	for _, q := range points {
		above, below = append(above, Point{X: q.X, Y: p.y.within(q.YHi)}), append(below, Point{X: q.X, Y: p.y.within(q.YLo)})
	}
	slices.Reverse(below)
	return &plotter.Polygon{XYs: []plotter.XYs{pairs(append(above, below...))}, Color: k}
}

// crossOf are the intervals of a point both ways.
func (p *plane) crossOf(series int, q Point) []plot.Plotter {
	k := "line thin " + strokeInk(series)
	var out []plot.Plotter
	if !math.IsNaN(q.XLo) {
		out = append(out, line(k, []Point{{X: p.x.within(q.XLo), Y: q.Y}, {X: p.x.within(q.XHi), Y: q.Y}}))
	}
	if !math.IsNaN(q.YLo) {
		out = append(out, line(k, []Point{{X: q.X, Y: p.y.within(q.YHi)}, {X: q.X, Y: p.y.within(q.YLo)}}))
	}
	return out
}

// points are the marks of a curve. A point that stands alone always has one, as there is no line to it.
func (p *plane) points(c Curve, runs [][]Point) []plot.Plotter {
	const small, inRing, ring = 2.8, 2.2, 5.5
	var out []plot.Plotter
	chosen := math.NaN()
	if c.Chosen != nil {
		q := c.Points[c.Chosen.At].Point
		chosen = q.X
		out = append(out, plotFunc(func() {
			at := p.at(q)
			p.stroke("lead", point{at.x, at.y + ring + 2}, point{at.x, p.frame.y1})
			p.glyph(mark(c.Series, true, ring), at)
			p.marks = append(p.marks, rect{at.x, at.y, at.x, at.y}.grow(1.3*ring, 1.3*ring))
		}))
	}
	for _, run := range runs {
		if !p.f.Dots && len(run) > 1 {
			continue
		}
		out = append(out, glyphsAt(run, func(i int) draw.GlyphStyle {
			radius := vg.Length(small)
			if p.cross {
				radius = dotRadius
			} else if run[i].X == chosen {
				radius = inRing
			}
			return mark(c.Series, run[i].Hollow, radius)
		}))
	}
	const wide, high = 9, 16
	for _, q := range c.Points {
		if q.Gap && q.Failed {
			x := min(max(p.x.at(q.X), p.frame.x0+wide/2), p.frame.x1-wide/2)
			out = append(out, plotFunc(func() { p.hatch(rect{x - wide/2, p.frame.y1 - high, x + wide/2, p.frame.y1}) }))
		}
	}
	return out
}

// nameChoice names the chosen point: close to it, else beside the line down from it, else not at all, as hits and words
// say it.
func (p *plane) nameChoice(c Curve) {
	if c.Chosen == nil || c.Chosen.Label == "" {
		return
	}
	at := p.at(c.Points[c.Chosen.At].Point)
	const near, step = 14, 7
	var spots []spot
	for _, dy := range []float64{-near, near} {
		spots = append(append(spots, spot{at.x, at.y + dy, text.XCenter}), beside(at.x, at.y+dy, 6)...)
	}
	spots = append(spots, beside(at.x, at.y, near)...)
	for y := at.y + 2*near; y < p.frame.y1-near; y += step {
		spots = append(spots, beside(at.x, y, 5)...)
	}
	t := textStyle{ink: "halo " + fillInk(c.Series), strong: true, small: true}
	p.place(t, c.Chosen.Label, p.frame.grow(0, 12), spots)
}

// nameDrops names upright lines above the frame.
func (p *plane) nameDrops() {
	for _, d := range p.f.Drops {
		if x, y := p.x.at(d.Value), p.frame.y0-dropRoom/2; p.x.has(d.Value) {
			p.place(wordsStyle, d.Label, rect{0, 0, p.width, p.frame.y0}, []spot{{x, y, text.XCenter}, {x, y, text.XLeft},
				{x, y, text.XRight}})
		}
	}
}

// spread moves wanted centres of labels apart until each has its height, by the least sum of squares, within top and
// bottom. Wanted ascend. It pools those that are too near, so that it has one answer and needs no iteration.
//
// Source: Ayer et al., An Empirical Distribution Function for Sampling with Incomplete Information, 1955 (pool adjacent
// violators).
func spread(wanted, heights []float64, top, bottom float64) []float64 {
	if len(wanted) == 0 {
		return nil
	}
	type pool struct {
		sum float64
		n   int
	}
	mean := func(p pool) float64 { return p.sum / float64(p.n) }
	packed := make([]float64, len(wanted)) // distance of a label from the first one when all of them touch
	for i := 1; i < len(wanted); i++ {
		packed[i] = packed[i-1] + (heights[i-1]+heights[i])/2
	}
	var pools []pool
	for i, w := range wanted {
		pools = append(pools, pool{w - packed[i], 1})
		for k := len(pools) - 1; k > 0 && mean(pools[k-1]) > mean(pools[k]); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	last := len(wanted) - 1
	lowest, highest := top+heights[0]/2, bottom-heights[last]/2-packed[last]
	var out []float64
	for _, p := range pools {
		for range p.n {
			out = append(out, max(lowest, min(highest, mean(p)))+packed[len(out)])
		}
	}
	return out
}

// sideNames are names that stand under each other right of a frame, each level with what it names as far as there is
// room.
type sideNames struct {
	lines [][]string
	width float64 // of all, with the gap to the frame
	stack float64 // their height together
}

// Measures of names beside a frame, in units.
const (
	sideGap  = 8.0  // from the frame
	sideLead = 14.0 // between lines of a name
	sideMore = 1.5  // between names
)

// laySide wraps the names of curves, and after them that of the reference, for the side of the frame.
func (p *plane) laySide() {
	const share = .31 // of the sheet
	small := textStyle{small: true}
	add := func(name string) {
		lines := p.wrap(small, name, share*p.width)
		p.names.lines = append(p.names.lines, lines)
		p.names.width = max(p.names.width, p.widest(small, lines)+sideGap+1)
		p.names.stack += sideLead*float64(len(lines)) + sideMore
	}
	for _, i := range p.named {
		add(p.f.Curves[i].Name)
	}
	if r := p.f.Reference; r != nil && r.Label != "" {
		add(r.Label)
	}
}

// nameBeside writes names beside the frame, which is at least as high as they are together, in the order of the last
// points of their curves from top to bottom. A curve that ends within the frame is named there if nothing is near. Any
// other name that had to move away, or whose point lies within the frame, has a lead to it. More is what the names have
// beside the colours of their curves.
func (p *plane) nameBeside(more ink) {
	const far = 5
	type named struct {
		end   point
		lines []string
		ink   ink
	}
	var list []named
	within := p.frame
	within.x1 -= clearance
	for k, i := range p.named {
		c := p.f.Curves[i]
		runs := runsOf(c.Points)
		last := runs[len(runs)-1]
		n := named{p.at(last[len(last)-1]), p.names.lines[k], more + fillInk(c.Series)}
		t := textStyle{ink: n.ink, small: true}
		if p.cross || n.end.x > p.frame.x1-3*far ||
			!p.placeClear(t, c.Name, within, around(n.end), p.routes) {
			list = append(list, n)
		}
	}
	if r := p.f.Reference; r != nil && r.Label != "" {
		list = append(list, named{point{p.frame.x1, p.y.at(r.Value)}, p.names.lines[len(p.named)], "dim"})
	}
	slices.SortStableFunc(list, func(a, b named) int { return cmp.Compare(a.end.y, b.end.y) })
	var wanted, heights []float64
	for _, n := range list {
		wanted = append(wanted, n.end.y)
		heights = append(heights, sideLead*float64(len(n.lines))+sideMore)
	}
	left := p.frame.x1 + sideGap
	for i, centre := range spread(wanted, heights, p.frame.y0-tickGap/2, p.frame.y1+tickGap/2) {
		n := list[i]
		if math.Abs(centre-n.end.y) > far || n.end.x < p.frame.x1-3*far {
			p.stroke("lead", n.end, point{left - 2, centre})
		}
		t := textStyle{ink: n.ink, small: true}
		first := centre + t.middle() - sideLead/2*float64(len(n.lines)-1)
		p.lines(t, point{left, first}, sideLead, n.lines)
	}
}
