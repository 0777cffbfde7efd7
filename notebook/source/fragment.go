package source

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// A Fragment is a piece of YAML inside a source: the lines of a fence, a front matter, or a whole file. Where a fence
// stands inside a list or a quotation, what Markdown takes away before its lines is no part of the text.
type Fragment struct {
	source *Source
	Text   string
	lines  []fragmentLine
	Whole  Pos // where a problem stands that concerns all of it

	newest cursor
}

// fragmentLine says where a line of a fragment comes from.
type fragmentLine struct {
	at    int // of its first byte in the fragment's text
	start int // of its first byte in the source
	extra int // spaces before it that the source does not have: what is left of a tab that Markdown cut
}

// A cursor is a place up to which the characters of a line were counted.
type cursor struct{ line, column, at int }

// Part makes a fragment of the bytes [start, end) of a source.
func Part(s *Source, start, end int, whole Pos) Fragment {
	f := Fragment{source: s, Text: string(s.Data[start:end]), Whole: whole}
	f.lines = []fragmentLine{{0, start, 0}}
	for i := start; i < end; i++ {
		if s.Data[i] == '\n' {
			f.lines = append(f.lines, fragmentLine{i + 1 - start, i + 1, 0})
		}
	}
	return f
}

// Whole makes a fragment of a source that is YAML from end to end.
func Whole(s *Source) Fragment {
	return Part(s, 0, len(s.Data), s.Pos(0, min(1, len(s.Data))))
}

// A Piece is a line, or what is left of one, in a source.
type Piece struct {
	Text           string
	Start, Padding int // where it begins in the source, behind spaces that the source does not have
}

// Join makes a fragment of lines.
func Join(s *Source, pieces []Piece, whole Pos) Fragment {
	f := Fragment{source: s, Whole: whole}
	var b strings.Builder
	for _, p := range pieces {
		f.lines = append(f.lines, fragmentLine{b.Len(), p.Start, p.Padding})
		b.WriteString(p.Text)
	}
	if f.Text = b.String(); len(f.lines) == 0 {
		f.lines = []fragmentLine{{0, whole.Start, 0}}
	}
	return f
}

// Find is the value that stands at a byte of the text or behind it in running text.
func (f *Fragment) Find(value string, from int) Text {
	from = min(from, len(f.Text))
	t, _ := f.aligned(value, from, from, inProse)
	return t
}

// field is the place of so many bytes at a line and column, which count from 1, the column in bytes.
func (f *Fragment) fieldPos(line, column, length int) Pos {
	if line < 1 || line > len(f.lines) {
		return f.Whole
	}
	start := min(f.lines[line-1].at+column-1, len(f.Text))
	return f.pos(start, min(start+length, len(f.Text)))
}

// line gives the number, counted from 0, of the line of f.text that a byte stands in.
func (f *Fragment) line(at int) int {
	return sort.Search(len(f.lines), func(i int) bool { return f.lines[i].at > at }) - 1
}

// at is where a byte of f.text stands in the source.
func (f *Fragment) at(at int) int {
	l := f.lines[max(f.line(at), 0)]
	return min(max(l.start, l.start+at-l.at-l.extra), len(f.source.Data))
}

// pos is the place of the bytes [start, end) of f.text.
func (f *Fragment) pos(start, end int) Pos {
	at := f.source.Pos(f.at(start), f.at(end))
	at.End = max(at.End, min(at.Start+1, len(f.source.Data)))
	return at
}

// number is the line of the source, counted from 1, that a byte of f.text stands in.
func (f *Fragment) number(at int) int {
	line, _ := f.source.Position(f.at(at))
	return line
}

// offset turns the library's line and column, which count from 1 and in characters, into a byte of f.text. It is quick
// for places that come one after the other.
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

// begin is where the line of a byte begins.
func (f *Fragment) begin(at int) int { return f.lines[max(f.line(at), 0)].at }

