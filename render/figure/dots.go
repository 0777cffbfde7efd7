package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"

	"benchbook/render/typeface"
)

// Dots is a figure of rows, each with an estimate and its interval on one scale, and what others published.
//
// Names stand left of the marks (above them in Narrow), printed values right. Each series is named once, beside one
// of its marks and in its colour, and so are the published values; where a name finds no room, a key above the rows
// has all of them.
type Dots struct {
	Head

	Rows   []Row    // in the order to draw: by value, not by name
	Series []string // names of the series, at most MaxSeries; empty: all rows are of one, which is not named

	Axis  string    // quantity and unit, as the axis is to be named
	Unit  float64   // one unit of the axis in that of the values: 0.001 for an axis in ms and values in s; 0 means 1
	Scale Scale     // Linear, or Log for values that are all above zero
	Zero  bool      // the axis begins at zero, wherever the values are; not on a Log scale
	Also  []float64 // further values that the axis has to show, so that several figures have one axis

	Published string     // what the grey ticks are called, such as "published"; empty: none are drawn
	Reference *Reference // a value to compare with; nil: none
	Band      *Band      // a marked range of values, where it is wide enough to be seen; nil: none
}

// Row is one row of Dots. Its numbers share one unit with all others of the figure.
type Row struct {
	Name   string
	Series int // from 1, an index into Dots.Series; not looked at where that is empty

	// Value is the estimate, from Lo to Hi its interval. An end that is infinite is drawn open, to the edge of the
	// frame, and so is one at zero or below on a Log scale; both ends are NaN where there is no interval.
	Value, Lo, Hi float64

	// Range says that Lo and Hi are the smallest and largest of too few runs for an interval: a thin line.
	Range bool

	// AtLeast says that Value is only a lower bound: an open dot and an arrow, and "≥" before the label.
	AtLeast bool

	// Hollow says that Value is not of what is measured now, or not of all of it, as Label and Title say: an open mark.
	Hollow bool

	// Values are those of the repetitions, which Distribution shows.
	Values []float64

	// Probes are what a search tried, which Probes shows.
	Probes []Probe

	// Label is Value as printed, with as many digits as its interval allows.
	Label string

	// Published is what others reported, NaN where they did not.
	Published float64

	// Missing says in words why there is no value, such as "not measured", and is shown in place of the mark. Where
	// it is not empty, nothing but Name, Series, Label, Published, Failed and Title is looked at.
	Missing string

	// Failed says that it is Missing because it was tried and failed: a hatched box before the words.
	Failed bool

	// Title is the mark in words: row, value, interval, repetitions. Whoever points at the row is shown it.
	Title string
}

// Probe is one attempt of a search.
type Probe struct {
	Value float64
	Met   bool // it met the objective
}

// Bars is Dots with a bar from zero to each estimate, and the interval as a line with ends.
type Bars Dots

// Distribution is Dots with a small dot for every repetition, the interval of the median as a box and the median as a line.
type Distribution Dots

// Probes is Dots of searches: each value that was tried, filled where it met the objective, and the interval that was found.
type Probes Dots

// rowMarks is how the values of rows are drawn.
type rowMarks int

const (
	dotMarks rowMarks = iota
	barMarks
	repetitionMarks
	probeMarks
)

// Draw is part of Figure.
//
// The error names the row that cannot be drawn: its value is no finite number, its interval is not one, its series
// is not named, or it has no place on the scale; otherwise it says what is wrong with the figure: no rows, more series
// than MaxSeries, an ID that is none, or a width that is neither Full nor Narrow.
func (d Dots) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	return d.drawRows(m, width, dotMarks)
}

// Draw is part of Figure. Its errors are those of Dots, and one for a Log scale, which has no zero for bars to begin at.
func (b Bars) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	d := Dots(b)
	if d.Scale == Log {
		return nil, d.wrap(errors.New("bars begin at zero, which a log axis does not have; draw dots"))
	}
	d.Zero = true
	return d.drawRows(m, width, barMarks)
}

