package expr

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
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

func TestEval(t *testing.T) {
	tests := []struct{ name, src, want string }{
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Parse(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Eval(n, testCells)
			if err != nil {
				t.Fatalf("Eval(%q): %v", tt.src, err)
			}
			if got := v.String(); got != tt.want {
				t.Errorf("Eval(%q) = %s, want %s", tt.src, got, tt.want)
			}
		})
	}
}

func TestEvalProblems(t *testing.T) {
	for _, tt := range []problem{
		{"unlike sum", "1 + («latency.p99 + 5MB») * 2", "cannot add a size in B to a time in s"},
		{"unlike difference", "«5MB - 1s»", "cannot subtract a time in s from a size in B"},
		{"a product without meaning", "«latency.p99 * 1s»", "cannot multiply a time in s by a time in s"},
		{"a quotient without meaning", "«5MB / 1cores * 1s»", "cannot multiply a size in B by a time in s"},
		{"another one", "«1s / 5MB»", "cannot divide a time in s by a size in B"},
		{"unlike comparison", "true and «latency.p99 < 100»", "cannot compare a time in s with a plain number"},
		{"unlike equality", "«2cores == 2»", "cannot compare a number of cores with a plain number"},
		{"division by zero", "1 / «connects»", "division by zero"},
		{"a list in a sum", "1/s + «throughput»",
			"throughput is a list of 3, but one value is needed: " +
				"pick one in braces, or reduce it by min max mean geomean median or count"},
		{"a list in a comparison", "«throughput» > 1/s",
			"throughput is a list of 3, but one value is needed: " +
				"pick one in braces, or reduce it by min max mean geomean median or count"},
		{"the minimum of nothing", "1 + «min(gone)»", "the min of an empty list"},
		{"a list of unlike values", "«max(mixed)»", "cannot compare a rate in 1/s with a time in s"},
		{"a list of words", "«mean(words)»", `mean needs numbers, not the text "sync"`},
		{"the geometric mean of zero", "«geomean(nothing)»", "the geometric mean needs values above zero"},
		{"an argument that fails", "max(«1s + 1»)", "cannot add a plain number to a time in s"},
		{"an unknown metric", "1 < «latency»", `no metric "latency"`},
		{"a place inside an argument of the environment", "ratio(1, 1 / «0»)", "division by zero"},
		{"a text in a sum", "1 + «matrix.server»", `expected a number, found the text "async"`},
		{"a truth value in a sum", "1 + («1 < 2»)", "expected a number, found a truth value"},
		{"an order of texts", "«matrix.server < 'b'»", `< needs quantities, not the text "async"`},
		{"an order of a text and a number", "«2 < matrix.server»", `< needs quantities, not the text "async"`},
		{"an order of a text of another unit", "«matrix.size < 5»", "cannot compare a size in B with a plain number"},
		{"an order of truth values", "«true < false»", "< needs quantities, not truth values"},
		{"a number and a truth value", "«5 == true»", "cannot compare a plain number with a truth value"},
		{"a number instead of a truth value", "true and «5»",
			"5 is a plain number, neither true nor false: compare it with something"},
		{"a text instead of a truth value", "not «matrix.none»",
			`matrix.none is the text "none", neither true nor false: compare it with something`},
		{"a list instead of a truth value", "false or «words»",
			"words is a list of 2, neither true nor false: compare it with something"},
		{"a number too large", "«matrix.huge * 10»", "the result is not a finite number"},
	} {
		tt.run(t, func(src string) error {
			n, err := Parse(src)
			if err != nil {
				return err
			}
			_, err = Eval(n, testCells)
			return err
		})
	}
}

func TestEvalWithoutEnv(t *testing.T) {
	n, err := Parse("-5% * 2")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Eval(n, nil); err != nil || v.String() != "-10%" {
		t.Errorf("a constant is %v, %v", v, err)
	}
	for _, tt := range []problem{
		{"a name", "1 + «throughput»", `unknown name "throughput"`},
		{"a function", "1 + «ratio(1, 2)»", "the function ratio is not available here"},
	} {
		tt.run(t, func(src string) error {
			n, err := Parse(src)
			if err != nil {
				return err
			}
			_, err = Eval(n, nil)
			return err
		})
	}
}

