package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"
)

// Dots is a figure of rows, each with an estimate and its interval on one linear scale, and what others published.
//
// Names stand left of the marks (above them in Narrow), printed values right. Each series is named once, beside one
// of its marks and in its colour, and so are the published values; where a name finds no room, a key above the rows
// has all of them.
type Dots struct {
	ID    string // of letters, digits, "-", "_" and "."; unique in its page
	Title string // what the figure shows, for screen readers
	Desc  string // the finding and every value in words, made from the same rows, for screen readers

	Rows   []Row    // in the order to draw: by value, not by name
	Series []string // names of the series, at most six; empty: all rows are of one, which is not named

	Axis string  // quantity and unit, as the axis is to be named
	Unit float64 // one unit of the axis in that of the values: 0.001 for an axis in ms and values in s; 0 means 1

	Published string     // what the grey ticks are called, such as "published"; empty: none are drawn
	Reference *Reference // a value to compare with; nil: none
}

// Reference is a value that all rows are compared with, drawn as a line across them.
type Reference struct {
	Value float64 // in the unit of the rows
	Label string  // such as "no difference"
}

// Row is one row of Dots. Its numbers share one unit with all others of the figure.
type Row struct {
	Name   string
	Series int // from 1, an index into Dots.Series; not looked at where that is empty

	// Value is the estimate, from Lo to Hi its interval. An end that is infinite is drawn open, to the edge of the
	// frame; both ends are NaN where there is no interval.
	Value, Lo, Hi float64

	// Range says that Lo and Hi are the smallest and largest of too few runs for an interval: a thin line.
	Range bool

	// AtLeast says that Value is only a lower bound: an open dot and an arrow, and "≥" before the label.
	AtLeast bool

	// Label is Value as printed, with as many digits as its interval allows.
	Label string

	// Published is what others reported, NaN where they did not.
	Published float64

	// Missing says in words why there is no value, such as "not measured", and is shown in place of the mark. Where
	// it is not empty, nothing but Name, Series, Label, Published and Title is looked at.
	Missing string

	// Title is the mark in words: row, value, interval, repetitions. A pointer is shown it.
	Title string
}

// Draw draws the figure, with one decimal of a unit, as an svg element that has the class full or narrow.
//
// The error names the row that cannot be drawn: its value is no finite number, its interval is not one, or its series
// is not named; otherwise it says what is wrong with the figure: no rows, more than six series, an ID that is none, or
// a width that is neither Full nor Narrow.
func (d Dots) Draw(m *Metrics, width Width) ([]byte, error) {
	if err := width.check(); err != nil {
		return nil, fmt.Errorf("figure %q: %w", d.ID, err)
	}
	d, err := d.prepare()
	if err != nil {
		return nil, fmt.Errorf("figure %q: %w", d.ID, err)
	}
	s := newDotSheet(d, m, width, false)
	if !s.paint() {
		s = newDotSheet(d, m, width, true)
		s.paint()
	}
	svg, err := s.canvas.document(width, s.height, d.ID, d.Title, d.Desc)
	if err != nil {
		return nil, fmt.Errorf("figure %q: %w", d.ID, err)
	}
	return svg, nil
}

// hasMark tells whether a row has a value to draw.
func (r Row) hasMark() bool { return r.Missing == "" }