// Draw is part of Figure. Its errors are those of Dots.
func (d Distribution) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	return Dots(d).drawRows(m, width, repetitionMarks)
}

// Draw is part of Figure. Its errors are those of Dots.
func (p Probes) Draw(m *typeface.Metrics, width Width) ([]byte, error) {
	return Dots(p).drawRows(m, width, probeMarks)
}

func (d Dots) drawRows(m *typeface.Metrics, width Width, marks rowMarks) ([]byte, error) {
	if err := d.check(width); err != nil {
		return nil, d.wrap(err)
	}
	prepared, err := d.prepare()
	if err != nil {
		return nil, d.wrap(err)
	}
	s := newDotSheet(prepared, m, width, marks, false)
	if !s.paint() {
		s = newDotSheet(prepared, m, width, marks, true)
		s.paint()
	}
	svg, err := s.document(width, s.height, d.Head)
	return svg, d.wrap(err)
}

// hasMark tells whether a row has a value to draw.
func (r Row) hasMark() bool { return r.Missing == "" }

// hasInterval tells whether a row has an interval or a range to draw.
func (r Row) lowerEnd() bool { return !math.IsNaN(r.Lo) }

// label is the printed value with what it must not be read without.
func (r Row) label() string {
	if r.AtLeast && r.hasMark() {
		return "≥ " + r.Label
	}
	return r.Label
}

// hasPublished tells whether a row has a grey tick.
func (d Dots) hasPublished(r Row) bool { return d.Published != "" && !math.IsNaN(r.Published) }

// prepare returns the figure as it is drawn: its numbers in the axis's unit, its words without line ends, every row
// of a series. The figure it is called on stays as it is.
func (d Dots) prepare() (Dots, error) {
	if len(d.Rows) == 0 {
		return d, errors.New("there are no rows; leave the figure out")
	}
	if n := len(d.Series); n > MaxSeries {
		return d, fmt.Errorf("%d series are more than the %d that can be told apart; draw several figures", n, MaxSeries)
	}
	if d.Scale != Linear && d.Scale != Log {
		return d, errors.New("rows stand on a linear or a log scale; choose one")
	}
	var err error
	if d.Unit, err = unitOf(d.Unit); err != nil {
		return d, err
	}
	rows := make([]Row, len(d.Rows))
	for i, r := range d.Rows {
		if rows[i], err = d.prepareRow(r); err != nil {
			return d, fmt.Errorf("row %d, %q: %w", i+1, r.Name, err)
		}
	}
	d.Rows = rows
	d.Series = oneLines(d.Series)
	if d.Reference, err = (Axis{Unit: d.Unit, Scale: d.Scale}).reference(d.Reference); err != nil {
		return d, err
	}
	if d.Band != nil {
		band := Band{Lo: d.Band.Lo / d.Unit, Hi: d.Band.Hi / d.Unit, Label: oneLine(d.Band.Label)}
		if d.Scale == Log && band.Lo <= 0 {
			band.Lo = math.Inf(-1)
		}
		if !(band.Lo < band.Hi) {
			return d, fmt.Errorf("%v to %v is no band; leave it out", d.Band.Lo, d.Band.Hi)
		}
		d.Band = &band
	}
	d.Also = slices.Clone(d.Also)
	for i, v := range d.Also {
		if d.Also[i] = v / d.Unit; !d.Scale.has(d.Also[i]) {
			return d, fmt.Errorf("the axis cannot show %v; leave it out", v)
		}
	}
	d.Axis, d.Published = oneLine(d.Axis), oneLine(d.Published)
	return d, nil
}

// unitOf is one unit of an axis in that of its values; 0 means 1.
func unitOf(unit float64) (float64, error) {
	if unit == 0 {
		return 1, nil
	}
	if !(unit > 0) || math.IsInf(unit, 1) {
		return 0, fmt.Errorf("the axis's unit is %v times that of the values; give a positive number", unit)
	}
	return unit, nil
}

