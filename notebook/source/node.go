package source

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
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

// Node is a value of YAML in which everything has its place. Nodes are never changed once they are made, so that
// defaults, blocks and profiles can share parts of them.
type Node struct {
	Kind   NodeKind
	Text   Text    // of a scalar; other kinds have only the place
	Items  []*Node // of a list
	Fields []Field // of a mapping, in the order written
}

// Field is one key of a mapping with its value.
type Field struct {
	Key   Text
	Value *Node
}

// Get returns the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	for _, f := range n.All() {
		if f.Key.Value == key {
			return f.Value
		}
	}
	return nil
}

// Under returns the value at a path of keys, or nil without one.
func (n *Node) Under(keys ...string) *Node {
	for _, key := range keys {
		if n = n.Get(key); n != nil && n.Kind == Null {
			return nil
		}
	}
	return n
}

// TextAt returns the single value at a path of keys, the zero value without one.
func (n *Node) TextAt(keys ...string) Text {
	if n = n.Under(keys...); n == nil || n.Kind != Scalar {
		return Text{}
	}
	return n.Text
}

// List returns the items of a list. Another value is a list of one.
func (n *Node) List() []*Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == List:
		return n.Items
	}
	return []*Node{n}
}

// All returns the fields of a mapping; none for nil.
func (n *Node) All() []Field {
	if n == nil {
		return nil
	}
	return n.Fields
}

// Keys returns the keys of a mapping that have a value.
func (n *Node) Keys() (keys []string) {
	for _, f := range n.All() {
		if f.Value.Kind != Null {
			keys = append(keys, f.Key.Value)
		}
	}
	return keys
}

// Visit visits every single value under n, with its path of keys below at: services.db.command[1].
func (n *Node) Visit(at string, visit func(at string, t Text)) {
	switch {
	case n == nil:
		return
	case n.Kind == Scalar:
		visit(at, n.Text)
	}
	for i, item := range n.Items {
		item.Visit(fmt.Sprintf("%s[%d]", at, i), visit)
	}
	for _, f := range n.Fields {
		f.Value.Visit(strings.TrimPrefix(at+"."+f.Key.Value, "."), visit)
	}
}

// Place is the place of a key of n, or of n without it.
func (n *Node) Place(key string) Pos {
	for _, f := range n.Fields {
		if f.Key.Value == key {
			return f.Key.Pos
		}
	}
	return n.Text.Pos
}

// isEmpty reports whether nothing is written: no node, null, an empty word or an empty list.
func (n *Node) isEmpty() bool {
	return n == nil || n.Kind == Null || n.Kind == Scalar && strings.TrimSpace(n.Text.Value) == "" ||
		n.Kind == List && len(n.Items) == 0
}

// Without is n without some keys.
func (n *Node) Without(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slices.DeleteFunc(slices.Clone(n.Fields),
		func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Only returns a copy of the mapping n with only these keys.
func (n *Node) Only(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slice.Filter(n.Fields, func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Merge lays over on top of base: mappings merge key by key, other values replace, and null removes, unless it is kept.
// The fields of over come last.
func Merge(base, over *Node, keepNull bool) *Node {
	switch {
	case over == nil:
		return base
	case over.Kind != Map:
		return over
	}
	out := &Node{Kind: Map, Text: over.Text}
	if base != nil && base.Kind == Map {
		out.Text = base.Text
	} else {
		base = nil
	}
	below, above := base.byKey(), over.byKey()
	for _, f := range base.All() {
		if above[f.Key.Value] == nil {
			out.Fields = append(out.Fields, f)
		}
	}
	for _, f := range over.Fields {
		if f.Value.Kind != Null || keepNull {
			out.Fields = append(out.Fields, Field{f.Key, Merge(below[f.Key.Value], f.Value, keepNull)})
		}
	}
	return out
}

// byKey returns the values of a mapping, which may have thousands of keys.
func (n *Node) byKey() map[string]*Node {
	values := map[string]*Node{}
	for _, f := range n.All() {
		values[f.Key.Value] = f.Value
	}
	return values
}
