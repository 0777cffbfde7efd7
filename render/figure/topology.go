package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/text"

	"benchbook/render/typeface"
)

// Topology is a figure of what a request passes on its way: a box for each hop, arrows between them, and below each how
// much it was busy. The one that limits the others is outlined. In Narrow, and where there are too many columns, hops
// stand below each other.
type Topology struct {
	Head
	Hops   []Hop
	Arrows []Arrow
}

// Hop is one box of Topology.
type Hop struct {
	Name   string
	Note   string // below the name, such as its cores; may be empty
	Column int    // from 0, the place on the way of a request

	Share float64 // how much it was busy, from 0 to 1; NaN where that was not sampled
	Label string  // Share in words, or why there is none
	Hot   bool    // it is outlined
	Mark  string  // what is said in its box, such as "limits the others"; may be empty
	Title string  // the hop in words. Whoever points at it is shown it
}

// Arrow leads from one hop to another, by their indices.
type Arrow struct{ From, To int }

// Draw draws the figure, as Figure has it.
//
// The error is for no hops, an arrow that does not lead to a later column, a share below 0, or a Head that is refused.
func (f Topology) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	return f.draw(m, width, f.sound, func(s *sheet, _ bool) (float64, bool) {
		t := &topologySheet{sheet: s, Topology: f}
		t.layOut(s.isNarrow())
		t.paint()
		return t.height, true
	})
}

func (f Topology) sound() error {
	if len(f.Hops) == 0 {
		return errors.New("there are no hops; leave the figure out and say why")
	}
	for i, h := range f.Hops {
		if h.Column < 0 || h.Column >= len(f.Hops) || h.Share < 0 || math.IsInf(h.Share, 0) {
			return fmt.Errorf("hop %d, %q: column %d or share %v cannot be drawn", i+1, h.Name, h.Column, h.Share)
		}
	}
	for _, a := range f.Arrows {
		if min(a.From, a.To) < 0 || max(a.From, a.To) >= len(f.Hops) || f.Hops[a.From].Column >= f.Hops[a.To].Column {
			return fmt.Errorf("the arrow from hop %d to hop %d leads to none in a later column", a.From+1, a.To+1)
		}
	}
	return nil
}

// topologySheet is Topology in the making.
type topologySheet struct {
	*sheet
	Topology
	upright bool // hops stand below each other
	boxes   []hopBox
	height  float64
	lanes   map[Arrow]float64 // of arrows that go round boxes: the height of their way, or how far right it is
}

// hopBox is where a hop stands.
type hopBox struct {
	rect
	name, note, mark []string
	bar              rect
	label            point // of its first line
	labelLines       []string
	row              int // in its column
}

// The texts of a hop.
var (
	hopName  = textStyle{strong: true, align: text.XCenter}
	hopNote  = textStyle{ink: "dim", small: true, align: text.XCenter}
	hopMark  = textStyle{strong: true, small: true, align: text.XCenter}
	hopLabel = textStyle{small: true}
)

// Measures of hops, in units.
const (
	hopGap    = 40.0  // between columns, for arrows
	hopLeast  = 84.0  // width of a box
	hopMost   = 132.0 // likewise
	hopPadX   = 7.0
	hopPadY   = 9.0
	hopRowGap = 20.0
	barGap    = 10.0 // between a box and its bar
	barHeight = 9.0
	laneGap   = 9.0 // between arrows that go round boxes
	edge      = .5  // half the line of a box, which lies on its edge
)