func (d Dots) prepareRow(r Row) (Row, error) {
	out := r
	if len(d.Series) == 0 {
		out.Series = 1
	} else if r.Series < 1 || r.Series > len(d.Series) {
		return out, fmt.Errorf("series %d is none of the %d that are named; name it", r.Series, len(d.Series))
	}
	out.Name, out.Label = oneLine(r.Name), oneLine(r.Label)
	out.Missing, out.Title = oneLine(r.Missing), oneLine(r.Title)
	out.Value, out.Published = r.Value/d.Unit, r.Published/d.Unit
	out.Lo, out.Hi = r.Lo/d.Unit, r.Hi/d.Unit
	if !math.IsNaN(r.Published) && !d.Scale.has(out.Published) {
		return out, fmt.Errorf("the published value %v cannot be drawn; say NaN where there is none", r.Published)
	}
	if !r.hasMark() {
		return out, nil
	}
	if !d.Scale.has(out.Value) {
		return out, fmt.Errorf("the value %v cannot be drawn; say in words why it is missing", r.Value)
	}
	out.Values, out.Probes = slices.Clone(r.Values), slices.Clone(r.Probes)
	for i, v := range r.Values {
		if out.Values[i] = v / d.Unit; !d.Scale.has(out.Values[i]) {
			return out, fmt.Errorf("repetition %d, %v, cannot be drawn; leave it out and say so", i+1, v)
		}
	}
	for i, p := range r.Probes {
		if out.Probes[i].Value = p.Value / d.Unit; !d.Scale.has(out.Probes[i].Value) {
			return out, fmt.Errorf("probe %d, %v, cannot be drawn; leave it out and say so", i+1, p.Value)
		}
	}
	var ok bool
	if out.Lo, ok = d.lowerEnd(r); !ok {
		return out, fmt.Errorf("%v to %v is no interval; say NaN twice where there is none", r.Lo, r.Hi)
	}
	return out, nil
}

// lowerEnd gives the lower end of the interval of a row in the axis's unit: infinite where it has no place on a log scale. It is not ok
// where the ends are none of an interval.
func (d Dots) lowerEnd(r Row) (lo float64, ok bool) {
	lo, hi := r.Lo/d.Unit, r.Hi/d.Unit
	if math.IsNaN(lo) && math.IsNaN(hi) {
		return lo, true
	}
	if d.Scale == Log && lo <= 0 {
		lo = math.Inf(-1)
	}
	isEnd := func(v float64, open int) bool { return math.IsInf(v, open) || d.Scale.has(v) }
	return lo, r.Lo <= r.Hi && isEnd(lo, -1) && isEnd(hi, 1)
}

// extent is what the axis has to show; of nothing if nothing was measured, published or compared.
func (d Dots) extent() extent {
	var e extent
	e.add(d.Also...)
	for _, r := range d.Rows {
		if r.hasMark() {
			e.add(r.Value, r.Lo, r.Hi)
			e.add(r.Values...)
			for _, p := range r.Probes {
				e.add(p.Value)
			}
		}
		if d.hasPublished(r) {
			e.add(r.Published)
		}
	}
	if d.Reference != nil {
		e.add(d.Reference.Value)
	}
	if d.Band != nil {
		for _, v := range []float64{d.Band.Lo, d.Band.Hi} {
			if !math.IsInf(v, 0) {
				e.add(v)
			}
		}
	}
	return e
}

// Measures of dots, in units.
const (
	dotRadius   = 3.2
	dotReach    = 4.0 // half the width that a dot takes at most
	boxHeight   = 9.0
	tickHeight  = 10.0 // of a published value
	arrowGap    = 3.0  // between a lower bound and its arrow
	arrowLength = 12.0
	arrowHead   = 3.5
	labelGap    = 7.0 // between a mark and its name
	keyGap      = 9.0 // between the centre of a mark in the key and its words
	hatchWidth  = 26.0
	smallRadius = 2.3 // of a repetition or a probe
)

