package source

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/expr"
)

// A Decoder fills structs from nodes. Tags of fields say what a mapping may have:
//
//	yaml:"key"       the key; a key without a field is a problem, unless it begins with x-
//	alone:"yes"      a value or list stands for a mapping with this key alone
//	not:"key key"    keys that cannot be written together with this one
//	need:"hint"      the key has to be there if the decoder reads whole mappings
//
// Three fields without a key are filled in, too: Pos with the place of the mapping, Node with the mapping itself, and
// Tried.
type Decoder struct {
	Problems *Problems
	Hints    Hints
	// Templates says that ${{ }} may still be in scalars; typed values that have one stay zero.
	Templates bool
	// Whole says that nothing will be merged with the node, so that nothing may be missing.
	Whole bool
}

// Hints knows the mappings that a decoder reads.
type Hints interface {
	// Shape is a way out where another shape of node was wanted; it may be empty.
	Shape(n *Node, what string, want NodeKind) string
	// UnknownKey is a way out for a key that t does not have. Names are the keys of t.
	UnknownKey(key string, t reflect.Type, names []string) string
	// Removes reports whether the value null of any key of t removes what a Compose file has there.
	Removes(t reflect.Type) bool
}

// Decode fills the value that out points to. what names the node in messages: "load", "service \"db\"".
func (d Decoder) Decode(n *Node, what string, out any) {
	d.value(n, what, reflect.ValueOf(out).Elem())
}

// decodable is a type that may be written in more than one shape.
type decodable interface {
	DecodeNode(d Decoder, n *Node, what string)
}

func (d Decoder) value(n *Node, what string, v reflect.Value) {
	if v.CanAddr() {
		if c, ok := v.Addr().Interface().(decodable); ok {
			c.DecodeNode(d, n, what)
			return
		}
	}
	d.plain(n, what, v)
}

// Plain fills the value that out points to as if its type had no DecodeNode.
func (d Decoder) Plain(n *Node, what string, out any) {
	d.plain(n, what, reflect.ValueOf(out).Elem())
}

func (d Decoder) plain(n *Node, what string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*Node]() {
			v.Set(reflect.ValueOf(n))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, what, v.Elem())
	case reflect.Slice:
		items := n.Items
		if n.Kind != List { // a single value stands for a list of one
			items = []*Node{n}
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			d.value(item, what, v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Text]() {
			if d.Kind(n, what, Scalar) {
				v.Set(reflect.ValueOf(n.Text))
			}
			return
		}
		d.fields(n, what, v)
	default:
		panic(fmt.Sprintf("source: cannot decode into %s", v.Type()))
	}
}

// Templated reports whether a scalar has a template that is not expanded yet.
func (d Decoder) Templated(n *Node) bool {
	return d.Templates && n.Kind == Scalar && strings.Contains(n.Text.Value, "${{")
}

// Kind reports whether a node has a shape; another shape is a problem.
func (d Decoder) Kind(n *Node, what string, want NodeKind) bool {
	if n.Kind != want {
		d.Problems.Add("wrong-shape", n.Text.Pos, "%s must be %s, not %s", what, want, n.Kind).Hint =
			d.Hints.Shape(n, what, want)
	}
	return n.Kind == want
}

// maxUnknown is how many unknown keys of one mapping are reported: a mapping with more of them is something else.
const maxUnknown = 100

func (d Decoder) fields(n *Node, what string, v reflect.Value) {
	is := structTypeOf(v.Type())
	names := is.keys
	if at := v.FieldByName("Pos"); at.IsValid() && at.IsZero() { // else it is the place of the block
		set(v, "Pos", n.Text.Pos)
	}
	set(v, "Node", n)
	if is.alone >= 0 && (n.Kind == Scalar || n.Kind == List) {
		d.value(n, what, v.Field(is.alone))
		return
	}
	if !d.Kind(n, what, Map) {
		set(v, "Tried", Tried(names))
		return
	}
	var tried Tried
	unknown := 0
	for _, f := range n.Fields {
		before := d.Problems.Found()
		i, ok := is.fields[f.Key.Value]
		switch {
		case ok && f.Value.Kind == Null: // what was there before, if anything, is removed by now
		case ok:
			d.value(f.Value, f.Key.Value, v.Field(i))
			if d.Problems.Found() > before {
				tried = append(tried, f.Key.Value)
			}
		case d.isExtra(f, v.Type()):
		default:
			unknown++
			tried = append(append(tried, meant(f, names, unknown)...), f.Key.Value)
			if unknown <= maxUnknown {
				d.Problems.Add("unknown-key", f.Key.Pos, "unknown key %q in %s", f.Key.Value, what).Hint =
					d.Hints.UnknownKey(f.Key.Value, v.Type(), names)
			}
		}
	}
	set(v, "Tried", tried)
	d.checkTags(n, what, v, tried)
}

