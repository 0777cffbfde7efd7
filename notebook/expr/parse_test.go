package expr

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{ // want is canonical source, empty for src itself
		// Quantities; each unit is in TestParseQuantity.
		{"a whole number", "5", ""},
		{"a decimal number keeps its text", "3.10", ""},
		{"a binary size", "64KiB", ""},
		{"a space before a transfer rate", "10 MB/s", ""},
		{"a space before percent", "5 %", ""},
		{"a rate before a comparison", "1/s<2/s", "1/s < 2/s"},
		{"a number divided by a name", "10/server", "10 / server"},
		{"a number divided by a name called s", "10/s{a=b}", `10 / s{a="b"}`},
		{"a number divided by a longer path", "10/s.p50", "10 / s.p50"},
		{"a size divided by a name", "10MB/server", "10MB / server"},
		{"a spaced unit is not a keyword", "5 and true", ""},
		// Other primaries.
		{"a string in double quotes", `"async"`, ""},
		{"a string in single quotes", `'async'`, `"async"`},
		{"a string with double quotes inside", `'say "hi"'`, ""},
		{"an empty string", `""`, ""},
		{"true", "true", ""},
		{"false", "false", ""},
		{"a metric", "throughput", ""},
		{"a percentile", "latency.p99", ""},
		{"a percentile with a fraction", "latency.p99.9", ""},
		{"a percentile of a part", "latency.first_byte.p50", ""},
		{"a status code", "status.200", ""},
		{"p0 is a name outside of the percentile families", "cpu.p0", ""},
		{"a hyphen in a name", "gunicorn-meinheld", ""},
		{"a digit after the hyphen of a name", "a-1", ""},
		{"a name in another script", "सर्वर.größe", ""},
		{"keywords are names after a dot", "services.and.port", ""},
		{"a longer word than a keyword", "order", ""},
		{"a service's port", "services.x.port", ""},
		// Selectors.
		{"empty braces", "throughput{}", "throughput"},
		{"a match", `throughput{server="async"}`, ""},
		{"a match in single quotes", `throughput{server='async'}`, `throughput{server="async"}`},
		{"a bare word", "throughput{server=async}", `throughput{server="async"}`},
		{"a bare word with hyphen and dot", "throughput{server=nginx-1.27.x}", `throughput{server="nginx-1.27.x"}`},
		{"a bare version", "throughput{python=3.10.1}", `throughput{python="3.10.1"}`},
		{"a bare date", "throughput{day=2026-11-20}", `throughput{day="2026-11-20"}`},
		{"a bare keyword", "throughput{keepalive=true}", `throughput{keepalive="true"}`},
		{"two matches", `failed{server="async",tool="ab"}`, `failed{server="async", tool="ab"}`},
		{"spaces everywhere", ` failed { server = "a" , tool != ab } `, `failed{server="a", tool!="ab"}`},
		{"an order", "throughput{workers>2, workers<=8}", ""},
		{"a quantity with unit in a match", "throughput{size<10MB}", ""},
		{"a rate in a match", "throughput{rate>=500/s}", ""},
		{"a transfer rate in a match", "throughput{link=10MB/s}", ""},
		{"a share in a match", "throughput{load=80%}", ""},
		{"a negative quantity in quotes", `throughput{offset<"-5"}`, ""},
		{"a spaced quantity in quotes", `throughput{size="10 MB"}`, ""},
		{"experiment as a matcher", `throughput{experiment="sockets"}`, ""},
		// Operators.
		{"addition groups to the left", "a + b - c", ""},
		{"parentheses that matter", "a - (b - c)", ""},
		{"parentheses that do not", "((a) + (b))", "a + b"},
		{"multiplication before addition", "a + b * c", ""},
		{"parentheses around a sum", "(a + b) * c", ""},
		{"division to the left", "a / b / c", ""},
		{"division to the right", "a / (b / c)", ""},
		{"a hyphen that is not between letters", "a -b", "a - b"},
		{"a hyphen at the end of a name", "a- b", "a - b"},
		{"a hyphen after a parenthesis", "(a)-b", "a - b"},
		{"a negative number", "-5%", ""},
		{"minus a negative", "a - -b", ""},
		{"minus in parentheses", "-(-a)", ""},
		{"minus a sum", "-(a + b)", ""},
		{"minus before a product", "-a * b", ""},
		{"comparison of sums", "a + 1 > b * 2", ""},
		{"a comparison as an operand", "(a < b) == true", ""},
		{"all comparisons", "a<b and a<=b and a>b and a>=b and a==b and a!=b",
			"a < b and a <= b and a > b and a >= b and a == b and a != b"},
		{"not before a comparison", "not a < b", ""},
		{"not before a conjunction", "not (a and b)", ""},
		{"not binds tighter than and", "not a and b", ""},
		{"not not", "not (not a)", ""},
		{"and before or", "a and b or c and d", ""},
		{"or inside and", "a and (b or c)", ""},
		{"and grouped to the right", "a and (b and c)", ""},
		{"a line break", "a and\n  b", "a and b"},
		// Calls.
		{"a space before the arguments", "max (latency.p99)", "max(latency.p99)"},
		{"every", `every(latency.p99{kind="sync"}, "<", latency.p99{kind="async"})`, ""},
		{"about with three arguments", "about(a, b, 2)", ""},
		{"a list of quotients", "geomean(latency.p99 / latency.p50)", ""},
		{"published", "published(throughput{server=sync})", `published(throughput{server="sync"})`},
		{"fewer", `fewer(failed{server="async"}, failed{server="sync"})`, ""},
	} {
		n := must.Get(Parse(tt.src))
		assert.Equal(t, n.String(), cmp.Or(tt.want, tt.src), "%s: Parse(%q) prints", tt.name, tt.src)
		must.Do(checkTree(tt.src, n))
	}
}

