package source

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Decoder fills structs from nodes. Fields are matched by their `yaml` tag; `yaml:"-"` is left alone. A key that has no
// field is a problem, unless it begins with x-. Fields Pos, Tried and Keys say where the mapping stands, and what of it
// was tried and written.
type Decoder struct {
	Problems *Problems
	Wording  *Wording
	// Templates says that ${{ }} may still stand in scalars; typed values that hold one stay zero.
	Templates bool
	// Whole says that nothing will be merged with what is read, so that what is missing is missing.
	Whole bool
}

// Wording is what a decoder has to know of the mappings that it reads.
type Wording struct {
	// ShapeHint is a way out where something other than a node was wanted; it may be empty.
	ShapeHint func(n *Node, what string, want NodeKind) string
	// UnknownKey returns a hint about a key that a type does not have, and the key that is meant if it is only misspelt.
	// Names are the keys that the type has.
	UnknownKey func(key string, t reflect.Type, names []string) (hint, meant string)
	// Removes reports whether the value null of any key of t removes what a Compose file has there.
	Removes func(t reflect.Type) bool
}

// Decode fills the struct that out points to. what names the mapping in messages: "load", "service \"db\"".
func (d Decoder) Decode(n *Node, what string, out any) {
	d.Value(n, what, reflect.ValueOf(out).Elem())
}

// custom is a type that reads itself, because what may be written is more than one shape.
type custom interface {
	DecodeNode(d Decoder, n *Node, what string)
}

func (d Decoder) Value(n *Node, what string, v reflect.Value) {
	if v.CanAddr() {
		if c, ok := v.Addr().Interface().(custom); ok {
			c.DecodeNode(d, n, what)
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*Node]() {
			v.Set(reflect.ValueOf(n))
			return
		}
		fresh := reflect.New(v.Type().Elem())
		d.Value(n, what, fresh.Elem())
		v.Set(fresh)
	case reflect.Slice:
		d.list(n, what, v)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Text]() {
			if d.Kind(n, what, Scalar) {
				v.Set(reflect.ValueOf(n.Text))
			}
			return
		}
		d.fields(n, what, v)
	default:
		panic(fmt.Sprintf("source: no way to decode into %s", v.Type()))
	}
}

// FieldsOf fills the struct that out points to by its fields, also where its type reads itself.
func (d Decoder) FieldsOf(n *Node, what string, out any) {
	d.fields(n, what, reflect.ValueOf(out).Elem())
}

// Templated says that a scalar holds a template that is not expanded yet.
func (d Decoder) Templated(n *Node) bool {
	return d.Templates && n.Kind == Scalar && strings.Contains(n.Text.Value, "${{")
}

// Kind checks the shape of a node and says what was expected instead.
func (d Decoder) Kind(n *Node, what string, want NodeKind) bool {
	if n.Kind == want || n.lost && n.Kind == Null {
		return n.Kind == want
	}
	d.Problems.Add("wrong-shape", n.Text.Pos, "%s must be %s, not %s", what, want, n.Kind).Hint = d.Wording.ShapeHint(n,
		what, want)
	return false
}

// list reads a list; a single value stands for a list of one.
func (d Decoder) list(n *Node, what string, v reflect.Value) {
	items := n.Items
	if n.Kind != List {
		items = []*Node{n}
	}
	out := reflect.MakeSlice(v.Type(), 0, len(items))
	for _, item := range items {
		e := reflect.New(v.Type().Elem()).Elem()
		d.Value(item, what, e)
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

// maxUnknown is how many unknown keys of one mapping are reported: a mapping with more of them is something else.
const maxUnknown = 100

func (d Decoder) fields(n *Node, what string, v reflect.Value) {
	t := v.Type()
	known, names := tagged(t)
	unknown := 0
	var tried Tried
	keys := Keys{}
	defer func() {
		note(v, "Tried", tried)
		note(v, "Keys", keys)
	}()
	if at := v.FieldByName("Pos"); at.IsValid() && at.IsZero() { // else the place is that of the block
		note(v, "Pos", n.Text.Pos)
	}
	if !d.Kind(n, what, Map) {
		tried = names // all of them, in another shape
		return
	}
	if n.lost {
		tried = names // what should have been merged may be any of them
	}
	for at, f := range n.Fields {
		i, ok := known[f.Key.Value]
		switch {
		case ok && f.Value.Kind == Null:
			// Nothing is written; what was there before, if anything, is gone by now.
			if f.Value.lost {
				tried = append(tried, f.Key.Value)
			}
		case ok:
			before := d.Problems.Found()
			keys[f.Key.Value] = f.Key.Pos
			d.Value(f.Value, f.Key.Value, v.Field(i))
			if d.Problems.Found() > before {
				tried = append(tried, f.Key.Value)
			}
		case d.isExtra(f, t):
		default:
			if unknown++; unknown > maxUnknown {
				continue
			}
			tried = append(tried, d.unknownField(n, at, what, v, known, names))
		}
	}
}

// note fills in a field of a struct if there is one of that name and type.
func note[T any](v reflect.Value, name string, value T) {
	if field := v.FieldByName(name); field.IsValid() && field.Type() == reflect.TypeFor[T]() {
		field.Set(reflect.ValueOf(value))
	}
}

// KeysOf are the keys of a mapping that is read as a struct, in the order of its fields.
func KeysOf(t reflect.Type) []string {
	_, keys := tagged(t)
	return keys
}

// tagged gives the fields of a struct that are read, by their keys, and the keys in the order of the fields.
func tagged(t reflect.Type) (fields map[string]int, keys []string) {
	fields = map[string]int{}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			fields[key] = i
			keys = append(keys, key)
		}
	}
	return fields, keys
}

// unknownField reports a key that the struct v does not have, and returns the one that is meant, if that is plain.
func (d Decoder) unknownField(n *Node, at int, what string, v reflect.Value, known map[string]int,
	names []string) (meant string) {
	f := n.Fields[at]
	slices.Sort(names)
	hint, meant := d.Wording.UnknownKey(f.Key.Value, v.Type(), names)
	problem := d.Problems.Add("unknown-key", f.Key.Pos, "unknown key %q in %s", f.Key.Value, what)
	problem.Hint = hint
	// A misspelt key is read as meant: otherwise all that names something in it would be a problem too.
	isMeant := func(f Field) bool { return f.Key.Value == meant }
	if i, ok := known[meant]; ok && !slices.ContainsFunc(n.Fields, isMeant) {
		n.Fields[at].Key.Value = meant
		d.Value(f.Value, meant, v.Field(i))
	}
	return meant
}

// isExtra reports whether a key that t does not have may be written nevertheless.
func (d Decoder) isExtra(f Field, t reflect.Type) bool {
	return strings.HasPrefix(f.Key.Value, "x-") ||
		f.Value.Kind == Null && f.Value.Text.Value == "null" && d.Wording.Removes(t)
}

// Keys are where the keys of a mapping stand, those of ours with something behind them.
type Keys map[string]Pos

// Tried are keys of ours that somebody meant to write in a mapping: what stands there is misspelt, cannot be read, or
// is at another place. They are not missing beside the problem that says so.
type Tried []string

// Has says that one of some keys was tried.
func (t Tried) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(t, key) })
}
