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

// A cell is what a terminal shows of one character, as people count them: a letter with its accents is one, and so is
// a flag.
type cell struct {
	start int // the character's offset in the line
	shown string
	width int // in columns
}

// cells takes a line apart. Tabs become spaces and what has no shape, or would act on the terminal, a sign that can
// be seen.
func cells(line string) []cell {
	var out []cell
	column := 0
	add := func(start int, shown string, width int) {
		out = append(out, cell{start, shown, width})
		column += width
	}
	at, state := 0, -1
	for rest := line; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		switch {
		case cluster == "\t":
			width = tabWidth - column%tabWidth
			add(at, strings.Repeat(" ", width), width)
		case hidden(cluster):
			for i, r := range cluster {
				shown := string(r)
				if !unicode.IsPrint(r) || r == utf8.RuneError || unicode.IsMark(r) {
					shown = sign(r)
				}
				add(at+i, shown, uniseg.StringWidth(shown))
			}
		default:
			add(at, cluster, width)
		}
		at += len(cluster)
	}
	return out
}

// maxCluster is more than any letter or emoji in use is made of; what is longer was made to break terminals.
const maxCluster = 16

// hidden says that a character, as people count them, is not to be shown as it is. Joiners and selectors belong to
// emoji and some scripts, where they stand between other characters.
func hidden(cluster string) bool {
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

// sign stands for a character that must not reach the terminal: Unicode's pictures for control characters, else its
// number.
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

// maxClip is far more than is shown of a line or a message on either side of a place. Long ones are cut to it before
// they are taken apart, which takes time.
const maxClip = 1024

// clip leaves out the middle of a text that is far longer than what is shown of it.
func clip(s string) string {
	if len(s) <= 2*maxClip {
		return s
	}
	return s[:boundary(s, maxClip)] + "…" + s[boundary(s, len(s)-maxClip):]
}

// boundary is where the character of s that at lies in begins.
func boundary(s string, at int) int {
	for i := at; i > max(0, at-utf8.UTFMax) && i < len(s); i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return at
}

// visible is s with signs for what has no shape or would act on the terminal.
func visible(s string) string {
	var b strings.Builder
	for _, c := range cells(s) {
		b.WriteString(c.shown)
	}
	return b.String()
}

// shorten leaves out the middle of what is wider than limit.
func shorten(s string, limit int) string {
	list := cells(s)
	width := 0
	for _, c := range list {
		width += c.width
	}
	if width <= limit {
		return s
	}
	head, tail := 0, len(list)
	for used := 1; head < tail; {
		// Two thirds of what is kept are the beginning.
		next := &head
		c := list[head]
		if used > limit*2/3 {
			c = list[tail-1]
			next = &tail
		}
		if used += c.width; used > limit {
			break
		}
		if next == &head {
			head++
		} else {
			tail--
		}
	}
	return s[:list[head].start] + "…" + s[offsetOf(list, tail, len(s)):]
}

// offsetOf is where cell i begins in the line, or the line's end.
func offsetOf(list []cell, i, end int) int {
	if i < len(list) {
		return list[i].start
	}
	return end
}

// excerpt shows a line in at most limit columns, and a caret and tildes that stand under its bytes [start, end). What
// does not fit is left out around the place.
func excerpt(line string, start, end, limit int) (text, mark string) {
	cutStart, cutEnd := 0, len(line)
	if len(line) > 2*maxClip {
		cutStart = boundary(line, max(0, start-maxClip))
		cutEnd = boundary(line, min(len(line), start+maxClip))
	}
	before, after := cutStart > 0, cutEnd < len(line)
	line, start, end = line[cutStart:cutEnd], start-cutStart, min(end, cutEnd)-cutStart
	list := cells(line)
	first, last := len(list), len(list) // of the cells to be marked
	total := 0
	for i, c := range list {
		if offsetOf(list, i+1, len(line)) > start {
			first = min(first, i)
		}
		if c.start >= end {
			last = min(last, i)
		}
		total += c.width
	}
	last = max(last, first)
	from, to := 0, len(list)
	if total > limit {
		from, to = window(list, first, limit-2)
	}
	var b strings.Builder
	left, under := 0, 0
	if from > 0 || before {
		b.WriteString("…")
		left = 1
	}
	for i := from; i < to; i++ {
		c := list[i]
		b.WriteString(c.shown)
		switch {
		case i < first:
			left += c.width
		case i < last:
			under += c.width
		}
	}
	if to < len(list) || after {
		b.WriteString("…")
	}
	return b.String(), strings.Repeat(" ", left) + "^" + strings.Repeat("~", max(0, under-1))
}

// window chooses cells from, to that fit into limit columns and show the place with some of what stands before it.
func window(list []cell, place, limit int) (from, to int) {
	from = place
	for before := 0; from > 0 && before+list[from-1].width <= limit/2; from-- {
		before += list[from-1].width
	}
	used := 0
	for to = from; to < len(list) && used+list[to].width <= limit; to++ {
		used += list[to].width
	}
	for from > 0 && used+list[from-1].width <= limit { // the line ended early: show more of its beginning
		from--
		used += list[from].width
	}
	return from, to
}