// dotSheet is Dots in the making: everything has its place before anything is drawn.
type dotSheet struct {
	*sheet
	Dots
	drawn  rowMarks
	narrow bool
	key    bool // whether names stand in a key
	height float64
	frame  rect
	axis   axis // without ticks if there is nothing to scale
	rows   []dotRow

	caption []string
	over    []overLabel
}

// overLabel is a label above the frame, of a line or a band that crosses all rows.
type overLabel struct {
	lines []string
	top   float64 // the upper edge of its first line
	at    float64 // what it is about, from left to right
}

// dotRow is where a row's words go: lines, and the baseline of the first of them.
type dotRow struct {
	top     float64 // of all that belongs to the row, down to bottom
	bottom  float64
	centre  float64 // of the marks
	name    []string
	nameAt  point
	value   []string
	valueAt point
	words   []string // in place of the marks
	wordsAt point
	align   text.XAlignment // of words
	hatch   rect            // before them; empty for none
}

// wordsStyle sets the words that stand in place of a mark.
var wordsStyle = textStyle{ink: "halo dim", small: true}

// valueStyle sets the printed values, nameStyle the names: beside the marks, or above them in Narrow.
var valueStyle = textStyle{strong: true, align: text.XRight}

func (s *dotSheet) nameStyle() textStyle {
	if s.narrow {
		return textStyle{}
	}
	return textStyle{align: text.XRight}
}

func newDotSheet(d Dots, m *typeface.Metrics, width Width, marks rowMarks, key bool) *dotSheet {
	s := &dotSheet{sheet: newSheet(m, width), Dots: d, drawn: marks, narrow: width == Narrow, key: key}
	s.rows = make([]dotRow, len(d.Rows))
	s.layColumns()
	s.layRows()
	return s
}

// layColumns decides what is left and right: the columns of names and values, and the axis between them.
func (s *dotSheet) layColumns() {
	const (
		gap      = 16 // between a column and the frame
		arrow    = 14 // more of it where an arrow may stand
		edge     = 14 // beside the frame if nothing else is there
		nameMax  = .36
		valueMax = .30
		margin   = 12 // between a name and a value above the marks
	)
	var names, values float64
	atLeast := 0.0
	for i, r := range s.Rows {
		row := &s.rows[i]
		row.value = s.wrap(valueStyle, r.label(), valueMax*s.width)
		values = max(values, math.Ceil(s.widest(valueStyle, row.value)))
		if r.AtLeast && r.hasMark() {
			atLeast = arrow
		}
	}
	room := math.Floor(nameMax * s.width)
	if s.narrow {
		room = s.width - values - margin
	}
	for i, r := range s.Rows {
		row := &s.rows[i]
		row.name = s.wrap(s.nameStyle(), r.Name, room)
		names = max(names, math.Ceil(s.widest(s.nameStyle(), row.name)))
	}
	s.frame.x0, s.frame.x1 = names+gap, s.width-values-gap-atLeast
	if s.narrow {
		s.frame.x0, s.frame.x1 = edge, s.width-edge-atLeast
	}
	if e := s.extent(); e.some {
		lo, hi := e.ends(s.Scale, s.Zero)
		s.axis = newAxis(s.sheet, s.Scale, lo, hi, s.frame.x0, s.frame.x1)
		s.frame.x0, s.frame.x1 = s.axis.from, s.axis.to
	}
	for i, r := range s.Rows {
		s.layWords(&s.rows[i], r, gap)
		s.rows[i].nameAt.x = 0
		if !s.narrow {
			s.rows[i].nameAt.x = s.frame.x0 - gap
		}
		s.rows[i].valueAt.x = s.width
	}
}

