package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Axis is an axis of numbers.
type Axis struct {
	Name  string  // quantity and unit
	Unit  float64 // one unit of the axis in that of its values: 0.001 for an axis in ms and values in s; 0 means 1
	Scale Scale   // values that have no place on it are an error
	Zero  bool    // it begins at zero, wherever the values are; on a Linear scale only

	// Ticks are values at which an X axis of Curves is marked, if all of them have room: such as those of a parameter.
	// Else, and of other axes, they are round numbers.
	Ticks []float64
}

// prepared is the axis as it is drawn: its name without line ends, its values in its own unit.
func (a Axis) prepared() (Axis, error) {
	a.Unit = cmp.Or(a.Unit, 1)
	if !(a.Unit > 0) || math.IsInf(a.Unit, 1) {
		return a, fmt.Errorf("the axis's unit is %v times that of the values; give a positive number", a.Unit)
	}
	if a.Scale < Linear || a.Scale > Nines {
		return a, fmt.Errorf("there is no scale %d", a.Scale)
	}
	a.Name = oneLine(a.Name)
	var err error
	a.Ticks, err = a.places("the tick", a.Ticks)
	slices.Sort(a.Ticks)
	a.Ticks = slices.Compact(a.Ticks)
	return a, err
}

// place is a value in the unit of the axis.
func (a Axis) place(what string, v float64) (float64, error) {
	if !a.Scale.has(v / a.Unit) {
		return v, fmt.Errorf("%s %v has no place on the axis; leave it out and say so", what, v)
	}
	return v / a.Unit, nil
}

