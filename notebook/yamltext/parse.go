// Package yamltext reads YAML into nodes that know where they were written, and decodes nodes into structs.
//
// The reading is the library's. Scalars are read as they are written, not as YAML's types. What YAML reads otherwise
// than its author meant, or cannot read, is a problem with a way out: see Parse.
package yamltext

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"benchbook/notebook/source"
)

// maxYAML bounds one block or file of YAML, in bytes, and maxNodes what aliases can blow it up to.
const (
	maxYAML  = 250_000
	maxNodes = 50_000
)

// Parse reads a fragment. Problems get their place in the source; the result is nil if it is not YAML, and an
// empty mapping if there is nothing in it.
//
// Where YAML would read something else than what was meant, and what was meant is plain to see, the problem is
// reported and reading goes on with what was meant, so that other problems come to light at the same time.
func Parse(f Fragment, problems *source.Problems) *Node {
	var found source.Problems
	defer func() { problems.Merge(&found) }()
	if len(f.Text) > maxYAML {
		found.Add("yaml-too-large", f.Whole, "this YAML has %d bytes; the limit is %d", len(f.Text), maxYAML).
			Hint = "divide it, or move rows to a CSV file"
		return nil
	}
	f.clean(&found)
	c := converter{fragment: &f, problems: &found, meant: map[int]meaning{}}
	doc, err := unmarshal(f.Text)
	if err != nil && problems.Len() < maxMended {
		doc, err = c.mend(err)
	}
	if err != nil {
		if found.Empty() {
			at, message := f.syntaxError(err)
			found.Add("yaml-syntax", at, "this is not YAML: %s", message)
		}
		return nil
	}
	if len(doc.Content) == 0 {
		return &Node{Kind: Map, Text: source.Text{Pos: f.Whole}}
	}
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

// errSecond says that a text goes on behind its end.
var errSecond = errors.New("a second document begins here")

// unmarshal reads YAML, all of it, without giving its values any types.
func unmarshal(text string) (*yaml.Node, error) {
	return decodeYAML(strings.NewReader(text))
}

func decodeYAML(r io.Reader) (*yaml.Node, error) {
	var doc, rest yaml.Node
	d := yaml.NewDecoder(r)
	if err := d.Decode(&doc); err != nil && err != io.EOF {
		return nil, err
	}
	switch err := d.Decode(&rest); {
	case err == nil:
		return nil, errSecond
	case err != io.EOF:
		return nil, err
	}
	return &doc, nil
}

// slowReader gives a text byte by byte, so that it knows how far somebody has read.
type slowReader struct {
	text string
	at   int
}

// Read gives the next byte.
func (r *slowReader) Read(p []byte) (int, error) {
	if r.at == len(r.text) {
		return 0, io.EOF
	}
	r.at++
	return copy(p, r.text[r.at-1:r.at]), nil
}

// reached is how far the library reads a text before it gives up; beyond its end if it does not.
func reached(text string) int {
	r := &slowReader{text: text}
	if _, err := decodeYAML(r); err == nil {
		return len(text) + 1
	}
	return r.at
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError says where the library gives up, and why. It is for what the mending knows nothing of.
func (f *Fragment) syntaxError(err error) (source.Pos, string) {
	message := yamlLine.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "")
	at := min(max(reached(f.Text)-1, 0), max(len(f.Text)-1, 0))
	start := f.blanks(f.begin(at))
	return f.pos(start, f.end(start)), message
}

// lineText is what a line says, from a byte on.
func (f *Fragment) lineText(at int) string { return f.Text[at:f.end(at)] }
