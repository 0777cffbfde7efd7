package figure

import (
	"strconv"
	"strings"

	"gonum.org/v1/plot/text"
)

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
	for set := range scale.tickSets(lo, hi) {
		// Two ticks are always drawn: without them the marks would say nothing.
		if a, hasRoom := layAxis(s, scale, set, from, to); hasRoom || len(set.ticks) == 2 {
			return a
		}
	}
	panic("unreachable: the last set of ticks has two")
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

// newAxisAt makes the axis from lo to hi with ticks at the values given, which ascend, where their labels have room; else it
// is that of newAxis.
func newAxisAt(s *sheet, scale Scale, ticks []float64, lo, hi, from, to float64) axis {
	set := tickSet{lo: lo, hi: hi, ticks: ticks}
	for _, v := range ticks {
		set.labels = append(set.labels, tickStep{1, -decimalsOf(v)}.label(v))
	}
	if len(ticks) > 1 {
		if a, hasRoom := layAxis(s, scale, set, from, to); hasRoom {
			return a
		}
	}
	return newAxis(s, scale, lo, hi, from, to)
}

// decimalsOf is how many digits behind its point a number has.
func decimalsOf(v float64) int {
	_, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	return len(fraction)
}

// newUpright makes an axis from lo at the foot of a frame to hi at its top.
func newUpright(scale Scale, lo, hi, bottom, top float64) axis {
	for set := range scale.tickSets(lo, hi) {
		a := axis{tickSet: set, scale: scale, from: bottom, to: top}
		if len(a.ticks) > 2 && -a.apart() < tickApart {
			continue
		}
		return a
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

// has tells whether the axis reaches a value.
func (a axis) has(v float64) bool { return a.lo <= v && v <= a.hi }

// caption is the name of the axis, with what must be known to read it: that it is logarithmic, or where it begins if zero
// is not on it, as dots may stand anywhere.
func (a axis) caption(name string) string {
	note := ""
	switch {
	case a.scale == Log:
		note = "log scale"
	case a.scale == Nines:
	case a.scale == Time:
		note = timeNote(a)
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

// drawGrid draws a line for each tick from top to bottom; the one at zero is the axis line.
func (a axis) drawGrid(s *sheet, top, bottom float64) {
	for _, v := range a.ticks {
		k := ink("grid")
		if v == 0 {
			k = "axis"
		}
		s.rule(k, a.at(v), top, bottom)
	}
}

// drawLabels labels the ticks of a frame that ends at bottom.
func (a axis) drawLabels(s *sheet, bottom float64) {
	s.canvas.begin(ticksClass)
	for i, v := range a.ticks {
		s.text(tickStyle, point{a.at(v), bottom + tickBelow}, a.labels[i])
	}
	s.canvas.end()
}
