package expr

// Type is the type of a value before anything is measured. A list has the type of its values.
type Type struct {
	Kind      Kind // KindAny for parameters, which are texts that may read as anything
	Dimension Dimension
}

// unknown returns a value of which only the type is known.
func (t Type) unknown() Value { return Value{Kind: t.Kind, Dimension: t.Dimension, Unknown: true} }

// Check evaluates n with types in place of the values of selectors, and so reports errors that Eval would return with
// any values: unlike dimensions, and values of the wrong kind. The types of selectors come from typeOf; Check gives its
// errors the place of the selector unless they have one.
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

// Call checks the arguments of any function, whose operands must be alike.
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
