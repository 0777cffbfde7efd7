package article

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Expression is an expression of the language of package expr.
type Expression struct {
	Node expr.Node
	Text source.Text
}

// Named is an entry of a mapping whose keys the author chooses.
type Named[T any] struct {
	Name  source.Text
	Value T
}

// Get returns the value with a name.
func Get[T any](list []Named[T], name string) (value T, ok bool) {
	found, ok := slice.Find(list, func(n Named[T]) bool { return n.Name.Value == name })
	return found.Value, ok
}

func (e *Expression) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	if e.Text = n.Text; !d.Templated(n) {
		e.Node = ParseExpression(n.Text, d.Problems)
	}
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

// AddExprError adds an error of package expr about the text t as a problem at its place.
func AddExprError(t source.Text, err error, problems *source.Problems) {
	e, ok := err.(*expr.Error)
	if !ok {
		problems.Add("bad-expression", t.Pos, "%v", err)
		return
	}
	problems.Add("bad-expression", t.At(e.Span.Start, e.Span.End), "%s", e.Msg).Hint = e.Hint
}

// Map is a mapping whose keys the author chooses, in the order written.
type Map[T any] []Named[T]

// DecodeNode reads the entries. Null removes an entry of the mapping that this one is merged over.
func (m *Map[T]) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	for i, f := range n.Fields {
		if i == maxNamed {
			d.Problems.Add("too-many", f.Key.Pos, "%s has more than %d entries", what, maxNamed).Hint = "remove some of them"
			break
		}
		if f.Value.Kind == source.Null && d.Templates {
			continue
		}
		e := Named[T]{Name: f.Key}
		d.Decode(f.Value, fmt.Sprintf("%s %q", strings.TrimSuffix(what, "s"), f.Key.Value), &e.Value)
		if f.Value.Kind != source.Null {
			*m = append(*m, e)
		}
	}
}

// all yields the entries by their names.
func (m Map[T]) all(yield func(name string, value T) bool) {
	for _, e := range m {
		if !yield(e.Name.Value, e.Value) {
			return
		}
	}
}

// NamedTexts are words with names.
type NamedTexts []Named[source.Text]

func (v *NamedTexts) DecodeNode(d source.Decoder, n *source.Node, what string) {
	(*Map[source.Text])(v).DecodeNode(d, n, what)
}

// Map returns the words by their names.
func (v NamedTexts) Map() map[string]string {
	out := map[string]string{}
	for _, t := range v {
		out[t.Name.Value] = t.Value.Value
	}
	return out
}

// Texts are the values of a list of texts.
func Texts(list []source.Text) []string {
	return slice.Map(list, func(t source.Text) string { return t.Value })
}

// A scalar says how words are read as values of a type. The error completes "KEY …".
type scalar struct {
	read func(s string) (any, error)
	hint string
}

// scalars are notations, by the names of types or by names of their own.
var scalars = map[string]scalar{
	"string": {func(s string) (any, error) { return s, nil }, ""},
	"bool":   {readBool, ""},
	"float64": {func(s string) (any, error) {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return nil, fmt.Errorf("must be a number, not %q", s)
		}
		return n, nil
	}, ""},
	"int":   {wholeNumber, "write digits alone"},
	"int64": {wholeNumber, "write digits alone"},
	"port":  {wholeNumber, "write the port in the container, such as 8080: none is published on this machine"},
	"Duration": {func(s string) (any, error) {
		q, err := quantity(s, expr.Time, "a time", 1e6)
		return time.Duration(math.Round(q * 1e9)), err
	}, "write a number with a unit, such as 500ms, 10s or 2m"},
	"memory": {func(s string) (any, error) { // as Compose writes it, in powers of 1024: 256m, 1g
		n, err := units.RAMInBytes(s)
		if err != nil {
			return nil, fmt.Errorf("must be a size, not %q", s)
		}
		return n, nil
	}, "write a number with a unit, such as 256m or 1g"},
	"size": {func(s string) (any, error) { // of data, as expressions write it
		q, err := quantity(s, expr.Size, "a size", 1e15)
		return int64(math.Round(q)), err
	}, "write a number with a unit, such as 1256B, 64kB or 1MiB"},
	"share": {func(s string) (any, error) { return share(s) }, shareHint},
	"effect": {func(s string) (any, error) {
		q, err := share(s)
		if err == nil && (q <= 0 || q >= 10) {
			err = errors.New("must be more than 0 and less than 1000 %")
		}
		return q, err
	}, shareHint},
	"rate": {func(s string) (any, error) {
		q, err := quantity(s, expr.Rate, "a rate", 1e15)
		return q, err
	}, "write a number per second, such as 500/s"},
}

// decode reads a value. It is false for a template and after a problem.
func (s scalar) decode(d source.Decoder, n *source.Node, what string) (any, bool) {
	if !d.Kind(n, what, source.Scalar) || d.Templated(n) {
		return nil, false
	}
	value, err := s.read(n.Text.Value)
	if err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = s.hint
	}
	return value, err == nil
}

const shareHint = "write a percentage, such as 5%, or a number, such as 0.05"

// share reads a part of one.
func share(s string) (float64, error) {
	q, err := quantity(s, expr.Share, "a share", 1e15)
	if err == nil && q > 1 && !strings.HasSuffix(s, "%") {
		err = fmt.Errorf("must be a share, and %s is %g%%", s, 100*q)
	}
	return q, err
}

func wholeNumber(s string) (any, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, fmt.Errorf("must be a whole number, not %q", s)
	}
	return n, nil
}

func readBool(s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return nil, fmt.Errorf("must be true or false, not %q", s)
}

// quantity reads a number with a unit of a dimension, in its base unit.
func quantity(s string, want expr.Dimension, what string, most float64) (float64, error) {
	q, err := expr.ParseQuantity(s)
	switch {
	case err != nil || !q.Unit.Dimension.Like(want):
		return 0, fmt.Errorf("must be %s, not %q", what, s)
	case math.Abs(q.Value) > most:
		return 0, errors.New("is too much: " + strconv.Quote(s))
	}
	return q.Value, nil
}