// places are values in the unit of the axis.
func (a Axis) places(what string, values []float64) (out []float64, err error) {
	for i, v := range values {
		if v, err = a.place(fmt.Sprintf("%s %d,", what, i+1), v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// interval is one in the unit of the axis. Ends that have no place on it are infinite, and both NaN where there is
// none.
func (a Axis) interval(lo, hi float64) (float64, float64, error) {
	if math.IsNaN(lo) && math.IsNaN(hi) {
		return lo, hi, nil
	}
	if !(lo <= hi) || math.IsInf(lo, 1) || math.IsInf(hi, -1) {
		return lo, hi, fmt.Errorf("%v to %v is not an interval; say NaN twice where there is none", lo, hi)
	}
	if lo /= a.Unit; !a.Scale.has(lo) {
		lo = math.Inf(-1)
	}
	if hi /= a.Unit; !a.Scale.has(hi) {
		hi = math.Inf(1)
	}
	return lo, hi, nil
}

// reference is one in the unit of the axis; nil for none.
func (a Axis) reference(r *Reference) (*Reference, error) {
	if r == nil {
		return nil, nil
	}
	v, err := a.place("the reference", r.Value)
	return &Reference{v, oneLine(r.Label)}, err
}

// axis is an axis with its ticks: from left to right below a frame, or from the foot of a frame to its top beside it.
type axis struct {
	tickSet
	scale    Scale
	from, to float64 // where its ends are, in units
}

// Gaps of axes, in units.
const (
	tickGap     = 14 // between the labels of two ticks
	tickApart   = 18 // between the baselines of two that stand above each other
	tickBelow   = 17 // from the frame to the baseline of tick labels
	tickLength  = 5  // of a tick that is drawn
	captionDrop = 18 // from there to the baseline of the caption
	lineHeight  = 15 // of the caption and of names
	foot        = 7  // below the last baseline
)

// tickStyle is how ticks are labelled, captionStyle how the axis is named.
var (
	tickStyle    = textStyle{ink: "dim", small: true, align: text.XCenter}
	captionStyle = textStyle{ink: "dim", small: true}
)

// newAxis makes the axis from lo to hi, widened to round ticks, as many as find room for their labels. The labels of
// the outermost ticks stand within the sheet: the frame, from and to, gives way to them.
func newAxis(s *sheet, scale Scale, lo, hi, from, to float64) axis {
	var last axis
	for set := range scale.tickSets(lo, hi) {
		a, hasRoom := layAxis(s, scale, set, from, to)
		// Two ticks are always drawn: without them the marks would say nothing.
		if hasRoom || len(set.ticks) == 2 {
			return a
		}
		last = a
	}
	return last
}

// layAxis puts an axis with some ticks below a frame, and tells whether their labels have room.
func layAxis(s *sheet, scale Scale, set tickSet, from, to float64) (axis, bool) {
	last := len(set.ticks) - 1
	a := axis{tickSet: set, scale: scale}
	a.from = max(from, s.wide(tickStyle, a.labels[0])/2)
	a.to = min(to, s.width-s.wide(tickStyle, a.labels[last])/2)
	if scale == Linear && a.lo == a.ticks[0] {
		return a, a.apart() >= s.widest(tickStyle, a.labels)+tickGap // the same gap between all of them
	}
	for i := range last {
		need := (s.wide(tickStyle, a.labels[i])+s.wide(tickStyle, a.labels[i+1]))/2 + tickGap
		if a.at(a.ticks[i+1])-a.at(a.ticks[i]) < need {
			return a, false
		}
	}
	return a, true
}

// newAxisAt makes the axis from lo to hi with ticks at the values given, which ascend, where their labels have room;
// else it is that of newAxis.
func newAxisAt(s *sheet, scale Scale, ticks []float64, lo, hi, from, to float64) axis {
	set := tickSet{lo: lo, hi: hi, ticks: ticks}
	for _, v := range ticks {
		_, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
		set.labels = append(set.labels, tickStep{1, -len(fraction)}.label(v))
	}
	if len(ticks) > 1 {
		if a, hasRoom := layAxis(s, scale, set, from, to); hasRoom {
			return a
		}
	}
	return newAxis(s, scale, lo, hi, from, to)
}

// newUpright makes an axis from lo at the foot of a frame to hi at its top.
func newUpright(scale Scale, lo, hi, bottom, top float64) axis {
	for set := range scale.tickSets(lo, hi) {
		a := axis{tickSet: set, scale: scale, from: bottom, to: top}
		if len(a.ticks) <= 2 || -a.apart() >= tickApart {
			return a
		}
	}
	panic("unreachable: the last set of ticks has two")
}

// apart is how far apart the two nearest ticks are; less than zero on an axis that goes up.
func (a axis) apart() float64 {
	least := 1.0
	for i := range a.ticks[1:] {
		least = min(least, a.scale.Normalize(a.lo, a.hi, a.ticks[i+1])-a.scale.Normalize(a.lo, a.hi, a.ticks[i]))
	}
	return least * (a.to - a.from)
}

// at is where a value stands.
func (a axis) at(v float64) float64 { return a.from + a.scale.Normalize(a.lo, a.hi, v)*(a.to-a.from) }

// within is v, or the end of the axis where v lies beyond all.
func (a axis) within(v float64) float64 {
	switch {
	case math.IsInf(v, -1):
		return a.lo
	case math.IsInf(v, 1):
		return a.hi
	}
	return v
}

// has tells whether the axis reaches a value.
func (a axis) has(v float64) bool { return a.lo <= v && v <= a.hi }

// caption is the name of the axis, with what must be known to read it: that it is logarithmic, or where it begins if
// zero is not on it, as dots may stand anywhere.
func (a axis) caption(name string) string {
	note := ""
	switch {
	case a.scale == Log:
		note = "log scale"
	case a.scale == Nines:
	case a.lo > 0:
		note = "the axis starts at " + a.labels[0]
	case a.hi < 0:
		note = "the axis ends at " + a.labels[len(a.labels)-1]
	}
	if name == "" || note == "" {
		return name + note
	}
	return name + "; " + note
}

// Ticks are those of the axis, whatever gonum asks for. They make it a plot.Ticker.
func (a axis) Ticks(_, _ float64) []plot.Tick {
	var out []plot.Tick
	for i, v := range a.ticks {
		out = append(out, plot.Tick{Value: v, Label: a.labels[i]})
	}
	return out
}

// tickLabels writes the labels of an axis for gonum, which takes them to be without size: they have their room already.
type tickLabels struct {
	*sheet
	style   textStyle
	shift   point // from where gonum would write it
	written int
	all     int
}

func (*tickLabels) Cache() *font.Cache             { return nil }
func (*tickLabels) Extents(font.Font) font.Extents { return font.Extents{} }
func (*tickLabels) Lines(s string) []string        { return []string{s} }

func (*tickLabels) Box(string, font.Font) (width, height, depth vg.Length) { return 0, 0, 0 }

func (l *tickLabels) Draw(_ vg.Canvas, s string, _ text.Style, at vg.Point) {
	if l.written == 0 {
		l.canvas.begin(ticksClass)
	}
	l.text(l.style, point{float64(at.X) + l.shift.x, l.shift.y - float64(at.Y)}, s)
	if l.written++; l.written == l.all {
		l.canvas.end()
	}
}

// pen draws lines of some classes, which give them their width.
func pen(k ink) draw.LineStyle { return draw.LineStyle{Color: k, Width: hairline} }

// hairline is a width that gonum draws lines of, and that moves nothing.
const hairline = 1e-9

// gonum makes an axis of gonum's this one, with labels at some distance from it, and without a line.
func (a axis) gonum(s *sheet, g *plot.Axis, style textStyle, shift point) {
	g.Min, g.Max, g.Scale = a.lo, a.hi, a.scale
	g.LineStyle.Width, g.Tick.Length, g.Tick.Marker = 0, 0, a
	g.Tick.Label = text.Style{Handler: &tickLabels{sheet: s, style: style, shift: shift, all: len(a.ticks)}}
}

// plot lets gonum draw the axes of a frame, and marks into it.
func (s *sheet) plot(frame rect, set func(p *plot.Plot), marks ...plot.Plotter) {
	p := plot.New()
	p.BackgroundColor, p.X.Padding, p.Y.Padding = nil, 0, 0
	set(p)
	for _, m := range marks {
		p.Add(struct{ plot.Plotter }{m}) // which asks for no more room than the frame
	}
	c := s.draw
	c.Min, c.Max = vgPoint(point{frame.x0, frame.y1 + float64(p.X.Tick.Length)}), vgPoint(point{frame.x1, frame.y0})
	p.Draw(c)
}
