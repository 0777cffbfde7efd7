package source

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// converter makes nodes of ours of the library's.
type converter struct {
	fragment *Fragment
	problems *Problems
	lost     bool // the structure is not what was meant

	made     int // nodes, those counted that aliases repeat
	anchors  map[*yaml.Node]*anchored
	repeated map[*yaml.Node]bool // what aliases repeat
}

// context is where a node stands.
type context struct {
	key  string // that the node is the value of; empty in a list
	flow bool   // in brackets
}

// anchored is what an anchor stands for.
type anchored struct {
	node *Node // nil while it is being made
	size int
}

func (c *converter) node(y *yaml.Node, in context) *Node {
	if y.Kind == yaml.AliasNode {
		return c.alias(y)
	}
	before := c.made
	c.made++
	if y.Anchor == "" {
		return c.fresh(y, in)
	}
	if c.anchors == nil {
		c.anchors = map[*yaml.Node]*anchored{}
	}
	a := &anchored{}
	c.anchors[y] = a
	a.node = c.fresh(y, in)
	a.size = c.made - before
	return a.node
}

// alias gives the node that an alias repeats. It is shared, since nodes never change, but counts each time, since
// whoever walks the tree meets it each time.
func (c *converter) alias(y *yaml.Node) *Node {
	at := c.written(y)
	here := c.fragment.pos(at, at+1+len(y.Value))
	a := c.anchors[y.Alias]
	switch {
	case c.made > maxNodes:
	case a == nil: // of a key
		return c.node(y.Alias, context{})
	case a.node == nil:
		p := c.problems.Add("unknown-anchor", here, "*%s stands inside what it repeats", y.Value)
		p.Hint, p.Covers = "write out what is needed", here
	case c.made+a.size > maxNodes:
		c.made += a.size
		c.problems.Add("yaml-too-large", here, "with this alias the block has more than %d values", maxNodes).
			Hint = "aliases multiply; write out only what is needed"
	default:
		c.made += a.size
		return a.node
	}
	return &Node{Kind: Null, Text: Text{Pos: here}, lost: true}
}

func (c *converter) fresh(y *yaml.Node, in context) *Node {
	at := c.written(y)
	place := c.fragment.pos(at, at+1)
	if t := c.misread(y, at, in); t != nil {
		here := c.fragment.pos(t.start, t.end)
		c.problems.Add(t.rule, here, "%s", t.message).Hint = t.hint
		return &Node{Kind: Null, Text: Text{Pos: here}, lost: true}
	}
	switch y.Kind {
	case yaml.SequenceNode:
		n := &Node{Kind: List, Text: Text{Pos: place}}
		for _, item := range y.Content {
			n.Items = append(n.Items, c.node(item, context{flow: y.Style&yaml.FlowStyle != 0}))
		}
		return n
	case yaml.MappingNode:
		return c.mapping(y, place)
	}
	text, _ := c.text(y, at)
	if isNull(y) {
		return &Node{Kind: Null, Text: text}
	}
	return &Node{Kind: Scalar, Text: text}
}

// isNull says that nothing is written, or a word for nothing. Other spellings that YAML knows, such as NULL, are
// words.
func isNull(y *yaml.Node) bool {
	const marked = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle |
		yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	return y.Style&marked == 0 && (y.Value == "" || y.Value == "null" || y.Value == "~")
}

func (c *converter) mapping(y *yaml.Node, place Pos) *Node {
	n := &Node{Kind: Map, Text: Text{Pos: place}}
	written := map[string]bool{}
	var merges []mergeKey
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		at := c.written(key)
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || isNull(key) && key.Value == "" {
			c.problems.Add("yaml-key", c.fragment.pos(at, at+1), "a key must be a single word").
				Hint = "write key: value, and quote what holds { } [ ] or ,"
			continue
		}
		if key.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			merges = append(merges, mergeKey{len(n.Fields), value})
			continue
		}
		text, _ := c.text(key, c.written(key))
		if written[text.Value] {
			before, _ := c.fragment.source.Position(n.Place(text.Value).Start)
			c.problems.Add("duplicate-key", text.Pos, "%q is written twice, first in line %d", text.Value, before).
				Hint = "keep one of them"
			continue
		}
		written[text.Value] = true
		n.Fields = append(n.Fields, Field{text, c.node(value, context{text.Value, y.Style&yaml.FlowStyle != 0})})
	}
	c.merge(n, merges, written)
	return n
}

