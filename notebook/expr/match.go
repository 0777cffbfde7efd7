package expr

import "fmt"

// MatchText reports whether actual, the text of a parameter, fulfils a match such as {workers>"2"}. Op is the operator
// of a Match; == is the same as =.
//
// Texts are equal if they are the same or read as quantities of the same value, so 10MB, 10000kB and 010MB are equal,
// but 10 and 10s are not. An empty actual is a parameter that a cell does not have: it differs from every pattern but
// the empty one, and is never smaller or larger than another.
//
// Ordering anything but quantities of like dimensions is an error.
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

// compareValues compares any two values but lists. Texts follow the rules of MatchText, also with a number or a truth
// value on the other side.
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
	if !op.IsOrdering() {
		return op == Differs, nil
	}
	return unordered(op, a, b, xok)
}

func either(k Kind, a, b Value) bool { return a.Kind == k || b.Kind == k }

// unordered is the result of ordering two values that are not both quantities: false for an empty text, else an error
// about the one that is not a quantity.
func unordered(op Op, a, b Value, aIsNumber bool) (bool, error) {
	switch {
	case a.Kind == KindString && a.Text == "" || b.Kind == KindString && b.Text == "":
		return false, nil
	case !aIsNumber:
		return false, notOrdered(op, a)
	}
	return false, notOrdered(op, b)
}

// compareTruths compares two values, at least one of them a truth value.
func compareTruths(op Op, a, b Value) (bool, error) {
	if op.IsOrdering() {
		return false, fmt.Errorf("%s needs quantities, not truth values", op)
	}
	if either(KindNumber, a, b) {
		return false, fmt.Errorf("cannot compare %s with %s", a.kindOf(), b.kindOf())
	}
	return (a.String() == b.String()) == (op == Same), nil
}

func notOrdered(op Op, v Value) error {
	return fmt.Errorf("%s needs quantities, not %s", op, v.kindOf())
}

func unlike(verb string, a, b Dimension) error {
	return fmt.Errorf("cannot %s a %s with a %s", verb, a, b)
}

// compareNumbers compares a with b; it is an error if they are of unlike dimensions.
func compareNumbers(op Op, a, b Value) (bool, error) {
	if !a.Dimension.Like(b.Dimension) {
		return false, unlike("compare", a.Dimension, b.Dimension)
	}
	x, y := a.Number, b.Number
	switch op {
	case Less:
		return x < y, nil
	case LessEqual:
		return x <= y, nil
	case Greater:
		return x > y, nil
	case GreaterEqual:
		return x >= y, nil
	case Same:
		return x == y, nil
	}
	return x != y, nil
}
