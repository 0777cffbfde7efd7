package expr

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// cells is an Env of a few metrics and parameters.
type cells map[string]Value

func (c cells) Select(s *Selector) (Value, error) {
	v, ok := c[s.String()]
	if !ok {
		return Value{}, fmt.Errorf("no metric %q", s.Name)
	}
	return v, nil
}

func (c cells) Call(call *Call) (Value, error) {
	switch call.Name {
	case "ratio":
		a, err := Eval(call.Args[0], c)
		if err != nil {
			return Value{}, err
		}
		b, err := Eval(call.Args[1], c)
		return NumberOf(a.Number/b.Number, Plain), err
	case "best":
		return TextOf("async"), nil
	}
	return Value{}, fmt.Errorf("no %s here", call.Name)
}

var testCells = cells{
	"throughput":             ListOf(NumberOf(100, Rate), NumberOf(400, Rate), NumberOf(200, Rate)),
	`throughput{server="a"}`: NumberOf(400, Rate),
	`throughput{server="b"}`: NumberOf(100, Rate),
	"latency.p99":            NumberOf(0.05, Time),
	"failed":                 NumberOf(0.25, Share),
	"cpu.server":             NumberOf(2, Cores),
	"bytes.out":              NumberOf(4000, SizeRate),
	"connects":               NumberOf(0, Plain),
	"gone":                   ListOf(),
	"mixed":                  ListOf(NumberOf(1, Rate), NumberOf(1, Time)),
	"texts":                  ListOf(TextOf("2"), TextOf("4")),
	"words":                  ListOf(TextOf("sync"), TextOf("async")),
	"nothing":                ListOf(NumberOf(0, Rate), NumberOf(1, Rate)),
	"matrix.workers":         TextOf("4"),
	"matrix.size":            TextOf("10MB"),
	"matrix.python":          TextOf("3.10"),
	"matrix.server":          TextOf("async"),
	"matrix.keepalive":       TextOf("true"),
	"matrix.absent":          TextOf(""),
	"matrix.huge":            NumberOf(1e308, Plain),
	"matrix.none":            TextOf("none"),
	"matrix.start":           TextOf("gunicorn -w ${{ tune.workers }}"),
	"tune.workers":           NumberOf(8, Plain),
}

// steps is an Env that knows the matrix and defers searches.
type steps struct{ cells }

func (s steps) Select(sel *Selector) (Value, error) {
	if sel.Name == "tune.workers" {
		return Value{}, fmt.Errorf("search of workers: %w", ErrDeferred)
	}
	return s.cells.Select(sel)
}

func (s steps) Call(*Call) (Value, error) { return Value{}, ErrDeferred }

// readers are the ways to read a source. Each returns its result as a text.
var readers = map[string]func(src string) (string, error){
	"parse":    parsed(func(n Node) (string, error) { return n.String(), nil }),
	"eval":     parsed(func(n Node) (string, error) { return printed(Eval(n, testCells)) }),
	"constant": parsed(func(n Node) (string, error) { return printed(Eval(n, nil)) }),
	"where": parsed(func(n Node) (string, error) {
		holds, err := Where(n, lookupRow)
		return strconv.FormatBool(holds), err
	}),
	"check": parsed(func(n Node) (string, error) {
		is, err := Check(n, typeOf)
		if is.Kind == KindNumber {
			return is.Dimension.String(), err
		}
		return map[Kind]string{KindAny: "anything", KindBool: "a truth value", KindString: "a text"}[is.Kind], err
	}),
	"parts": parsed(func(n Node) (string, error) {
		return strings.Join(slice.Map(Parts(n), Node.String), "; "), nil
	}),
	"quantity": func(src string) (string, error) {
		q, err := ParseQuantity(src)
		if err != nil {
			return "", err
		}
		return q.Text, nil
	},
	"template": func(src string) (string, error) {
		template, err := ParseTemplate(src)
		return fmt.Sprint(template), err
	},
	"fill": func(src string) (string, error) {
		template, err := ParseTemplate(src)
		if err != nil {
			return "", err
		}
		return template.Fill(steps{testCells})
	},
	"inline": func(src string) (string, error) { // filters with their places
		in, err := ParseInline(src)
		if err != nil {
			return "", err
		}
		out := []string{in.Expr.String()}
		for _, f := range in.Filters {
			arg := ""
			switch f.Name {
			case "round":
				arg = fmt.Sprintf(" %d", f.Digits)
			case "unit":
				arg = " " + f.Unit.Symbol
			}
			out = append(out, fmt.Sprintf("%s%s at %q", f.Name, arg, src[f.Start:f.End]))
		}
		return strings.Join(out, "; "), nil
	},
}

