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
)

// Rows is a figure of rows, each with an estimate and its interval on one scale, and what others published.
//
// Names stand left of the marks (above them in Narrow), printed values right. Each series is named once, beside one
// of its marks and in its colour, and so are the published values; where a name finds no room, a key above the rows
// has all of them.
type Rows struct {
	Head
	X      Axis // Linear, or Log for values that are all above zero
	Marks  Marks
	Rows   []Row    // in the order to draw: by value, not by name
	Series []string // by colour, at most MaxSeries; one without a name is not named; empty: all rows are of the first

	Published string     // what the grey ticks are called, such as "published"; empty: none are drawn
	Reference *Reference // a value to compare with; nil: none
	Band      *Band      // a marked range of values, where it is wide enough to be seen; nil: none
}

// Marks is how the values of rows are drawn.
type Marks int

// The marks of rows.
const (
	Dots         Marks = iota // a dot for the estimate, and a box for its interval
	Bars                      // a bar from zero to the estimate, and a line with ends for its interval
	Distribution              // a small dot for every repetition, a line for their centre, and a box for its interval
	Probes                    // a small dot for all that a search tried, filled where it met the objective, and a box
)

// Row is one row of Rows. Its numbers share one unit with all others of the figure.
type Row struct {
	Name   string
	Series int // from 1, an index into Rows.Series, or 0 for grey; not looked at where that is empty

	// Value is the estimate, from Lo to Hi its interval. An end that is infinite is drawn open, to the edge of the
	// frame, and so is one at zero or below on a Log scale; both ends are NaN where there is no interval.
	Value, Lo, Hi float64

	// Range says that Lo and Hi are the smallest and largest of too few runs for an interval: a thin line.
	Range bool

	// AtLeast says that Value is only a lower bound: an open dot and an arrow, and "≥" before the label.
	AtLeast bool

	// Hollow says that Value is not of what is measured now, or not of all of it, as Label and Title say: an open mark.
	Hollow bool

	// Values are those of the repetitions, which Distribution shows: those of Open with an open dot.
	Values []float64
	Open   []bool // by value; nil for none

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

// Draw draws the figure, as Figure has it.
//
// The error names the row that cannot be drawn: its value is no finite number, its interval is not one, its series
// is not named, or it has no place on the scale; otherwise it says what is wrong with the figure: no rows, more series
// than MaxSeries, bars on a Log scale, an ID that is none, or a width that is neither Full nor Narrow.
func (f Rows) Draw(m *Metrics, width Width) ([]byte, error) {
	return f.draw(m, width, f.prepare, func(s *sheet, crowded bool) (float64, bool) {
		r := &rowSheet{sheet: s, f: f, key: crowded, rows: make([]rowPlace, len(f.Rows))}
		r.layColumns()
		r.layRows()
		return r.height, r.paint()
	})
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
func (f Rows) hasPublished(r Row) bool { return f.Published != "" && !math.IsNaN(r.Published) }

// prepare makes the figure as it is drawn: its numbers in the axis's unit, its words without line ends, every row of a
// series. What the caller has stays as it is.
func (f *Rows) prepare() (err error) {
	if len(f.Rows) == 0 {
		return errors.New("there are no rows; leave the figure out")
	}
	if f.Series, err = seriesNames(f.Series); err != nil {
		return err
	}
	if f.X, err = f.X.prepared(); err != nil {
		return err
	}
	switch {
	case f.X.Scale > Log:
		return errors.New("rows stand on a linear or a log scale; choose one")
	case f.X.Scale == Log && f.Marks == Bars:
		return errors.New("bars begin at zero, which a log axis does not have; draw dots")
	}
	f.X.Zero = f.X.Zero || f.Marks == Bars
	rows := make([]Row, len(f.Rows))
	for i, r := range f.Rows {
		if rows[i], err = f.prepareRow(r); err != nil {
			return fmt.Errorf("row %d, %q: %w", i+1, r.Name, err)
		}
	}
	f.Rows, f.Published = rows, oneLine(f.Published)
	if f.Band != nil {
		lo, hi, err := f.X.interval(f.Band.Lo, f.Band.Hi)
		if err != nil || !(lo < hi) {
			return fmt.Errorf("%v to %v is not a band; leave it out", f.Band.Lo, f.Band.Hi)
		}
		f.Band = &Band{lo, hi, oneLine(f.Band.Label)}
	}
	f.Reference, err = f.X.reference(f.Reference)
	return err
}

func (f *Rows) prepareRow(r Row) (_ Row, err error) {
	if r.Series, err = seriesOf(f.Series, r.Series); err != nil {
		return r, err
	}
	r.Name, r.Label, r.Missing, r.Title = oneLine(r.Name), oneLine(r.Label), oneLine(r.Missing), oneLine(r.Title)
	if !math.IsNaN(r.Published) {
		if r.Published, err = f.X.place("the published value", r.Published); err != nil {
			return r, err
		}
	}
	if !r.hasMark() {
		return r, nil
	}
	if r.Value, err = f.X.place("the value", r.Value); err != nil {
		return r, err
	}
	if r.Values, err = f.X.places("repetition", r.Values); err != nil {
		return r, err
	}
	r.Probes = slices.Clone(r.Probes)
	for i, p := range r.Probes {
		if r.Probes[i].Value, err = f.X.place(fmt.Sprintf("probe %d,", i+1), p.Value); err != nil {
			return r, err
		}
	}
	r.Lo, r.Hi, err = f.X.interval(r.Lo, r.Hi)
	return r, err
}

// extent is what the axis has to show; of nothing if nothing was measured, published or compared.
func (f *Rows) extent() extent {
	var e extent
	for _, r := range f.Rows {
		if r.hasMark() {
			e.add(r.Value, r.Lo, r.Hi)
			e.add(r.Values...)
			for _, p := range r.Probes {
				e.add(p.Value)
			}
		}
		if f.hasPublished(r) {
			e.add(r.Published)
		}
	}
	if f.Reference != nil {
		e.add(f.Reference.Value)
	}
	if f.Band != nil { // an open end is no reason for more room
		e.addFinite(f.Band.Lo, f.Band.Hi)
	}
	return e
}

// small are the values that a row shows one by one. Those that are no result are open.
func (f *Rows) small(r Row) []Probe {
	switch f.Marks {
	case Probes:
		return r.Probes
	case Distribution:
		var out []Probe
		for i, v := range r.Values {
			out = append(out, Probe{v, !r.Hollow && !(i < len(r.Open) && r.Open[i])})
		}
		return out
	}
	return nil
}

// Measures of rows, in units.
const (
	dotRadius   = 3.2
	dotReach    = 4.0 // half the width that a dot takes at most
	boxHeight   = 9.0
	tickHeight  = 10.0 // of a published value
	arrowGap    = 3.0  // between a lower bound and its arrow
	arrowLength = 12.0
	labelGap    = 7.0 // between a mark and its name
	keyGap      = 9.0 // between the centre of a mark in the key and its words
	hatchWidth  = 26.0
	smallRadius = 2.3 // of a repetition or a probe
)

// rowSheet is Rows in the making: everything has its place before anything is drawn.
type rowSheet struct {
	*sheet
	f       Rows
	key     bool // whether names stand in a key
	height  float64
	frame   rect
	axis    axis // without ticks if there is nothing to scale
	rows    []rowPlace
	caption block
	over    []block // labels above the frame, of a line or a band that crosses all rows
}

// rowPlace is where the parts of a row stand.
type rowPlace struct {
	top, bottom float64 // of all that belongs to the row
	centre      float64 // of the marks
	name, value block
	words       block // in place of the marks
	hatch       rect  // before them; empty for none
}

// wordsStyle sets the words that stand in place of a mark.
var wordsStyle = textStyle{ink: "halo dim", small: true}

// valueStyle sets the printed values.
var valueStyle = textStyle{strong: true, align: text.XRight}

// layColumns decides what is left and right: the columns of names and values, and the axis between them.
func (s *rowSheet) layColumns() {
	const (
		gap      = 16 // between a column and the frame
		arrow    = 14 // more of it where an arrow may stand
		edge     = 14 // beside the frame if nothing else is there
		nameMax  = .36
		valueMax = .30
		margin   = 12 // between a name and a value above the marks
	)
	var names, values, atLeast float64
	for i, r := range s.f.Rows {
		b := s.block(valueStyle, r.label(), valueMax*s.width)
		b.at.x = s.width
		values = max(values, math.Ceil(s.widest(valueStyle, b.lines)))
		s.rows[i].value = b
		if r.AtLeast && r.hasMark() {
			atLeast = arrow
		}
	}
	style, room := textStyle{align: text.XRight}, math.Floor(nameMax*s.width)
	if s.isNarrow() {
		style, room = textStyle{}, s.width-values-margin
	}
	for i, r := range s.f.Rows {
		s.rows[i].name = s.block(style, r.Name, room)
		names = max(names, math.Ceil(s.widest(style, s.rows[i].name.lines)))
	}
	s.frame.x0, s.frame.x1 = names+gap, s.width-values-gap-atLeast
	if s.isNarrow() {
		s.frame.x0, s.frame.x1 = edge, s.width-edge-atLeast
	}
	if e := s.f.extent(); e.some {
		lo, hi := e.ends(s.f.X.Scale, s.f.X.Zero)
		s.axis = newAxis(s.sheet, s.f.X.Scale, lo, hi, s.frame.x0, s.frame.x1)
		s.frame.x0, s.frame.x1 = s.axis.from, s.axis.to
	}
	for i, r := range s.f.Rows {
		if s.layWords(&s.rows[i], r, gap); !s.isNarrow() {
			s.rows[i].name.at.x = s.frame.x0 - gap
		}
	}
}

// layWords wraps the words of a missing row to the room that there is: the frame, or the larger part of it beside
// the published value.
func (s *rowSheet) layWords(row *rowPlace, r Row, gap float64) {
	if r.hasMark() {
		return
	}
	style, x := wordsStyle, s.frame.x0+gap/2
	room := s.frame.x1 - x
	if s.f.hasPublished(r) {
		at := s.axis.at(r.Published)
		left, right := at-labelGap-s.frame.x0, s.frame.x1-at-labelGap
		if x, room = at+labelGap, right; left > right {
			x, room, style.align = at-labelGap, left, text.XRight
		}
	}
	if r.Failed {
		row.hatch.x0, row.hatch.x1 = x, x+hatchWidth
		beyond := hatchWidth + labelGap
		if style.align == text.XRight {
			row.hatch.x0, row.hatch.x1, beyond = x-hatchWidth, x, -beyond
		}
		x, room = x+beyond, room-hatchWidth-labelGap
	}
	row.words = s.block(style, r.Missing, room)
	row.words.at.x = x
}

// layOver puts labels above the frame, from y on, and gives where they end.
func (s *rowSheet) layOver(y float64) float64 {
	add := func(label string, x float64) {
		if label == "" || len(s.axis.ticks) == 0 {
			return
		}
		b := s.block(tickStyle, label, s.width)
		half := s.widest(tickStyle, b.lines) / 2
		b.at = point{min(max(x, half), s.width-half), y + lineHeight - clearance + 1}
		s.over = append(s.over, b)
		y += lineHeight * float64(len(b.lines))
	}
	if band, ok := s.band(); ok {
		add(s.f.Band.Label, (band.x0+band.x1)/2)
	}
	if s.f.Reference != nil {
		add(s.f.Reference.Label, s.axis.at(s.f.Reference.Value))
	}
	return y
}

// band is where the marked range of values lies; false if there is none that would be seen.
func (s *rowSheet) band() (rect, bool) {
	const least = 1.5 // units
	if s.f.Band == nil || len(s.axis.ticks) == 0 {
		return rect{}, false
	}
	lo, hi := max(s.end(s.f.Band.Lo), s.frame.x0), min(s.end(s.f.Band.Hi), s.frame.x1)
	return rect{lo, s.frame.y0, hi, s.frame.y1}, hi-lo >= least
}

// layRows decides what is above and below: key, which it draws, reference and band, rows, axis.
func (s *rowSheet) layRows() {
	const (
		pitch       = 25 // of rows of one line
		pitchNarrow = 39 // of rows with a line above the marks
		nameBase    = 19 // from the top of such a row to the baseline of its first line
		nameToMark  = 10
		above, side = 4, 4 // the frame's edge from what is above it, and from the rows
	)
	y := 0.0
	if s.key {
		y = s.drawKey(s.entries())
	}
	y = s.layOver(y)
	s.frame.y0 = y + above
	if !s.isNarrow() {
		y += above + side
	}
	for i := range s.rows {
		row := &s.rows[i]
		row.top = y
		beside := lineHeight * float64(max(len(row.name.lines), len(row.value.lines))-1)
		more := lineHeight * float64(max(0, len(row.words.lines)-1))
		if s.isNarrow() {
			row.name.at.y, row.value.at.y = y+nameBase, y+nameBase
			row.centre = y + nameBase + beside + nameToMark
			row.words.at.y = row.centre + wordsStyle.middle()
			y += pitchNarrow + beside + more
		} else {
			height := pitch + max(beside, more)
			row.centre = y + height/2
			for _, b := range []*block{&row.name, &row.value, &row.words} {
				b.at.y = row.centre + b.style.middle() - lineHeight/2*float64(len(b.lines)-1)
			}
			y += height
		}
		row.bottom = y
	}
	s.frame.y1 = y + side
	if s.height = s.frame.y1; len(s.axis.ticks) == 0 {
		return
	}
	base := s.frame.y1 + tickBelow
	if caption := s.axis.caption(s.f.X.Name); caption != "" {
		x := s.frame.x0 // below the frame's edge if it fits there in one line
		if s.wide(captionStyle, caption) > s.width-x {
			x = 0
		}
		s.caption = s.block(captionStyle, caption, s.width-x)
		s.caption.at = point{x, base + captionDrop}
		base += captionDrop + lineHeight*float64(len(s.caption.lines)-1)
	}
	s.height = base + foot
}

// paint draws everything. It reports false, and leaves the sheet unfinished, if a name finds no room beside its
// marks and there is no key.
func (s *rowSheet) paint() bool {
	if band, ok := s.band(); ok {
		s.fillRect("track", band)
	}
	for _, row := range s.rows {
		s.write(row.name)
		s.write(row.value)
	}
	for _, v := range s.axis.ticks {
		k := ink("grid")
		if v == 0 {
			k = "axis"
		}
		s.rule(k, s.axis.at(v), s.frame.y0, s.frame.y1)
	}
	s.write(s.caption)
	// At zero there is a line already.
	if r := s.f.Reference; r != nil && (r.Value != 0 || !slices.Contains(s.axis.ticks, 0)) {
		s.rule("axis", s.axis.at(r.Value), s.frame.y0, s.frame.y1)
	}
	for _, b := range s.over {
		s.write(b)
	}
	s.plot(s.frame, func(p *plot.Plot) {
		p.HideAxes()
		if len(s.axis.ticks) > 0 {
			s.axis.gonum(s.sheet, &p.X, tickStyle, point{0, tickBelow})
		}
	}, s)
	for i, r := range s.f.Rows {
		s.hit(rect{0, s.rows[i].top, s.width, s.rows[i].bottom}, r.Title)
	}
	return s.key || s.nameMarks()
}

// Plot draws the marks of all rows. It makes the sheet a plot.Plotter.
func (s *rowSheet) Plot(c draw.Canvas, p *plot.Plot) {
	for i, r := range s.f.Rows {
		row := s.rows[i]
		if s.f.hasPublished(r) {
			at := s.axis.at(r.Published)
			s.stroke("ghost", point{at, row.centre - tickHeight/2}, point{at, row.centre + tickHeight/2})
		}
		switch {
		case r.hasMark():
			s.paintMarks(r, row.centre)
		case r.Failed:
			s.hatch(rect{row.hatch.x0, row.centre - boxHeight/2, row.hatch.x1, row.centre + boxHeight/2})
			fallthrough
		default:
			s.write(row.words)
		}
	}
}

// paintMarks draws the value of a row in the way of its figure.
func (s *rowSheet) paintMarks(r Row, y float64) {
	fill, edge := fillInk(r.Series), strokeInk(r.Series)
	x := s.axis.at(r.Value)
	if s.f.Marks == Bars {
		k := "bar " + fill + " " + edge
		if r.Hollow {
			k = "open " + edge
		}
		zero := s.axis.at(0)
		s.fillRect(k, rect{min(zero, x), y - boxHeight/2, max(zero, x), y + boxHeight/2})
		s.paintWhisker(r, y)
		return
	}
	s.paintInterval(r, y)
	switch s.f.Marks {
	case Dots:
		s.glyph(mark(r.Series, r.AtLeast || r.Hollow, dotRadius), point{x, y})
		if _, tip := s.reach(r); r.AtLeast {
			s.arrow("line thin "+edge, point{tip - arrowLength, y}, point{tip, y})
		}
	case Distribution:
		s.stroke("line "+edge, point{x, y - tickHeight/2}, point{x, y + tickHeight/2})
	}
	s.swarm(r.Series, s.f.small(r), y)
}

// swarm draws a small mark for each value, and moves one that would lie on another up or down as far as its row lets
// it.
func (s *rowSheet) swarm(series int, values []Probe, y float64) {
	const (
		near  = 1.7 * smallRadius
		reach = boxHeight/2 - 1 // names may stand right above the box
	)
	values = slices.Clone(values)
	slices.SortStableFunc(values, func(a, b Probe) int { return cmp.Compare(a.Value, b.Value) })
	var placed []point
	for _, v := range values {
		x := s.axis.at(v.Value)
		at := point{x, y}
		for _, dy := range []float64{0, -reach, reach, -reach / 2, reach / 2} {
			isNear := func(o point) bool { return math.Hypot(o.x-x, o.y-y-dy) < near }
			if !slices.ContainsFunc(placed, isNear) {
				at.y += dy
				break
			}
		}
		placed = append(placed, at)
		s.glyph(mark(series, !v.Met, smallRadius), at)
	}
}

// paintWhisker draws an interval over a bar: a line with an end where it has one.
func (s *rowSheet) paintWhisker(r Row, y float64) {
	const end = 3
	if !r.hasInterval() {
		return
	}
	k := "line thin " + strokeInk(r.Series)
	x0, x1 := s.end(r.Lo), s.end(r.Hi)
	s.stroke(k, point{x0, y}, point{x1, y})
	for _, v := range []float64{r.Lo, r.Hi} {
		if x := s.end(v); !math.IsInf(v, 0) {
			s.stroke(k, point{x, y - end}, point{x, y + end})
		}
	}
}

// end is where an end of an interval is drawn: one that is infinite at the edge of the frame.
func (s *rowSheet) end(v float64) float64 { return s.axis.at(s.axis.within(v)) }

// reach is how far the marks of a row extend to the left and to the right.
func (s *rowSheet) reach(r Row) (x0, x1 float64) {
	x0 = s.axis.at(r.Value)
	x1 = x0
	for _, v := range s.f.small(r) {
		x := s.axis.at(v.Value)
		x0, x1 = min(x0, x), max(x1, x)
	}
	x0, x1 = x0-dotReach, x1+dotReach
	if r.hasInterval() {
		x0, x1 = min(x0, s.end(r.Lo)), max(x1, s.end(r.Hi))
	}
	if s.f.Marks == Bars {
		x0, x1 = min(x0, s.axis.at(0)), max(x1, s.axis.at(0))
	}
	if r.AtLeast {
		x1 += arrowGap + arrowLength
	}
	return x0, x1
}

// paintInterval draws a box for an interval and a thin line for a range. An open end has no edge.
func (s *rowSheet) paintInterval(r Row, y float64) {
	if !r.hasInterval() {
		return
	}
	fill, edge := fillInk(r.Series), strokeInk(r.Series)
	x0, x1 := s.end(r.Lo), s.end(r.Hi)
	if r.Range {
		s.stroke("line thin "+edge, point{x0, y}, point{x1, y})
		return
	}
	box := rect{x0, y - boxHeight/2, x1, y + boxHeight/2}
	switch openLo, openHi := math.IsInf(r.Lo, -1), math.IsInf(r.Hi, 1); {
	case openLo && openHi:
		s.fillRect("ibox "+fill, box)
		s.stroke("ibox "+edge, point{x0, box.y0}, point{x1, box.y0})
		s.stroke("ibox "+edge, point{x0, box.y1}, point{x1, box.y1})
	case openLo:
		s.fillOpen("ibox "+fill+" "+edge, box.corners()...)
	case openHi:
		box.x0, box.x1 = x1, x0
		s.fillOpen("ibox "+fill+" "+edge, box.corners()...)
	default:
		s.fillRect("ibox "+fill+" "+edge, box)
	}
}

// nameMarks names each series beside its first mark with room, and the grey ticks beside the first of them.
func (s *rowSheet) nameMarks() bool {
	area := s.frame
	if area.x1 = s.width; s.isNarrow() {
		area.x0 = 0
	}
	spots := make([][]spot, len(s.f.Series)+1)
	// A name beside a tick that a dot or a box covers would be taken for theirs.
	var apart, covered []spot
	for i, r := range s.f.Rows {
		y := s.rows[i].centre
		x0, x1 := s.reach(r)
		if r.hasMark() {
			of := &spots[min(r.Series, len(s.f.Series))]
			*of = append(*of, spot{x1 + labelGap, y, text.XLeft}, spot{x0 - labelGap, y, text.XRight})
		}
		if !s.f.hasPublished(r) {
			continue
		}
		at := s.axis.at(r.Published)
		list := &apart
		if r.hasMark() && x0-1 <= at && at <= x1+1 {
			list = &covered
		}
		*list = append(*list, spot{at - labelGap, y, text.XRight}, spot{at + labelGap, y, text.XLeft})
	}
	for k, name := range s.f.Series {
		t := textStyle{ink: "halo " + fillInk(k+1), strong: true, small: true}
		if name != "" && len(spots[k+1]) > 0 && !s.place(t, name, area, spots[k+1]) {
			return false
		}
	}
	apart = append(apart, covered...)
	return len(apart) == 0 || s.place(wordsStyle, s.f.Published, area, apart)
}

// entries are those of the key: the series, and what is published.
func (s *rowSheet) entries() []keyEntry {
	out := seriesEntries(s.f.Series)
	if slices.ContainsFunc(s.f.Rows, s.f.hasPublished) {
		out = append(out, keyEntry{publishedEntry, s.f.Published})
	}
	return out
}
