// Package source reads the texts that people write: places in them, the problems found there, and YAML.
//
// Problems are collected, so that all of them are reported at once, and shown with an excerpt of their line. YAML
// becomes nodes with places; their scalars are read as they are written, not as YAML's types. A syntax error is the
// library's, with a hint; text that YAML accepts and its author probably did not mean is a problem, too. A block of
// YAML with such a problem is not read further.
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

// New makes a Source of a file's contents. A byte order mark at the beginning is left out of Data: editors hide it, so
// people do not count it as a column.
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

// Position returns the line and column of a byte, both counted from 1, columns in characters.
func (s *Source) Position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s.Data))
	line = sort.SearchInts(s.lines, offset+1)
	return line, utf8.RuneCount(s.Data[s.lines[line-1]:offset]) + 1
}

// Line returns a line counted from 1, without its end.
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

// In reports whether p begins within q.
func (p Pos) In(q Pos) bool {
	return p.Source == q.Source && p.Start >= q.Start && p.Start <= q.End
}

// Text is a word or phrase that an author wrote, with its place. Scalars of YAML are read as they are written, not
// as YAML's types: 3.10 stays "3.10".
type Text struct {
	Value string
	Pos   Pos
}

// At is the place of the bytes [start, end) of t.Value. Where the piece is written otherwise, with escapes or over
// several lines, or where a template was filled in, it is the place of all of t.
func (t Text) At(start, end int) Pos {
	if t.Pos.Source == nil || t.Value == "" {
		return t.Pos
	}
	start = min(max(start, 0), len(t.Value))
	end = min(max(end, start+1), len(t.Value))
	limit := len(t.Pos.Source.Data)
	written := string(t.Pos.Source.Data[min(t.Pos.Start, limit):min(t.Pos.End, limit)])
	if i := strings.Index(written, t.Value); i >= 0 {
		return t.Pos.Within(i+start, i+end)
	}
	piece := t.Value[start:end]
	if strings.Contains(written, "${{") && !strings.Contains(t.Value, "${{") {
		return t.Pos
	}
	if piece == "" {
		return Pos{t.Pos.Source, t.Pos.End, t.Pos.End}
	}
	at := 0
	for range strings.Count(t.Value[:start], piece) + 1 {
		i := strings.Index(written[at:], piece)
		if i < 0 {
			return t.Pos
		}
		at += i + len(piece)
	}
	return t.Pos.Within(at-len(piece), at)
}

// lineEnds makes one line of several, of the same length.
var lineEnds = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// OneLine is t for places that show one line: terminals, feeds and titles of pages.
func (t Text) OneLine() Text {
	return Text{strings.TrimRight(lineEnds.Replace(t.Value), " "), t.Pos}
}

// Part is the bytes [start, end) of t.Value, with their place.
func (t Text) Part(start, end int) Text { return Text{t.Value[start:end], t.At(start, end)} }

// IsZero reports whether nothing was written.
func (t Text) IsZero() bool { return t.Value == "" && t.Pos.Source == nil }
