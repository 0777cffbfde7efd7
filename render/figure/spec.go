// Package figure draws the figures of a page with gonum/plot.
//
// A Spec holds numbers and words; it knows nothing of records or articles. SVG draws it for a page, with classes that
// the page's style sheet styles for light, dark and print. File adds a style, title and source, for use outside the
// page. Card is the preview image for links to the page.
//
// The same Spec gives the same bytes. No gonum type is exported.
package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// MaxSeries is the number of series that a figure can tell apart, as the style sheet has that many colours.
const MaxSeries = article.FigureColours

// Spec is a figure: marks and lines between two axes, in the units of these axes.
type Spec struct {
	ID     string // unique in its page
	Title  string // the finding; empty if the page has it, in an element with the id ID-t
	Sub    string // the quantity and its unit
	Desc   string // every value in words, for screen readers
	Source string // origin of the figure, for files and cards

	X, Y  Axis
	Rows  []Row  // a nominal Y axis, from top to bottom; empty for two axes of numbers
	Marks []Mark // of rows, or by themselves
	Lines []Line // on two axes of numbers
	Key   []Key

	Level  *Guide  // a line at a value of X through all rows, or of Y without rows; may be nil
	Drops  []Guide // vertical lines at values of X
	Slopes []Guide // lines on which Y is Value times X
	Notes  []string
}

// Axis is an axis of numbers.
type Axis struct {
	Name  string // may be empty if Spec.Sub says it
	Scale Scale
	Zero  bool                 // a linear axis must include zero
	Ticks []float64            // preferred to round numbers, if enough of them have room
	Label func(float64) string // writes a tick; nil for plain numbers
}

// Row is one row of a nominal axis, with its texts.
type Row struct {
	Name    string
	Value   string // printed at the right
	Missing string // why there is no mark, printed instead
	Failed  bool   // hatched, as it is missing because it failed
	Title   string // tooltip: the row in words
	Band    *Band  // may be nil
}

// Band is a range that a claim allows.
type Band struct{ Lo, Hi float64 }

// Shape is how a mark is drawn.
type Shape int

// The shapes of marks.
const (
	Dot       Shape = iota // in the colour and form of its series, on its interval
	Small                  // a repetition or probe; in a row, overlapping ones move apart
	Bar                    // from zero
	Centre                 // a vertical stroke among repetitions
	Published              // a grey stroke
	Rule                   // of a key: the line of Spec.Level
)

// Mark is a value.
type Mark struct {
	X, Y               float64 // Y is an index into Spec.Rows, if there are rows
	XLo, XHi, YLo, YHi float64 // intervals: NaN for none, infinite or off the scale for an open end
	Shape              Shape
	Series             int // from 1 to MaxSeries; 0 is grey
	Hollow             bool
	Thin               bool   // the interval is a range of few runs: a line
	AtLeast            bool   // X is a lower bound: an arrow
	Name               string // written near the mark if there is room; not in rows
	Title              string // tooltip: the mark in words
	Gap, Failed        bool   // on a line: nothing was measured at X, because it failed
}

// At returns a mark without intervals.
func At(x, y float64) Mark {
	return Mark{X: x, Y: y, XLo: math.NaN(), XHi: math.NaN(), YLo: math.NaN(), YHi: math.NaN()}
}

// Line connects points, which are sorted by X. Its name is at its end.
type Line struct {
	Name   string
	Series int
	Dash   bool
	Points []Mark
	Plain  bool     // no marks at points, and intervals as a band
	Traces [][]Mark // thin lines of single repetitions behind it
	Chosen int      // the point that a search chose, from 1; 0 for none
	Panel  string   // title of its frame; empty if all lines share one
}

// Key explains a colour or a shape above the figure.
type Key struct {
	Name   string
	Series int
	Shape  Shape
	Band   bool
}

// Guide is a line that values are compared with.
type Guide struct {
	Value float64
	Label string
	Dash  bool
}

