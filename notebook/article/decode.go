package article

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Value is a scalar that an author wrote, read as a T. Until templates are expanded it may hold one, and then V is
// zero: see Text.
type Value[T any] struct {
	V    T
	Text source.Text
}

// Set says that something was written.
func (v Value[T]) Set() bool { return !v.Text.IsZero() }

// Known says that something was written, and that it is no template whose value comes later.
func (v Value[T]) Known() bool { return v.Set() && !strings.Contains(v.Text.Value, "${{") }

// The types of scalars beside string, bool, int, float64 and time.Duration.
type (
	// Bytes is a size of memory as Compose writes it, in powers of 1024: 256m, 1g.
	Bytes int64
	// Size is a size of data as expressions write it: 1256B, 64kB, 1MiB.
	Size int64
	// Share is a part of one, written as 5% or 0.05.
	Share float64
	// PerSecond is a rate such as 500/s.
	PerSecond float64
	// BytesPerSecond is a rate of data such as 10MB/s.
	BytesPerSecond float64
)

// A Word is a scalar that is one of a few words, such as Order.
type Word interface {
	// Words are all that may be written.
	Words() []string
}

// Expression is an expression of the language of package expr.
type Expression struct {
	Node expr.Node
	Text source.Text
}

// Named keeps the order of a mapping whose keys the author chooses.
type Named[T any] struct {
	Name  source.Text
	Value T
}

// decoder fills structs from nodes. Fields are matched by their `yaml` tag; `yaml:"-"` is left alone. A key that has no
// field is a problem, unless it begins with x-.
type decoder struct {
	problems *source.Problems
	// templates says that ${{ }} may still stand in scalars; typed values that hold one stay zero.
	templates bool
	// whole says that nothing will be merged with what is read, so that what is missing is missing.
	whole bool
}

// decode fills the struct that out points to. what names the mapping in messages: "load", "service \"db\"".
func (d decoder) decode(n *Node, what string, out any) {
	d.value(n, what, reflect.ValueOf(out).Elem())
}

// custom is a type that reads itself, because what may be written is more than one shape.
type custom interface {
	decodeNode(d decoder, n *Node, what string)
}

