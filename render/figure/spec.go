// Package figure draws the figures of a page with gonum/plot.
//
// A Spec is plain numbers and finished words; it knows no records and no articles. SVG draws it for a page, with classes
// that the page's style sheet gives their look, so that one drawing serves light, dark and paper. File adds a style, the
// title and the source, for a drawing outside of its page, and Card is a picture for links to the page.
//
// A drawing depends on its input alone: the same numbers give the same bytes. No type of gonum leaves the package.
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

// MaxSeries is the number of series that a figure can tell apart: the style sheet has as many colours.
const MaxSeries = article.FigureColours

// Spec is a figure: marks and lines between two axes, in the units of these axes.
type Spec struct {
	ID     string // unique in its page
	Title  string // the finding; empty where an element with the id ID-t has it
	Sub    string // the quantity and its unit
	Desc   string // every value in words, for screen readers
	Source string // where the figure is from, for files and cards

	X, Y  Axis
	Rows  []Row  // a nominal Y axis, from top to bottom; empty for two axes of numbers
	Marks []Mark // of rows, or by themselves
	Lines []Line // on two axes of numbers
	Key   []Key

	Level  *Guide  // a value of X across all rows, or of Y; nil for none
	Drops  []Guide // upright lines at values of X
	Slopes []Guide // lines on which Y is Value times X
	Notes  []string
}

// Axis is an axis of numbers.
type Axis struct {
	Name  string // may be empty where Spec.Sub says it
	Scale Scale
	Zero  bool                 // a linear axis begins at zero, wherever the values are
	Ticks []float64            // marked in place of round numbers if three or more of them have room
	Label func(float64) string // of a tick; nil for a plain number
}

// Row is one name on a nominal axis, with its printed texts.
type Row struct {
	Name    string
	Value   string // as printed at its right
	Missing string // why it has no mark, in its place
	Failed  bool   // it is missing because it failed: hatched
	Title   string // the row in words, shown when it is pointed at
	Band    *Band  // nil for none
}

// Band is a range that a claim allows.
type Band struct{ Lo, Hi float64 }

// Shape is how a mark is drawn.
type Shape int

// The shapes of marks.
const (
	Dot       Shape = iota // in the colour and form of its series, with a whisker for its interval
	Small                  // a repetition or a probe; those of a row that lie on each other move apart
	Bar                    // from zero
	Centre                 // an upright stroke between repetitions
	Published              // a grey stroke
	Rule                   // of a key: the line of Spec.Level
)

// Mark is a value.
type Mark struct {
	X, Y               float64 // Y is an index of Spec.Rows where there are any
	XLo, XHi, YLo, YHi float64 // intervals: NaN for none, infinite or beyond the axis for an open end
	Shape              Shape
	Series             int // from 1 to MaxSeries; 0 is grey
	Hollow             bool
	Thin               bool   // the interval is a range of few runs: a line
	AtLeast            bool   // X is a lower bound: an arrow
	Name               string // written near a mark between two axes of numbers, where there is room
	Title              string // in words, shown when it is pointed at
	Gap, Failed        bool   // of a line: nothing was measured at X; it was tried and failed
}

// At is a mark without intervals.
func At(x, y float64) Mark {
	return Mark{X: x, Y: y, XLo: math.NaN(), XHi: math.NaN(), YLo: math.NaN(), YHi: math.NaN()}
}

// Line connects points, by ascending X. It is named at its end.
type Line struct {
	Name   string
	Series int
	Dash   bool
	Points []Mark
	Plain  bool     // no marks at points, and intervals as a band
	Traces [][]Mark // thin lines behind it, of single repetitions
	Chosen int      // the point that a search chose, counted from 1; 0 for none
	Panel  string   // the frame that it is drawn in; empty where all share one
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

// Width is the width of a drawing, in units of one CSS pixel.
type Width int

// The widths of drawings: in the text column, at the top of a page, on a telephone.
const (
	Full   Width = 660
	Top    Width = 540
	Narrow Width = 343
)

// class is the class by which the style sheet shows and hides the drawing.
func (w Width) class() string {
	if w == Narrow {
		return "narrow"
	}
	return "full"
}

// prepared is the figure with intervals that end on their axes or are open; its error names what cannot be drawn.
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
	levels := s.Y // the axis that Level is a value of
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

// IsDrawn reports whether something was measured at X.
func (m Mark) IsDrawn() bool { return !m.Gap }

// place checks a mark, and opens the ends of its intervals that have no place on the axes.
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

// interval opens ends that have no place on the axis; both are NaN where there is no interval.
func (a Axis) interval(lo, hi float64) (float64, float64) {
	if !a.Scale.has(lo) && !math.IsNaN(lo) {
		lo = math.Inf(-1)
	}
	if !a.Scale.has(hi) && !math.IsNaN(hi) {
		hi = math.Inf(1)
	}
	return lo, hi
}

// extents are what the axes have to show.
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

// oneLine turns runs of white space into single spaces, as a browser shows them, and characters that act into signs.
func oneLine(s string) string {
	s = source.Plain(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}
