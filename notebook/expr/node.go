package expr

import (
	"strconv"
	"strings"
	"unicode"

	"benchbook/internal/slice"
)

// Node is a part of an expression: *Quantity, *String, *Bool, *Selector, *Call, *Unary or *Binary.
type Node interface {
	// Pos returns the bytes that the node was read from, without surrounding parentheses.
	Pos() Span
	// String returns canonical source, which parses to the same tree.
	String() string

	place(Span)
}

// Op is an operator as written.
type Op string

// The operators. Unary nodes have Not or Sub, a Match has Equal or a comparison except Same, and Binary nodes have all
// except Not and Equal.
const (
	Or           Op = "or"
	And          Op = "and"
	Not          Op = "not"
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Same         Op = "=="
	Differs      Op = "!="
	Add          Op = "+"
	Sub          Op = "-"
	Mul          Op = "*"
	Div          Op = "/"
	Equal        Op = "="
)

// IsComparison reports whether o is one of < <= > >= == and !=.
func (o Op) IsComparison() bool { return precedence[o] == precedence[Less] }

// IsOrdering reports whether o compares sizes, unlike == and !=.
func (o Op) IsOrdering() bool { return o.IsComparison() && o != Same && o != Differs }

// precedence says how tightly binary operators bind: the larger, the tighter.
var precedence = map[Op]int{
	Or:   1,
	And:  2,
	Less: 4, LessEqual: 4, Greater: 4, GreaterEqual: 4, Same: 4, Differs: 4,
	Add: 5, Sub: 5,
	Mul: 6, Div: 6,
}

// Precedence of all other nodes. "not" lies between "and" and the comparisons.
const (
	bindsNot     = 3
	bindsCompare = 4
	bindsSign    = 7
	bindsPrimary = 8
)

// Quantity is a number with or without a unit: 5, 100ms, 0.1%, 529.13/s.
type Quantity struct {
	Span
	Value float64 // in the base unit
	Unit  Unit    // as written; zero without one
	Text  string  // as written: 3.10 stays 3.10
}

// String is a text that was in single or double quotes.
type String struct {
	Span
	Value string // without the quotes
}

// Bool is true or false.
type Bool struct {
	Span
	Value bool
}

// Selector names a metric of some cells, a parameter, or another name of an Env: latency.p99{server="async"}.
type Selector struct {
	Span
	Name    string  // with its dots
	Matches []Match // all must hold; empty for every cell
}

// Match is a condition on one parameter, in the braces of a Selector.
type Match struct {
	Span
	Name  string
	Op    Op     // Equal, Differs, Less, LessEqual, Greater or GreaterEqual
	Value string // as written, without quotes; a quantity if Op orders
}

// Call is a function with its arguments. Parse has checked their number and shape.
type Call struct {
	Span
	Name string
	Args []Node
}

// Unary is an operand after Not or Sub.
type Unary struct {
	Span
	Op Op
	X  Node
}

// Binary is two operands with an operator between them.
type Binary struct {
	Span
	Op   Op
	X, Y Node
}

// binds returns how tightly a node binds: see precedence.
func binds(n Node) int {
	switch n := n.(type) {
	case *Binary:
		return precedence[n.Op]
	case *Unary:
		if n.Op == Not {
			return bindsNot
		}
		return bindsSign
	}
	return bindsPrimary
}

func (s *Span) place(at Span) { *s = at }

func (n *Selector) place(at Span) {
	n.Span = at
	for i := range n.Matches {
		n.Matches[i].Span = at
	}
}

func (n *Quantity) String() string { return n.Text }
func (n *String) String() string   { return quote(n.Value) }
func (n *Bool) String() string     { return strconv.FormatBool(n.Value) }

func (n *Selector) String() string {
	if len(n.Matches) == 0 {
		return n.Name
	}
	return n.Name + "{" + strings.Join(slice.Map(n.Matches, Match.String), ", ") + "}"
}

// String returns the match as written in braces.
func (m Match) String() string {
	// A sign or a space, which quoted quantities may have, cannot be read without the quotes.
	if _, err := ParseQuantity(m.Value); err == nil && !strings.HasPrefix(m.Value, "-") &&
		!strings.ContainsFunc(m.Value, unicode.IsSpace) {
		return m.Name + string(m.Op) + m.Value
	}
	return m.Name + string(m.Op) + quote(m.Value)
}

func (n *Call) String() string {
	return n.Name + "(" + strings.Join(slice.Map(n.Args, Node.String), ", ") + ")"
}

func (n *Unary) String() string {
	if n.Op == Not {
		return "not " + parenthesized(n.X, bindsCompare)
	}
	return "-" + parenthesized(n.X, bindsPrimary)
}

func (n *Binary) String() string {
	// Operators group to the left, and comparisons not at all.
	left, right := binds(n), binds(n)+1
	if n.Op.IsComparison() {
		left++
	}
	return parenthesized(n.X, left) + " " + string(n.Op) + " " + parenthesized(n.Y, right)
}

// parenthesized prints n, in parentheses if it binds less tightly than its place needs.
func parenthesized(n Node, tightness int) string {
	if binds(n) < tightness {
		return "(" + n.String() + ")"
	}
	return n.String()
}

// quote puts s in quotes of the kind that s lacks: there are no escapes, so no string holds both.
func quote(s string) string {
	if strings.Contains(s, `"`) {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// Walk calls visit for n and then for everything in it, in source order. It does not descend into a node for which
// visit returns false.
func Walk(n Node, visit func(Node) bool) {
	if !visit(n) {
		return
	}
	switch n := n.(type) {
	case *Call:
		for _, arg := range n.Args {
			Walk(arg, visit)
		}
	case *Unary:
		Walk(n.X, visit)
	case *Binary:
		Walk(n.X, visit)
		Walk(n.Y, visit)
	}
}

// Selectors returns every selector of n, in source order; nil if n is nil.
func Selectors(n Node) []*Selector {
	var found []*Selector
	Walk(n, func(n Node) bool {
		if s, ok := n.(*Selector); ok {
			found = append(found, s)
		}
		return true
	})
	return found
}

// Names returns the names of all selectors of n without duplicates, in source order.
func Names(n Node) []string {
	return slice.Add([]string(nil), slice.Map(Selectors(n), func(s *Selector) string { return s.Name })...)
}

// Parts returns the operands joined by "and", even within parentheses, in source order.
func Parts(n Node) (parts []Node) {
	Walk(n, func(n Node) bool {
		if b, ok := n.(*Binary); ok && b.Op == And {
			return true
		}
		parts = append(parts, n)
		return false
	})
	return parts
}
