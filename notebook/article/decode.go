package article

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/slice"
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

// Get gives the value with a name.
func Get[T any](list []Named[T], name string) (value T, ok bool) {
	found, ok := slice.Find(list, func(n Named[T]) bool { return n.Name.Value == name })
	return found.Value, ok
}

func (v *Value[T]) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	v.Text = n.Text
	if d.Templated(n) {
		return
	}
	if err := parseScalar(n.Text.Value, &v.V); err != nil {
		v.Text = source.Text{} // not set: what cannot be read is not looked at again
		d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = hintFor(n.Text.Value, any(v.V))
	}
}

func (e *Expression) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	e.Text = n.Text
	if d.Templated(n) {
		return
	}
	e.Node = ParseExpression(n.Text, d.Problems)
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

// DecodeNamed reads a mapping whose keys are names of the author's choice.
func DecodeNamed[T any](d source.Decoder, n *source.Node, what, each string) []Named[T] {
	if !d.Kind(n, what, source.Map) {
		return nil
	}
	var out []Named[T]
	for i, f := range n.Fields {
		if i == maxNamed {
			d.Problems.Add("too-many", f.Key.Pos, "%s has more than %d entries", what, maxNamed).Hint = "remove some of them"
			break
		}
		e := Named[T]{Name: f.Key}
		if f.Value.Kind == source.Null && d.Templates {
			continue // it removes the entry of what this is merged over
		}
		if d.Decode(f.Value, fmt.Sprintf("%s %q", each, f.Key.Value), &e.Value); f.Value.Kind != source.Null {
			out = append(out, e)
		}
	}
	return out
}

// parseScalar reads a written word as the type that out points to. The error completes "KEY …".
// It is a table with a case for each type.
//
//gocyclo:ignore
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
			return fmt.Errorf("must be true or false, not %q", s)
		}
	case *float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("must be a number, not %q", s)
		}
		*v = n
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("must be a whole number, not %q", s)
		}
		*v = n
	case *time.Duration:
		q, err := expr.ParseQuantity(s)
		if err != nil || q.Unit.Dimension != expr.Time {
			return fmt.Errorf("must be a time, not %q", s)
		}
		if math.Abs(q.Value) > 1e6 {
			return fmt.Errorf("is too long: %q", s)
		}
		*v = time.Duration(math.Round(q.Value * 1e9))
	case *Bytes:
		n, err := units.RAMInBytes(s)
		if err != nil {
			return fmt.Errorf("must be a size, not %q", s)
		}
		*v = Bytes(n)
	case *Size:
		q, err := quantity(s, expr.Size, "a size")
		*v = Size(math.Round(q))
		return err
	case *Share:
		q, err := quantity(s, expr.Share, "a share")
		if err == nil && q > 1 && !strings.HasSuffix(s, "%") {
			return fmt.Errorf("must be a share, and %s is %g%%", s, 100*q)
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
		return 0, fmt.Errorf("must be %s, not %q", what, s)
	}
	if math.Abs(q.Value) > 1e15 {
		return 0, fmt.Errorf("is too much: %q", s)
	}
	return q.Value, nil
}

// hintFor says how a scalar of v's type is written. It is a table with a case for each type.
//
//gocyclo:ignore
func hintFor(written string, v any) string {
	switch v := v.(type) {
	case time.Duration:
		if d, err := time.ParseDuration(written); err == nil && d > 0 &&
			strings.IndexAny(written, "hmsuµn") < len(written)-2 {
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
