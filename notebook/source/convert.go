package source

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A converter converts the YAML library's nodes to Nodes with places.
type converter struct {
	fragment *Fragment
	problems *Problems
	made     int // number of nodes so far
}

// A context is where a node is written.
type context struct {
	key  string // key of which the node is the value; empty in a list
	flow bool   // in brackets or braces
}

// node converts y. It stops after maxNodes: aliases may multiply nodes, or contain themselves.
func (c *converter) node(y *yaml.Node, in context) *Node {
	if c.made++; c.made > maxNodes {
		return &Node{Kind: Null, Text: Text{Pos: c.fragment.Whole}}
	}
	if y.Kind == yaml.AliasNode {
		return c.node(y.Alias, context{})
	}
	at := c.start(y)
	before := c.problems.Found()
	if c.lint(y, at, in); c.problems.Found() > before {
		return &Node{Kind: Null, Text: Text{Pos: c.fragment.pos(at, at+1)}}
	}
	inner := context{flow: y.Style&yaml.FlowStyle != 0}
	switch y.Kind {
	case yaml.SequenceNode:
		n := &Node{Kind: List, Text: Text{Pos: c.fragment.pos(at, at+1)}}
		for _, item := range y.Content {
			if c.made > maxNodes {
				break
			}
			n.Items = append(n.Items, c.node(item, inner))
		}
		return n
	case yaml.MappingNode:
		return c.mapping(y, at, inner)
	}
	if isNull(y) {
		return &Node{Kind: Null, Text: c.text(y)}
	}
	return &Node{Kind: Scalar, Text: c.text(y)}
}

// isNull reports whether a scalar is empty, null or ~. Other spellings of YAML's null, such as NULL, are words here.
func isNull(y *yaml.Node) bool {
	const marked = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle |
		yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	return y.Style&marked == 0 && (y.Value == "" || y.Value == "null" || y.Value == "~")
}

// mapping converts a mapping. Fields that << merges come first; a key that is written out takes precedence.
func (c *converter) mapping(y *yaml.Node, at int, in context) *Node {
	n := &Node{Kind: Map, Text: Text{Pos: c.fragment.pos(at, at+1)}}
	seen := map[string]Pos{}
	var bases *yaml.Node
	for i := 0; i+1 < len(y.Content) && c.made <= maxNodes; i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		keyStart := c.start(key)
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || isNull(key) && key.Value == "" {
			c.problems.Add("yaml-key", c.fragment.pos(keyStart, keyStart+1), "a key must be a single word").
				Hint = "write key: value, and put a key with { } [ ] or , in quotes"
			continue
		}
		text := c.text(key)
		if before, twice := seen[text.Value]; twice {
			line, _ := c.fragment.source.Position(before.Start)
			c.problems.Add("duplicate-key", text.Pos, "%q is written twice, first in line %d", text.Value, line).
				Hint = "keep one of them"
			continue
		}
		seen[text.Value] = text.Pos
		if text.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			bases = value
			continue
		}
		in.key = text.Value
		n.Fields = append(n.Fields, Field{text, c.node(value, in)})
	}
	if bases != nil {
		n.Fields = append(c.repeated(bases, seen), n.Fields...)
	}
	return n
}

// repeated returns the fields that << merges from a mapping or a list of them. The first with a key takes precedence.
func (c *converter) repeated(y *yaml.Node, seen map[string]Pos) (out []Field) {
	n := c.node(y, context{})
	list := []*Node{n}
	if n.Kind == List {
		list = n.Items
	}
	for _, base := range list {
		if base.Kind != Map && base.Kind != Null {
			at := c.start(y)
			c.problems.Add("wrong-shape", c.fragment.pos(at, at+1), "<< merges mappings, not %s", base.Kind).
				Hint = "write <<: *name, with &name before a mapping"
		}
		for _, f := range base.Fields {
			if _, written := seen[f.Key.Value]; !written {
				seen[f.Key.Value] = f.Key.Pos
				out = append(out, f)
			}
		}
	}
	return out
}

// startWithTag returns the offset of a node, including the anchor or tag before it.
func (c *converter) startWithTag(y *yaml.Node) int { return c.fragment.offset(y.Line, y.Column) }

// tags matches the anchors and tags before a node.
var tags = regexp.MustCompile(`^(?:[&!]\S*\s+)*`)

// start returns the offset of a node, after its anchor and tag.
func (c *converter) start(y *yaml.Node) int {
	at, text := c.startWithTag(y), c.fragment.Text
	if y.Anchor != "" || y.Style&yaml.TaggedStyle != 0 {
		if length := len(tags.FindString(text[at:])); at+length < len(text) {
			at += length
		}
	}
	return at
}

// text returns a scalar with its place.
func (c *converter) text(y *yaml.Node) Text {
	start, end := c.extent(y)
	at := c.fragment.sourceOffset(start)
	return Text{y.Value, c.fragment.source.Pos(at, max(at, c.fragment.sourceOffset(end)))}
}

// extent returns the offsets of a scalar in the fragment.
func (c *converter) extent(y *yaml.Node) (start, end int) {
	f := c.fragment
	start = c.start(y)
	switch {
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		if y.Value == "" {
			return start, start + 1
		}
		for start = f.next(start); start < len(f.Text)-1 && isSpace(f.Text[start]); {
			start++
		}
	case y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return start, f.endOfQuote(start)
	}
	return start, f.endOfWords(y.Value, start)
}

// endOfWords returns the offset after a value that starts at at, written with any white space between its words.
func (f *Fragment) endOfWords(value string, at int) int {
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r < utf8.RuneSelf && isSpace(byte(r)) }) {
		i := strings.Index(f.Text[at:], word)
		if i < 0 {
			return f.end(at)
		}
		at += i + len(word)
	}
	return at
}

// quoted matches a value in single or double quotes.
var quoted = regexp.MustCompile(`(?s)^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')`)

func (f *Fragment) endOfQuote(at int) int {
	if value := quoted.FindString(f.Text[at:]); value != "" {
		return at + len(value)
	}
	return f.end(at)
}

// Mapping parses the YAML of built-in defaults. It panics on a syntax error, which is a bug.
func Mapping(name, text string) *Node {
	var problems Problems
	n := Parse(Whole(New(name, []byte(text))), &problems)
	if !problems.Empty() {
		panic(fmt.Sprint(problems.Sorted()[0]))
	}
	return n
}