func parsed(use func(n Node) (string, error)) func(src string) (string, error) {
	return func(src string) (string, error) {
		n, err := Parse(src)
		if err != nil {
			return "", err
		}
		return use(n)
	}
}

func printed(v Value, err error) (string, error) { return v.String(), err }

func TestValues(t *testing.T) {
	for reader, tests := range map[string][]struct{ name, src, want string }{
		"eval": {
			{"a quantity in base units", "100ms", "0.1s"},
			{"a string", "'sync'", "sync"},
			{"a truth value", "true", "true"},
			{"a selector", `throughput{server="a"}`, "400/s"},
			{"a list", "throughput", "100/s, 400/s, 200/s"},
			{"a sum", "100ms + 1s", "1.1s"},
			{"a difference", "1s - 100ms", "0.9s"},
			{"from left to right", "10 - 2 - 3", "5"},
			{"precedence", "2 + 3 * 4", "14"},
			{"a sign", "-(2 + 3)", "-5"},
			{"a share of something", "50% * latency.p99", "0.025s"},
			{"the rest of a share", "1 - failed", "75%"},
			{"a share printed without rounding error", "7%", "7%"},
			{"a quotient of like units", "latency.p99 / 100ms", "0.5"},
			{"CPU time of a request", `cpu.server / throughput{server="a"}`, "0.005s"},
			{"a rate per core", `throughput{server="a"} / cpu.server`, "200/s"},
			{"the size of an answer", `bytes.out / throughput{server="a"}`, "10B"},
			{"a transfer", "bytes.out * 2s", "8000B"},
			{"requests in a time", `throughput{server="a"} * 10s`, "4000"},
			{"a very small number", "1ns / 1h", "2.777777777777778e-13"},
			{"a very large number", "1e15", "1e+15"},
			{"comparing in different units", "100ms == 0.1s", "true"},
			{"comparing a share with a number", "failed == 0.25", "true"},
			{"less", "1 < 2", "true"},
			{"not less", "2 < 2", "false"},
			{"at most", "2 <= 2", "true"},
			{"more", "2 > 2", "false"},
			{"at least", "2 >= 2", "true"},
			{"different numbers", "2 != 2", "false"},
			{"the same truth", "(1 < 2) == true", "true"},
			{"another truth", "(1 < 2) != true", "false"},
			{"both", "true and false", "false"},
			{"either", "false or true", "true"},
			{"neither", "not (false or true)", "false"},
			{"and stops early", "false and latency < 1", "false"},
			{"or stops early", "true or 1 / 0 > 1", "true"},
			{"a function of the environment", `ratio(throughput{server="a"}, throughput{server="b"})`, "4"},
			{"the smallest", "min(throughput)", "100/s"},
			{"the largest", "max(throughput)", "400/s"},
			{"the median of an odd number", "median(throughput)", "200/s"},
			{"the median of an even number", "median(texts)", "3"},
			{"the mean", "mean(throughput) * 3", "700/s"},
			{"the geometric mean", "geomean(texts) > 2.8284 and geomean(texts) < 2.8285", "true"},
			{"how many", "count(throughput)", "3"},
			{"how many of none", "count(gone)", "0"},
			{"how many of one", "count(latency.p99)", "1"},
			{"the median of one", "median(latency.p99)", "0.05s"},
			{"a text that reads as a number", "matrix.workers * 2", "8"},
			{"a text that reads as a quantity", "matrix.size + 1MB", "11000000B"},
			{"a text stays as it was written", "matrix.python", "3.10"},
			{"a text equal to a number", "matrix.python == 3.1", "true"},
			{"a text not equal to a number of another unit", "matrix.size == 10", "false"},
			{"a text that is not a number differs from one", "matrix.server != 5", "true"},
			{"a text larger than a number", "matrix.workers > 3", "true"},
			{"a number smaller than a text", "3 < matrix.workers", "true"},
			{"texts in order", "matrix.workers <= '4.0'", "true"},
			{"an absent text is not larger", "matrix.absent > 3", "false"},
			{"and not smaller", "3 > matrix.absent", "false"},
			{"a text that reads as true", "matrix.keepalive and true", "true"},
			{"a text equal to a truth value", "matrix.keepalive == true", "true"},
			{"a text that is no truth value", "matrix.server == true", "false"},
			{"a share with a fraction", "12.5%", "12.5%"},
			{"a negative share", "-1.23%", "-1.23%"},
			{"a share with many digits", "333.33%", "333.33%"},
			{"a very small share", "0.0000001%", "1e-07%"},
			{"a share of nothing", "0%", "0%"},
		},
		"where": {
			{"", `source == "document" and workers > 2`, "true"},
			{"", `source == "document" and workers > 4`, "false"},
			{"", `source == "row" or experiment == "sockets"`, "true"},
			{"", `source != 'row'`, "true"},
			{"", "size > 9MB", "true"},
			{"", "true or server > workers", "true"}, // the right side is not evaluated
			{"", "keepalive", "true"},
			{"", "not keepalive", "false"},
			{"", "python == 3.10", "true"},
			{"", "server == source", "false"},
			{"", `kind == "sync"`, "false"},
			{"", `kind != "sync"`, "true"},
			{"", "latency.p99 < 10ms", "true"},
		},
		"check": {
			{"", "100ms", "time in s"},
			{"", "'a'", "a text"},
			{"", "true", "a truth value"},
			{"", "throughput", "rate in 1/s"},
			{"", "-throughput", "rate in 1/s"},
			{"", "matrix.workers", "anything"},
			{"", "matrix.workers * 2", "anything"},
			{"", "'2' * 2", "plain number"},
			{"", "bytes.out / throughput", "size in B"},
			{"", "latency.p99 < 100ms and failed < 0.1%", "a truth value"},
			{"", "not latency.p99 < 100ms", "a truth value"},
			{"", "not matrix.keepalive", "a truth value"},
			{"", "matrix.size > 5MB", "a truth value"},
			{"", "matrix.workers == true", "a truth value"},
			{"", "1 / connects", "plain number"}, // only a value shows that this fails
			{"", "min(throughput)", "rate in 1/s"},
			{"", "count(throughput)", "plain number"},
			{"", "ratio(throughput, 5/s) > 1", "a truth value"},
			{"", `every(latency.p99, "<", latency.p99)`, "a truth value"},
			{"", "within(latency.p99, 1s, 10%)", "a truth value"},
			{"", "about(latency.p99, 1s, 2, 0.25)", "a truth value"},
		},
		"constant": {{"a share", "-5% * 2", "-10%"}},
		"parts": {
			{"one part", "a > b", "a > b"},
			{"a negation is one part", "not (a and b)", "not (a and b)"},
			{"all of", "a > b and c > d and e", "a > b; c > d; e"},
			{"an alternative is one part", "a > b or c", "a > b or c"},
			{"nested parts count one by one", "(a and b) and (c and (d and e))", "a; b; c; d; e"},
		},
		"fill": {
			{"all known", "a ${{ matrix.server }}", "a async"},
			{"only text", "a $b", "a $b"},
			{"nothing", "", ""},
			{"one expression", "${{ matrix.workers * 2 }}", "8"},
			{"a truth value", "${{ matrix.workers > 2 }}", "true"},
			{"a parameter is as it was written", "python${{ matrix.python }}", "python3.10"},
			{"what a value brings is not expanded", "a ${{ matrix.start }}", "a gunicorn -w ${{ tune.workers }}"},
			{"a search stays", "-w ${{ tune.workers }} ${{ matrix.server }}.py", "-w ${{ tune.workers }} async.py"},
			{"of an expression the rest stays", "${{ matrix.workers * tune.workers }}", "${{ 4 * tune.workers }}"},
			{"in the middle, too", "a${{ (tune.workers+matrix.workers)*matrix.workers }}b", "a${{ (tune.workers+4)*4 }}b"},
			{"a text becomes a string", "${{ matrix.server == 'a' or tune.workers > 2 }}",
				"${{ 'async' == 'a' or tune.workers > 2 }}"},
			{"a text with a template stays", "${{ tune.workers == matrix.start }}", "${{ tune.workers == matrix.start }}"},
			{"an argument", "/${{ ratio(tune.workers, matrix.workers) }}", "/${{ ratio(tune.workers, 4) }}"},
		},
		"inline": {
			{"no filter", "throughput", `throughput`},
			{"round", "a / b | round 2", `a / b; round 2 at "round 2"`},
			{"round to whole numbers", "a|round 0", `a; round 0 at "round 0"`},
			{"percent", "failed | percent", `failed; percent at "percent"`},
			{"interval", "throughput | interval ", `throughput; interval at "interval"`},
			{"a unit", "latency.p99 | unit ms", `latency.p99; unit ms at "unit ms"`},
			{"a unit with a slash", "bytes.out | unit MB/s", `bytes.out; unit MB/s at "unit MB/s"`},
			{"a rate", "throughput | unit 1/s", `throughput; unit /s at "unit 1/s"`},
			{"several", "a | unit ms | round 1 | interval",
				`a; unit ms at "unit ms"; round 1 at "round 1"; interval at "interval"`},
			{"in a table", `a \| unit ms \| round 1`, `a; unit ms at "unit ms"; round 1 at "round 1"`},
			{"in a table without spaces", `a\|unit ms\|round 1`, `a; unit ms at "unit ms"; round 1 at "round 1"`},
			{"a pipe in a string", `a{b="c|d"} | percent`, `a{b="c|d"}; percent at "percent"`},
			{"a pipe in a string in a table", `a{b="c\|d"} \| percent`, `a{b="c|d"}; percent at "percent"`},
			{"the example of the manual", `ratio(throughput{server="async"}, throughput{server="sync"}) | round 2`,
				`ratio(throughput{server="async"}, throughput{server="sync"}); round 2 at "round 2"`},
		},
	} {
		for _, tt := range tests {
			t.Run(reader+"/"+cmp.Or(tt.name, tt.src), func(t *testing.T) {
				assert.Equal(t, must.Get(readers[reader](tt.src)), tt.want, "%q", tt.src)
			})
		}
	}
}

