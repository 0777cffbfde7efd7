// Package source reads the texts that people write: places in them, the problems found there, and YAML.
//
// A Text remembers where each piece of its value was written. Problems are collected, so that all of them are reported
// at once, and shown with an excerpt of the line they are about. YAML becomes nodes with places; their scalars are read
// as they are written, not as YAML's types. A syntax error is the library's, with a hint; text that YAML accepts and its
// author probably did not mean is a problem, too.
package source

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// Source is a text that values and problems point into: an article, or another file that an article reads.
type Source struct {
	Path  string // as it is shown to people: relative to the project where it can be
	Data  []byte
	lines []int // offset of the first byte of each line
}

// NewSource makes a Source of a file's contents.
//
// A byte order mark at its beginning is left out of Data: editors hide it, so it is no column to people.
func New(path string, data []byte) *Source {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	s := &Source{Path: path, Data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' && len(s.lines) <= maxLines { // a text with more is not read, but it may have 10 million of them
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Position gives the line and column of a byte, both counted from 1, columns in characters.
func (s *Source) Position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s.Data))
	line = sort.SearchInts(s.lines, offset+1)
	return line, utf8.RuneCount(s.Data[s.lines[line-1]:offset]) + 1
}

// Line is the text of a line counted from 1, without its end.
func (s *Source) Line(line int) []byte {
	if line < 1 || line > len(s.lines) {
		return nil
	}
	end := len(s.Data)
	if line < len(s.lines) {
		end = s.lines[line] - 1
	}
	return bytes.TrimSuffix(s.Data[s.lines[line-1]:end], []byte("\r"))
}

// IsUTF16 says that a text begins as editors of Windows write it: with a mark of the order of bytes, or every other of
// them zero.
func IsUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	return len(data) >= 4 && (data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0 ||
		data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0)
}

// FirstInvalid is where the first byte that is not UTF-8 stands; the end if there is none.
func FirstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// ReplaceInvalid puts a question mark for each byte that is not UTF-8, so that offsets stay; where one would stand
// alone, which means something to YAML, it is a letter.
func ReplaceInvalid(data []byte) []byte {
	out := bytes.Clone(data)
	for i := 0; i < len(out); {
		r, n := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && n == 1 {
			out[i] = '?'
			if len(bytes.TrimSpace(out[max(i-1, 0):min(i+2, len(out))])) == 1 {
				out[i] = 'x'
			}
		}
		i += n
	}
	return out
}

// Pos is a stretch of a source, by bytes: [Start, End).
type Pos struct {
	Source     *Source
	Start, End int
}

// Pos is the place of the bytes [start, end) of s.
func (s *Source) Pos(start, end int) Pos { return Pos{s, start, end} }

// Within is the part of p from start to end, counted from p's own start.
func (p Pos) Within(start, end int) Pos {
	limit := p.End - p.Start
	start = min(max(start, 0), limit)
	return Pos{p.Source, p.Start + start, p.Start + min(max(end, start), limit)}
}

// In says that p begins within q.
func (p Pos) In(q Pos) bool {
	return p.Source == q.Source && p.Start >= q.Start && p.Start <= q.End
}

// Text is a word or phrase that an author wrote, with its place. Scalars of YAML are read as they are written, not
// as YAML's types: 3.10 stays "3.10".
type Text struct {
	Value string
	Pos   Pos
	// offsets tells where the pieces of the value stand; nil if that is not known.
	offsets *offsets
}

// At is the place of the bytes [start, end) of t.Value: exactly, through quotes, escapes and folded lines, or that of
// all of t where the value is not what was written, such as a template filled in.
func (t Text) At(start, end int) Pos {
	if t.offsets == nil || t.offsets.value != t.Value {
		return t.Pos
	}
	start = min(max(start, 0), len(t.Value))
	end = min(max(end, start+1), len(t.Value))
	at := Pos{Source: t.Pos.Source, Start: t.offsets.start(start)}
	at.End = max(at.Start, t.offsets.end(end))
	return at
}

// lineEnds makes one line of several, of the same length.
var lineEnds = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// OneLine is a text that is shown in one line, however it was written: terminals, feeds and titles of pages have no
// room for more.
func (t Text) OneLine() Text {
	value := strings.TrimRight(lineEnds.Replace(t.Value), " ")
	if value == t.Value {
		return t
	}
	out := t.Part(0, len(value))
	out.Value, out.Pos = value, t.Pos
	if out.offsets != nil {
		out.offsets.value = value
	}
	return out
}

// Part is the bytes [start, end) of t.Value, with their places.
func (t Text) Part(start, end int) Text {
	out := Text{Value: t.Value[start:end], Pos: t.At(start, end)}
	if t.offsets != nil && t.offsets.value == t.Value {
		out.offsets = &offsets{value: out.Value}
		for _, r := range t.offsets.runs {
			if r.At < end && r.At+r.Length > start {
				r.At -= start
				out.offsets.runs = append(out.offsets.runs, r)
			}
		}
		if len(out.offsets.runs) == 0 {
			out.offsets = nil
		}
	}
	return out
}

// IsZero says that nothing was written.
func (t Text) IsZero() bool { return t.Value == "" && t.Pos.Source == nil }

// offsets tells where in a source the pieces of a scalar's value stand, whatever quotes, escapes and folded lines lie
// between them.
type offsets struct {
	value string
	runs  []Run // by At; together they hold all of value
}

// A Run is a piece of a value with its place: byte for byte where both are equally long, else one that cannot be
// divided, such as an escape or a folded line break.
type Run struct {
	At, Length   int // in the value
	Start, Width int // in the source
}

// NewText makes a text whose pieces stand where runs say. They are in the order of the value and hold all of it; none
// means that only the place of the whole is known.
func NewText(value string, at Pos, runs []Run) Text {
	t := Text{Value: value, Pos: at}
	if len(runs) > 0 {
		t.offsets = &offsets{value, runs}
	}
	return t
}

// runAt gives the run that holds a byte of the value.
func (o *offsets) runAt(at int) Run {
	i := sort.Search(len(o.runs), func(i int) bool { return o.runs[i].At > at })
	return o.runs[max(i-1, 0)]
}

// start is where a byte of the value begins; one beyond its end is where the last one ends.
func (o *offsets) start(at int) int {
	switch r := o.runAt(at); {
	case at >= r.At+r.Length:
		return r.Start + r.Width
	case r.Width == r.Length:
		return r.Start + at - r.At
	default:
		return r.Start
	}
}

// end is where the byte before at ends.
func (o *offsets) end(at int) int {
	r := o.runAt(max(at-1, 0))
	if r.Width == r.Length {
		return r.Start + at - r.At
	}
	return r.Start + r.Width
}
