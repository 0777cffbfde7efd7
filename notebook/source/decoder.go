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

// A Decoder fills structs from nodes. Tags of their fields say what a mapping may have:
//
//	yaml:"key"       the key, if the json tag differs; a key without a field is a problem, unless it begins with x-
//	yaml:",inline"   the keys of a struct belong to the mapping itself
//	as:"notation"    the name in Notations, if it is not the type's name; as:"[]notation" for the items of a list
//	alone:"yes"      a value or list stands for a mapping with this key alone
//	not:"key key"    keys that cannot be written together with this one
//	need:"hint"      the key is required in whole mappings
//
// Two fields without a key are filled in, too: Pos with the place of the mapping, and Node with the mapping itself.
type Decoder struct {
	Problems  *Problems
	Notations Notations
	Tried     map[*Node]Tried // is filled in by Decode

	// ShapeHint returns a hint for a node of the wrong shape; it may be empty.
	ShapeHint func(n *Node, what string, want NodeKind) string
	// KeyHint returns a hint for a key that t does not have. Names are the keys of t.
	KeyHint func(key string, t reflect.Type, names []string) string
	// Removable is the type whose unknown keys may be null, which removes such keys of a Compose file.
	Removable reflect.Type

	// Templates allows ${{ }} in scalars; typed values that contain it stay zero.
	Templates bool
	// Whole says that nothing will be merged with the node, so required keys must be there.
	Whole bool
}

// Notations decode values, by the tag as of a field or the name of its type.
type Notations map[string]func(d Decoder, n *Node, what string, v reflect.Value)

// Decode fills the value that out points to. what names the node in messages, such as "load" or "service \"db\"".
func (d Decoder) Decode(n *Node, what string, out any) {
	d.value(n, what, "", reflect.ValueOf(out).Elem())
}

// decodable is a type that decodes itself, often because it has several shapes.
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

// Plain is Decode without a DecodeNode of the type itself.
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

// Templated reports whether a scalar contains a template that is not expanded yet.
func (d Decoder) Templated(n *Node) bool {
	return d.Templates && n.Kind == Scalar && strings.Contains(n.Text.Value, "${{")
}

// Kind reports whether a node has the wanted shape, and adds a problem if not.
func (d Decoder) Kind(n *Node, what string, want NodeKind) bool {
	if n.Kind != want {
		d.Problems.Add("wrong-shape", n.Text.Pos, "%s must be %s, not %s", what, want, n.Kind).Hint =
			d.ShapeHint(n, what, want)
	}
	return n.Kind == want
}

// maxUnknown bounds the unknown keys that are reported of one mapping: one with more is something else entirely.
const maxUnknown = 100

func (d Decoder) fields(n *Node, what string, v reflect.Value) {
	is := structTypeOf(v.Type())
	at := n.Text.Pos
	if field := v.FieldByName("Pos"); field.IsValid() {
		if field.IsZero() { // otherwise it is the place of the block
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
		case ok && f.Value.Kind == Null: // null has removed an inherited value by now, if there was one
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

// addUnknown reports unknown keys, and returns the keys that they may be misspellings of.
func (d Decoder) addUnknown(unknown []Field, what string, t reflect.Type, names []string) (meant []string) {
	for _, f := range unknown[:min(len(unknown), maxUnknown)] {
		d.Problems.Add("unknown-key", f.Key.Pos, "unknown key %q in %s", f.Key.Value, what).Hint =
			d.KeyHint(f.Key.Value, t, names)
		meant = append(meant, expr.Near(f.Key.Value, names)...)
	}
	isNested := func(f Field) bool { return f.Value.Kind != Scalar } // which may be the value of any key
	if len(unknown) > maxUnknown || slices.ContainsFunc(unknown, isNested) {
		return names
	}
	return meant
}

// checkTags reports missing keys, and keys that exclude each other.
func (d Decoder) checkTags(n *Node, what string, at Pos, fields []*StructField, tried Tried) {
	for _, field := range fields {
		written := n.Get(field.Key)
		if field.need != "" && d.Whole && written.isEmpty() && !tried.Has(field.Key) {
			one := strings.TrimSuffix(what, "s") // names of lists are plural
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

// KeysOf returns the keys of the mapping that is decoded into a struct, sorted.
func KeysOf(t reflect.Type) []string { return structTypeOf(t).keys }

// FieldsOf returns the fields of a struct that have keys, in the order of the struct.
func FieldsOf(t reflect.Type) []*StructField { return structTypeOf(t).list }

// Alone returns the field whose value may stand for the whole mapping, or nil.
func Alone(t reflect.Type) *StructField { return structTypeOf(t).alone }

// A structType has the tags of a struct.
type structType struct {
	list   []*StructField
	fields map[string]*StructField // by key
	keys   []string                // sorted
	alone  *StructField            // may stand for the mapping; may be nil
}

// A StructField is a field of a struct that has a key.
type StructField struct {
	Key, As string // As is the tag as
	Type    reflect.Type

	index []int
	need  string
	not   []string
}

// structTypes caches structTypes by type: reading tags takes longer than decoding.
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

// add adds the fields of a struct that is embedded at index.
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

// isExtra reports whether a key is allowed although t does not have it.
func (d Decoder) isExtra(f Field, t reflect.Type) bool {
	return strings.HasPrefix(f.Key.Value, "x-") ||
		f.Value.Kind == Null && f.Value.Text.Value == "null" && t == d.Removable
}

// Tried are keys of a mapping whose values are invalid, and keys that its unknown keys may be misspellings of. They are
// not reported as missing.
type Tried []string

// Has reports whether one of the keys was tried.
func (t Tried) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(t, key) })
}