// An error from another source, such as a named value, must not carry its place into this one.
func TestEvalForeignError(t *testing.T) {
	n, err := Parse("1 + speedup")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Eval(n, foreign{})
	var e *Error
	if !errors.As(err, &e) || e.Span != (Span{4, 11}) {
		t.Errorf("%v stands at %v, want at speedup", err, e.Span)
	}
	if want := "value speedup: out of place"; e.Error() != want {
		t.Errorf("got %q, want %q", e, want)
	}
}

type foreign struct{ cells }

func (foreign) Select(s *Selector) (Value, error) {
	return Value{}, fmt.Errorf("value %s: %w", s.Name, &Error{Span: Span{70, 80}, Msg: "out of place"})
}

func TestReductionsIgnoreOrder(t *testing.T) {
	for name, reduce := range reductions {
		a, err := reduce([]float64{1, 2, 4, 8})
		if err != nil {
			t.Fatal(err)
		}
		b, err := reduce([]float64{8, 1, 4, 2})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a-b) > 1e-12 {
			t.Errorf("%s is %v in one order and %v in another", name, a, b)
		}
	}
}

func TestMatchText(t *testing.T) {
	tests := []struct {
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
	}
	for _, tt := range tests {
		got, err := MatchText(tt.op, tt.want, tt.actual)
		if err != nil {
			t.Errorf("%q %s %q: %v", tt.actual, tt.op, tt.want, err)
		}
		if got != tt.holds {
			t.Errorf("%q %s %q is %v", tt.actual, tt.op, tt.want, got)
		}
	}
}

