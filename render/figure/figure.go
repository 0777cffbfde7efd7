// Package figure draws the figures of a page as SVG that carries classes instead of colours.
//
// A figure is plain numbers and finished words; it knows nothing of records or articles. Each is drawn twice, Full and
// Narrow, and what is drawn has no colour, font, size or style of its own: the page's style sheet gives classes their
// look, in light, dark and on paper, and Standalone does so for a file of its own.
//
// There are two families: Rows, each of a name and a value; and Curves and Scatter, between two axes of numbers. What stands for a value shows it in words when it is pointed at or reached by the
// keyboard, by the style sheet alone.
//
// A drawing depends on its input alone: the same numbers give the same bytes, on any machine and in any goroutine.
// Text is measured in the page's own fonts, as the browser will set it, and put where it hits no other text and no
// mark. Whatever is given is shown: no row is left out and no word is cut.
//
// gonum/plot draws axes, lines, bands and points; no type of gonum leaves the package. What it lacks is ours: ticks
// with room for their labels, names that keep clear of marks, and rows, whose heights follow their words.
package figure

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"benchbook/notebook/source"
)

// Figure is a figure of any kind.
type Figure interface {
	// Draw draws the figure, with one decimal of a unit, as an svg element that has the class full or narrow. The error
	// says what cannot be drawn and which part of the figure it is.
	Draw(m *Metrics, width Width) ([]byte, error)
}

// Head is what all kinds of figures have.
type Head struct {
	ID    string // of letters, digits, "-", "_" and "."; unique in its page
	Title string // what the figure shows, for screen readers
	Desc  string // the finding and every value in words, made from the same numbers, for screen readers
}

// draw draws the figure of the head: prepare checks its numbers and words, and paint draws them on a sheet. Where names
// find no room among the marks, paint reports false and is called again, crowded, to put them elsewhere.
func (h Head) draw(m *Metrics, w Width, prepare func() error,
	paint func(s *sheet, crowded bool) (height float64, ok bool)) (svg []byte, err error) {
	if err = h.check(w); err == nil {
		err = prepare()
	}
	if err == nil {
		s := newSheet(m, w)
		height, ok := paint(s, false)
		if !ok {
			s = newSheet(m, w)
			height, _ = paint(s, true)
		}
		svg, err = s.document(w, height, h)
	}
	if err != nil {
		return nil, fmt.Errorf("figure %q: %w", h.ID, err)
	}
	return svg, nil
}

// check refuses what would not be an attribute, and widths that the style sheet has no class for.
func (h Head) check(w Width) error {
	isPart := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) }
	if h.ID == "" || strings.ContainsFunc(h.ID, func(r rune) bool { return !isPart(r) }) {
		return errors.New(`the ID is not of letters, digits, "-", "_" and "."; choose another`)
	}
	if w != Full && w != Narrow {
		return fmt.Errorf("width %d is neither full (%d) nor narrow (%d)", w, Full, Narrow)
	}
	return nil
}

// Reference is a value that others are compared with, drawn as a line across them.
type Reference struct {
	Value float64 // in the unit of the values
	Label string  // such as "no difference"
}

// Band is a range of values that is marked: the noise floor, or the region in which a claim is supported. An infinite
// end is the edge of the frame.
type Band struct {
	Lo, Hi float64 // in the unit of the values
	Label  string
}

// Width is how wide a drawing is, in units; a unit is a CSS pixel at the size the drawing is made for.
type Width int

// A page holds both widths of a figure and shows one of them.
const (
	Full   Width = 660 // of the text column
	Narrow Width = 343 // of a telephone
)

// class is the class that the style sheet shows and hides the drawing by.
func (w Width) class() string {
	if w == Narrow {
		return "narrow"
	}
	return "full"
}

// idFor makes the prefix of a drawing's ids, so that both widths of a figure can stand in one page.
func (w Width) idFor(figure string) string {
	if w == Narrow {
		return figure + "-n"
	}
	return figure + "-w"
}

// drawable tells whether v is finite and so far from the ends of a float64 that spans and steps stay finite too.
func drawable(v float64) bool { return math.Abs(v) <= 1e100 }

// oneLine turns runs of white space into single spaces, as a browser would show them, and characters that act into
// signs, so that a text is measured as it will stand.
func oneLine(s string) string {
	s = source.Plain(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}

func oneLines(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = oneLine(s)
	}
	return out
}
