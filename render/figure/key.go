package figure

// keyEntry is a mark with its name, in the key above a figure.
type keyEntry struct {
	series int // from 1; publishedEntry for the grey ticks
	name   string
}

// publishedEntry is the series of published values.
const publishedEntry = 0

// layKey goes through the entries of a key, as many in a row as there is room for, and gives its height; it draws them if
// it is asked to.
func (s *sheet) layKey(entries []keyEntry, draws bool) (height float64) {
	const (
		indent   = 5  // of a mark's centre
		first    = 10 // centre line of the first row
		entryGap = 19
		bottom   = 10
	)
	at := point{indent, first}
	deepest := at.y // centre line of the lowest line in this row of entries
	for _, e := range entries {
		t := e.style()
		lines := s.wrap(t, e.name, s.width-indent-keyGap)
		wide := keyGap + s.widest(t, lines)
		if at.x > indent && at.x+wide > s.width {
			at = point{indent, deepest + lineHeight + 3}
		}
		if draws {
			s.drawEntry(e, at, lines)
		}
		deepest = max(deepest, at.y+lineHeight*float64(len(lines)-1))
		at.x += wide + entryGap
	}
	return deepest + bottom
}

// style sets an entry of the key.
func (e keyEntry) style() textStyle {
	if e.series == publishedEntry {
		return textStyle{ink: "dim", small: true}
	}
	return textStyle{ink: fillInk(e.series), strong: true, small: true}
}

// drawEntry draws an entry of the key.
func (s *sheet) drawEntry(e keyEntry, at point, lines []string) {
	if e.series == publishedEntry {
		s.stroke("ghost", point{at.x, at.y - tickHeight/2}, point{at.x, at.y + tickHeight/2})
	} else {
		s.glyph(fillInk(e.series)+" pt", e.series, at, dotRadius)
	}
	t := e.style()
	s.lines(t, point{at.x + keyGap, at.y + t.middle()}, lineHeight, lines)
}
