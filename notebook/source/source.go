// Package source reads texts that people write: it has places in them, the problems found there, and YAML and CSV.
//
// Problems are collected, so that all are reported at once, and shown with an excerpt of their line. YAML becomes nodes
// with places; scalars are read as written, not as YAML's types. Syntax errors are those of the library, with hints.
// Valid YAML that its author probably did not mean is a problem, too; such a block is not read further.
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
	Path  string // for messages: relative to the project if possible
	Data  []byte
	lines []int // offset of the first byte of each line
}

// New returns a Source with a file's contents, without a byte order mark: editors hide it, so people do not count it.
func New(path string, data []byte) *Source {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	s := &Source{Path: path, Data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' && len(s.lines) <= maxLines { // Fits refuses texts with more, which may be 10 million
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Position returns the line and column of a byte, both from 1; columns are in characters.
func (s *Source) Position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s.Data))
	line = sort.SearchInts(s.lines, offset+1)
	return line, utf8.RuneCount(s.Data[s.lines[line-1]:offset]) + 1
}

// Line returns a line, counted from 1, without its end.
func (s *Source) Line(line int) []byte {
	text, _, _ := bytes.Cut(s.Data[s.lines[line-1]:], []byte("\n"))
	return bytes.TrimSuffix(text, []byte("\r"))
}

// Pos is a stretch of a source, by bytes: [Start, End).
type Pos struct {
	Source     *Source
	Start, End int
}

// Pos returns the place of the bytes [start, end) of s.
func (s *Source) Pos(start, end int) Pos { return Pos{s, start, end} }

// Within returns the part of p from start to end, relative to p.Start.
func (p Pos) Within(start, end int) Pos {
	limit := p.End - p.Start
	start = min(max(start, 0), limit)
	return Pos{p.Source, p.Start + start, p.Start + min(max(end, start), limit)}
}

// In reports whether p begins within q.
func (p Pos) In(q Pos) bool {
	return p.Source == q.Source && p.Start >= q.Start && p.Start <= q.End
}

// Text is a word or phrase that an author wrote, with its place. YAML scalars are read as written: 3.10 stays "3.10".
type Text struct {
	Value string
	Pos   Pos
}

// At returns the place of the bytes [start, end) of t.Value. It is the place of all of t if the bytes are not found in
// the source as they are: because of escapes, line breaks or templates.
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

// lineEnds replaces white space by spaces, so that a text becomes one line of the same length.
var lineEnds = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// OneLine returns t for places that show a single line: terminals, feeds and titles of pages.
func (t Text) OneLine() Text {
	return Text{strings.TrimRight(lineEnds.Replace(t.Value), " "), t.Pos}
}

// Part returns the bytes [start, end) of t.Value with their place.
func (t Text) Part(start, end int) Text { return Text{t.Value[start:end], t.At(start, end)} }

// IsZero reports whether nothing was written.
func (t Text) IsZero() bool { return t.Value == "" && t.Pos.Source == nil }

// Bounds of a text. They are far above what people write, and keep parsers of hostile text below 200 MB and a second.
const (
	maxText  = 1_000_000     // bytes
	maxRead  = 100 * maxText // bytes that are read of a larger file, to report its size
	maxLines = 100_000
	maxLine  = 100_000 // bytes
)

// Read reads a file; shown is its path in problems. It adds a problem and returns false if the file cannot be read, is
// far too large, or is not a regular file: a pipe may never end.
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

// Fits reports whether a text is UTF-8 and small enough to be parsed, and adds a problem if not.
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

// isUTF16 reports whether a text begins like UTF-16 of Windows editors: with a byte order mark, or every other byte
// zero.
func isUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	return len(data) >= 4 && (data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0 ||
		data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0)
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or len(data).
func firstInvalid(data []byte) int {
	for i, r := range string(data) {
		if r == utf8.RuneError && !bytes.HasPrefix(data[i:], []byte("\ufffd")) {
			return i
		}
	}
	return len(data)
}
