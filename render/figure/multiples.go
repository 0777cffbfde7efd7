package figure

import (
	"math"
	"slices"
)

// multiples draws each curve in a frame of its own, with its name above it and the same axes for all: more curves than
// there are colours cannot be told apart in one frame. It gives the height.
func (f Curves) multiples(s *sheet) float64 {
	const (
		high  = 66.0 // of a frame
		below = 36.0 // a frame, with the labels of its ticks
	)
	x, y := f.extents()
	lo, hi := y.ends(f.Y.Scale, f.Y.Zero)
	upright := newUpright(f.Y.Scale, lo, hi, high, 0)
	lo, hi = x.ends(f.X.Scale, f.X.Zero)
	caption := s.block(captionStyle, upright.caption(f.Y.Name), s.width)
	caption.at.y = planeTop
	s.write(caption)
	left := math.Ceil(s.widest(tickStyle, upright.labels)) + besideTick
	columns, between := f.columns(s, left, lo, hi)
	wide := (s.width - left) / float64(columns)
	top := planeTop + lineHeight*float64(len(caption.lines)-1) + planeGap
	var across axis
	for row := range slices.Chunk(slices.DeleteFunc(slices.Clone(f.Curves), isEmpty), columns) {
		var names []block
		lines := 0
		for _, c := range row {
			names = append(names, s.block(textStyle{ink: fillInk(c.Series), strong: true, small: true}, c.Name, wide-between/2))
			lines = max(lines, len(names[len(names)-1].lines))
		}
		frame := rect{y0: top + lineHeight*float64(lines) + glyphReach}
		if len(f.Drops) > 0 {
			frame.y0 += dropRoom
		}
		frame.y1 = frame.y0 + high
		for k, c := range row {
			p := &plane{sheet: s, f: f, y: upright, bare: k > 0}
			p.f.Curves = []Curve{c}
			p.x = newAxisAt(s, f.X.Scale, f.X.Ticks, lo, hi, left+wide*float64(k), left+wide*float64(k+1)-between)
			p.y.from, p.y.to = frame.y1, frame.y0
			p.frame = rect{p.x.from, frame.y0, p.x.to, frame.y1}
			names[k].at = point{p.frame.x0, top + lineHeight*float64(1+lines-len(names[k].lines)) - glyphReach - clearance}
			if len(f.Drops) > 0 {
				names[k].at.y -= clearance
			}
			s.write(names[k])
			p.paint()
			p.nameDrops()
			across = p.x
		}
		top = frame.y1 + below
	}
	base := top - below + tickBelow + 2
	notes := f.Notes
	if r := f.Reference; r != nil && r.Label != "" {
		notes = append([]string{"level line: " + r.Label}, notes...)
	}
	for i, words := range append([]string{across.caption(f.X.Name)}, notes...) {
		b := s.block(noteStyle, words, s.width)
		if b.at.y = base + lineHeight; i == 0 {
			b.at.y = base + captionDrop
		}
		s.write(b)
		base = b.at.y + lineHeight*float64(len(b.lines)-1)
	}
	return base + foot
}

// columns is how many frames stand beside each other from left on, at most, and how far apart, so that the labels of
// their axes from lo to hi have room.
func (f Curves) columns(s *sheet, left, lo, hi float64) (columns int, between float64) {
	const most, mostNarrow, least = 4, 2, 24
	columns = most
	if s.isNarrow() {
		columns = mostNarrow
	}
	for ; ; columns-- {
		right := left + (s.width-left)/float64(columns)
		a := newAxisAt(s, f.X.Scale, f.X.Ticks, lo, hi, left, right)
		between = max(least, s.widest(tickStyle, a.labels)+clearance)
		a = newAxisAt(s, f.X.Scale, f.X.Ticks, lo, hi, left, right-between)
		label := s.widest(tickStyle, a.labels)
		if columns == 1 || label+clearance <= between && (len(a.ticks) > 2 || a.apart() >= label+tickGap) {
			return columns, between
		}
	}
}

// isEmpty tells whether nothing is drawn of a curve.
func isEmpty(c Curve) bool { return !slices.ContainsFunc(c.Points, isDrawn) }