// hasInterval tells whether a row has an interval or a range to draw.
func (r Row) hasInterval() bool { return !math.IsNaN(r.Lo) }

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
	isPart := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) }
	if d.ID == "" || strings.ContainsFunc(d.ID, func(r rune) bool { return !isPart(r) }) {
		return d, errors.New(`the ID is not of letters, digits, "-", "_" and "."; choose another`)
	}
	if len(d.Rows) == 0 {
		return d, errors.New("there are no rows; leave the figure out")
	}
	if n := len(d.Series); n > maxSeries {
		return d, fmt.Errorf("%d series are more than the %d that can be told apart; draw several figures", n, maxSeries)
	}
	if d.Unit == 0 {
		d.Unit = 1
	}
	if !(d.Unit > 0) || math.IsInf(d.Unit, 1) {
		return d, fmt.Errorf("the axis's unit is %v times that of the values; give a positive number", d.Unit)
	}
	rows := make([]Row, len(d.Rows))
	for i, r := range d.Rows {
		var err error
		if rows[i], err = d.prepareRow(r); err != nil {
			return d, fmt.Errorf("row %d, %q: %w", i+1, r.Name, err)
		}
	}
	d.Rows = rows
	series := make([]string, len(d.Series))
	for i, name := range d.Series {
		series[i] = oneLine(name)
	}
	d.Series = series
	if d.Reference != nil {
		ref := Reference{Value: d.Reference.Value / d.Unit, Label: oneLine(d.Reference.Label)}
		if !drawable(ref.Value) {
			return d, fmt.Errorf("the reference %v is no number that can be drawn; leave it out", d.Reference.Value)
		}
		d.Reference = &ref
	}
	d.Title, d.Desc, d.Axis, d.Published = oneLine(d.Title), oneLine(d.Desc), oneLine(d.Axis), oneLine(d.Published)
	return d, nil
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
	if !math.IsNaN(r.Published) && !drawable(out.Published) {
		return out, fmt.Errorf("the published value %v cannot be drawn; say NaN where there is none", r.Published)
	}
	if !r.hasMark() {
		return out, nil
	}
	if !drawable(out.Value) {
		return out, fmt.Errorf("the value %v cannot be drawn; say in words why it is missing", r.Value)
	}
	if math.IsNaN(r.Lo) && math.IsNaN(r.Hi) {
		return out, nil
	}
	loOpen, hiOpen := math.IsInf(r.Lo, -1), math.IsInf(r.Hi, 1)
	if !(r.Lo <= r.Hi) || !loOpen && !drawable(out.Lo) || !hiOpen && !drawable(out.Hi) {
		return out, fmt.Errorf("%v to %v is no interval; say NaN twice where there is none", r.Lo, r.Hi)
	}
	return out, nil
}

// drawable tells whether v is finite and so far from the ends of a float64 that spans and steps stay finite too.
func drawable(v float64) bool { return math.Abs(v) <= 1e100 }

// oneLine turns runs of white space and control characters into single spaces, as a browser would show them, so that
// a text is measured as it will stand.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}

// extent is the least range of values that the axis has to show. It has a length even if the rows agree; there is none
// if nothing was measured, published or compared.
func (d Dots) extent() (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	var openLo, openHi bool
	add := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	for _, r := range d.Rows {
		if r.hasMark() {
			add(r.Value)
			add(r.Lo)
			add(r.Hi)
			openLo = openLo || math.IsInf(r.Lo, -1)
			openHi = openHi || math.IsInf(r.Hi, 1)
		}
		if d.hasPublished(r) {
			add(r.Published)
		}
	}
	if d.Reference != nil {
		add(d.Reference.Value)
	}
	if lo > hi {
		return 0, 0, false
	}
	// A difference in the seventh digit is shown as none: its ticks could not be read apart. And an axis that zero
	// would make only a little longer begins there.
	if even := hi-lo <= 1e-6*max(math.Abs(lo), math.Abs(hi)); lo > 0 && (even || lo < hi/4) {
		lo = 0
	} else if hi < 0 && (even || hi > lo/4) {
		hi = 0
	}
	if hi-lo < 1e-100 {
		return lo, lo + 1, true
	}
	// An interval with an open end must be seen to go on where its row has the outermost value. Zero stays the end of
	// what may not be negative.
	margin := (hi - lo) / 10
	if openHi {
		hi += margin
	}
	if openLo && lo > 0 {
		lo = max(0, lo-margin)
	} else if openLo && lo < 0 {
		lo -= margin
	}
	return lo, hi, true
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
)

