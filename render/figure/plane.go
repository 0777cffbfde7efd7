package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/text"
)

// Axis is one of the two axes of a figure over numbers.
type Axis struct {
	Name  string    // quantity and unit
	Unit  float64   // one unit of the axis in that of its values: 0.001 for an axis in ms and values in s; 0 means 1
	Scale Scale     // values that have no place on it are an error
	Zero  bool      // it begins at zero, wherever the values are; on a Linear scale only
	Also  []float64 // further values that it has to show, so that several figures have one axis

	// Ticks are values at which an X axis is marked, if all of them have room: such as those of a parameter. Else, and of a Y
	// axis, they are round numbers.
	Ticks []float64
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

// plane is a frame between two axes, in the making. It is laid out before anything is drawn.
type plane struct {
	*sheet
	narrow bool
	x, y   axis
	frame  rect
	xName  []string
	yName  []string
	notes  [][]string // below the axes, each in its lines
	height float64
}

// Measures of planes, in units.
const (
	plotFull   = 264.0 // height of the frame
	plotNarrow = 230.0
	planeTop   = 14.0 // from the top to the baseline of the first line
	planeGap   = 11.0 // from the last baseline above the frame to the frame
	besideTick = 8.0  // from the frame to the labels beside it
	noteGap    = 8.0  // above the first note
	glyphReach = 4.2  // half the width that a mark takes at most
)

// noteStyle sets what is said below a plane.
var noteStyle = textStyle{ink: "dim", small: true}

// layPlane puts a frame of a height below top between its axes. Right is how much is kept free beside it, and notes are said
// below it, such as what is not drawn and why.
func (p *plane) layPlane(x, y Axis, ex, ey extent, top, height, right float64, notes []string) {
	yLo, yHi := ey.ends(y.Scale, y.Zero)
	upright := newUpright(y.Scale, yLo, yHi, height, 0)
	p.yName = p.wrap(captionStyle, upright.caption(y.Name), p.width)
	p.frame.y0 = top + planeTop + lineHeight*float64(len(p.yName)-1) + planeGap
	p.frame.y1 = p.frame.y0 + height
	p.y = upright
	p.y.from, p.y.to = p.frame.y1, p.frame.y0

	p.frame.x0 = math.Ceil(p.widest(tickStyle, p.y.labels)) + besideTick
	p.frame.x1 = p.width - math.Ceil(right)
	xLo, xHi := ex.ends(x.Scale, x.Zero)
	p.x = newAxisAt(p.sheet, x.Scale, x.Ticks, xLo, xHi, p.frame.x0, p.frame.x1)
	p.frame.x0, p.frame.x1 = p.x.from, p.x.to

	base := p.frame.y1 + tickBelow + 2
	p.xName = p.wrap(captionStyle, p.x.caption(x.Name), p.width-p.frame.x0)
	base += captionDrop + lineHeight*float64(len(p.xName)-1)
	for i, note := range notes {
		if i == 0 {
			base += noteGap
		}
		p.notes = append(p.notes, p.wrap(noteStyle, note, p.width))
		base += lineHeight * float64(len(p.notes[i]))
	}
	p.height = base + foot
}

// drawAxes draws what is around the frame, and the grid in it.
func (p *plane) drawAxes(top float64) {
	p.lines(captionStyle, point{0, top + planeTop}, lineHeight, p.yName)
	for _, v := range p.y.ticks {
		k := ink("grid")
		if v == 0 && p.y.scale == Linear {
			k = "axis"
		}
		if y := p.y.at(v); y < p.frame.y1-.5 {
			p.stroke(k, point{p.frame.x0, y}, point{p.frame.x1, y})
		}
	}
	beside := tickStyle
	beside.align = text.XRight
	p.canvas.begin(ticksClass)
	for i, v := range p.y.ticks {
		p.text(beside, point{p.frame.x0 - besideTick, p.y.at(v) + beside.middle()}, p.y.labels[i])
	}
	p.canvas.end()
	p.stroke("axis", point{p.frame.x0, p.frame.y1}, point{p.frame.x1, p.frame.y1})
	for _, v := range p.x.ticks {
		p.stroke("axis", point{p.x.at(v), p.frame.y1}, point{p.x.at(v), p.frame.y1 + tickLength})
	}
	p.x.drawLabels(p.sheet, p.frame.y1+2)
	base := p.frame.y1 + tickBelow + 2 + captionDrop
	p.lines(captionStyle, point{p.frame.x0, base}, lineHeight, p.xName)
	base += lineHeight*float64(len(p.xName)) + noteGap
	for _, note := range p.notes {
		p.lines(noteStyle, point{0, base}, lineHeight, note)
		base += lineHeight * float64(len(note))
	}
}

// drawReference draws a level line with its name on it where there is room. It reports false if there was none.
func (p *plane) drawReference(r *Reference) bool {
	if r == nil {
		return true
	}
	y := p.y.at(r.Value)
	p.stroke("axis", point{p.frame.x0, y}, point{p.frame.x1, y})
	if r.Label == "" {
		return true
	}
	var spots []spot
	const above, step = smallSize/2 + 3, 12
	for _, dy := range []float64{-above, above} {
		spots = append(spots, spot{p.frame.x1 - 4, y + dy, text.XRight}, spot{p.frame.x0 + 4, y + dy, text.XLeft},
			spot{(p.frame.x0 + p.frame.x1) / 2, y + dy, text.XCenter})
	}
	for x := p.frame.x1 - 4 - step; x > p.frame.x0; x -= step { // wherever there is room
		spots = append(spots, spot{x, y - above, text.XRight}, spot{x, y + above, text.XRight})
	}
	return p.place(textStyle{ink: "halo dim", small: true}, r.Label, p.frame, spots)
}

// prepareAxis returns an axis as it is drawn: its words without line ends, what else it has to show in its own unit.
func prepareAxis(a Axis) (Axis, error) {
	var err error
	if a.Unit, err = unitOf(a.Unit); err != nil {
		return a, err
	}
	if a.Scale < Linear || a.Scale > Time {
		return a, fmt.Errorf("there is no scale %d", a.Scale)
	}
	a.Name = oneLine(a.Name)
	a.Also, a.Ticks = slices.Clone(a.Also), slices.Clone(a.Ticks)
	for _, list := range [][]float64{a.Also, a.Ticks} {
		for i, v := range list {
			if list[i] = v / a.Unit; !a.Scale.has(list[i]) {
				return a, fmt.Errorf("the axis cannot show %v; leave it out", v)
			}
		}
	}
	slices.Sort(a.Ticks)
	a.Ticks = slices.Compact(a.Ticks)
	return a, nil
}

// onAxes returns a point in the units of the axes, with intervals that have two ends or none.
func (p Point) onAxes(x, y Axis) (Point, error) {
	out := p
	out.Title = oneLine(p.Title)
	out.X, out.Y = p.X/x.Unit, p.Y/y.Unit
	if !x.Scale.has(out.X) || !y.Scale.has(out.Y) {
		return out, fmt.Errorf("the point %v, %v has no place on the axes; leave it out and say so", p.X, p.Y)
	}
	var err error
	if out.XLo, out.XHi, err = x.interval(p.XLo, p.XHi); err == nil {
		out.YLo, out.YHi, err = y.interval(p.YLo, p.YHi)
	}
	return out, err
}

// reference is one in the unit of the axis; nil for none.
func (a Axis) reference(r *Reference) (*Reference, error) {
	if r == nil {
		return nil, nil
	}
	if !a.Scale.has(r.Value / a.Unit) {
		return nil, fmt.Errorf("the reference %v has no place on the axis; leave it out", r.Value)
	}
	return &Reference{r.Value / a.Unit, oneLine(r.Label)}, nil
}

// interval is one in the unit of the axis. Ends that have no place on it are infinite.
func (a Axis) interval(lo, hi float64) (float64, float64, error) {
	if math.IsNaN(lo) && math.IsNaN(hi) {
		return lo, hi, nil
	}
	if !(lo <= hi) {
		return lo, hi, fmt.Errorf("%v to %v is no interval; say NaN twice where there is none", lo, hi)
	}
	lo, hi = lo/a.Unit, hi/a.Unit
	if !a.Scale.has(lo) {
		lo = math.Inf(-1)
	}
	if !a.Scale.has(hi) {
		hi = math.Inf(1)
	}
	return lo, hi, nil
}

// within is v, or the edge of the frame that it lies beyond: the left or lower one for -Inf, the other for +Inf.
func (a axis) within(v float64) float64 {
	switch {
	case math.IsInf(v, -1):
		return a.from
	case math.IsInf(v, 1):
		return a.to
	}
	return a.at(v)
}

// spread moves wanted centres of labels apart until each has its height, by the least sum of squares, within top and bottom.
// Wanted ascend. It pools those that are too near, so that it has one answer and needs no iteration.
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

// sideNames are names that stand under each other right of a frame, each level with what it names as far as there is room.
type sideNames struct {
	lines   [][]string
	heights []float64
	width   float64 // of all, with the gap to the frame
	stack   float64 // their height together
}

// Measures of names beside a frame, in units.
const (
	sideGap  = 8.0  // from the frame
	sideLead = 14.0 // between lines of a name
	sideMore = 1.5  // between names
)

// laySide wraps names for the side of a frame.
func (s *sheet) laySide(t textStyle, names []string) sideNames {
	const share = .31 // of the sheet
	var out sideNames
	for _, name := range names {
		lines := s.wrap(t, name, share*s.width)
		height := sideLead*float64(len(lines)) + sideMore
		out.lines, out.heights = append(out.lines, lines), append(out.heights, height)
		out.width, out.stack = max(out.width, s.widest(t, lines)+sideGap+1), out.stack+height
	}
	return out
}

// drawSide writes names beside the frame, which is at least as high as they are together, in the order of the points that they name from top to bottom. A name that had to move
// away, or whose point lies within the frame, has a lead to it.
func (p *plane) drawSide(names sideNames, ends []point, style func(i int) textStyle) {
	const far = 5
	order := make([]int, len(ends))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ends[a].y, ends[b].y) })
	var wanted, heights []float64
	for _, i := range order {
		wanted, heights = append(wanted, ends[i].y), append(heights, names.heights[i])
	}
	left := p.frame.x1 + sideGap
	for k, centre := range spread(wanted, heights, p.frame.y0-tickGap/2, p.frame.y1+tickGap/2) {
		i := order[k]
		if math.Abs(centre-ends[i].y) > far || ends[i].x < p.frame.x1-3*far {
			p.stroke("lead", point{min(ends[i].x+glyphReach, p.frame.x1), ends[i].y}, point{left - 2, centre})
		}
		t := style(i)
		p.lines(t, point{left, centre + t.middle() - sideLead/2*float64(len(names.lines[i])-1)}, sideLead, names.lines[i])
	}
}
