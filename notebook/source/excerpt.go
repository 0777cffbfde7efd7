package source

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// tabWidth is the distance of tab stops in excerpts.
const tabWidth = 4

// visible returns s as a terminal can show it: spaces instead of tabs, and signs for characters that are invisible or
// control the terminal. Column is where s begins in its line.
func visible(s string, column int) string {
	var b strings.Builder
	for state := -1; s != ""; {
		var cluster string // one character as people count them: a letter with its accents, or a flag
		var columns int
		cluster, s, columns, state = uniseg.FirstGraphemeClusterInString(s, state)
		switch {
		case cluster == "\t":
			columns = tabWidth - column%tabWidth
			cluster = strings.Repeat(" ", columns)
		case isHidden(cluster):
			cluster = signs(cluster)
			columns = uniseg.StringWidth(cluster)
		}
		b.WriteString(cluster)
		column += columns
	}
	return b.String()
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

// signs returns a visible sign for each rune of a character: the rune itself, Unicode's picture of a control character,
// or the code point.
func signs(cluster string) string {
	var b strings.Builder
	for _, r := range cluster {
		switch {
		case r < ' ':
			b.WriteRune('\u2400' + r)
		case r == 0x7f:
			b.WriteRune('\u2421')
		case unicode.IsPrint(r) && !unicode.IsMark(r): // includes utf8.RuneError, for bytes that are not UTF-8
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
	}
	return b.String()
}

// shorten cuts the middle out of a text that is longer than limit, in runes.
func shorten(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit*2/3]) + "…" + string(runes[len(runes)-limit/3+1:])
}

// maxExcerpt bounds the bytes before, in and after a place that are divided into characters, which takes time.
const maxExcerpt = 1024

// excerpt returns a line in at most limit columns, and a mark for the line below, with a caret and tildes under the
// bytes [start, end). A longer line is cut on both sides of the place.
func excerpt(line string, start, end, limit int) (text, mark string) {
	start = min(start, len(line))
	end = min(max(start, end), start+maxExcerpt, len(line))
	from, to := max(0, start-maxExcerpt), min(len(line), end+maxExcerpt)
	before := visible(line[from:start], 0)
	column := uniseg.StringWidth(before)
	place := visible(line[start:end], column)
	marked := uniseg.StringWidth(place)
	rest := place + visible(line[end:to], column+marked)
	shownBefore, shownRest := before, rest
	if width := uniseg.StringWidth(rest); column+width > limit {
		limit -= 2 // an ellipsis at each end
		shownBefore = lastColumns(before, max(limit/2, limit-width))
		shownRest = firstColumns(rest, limit-uniseg.StringWidth(shownBefore))
	}
	left := uniseg.StringWidth(shownBefore)
	marked = min(marked, uniseg.StringWidth(shownRest))
	if from > 0 || shownBefore != before {
		shownBefore = "…" + shownBefore
		left++
	}
	if to < len(line) || shownRest != rest {
		shownRest += "…"
	}
	return shownBefore + shownRest, strings.Repeat(" ", left) + "^" + strings.Repeat("~", max(0, marked-1))
}

// firstColumns returns the characters at the start of s that fit into a number of columns.
func firstColumns(s string, columns int) string {
	end, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if columns -= width; columns < 0 {
			break
		}
		end += len(cluster)
	}
	return s[:end]
}

// lastColumns returns the characters at the end of s that fit into a number of columns.
func lastColumns(s string, columns int) string {
	state := -1
	for has := uniseg.StringWidth(s); s != "" && has > columns; {
		var width int
		_, s, width, state = uniseg.FirstGraphemeClusterInString(s, state)
		has -= width
	}
	return s
}

// Escape returns a character as an escape of JSON, such as \u202e.
func Escape(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// isActive reports whether a character acts on a terminal or changes the direction of the text around it: control
// characters except white space, embeddings, overrides and isolates. Letters and marks of right-to-left scripts do not.
func isActive(r rune) bool {
	if unicode.IsControl(r) {
		return r != '\t' && r != '\n' && r != '\r'
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' // embeddings and overrides, isolates
}

// Plain escapes the active characters of a text: see isActive.
func Plain(s string) string { return string(PlainBytes([]byte(s))) }

// PlainBytes is Plain for bytes; text without active characters is returned uncopied.
func PlainBytes(text []byte) []byte {
	var out []byte
	for {
		at := bytes.IndexFunc(text, isActive)
		switch {
		case at >= 0:
			r, size := utf8.DecodeRune(text[at:])
			out = append(append(out, text[:at]...), Escape(r)...)
			text = text[at+size:]
		case out == nil:
			return text
		default:
			return append(out, text...)
		}
	}
}
