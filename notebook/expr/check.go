package expr

import "fmt"

// Type is the type of a value before anything is measured. A list has the type of its values.
type Type struct {
	Kind      Kind // KindAny for parameters, which are texts that may read as anything
	Dimension Dimension
}

// Check returns the type of n without its values, and reports errors that Eval would return with any values: unlike
// dimensions, and values of the wrong kind. The types of selectors come from typeOf; Check gives its errors the place of
// the selector unless they have one.
//
// The error is an *Error at the first part that is wrong.
func Check(n Node, typeOf func(*Selector) (Type, error)) (Type, error) {
	t, err := checker(typeOf).check(n)
	if err != nil {
		return Type{}, placed(n.Pos(), err)
	}
	return t, nil
}

type checker func(*Selector) (Type, error)

func (c checker) check(n Node) (Type, error) {
	switch n := n.(type) {
	case *Quantity:
		return Type{KindNumber, n.Unit.Dimension}, nil
	case *String:
		return stringType, nil
	case *Bool:
		return boolType, nil
	case *Selector:
		return c(n)
	case *Call:
		return c.call(n)
	case *Unary:
		if n.Op == Not {
			return boolType, c.want(n.X, KindBool)
		}
		return c.number(n.X)
	case *Binary:
		return c.binary(n)
	}
	return Type{}, fmt.Errorf("no rule to check %T", n)
}

func (c checker) binary(n *Binary) (Type, error) {
	switch {
	case n.Op == And || n.Op == Or:
		if err := c.want(n.X, KindBool); err != nil {
			return Type{}, err
		}
		return boolType, c.want(n.Y, KindBool)
	case n.Op.IsComparison():
		return boolType, c.comparison(n)
	}
	a, err := c.number(n.X)
	if err != nil {
		return Type{}, err
	}
	b, err := c.number(n.Y)
	if err != nil || a.Kind == KindAny || b.Kind == KindAny {
		return Type{}, err
	}
	d, err := combine(n.Op, a.Dimension, b.Dimension)
	return Type{KindNumber, d}, err
}

func (c checker) comparison(n *Binary) error {
	a, err := Check(n.X, c)
	if err != nil {
		return err
	}
	b, err := Check(n.Y, c)
	if err != nil {
		return err
	}
	switch {
	case n.Op.IsOrdering() && (a.Kind == KindBool || b.Kind == KindBool):
		return fmt.Errorf("%s needs quantities, not truth values", n.Op)
	case a.Kind == KindNumber && b.Kind == KindNumber:
		if !a.Dimension.Like(b.Dimension) {
			return unlike("compare", a.Dimension, b.Dimension)
		}
	case a.Kind == KindNumber && b.Kind == KindBool, a.Kind == KindBool && b.Kind == KindNumber:
		return fmt.Errorf("cannot compare a number with a truth value")
	}
	return nil
}

// number checks an operand of arithmetic.
func (c checker) number(n Node) (Type, error) {
	return c.kind(n, KindNumber)
}

func (c checker) want(n Node, kind Kind) error {
	_, err := c.kind(n, kind)
	return err
}

// kind checks n, which must be of a kind. A text may read as a number or a truth value; a literal
// text is read here.
func (c checker) kind(n Node, kind Kind) (Type, error) {
	t, err := Check(n, c)
	if err != nil {
		return Type{}, err
	}
	if s, ok := n.(*String); ok {
		v := TextOf(s.Value)
		x, isNumber := v.asNumber()
		_, isTruth := v.asTruth()
		switch {
		case kind == KindNumber && isNumber:
			return Type{KindNumber, x.Dimension}, nil
		case kind == KindBool && isTruth:
			return boolType, nil
		}
		return Type{}, errorAt(n.Pos(), "expected %s, found %s", kindNames[kind], v.kindOf())
	}
	if t.Kind == KindString {
		return Type{}, nil
	}
	if t.Kind != kind && t.Kind != KindAny {
		return Type{}, errorAt(n.Pos(), "expected %s, found %s", kindNames[kind], kindNames[t.Kind])
	}
	return t, nil
}

var kindNames = map[Kind]string{
	KindNumber: "a number", KindString: "a text", KindBool: "something that is true or false", KindList: "a list",
}

// call checks the arguments of a function, whose operands must be alike.
func (c checker) call(n *Call) (Type, error) {
	f := functions[n.Name]
	var first Type
	for i, arg := range n.Args {
		if f.params[i] == operator {
			continue
		}
		t, err := Check(arg, c)
		if err != nil {
			return Type{}, err
		}
		switch {
		case t.Kind == KindBool && n.Name != "count":
			return Type{}, errorAt(arg.Pos(), "%s needs numbers", n.Name)
		case i == 0:
			first = t
		}
		if t.Kind != KindNumber {
			continue
		}
		switch {
		case f.params[i] == factor && !t.Dimension.isPure():
			return Type{}, errorAt(arg.Pos(), "expected a plain number or a share, found a %s", t.Dimension)
		case f.params[i] == operand && first.Kind == KindNumber && !t.Dimension.Like(first.Dimension):
			return Type{}, unlike("compare", first.Dimension, t.Dimension)
		}
	}
	if n.isList() {
		f.result = likeFirst
	}
	if f.result == likeFirst {
		return first, nil
	}
	return f.result, nil
}