// A hostile text gives an error at once, however it is made.
func TestParseHostile(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("(", 1<<20),
		strings.Repeat("-", 1<<20),
		strings.Repeat("not ", 1<<20),
		strings.Repeat("max(", 1<<20),
		strings.Repeat("a+", 1<<20),
		strings.Repeat("a and ", 1<<20) + "a",
		strings.Repeat("1", 1<<20),
		"1e" + strings.Repeat("9", 1<<20),
		"'" + strings.Repeat("x", 1<<20) + "' == a",
		strings.Repeat("\x00", 1<<20),
	} {
		_, err := Parse(src)
		assert.Equal(t, err != nil, true, "a text of %d bytes that begins with %q is an error", len(src), src[:10])
	}
}

func TestSpans(t *testing.T) {
	src := `not (a + (b)) * 2 < max( c{x=1, y!="z"} ) or -d`
	n := must.Get(Parse(src))
	want := []string{
		src,
		`not (a + (b)) * 2 < max( c{x=1, y!="z"} )`,
		`(a + (b)) * 2 < max( c{x=1, y!="z"} )`,
		`(a + (b)) * 2`, `a + (b)`, `a`, `b`, `2`,
		`max( c{x=1, y!="z"} )`, `c{x=1, y!="z"}`, `-d`, `d`,
	}
	var got []string
	Walk(n, func(n Node) bool {
		got = append(got, src[n.Pos().Start:n.Pos().End])
		return true
	})
	assert.Deep(t, got, want, "spans")
	match := Selectors(n)[2].Matches[1]
	assert.Equal(t, src[match.Start:match.End], `y!="z"`, "the match")
}

func TestWalkStops(t *testing.T) {
	n := must.Get(Parse("max(a) + b"))
	var got []string
	Walk(n, func(n Node) bool {
		got = append(got, n.String())
		_, isCall := n.(*Call)
		return !isCall
	})
	assert.Deep(t, got, []string{"max(a) + b", "max(a)", "b"}, "visited")
}

func TestParseTemplate(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // the parts
		names      []string
	}{
		{"nothing", "", nil, nil},
		{"only text", "python3 -u $HOME/${X}/{{ y }}", []string{"python3 -u $HOME/${X}/{{ y }}"}, nil},
		{"one expression", "${{ matrix.n }}", []string{"${{ matrix.n }}"}, []string{"matrix.n"}},
		{"no spaces", "${{matrix.n}}", []string{"${{matrix.n}}"}, []string{"matrix.n"}},
		{"text around", "a ${{ profile }}.py", []string{"a ", "${{ profile }}", ".py"}, []string{"profile"}},
		{"a space makes it a text", " ${{ profile }}", []string{" ", "${{ profile }}"}, []string{"profile"}},
		{"two expressions", "${{ a }}${{ b * c }}", []string{"${{ a }}", "${{ b * c }}"}, []string{"a", "b", "c"}},
		{"closing braces in a string", `${{ "}}" }}`, []string{`${{ "}}" }}`}, nil},
		{"braces of a selector", "${{ a{b=c}}}", []string{"${{ a{b=c}}}"}, []string{`a{b="c"}`}},
		{"closing braces alone", "a }} b", []string{"a }} b"}, nil},
		{"a quote after an expression", "('${{ a }}')", []string{"('", "${{ a }}", "')"}, []string{"a"}},
		{"over two lines", "${{ a +\n b }}\n", []string{"${{ a +\n b }}", "\n"}, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := must.Get(ParseTemplate(tt.text))
			var parts, names []string
			for _, p := range tmpl {
				parts = append(parts, p.Text)
			}
			for _, s := range tmpl.Names() {
				names = append(names, s.String())
				assert.Equal(t, tt.text[s.Start], s.Name[0], "%s begins at its place", s)
			}
			assert.Deep(t, [2][]string{parts, names}, [2][]string{tt.want, tt.names}, "parts and names of %q", tt.text)
		})
	}
}

// checkTree rejects spans outside of src or of their parent, and a tree whose text parses to another tree.
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

// checkError rejects an error without a place in src.
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

// Any text is either an expression that prints as it was meant, or has an error in it.
func FuzzParse(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		n, err := Parse(src)
		if err != nil {
			must.Do(checkError(src, err))
			return
		}
		must.Do(checkTree(src, n))
		if _, err := Eval(n, nil); err != nil {
			must.Do(checkError(src, err))
		}
	})
}
