package source

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxYAML bounds one block or file of YAML, in bytes, and maxNodes what aliases can blow it up to.
const (
	maxYAML  = 250_000
	maxNodes = 50_000
)

// Parse reads a fragment. Problems get their place in the source; the result is nil if it is not YAML, and an
// empty mapping if there is nothing in it.
func Parse(f Fragment, problems *Problems) *Node {
	var found Problems
	defer func() { problems.Merge(&found) }()
	if len(f.Text) > maxYAML {
		found.Add("yaml-too-large", f.Whole, "this YAML has %d bytes; the limit is %d", len(f.Text), maxYAML).
			Hint = "divide it, or move rows to a CSV file"
		return nil
	}
	f.clean(&found)
	reader := &byteReader{text: f.Text}
	doc, err := decodeYAML(reader)
	if err != nil {
		f.syntaxError(err, reader.at, &found)
		return nil
	}
	if len(doc.Content) == 0 {
		return &Node{Kind: Map, Text: Text{Pos: f.Whole}}
	}
	c := converter{fragment: &f, problems: &found}
	c.findRepeated(doc)
	n := c.node(doc.Content[0], context{})
	if c.made > maxNodes {
		if found.Empty() {
			found.Add("yaml-too-large", f.Whole, "the block has more than %d values", maxNodes).
				Hint = "divide it, or move rows to a file"
		}
		return nil
	}
	if c.lost {
		return nil
	}
	return n
}

// decodeYAML reads YAML to its end, without giving its values any types.
func decodeYAML(r io.Reader) (*yaml.Node, error) {
	var doc, rest yaml.Node
	d := yaml.NewDecoder(r)
	if err := d.Decode(&doc); err != nil && err != io.EOF {
		return nil, err
	}
	switch err := d.Decode(&rest); {
	case err == nil:
		return nil, fmt.Errorf("yaml: line %d: second document", rest.Line)
	case err != io.EOF:
		return nil, err
	}
	return &doc, nil
}

// maxMatched bounds how much of a line is matched with patterns of errors, in bytes.
const maxMatched = 2000

// byteReader gives a text byte by byte, so that it knows how far the library has read when it fails.
type byteReader struct {
	text string
	at   int
}

// Read gives the next byte.
func (r *byteReader) Read(p []byte) (int, error) {
	if r.at == len(r.text) {
		return 0, io.EOF
	}
	r.at++
	return copy(p, r.text[r.at-1:r.at]), nil
}

// Where an error is: how far the library has read, its line, the line after it (its parser counts from 0), or one that
// is at fault above it.
const (
	atReader = iota
	atLine
	afterLine
	atLineOrAbove
	atReaderOrAbove
)

type syntaxError struct {
	err, line     *regexp.Regexp
	place         int
	message, hint string
}

