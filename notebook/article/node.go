package article

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// NodeKind tells what a Node is.
type NodeKind int

// The kinds of Node.
const (
	Scalar NodeKind = iota
	List
	Map
	Null
)

func (k NodeKind) String() string {
	return [...]string{"a single value", "a list", "a mapping", "nothing"}[k]
}

// Node is a value of YAML in which everything knows its place. Nodes are never changed once they are made, so that
// defaults, blocks and profiles can share parts of them.
type Node struct {
	Kind   NodeKind
	Text   Text    // of a scalar; of other kinds only the place
	Items  []*Node // of a list
	Fields []Field // of a mapping, in the order written
}

// Field is one key of a mapping with its value.
type Field struct {
	Key   Text
	Value *Node
}

// Get gives the value under a key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Key.Value == key {
			return f.Value
		}
	}
	return nil
}

// Without is n without a key.
func (n *Node) Without(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Merge lays over on top of base: mappings merge key by key, anything else replaces, null removes.
func Merge(base, over *Node) *Node {
	switch {
	case over == nil:
		return base
	case over.Kind != Map:
		return over
	}
	out := &Node{Kind: Map, Text: over.Text}
	if base != nil && base.Kind == Map {
		out.Text = base.Text
		for _, f := range base.Fields {
			if over.Get(f.Key.Value) == nil {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	for _, f := range over.Fields {
		if f.Value.Kind == Null {
			continue
		}
		var below *Node
		if base != nil && base.Kind == Map {
			below = base.Get(f.Key.Value)
		}
		out.Fields = append(out.Fields, Field{f.Key, Merge(below, f.Value)})
	}
	return out
}

// maxNodes bounds what aliases can blow a block up to.
const maxNodes = 50_000

// A fragment is a piece of YAML inside a source: the lines of a fence, a front matter, or a whole file.
type fragment struct {
	source *Source
	text   []byte
	starts []int // offset in the source of each line of text
	whole  Pos
}

// parseYAML reads a fragment. Problems get their place in the source; the result is nil if it is not YAML, and an empty
// mapping if there is nothing in it.
func parseYAML(f fragment, problems *Problems) *Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(f.text, &doc); err != nil {
		at, message := f.syntaxError(err)
		problems.Add("yaml-syntax", at, "%s", message)
		return nil
	}
	if len(doc.Content) == 0 {
		return &Node{Kind: Map, Text: Text{Pos: f.whole}}
	}
	c := converter{fragment: f, problems: problems}
	n := c.node(doc.Content[0])
	if c.made > maxNodes {
		problems.Add("yaml-too-large", f.whole, "more than %d values in one block", maxNodes).
			Hint = "aliases may multiply; write out only what is needed"
		return nil
	}
	return n
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError finds the place that the library's message names; where it names none, the fragment's first line.
func (f fragment) syntaxError(err error) (Pos, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	var types *yaml.TypeError
	if errors.As(err, &types) && len(types.Errors) > 0 {
		message = types.Errors[0]
	}
	line := 1
	if m := yamlLine.FindStringSubmatchIndex(message); m != nil {
		line, _ = strconv.Atoi(message[m[2]:m[3]])
		message = message[:m[0]] + message[m[1]:]
	}
	line = min(max(line, 1), len(f.starts))
	at := Pos{f.source, f.starts[line-1], f.starts[line-1]}
	n, _ := f.source.Position(at.Start)
	text := f.source.Line(n)
	at.Start += len(text) - len(strings.TrimLeft(string(text), " \t"))
	at.End = max(at.Start+1, f.starts[line-1]+len(strings.TrimRight(string(text), " \t")))
	return at, "this is not YAML: " + message
}

type converter struct {
	fragment
	problems *Problems
	made     int
}

func (c *converter) node(y *yaml.Node) *Node {
	if c.made++; c.made > maxNodes {
		return &Node{Kind: Null, Text: Text{Pos: c.whole}}
	}
	at := c.place(y)
	switch y.Kind {
	case yaml.AliasNode:
		return c.node(y.Alias)
	case yaml.SequenceNode:
		n := &Node{Kind: List, Text: Text{Pos: at}}
		for _, item := range y.Content {
			n.Items = append(n.Items, c.node(item))
		}
		return n
	case yaml.MappingNode:
		n := &Node{Kind: Map, Text: Text{Pos: at}}
		for i := 0; i+1 < len(y.Content); i += 2 {
			key, value := y.Content[i], y.Content[i+1]
			if key.Kind != yaml.ScalarNode {
				c.problems.Add("yaml-key", c.place(key), "a key has to be a single word")
				continue
			}
			text := c.text(key)
			if n.Get(text.Value) != nil {
				c.problems.Add("duplicate-key", text.Pos, "%q is written twice", text.Value).
					Hint = "keep one of them"
				continue
			}
			n.Fields = append(n.Fields, Field{text, c.node(value)})
		}
		return n
	default:
		text := c.text(y)
		if y.Tag == "!!null" && y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			return &Node{Kind: Null, Text: text}
		}
		return &Node{Kind: Scalar, Text: text}
	}
}

// offset turns the library's line and column, which count characters, into a byte of the source.
func (c *converter) offset(line, column int) int {
	line = min(max(line, 1), len(c.starts))
	at := c.starts[line-1]
	data := c.source.Data
	for i, r := range string(data[at:]) {
		if column--; column < 1 || r == '\n' {
			return at + i
		}
	}
	return len(data)
}

func (c *converter) place(y *yaml.Node) Pos {
	start := c.offset(y.Line, y.Column)
	end := start + 1
	if y.Kind == yaml.AliasNode {
		end = start + 1 + len(y.Value)
	}
	return Pos{c.source, start, min(end, len(c.source.Data))}
}

// text gives a scalar with the stretch of source that it was written in.
func (c *converter) text(y *yaml.Node) Text {
	data := c.source.Data
	start := c.offset(y.Line, y.Column)
	// An anchor or tag stands before the value, and the library's column is that of the first of them.
	for start < len(data) && (data[start] == '&' || data[start] == '!') && y.Style&yaml.DoubleQuotedStyle == 0 && y.Style&yaml.SingleQuotedStyle == 0 {
		i := start
		for i < len(data) && data[i] != ' ' && data[i] != '\n' {
			i++
		}
		if i >= len(data) || data[i] != ' ' {
			break
		}
		start = i + 1
	}
	t := Text{Value: y.Value, Pos: Pos{c.source, start, start}}
	rest := string(data[start:])
	switch {
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		t.Pos.End = start + 1
	case len(rest) > 0 && (rest[0] == '"' || rest[0] == '\''):
		if strings.HasPrefix(rest[1:], y.Value) && len(rest) > len(y.Value)+1 && rest[len(y.Value)+1] == rest[0] {
			t.verbatim, t.lead = true, 1
			t.Pos.End = start + len(y.Value) + 2
			break
		}
		t.Pos.End = start + quotedLength(rest)
	case strings.HasPrefix(rest, y.Value):
		t.verbatim = true
		t.Pos.End = start + len(y.Value)
	default:
		end := strings.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		t.Pos.End = start + len(strings.TrimRight(rest[:end], " \r"))
	}
	return t
}

// quotedLength is the length of the quoted scalar that s begins with, its quotes included.
func quotedLength(s string) int {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case quote == '"' && s[i] == '\\':
			i++
		case quote == '\'' && s[i] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return len(s)
}

// wholeFile makes a fragment of a source that is YAML from end to end.
func wholeFile(s *Source) fragment {
	return fragment{source: s, text: s.Data, starts: s.lines, whole: Pos{s, 0, min(1, len(s.Data))}}
}

// Mapping makes a node of fixed values, for defaults that are built in. It panics on what is not YAML, since the text is ours.
func Mapping(name, text string) *Node {
	var problems Problems
	n := parseYAML(wholeFile(NewSource(name, []byte(text))), &problems)
	if !problems.Empty() {
		panic(fmt.Sprint(problems.Sorted()[0]))
	}
	return n
}
