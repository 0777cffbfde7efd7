package article

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/text"
	"gopkg.in/yaml.v3"

	"benchbook/notebook/source"
)

// A fragment is a piece of YAML inside a source: the lines of a fence, a front matter, or a whole file. Where a fence
// stands inside a list or a quotation, what Markdown takes away before its lines is no part of the text.
type fragment struct {
	source *source.Source
	text   string
	lines  []fragmentLine
	whole  source.Pos // where a problem stands that concerns all of it
	ascii  bool       // each character, in the source too, is known to be one byte

	marks []mark // made when they are needed, of a text that does not change any more
}

// A mark is a place up to which the characters of a line were counted.
type mark struct {
	line       int // in the fragment, from 0
	text, from int // bytes of the fragment's text, and of the source
	characters int
}

// markDistance is how many characters lie between the marks of a line.
const markDistance = 256

// fragmentLine says where a line of a fragment comes from.
type fragmentLine struct {
	at    int // of its first byte in the fragment's text
	start int // of its first byte in the source
	extra int // spaces before it that the source does not have: what is left of a tab that Markdown cut
}

// part makes a fragment of the bytes [start, end) of a source.
func part(s *source.Source, start, end int, whole source.Pos) fragment {
	f := fragment{source: s, text: string(s.Data[start:end]), whole: whole}
	f.lines = []fragmentLine{{0, start, 0}}
	for i := start; i < end; i++ {
		if s.Data[i] == '\n' {
			f.lines = append(f.lines, fragmentLine{i + 1 - start, i + 1, 0})
		}
	}
	return f
}

// wholeFile makes a fragment of a source that is YAML from end to end.
func wholeFile(s *source.Source) fragment {
	return part(s, 0, len(s.Data), s.Pos(0, min(1, len(s.Data))))
}

// fence makes a fragment of the lines of a fenced block; shown is the text that goldmark parsed.
func fence(s *source.Source, shown []byte, lines *text.Segments, whole source.Pos) fragment {
	f := fragment{source: s, whole: whole}
	var b strings.Builder
	for i := range lines.Len() {
		line := lines.At(i)
		f.lines = append(f.lines, fragmentLine{b.Len(), line.Start, line.Padding})
		b.Write(line.Value(shown))
	}
	f.text = b.String()
	if len(f.lines) == 0 {
		f.lines = []fragmentLine{{0, whole.Start, 0}}
	}
	return f
}

// line gives the number, counted from 0, of the line of f.text that a byte stands in.
func (f *fragment) line(at int) int {
	return sort.Search(len(f.lines), func(i int) bool { return f.lines[i].at > at }) - 1
}

// at is where a byte of f.text stands in the source. Characters are counted rather than bytes, since f.text may have
// been mended.
func (f *fragment) at(at int) int {
	at = min(at, len(f.text))
	if f.ascii {
		l := f.lines[max(f.line(at), 0)]
		return max(l.start, l.start+at-l.at-l.extra)
	}
	m := f.mark(func(m mark) bool { return m.text <= at })
	for m.text < at {
		f.step(&m)
	}
	return m.from
}

// step goes on by one character.
func (f *fragment) step(m *mark) {
	_, size := utf8.DecodeRuneInString(f.text[m.text:])
	m.text += size
	if m.characters >= f.lines[m.line].extra && m.from < len(f.source.Data) {
		_, size := utf8.DecodeRune(f.source.Data[m.from:])
		m.from += size
	}
	m.characters++
}

// mark gives the last one for which before holds, which has to hold for the first ones and for no others.
func (f *fragment) mark(before func(mark) bool) mark {
	if f.marks == nil {
		for i, l := range f.lines {
			end := len(f.text)
			if i+1 < len(f.lines) {
				end = min(end, f.lines[i+1].at)
			}
			m := mark{line: i, text: min(l.at, end), from: l.start}
			for f.marks = append(f.marks, m); m.text < end; {
				if f.step(&m); m.characters%markDistance == 0 {
					f.marks = append(f.marks, m)
				}
			}
		}
	}
	i := sort.Search(len(f.marks), func(i int) bool { return !before(f.marks[i]) })
	return f.marks[max(i-1, 0)]
}

// pos is the place of the bytes [start, end) of f.text.
func (f *fragment) pos(start, end int) source.Pos {
	at := f.source.Pos(f.at(start), f.at(end))
	at.End = max(at.End, min(at.Start+1, len(f.source.Data)))
	return at
}