func TestMatchTextProblems(t *testing.T) {
	tests := []struct {
		name, actual string
		op           Op
		pattern      string
		want         string
	}{
		{"a word in order", "auto", Less, "5", `< needs quantities, not the text "auto"`},
		{"a word as the limit", "5", Less, "auto", `< needs quantities, not the text "auto"`},
		{"unlike units in order", "5s", Greater, "5MB", "cannot compare a time in s with a size in B"},
		{"no comparison", "5", Add, "5", `"+" does not compare texts`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := MatchText(tt.op, tt.pattern, tt.actual); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
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

func TestWhere(t *testing.T) {
	tests := []struct {
		src  string
		want bool
	}{
		{`source == "document" and workers > 2`, true},
		{`source == "document" and workers > 4`, false},
		{`source == "row" or experiment == "sockets"`, true},
		{`source != 'row'`, true},
		{"workers == 4", true},
		{"workers == 4.0", true},
		{`workers == "4"`, true},
		{"4 <= workers", true},
		{"workers * 2 + 1 == 9", true},
		{"size > 9MB", true},
		{"size == 10", false},
		{"true or server > workers", true}, // no order of texts is asked for
		{"keepalive", true},
		{"not keepalive", false},
		{"keepalive == false", false},
		{"python == 3.10", true},
		{"python == '3.10'", true},
		{"server == source", false},
		{`kind == "sync"`, false},
		{`kind != "sync"`, true},
		{"kind > 5", false},
		{"latency.p99 < 10ms", true},
	}
	for _, tt := range tests {
		n, err := Parse(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Where(n, lookupRow)
		if err != nil || got != tt.want {
			t.Errorf("%s is %v, %v; want %v", tt.src, got, err, tt.want)
		}
	}
}

func TestWhereProblems(t *testing.T) {
	for _, tt := range []problem{
		{"an unknown name", `«sauce» == "document"`, `unknown name "sauce": if it is a value, quote it: "sauce"`},
		{"a bare value", "source == «document»", `unknown name "document": if it is a value, quote it: "document"`},
		{"an unknown name behind an or", "true or «port» > 5", `unknown name "port": if it is a value, quote it: "port"`},
		{"the matrix", "«matrix.server» == 'a'", `unknown name "matrix.server": write server`},
		{"braces", "workers > 1 and «source{a=b}»", `a filter compares names, and has no braces: write server == "async"`},
		{"a function", "«published(workers)» > 5", "the function published is not available here"},
		{"no condition", "workers + 1 > 2 and «server»",
			`server is the text "async", neither true nor false: compare it with something`},
		{"a number", "«workers»", `workers is the text "4", neither true nor false: compare it with something`},
		{"a word in order", "«server > 5»", `> needs quantities, not the text "async"`},
	} {
		tt.run(t, func(src string) error {
			n, err := Parse(src)
			if err != nil {
				return err
			}
			_, err = Where(n, lookupRow)
			if got := errors.Is(err, ErrUnknownName); got != strings.HasPrefix(tt.want, "unknown name") {
				t.Errorf("the cause is an unknown name: %v", got)
			}
			return err
		})
	}
}

// typeOf has the types of the metrics in testCells; parameters are of any.
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

func TestCheck(t *testing.T) {
	number := func(d Dimension) Type { return Type{KindNumber, d} }
	tests := []struct {
		src  string
		want Type
	}{
		{"100ms", number(Time)},
		{"'a'", stringType},
		{"true", boolType},
		{"throughput", number(Rate)},
		{"-throughput", number(Rate)},
		{"matrix.workers", Type{}},
		{"matrix.workers * 2", Type{}},
		{"'2' * 2", number(Plain)},
		{"bytes.out / throughput", number(Size)},
		{"latency.p99 < 100ms and failed < 0.1%", boolType},
		{"not latency.p99 < 100ms", boolType},
		{"not matrix.keepalive", boolType},
		{"matrix.size > 5MB", boolType},
		{"matrix.workers == true", boolType},
		{"1 / connects", number(Plain)}, // a value is needed to see that this fails
		{"min(throughput)", number(Rate)},
		{"count(throughput)", number(Plain)},
		{"ratio(throughput, 5/s) > 1", boolType},
		{`every(latency.p99, "<", latency.p99)`, boolType},
		{"within(latency.p99, 1s, 10%)", boolType},
		{"about(latency.p99, 1s, 2, 0.25)", boolType},
		{"random(1, matrix.workers)", number(Plain)},
	}
	for _, tt := range tests {
		n, err := Parse(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Check(n, typeOf)
		if err != nil || got != tt.want {
			t.Errorf("%s is %v, %v; want %v", tt.src, got, err, tt.want)
		}
	}
}

func TestCheckProblems(t *testing.T) {
	for _, tt := range []problem{
		{"unlike sum", "true or «latency.p99 + 1» < 1s", "cannot add a plain number to a time in s"},
		{"unlike comparison", "false and «throughput > 100ms»", "cannot compare a rate in 1/s with a time in s"},
		{"unlike operands", "1 < «ratio(throughput, latency.p99)»", "cannot compare a rate in 1/s with a time in s"},
		{"unlike lists", "«every(throughput, '<', latency.p99)»", "cannot compare a rate in 1/s with a time in s"},
		{"a factor with a unit", "within(throughput, throughput, «10ms»)",
			"expected a plain number or a share, found a time in s"},
		{"a conjunction of numbers", "«throughput» and true", "expected something that is true or false, found a number"},
		{"a negated number", "not «5»", "expected something that is true or false, found a number"},
		{"a sum of truth values", "1 + («1 < 2»)", "expected a number, found something that is true or false"},
		{"a sum of words", "1 + «'a'»", `expected a number, found the text "a"`},
		{"a conjunction of words", "true or «'a'»", `expected something that is true or false, found the text "a"`},
		{"an order of truth values", "«(1 < 2) < true»", "< needs quantities, not truth values"},
		{"a number equal to a truth value", "«throughput == true»", "cannot compare a number with a truth value"},
		{"a function of a truth value", "max(«1 < 2»)", "max needs numbers"},
		{"an unknown metric", "1 + max(«latency»)", `no metric "latency"`},
	} {
		tt.run(t, func(src string) error {
			n, err := Parse(src)
			if err != nil {
				return err
			}
			_, err = Check(n, typeOf)
			return err
		})
	}
}
