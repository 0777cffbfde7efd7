package source

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// NodeKind is the shape of a Node.
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

// Node is a YAML value with places. Nodes are never changed, so that defaults, blocks and profiles can share them.
type Node struct {
	Kind   NodeKind
	Text   Text    // of a scalar; for other kinds only Pos is set
	Items  []*Node // of a list
	Fields []Field // of a mapping, in the order written
}

// Field is a key of a mapping with its value.
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

// Under returns the value at a path of keys; nil if there is none, or null on the way.
func (n *Node) Under(keys ...string) *Node {
	for _, key := range keys {
		if n = n.Get(key); n != nil && n.Kind == Null {
			return nil
		}
	}
	return n
}

// TextAt returns the scalar at a path of keys, or the zero value.
func (n *Node) TextAt(keys ...string) Text {
	if n = n.Under(keys...); n == nil || n.Kind != Scalar {
		return Text{}
	}
	return n.Text
}

// List returns the items of a list. A value that is not a list counts as its only item.
func (n *Node) List() []*Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == List:
		return n.Items
	}
	return []*Node{n}
}

// All returns the fields of a mapping.
func (n *Node) All() []Field {
	if n == nil {
		return nil
	}
	return n.Fields
}

// Keys returns the keys of a mapping that are not null.
func (n *Node) Keys() (keys []string) {
	for _, f := range n.All() {
		if f.Value.Kind != Null {
			keys = append(keys, f.Key.Value)
		}
	}
	return keys
}

// Visit calls visit for every scalar under n, with the path of keys below at: services.db.command[1].
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

// Place returns the place of a key of n, or of n if it lacks the key.
func (n *Node) Place(key string) Pos {
	for _, f := range n.Fields {
		if f.Key.Value == key {
			return f.Key.Pos
		}
	}
	return n.Text.Pos
}

// isEmpty reports whether n has no content: nil, null, an empty scalar or an empty list.
func (n *Node) isEmpty() bool {
	return n == nil || n.Kind == Null || n.Kind == Scalar && strings.TrimSpace(n.Text.Value) == "" ||
		n.Kind == List && len(n.Items) == 0
}

// Without returns n without the keys.
func (n *Node) Without(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slices.DeleteFunc(slices.Clone(n.Fields),
		func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Only returns a copy of a mapping with only these keys.
func (n *Node) Only(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slice.Filter(n.Fields, func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Merge merges over on top of base: mappings key by key; other values replace, and null removes unless keepNull. The
// fields of over come last.
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

// byKey returns the values of a mapping, for fast access to thousands of keys.
func (n *Node) byKey() map[string]*Node {
	values := map[string]*Node{}
	for _, f := range n.All() {
		values[f.Key.Value] = f.Value
	}
	return values
}
