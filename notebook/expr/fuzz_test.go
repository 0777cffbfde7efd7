package expr

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// checkTree reports spans outside of src or of the whole, and a tree whose text parses to another tree.
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
	if !slices.Equal(shape(n), shape(again)) {
		return fmt.Errorf("%q prints %q, which parses to another tree", src, n)
	}
	return nil
}

// shape lists the nodes of a tree with their types, from the root.
func shape(n Node) (out []string) {
	Walk(n, func(n Node) bool {
		out = append(out, fmt.Sprintf("%T %s", n, n))
		return true
	})
	return out
}

// checkError reports an error without a place in src.
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
	`http://server:${{ matrix.server.port }}/${{ mean(1) }}?a=${{ a{b="}}"} }}`,
	"a{b=c\\|d} \\| round 2", "2-1", "5.", "1e5e", "a{b<\"-1e-3 ms\"}", "${{ a ${{", "«", "\xff.5 %", "",
}

// Any text is an expression that prints as it was meant, or has a problem in it.
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
