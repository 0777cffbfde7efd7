package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// A Fragment is YAML or CSV inside a source: the lines of a fence, a front matter, or a whole file. Marks of a list or
// quotation around a fence are not in its text.
type Fragment struct {
	source *Source
	Text   string
	lines  []Piece
	Whole  Pos // place of problems that concern the whole fragment

	newest cursor
}

// A Piece is a line of a fragment, or the rest of one after marks of lists and quotations.
type Piece struct {
	Text           string
	Start, Padding int // its offset in the source, and spaces before it that the source does not have

	at int // its offset in the fragment
}

// A cursor is a character in a line, and its offset.
type cursor struct{ line, column, at int }

// Part returns the fragment with the bytes [start, end) of a source.
func Part(s *Source, start, end int, whole Pos) Fragment {
	var lines []Piece
	for line := range strings.SplitAfterSeq(string(s.Data[start:end]), "\n") {
		lines = append(lines, Piece{Text: line, Start: start})
		start += len(line)
	}
	return Join(s, lines, whole)
}

// Whole returns the fragment of a source that is YAML or CSV from end to end.
func Whole(s *Source) Fragment {
	return Part(s, 0, len(s.Data), s.Pos(0, min(1, len(s.Data))))
}

// Join returns the fragment with these lines, which it keeps.
func Join(s *Source, lines []Piece, whole Pos) Fragment {
	if len(lines) == 0 {
		lines = []Piece{{Start: whole.Start}}
	}
	var text strings.Builder
	for i := range lines {
		lines[i].at = text.Len()
		text.WriteString(lines[i].Text)
	}
	return Fragment{source: s, Text: text.String(), lines: lines, Whole: whole}
}

// line returns the index of the line of f.Text that contains a byte.
func (f *Fragment) line(at int) int {
	return max(sort.Search(len(f.lines), func(i int) bool { return f.lines[i].at > at })-1, 0)
}

func (f *Fragment) sourceOffset(at int) int {
	l := f.lines[f.line(at)]
	return min(max(l.Start, l.Start+at-l.at-l.Padding), len(f.source.Data))
}

// pos returns the place of the bytes [start, end) of f.Text.
func (f *Fragment) pos(start, end int) Pos {
	at := f.source.Pos(f.sourceOffset(start), f.sourceOffset(end))
	at.End = max(at.End, min(at.Start+1, len(f.source.Data)))
	return at
}

// fieldPos returns the place of length bytes at a line and column, both from 1, the column in bytes.
func (f *Fragment) fieldPos(line, column, length int) Pos {
	if line < 1 || line > len(f.lines) {
		return f.Whole
	}
	start := min(f.lines[line-1].at+column-1, len(f.Text))
	return f.pos(start, min(start+length, len(f.Text)))
}

// offset converts the library's line and column, from 1 and in characters, to an offset in f.Text. It is fast for
// ascending places.
func (f *Fragment) offset(line, column int) int {
	line = min(max(line, 1), len(f.lines))
	c := &f.newest
	if c.line != line || c.column > column {
		*c = cursor{line, 1, f.lines[line-1].at}
	}
	for ; c.column < column && c.at < len(f.Text) && f.Text[c.at] != '\n'; c.column++ {
		_, size := utf8.DecodeRuneInString(f.Text[c.at:])
		c.at += size
	}
	return c.at
}

func (f *Fragment) begin(at int) int { return f.lines[f.line(at)].at }

// end returns the end of the line that contains a byte, before white space.
func (f *Fragment) end(at int) int {
	rest, _, _ := strings.Cut(f.Text[min(at, len(f.Text)):], "\n")
	return at + len(strings.TrimRight(rest, " \t\r"))
}

func (f *Fragment) next(at int) int {
	if i := f.line(at) + 1; i < len(f.lines) {
		return min(f.lines[i].at, len(f.Text))
	}
	return len(f.Text)
}

// blanks returns the offset after spaces and tabs.
func (f *Fragment) blanks(at int) int {
	return at + len(f.Text[at:]) - len(strings.TrimLeft(f.Text[at:], " \t"))
}

// rest returns the line from a byte on, without white space at its end.
func (f *Fragment) rest(at int) string { return f.Text[at:f.end(at)] }

// isEnd reports whether a byte is white space, or after the end of the text.
func (f *Fragment) isEnd(at int) bool { return at >= len(f.Text) || isSpace(f.Text[at]) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
