package article

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// Source is a text that values and problems point into: an article, or another file that an article reads.
type Source struct {
	Path  string // as it is shown to people: relative to the project where it can be
	Data  []byte
	lines []int // offset of the first byte of each line
}

// NewSource makes a Source of a file's contents.
func NewSource(path string, data []byte) *Source {
	s := &Source{Path: path, Data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
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

// Pos is a stretch of a source, by bytes: [Start, End).
type Pos struct {
	Source     *Source
	Start, End int
}

// Within is the part of p from start to end, counted from p's own start.
func (p Pos) Within(start, end int) Pos {
	limit := p.End - p.Start
	start = min(max(start, 0), limit)
	return Pos{p.Source, p.Start + start, p.Start + min(max(end, start), limit)}
}

// Text is a word or phrase that an author wrote, with its place. Scalars of YAML are read as they are written, not
// as YAML's types: 3.10 stays "3.10".
type Text struct {
	Value string
	Pos   Pos
	// verbatim says that Value stands in the source just as it is, so that an offset in Value is one in Pos; lead is
	// the length of an opening quote.
	verbatim bool
	lead     int
}

// At is the place of the bytes [start, end) of t.Value, or of all of t where quotes or folding hide it.
func (t Text) At(start, end int) Pos {
	if !t.verbatim {
		return t.Pos
	}
	return t.Pos.Within(t.lead+start, t.lead+max(end, start+1))
}

// IsZero says that nothing was written.
func (t Text) IsZero() bool { return t.Value == "" && t.Pos.Source == nil }