// number is the line of the source, counted from 1, that a byte of f.text stands in.
func (f *fragment) number(at int) int {
	line, _ := f.source.Position(f.at(at))
	return line
}

// offset turns the library's line and column, which count from 1 and in characters, into a byte of f.text.
func (f *fragment) offset(line, column int) int {
	line = min(max(line, 1), len(f.lines))
	at := f.lines[line-1].at
	if f.ascii {
		return min(at+max(column, 1)-1, len(f.text))
	}
	m := f.mark(func(m mark) bool { return m.line < line-1 || m.line == line-1 && m.characters < column })
	for m.characters+1 < column && m.text < len(f.text) && f.text[m.text] != '\n' {
		f.step(&m)
	}
	return m.text
}

// aligned makes a Text of a value whose place begins at start and whose characters begin at from. It ends where the
// value does, or, if the value cannot be found in the text, at end.
func (f *fragment) aligned(value string, start, end, from int, quoting byte) source.Text {
	runs, stop, ok := align(f.text, from, value, quoting)
	if !ok {
		return source.Text{Value: value, Pos: f.pos(start, start+len(strings.TrimRight(f.text[start:end], " \t\r")))}
	}
	at := source.Pos{Source: f.source, Start: f.at(start)}
	at.End = max(at.Start, f.at(stop))
	var placed []source.Run
	for _, r := range runs {
		placed = append(placed, f.placed(r)...)
	}
	return source.NewText(value, at, placed)
}

// placed gives a run, whose start is in f.text, its place in the source: in pieces, if it is on several lines.
func (f *fragment) placed(r source.Run) []source.Run {
	var out []source.Run
	for i := f.line(r.Start) + 1; r.Width == r.Length && i < len(f.lines) && f.lines[i].at < r.Start+r.Width; i++ {
		n := f.lines[i].at - r.Start
		out = append(out, source.Run{At: r.At, Length: n, Start: f.at(r.Start), Width: n})
		r = source.Run{At: r.At + n, Length: r.Length - n, Start: r.Start + n, Width: r.Width - n}
	}
	at := f.at(r.Start)
	if end := at + r.Width; end > len(f.source.Data) || string(f.source.Data[at:end]) != f.text[r.Start:r.Start+r.Width] {
		r.Width = f.at(r.Start+r.Width) - at // of characters that were replaced
	}
	return append(out, source.Run{At: r.At, Length: r.Length, Start: at, Width: r.Width})
}

// inlineText is a value in running text: what the segments of the article hold from a byte of theirs on.
func inlineText(s *source.Source, segments []text.Segment, from int, value string) source.Text {
	f := fragment{source: s}
	for _, segment := range segments {
		f.lines = append(f.lines, fragmentLine{len(f.text), segment.Start, segment.Padding})
		f.text += string(segment.Value(s.Data))
	}
	from = min(from, len(f.text))
	return f.aligned(value, from, len(f.text), from, inProse)
}

// replace changes the text from p on, character for character, so that all places stay.
func (f *fragment) replace(p int, old, new string) {
	f.text = f.text[:p] + new + f.text[p+len(old):]
	f.marks = nil
	for i := f.line(p) + 1; i < len(f.lines); i++ {
		f.lines[i].at += len(new) - len(old)
	}
}