// Width is the width of a drawing in CSS pixels, the unit of all lengths here.
type Width int

// The widths of drawings: in the text column, at the top of a page, on a phone.
const (
	Full   Width = 660
	Top    Width = 540
	Narrow Width = 343
)

// class returns the class that lets the style sheet show or hide the drawing.
func (w Width) class() string {
	if w == Narrow {
		return "narrow"
	}
	return "full"
}

// prepared returns a copy of the figure whose intervals end on their scales or are open. The error names what can't be
// drawn.
func (s Spec) prepared() (Spec, error) {
	var err error
	place := func(marks []Mark) []Mark {
		marks = slices.Clone(marks)
		for i := range marks {
			err = cmp.Or(err, s.place(&marks[i]))
		}
		return marks
	}
	s.Marks, s.Lines = place(s.Marks), slices.Clone(s.Lines)
	levels := s.Y // the axis of Level
	if len(s.Rows) > 0 {
		levels = s.X
	}
	isEmpty := len(s.Rows)+len(s.Marks) == 0
	for i := range s.Lines {
		l := &s.Lines[i]
		l.Points, l.Traces = place(l.Points), slice.Map(l.Traces, place)
		isEmpty = isEmpty && !slices.ContainsFunc(l.Points, Mark.IsDrawn)
	}
	switch {
	case err != nil:
	case isEmpty:
		err = errors.New("there is nothing to draw; leave it out and say why")
	case s.Level != nil && !levels.Scale.has(s.Level.Value):
		err = fmt.Errorf("the reference %v has no place on its axis; leave it out", s.Level.Value)
	}
	if err != nil {
		err = fmt.Errorf("figure %q: %w", s.ID, err)
	}
	return s, err
}

// IsDrawn reports whether the mark is drawn, rather than a gap.
func (m Mark) IsDrawn() bool { return !m.Gap }

// place checks a mark, and opens the ends of its intervals that are off the scale.
func (s *Spec) place(m *Mark) error {
	switch {
	case !s.X.Scale.has(m.X):
		return fmt.Errorf("x = %v of %q has no place on the axis; leave it out and say so", m.X, m.Title)
	case len(s.Rows) == 0 && m.IsDrawn() && !s.Y.Scale.has(m.Y):
		return fmt.Errorf("y = %v of %q has no place on the axis; leave it out and say so", m.Y, m.Title)
	}
	m.XLo, m.XHi = s.X.interval(m.XLo, m.XHi)
	m.YLo, m.YHi = s.Y.interval(m.YLo, m.YHi)
	return nil
}

// interval replaces ends that are off the scale by infinity, and keeps NaN.
func (a Axis) interval(lo, hi float64) (float64, float64) {
	if !a.Scale.has(lo) && !math.IsNaN(lo) {
		lo = math.Inf(-1)
	}
	if !a.Scale.has(hi) && !math.IsNaN(hi) {
		hi = math.Inf(1)
	}
	return lo, hi
}

// extents returns what the axes have to show.
func (s *Spec) extents() (x, y extent) {
	marks := slices.Clone(s.Marks)
	for _, l := range s.Lines {
		marks = slices.Concat(marks, l.Points, slices.Concat(l.Traces...))
	}
	for _, m := range marks {
		x.add(m.X, m.XLo, m.XHi)
		if m.IsDrawn() {
			y.add(m.Y, m.YLo, m.YHi)
		}
	}
	for _, r := range s.Rows {
		if r.Band != nil {
			x.add(r.Band.Lo, r.Band.Hi)
		}
	}
	x.add(s.X.Ticks...)
	switch {
	case s.Level != nil && len(s.Rows) > 0:
		x.add(s.Level.Value)
	case s.Level != nil:
		y.add(s.Level.Value)
	}
	return x, y
}

// oneLine replaces white space by single spaces, as a browser does, and makes active characters visible.
func oneLine(s string) string {
	s = source.Plain(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}
