package expr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MatchText reports whether actual, the text of a parameter, satisfies a match such as {workers>"2"}. Op is the
// operator of a Match; == is the same as =.
//
// Texts are equal if they are the same or read as quantities of the same value, so 10MB, 10000kB and 010MB are equal,
// but 10 and 10s are not. An empty actual is a parameter that a cell lacks: it differs from every pattern but the empty
// one, and is never smaller or larger.
//
// It is an error to order anything but quantities of like dimensions.
//
// Source: docs/expressions.md#grammar.
func MatchText(op Op, pattern, actual string) (bool, error) {
	if op == Equal {
		op = Same
	}
	if !op.IsComparison() {
		return false, fmt.Errorf("%q does not compare texts", op)
	}
	return compareValues(op, TextOf(actual), TextOf(pattern))
}

// compareValues compares any two values except lists. Texts follow the rules of MatchText, even against a number or a
// truth value.
func compareValues(op Op, a, b Value) (bool, error) {
	switch {
	case either(KindBool, a, b):
		return compareTruths(op, a, b)
	case either(KindAny, a, b):
		return false, nil
	}
	isText := either(KindString, a, b)
	if isText && a.Kind == b.Kind && a.Text == b.Text && !op.IsOrdering() {
		return op == Same, nil
	}
	x, xok := a.asNumber()
	y, yok := b.asNumber()
	if xok && yok && (!isText || op.IsOrdering() || x.Dimension.Like(y.Dimension)) {
		return compareNumbers(op, x, y)
	}
	switch {
	case !op.IsOrdering():
		return op == Differs, nil
	case slices.ContainsFunc([]Value{a, b}, Value.isAbsent):
		return false, nil
	case xok:
		a = b // b is not a quantity
	}
	return false, fmt.Errorf("%s needs quantities, not %s", op, a.kindOf())
}

// isAbsent reports whether v is a parameter that a cell lacks.
func (v Value) isAbsent() bool { return v.Kind == KindString && v.Text == "" }

func either(k Kind, a, b Value) bool { return a.Kind == k || b.Kind == k }

// compareTruths compares two values, at least one of which is a truth value.
func compareTruths(op Op, a, b Value) (bool, error) {
	if op.IsOrdering() {
		return false, fmt.Errorf("%s needs quantities, not truth values", op)
	}
	if either(KindNumber, a, b) {
		return false, fmt.Errorf("cannot compare %s with %s", a.kindOf(), b.kindOf())
	}
	return (a.String() == b.String()) == (op == Same), nil
}

func unlike(a, b Dimension) error { return fmt.Errorf("cannot compare a %s with a %s", a, b) }

// orders are the results of cmp.Compare that make a comparison true.
var orders = map[Op][]int{Less: {-1}, LessEqual: {-1, 0}, Greater: {1}, GreaterEqual: {1, 0}, Same: {0}, Differs: {-1, 1}}

// compareNumbers compares a with b. Unlike dimensions are an error.
func compareNumbers(op Op, a, b Value) (bool, error) {
	if !a.Dimension.Like(b.Dimension) {
		return false, unlike(a.Dimension, b.Dimension)
	}
	return slices.Contains(orders[op], cmp.Compare(a.Number, b.Number)), nil
}

// Where reports whether a trial, cell or row satisfies n, a filter as in where, --only and calibrate. A name is a
// parameter, a label, a column or experiment, whose text lookup returns; texts compare as in MatchText.
//
// Lookup returns an empty text and true for a name that only others have, and false for an unknown one. The first
// unknown name, even behind an "or", is an *Error with the cause ErrUnknownName. Any other *Error says where n is not a
// condition on texts.
func Where(n Node, lookup func(name string) (string, bool)) (bool, error) {
	for _, s := range Selectors(n) {
		if len(s.Matches) > 0 {
			return false, errorAt(s.Span, "a filter compares names, and has no braces").hint(`write server == "async"`)
		}
		if _, known := lookup(s.Name); !known {
			hint := fmt.Sprintf("if it is a value, quote it: %q", s.Name)
			if short, ok := strings.CutPrefix(s.Name, "matrix."); ok {
				hint = "write " + short
			}
			return false, &Error{Span: s.Span, Msg: fmt.Sprintf("unknown name %q", s.Name), Hint: hint, Err: ErrUnknownName}
		}
	}
	v, err := truth(n, texts(lookup))
	return v.Truth, err
}

// texts is the Env of a filter.
type texts func(name string) (string, bool)

func (t texts) Select(s *Selector) (Value, error) {
	text, _ := t(s.Name)
	return TextOf(text), nil
}

func (t texts) Call(c *Call) (Value, error) { return nothing{}.Call(c) }