// clean finds the characters that YAML cannot hold. Only the first of a fragment is a problem, and something harmless
// stands in for each while reading goes on.
func (f *fragment) clean(problems *source.Problems) {
	if !utf8.ValidString(f.text) {
		at := source.FirstInvalid([]byte(f.text))
		problems.Add("bad-utf8", f.pos(at, at+1), "this is not UTF-8 from here on").Hint = "save it as UTF-8"
		f.text = string(source.ReplaceInvalid([]byte(f.text)))
	}
	if !strings.ContainsFunc(f.text, controls) {
		return
	}
	var first *source.Problem
	found, line := 0, 0
	var b strings.Builder
	for i, r := range f.text + "\n" {
		for ; line < len(f.lines) && f.lines[line].at <= i; line++ {
			f.lines[line].at = b.Len()
		}
		switch {
		case i == len(f.text):
			continue
		case !controls(r) || r == '\r' && strings.HasPrefix(f.text[i+1:], "\n"):
			b.WriteRune(r)
			continue
		case r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			b.WriteByte(' ') // not the line end that the library would see, and nobody else
		default:
			b.WriteRune(utf8.RuneError)
		}
		if found++; found == 1 {
			first = problems.Add("control-character", f.pos(i, i+utf8.RuneLen(r)), "the character U+%04X cannot stand in YAML", r)
			first.Hint = "remove it, or write it as an escape in double quotes: " + escape(r)
			if start := strings.LastIndexAny(f.text[:i], " \t\n[{,") + 1; start < i { // a key or value is not what was meant
				first.Covers = f.pos(start, i)
			}
		}
	}
	f.text = b.String()
	f.marks = nil
	switch found {
	case 0, 1:
	case 2:
		first.Message += "; one more follows"
	default:
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

// maxYAML bounds one block or file of YAML, in bytes; see maxText.
const maxYAML = 250_000

// parseYAML reads a fragment. Problems get their place in the source; the result is nil if it is not YAML, and an
// empty mapping if there is nothing in it.
//
// Where YAML would read something else than what was meant, and what was meant is plain to see, the problem is
// reported and reading goes on with what was meant, so that other problems come to light at the same time.
func parseYAML(f fragment, problems *source.Problems) *Node {
	var found source.Problems
	defer func() { problems.Merge(&found) }()
	if len(f.text) > maxYAML {
		found.Add("yaml-too-large", f.whole, "this is %d bytes of YAML, and may be %d", len(f.text), maxYAML).
			Hint = "divide it, or move rows to a CSV file"
		return nil
	}
	f.ascii = isASCII(f.text)
	f.clean(&found)
	f.ascii = f.ascii && isASCII(f.text)
	s := scanner{fragment: &f, end: len(f.text)}
	s.scan()
	doc, err := unmarshal(f.text[:s.end])
	traps := s.caught(err != nil)
	for _, t := range traps {
		p := found.Add(t.rule, f.pos(t.start, t.end), "%s", t.message)
		p.Hint = t.hint
		if len(t.meant) > 0 && t.rule == "quote-this" {
			p.Covers = f.pos(t.meant[0].at, max(t.meant[0].end, t.end))
		}
	}
	f.text = f.text[:s.end]
	mended, meant := &f, map[int]meaning{}
	if len(traps) > 0 {
		mended = &fragment{source: f.source, whole: f.whole, ascii: f.ascii}
		mended.text, mended.lines, meant = mend(&f, traps)
		doc, err = unmarshal(mended.text)
	}
	if err != nil {
		if found.Empty() {
			at, message := f.syntaxError(err)
			found.Add("yaml-syntax", at, "this is not YAML: %s", message)
		}
		return nil
	}
	if len(doc.Content) == 0 {
		return &Node{Kind: Map, Text: source.Text{Pos: f.whole}}
	}
	c := converter{fragment: &f, mended: mended, problems: &found, meant: meant}
	n := c.node(doc.Content[0])
	if c.made > maxNodes {
		if found.Empty() {
			found.Add("yaml-too-large", f.whole, "the block has more than %d values", maxNodes).Hint = "divide it, or move rows to a file"
		}
		return nil
	}
	return n
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unmarshal reads YAML, all of it, without giving its values any types.
func unmarshal(text string) (*yaml.Node, error) {
	var doc, rest yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&doc); err != nil && err != io.EOF {
		return nil, err
	}
	switch err := d.Decode(&rest); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second document begins here", rest.Line)
	case err != io.EOF:
		return nil, err
	}
	return &doc, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError finds the place that the library's message names; where it names none, the fragment's first line. It is
// for what the scanner knows nothing of.
func (f *fragment) syntaxError(err error) (source.Pos, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	var types *yaml.TypeError
	if errors.As(err, &types) && len(types.Errors) > 0 {
		message = types.Errors[0]
	}
	line := 1
	if m := yamlLine.FindStringSubmatchIndex(message); m != nil {
		line, _ = strconv.Atoi(message[m[2]:m[3]])
		message = message[:m[0]] + message[m[1]:]
		if strings.HasPrefix(message, "did not find expected") {
			line++ // the library's parser, unlike its scanner, counts lines from 0
		}
	}
	line = min(max(line, 1), len(f.lines))
	start := f.lines[line-1].at
	end := start + len(strings.TrimRight(f.lineText(start), " \t\r"))
	for start < end && (f.text[start] == ' ' || f.text[start] == '\t') {
		start++
	}
	return f.pos(start, end), message
}

// lineText is the rest, without its end, of the line that a byte stands in.
func (f *fragment) lineText(at int) string {
	at = min(at, len(f.text))
	end := len(f.text)
	if i := f.line(at) + 1; i < len(f.lines) {
		end = min(end, f.lines[i].at)
	}
	return strings.TrimSuffix(f.text[at:end], "\n")
}