// layOut gives every box its place.
func (s *topologySheet) layOut(upright bool) {
	columns := 0
	for _, h := range s.Hops {
		columns = max(columns, h.Column+1)
	}
	wide := min(hopMost, (s.width-hopGap*float64(columns-1))/float64(columns))
	if s.upright = upright || wide < hopLeast; s.upright {
		wide = 118
	}
	rows := make([]int, columns)
	s.boxes = make([]hopBox, len(s.Hops))
	high := 0.0
	for i, h := range s.Hops {
		b := &s.boxes[i]
		b.row = rows[h.Column]
		rows[h.Column]++
		b.name = s.words(hopName, h.Name, wide)
		b.note = s.words(hopNote, h.Note, wide)
		b.mark = s.words(hopMark, h.Mark, wide)
		high = max(high, 2*hopPadY+lineHeight*float64(len(b.name)+len(b.note)+len(b.mark)-1)+hopName.size()*typeface.Capital)
	}
	s.layLanes()
	if s.upright {
		s.layBelow(wide, high)
	} else {
		s.layBeside(wide, high)
	}
}

// words are those in a box; none for nothing.
func (s *topologySheet) words(t textStyle, str string, wide float64) []string {
	if str = oneLine(str); str == "" {
		return nil
	}
	return s.sheet.wrap(t, str, wide-2*hopPadX)
}

// layLanes finds the arrows that have to go round boxes.
func (s *topologySheet) layLanes() {
	s.lanes = map[Arrow]float64{}
	for _, a := range s.Arrows {
		if s.isRound(a) {
			s.lanes[a] = laneGap * float64(len(s.lanes)+1)
		}
	}
}

// isRound tells whether other boxes are, or may be, between the ends of an arrow.
func (s *topologySheet) isRound(a Arrow) bool {
	if s.upright {
		order := s.order()
		return slices.Index(order, a.To) != slices.Index(order, a.From)+1
	}
	return s.Hops[a.To].Column > s.Hops[a.From].Column+1
}

// order is that of hops below each other.
func (s *topologySheet) order() []int {
	out := make([]int, len(s.Hops))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return s.Hops[a].Column - s.Hops[b].Column })
	return out
}

// layBeside puts columns beside each other, bars below their boxes.
func (s *topologySheet) layBeside(wide, high float64) {
	const apart = 7 // between a bar and its label
	top := laneGap * float64(len(s.lanes))
	if top > 0 {
		top += laneGap
	}
	rowHeights := make([]float64, len(s.Hops))
	for i, h := range s.Hops {
		b := &s.boxes[i]
		b.labelLines = s.sheet.wrap(h.labelStyle(), oneLine(h.Label), wide)
		below := barGap + barHeight
		if !s.isShort(h, b.labelLines, wide) {
			below += lineHeight * float64(len(b.labelLines))
		}
		rowHeights[b.row] = max(rowHeights[b.row], high+below+hopRowGap)
	}
	for i, h := range s.Hops {
		b := &s.boxes[i]
		y := top + edge
		for r := range b.row {
			y += rowHeights[r]
		}
		x := (wide+hopGap)*float64(h.Column) + edge
		b.rect = rect{x, y, x + wide - 2*edge, y + high}
		b.bar = rect{b.x0, b.y1 + barGap, b.x1, b.y1 + barGap + barHeight}
		if math.IsNaN(h.Share) { // there is no bar
			b.label = point{b.x0, (b.bar.y0+b.bar.y1)/2 + hopLabel.middle()}
		} else if s.isShort(h, b.labelLines, wide) {
			b.bar.x1 -= s.widest(h.labelStyle(), b.labelLines) + apart
			b.label = point{b.bar.x1 + apart, (b.bar.y0+b.bar.y1)/2 + hopLabel.middle()}
		} else {
			b.label = point{b.x0, b.bar.y1 + lineHeight - 2}
		}
		s.height = max(s.height, y+rowHeights[b.row]-hopRowGap+edge+4)
	}
}

// isShort tells whether a label leaves room for its bar in a box's width.
func (s *topologySheet) isShort(h Hop, lines []string, wide float64) bool {
	return len(lines) == 1 && s.widest(h.labelStyle(), lines) < wide/2
}

// labelStyle sets how much a hop was busy.
func (h Hop) labelStyle() textStyle {
	t := hopLabel
	t.strong = h.Hot
	return t
}

