package expr

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Env provides the values of names. An *Error that it returns points into the evaluated source. Eval gives any other
// error the place of the node, even one that wraps an *Error about another source.
type Env interface {
	// Select returns the value of s: a single one, or a list if s matches several cells.
	Select(s *Selector) (Value, error)
	// Call returns the value of a function that needs cells, such as ratio or published. c.Args are not evaluated. It
	// returns an error for a function that is not available here.
	Call(c *Call) (Value, error)
}

// nothing is the Env of constants.
type nothing struct{}

func (nothing) Select(s *Selector) (Value, error) {
	return Value{}, &Error{Span: s.Span, Msg: fmt.Sprintf("unknown name %q", s.Name), Err: ErrUnknownName}
}

func (nothing) Call(c *Call) (Value, error) {
	return Value{}, fmt.Errorf("the function %s is not available here", c.Name)
}

// Eval computes n; a nil env allows constants only. It evaluates the right side of "and" and "or" only if it matters.
// min, max, mean, geomean, median and count reduce a list; everything else needs single values.
//
// The error is an *Error at the part that cannot be computed: unlike dimensions, a division by zero, a list where one
// value is needed, or an error of env.
func Eval(n Node, env Env) (Value, error) {
	if env == nil {
		env = nothing{}
	}
	v, err := eval(n, env)
	if err != nil {
		return Value{}, placed(n.Pos(), err)
	}
	return v, nil
}

func eval(n Node, env Env) (Value, error) {
	switch n := n.(type) {
	case *Quantity:
		return NumberOf(n.Value, n.Unit.Dimension), nil
	case *String:
		return TextOf(n.Value), nil
	case *Bool:
		return TruthOf(n.Value), nil
	case *Selector:
		return env.Select(n)
	case *Call:
		return call(n, env)
	case *Unary:
		return unary(n, env)
	case *Binary:
		if n.Op == And || n.Op == Or {
			return logic(n, env)
		}
		return binary(n, env)
	}
	return Value{}, fmt.Errorf("no rule to evaluate %T", n)
}

func call(c *Call, env Env) (Value, error) {
	if isCheck(env) || !IsReduction(c.Name) {
		return env.Call(c)
	}
	arg, err := Eval(c.Args[0], env)
	if err != nil {
		return Value{}, err
	}
	items := arg.List
	if arg.Kind != KindList {
		items = []Value{arg}
	}
	if c.Name == "count" {
		return NumberOf(float64(len(items)), Plain), nil
	}
	if len(items) == 0 {
		return Value{}, fmt.Errorf("the %s of an empty list", c.Name)
	}
	xs := make([]float64, len(items))
	var dimension Dimension
	for i, item := range items {
		x, ok := item.asNumber()
		if !ok {
			return Value{}, fmt.Errorf("%s needs numbers, not %s", c.Name, item.kindOf())
		}
		if i == 0 {
			dimension = x.Dimension
		} else if !x.Dimension.Like(dimension) {
			return Value{}, unlike(dimension, x.Dimension)
		}
		xs[i] = x.Number
	}
	if c.Name == "geomean" && slices.Min(xs) <= 0 {
		return Value{}, errors.New("the geometric mean needs values above zero")
	}
	return finite(reductions[c.Name](xs), dimension)
}

// finite returns x, or an error if it is infinite or NaN.
func finite(x float64, d Dimension) (Value, error) {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return Value{}, errors.New("the result is not a finite number")
	}
	return NumberOf(x, d), nil
}

func unary(n *Unary, env Env) (Value, error) {
	if n.Op == Not {
		x, err := truth(n.X, env)
		x.Truth = !x.Truth
		return x, err
	}
	x, err := number(n.X, env)
	x.Number = -x.Number
	return x, err
}

func logic(n *Binary, env Env) (Value, error) {
	x, err := truth(n.X, env)
	if err != nil || x.Truth == (n.Op == Or) && !isCheck(env) {
		return x, err
	}
	return truth(n.Y, env)
}

func truth(n Node, env Env) (Value, error) {
	v, err := Eval(n, env)
	if err != nil {
		return Value{}, err
	}
	x, ok := v.asTruth()
	if !ok {
		return Value{}, errorAt(n.Pos(), "%s is %s, neither true nor false", n, v.kindOf()).hint("compare it with something")
	}
	return x, nil
}