// dotSheet is Dots in the making: everything has its place before anything is drawn.
type dotSheet struct {
	*sheet
	Dots
	narrow bool
	key    bool // whether names stand in a key
	height float64
	frame  rect
	axis   axis // without ticks if there is nothing to scale
	rows   []dotRow

	caption        []string
	referenceLabel []string
	referenceTop   float64 // the upper edge of the reference's label
}

// dotRow is where a row's words go: lines, and the baseline of the first of them.
type dotRow struct {
	centre  float64 // of the marks
	name    []string
	nameAt  point
	value   []string
	valueAt point
	words   []string // in place of the marks
	wordsAt point
	align   text.XAlignment // of words
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

func newDotSheet(d Dots, m *Metrics, width Width, key bool) *dotSheet {
	s := &dotSheet{sheet: newSheet(m, width), Dots: d, narrow: width == Narrow, key: key}
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
	if lo, hi, ok := s.extent(); ok {
		s.axis = newAxis(s.sheet, lo, hi, s.frame.x0, s.frame.x1)
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
		at := s.axis.x(r.Published)
		left, right := at-labelGap-s.frame.x0, s.frame.x1-at-labelGap
		if row.wordsAt.x, room = at+labelGap, right; left > right {
			row.wordsAt.x, room, row.align = at-labelGap, left, text.XRight
		}
	}
	row.words = s.wrap(wordsStyle, r.Missing, room)
}

// layRows decides what is above and below: key, reference, rows, axis.
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
		y = s.layKey(nil)
	}
	if s.Reference != nil && s.Reference.Label != "" {
		s.referenceTop = y
		s.referenceLabel = s.wrap(tickStyle, s.Reference.Label, s.width)
		y += lineHeight * float64(len(s.referenceLabel))
	}
	s.frame.y0 = y + above
	if y += above + side; s.narrow {
		y -= above + side
	}
	for i := range s.rows {
		row := &s.rows[i]
		beside := float64(max(len(row.name), len(row.value)) - 1)
		more := float64(max(0, len(row.words)-1))
		if s.narrow {
			row.nameAt.y = y + nameBase
			row.valueAt.y = row.nameAt.y
			row.centre = row.nameAt.y + lineHeight*beside + nameToMark
			row.wordsAt.y = row.centre + wordsStyle.middle()
			y += pitchNarrow + lineHeight*(beside+more)
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
		s.layKey(s.keyEntry)
	}
	for _, row := range s.rows {
		s.lines(s.nameStyle(), row.nameAt, lineHeight, row.name)
		s.lines(valueStyle, row.valueAt, lineHeight, row.value)
	}
	s.axis.drawGrid(s.sheet, s.frame.y0, s.frame.y1)
	s.axis.drawLabels(s.sheet, s.frame.y1)
	captionAt := point{0, s.frame.y1 + tickBelow + captionDrop}
	if len(s.caption) == 1 {
		captionAt.x = s.captionX(s.caption[0])
	}
	s.lines(captionStyle, captionAt, lineHeight, s.caption)
	s.paintReference()

	s.plot(s.axis, s.frame, s)
	return s.key || s.nameMarks()
}

func (s *dotSheet) paintReference() {
	if s.Reference == nil {
		return
	}
	x := s.axis.x(s.Reference.Value)
	if s.Reference.Value != 0 || !slices.Contains(s.axis.ticks, 0) { // where there is a line already
		s.rule("axis", x, s.frame.y0, s.frame.y1)
	}
	half := s.widest(tickStyle, s.referenceLabel) / 2
	at := point{min(max(x, half), s.width-half), s.referenceTop + lineHeight - clearance + 1}
	s.lines(tickStyle, at, lineHeight, s.referenceLabel)
}

