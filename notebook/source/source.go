// Package source reads the texts that people write: places in them, the problems found there, and YAML.
//
// Problems are collected, so that all of them are reported at once, and shown with an excerpt of their line. YAML
// becomes nodes with places; their scalars are read as they are written, not as YAML's types. A syntax error is the
// library's, with a hint; text that YAML accepts and its author probably did not mean is a problem, too. A block of
// YAML with such a problem is not read further.
package source

import (
	"bytes"
	"errors"
	"sort"
	"strings"
	"unicode/utf8"

	"benchbook/internal/files"
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

// Line returns a line of Position without its end.
func (s *Source) Line(line int) []byte {
	text, _, _ := bytes.Cut(s.Data[s.lines[line-1]:], []byte("\n"))
	return bytes.TrimSuffix(text, []byte("\r"))
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

// Bounds of a text that is read. They are far above what people write, and keep what parsers make of a hostile text
// under 200 MB and a second.
const (
	maxText  = 1_000_000     // bytes
	maxRead  = 100 * maxText // bytes of a file that is read at all, to say by how much it is too large
	maxLines = 100_000
	maxLine  = 100_000 // bytes
)

// Read reads a text from a file, which is shown to people by another path. It is false, which is a problem, for a pipe
// or the like, which could never end, for a file that cannot be read, and for one that is far too large.
func Read(file, shown string, problems *Problems) (*Source, bool) {
	source := New(shown, nil)
	data, _, err := files.Read(file, maxRead)
	if large, ok := errors.AsType[*files.TooLargeError](err); ok {
		tooLarge(Pos{Source: source}, max(large.Size, large.Most+1), problems)
		return source, false
	}
	if err != nil {
		problems.Add("not-a-file", Pos{Source: source}, "the file cannot be read: %s", files.Reason(err)).
			Hint = "replace it with a file that you can read"
		return source, false
	}
	return New(shown, data), true
}

func tooLarge(at Pos, size int64, problems *Problems) {
	problems.Add("too-large", at, "the file has %d bytes; the limit is %d", size, maxText).Hint = divide
}

const divide = "divide it, or put data into files that images are built from"

// Fits reports whether a text is UTF-8 and small enough to be read; another one is a problem.
func Fits(s *Source, problems *Problems) bool {
	before := problems.Found()
	switch {
	case len(s.Data) > maxText:
		tooLarge(s.Pos(0, 1), int64(len(s.Data)), problems)
	case len(s.lines) > maxLines:
		at := s.lines[maxLines-1]
		problems.Add("too-large", s.Pos(at, at+1), "the file has more than %d lines", maxLines).Hint = divide
	case isUTF16(s.Data):
		problems.Add("bad-utf8", s.Pos(0, 2), "the file is UTF-16").Hint = "save it as UTF-8"
	case !utf8.Valid(s.Data):
		invalid := firstInvalid(s.Data)
		problems.Add("bad-utf8", s.Pos(invalid, invalid+1), "the file is not UTF-8 from here on").Hint = "save it as UTF-8"
	default:
		start := 0
		for line := range bytes.Lines(s.Data) {
			if len(line) > maxLine {
				problems.Add("too-large", s.Pos(start, start+1), "the line has %d bytes; the limit is %d", len(line), maxLine).
					Hint = "break it into several lines"
				break
			}
			start += len(line)
		}
	}
	return problems.Found() == before
}

// isUTF16 reports whether a text begins as editors of Windows write it: with a mark of the order of bytes, or every
// other byte zero.
func isUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	return len(data) >= 4 && (data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0 ||
		data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0)
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or the length of valid data.
func firstInvalid(data []byte) int {
	for i, r := range string(data) {
		if r == utf8.RuneError && !bytes.HasPrefix(data[i:], []byte("\ufffd")) {
			return i
		}
	}
	return len(data)
}