func (d decoder) value(n *Node, what string, v reflect.Value) {
	if v.CanAddr() {
		if c, ok := v.Addr().Interface().(custom); ok {
			c.decodeNode(d, n, what)
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
		d.value(n, what, fresh.Elem())
		v.Set(fresh)
	case reflect.Slice:
		d.list(n, what, v)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[source.Text]() {
			if d.kind(n, what, Scalar) {
				v.Set(reflect.ValueOf(n.Text))
			}
			return
		}
		d.fields(n, what, v)
	default:
		panic(fmt.Sprintf("article: no way to decode into %s", v.Type()))
	}
}

// fieldsOf fills the struct that out points to by its fields, also where its type reads itself.
func (d decoder) fieldsOf(n *Node, what string, out any) {
	d.fields(n, what, reflect.ValueOf(out).Elem())
}

// templated says that a scalar holds a template that is not expanded yet.
func (d decoder) templated(n *Node) bool {
	return d.templates && n.Kind == Scalar && strings.Contains(n.Text.Value, "${{")
}

// kind checks the shape of a node and says what was expected instead.
func (d decoder) kind(n *Node, what string, want NodeKind) bool {
	if n.Kind == want {
		return true
	}
	d.problems.Add("wrong-shape", n.Text.Pos, "%s has to be %s, not %s", what, want, n.Kind).Hint = shapeHint(n, what, want)
	return false
}

// list reads a list; a single value stands for a list of one.
func (d decoder) list(n *Node, what string, v reflect.Value) {
	items := n.Items
	if n.Kind != List {
		items = []*Node{n}
	}
	out := reflect.MakeSlice(v.Type(), 0, len(items))
	for _, item := range items {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(item, what, e)
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

// maxUnknown is how many unknown keys of one mapping are reported: a mapping with more of them is something else.
const maxUnknown = 100

func (d decoder) fields(n *Node, what string, v reflect.Value) {
	known := map[string]int{}
	var names []string
	unknown := 0
	var tried Tried
	keys := Keys{}
	t := v.Type()
	defer func() {
		if field := v.FieldByName("Tried"); field.IsValid() {
			field.Set(reflect.ValueOf(tried))
		}
		if field := v.FieldByName("Keys"); field.IsValid() && field.Type() == reflect.TypeFor[Keys]() {
			field.Set(reflect.ValueOf(keys))
		}
	}()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			known[name] = i
			names = append(names, name)
		}
	}
	if !d.kind(n, what, Map) {
		tried = names // all of them, in another shape
		return
	}
	if n.lost {
		tried = names // what should have been merged may be any of them
	}
	d.indent(n, t, known)
	for at, f := range n.Fields {
		i, ok := known[f.Key.Value]
		switch {
		case ok && f.Value.Kind == Null:
			// Nothing is written; what was there before, if anything, is gone by now.
			if f.Value.lost {
				tried = append(tried, f.Key.Value)
			}
		case ok:
			before := d.problems.Found()
			keys[f.Key.Value] = f.Key.Pos
			d.value(f.Value, f.Key.Value, v.Field(i))
			if d.problems.Found() > before {
				tried = append(tried, f.Key.Value)
			}
		case strings.HasPrefix(f.Key.Value, "x-"):
		default:
			if unknown++; unknown > maxUnknown {
				continue
			}
			slices.Sort(names)
			hint, meant := unknownKey(f.Key.Value, t, names)
			tried = append(tried, meant)
			d.problems.Add("unknown-key", f.Key.Pos, "unknown key %q in %s", f.Key.Value, what).Hint = hint
			// What is plainly misspelt is read as meant: otherwise all that names something in it would be a problem too.
			isMeant := func(f Field) bool { return f.Key.Value == meant }
			if i, ok := known[meant]; ok && len(expr.Near(f.Key.Value, names)) == 1 && !slices.ContainsFunc(n.Fields, isMeant) {
				n.Fields[at].Key.Value = meant
				d.value(f.Value, meant, v.Field(i))
			}
		}
	}
}

// indent puts below a key of names without a value what stands beside it and should be below, such as a service below services, and says
// so: otherwise each of them would be missing wherever it is named.
func (d decoder) indent(n *Node, t reflect.Type, known map[string]int) {
	var out []Field
	var above *Node // the key that has no value
	var name string
	for _, f := range n.Fields {
		i, ok := known[f.Key.Value]
		if !ok && above != nil {
			_, ok = source.Nearest(f.Key.Value, slices.Collect(maps.Keys(known))) // a misspelt one of ours
		}
		switch {
		case ok && f.Value.Kind == Null && !f.Value.lost && t.Field(i).Type == reflect.TypeFor[Services]():
			above, name = &Node{Kind: Map, Text: f.Value.Text}, f.Key.Value
			f.Value = above
		case ok || f.Value.Kind != Map || strings.HasPrefix(f.Key.Value, "x-"):
			above = nil
		case above != nil:
			if len(above.Fields) == 0 {
				d.problems.Add("unknown-key", f.Key.Pos, "%q stands beside %s, not below it", f.Key.Value, name).
					Hint = "indent it and its lines further than " + name
			}
			above.Fields = append(above.Fields, f)
			continue
		}
		out = append(out, f)
	}
	if len(out) < len(n.Fields) {
		n.Fields = out
	}
}

// unknownKey is a way out where a key of a mapping is not known, and the key of ours that it stands for, if that is plain.
func unknownKey(key string, t reflect.Type, names []string) (hint, meant string) {
	if other, ok := otherNames[t][key]; ok {
		if other.hint == "" {
			return fmt.Sprintf("did you mean %q?", other.key), other.key
		}
		return other.hint, other.key
	}
	if other, hint, ok := belongs(key, t); ok {
		return hint, other.what
	}
	meant, _ = source.Nearest(key, names)
	return source.Suggest(key, names), meant
}

func (v *Value[T]) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Scalar) {
		return
	}
	v.Text = n.Text
	if d.templated(n) {
		return
	}
	if err := parseScalar(n.Text.Value, &v.V); err != nil {
		v.Text = source.Text{} // not set: what cannot be read is not looked at again
		d.problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = hintFor(n.Text.Value, any(v.V))
	}
}

func (e *Expression) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Scalar) {
		return
	}
	e.Text = n.Text
	if d.templated(n) {
		return
	}
	e.Node = ParseExpression(n.Text, d.problems)
}

// ParseExpression parses t as an expression; a mistake in it is a problem at its place inside t, and the result nil.
func ParseExpression(t source.Text, problems *source.Problems) expr.Node {
	node, err := expr.Parse(t.Value)
	if err != nil {
		AddExprError(t, err, problems)
		return nil
	}
	return node
}

