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

// A template loses nothing of its text, and its parts stand where they say.
func FuzzParseTemplate(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			if err := checkError(text, err); err != nil {
				t.Error(err)
			}
			return
		}
		end := 0
		for _, p := range tmpl.Parts {
			if p.Start != end || text[p.Start:p.End] != p.Text {
				t.Fatalf("%q: %q does not stand at %v", text, p.Text, p.Span)
			}
			end = p.End
			if p.Expr == nil {
				continue
			}
			if err := checkTree(text, p.Expr); err != nil {
				t.Error(err)
			}
		}
		if end != len(text) {
			t.Errorf("%q ends at %d", text, end)
		}
	})
}

// Inline values and their filters stand where they say.
func FuzzParseInline(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := ParseInline(text)
		if err != nil {
			if err := checkError(text, err); err != nil {
				t.Error(err)
			}
			return
		}
		if err := checkTree(text, in.Expr); err != nil {
			t.Error(err)
		}
		for _, filter := range in.Filters {
			if filter.Start >= filter.End || filter.End > len(text) {
				t.Errorf("%q: a filter stands at %v", text, filter.Span)
			}
		}
	})
}

// A quantity keeps its text, and its value prints as a quantity that is equal.
func FuzzParseQuantity(f *testing.F) {
	for _, s := range []string{"5", "-7%", "1.1ms", "10 MB/s", "1e300GiB", "3.10.1", "1e-320ns", "0e999999999", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuantity(text)
		if err != nil {
			if err := checkError(text, err); err != nil {
				t.Error(err)
			}
			return
		}
		printed := NumberOf(q.Value, q.Unit.Dimension).String()
		again, err := ParseQuantity(printed)
		if err != nil {
			t.Fatalf("%q prints %q: %v", text, printed, err)
		}
		if q.Text != text || again.Value != q.Value || !again.Unit.Dimension.Like(q.Unit.Dimension) {
			t.Errorf("%q prints %q, which is %v and not %v", text, printed, again.Value, q.Value)
		}
	})
}
