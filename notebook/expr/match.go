package expr

import "fmt"

// MatchText reports whether actual, the text of a parameter, fulfils a match such as {workers>"2"}: whether actual
// stands to pattern as op says. Op is one of a Match; == is the same as =.
//
// Texts are equal if they are the same or read as quantities of the same value, so 10MB, 10000kB and 010MB are equal,
// but 10 and 10s are not. An empty actual is a parameter that a cell does not have: it differs from every pattern but
// the empty one, and is never smaller or larger than another.
//
// It is an error to ask which is larger of what are not quantities of like dimensions.
//
// Source: docs/expressions.md#grammar.
func MatchText(op Op, pattern, actual string) (bool, error) {
	if op == Equal {
		op = Same
	}
	if !op.IsComparison() {
		return false, fmt.Errorf("%q does not compare texts", op)
	}
	return compareTexts(op, actual, pattern)
}

// compareTexts compares left with right by the rules of MatchText.
func compareTexts(op Op, left, right string) (bool, error) {
	if left == right && !op.IsOrdering() {
		return op == Same, nil
	}
	a, aok := TextOf(left).asNumber()
	b, bok := TextOf(right).asNumber()
	if !op.IsOrdering() {
		same := aok && bok && a.Dimension.Like(b.Dimension) && a.Number == b.Number
		return same == (op == Same), nil
	}
	if left == "" || right == "" {
		return false, nil
	}
	if !aok {
		return false, notOrdered(op, TextOf(left))
	}
	if !bok {
		return false, notOrdered(op, TextOf(right))
	}
	return compareNumbers(op, a, b)
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

// compareValues compares any two values but lists. Texts, the parameters among them, follow
// the rules of MatchText also where the other side is a number or a truth value.
func compareValues(op Op, a, b Value) (bool, error) {
	switch {
	case a.Kind == KindNumber && b.Kind == KindNumber:
		return compareNumbers(op, a, b)
	case a.Kind == KindString && b.Kind == KindString:
		return compareTexts(op, a.Text, b.Text)
	case a.Kind == KindBool || b.Kind == KindBool:
		return compareTruths(op, a, b)
	}
	return compareMixed(op, a, b)
}

// compareMixed compares a text with a number, or a number with a text.
func compareMixed(op Op, a, b Value) (bool, error) {
	x, xok := a.asNumber()
	y, yok := b.asNumber()
	switch {
	case xok && yok && (op.IsOrdering() || x.Dimension.Like(y.Dimension)):
		return compareNumbers(op, x, y)
	case !op.IsOrdering():
		return op == Differs, nil
	case a.Kind == KindString && a.Text == "" || b.Kind == KindString && b.Text == "":
		return false, nil
	case !xok:
		return false, notOrdered(op, a)
	}
	return false, notOrdered(op, b)
}

// compareTruths compares two values one of which is a truth value.
func compareTruths(op Op, a, b Value) (bool, error) {
	if op.IsOrdering() {
		return false, fmt.Errorf("%s needs quantities, not truth values", op)
	}
	if a.Kind == KindNumber || b.Kind == KindNumber {
		return false, fmt.Errorf("cannot compare %s with %s", a.kindOf(), b.kindOf())
	}
	return (a.String() == b.String()) == (op == Same), nil
}