// A mergeKey is a key <<, which stands before a field of a mapping.
type mergeKey struct {
	at    int
	value *yaml.Node
}

// merge adds to a mapping what << repeats, but for the keys that are written in it.
func (c *converter) merge(n *Node, merges []mergeKey, written map[string]bool) {
	// What is merged goes where << stands; of several, the first one that has a key counts, as in YAML 1.1.
	added := 0
	for _, m := range merges {
		var fields []Field
		bases, lost := c.bases(m.value)
		n.lost = n.lost || lost
		for _, base := range bases {
			for _, f := range base.Fields {
				if !written[f.Key.Value] {
					written[f.Key.Value] = true
					fields = append(fields, f)
				}
			}
		}
		at := m.at + added
		n.Fields = append(n.Fields[:at:at], append(fields, n.Fields[at:]...)...)
		added += len(fields)
	}
}

// Place is where a key of n is written.
func (n *Node) Place(key string) Pos {
	for _, f := range n.Fields {
		if f.Key.Value == key {
			return f.Key.Pos
		}
	}
	return n.Text.Pos
}

// bases gives the mappings that << merges: one, or a list of them. lost says that there should be more.
func (c *converter) bases(y *yaml.Node) (out []*Node, lost bool) {
	n := c.node(y, context{})
	list := []*Node{n}
	if n.Kind == List {
		list = n.Items
	}
	for _, b := range list {
		switch b.Kind {
		case Map:
			out = append(out, b)
		case Null: // already reported, or an empty mapping
			lost = lost || b.lost
		default:
			at := c.written(y)
			c.problems.Add("wrong-shape", c.fragment.pos(at, at+1), "<< merges mappings, not %s", b.Kind).
				Hint = "write <<: *name, where &name stands before a mapping"
			lost = true
		}
	}
	return out, lost
}

// raw is where a node stands, with the anchor and tag before it.
func (c *converter) raw(y *yaml.Node) int { return c.fragment.offset(y.Line, y.Column) }

// written is where a node stands: behind its anchor and tag, since the library's column is that of the first of them.
func (c *converter) written(y *yaml.Node) int {
	at, text := c.raw(y), c.fragment.Text
	for y.Anchor != "" || y.Style&yaml.TaggedStyle != 0 {
		if at >= len(text) || text[at] != '&' && text[at] != '!' {
			break
		}
		next := at
		for next < len(text) && !isSpace(text[next]) {
			next++
		}
		for next < len(text) && isSpace(text[next]) {
			next++
		}
		if next == len(text) {
			break
		}
		at = next
	}
	return at
}

// text gives a scalar, which begins at a byte of the text, with its place, and where it ends.
func (c *converter) text(y *yaml.Node, at int) (Text, int) {
	f := c.fragment
	switch {
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		first := f.next(at)
		for first < len(f.Text) && isSpace(f.Text[first]) {
			first++
		}
		if y.Value == "" || first >= len(f.Text) {
			return Text{Value: y.Value, Pos: f.pos(at, at+1)}, f.end(at)
		}
		return f.aligned(y.Value, first, f.next(at), plainly)
	case at < len(f.Text) && y.Style&yaml.DoubleQuotedStyle != 0:
		return f.aligned(y.Value, at, at+1, doubleQuoted)
	case at < len(f.Text) && y.Style&yaml.SingleQuotedStyle != 0:
		return f.aligned(y.Value, at, at+1, singleQuoted)
	}
	return f.aligned(y.Value, at, at, plainly)
}

// Mapping makes a node of fixed values, for defaults that are built in. It panics on what is not YAML, since the text
// is ours.
func Mapping(name, text string) *Node {
	var problems Problems
	n := Parse(Whole(New(name, []byte(text))), &problems)
	if !problems.Empty() {
		panic(fmt.Sprint(problems.Sorted()[0]))
	}
	return n
}