// layWords wraps the words of a missing row to the room that there is: the frame, or the larger part of it beside
// the published value.
func (s *dotSheet) layWords(row *dotRow, r Row, gap float64) {
	if r.hasMark() {
		return
	}
	row.align = text.XLeft
	row.wordsAt.x = s.frame.x0 + gap/2
	room := s.frame.x1 - row.wordsAt.x
	if s.hasPublished(r) {
		at := s.axis.at(r.Published)
		left, right := at-labelGap-s.frame.x0, s.frame.x1-at-labelGap
		if row.wordsAt.x, room = at+labelGap, right; left > right {
			row.wordsAt.x, room, row.align = at-labelGap, left, text.XRight
		}
	}
	if r.Failed && row.align == text.XLeft {
		row.hatch.x0, row.hatch.x1 = row.wordsAt.x, row.wordsAt.x+hatchWidth
		row.wordsAt.x += hatchWidth + labelGap
		room -= hatchWidth + labelGap
	} else if r.Failed {
		row.hatch.x0, row.hatch.x1 = row.wordsAt.x-hatchWidth, row.wordsAt.x
		row.wordsAt.x -= hatchWidth + labelGap
		room -= hatchWidth + labelGap
	}
	row.words = s.wrap(wordsStyle, r.Missing, room)
}

// layOver puts labels above the frame, from y on, and gives where they end.
func (s *dotSheet) layOver(y float64) float64 {
	add := func(label string, at float64) {
		if label == "" || len(s.axis.ticks) == 0 {
			return
		}
		lines := s.wrap(tickStyle, label, s.width)
		s.over = append(s.over, overLabel{lines, y, at})
		y += lineHeight * float64(len(lines))
	}
	if band, ok := s.band(); ok {
		add(s.Band.Label, (band.x0+band.x1)/2)
	}
	if s.Reference != nil {
		add(s.Reference.Label, s.axis.at(s.Reference.Value))
	}
	return y
}

// band is where the marked range of values lies; false if there is none that would be seen.
func (s *dotSheet) band() (rect, bool) {
	const least = 1.5 // units
	if s.Band == nil || len(s.axis.ticks) == 0 {
		return rect{}, false
	}
	r := rect{max(s.end(s.Band.Lo), s.frame.x0), s.frame.y0, min(s.end(s.Band.Hi), s.frame.x1), s.frame.y1}
	return r, r.x1-r.x0 >= least
}

// layRows decides what is above and below: key, reference and band, rows, axis.
func (s *dotSheet) layRows() {
	const (
		pitch       = 25 // of rows of one line
		pitchNarrow = 39 // of rows with a line above the marks
		nameBase    = 19 // from the top of such a row to the baseline of its first line
		nameToMark  = 10
		above, side = 4, 4 // the frame's edge from what is above it, and from the rows
	)
	y := 0.0
	if s.key {
		y = s.layKey(s.entries(), false)
	}
	y = s.layOver(y)
	s.frame.y0 = y + above
	if y += above + side; s.narrow {
		y -= above + side
	}
	for i := range s.rows {
		row := &s.rows[i]
		row.top = y
		beside := float64(max(len(row.name), len(row.value)) - 1)
		more := float64(max(0, len(row.words)-1))
		if s.narrow {
			row.nameAt.y = y + nameBase
			row.valueAt.y = row.nameAt.y
			row.centre = row.nameAt.y + lineHeight*beside + nameToMark
			row.wordsAt.y = row.centre + wordsStyle.middle()
			y += pitchNarrow + lineHeight*(beside+more)
			row.bottom = y
			continue
		}
		height := pitch + lineHeight*max(beside, more)
		row.centre = y + height/2
		centred := func(t textStyle, lines []string) float64 {
			return row.centre + t.middle() - lineHeight/2*float64(len(lines)-1)
		}
		row.nameAt.y = centred(s.nameStyle(), row.name)
		row.valueAt.y = centred(valueStyle, row.value)
		row.wordsAt.y = centred(wordsStyle, row.words)
		y += height
		row.bottom = y
	}
	s.frame.y1 = y + side

	if len(s.axis.ticks) == 0 {
		s.height = s.frame.y1
		return
	}
	base := s.frame.y1 + tickBelow
	if caption := s.axis.caption(s.Axis); caption != "" {
		s.caption = s.wrap(captionStyle, caption, s.width-s.captionX(caption))
		base += captionDrop + lineHeight*float64(len(s.caption)-1)
	}
	s.height = base + foot
}