// syntaxErrors are the library's errors in plain words. The first row counts whose pattern matches the error, and whose
// pattern of the line at fault matches that line; $1 and $2 are what the latter found, LINE where the
// library gave up.
var syntaxErrors = []syntaxError{
	{rx("."), rx(`^ *-? *\t`), atReader, "YAML cannot be indented with tabs", "use spaces"},
	{rx("."), rx(`^[ -]*([\pL_][\pL\d_.-]*):([^\s/:\\].*)$`), atLineOrAbove, "a key's colon needs a space behind it",
		"write $1: $2"},
	{rx("."), rx(`[\[{,] *,`), atReader, "nothing stands before a comma", "remove it"},
	{rx("."), rx(`: +\{\{`), atLine, `"{{" means a mapping inside a mapping to YAML`,
		"put the value in quotes; our templates begin with ${{"},
	{rx("."), rx("(?:^ *- +|: +)([@`%\\]},])"), atLine, `a value cannot begin with "$1"`, inQuotes},
	{rx("expected|any token"), rx(`[\[{].*[\w$]\{`), atReaderOrAbove, `a value inside [ ] or { } cannot hold "{"`, inQuotes},
	{rx("expected|any token"), rx(`[\[{].*(?:[\[{,]|: ) *([|>?])`), atReader,
		`a value inside [ ] or { } cannot begin with "$1"`, inQuotes},
	{rx("any token"), rx("(?:^|[ ,\\[{])([@`%])"), atLine, `a value cannot begin with "$1"`, inQuotes},
	{rx("alphabetic or numeric"), rx(`(?:^|[ ,\[{])([*&])`), atLine,
		`"$1" at the beginning means an alias or an anchor to YAML`, inQuotes},
	{rx("unknown escape|hexdecimal|Unicode character"), rx(`"[^"]*?(\\[^"\\nrt])`), atLine, `"$1" is not a YAML escape`,
		"write the value in single quotes"},
	{rx("expected"), rx(`(?:^ *- +|: +)(?:"[^"]*"|'[^']*') *[^\s#,\]}]`), atReaderOrAbove,
		"the value goes on behind its closing quote", "put the whole value in the other kind of quotes"},
	{rx("comment or line break|chomping|indentation indicator"), rx("([|>])"), atLine,
		`"$1" at the beginning means a block of text to YAML`, inQuotes},
	{rx("unexpected end of stream|document indicator"), rx("."), atLine, "this quote is never closed", closeQuote},
	{rx("expected key|mapping values"), rx(`(?:^ *- |: +)(?:"[^"]*|'[^']*)$`), atLineOrAbove, "this quote is never closed",
		closeQuote},
	{rx("expected (key|'-')"), rx(`(?:^ *- +|: +)[\[{].*[\]}] *[^\s#]`), atReader,
		"the value goes on behind its closing bracket", inQuotes},
	{rx("block sequence"), rx(`: +- `), atLine, `"-" at the beginning means a list item to YAML`, inQuotes},
	{rx("mapping values"), rx(`(?:: |^ *- ).*:( |$)`), atLine, `": " inside a value means a key to YAML`, inQuotes},
	{rx("mapping values"), rx("."), atLine, "a key cannot stand here: the line above has its value already",
		"indent the line like the ones above, or put the whole value in quotes"},
	{rx("expected ':'"), rx("."), atLine, "this line has no colon", "write key: value"},
	{rx("node content"), rx(`[\[{] *(?:#.*)?$`), atLine, "a bracket that begins here is not closed", "close it"},
	{rx("expected ',' or"), rx("."), afterLine,
		"a bracket that begins here is not closed, or a comma is missing, before line LINE",
		"close it, and put a comma between values; put a value with [ ] { } : or , in quotes"},
	{rx("document start"), rx("."), atReader, "this line is indented less than the first one, or begins a second document",
		"indent it like the first one, and keep one document to a block"},
	{rx("second document"), rx("."), atLine, "a second document begins here", "keep one document to a block"},
	{rx("'-' indicator"), rx("."), atReader, "a key cannot stand beside list items",
		"put a dash before it, or indent it like the keys of the item above"},
	{rx("."), rx("^ *- "), atReader, "a list item cannot stand here",
		"indent it like the other items, or put a key above it"},
	{rx("."), rx("."), atReader, "this line does not fit the lines above", "indent it like the ones above"},
}

const (
	inQuotes   = "put the whole value in quotes"
	closeQuote = "close it, or put the value in the other kind of quotes"
)

func rx(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

var (
	yamlLine      = rx(`line (\d+): `)
	unknownAnchor = rx(`unknown anchor '([^']*)' referenced`)
)

// syntaxError reports an error of the library, which has read the text up to a byte.
func (f *Fragment) syntaxError(err error, reached int, problems *Problems) {
	if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
		at := max(strings.Index(f.Text, "*"+m[1]), 0)
		problems.Add("unknown-anchor", f.pos(at, at+1+len(m[1])), "no anchor &%s above this line", m[1]).
			Hint = "write &" + m[1] + " before the value to repeat, or put the word in quotes"
		return
	}
	given := 0
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		given, _ = strconv.Atoi(m[1])
	}
	last := f.line(max(reached-1, 0))
	for _, e := range syntaxErrors {
		line := last
		switch e.place {
		case atLine, atLineOrAbove:
			line = given - 1
		case afterLine:
			line = given
		}
		line = min(max(line, 0), len(f.lines)-1)
		first := line
		if e.place == atLineOrAbove || e.place == atReaderOrAbove {
			first = max(line-1, 0)
		}
		for i := line; i >= first; i-- {
			if f.addSyntaxError(e, err, i, last, problems) {
				return
			}
		}
	}
	problems.Add("yaml-syntax", f.Whole, "this is not YAML: %v", err)
}

// addSyntaxError reports an error that is one of a row of the table if a line is at fault; last is the one that the
// library has read up to.
func (f *Fragment) addSyntaxError(e syntaxError, err error, line, last int, problems *Problems) bool {
	begin := f.lines[line].at
	if t := f.oddSpace(begin); t != nil {
		problems.Add(t.rule, f.pos(t.start, t.end), "%s", t.message).Hint = t.hint
		return true
	}
	start, text := f.blanks(begin), f.lineText(begin)
	text = text[:min(len(text), maxMatched)]
	m := e.line.FindStringSubmatchIndex(text)
	if m == nil || !e.err.MatchString(err.Error()) {
		return false
	}
	expand := func(s string) string {
		if s = string(e.line.ExpandString(nil, s, text, m)); line == last {
			s = strings.TrimSuffix(s, ", before line LINE")
		}
		return strings.ReplaceAll(s, "LINE", strconv.Itoa(f.number(f.lines[last].at)))
	}
	problems.Add("yaml-syntax", f.pos(start, f.end(start)), "%s", expand(e.message)).Hint = expand(e.hint)
	return true
}

// lineText is what a line says, from a byte on.
func (f *Fragment) lineText(at int) string { return f.Text[at:f.end(at)] }