func number(n Node, env Env) (Value, error) {
	v, err := single(n, env)
	if err != nil {
		return Value{}, err
	}
	x, ok := v.asNumber()
	if !ok {
		return Value{}, errorAt(n.Pos(), "expected a number, found %s", v.kindOf())
	}
	return x, nil
}

func single(n Node, env Env) (Value, error) {
	v, err := Eval(n, env)
	if err == nil && v.Kind == KindList {
		err = errorAt(n.Pos(), "%s is %s, but one value is needed", n, v.kindOf()).
			hint("pick one in braces, or reduce it by min max mean geomean median or count")
	}
	return v, err
}

func binary(n *Binary, env Env) (Value, error) {
	side := number
	if n.Op.IsComparison() {
		side = single
	}
	a, err := side(n.X, env)
	if err != nil {
		return Value{}, err
	}
	b, err := side(n.Y, env)
	if err != nil {
		return Value{}, err
	}
	if n.Op.IsComparison() {
		holds, err := compareValues(n.Op, a, b)
		return TruthOf(holds), err
	}
	if either(KindAny, a, b) {
		return Type{}.unknown(), nil
	}
	d, err := combine(n.Op, a.Dimension, b.Dimension)
	switch {
	case err != nil:
		return Value{}, err
	case n.Op == Div && b.Number == 0 && !b.Unknown:
		return Value{}, errorAt(n.Y.Pos(), "division by zero")
	case a.Unknown || b.Unknown:
		return Type{KindNumber, d}.unknown(), nil
	}
	x := a.Number / b.Number
	switch n.Op {
	case Add:
		x = a.Number + b.Number
	case Sub:
		x = a.Number - b.Number
	case Mul:
		x = a.Number * b.Number
	}
	return finite(x, d)
}

// combine returns the dimension of the result of an arithmetic operator.
func combine(op Op, a, b Dimension) (Dimension, error) {
	rule, problem := Dimension.plus, "cannot add a %[2]s to a %[1]s"
	switch op {
	case Sub:
		problem = "cannot subtract a %[2]s from a %[1]s"
	case Mul:
		rule, problem = Dimension.times, "cannot multiply a %[1]s by a %[2]s"
	case Div:
		rule, problem = Dimension.over, "cannot divide a %[1]s by a %[2]s"
	}
	d, ok := rule(a, b)
	if !ok {
		return 0, fmt.Errorf(problem, a, b)
	}
	return d, nil
}

// Type is what is known of a value before measuring. A list has the type of its values.
type Type struct {
	Kind      Kind // KindAny for parameters: texts that may read as anything
	Dimension Dimension
}

// unknown returns a value of which only the type is known.
func (t Type) unknown() Value { return Value{Kind: t.Kind, Dimension: t.Dimension, Unknown: true} }

// Check evaluates n with the types of selectors instead of their values. So it finds errors that Eval would return for
// any values: unlike dimensions, and values of the wrong kind. Check gives errors of typeOf the place of the selector
// unless they have one.
//
// The error is an *Error at the first part that is wrong.
func Check(n Node, typeOf func(*Selector) (Type, error)) (Type, error) {
	v, err := Eval(n, types(typeOf))
	return Type{v.Kind, v.Dimension}, err
}

// types is the Env of Check.
type types func(*Selector) (Type, error)

func isCheck(env Env) bool {
	_, ok := env.(types)
	return ok
}

func (t types) Select(s *Selector) (Value, error) {
	is, err := t(s)
	return is.unknown(), err
}

// Call checks the arguments of any function. All operands must be alike.
func (t types) Call(n *Call) (Value, error) {
	f := functions[n.Name]
	var first Value
	for i, arg := range n.Args {
		if f.params[i] == operator {
			continue
		}
		v, err := Eval(arg, t)
		if err != nil {
			return Value{}, err
		}
		if i == 0 {
			first = v
		}
		switch {
		case v.Kind == KindBool && n.Name != "count":
			return Value{}, errorAt(arg.Pos(), "%s needs numbers", n.Name)
		case v.Kind != KindNumber:
		case f.params[i] == factor && !v.Dimension.isPure():
			return Value{}, errorAt(arg.Pos(), "expected a plain number or a share, found a %s", v.Dimension)
		case f.params[i] == operand && first.Kind == KindNumber && !v.Dimension.Like(first.Dimension):
			return Value{}, unlike(first.Dimension, v.Dimension)
		}
	}
	if f.result == likeFirst || n.isList() {
		return Type{first.Kind, first.Dimension}.unknown(), nil
	}
	return f.result.unknown(), nil
}