// captionX is where the name of the axis begins: below the frame's edge if it fits there in one line.
func (s *dotSheet) captionX(caption string) float64 {
	if s.wide(captionStyle, caption) > s.width-s.frame.x0 {
		return 0
	}
	return s.frame.x0
}

// paint draws everything. It reports false, and leaves the sheet unfinished, if a name finds no room beside its
// marks and there is no key.
func (s *dotSheet) paint() bool {
	if s.key {
		s.layKey(s.entries(), true)
	}
	if band, ok := s.band(); ok {
		s.fillRect("track", band)
	}
	for _, row := range s.rows {
		s.lines(s.nameStyle(), row.nameAt, lineHeight, row.name)
		s.lines(valueStyle, row.valueAt, lineHeight, row.value)
	}
	if len(s.axis.ticks) > 0 {
		s.axis.drawGrid(s.sheet, s.frame.y0, s.frame.y1)
		s.axis.drawLabels(s.sheet, s.frame.y1)
	}
	captionAt := point{0, s.frame.y1 + tickBelow + captionDrop}
	if len(s.caption) == 1 {
		captionAt.x = s.captionX(s.caption[0])
	}
	s.lines(captionStyle, captionAt, lineHeight, s.caption)
	s.paintOver()

	s.plot(s.axis, axis{tickSet: tickSet{hi: 1}}, s.frame, s)
	for i, r := range s.Rows {
		s.hit(rect{0, s.rows[i].top, s.width, s.rows[i].bottom}, r.Title)
	}
	return s.key || s.nameMarks()
}

// paintOver draws the reference, and the labels of what crosses all rows.
func (s *dotSheet) paintOver() {
	if s.Reference != nil && (s.Reference.Value != 0 || !slices.Contains(s.axis.ticks, 0)) { // else there is a line already
		s.rule("axis", s.axis.at(s.Reference.Value), s.frame.y0, s.frame.y1)
	}
	for _, o := range s.over {
		half := s.widest(tickStyle, o.lines) / 2
		at := point{min(max(o.at, half), s.width-half), o.top + lineHeight - clearance + 1}
		s.lines(tickStyle, at, lineHeight, o.lines)
	}
}

// Plot draws the marks of all rows. It makes the sheet a plot.Plotter.
func (s *dotSheet) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	x := func(v float64) float64 { return float64(tx(v)) }
	for i, r := range s.Rows {
		row := s.rows[i]
		if s.hasPublished(r) {
			at := x(r.Published)
			s.stroke("ghost", point{at, row.centre - tickHeight/2}, point{at, row.centre + tickHeight/2})
			s.marks = append(s.marks, rect{at - 1, row.centre - tickHeight/2, at + 1, row.centre + tickHeight/2})
		}
		if !r.hasMark() {
			if r.Failed {
				row.hatch.y0, row.hatch.y1 = row.centre-boxHeight/2, row.centre+boxHeight/2
				s.hatch(row.hatch)
			}
			t := wordsStyle
			t.align = row.align
			s.lines(t, row.wordsAt, lineHeight, row.words)
			continue
		}
		s.paintMarks(r, row.centre, x)
		x0, x1 := s.reach(r)
		s.marks = append(s.marks, rect{x0, row.centre - boxHeight/2, x1, row.centre + boxHeight/2})
	}
}

