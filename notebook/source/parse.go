package source

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxYAML bounds a block or file of YAML, in bytes; maxNodes bounds its values, including those that aliases repeat.
const (
	maxYAML  = 250_000
	maxNodes = 50_000
)

// Parse parses a fragment of a text that Fits. It returns nil after a problem, and an empty mapping for empty text.
func Parse(f Fragment, problems *Problems) *Node {
	before := problems.Found()
	if len(f.Text) > maxYAML {
		problems.Add("yaml-too-large", f.Whole, "this YAML has %d bytes; the limit is %d", len(f.Text), maxYAML).
			Hint = "divide it, or move rows to a CSV file"
		return nil
	}
	if !f.isText(problems) {
		return nil
	}
	reader := byteReader{strings.NewReader(f.Text)}
	doc, err := decodeYAML(reader)
	if err != nil {
		f.addSyntaxError(err, len(f.Text)-reader.Len(), problems)
		return nil
	}
	if len(doc.Content) == 0 {
		return &Node{Kind: Map, Text: Text{Pos: f.Whole}}
	}
	c := converter{fragment: &f, problems: problems}
	n := c.node(doc.Content[0], context{})
	if c.made > maxNodes {
		problems.Add("yaml-too-large", f.Whole, "the block has more than %d values, with those that aliases repeat", maxNodes).
			Hint = "write out only what is needed, divide the block, or move rows to a file"
	}
	if problems.Found() > before {
		return nil
	}
	return n
}

// A byteReader reads byte by byte, so that its position is that of the library's error.
type byteReader struct{ *strings.Reader }

func (r byteReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// isText reports whether a fragment has only characters that YAML allows, and adds a problem for the first other one.
func (f *Fragment) isText(problems *Problems) bool {
	for i, r := range f.Text {
		if isControl(r) && (r != '\r' || !strings.HasPrefix(f.Text[i+1:], "\n")) {
			problems.Add("control-character", f.pos(i, i+utf8.RuneLen(r)), "YAML cannot have the character U+%04X", r).
				Hint = "remove it, or write it as an escape in double quotes: " + fmt.Sprintf(`\u%04X`, r)
			return false
		}
	}
	return true
}

// isControl reports whether YAML forbids a character, or ends a line at it although nothing else does.
func isControl(r rune) bool {
	switch {
	case r == '\t' || r == '\n':
		return false
	case r < ' ' || r >= 0x7f && r <= 0x9f:
		return true
	}
	return r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}

// decodeYAML parses a single document, without converting its values to types.
func decodeYAML(r io.Reader) (*yaml.Node, error) {
	var doc, rest yaml.Node
	d := yaml.NewDecoder(r)
	err := d.Decode(&doc)
	if err == nil {
		err = d.Decode(&rest)
	}
	switch err {
	case nil:
		return nil, fmt.Errorf("yaml: line %d: a second document begins here", rest.Line)
	case io.EOF:
		return &doc, nil
	}
	return nil, err
}

// The line that an error of the library is about:
const (
	lineGiven = iota // the one that the error names
	lineAfter        // the one after it: the library's parser counts from 0
	lineRead         // the last one that was read: the error names the beginning of the mapping
)

// syntaxHints are hints for errors of the library. The first row whose words are in the error applies.
var syntaxHints = []struct {
	words string
	line  int
	hint  string
}{
	{"mapping values", lineGiven,
		`a value with ": " in it needs quotes; a key begins in the column of the keys above`},
	{"block sequence", lineGiven,
		`a value that begins with "-" needs quotes; a list item has a line of its own`},
	{"cannot start any token", lineRead, "write spaces instead of tabs; a value that begins with @ ` % or > needs quotes"},
	{"a tab character", lineRead, "write spaces instead of tabs"},
	{"could not find expected ':'", lineGiven, "write key: value, with a space after the colon"},
	{"alphabetic or numeric", lineGiven, `a value that begins with "&" or "*" needs quotes`},
	{"escape", lineGiven, `in double quotes a backslash begins an escape; write the value in single quotes`},
	{"hexdecimal", lineGiven, `in double quotes a backslash begins an escape; write the value in single quotes`},
	{"comment or line break", lineGiven, `a value that begins with "|" or ">" needs quotes`},
	{"indentation indicator", lineGiven, `a value that begins with "|" or ">" needs quotes`},
	{"unexpected end of stream", lineGiven, "the quote that begins here is not closed; close it"},
	{"document indicator", lineGiven, "the quote that begins here is not closed; close it"},
	{"expected ',' or", lineAfter,
		"close the bracket that begins here, put a comma between its values, and quotes around values with [ ] { } or ,"},
	{"node content", lineRead, "close the bracket, and put a value with [ ] { } or , in quotes"},
	{"expected '-'", lineRead, "begin the line in the column of the dashes above, or indent it like the keys of the item"},
	{"expected key", lineRead,
		"begin the line in the column of the keys above; put all of a value in quotes if it has quotes or brackets in it"},
	{"document start", lineRead, "begin the line in the column of the first key"},
	{"second document", lineGiven, "keep one document to a block"},
	{"", lineGiven, "put a value with special characters in quotes, and indent with spaces"},
}

var (
	yamlError     = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?:yaml: )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
)

// addSyntaxError reports an error of the library, which has read the text up to a byte.
func (f *Fragment) addSyntaxError(err error, read int, problems *Problems) {
	if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
		at := max(strings.Index(f.Text, "*"+m[1]), 0)
		problems.Add("unknown-anchor", f.pos(at, at+1+len(m[1])), "no anchor &%s above this line", m[1]).
			Hint = "write &" + m[1] + " before the value to repeat, or put the word in quotes"
		return
	}
	given, words := 1, err.Error()
	if m := yamlError.FindStringSubmatch(words); m != nil {
		given, _ = strconv.Atoi(m[1])
		words = m[2]
	}
	for _, row := range syntaxHints {
		if !strings.Contains(words, row.words) {
			continue
		}
		line := given - 1
		switch row.line {
		case lineAfter:
			line = given
		case lineRead:
			line = f.line(max(read-1, 0))
		}
		line = min(max(line, 0), len(f.lines)-1)
		for _, l := range f.lines[max(line-1, 0) : line+1] { // a missing space leads to an error in the next line
			start := l.at + len(f.rest(l.at)) - len(strings.TrimLeft(f.rest(l.at), "- "))
			if f.addOddSpace(l.at, f.end(l.at), problems) || f.addMissingSpace(start, f.end(l.at), problems) {
				return
			}
		}
		start := f.blanks(f.lines[line].at)
		problems.Add("yaml-syntax", f.pos(start, f.end(start)), "this is not YAML: %s", words).Hint = row.hint
		return
	}
}

// Only returns a YAML mapping with no other keys than these. Text without other keys, or that is not a mapping, is
// returned unchanged. It returns an error for merge keys, and aliases as keys.
func Only(text []byte, keys ...string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return text, nil
	}
	top, kept := document.Content[0], []*yaml.Node(nil)
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i]
		if key.Kind == yaml.AliasNode || key.Tag == "!!merge" {
			return nil, fmt.Errorf("line %d: write out the keys that << or * stands for", key.Line)
		}
		if slices.Contains(keys, key.Value) {
			kept = append(kept, key, top.Content[i+1])
		}
	}
	if len(kept) == len(top.Content) {
		return text, nil
	}
	top.Content = kept
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(&document); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