// layBelow puts hops below each other, bars right of their boxes.
func (s *topologySheet) layBelow(wide, high float64) {
	const (
		apart    = 8
		gap      = 20 // between boxes, for an arrow
		labelMax = .25
	)
	labels := 0.0
	for i, h := range s.Hops {
		s.boxes[i].labelLines = s.sheet.wrap(h.labelStyle(), oneLine(h.Label), labelMax*s.width)
		labels = max(labels, s.widest(h.labelStyle(), s.boxes[i].labelLines))
	}
	left := wide + laneGap*float64(len(s.lanes)) + 2*apart
	y := edge
	for _, i := range s.order() {
		b := &s.boxes[i]
		b.rect = rect{edge, y, wide - edge, y + high}
		middle := y + high/2
		b.bar = rect{left, middle - barHeight/2, s.width - math.Ceil(labels) - apart, middle + barHeight/2}
		x := b.bar.x1 + apart
		if math.IsNaN(s.Hops[i].Share) {
			x = left
		}
		b.label = point{x, middle + hopLabel.middle() - sideLead/2*float64(len(b.labelLines)-1)}
		y += high + gap
	}
	s.height = y - gap + edge
}

func (s *topologySheet) paint() {
	for _, a := range s.Arrows {
		s.paintArrow(a)
	}
	for i, h := range s.Hops {
		b := s.boxes[i]
		k := ink("box")
		if h.Hot {
			k = "box hot"
		}
		s.fillRect(k, b.rect)
		at := point{(b.x0 + b.x1) / 2, 0}
		lines := float64(len(b.name) + len(b.note) + len(b.mark) - 1)
		at.y = (b.y0+b.y1)/2 + hopName.middle() - lineHeight/2*lines
		for _, part := range []struct {
			style textStyle
			lines []string
		}{{hopName, b.name}, {hopNote, b.note}, {hopMark, b.mark}} {
			s.lines(part.style, at, lineHeight, part.lines)
			at.y += lineHeight * float64(len(part.lines))
		}
		area := b.rect
		if !math.IsNaN(h.Share) {
			s.fillRect("track", b.bar)
			full := b.bar
			full.x1 = full.x0 + min(1, h.Share)*(full.x1-full.x0)
			s.fillRect("f1", full)
			area = rect{min(area.x0, b.bar.x0), area.y0, max(area.x1, b.bar.x1), max(area.y1, b.bar.y1)}
		}
		s.lines(h.labelStyle(), b.label, sideLead, b.labelLines)
		s.hit(area, h.Title)
	}
}

// paintArrow draws the way from one hop to another.
func (s *topologySheet) paintArrow(a Arrow) {
	const away = 4 // from a box
	from, to := s.boxes[a.From], s.boxes[a.To]
	lane, round := s.lanes[a]
	fromY, toY := (from.y0+from.y1)/2, (to.y0+to.y1)/2
	switch {
	case s.upright && round:
		x := from.x1 + lane
		s.arrow("axis", point{from.x1 + 1, fromY + away}, point{x, fromY + away}, point{x, toY - away},
			point{to.x1 + 1, toY - away})
	case s.upright:
		x := (from.x0 + from.x1) / 2
		s.arrow("axis", point{x, from.y1 + away}, point{x, to.y0 - away})
	case round: // along the gaps beside its columns and above all boxes
		x0, x1 := from.x1+hopGap/4, to.x0-hopGap/2
		s.arrow("axis", point{from.x1 + 1, fromY - away}, point{x0, fromY - away}, point{x0, lane}, point{x1, lane},
			point{x1, toY - away}, point{to.x0 - away, toY - away})
	case from.row == to.row:
		s.arrow("axis", point{from.x1 + away, fromY}, point{to.x0 - away, toY})
	default:
		middle := (from.x1 + to.x0) / 2
		s.arrow("axis", point{from.x1 + away, fromY}, point{middle, fromY}, point{middle, toY}, point{to.x0 - away, toY})
	}
}