// paintMarks draws the value of a row in the way of its figure.
func (s *dotSheet) paintMarks(r Row, y float64, x func(float64) float64) {
	fill, edge := fillInk(r.Series), strokeInk(r.Series)
	switch s.drawn {
	case barMarks:
		from, to := min(x(0), x(r.Value)), max(x(0), x(r.Value))
		k := "bar " + fill + " " + edge
		if r.Hollow {
			k = "open " + edge
		}
		s.fillRect(k, rect{from, y - boxHeight/2, to, y + boxHeight/2})
		s.paintWhisker(r, y)
	case repetitionMarks:
		s.paintInterval(r, y)
		at := x(r.Value)
		s.stroke("line "+edge, point{at, y - tickHeight/2}, point{at, y + tickHeight/2})
		s.swarm(r.Values, y, x, func(_ int, at point) { s.mark(r.Series, r.Hollow, at, smallRadius) })
	case probeMarks:
		s.paintInterval(r, y)
		values := make([]float64, len(r.Probes))
		for i, p := range r.Probes {
			values[i] = p.Value
		}
		s.swarm(values, y, x, func(i int, at point) {
			s.mark(r.Series, !r.Probes[i].Met, at, smallRadius)
		})
	default:
		s.paintInterval(r, y)
		s.paintDot(r, point{x(r.Value), y})
	}
}

// swarm draws a small mark for each value, and moves one that would lie on another up or down as far as its row lets it.
func (s *dotSheet) swarm(values []float64, y float64, x func(float64) float64, mark func(i int, at point)) {
	const (
		near  = 1.7 * smallRadius
		reach = boxHeight/2 - 1 // names may stand right above the box
	)
	offsets := []float64{0, -reach, reach, -reach / 2, reach / 2}
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	var placed []point
	for _, i := range order {
		at := point{x(values[i]), y}
		for _, dy := range offsets {
			try := point{at.x, y + dy}
			free := func(o point) bool { return math.Hypot(o.x-try.x, o.y-try.y) >= near }
			if !slices.ContainsFunc(placed, func(o point) bool { return !free(o) }) {
				at = try
				break
			}
		}
		placed = append(placed, at)
		mark(i, at)
	}
}

// paintWhisker draws an interval over a bar: a line with an end where it has one.
func (s *dotSheet) paintWhisker(r Row, y float64) {
	const end = 3
	if !r.lowerEnd() {
		return
	}
	k := "line thin " + strokeInk(r.Series)
	x0, x1 := s.end(r.Lo), s.end(r.Hi)
	s.stroke(k, point{x0, y}, point{x1, y})
	if !math.IsInf(r.Lo, 0) {
		s.stroke(k, point{x0, y - end}, point{x0, y + end})
	}
	if !math.IsInf(r.Hi, 0) {
		s.stroke(k, point{x1, y - end}, point{x1, y + end})
	}
}

// end is where an end of an interval is drawn: one that is infinite at the edge of the frame.
func (s *dotSheet) end(v float64) float64 {
	switch {
	case math.IsInf(v, -1):
		return s.frame.x0
	case math.IsInf(v, 1):
		return s.frame.x1
	}
	return s.axis.at(v)
}

// reach is how far the marks of a row extend to the left and to the right.
func (s *dotSheet) reach(r Row) (x0, x1 float64) {
	x := s.axis.at(r.Value)
	x0, x1 = x-dotReach, x+dotReach
	if r.lowerEnd() {
		x0, x1 = min(x0, s.end(r.Lo)), max(x1, s.end(r.Hi))
	}
	switch s.drawn {
	case barMarks:
		x0, x1 = min(x0, s.axis.at(0)), max(x1, s.axis.at(0))
	case repetitionMarks:
		for _, v := range r.Values {
			x0, x1 = min(x0, s.axis.at(v)-dotReach), max(x1, s.axis.at(v)+dotReach)
		}
	case probeMarks:
		for _, p := range r.Probes {
			x0, x1 = min(x0, s.axis.at(p.Value)-dotReach), max(x1, s.axis.at(p.Value)+dotReach)
		}
	}
	if r.AtLeast {
		x1 += arrowGap + arrowLength
	}
	return x0, x1
}