// Plot draws the marks of all rows. It makes the sheet a plot.Plotter.
func (s *dotSheet) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	x := func(v float64) float64 { return float64(tx(v)) }
	for i, r := range s.Rows {
		row := s.rows[i]
		s.canvas.begin(r.Title)
		if s.hasPublished(r) {
			at := x(r.Published)
			s.stroke("ghost", point{at, row.centre - tickHeight/2}, point{at, row.centre + tickHeight/2})
			s.marks = append(s.marks, rect{at - 1, row.centre - tickHeight/2, at + 1, row.centre + tickHeight/2})
		}
		if r.hasMark() {
			s.paintInterval(r, row.centre)
			s.paintDot(r, point{x(r.Value), row.centre})
			x0, x1 := s.reach(r)
			s.marks = append(s.marks, rect{x0, row.centre - boxHeight/2, x1, row.centre + boxHeight/2})
		} else {
			t := wordsStyle
			t.align = row.align
			s.lines(t, row.wordsAt, lineHeight, row.words)
		}
		s.canvas.end()
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
	return s.axis.x(v)
}

// reach is how far the marks of a row extend to the left and to the right.
func (s *dotSheet) reach(r Row) (x0, x1 float64) {
	x := s.axis.x(r.Value)
	x0, x1 = x-dotReach, x+dotReach
	if r.hasInterval() {
		x0, x1 = min(x0, s.end(r.Lo)), max(x1, s.end(r.Hi))
	}
	if r.AtLeast {
		x1 += arrowGap + arrowLength
	}
	return x0, x1
}

// paintInterval draws a box for an interval and a thin line for a range. An open end has no edge.
func (s *dotSheet) paintInterval(r Row, y float64) {
	if !r.hasInterval() {
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
	if !r.AtLeast {
		s.glyph(fillInk(r.Series)+" pt", r.Series, at, dotRadius)
		return
	}
	edge := strokeInk(r.Series)
	s.glyph("open "+edge, r.Series, at, dotRadius)
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
		at := s.axis.x(r.Published)
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

// layKey goes through the entries of the key, as many in a row as there is room for, and gives its height. It hands
// each to draw, if there is one: its series, 0 for published values; the centre of its mark; and its lines.
func (s *dotSheet) layKey(draw func(series int, at point, lines []string)) (height float64) {
	const (
		indent   = 5  // of a mark's centre
		first    = 10 // centre line of the first row
		entryGap = 19
		bottom   = 10
	)
	at := point{indent, first}
	deepest := at.y // centre line of the lowest line in this row of entries
	entry := func(series int, name string) {
		t := s.keyStyle(series)
		lines := s.wrap(t, name, s.width-indent-keyGap)
		wide := keyGap + s.widest(t, lines)
		if at.x > indent && at.x+wide > s.width {
			at = point{indent, deepest + lineHeight + 3}
		}
		if draw != nil {
			draw(series, at, lines)
		}
		deepest = max(deepest, at.y+lineHeight*float64(len(lines)-1))
		at.x += wide + entryGap
	}
	for k, name := range s.Series {
		entry(k+1, name)
	}
	if slices.ContainsFunc(s.Rows, s.hasPublished) {
		entry(0, s.Published)
	}
	return deepest + bottom
}

// keyStyle sets an entry of the key.
func (s *dotSheet) keyStyle(series int) textStyle {
	if series == 0 {
		return textStyle{ink: "dim", small: true}
	}
	return textStyle{ink: fillInk(series), strong: true, small: true}
}

// keyEntry draws an entry of the key.
func (s *dotSheet) keyEntry(series int, at point, lines []string) {
	if series == 0 {
		s.stroke("ghost", point{at.x, at.y - tickHeight/2}, point{at.x, at.y + tickHeight/2})
	} else {
		s.glyph(fillInk(series)+" pt", series, at, dotRadius)
	}
	t := s.keyStyle(series)
	s.lines(t, point{at.x + keyGap, at.y + t.middle()}, lineHeight, lines)
}