// end is where the line of a byte ends, white space at its end left out.
func (f *Fragment) end(at int) int {
	rest, _, _ := strings.Cut(f.Text[min(at, len(f.Text)):], "\n")
	return at + len(strings.TrimRight(rest, " \t\r"))
}

// next is where the line after that of a byte begins.
func (f *Fragment) next(at int) int {
	if i := f.line(at) + 1; i < len(f.lines) {
		return min(f.lines[i].at, len(f.Text))
	}
	return len(f.Text)
}

// blanks skips spaces and tabs.
func (f *Fragment) blanks(at int) int {
	return at + len(f.Text[at:]) - len(strings.TrimLeft(f.Text[at:], " \t"))
}

// aligned makes a Text of a value whose place begins at start and whose characters begin at from, and says where it
// ends. Where the value cannot be found in the text, that is the end of the line.
func (f *Fragment) aligned(value string, start, from int, quoting byte) (t Text, end int) {
	runs, end, ok := align(f.Text, from, value, quoting)
	if !ok {
		return Text{Value: value, Pos: f.pos(start, f.end(start))}, f.end(start)
	}
	var placed []Run
	for _, r := range runs {
		placed = append(placed, f.placed(r)...)
	}
	at := f.at(start)
	return NewText(value, f.source.Pos(at, max(at, f.at(end))), placed), end
}

// placed gives a run, whose start is in f.text, its place in the source: in pieces, if it is on several lines.
func (f *Fragment) placed(r Run) []Run {
	var out []Run
	for i := f.line(r.Start) + 1; r.Width == r.Length && i < len(f.lines) && f.lines[i].at < r.Start+r.Width; i++ {
		n := f.lines[i].at - r.Start
		out = append(out, Run{At: r.At, Length: n, Start: f.at(r.Start), Width: n})
		r = Run{At: r.At + n, Length: r.Length - n, Start: r.Start + n, Width: r.Width - n}
	}
	r.Start = f.at(r.Start)
	return append(out, r)
}

// clean finds the characters that YAML cannot hold. Only the first of a fragment is a problem, and something harmless
// of the same length stands in for each while reading goes on.
func (f *Fragment) clean(problems *Problems) {
	if !utf8.ValidString(f.Text) {
		at := FirstInvalid([]byte(f.Text))
		problems.Add("bad-utf8", f.pos(at, at+1), "this is not UTF-8 from here on").Hint = "save it as UTF-8"
		f.Text = string(ReplaceInvalid([]byte(f.Text)))
	}
	if !strings.ContainsFunc(f.Text, controls) {
		return
	}
	var first *Problem
	found := 0
	var b strings.Builder
	for i, r := range f.Text {
		if !controls(r) || r == '\r' && strings.HasPrefix(f.Text[i+1:], "\n") {
			b.WriteRune(r)
			continue
		}
		if r == '\r' {
			b.WriteByte(' ')
		} else {
			b.WriteString([...]string{1: "?", 2: "¿", 3: "\ufffd"}[utf8.RuneLen(r)])
		}
		if found++; found == 1 {
			first = problems.Add("control-character", f.pos(i, i+utf8.RuneLen(r)),
				"the character U+%04X cannot stand in YAML", r)
			first.Hint = "remove it, or write it as an escape in double quotes: " + escape(r)
			// A key or value is not what was meant.
			if start := strings.LastIndexAny(f.Text[:i], " \t\n[{,") + 1; start < i {
				first.Covers = f.pos(start, i)
			}
		}
	}
	f.Text = b.String()
	switch {
	case found == 2:
		first.Message += "; one more follows"
	case found > 2:
		first.Message += fmt.Sprintf("; %d more follow", found-1)
	}
}

// controls says that a character is not allowed in YAML, or ends a line there and nowhere else.
func controls(r rune) bool {
	switch {
	case r == '\t' || r == '\n':
		return false
	case r < ' ' || r >= 0x7f && r <= 0x9f:
		return true
	}
	return r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}

func escape(r rune) string {
	if r <= 0xff {
		return fmt.Sprintf(`\x%02X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}