// meant returns the keys that an unknown one may misspell; nil beyond maxUnknown, where the last one returned all.
func meant(f Field, names []string, unknown int) []string {
	switch {
	case unknown > maxUnknown:
		return nil
	case unknown == maxUnknown || f.Value.Kind != Scalar: // the value may belong to any key
		return names
	}
	return expr.Near(f.Key.Value, names)
}

// checkTags adds the problems of keys that have to be there and are not, and of keys that cannot be there together.
func (d Decoder) checkTags(n *Node, what string, v reflect.Value, tried Tried) {
	at := n.Text.Pos
	if p := v.FieldByName("Pos"); p.IsValid() {
		at, _ = p.Interface().(Pos)
	}
	for _, tag := range structTypeOf(v.Type()).tags {
		written := n.Get(tag.key)
		if tag.isNeeded && d.Whole && written.isEmpty() && !tried.Has(tag.key) {
			d.Problems.Add("missing-key", at, "the %s has no %s", what, tag.key).Hint = tag.need
		}
		for _, other := range tag.not {
			if written != nil && n.Get(other) != nil {
				d.Problems.Add("contradiction", n.Place(tag.key), "%s has both %s and %s", what, other, tag.key).
					Hint = "keep one of them"
				break
			}
		}
	}
}

// set fills in a field of a struct if there is one with that name and type.
func set[T any](v reflect.Value, name string, value T) {
	if field := v.FieldByName(name); field.IsValid() && field.Type() == reflect.TypeFor[T]() {
		field.Set(reflect.ValueOf(value))
	}
}

// KeysOf returns the keys of a mapping that is read as a struct, sorted.
func KeysOf(t reflect.Type) []string {
	return structTypeOf(t).keys
}

// A structType is what tags say about the fields of a struct.
type structType struct {
	fields map[string]int // by their keys
	keys   []string       // sorted
	alone  int            // the field that has the tag alone; -1 for none
	tags   []fieldTags    // of the fields with tags that have to be checked
}

// fieldTags are the tags of a field that checkTags checks.
type fieldTags struct {
	key, need string
	isNeeded  bool
	not       []string
}

// structTypes are the structs that were decoded: reading tags takes longer than decoding.
var structTypes sync.Map

func structTypeOf(t reflect.Type) *structType {
	if known, ok := structTypes.Load(t); ok {
		return known.(*structType)
	}
	s := &structType{fields: map[string]int{}, alone: -1}
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key := tag.Get("yaml")
		if key != "" && key != "-" {
			s.fields[key] = i
			s.keys = append(s.keys, key)
		}
		if _, ok := tag.Lookup("alone"); ok {
			s.alone = i
		}
		need, isNeeded := tag.Lookup("need")
		if not := strings.Fields(tag.Get("not")); isNeeded || len(not) > 0 {
			s.tags = append(s.tags, fieldTags{key, need, isNeeded, not})
		}
	}
	slices.Sort(s.keys)
	structTypes.Store(t, s)
	return s
}

// isExtra reports whether a key that t does not have may be written nevertheless.
func (d Decoder) isExtra(f Field, t reflect.Type) bool {
	return strings.HasPrefix(f.Key.Value, "x-") ||
		f.Value.Kind == Null && f.Value.Text.Value == "null" && d.Hints.Removes(t)
}

// Tried are the keys of a mapping whose values cannot be read, its unknown keys, and the keys that these may misspell.
// They are not reported as missing.
type Tried []string

// Has reports whether one of some keys was tried.
func (t Tried) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(t, key) })
}