// An error from another source, such as a named value, must not carry its place into this one.
func TestEvalForeignError(t *testing.T) {
	n := must.Get(Parse("1 + speedup"))
	_, err := Eval(n, foreign{})
	var e *Error
	if !errors.As(err, &e) || e.Span != (Span{4, 11}) {
		t.Errorf("%v stands at %v, want at speedup", err, e.Span)
	}
	assert.Equal(t, e.Error(), "value speedup: out of place")
}

type foreign struct{ cells }

func (foreign) Select(s *Selector) (Value, error) {
	return Value{}, fmt.Errorf("value %s: %w", s.Name, &Error{Span: Span{70, 80}, Msg: "out of place"})
}

func TestMatchText(t *testing.T) {
	for _, tt := range []struct {
		actual string
		op     Op
		want   string
		holds  bool
	}{
		{"async", Equal, "async", true},
		{"async", Same, "async", true},
		{"async", Equal, "sync", false},
		{"async", Differs, "sync", true},
		{"Async", Equal, "async", false},
		{"10", Equal, "010", true},
		{"3.10", Equal, "3.1", true},
		{"3.10.1", Equal, "3.1.1", false},
		{"10MB", Equal, "10000kB", true},
		{"10MB", Equal, "10", false},
		{"10MB", Differs, "10s", true},
		{"10MB", Equal, "10 MB", true},
		{"50%", Equal, "0.5", true},
		{"1m", Equal, "60s", true},
		{"-5", Less, "-4", true},
		{"8", Greater, "10", false},
		{"8", Less, "10", true},
		{"10", LessEqual, "10", true},
		{"100ms", GreaterEqual, "1s", false},
		{"", Equal, "async", false},
		{"", Differs, "async", true},
		{"", Equal, "", true},
		{"", Less, "5", false},
		{"", Greater, "5", false},
	} {
		assert.Equal(t, must.Get(MatchText(tt.op, tt.want, tt.actual)), tt.holds, "%q %s %q", tt.actual, tt.op, tt.want)
	}
	for _, tt := range []struct {
		actual  string
		op      Op
		pattern string
		want    string
	}{
		{"auto", Less, "5", `< needs quantities, not the text "auto"`},
		{"5", Less, "auto", `< needs quantities, not the text "auto"`},
		{"5s", Greater, "5MB", "cannot compare a time in s with a size in B"},
		{"5", Add, "5", `"+" does not compare texts`},
	} {
		_, err := MatchText(tt.op, tt.pattern, tt.actual)
		assert.Error(t, err, tt.want)
	}
}

var testRow = map[string]string{
	"source": "document", "workers": "4", "size": "10MB", "keepalive": "true", "server": "async",
	"experiment": "sockets", "kind": "", "python": "3.10", "latency.p99": "5ms",
}

func lookupRow(name string) (string, bool) {
	text, ok := testRow[name]
	return text, ok
}

// typeOf returns the types of the metrics in testCells; parameters have any.
func typeOf(s *Selector) (Type, error) {
	v, ok := testCells[(&Selector{Name: s.Name}).String()]
	switch {
	case !ok:
		return Type{}, fmt.Errorf("no metric %s", strconv.Quote(s.Name))
	case v.Kind == KindString:
		return Type{}, nil
	case v.Kind == KindList:
		v = v.List[0]
	}
	return Type{v.Kind, v.Dimension}, nil
}
