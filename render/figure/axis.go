package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
)

// axis is a horizontal axis with its ticks below the frame.
type axis struct {
	lo, hi   float64 // the ends of the scale
	from, to float64 // where they are, in units
	ticks    []float64
	labels   []string
}

// Gaps of the axis, in units.
const (
	tickGap     = 14 // between the labels of two ticks
	tickBelow   = 17 // from the frame to the baseline of tick labels
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
func newAxis(s *sheet, lo, hi, from, to float64) axis {
	for step, ticks := range linearTicks(lo, hi) {
		last := len(ticks) - 1
		a := axis{lo: ticks[0], hi: ticks[last], ticks: ticks}
		widest := 0.0
		for _, v := range ticks {
			a.labels = append(a.labels, step.label(v))
			widest = max(widest, s.wide(tickStyle, a.labels[len(a.labels)-1]))
		}
		a.from = max(from, s.wide(tickStyle, a.labels[0])/2)
		a.to = min(to, s.width-s.wide(tickStyle, a.labels[last])/2)
		// Two ticks are always drawn: without them the marks would say nothing.
		if last > 1 && (widest+tickGap)*float64(last) > a.to-a.from {
			continue
		}
		return a
	}
	panic("unreachable: linearTicks does not end")
}

// x is where a value stands.
func (a axis) x(v float64) float64 {
	return a.from + plot.LinearScale{}.Normalize(a.lo, a.hi, v)*(a.to-a.from)
}

// caption is the name of the axis, and where the axis begins if zero is not on it, as dots may stand anywhere.
func (a axis) caption(name string) string {
	note := ""
	switch {
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
		s.rule(k, a.x(v), top, bottom)
	}
}

// drawLabels labels the ticks of a frame that ends at bottom.
func (a axis) drawLabels(s *sheet, bottom float64) {
	for i, v := range a.ticks {
		s.text(tickStyle, point{a.x(v), bottom + tickBelow}, a.labels[i])
	}
}