// paintInterval draws a box for an interval and a thin line for a range. An open end has no edge.
func (s *dotSheet) paintInterval(r Row, y float64) {
	if !r.lowerEnd() {
		return
	}
	fill, edge := fillInk(r.Series), strokeInk(r.Series)
	x0, x1 := s.end(r.Lo), s.end(r.Hi)
	if r.Range {
		s.stroke("line thin "+edge, point{x0, y}, point{x1, y})
		return
	}
	top, bottom := y-boxHeight/2, y+boxHeight/2
	switch openLo, openHi := math.IsInf(r.Lo, -1), math.IsInf(r.Hi, 1); {
	case openLo && openHi:
		s.fill("ibox "+fill, point{x0, top}, point{x1, top}, point{x1, bottom}, point{x0, bottom})
		s.stroke("ibox "+edge, point{x0, top}, point{x1, top})
		s.stroke("ibox "+edge, point{x0, bottom}, point{x1, bottom})
	case openLo:
		s.fillOpen("ibox "+fill+" "+edge, point{x0, top}, point{x1, top}, point{x1, bottom}, point{x0, bottom})
	case openHi:
		s.fillOpen("ibox "+fill+" "+edge, point{x1, top}, point{x0, top}, point{x0, bottom}, point{x1, bottom})
	default:
		s.fill("ibox "+fill+" "+edge, point{x0, top}, point{x1, top}, point{x1, bottom}, point{x0, bottom})
	}
}

// paintDot draws an estimate, or a lower bound with its arrow.
func (s *dotSheet) paintDot(r Row, at point) {
	s.mark(r.Series, r.AtLeast || r.Hollow, at, dotRadius)
	if !r.AtLeast {
		return
	}
	edge := strokeInk(r.Series)
	_, tip := s.reach(r)
	s.stroke("line thin "+edge, point{tip - arrowLength, at.y}, point{tip, at.y})
	s.stroke("line thin "+edge, point{tip - arrowHead - 1, at.y - arrowHead}, point{tip, at.y},
		point{tip - arrowHead - 1, at.y + arrowHead})
}

// nameMarks names each series beside its first mark with room, and the grey ticks beside the first of them.
func (s *dotSheet) nameMarks() bool {
	area := s.frame
	area.x1 = s.width
	if s.narrow {
		area.x0 = 0
	}
	for k, name := range s.Series {
		var spots []spot
		for i, r := range s.Rows {
			if r.Series == k+1 && r.hasMark() {
				x0, x1 := s.reach(r)
				y := s.rows[i].centre
				spots = append(spots, spot{x1 + labelGap, y, text.XLeft}, spot{x0 - labelGap, y, text.XRight})
			}
		}
		t := textStyle{ink: "halo " + fillInk(k+1), strong: true, small: true}
		if len(spots) > 0 && !s.place(t, name, area, spots) {
			return false
		}
	}
	// A name beside a tick that a dot or a box covers would be taken for theirs.
	var apart, covered []spot
	for i, r := range s.Rows {
		if !s.hasPublished(r) {
			continue
		}
		at := s.axis.at(r.Published)
		y := s.rows[i].centre
		spots := []spot{{at - labelGap, y, text.XRight}, {at + labelGap, y, text.XLeft}}
		if x0, x1 := s.reach(r); r.hasMark() && x0-1 <= at && at <= x1+1 {
			covered = append(covered, spots...)
		} else {
			apart = append(apart, spots...)
		}
	}
	spots := append(apart, covered...)
	return len(spots) == 0 || s.place(textStyle{ink: "halo dim", small: true}, s.Published, area, spots)
}

// entries are those of the key: the series, and what is published.
func (s *dotSheet) entries() []keyEntry {
	var out []keyEntry
	for k, name := range s.Series {
		out = append(out, keyEntry{k + 1, name})
	}
	if slices.ContainsFunc(s.Rows, s.hasPublished) {
		out = append(out, keyEntry{publishedEntry, s.Published})
	}
	return out
}
