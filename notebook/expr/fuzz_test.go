package expr

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// checkTree holds a tree to what is promised of it: spans lie in src, those of parts in
// those of the whole, and what it prints parses to the same tree.
func checkTree(src string, n Node) error {
	var outside error
	Walk(n, func(child Node) bool {
		span, whole := child.Pos(), n.Pos()
		if span.Start < whole.Start || span.End > whole.End || span.Start >= span.End || span.End > len(src) {
			outside = fmt.Errorf("%q: %s stands at %v, outside of %v", src, child, span, whole)
		}
		return true
	})
	if outside != nil {
		return outside
	}
	again, err := Parse(n.String())
	if err != nil {
		return fmt.Errorf("%q prints %q, which does not parse: %w", src, n, err)
	}
	if !reflect.DeepEqual(placeless(n), placeless(again)) {
		return fmt.Errorf("%q prints %q, which parses to another tree", src, n)
	}
	return nil
}

// placeless copies a tree without its spans.
func placeless(n Node) Node {
	switch n := n.(type) {
	case *Quantity:
		return &Quantity{Value: n.Value, Unit: n.Unit, Text: n.Text}
	case *String:
		return &String{Value: n.Value}
	case *Bool:
		return &Bool{Value: n.Value}
	case *Selector:
		s := &Selector{Name: n.Name}
		for _, m := range n.Matches {
			m.Span = Span{}
			if m.Num != nil {
				m.Num = placeless(m.Num).(*Quantity)
			}
			s.Matches = append(s.Matches, m)
		}
		return s
	case *Call:
		c := &Call{Name: n.Name}
		for _, arg := range n.Args {
			c.Args = append(c.Args, placeless(arg))
		}
		return c
	case *Unary:
		return &Unary{Op: n.Op, X: placeless(n.X)}
	case *Binary:
		return &Binary{Op: n.Op, X: placeless(n.X), Y: placeless(n.Y)}
	}
	panic(fmt.Sprintf("no such node: %T", n))
}

// checkError holds an error to its promise: it points at something in src.
func checkError(src string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%q: %T is no *Error: %w", src, err, err)
	}
	if e.Span.Start < 0 || e.Span.End > len(src) || e.Span.Start >= e.Span.End && src != "" {
		return fmt.Errorf("%q: %v is outside: %w", src, e.Span, err)
	}
	return nil
}

// fuzzSeeds are whole and broken sources of every kind.
var fuzzSeeds = []string{
	`ratio(throughput{server="async"}, throughput{server="sync"}) | round 2 | unit MB/s`,
	"latency.p99.9 < 100ms and not failed{a>=5%} < 0.1% or -(a - -b) / 10/s == 2 cores",
	`every(tail{kind='a "b"', v=3.10.1}, "<", 10 MB/s)`,
	`http://server:${{ matrix.server.port }}/${{ random(1, 9) }}?a=${{ a{b="}}"} }}`,
	"a{b=c\\|d} \\| round 2", "2-1", "5.", "1e5e", "a{b<\"-1e-3 ms\"}", "${{ a ${{", "«", "\xff.5 %", "",
}

// Whatever an author types, an expression prints as it was meant, or a problem points
// inside of it.
func FuzzParse(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		n, err := Parse(src)
		if err != nil {
			if err := checkError(src, err); err != nil {
				t.Error(err)
			}
			return
		}
		if err := checkTree(src, n); err != nil {
			t.Error(err)
		}
		if _, err := Eval(n, nil); err != nil {
			if err := checkError(src, err); err != nil {
				t.Error(err)
			}
		}
	})
}
