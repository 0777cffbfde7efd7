package figure

import "slices"

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
