package figure

import (
	"slices"
)

// Kind is what a Finding is about.
type Kind string

const (
	// Collision is text on other text, on a mark or outside the drawing, a mark outside, or an axis whose ticks do not say
	// how it is divided: something cannot be read.
	Collision Kind = "collision"
	// Foreign is what no drawing of this package has, such as a colour of its own, or XML that is broken: the
	// drawing must not be shown.
	Foreign Kind = "foreign"
	// MissingGlyph is a letter that the page's fonts lack. The browser sets it in another font, for which room has
	// been left: names in any script may be shown, so this is worth a note at most.
	MissingGlyph Kind = "missing glyph"
)

// Finding is one thing that Check found.
type Finding struct {
	Kind    Kind
	Message string // in words, with the text it is about and its place in units
}

// markClasses are the classes of shapes on which no text may lie.
var markClasses = []string{"pt", "open", "ibox", "bar", "ghost", "thin", "hatch"}

// obstacles are what no text may lie on of a shape of some classes: all of it, or where its lines are, or nothing.
func obstacles(classes []string, points []point) []rect {
	switch {
	case !slices.ContainsFunc(markClasses, func(class string) bool { return slices.Contains(classes, class) }):
		return nil
	case slices.Contains(classes, "line"):
		return pieces(points)
	}
	return []rect{bounds(points)}
}

func bounds(points []point) rect {
	var box rect
	for i, p := range points {
		if i == 0 {
			box = rect{p.x, p.y, p.x, p.y}
		}
		box = rect{min(box.x0, p.x), min(box.y0, p.y), max(box.x1, p.x), max(box.y1, p.y)}
	}
	return box
}
