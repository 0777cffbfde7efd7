package source

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// tabWidth is the distance of tab stops in lines shown.
const tabWidth = 4

// A cell is one character as people count them, a letter with its accents or a flag, as a terminal shows it.
type cell struct {
	start  int // offset of the character in the line
	column int // of its left edge
	shown  string
}

// cells divides a line, and returns its width in columns. Tabs become spaces. Characters that have no shape, or that
// would act on the terminal, become visible signs.
func cells(line string) (list []cell, width int) {
	add := func(start int, shown string, columns int) {
		list = append(list, cell{start, width, shown})
		width += columns
	}
	at, state := 0, -1
	for rest := line; rest != ""; {
		var cluster string
		var columns int
		cluster, rest, columns, state = uniseg.FirstGraphemeClusterInString(rest, state)
		switch {
		case cluster == "\t":
			columns = tabWidth - width%tabWidth
			add(at, strings.Repeat(" ", columns), columns)
		case isHidden(cluster):
			for i, r := range cluster {
				shown := string(r)
				if !unicode.IsPrint(r) || r == utf8.RuneError || unicode.IsMark(r) {
					shown = sign(r)
				}
				add(at+i, shown, uniseg.StringWidth(shown))
			}
		default:
			add(at, cluster, columns)
		}
		at += len(cluster)
	}
	return list, width
}

// maxCluster is more runes than any letter or emoji in use has; longer clusters are made to break terminals.
const maxCluster = 16

// isHidden reports whether a character cannot be shown as it is. Joiners and selectors belong to emoji and some
// scripts, between other runes.
func isHidden(cluster string) bool {
	if utf8.RuneCountInString(cluster) > maxCluster {
		return true
	}
	for i, r := range cluster {
		joins := i > 0 && (r == '\u200c' || r == '\u200d' || r >= 0xE0020 && r <= 0xE007F)
		if r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) && !joins {
			return true
		}
	}
	return false
}

// sign returns a visible sign for a rune: Unicode's picture of a control character, else the number.
func sign(r rune) string {
	switch {
	case r < ' ':
		return string('\u2400' + r)
	case r == 0x7f:
		return "\u2421"
	case r == utf8.RuneError:
		return "\ufffd"
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// visible returns s with signs for runes that have no shape or would act on the terminal.
func visible(s string) string {
	var b strings.Builder
	list, _ := cells(s)
	for _, c := range list {
		b.WriteString(c.shown)
	}
	return b.String()
}

// shorten leaves out the middle of a text longer than limit, in runes.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit*2/3]) + "…" + string(runes[len(runes)-limit/3+1:])
}

// maxExcerpt bounds the bytes of a line on either side of a place that are divided into cells, which takes time.
const maxExcerpt = 1024

// excerpt shows a line in at most limit columns, with a caret and tildes for the line below it, under the bytes
// [start, end). A longer line is cut on both sides of the place.
func excerpt(line string, start, end, limit int) (text, mark string) {
	cutStart, cutEnd := 0, len(line)
	if len(line) > 2*maxExcerpt {
		cutStart = runeStart(line, max(0, start-maxExcerpt))
		cutEnd = runeStart(line, min(len(line), start+maxExcerpt))
	}
	before, after := cutStart > 0, cutEnd < len(line)
	line, start, end = line[cutStart:cutEnd], start-cutStart, min(end, cutEnd)-cutStart
	list, width := cells(line)
	n := len(list)
	list = append(list, cell{start: len(line), column: width})
	first := 0
	for first < n && list[first+1].start <= start {
		first++
	}
	last := first
	for last < n && list[last].start < end {
		last++
	}
	from, to := 0, n
	if width > limit {
		from, to = window(list, first, limit-2)
		before, after = before || from > 0, after || to < n
	}
	var b strings.Builder
	left := list[first].column - list[from].column
	if before {
		b.WriteString("…")
		left++
	}
	for _, c := range list[from:to] {
		b.WriteString(c.shown)
	}
	if after {
		b.WriteString("…")
	}
	marked := list[min(last, to)].column - list[first].column
	return b.String(), strings.Repeat(" ", left) + "^" + strings.Repeat("~", max(0, marked-1))
}

// window chooses the cells [from, to) that fit into limit columns around a place. The last cell only ends the line.
func window(list []cell, place, limit int) (from, to int) {
	from, to = place, place
	for from > 0 && list[place].column-list[from-1].column <= limit/2 {
		from--
	}
	for to < len(list)-1 && list[to+1].column-list[from].column <= limit {
		to++
	}
	for from > 0 && list[to].column-list[from-1].column <= limit { // the line ended early: show more before the place
		from--
	}
	return from, to
}

func runeStart(s string, at int) int {
	for i := at; i > max(0, at-utf8.UTFMax) && i < len(s); i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return at
}
