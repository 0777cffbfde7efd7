package source

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/expr"
)

// A Decoder fills structs from nodes. Tags of fields say what a mapping may have:
//
//	yaml:"key"       the key, if it is not the one of JSON; a key without a field is a problem, unless it begins with x-
//	yaml:",inline"   the keys of a struct belong to the mapping itself
//	as:"notation"    the name in Notations, if it is not the one of the type; as:"[]notation" for the items of a list
//	alone:"yes"      a value or list stands for a mapping with this key alone
//	not:"key key"    keys that cannot be written together with this one
//	need:"hint"      the key has to be there if the decoder reads whole mappings
//
// Two fields without a key are filled in, too: Pos with the place of the mapping, and Node with the mapping itself.
type Decoder struct {
	Problems  *Problems
	Notations Notations
	Tried     map[*Node]Tried // is filled in

	// ShapeHint is a way out where another shape of node was wanted; it may be empty.
	ShapeHint func(n *Node, what string, want NodeKind) string
	// KeyHint is a way out for a key that t does not have. Names are the keys of t.
	KeyHint func(key string, t reflect.Type, names []string) string
	// Removable is the type whose unknown keys may be null, which removes what a Compose file has there.
	Removable reflect.Type

	// Templates says that ${{ }} may still be in scalars; typed values that have one stay zero.
	Templates bool
	// Whole says that nothing will be merged with the node, so that nothing may be missing.
	Whole bool
}

// Notations are the ways to write a value, by the tag as of its field, or the name of its type.
type Notations map[string]func(d Decoder, n *Node, what string, v reflect.Value)

// Decode fills the value that out points to. what names the node in messages: "load", "service \"db\"".
func (d Decoder) Decode(n *Node, what string, out any) {
	d.value(n, what, "", reflect.ValueOf(out).Elem())
}

// decodable is a type that may be written in more than one shape.
type decodable interface {
	DecodeNode(d Decoder, n *Node, what string)
}

func (d Decoder) value(n *Node, what, as string, v reflect.Value) {
	if read := d.Notations[cmp.Or(as, v.Type().Name())]; read != nil && v.Kind() != reflect.Pointer {
		read(d, n, what, v)
		return
	}
	if v.CanAddr() {
		if c, ok := v.Addr().Interface().(decodable); ok {
			c.DecodeNode(d, n, what)
			return
		}
	}
	d.plain(n, what, as, v)
}

// Plain fills the value that out points to as if its type had no DecodeNode.
func (d Decoder) Plain(n *Node, what string, out any) {
	d.plain(n, what, "", reflect.ValueOf(out).Elem())
}

func (d Decoder) plain(n *Node, what, as string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*Node]() {
			v.Set(reflect.ValueOf(n))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, what, as, v.Elem())
	case reflect.Slice:
		items := n.List()
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			d.value(item, what, strings.TrimPrefix(as, "[]"), v.Index(i))
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
			d.ShapeHint(n, what, want)
	}
	return n.Kind == want
}

// maxUnknown is how many unknown keys of one mapping are reported: a mapping with more of them is something else.
const maxUnknown = 100

func (d Decoder) fields(n *Node, what string, v reflect.Value) {
	is := structTypeOf(v.Type())
	at := n.Text.Pos
	if field := v.FieldByName("Pos"); field.IsValid() {
		if field.IsZero() { // else it is the place of the block
			field.Set(reflect.ValueOf(at))
		}
		at = field.Interface().(Pos)
	}
	if field := v.FieldByName("Node"); field.IsValid() {
		field.Set(reflect.ValueOf(n))
	}
	if is.alone != nil && (n.Kind == Scalar || n.Kind == List) {
		d.value(n, what, is.alone.As, v.FieldByIndex(is.alone.index))
		return
	}
	if !d.Kind(n, what, Map) {
		d.Tried[n] = is.keys
		return
	}
	var tried Tried
	var unknown []Field
	for _, f := range n.Fields {
		before := d.Problems.Found()
		field, ok := is.fields[f.Key.Value]
		switch {
		case ok && f.Value.Kind == Null: // what was there before, if anything, is removed by now
		case ok:
			d.value(f.Value, f.Key.Value, field.As, v.FieldByIndex(field.index))
			if d.Problems.Found() > before {
				tried = append(tried, f.Key.Value)
			}
		case !d.isExtra(f, v.Type()):
			unknown = append(unknown, f)
		}
	}
	tried = append(tried, d.addUnknown(unknown, what, v.Type(), is.keys)...)
	d.Tried[n] = tried
	d.checkTags(n, what, at, is.list, tried)
}

