// Package figure draws the figures of a page as SVG that carries classes instead of colours.
//
// A kind of figure, such as Dots, is plain numbers and finished words; it knows nothing of records or articles. Every
// kind is drawn twice, Full and Narrow, and what it draws has no colour, font, size or style of its own: the page's
// style sheet gives classes their look, in light, dark and on paper, and Standalone does so for a file of its own.
//
// A drawing depends on its input alone: the same numbers give the same bytes, on any machine and in any goroutine.
// Text is measured in the page's own fonts, as the browser will set it, and put where it hits no other text and no
// mark; Check reads a drawing back and says where that failed. Whatever is given is shown: no row is left out and no
// word is cut.
//
// gonum/plot scales and paints; no type of gonum leaves the package.
package figure

import "fmt"

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

// check refuses widths that the style sheet has no class for.
func (w Width) check() error {
	if w != Full && w != Narrow {
		return fmt.Errorf("width %d is neither full (%d) nor narrow (%d)", w, Full, Narrow)
	}
	return nil
}