// decodeNamed reads a mapping whose keys are names of the author's choice.
func decodeNamed[T any](d decoder, n *Node, what, each string) []Named[T] {
	if !d.kind(n, what, Map) {
		return nil
	}
	var out []Named[T]
	for i, f := range n.Fields {
		if i == maxNamed {
			d.problems.Add("too-many", f.Key.Pos, "%s has more than %d entries", what, maxNamed).Hint = "remove some of them"
			break
		}
		e := Named[T]{Name: f.Key}
		if f.Value.Kind == Null && d.templates {
			continue // it removes the entry of what this is merged over
		}
		if d.decode(f.Value, fmt.Sprintf("%s %q", each, f.Key.Value), &e.Value); f.Value.Kind != Null {
			out = append(out, e)
		}
	}
	return out
}

// parseScalar reads a written word as the type that out points to. The error completes "KEY …".
func parseScalar(s string, out any) error {
	switch v := out.(type) {
	case *string:
		*v = s
	case *bool:
		switch strings.ToLower(s) {
		case "true", "yes", "on":
			*v = true
		case "false", "no", "off":
			*v = false
		default:
			return fmt.Errorf("has to be true or false, not %q", s)
		}
	case *float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("has to be a number, not %q", s)
		}
		*v = n
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("has to be a whole number, not %q", s)
		}
		*v = n
	case *time.Duration:
		q, err := expr.ParseQuantity(s)
		if err != nil || q.Unit.Dimension != expr.Time {
			return fmt.Errorf("has to be a time, not %q", s)
		}
		if math.Abs(q.Value) > 1e6 {
			return fmt.Errorf("is too long: %q", s)
		}
		*v = time.Duration(math.Round(q.Value * 1e9))
	case *Bytes:
		n, err := units.RAMInBytes(s)
		if err != nil {
			return fmt.Errorf("has to be a size, not %q", s)
		}
		*v = Bytes(n)
	case *Size:
		q, err := quantity(s, expr.Size, "a size")
		*v = Size(math.Round(q))
		return err
	case *Share:
		q, err := quantity(s, expr.Share, "a share")
		if err == nil && q > 1 && !strings.HasSuffix(s, "%") {
			return fmt.Errorf("has to be a share, and %s is %g%%", s, 100*q)
		}
		*v = Share(q)
		return err
	case *PerSecond:
		q, err := quantity(s, expr.Rate, "a rate")
		*v = PerSecond(q)
		return err
	case *BytesPerSecond:
		q, err := quantity(s, expr.SizeRate, "a rate of data")
		*v = BytesPerSecond(q)
		return err
	default:
		words, ok := out.(Word)
		if !ok {
			panic(fmt.Sprintf("article: no scalar of type %T", out))
		}
		if !slices.Contains(words.Words(), s) {
			return fmt.Errorf("cannot be %q", s)
		}
		reflect.ValueOf(out).Elem().SetString(s)
	}
	return nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// quantity reads a number with a unit of a dimension, in its base unit.
func quantity(s string, want expr.Dimension, what string) (float64, error) {
	q, err := expr.ParseQuantity(s)
	if err != nil || !q.Unit.Dimension.Like(want) {
		return 0, fmt.Errorf("has to be %s, not %q", what, s)
	}
	if math.Abs(q.Value) > 1e15 {
		return 0, fmt.Errorf("is too much: %q", s)
	}
	return q.Value, nil
}

// hintFor says how a scalar of v's type is written.
func hintFor(written string, v any) string {
	switch v := v.(type) {
	case time.Duration:
		if d, err := time.ParseDuration(written); err == nil && d > 0 && strings.IndexAny(written, "hmsuµn") < len(written)-2 {
			return fmt.Sprintf("write it in one unit: %gs", d.Seconds())
		}
		return "write a number with a unit, such as 500ms, 10s or 2m"
	case Bytes:
		return "write a number with a unit, such as 256m or 1g"
	case Size:
		return "write a number with a unit, such as 1256B, 64kB or 1MiB"
	case Share:
		if q, err := expr.ParseQuantity(written); err == nil && q.Unit.Symbol == "" && q.Value > 1 {
			return fmt.Sprintf("write %s%%", written)
		}
		return "write a percentage, such as 5%, or a number, such as 0.05"
	case PerSecond:
		return "write a number per second, such as 500/s"
	case BytesPerSecond:
		return "write a number with a unit, such as 10MB/s"
	case Word:
		return source.Suggest(written, v.Words())
	case int:
		_, inside, mapped := strings.Cut(written, ":")
		f, err := strconv.ParseFloat(strings.NewReplacer(",", "", "_", "", " ", "").Replace(written), 64)
		switch {
		case mapped && isDigits(inside):
			return "write " + inside + ", the port inside the container: none is published on this machine"
		case err == nil && f == math.Trunc(f) && math.Abs(f) < 1e9:
			return fmt.Sprintf("write %.0f", f)
		}
		return "write digits alone"
	}
	return ""
}