// addUnknown adds the problems of unknown keys, and returns the keys that they may misspell.
func (d Decoder) addUnknown(unknown []Field, what string, t reflect.Type, names []string) (meant []string) {
	for _, f := range unknown[:min(len(unknown), maxUnknown)] {
		d.Problems.Add("unknown-key", f.Key.Pos, "unknown key %q in %s", f.Key.Value, what).Hint =
			d.KeyHint(f.Key.Value, t, names)
		meant = append(meant, expr.Near(f.Key.Value, names)...)
	}
	isNested := func(f Field) bool { return f.Value.Kind != Scalar } // and may belong to any key
	if len(unknown) > maxUnknown || slices.ContainsFunc(unknown, isNested) {
		return names
	}
	return meant
}

// checkTags adds the problems of keys that have to be there and are not, and of keys that cannot be there together.
func (d Decoder) checkTags(n *Node, what string, at Pos, fields []*StructField, tried Tried) {
	for _, field := range fields {
		written := n.Get(field.Key)
		if field.need != "" && d.Whole && written.isEmpty() && !tried.Has(field.Key) {
			one := strings.TrimSuffix(what, "s") // of a list, which is named in the plural
			d.Problems.Add("missing-key", at, "the %s has no %s", one, field.Key).Hint = field.need
		}
		for _, other := range field.not {
			if written != nil && n.Get(other) != nil {
				d.Problems.Add("contradiction", n.Place(field.Key), "%s has both %s and %s", what, other, field.Key).
					Hint = "keep one of them"
				break
			}
		}
	}
}

// KeysOf returns the keys of a mapping that is read as a struct, sorted.
func KeysOf(t reflect.Type) []string { return structTypeOf(t).keys }

// FieldsOf returns the keys of a mapping that is read as a struct, in the order of the struct.
func FieldsOf(t reflect.Type) []*StructField { return structTypeOf(t).list }

// Alone returns the field whose value may stand for the mapping; nil for none.
func Alone(t reflect.Type) *StructField { return structTypeOf(t).alone }

// A structType is what tags say about the fields of a struct.
type structType struct {
	list   []*StructField
	fields map[string]*StructField // by their keys
	keys   []string                // sorted
	alone  *StructField            // stands for the mapping; nil for none
}

// A StructField is a field of a struct that a key fills in.
type StructField struct {
	Key, As string // the second is the tag as
	Type    reflect.Type

	index []int
	need  string
	not   []string
}

// structTypes are the structs that were decoded: reading tags takes longer than decoding.
var structTypes sync.Map

func structTypeOf(t reflect.Type) *structType {
	if known, ok := structTypes.Load(t); ok {
		return known.(*structType)
	}
	s := &structType{fields: map[string]*StructField{}}
	s.add(t, nil)
	slices.Sort(s.keys)
	structTypes.Store(t, s)
	return s
}

// add adds the fields of a struct at an index.
func (s *structType) add(t reflect.Type, index []int) {
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key, isOurs := tag.Lookup("yaml")
		if !isOurs {
			key, _, _ = strings.Cut(tag.Get("json"), ",")
		}
		f := &StructField{Key: key, As: tag.Get("as"), Type: t.Field(i).Type, index: append(slices.Clone(index), i),
			not: strings.Fields(tag.Get("not")), need: tag.Get("need")}
		if tag.Get("alone") != "" {
			s.alone = f
		}
		switch key {
		case ",inline":
			s.add(f.Type, f.index)
		case "", "-":
		default:
			s.list, s.fields[key], s.keys = append(s.list, f), f, append(s.keys, key)
		}
	}
}

// isExtra reports whether a key that t does not have may be written nevertheless.
func (d Decoder) isExtra(f Field, t reflect.Type) bool {
	return strings.HasPrefix(f.Key.Value, "x-") ||
		f.Value.Kind == Null && f.Value.Text.Value == "null" && t == d.Removable
}

// Tried are the keys of a mapping whose values cannot be read, and the keys that its unknown keys may misspell. They are
// not reported as missing.
type Tried []string

// Has reports whether one of some keys was tried.
func (t Tried) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(t, key) })
}
