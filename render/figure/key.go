package figure

import (
	"fmt"

	"benchbook/notebook/article"
)

// MaxSeries is how many series a figure can tell apart: the style sheet has as many colours.
const MaxSeries = article.FigureColours

func seriesNames(names []string) ([]string, error) {
	if len(names) > MaxSeries {
		return nil, fmt.Errorf("%d series are more than the %d that can be told apart; draw several figures",
			len(names), MaxSeries)
	}
	return oneLines(names), nil
}

// seriesOf is the series of a mark, counted from 1, which is the first one where there are none; 0 is grey.
func seriesOf(names []string, series int) (int, error) {
	if len(names) == 0 {
		return 1, nil
	}
	if series < 0 || series > len(names) {
		return 0, fmt.Errorf("series %d is not one of the %d that are named; name it", series, len(names))
	}
	return series, nil
}

// keyEntry is a mark with its name, in the key above a figure.
type keyEntry struct {
	series int // from 1; publishedEntry for the grey ticks
	name   string
}

// publishedEntry is the series of published values.
const publishedEntry = 0

func seriesEntries(names []string) []keyEntry {
	var out []keyEntry
	for k, name := range names {
		if name != "" {
			out = append(out, keyEntry{k + 1, name})
		}
	}
	return out
}

// drawKey draws a key at the top, with as many entries in a row as there is room for, and gives its height.
func (s *sheet) drawKey(entries []keyEntry) (height float64) {
	const (
		indent   = 5  // of a mark's centre
		first    = 10 // centre line of the first row
		entryGap = 19
		bottom   = 10
	)
	at := point{indent, first}
	deepest := at.y // centre line of the lowest line in this row of entries
	for _, e := range entries {
		t := textStyle{ink: fillInk(e.series), strong: true, small: true}
		if e.series == publishedEntry {
			t = textStyle{ink: "dim", small: true}
		}
		b := s.block(t, e.name, s.width-indent-keyGap)
		wide := keyGap + s.widest(t, b.lines)
		if at.x > indent && at.x+wide > s.width {
			at = point{indent, deepest + lineHeight + 3}
		}
		if e.series == publishedEntry {
			s.stroke("ghost", point{at.x, at.y - tickHeight/2}, point{at.x, at.y + tickHeight/2})
		} else {
			s.glyph(mark(e.series, false, dotRadius), at)
		}
		b.at = point{at.x + keyGap, at.y + t.middle()}
		s.write(b)
		deepest = max(deepest, at.y+lineHeight*float64(len(b.lines)-1))
		at.x += wide + entryGap
	}
	return deepest + bottom
}
