package expr

import (
	"maps"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"benchbook/notebook/stats"
)

type parameter int

const (
	operand  parameter = iota // a value or a list; all operands of a call are alike
	factor                    // a plain number or a share
	operator                  // a comparison, as a string
	selector                  // a selector
)

// function describes a function for Parse and Check.
type function struct {
	usage    string
	params   []parameter
	optional int  // how many of the last params may be left out
	result   Type // likeFirst: as the first argument
}

var (
	plainNumber = Type{Kind: KindNumber}
	boolType    = Type{Kind: KindBool}
	likeFirst   = Type{Kind: KindAny}
)

// functions are the functions of the language, by name. Eval computes reductions, the Env all others.
var functions = map[string]function{
	"ratio":     {`ratio(a, b)`, []parameter{operand, operand}, 0, plainNumber},
	"min":       {`min(list)`, []parameter{operand}, 0, likeFirst},
	"max":       {`max(list)`, []parameter{operand}, 0, likeFirst},
	"mean":      {`mean(list)`, []parameter{operand}, 0, likeFirst},
	"geomean":   {`geomean(list)`, []parameter{operand}, 0, likeFirst},
	"median":    {`median(list)`, []parameter{operand}, 0, likeFirst},
	"count":     {`count(list)`, []parameter{operand}, 0, plainNumber},
	"every":     {`every(a, "<", b) or every(a) < 10ms`, []parameter{operand, operator, operand}, 2, boolType},
	"same":      {`same(a, b)`, []parameter{operand, operand}, 0, boolType},
	"within":    {`within(a, b, 10%)`, []parameter{operand, operand, factor}, 0, boolType},
	"about":     {`about(a, b, 2) or about(a, b, 2, 25%)`, []parameter{operand, operand, factor, factor}, 1, boolType},
	"fewer":     {`fewer(a, b) or fewer(a, b, 0.1%)`, []parameter{operand, operand, factor}, 1, boolType},
	"published": {`published(a)`, []parameter{selector}, 0, likeFirst},
}

// checkCall fails unless c calls a known function with arguments of the right number and shape.
func checkCall(c *Call, name Span) {
	f, ok := functions[c.Name]
	if !ok {
		usage := func(known string) string { return functions[known].usage }
		fail(name, "unknown function "+strconv.Quote(c.Name), didYouMean(c.Name, slices.Sorted(maps.Keys(functions)), usage,
			"functions are ratio min max mean geomean median count every same within about fewer published"))
	}
	if b := c.compared(); b != nil {
		fail(c.Span, "a comparison inside every", "write every("+b.X.String()+") "+string(b.Op)+" "+b.Y.String())
	}
	if n := len(c.Args); n > len(f.params) || n < len(f.params)-f.optional || c.Name == "every" && n == 2 {
		fail(c.Span, "wrong number of arguments for "+c.Name+": "+strconv.Itoa(len(c.Args)), "write "+f.usage)
	}
	for i, arg := range c.Args {
		switch f.params[i] {
		case operator:
			if s, ok := arg.(*String); !ok || !Op(s.Value).IsComparison() {
				fail(arg.Pos(), "expected a comparison in quotes, found "+arg.String(), "write "+f.usage)
			}
		case selector:
			if _, ok := arg.(*Selector); !ok {
				fail(arg.Pos(), "expected a metric, found "+arg.String(), "write "+f.usage)
			}
		}
	}
}

// isList reports whether n is a list to compare with a limit, as every(a) in every(a) < 10ms.
func (n *Call) isList() bool { return n.Name == "every" && len(n.Args) == 1 }

// compared returns the comparison in every(a < 10ms), which belongs outside; nil if there is none.
func (n *Call) compared() *Binary {
	if !n.isList() {
		return nil
	}
	if b, ok := n.Args[0].(*Binary); ok && b.Op.IsComparison() {
		return b
	}
	return nil
}

// reductions compute one number from at least one, in the same unit.
var reductions = map[string]func(xs []float64) float64{
	"min":     slices.Min[[]float64],
	"max":     slices.Max[[]float64],
	"mean":    mean,
	"geomean": func(xs []float64) float64 { return stat.GeometricMean(xs, nil) },
	"median":  stats.Median,
}

// IsReduction reports whether a function reduces a list to one number.
func IsReduction(name string) bool { return reductions[name] != nil || name == "count" }

// IsArithmetic reports whether a function computes from numbers alone, wherever they come from.
func IsArithmetic(name string) bool { return IsReduction(name) || name == "ratio" }

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
