package article

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Expression is a parsed expression of package expr and its text.
type Expression struct {
	Node expr.Node
	Text source.Text
}

// Named is an entry of a mapping whose keys the author chooses.
type Named[T any] struct {
	Name  source.Text
	Value T
}

// Get returns the value with a name, and whether there is one.
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

// ParseExpression parses t as an expression. After a mistake, which becomes a problem, it returns nil.
func ParseExpression(t source.Text, problems *source.Problems) expr.Node {
	node, err := expr.Parse(t.Value)
	if err != nil {
		AddExprError(t, err, problems)
		return nil
	}
	return node
}

// AddExprError adds an error of package expr about the text t as a problem at its place in t.
func AddExprError(t source.Text, err error, problems *source.Problems) *source.Problem {
	e, ok := errors.AsType[*expr.Error](err)
	if !ok {
		return problems.Add("bad-expression", t.Pos, "%v", err)
	}
	p := problems.Add("bad-expression", t.At(e.Span.Start, e.Span.End), "%s", e.Msg)
	p.Hint = e.Hint
	return p
}

// Map is a mapping whose keys the author chooses, in the order written.
type Map[T any] []Named[T]

// DecodeNode decodes the entries. Null removes an inherited entry.
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

// NamedTexts is a mapping of texts.
type NamedTexts = Map[source.Text]

// TextsByName returns the values of texts by their names.
func TextsByName(list []Named[source.Text]) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[t.Name.Value] = t.Value.Value
	}
	return out
}

// Texts returns the values of a list of texts.
func Texts(list []source.Text) []string {
	return slice.Map(list, func(t source.Text) string { return t.Value })
}

// scalar returns the notation of a single word that read parses. Errors of read follow the name of the key in messages.
func scalar[T any](hint string, read func(s string) (T, error)) notation {
	return func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		if !d.Kind(n, what, source.Scalar) || d.Templated(n) {
			return
		}
		value, err := read(n.Text.Value)
		if err != nil {
			d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = hint
			return
		}
		v.Set(reflect.ValueOf(value).Convert(v.Type()))
	}
}

const shareHint = "write a percentage, such as 5%, or a number, such as 0.05"

// scalars are notations of single words, by type or by a name of their own.
var scalars = source.Notations{
	"bool": scalar("", readBool),
	"float64": scalar("", func(s string) (float64, error) {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return 0, fmt.Errorf("must be a number, not %q", s)
		}
		return n, nil
	}),
	"int":   scalar("write digits alone", wholeNumber),
	"int64": scalar("write digits alone", wholeNumber),
	"port":  scalar("write the port in the container, such as 8080: none is published on this machine", wholeNumber),
	"Duration": scalar("write a number with a unit, such as 500ms, 10s or 2m", func(s string) (time.Duration, error) {
		q, err := quantity(s, expr.Time, "a time", 1e6)
		return time.Duration(math.Round(q * 1e9)), err
	}),
	// sizes of memory as in Compose, in powers of 1024: 256m, 1g
	"memory": scalar("write a number with a unit, such as 256m or 1g", func(s string) (int64, error) {
		n, err := units.RAMInBytes(s)
		if err != nil {
			err = fmt.Errorf("must be a size, not %q", s)
		}
		return n, err
	}),
	// sizes of data as in expressions
	"size": scalar("write a number with a unit, such as 1256B, 64kB or 1MiB", func(s string) (int64, error) {
		q, err := quantity(s, expr.Size, "a size", 1e15)
		return int64(math.Round(q)), err
	}),
	"rate": scalar("write a number per second, such as 500/s", func(s string) (float64, error) {
		return quantity(s, expr.Rate, "a rate", 1e15)
	}),
	"share": scalar(shareHint, share),
	"effect": scalar(shareHint, func(s string) (float64, error) {
		q, err := share(s)
		if err == nil && (q <= 0 || q >= 10) {
			err = errors.New("must be more than 0 and less than 1000 %")
		}
		return q, err
	}),
}

// share parses a share: a percentage, or a number up to 1.
func share(s string) (float64, error) {
	q, err := quantity(s, expr.Share, "a share", 1e15)
	if err == nil && q > 1 && !strings.HasSuffix(s, "%") {
		err = fmt.Errorf("must be a share, and %s is %g%%", s, 100*q)
	}
	return q, err
}

func wholeNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		err = fmt.Errorf("must be a whole number, not %q", s)
	}
	return n, err
}

func readBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("must be true or false, not %q", s)
}

// quantity parses a number with a unit of a dimension, and returns it in the base unit.
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
