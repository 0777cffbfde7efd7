package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, src, want string }{ // want is canonical source, empty for src itself
		// Quantities.
		{"a whole number", "5", ""},
		{"a decimal number keeps its text", "3.10", ""},
		{"leading zeros keep their text", "010", ""},
		{"an exponent", "2.5e-7", ""},
		{"nanoseconds", "5ns", ""},
		{"microseconds in ASCII", "5us", ""},
		{"microseconds with the micro sign", "5µs", ""},
		{"microseconds with the Greek letter", "5μs", ""},
		{"a time", "100ms", ""},
		{"minutes", "3m", ""},
		{"a size", "1256B", ""},
		{"a binary size", "64KiB", ""},
		{"a transfer rate", "10MB/s", ""},
		{"a rate", "529.13/s", ""},
		{"a share", "0.1%", ""},
		{"cores", "2cores", ""},
		{"a space before a unit", "2 cores", ""},
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
		{"a ratio", `ratio(throughput{server="async"}, throughput{server="sync"})`, ""},
		{"a space before the arguments", "max (latency.p99)", "max(latency.p99)"},
		{"every", `every(latency.p99{kind="sync"}, "<", latency.p99{kind="async"})`, ""},
		{"about with three arguments", "about(a, b, 2)", ""},
		{"about with four arguments", "about(a, b, 2, 25%)", ""},
		{"within", "within(a, b, 10%)", ""},
		{"a list of quotients", "geomean(latency.p99 / latency.p50)", ""},
		{"published", "published(throughput{server=sync})", `published(throughput{server="sync"})`},
		{"random", "random(1, 999999)", ""},
		{"fewer", `fewer(failed{server="async"}, failed{server="sync"})`, ""},
		{"same", "same(a, b)", ""},
		{"a comparison of means", "geomean(a) > geomean(b)", ""},
		// From docs/format.md and the articles.
		{"an objective", "latency.p99 < 100ms and failed < 0.1%", ""},
		{"a threshold on a change", "throughput < -5%", ""},
		{"a filter", `source == "document" and workers > 2`, ""},
		{"two limits", `throughput{server="sync"} < 1/s and throughput{server="async"} > 100/s`, ""},
		{"a multiple", "a > 2 * b", ""},
		{"a quotient of percentiles", "latency.p99 / latency.p50", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Parse(tt.src)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.src, err)
			}
			want := tt.want
			if want == "" {
				want = tt.src
			}
			if got := n.String(); got != want {
				t.Errorf("Parse(%q) prints %q, want %q", tt.src, got, want)
			}
			if err := checkTree(tt.src, n); err != nil {
				t.Error(err)
			}
		})
	}
}

// unmark takes the marks « and » out of text, and returns what stood between them.
func unmark(text string) (string, Span) {
	before, rest, _ := strings.Cut(text, "«")
	inside, after, _ := strings.Cut(rest, "»")
	return before + inside + after, Span{len(before), len(before) + len(inside)}
}

// problem is a wrong source with its place marked by « and », and what is said about it.
type problem struct{ name, marked, want string }

// run holds parse to what is said of p, hint included.
func (p problem) run(t *testing.T, parse func(src string) error) {
	t.Run(p.name, func(t *testing.T) {
		src, span := unmark(p.marked)
		err := parse(src)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%q: error %v, want %q", src, err, p.want)
		}
		if e.Error() != p.want {
			t.Errorf("%q:\n got %q\nwant %q", src, e, p.want)
		}
		if e.Span != span {
			t.Errorf("%.200q: at %v, want %v", src, e.Span, span)
		}
	})
}

func TestParseProblems(t *testing.T) {
	const anyUnit = "units are ns us µs ms s m h, B kB MB GB KiB MiB GiB (also with /s), /s, % and cores"
	tests := []problem{
		{"nothing", "«»", "the expression is empty: write a value, such as throughput or 100ms"},
		{"only spaces", "«  »", "the expression is empty: write a value, such as throughput or 100ms"},
		{"only a closing sign", "«}»", "expected a value, found }: write a metric, such as throughput, or a number with " +
			"its unit"},
		// Operators.
		{"nothing after an operator", "a «+»",
			"expected a value, found the end: write a metric, such as throughput, or a number with its unit"},
		{"nothing before an operator", "«*» a",
			"expected a value, found *: write a metric, such as throughput, or a number with its unit"},
		{"two operators", "a + «*» b", "expected a value, found *: write a metric, such as throughput, or a number with " +
			"its unit"},
		{"two signs", "a - -«-»b",
			"expected a value, found -: write a metric, such as throughput, or a number with its unit"},
		{"two nots", "not «not» a", "expected a value, found not: write a metric, such as throughput, or a number with its " +
			"unit"},
		{"a keyword instead of a value", "«and» b",
			"expected a value, found and: write a metric, such as throughput, or a number with its unit"},
		{"nothing after and", "a «and»", "expected a value, found the end: write a metric, such as throughput, or a number " +
			"with its unit"},
		{"a chain of comparisons", "a < b «<» c", "comparisons do not chain: write a < b and b < c"},
		{"a chain of equalities", "a == b «!=» c", "comparisons do not chain: write a < b and b < c"},
		{"one equals sign", "a «=» b", "= does not compare: write =="},
		{"one equals sign in parentheses", "(a «=» b)", "= does not compare: write =="},
		{"three equals signs", "a «===» b", `unexpected ===: write == for "is equal to"`},
		{"two ampersands", "a «&&» b", "unexpected &&: write and"},
		{"two pipes", "a «||» b", "unexpected ||: write or"},
		{"an exclamation mark", "«!»a", "unexpected !: write not"},
		{"a diamond", "a «<>» b", `unexpected <>: write != for "differs from"`},
		{"an arrow", "a «=>» b", `unexpected =>: write >= for "at least"`},
		{"an arrow to the left", "a «=<» b", `unexpected =<: write <= for "at most"`},
		{"a power", "a «**» 2", "unexpected **: there are no powers"},
		{"another power", "a «^» 2", `unexpected "^": remove this character, or, in a text, put the text in quotes`},
		{"a remainder", "a «%» b", "unexpected %: a share is written 5%, and there is no remainder"},
		{"a mathematical sign", "a «≥» b", "unexpected ≥: write >="},
		{"a mathematical minus", "a «−» b", "unexpected −: write the hyphen -"},
		{"a capital AND", "a «AND» b", "expected an operator between a and AND: write and in lower case"},
		{"a capital NOT", "NOT «a»", "expected an operator between NOT and a: write not in lower case"},
		{"two values", "throughput «latency»",
			"expected an operator between throughput and latency: write an operator, such as + or <, or a comma between " +
				"arguments; quote what is a text"},
		{"two strings", `"a" «"b"»`, `expected an operator between "a" and "b": write an operator, such as + or <, or a comma between arguments; quote what is a text`},
		{"a pipe", "a «|» round 2", `unexpected |: filters stand last, and only after {value}; for "or" write or`},
		// Parentheses.
		{"no value in parentheses", "(«)»", "expected a value, found ): write a metric, such as throughput, or a number " +
			"with its unit"},
		{"an open parenthesis", "«(»a + b", "expected a closing ): this ( is never closed"},
		{"an open parenthesis inside another", "«(»a + (b)", "expected a closing ): this ( is never closed"},
		{"a parenthesis too many", "a «)»", "expected the end, found )"},
		{"the wrong closing sign", "(a «}»", "expected a closing ), found }"},
		{"an operator missing in parentheses", "(a «b»)",
			"expected an operator between a and b: write an operator, such as + or <, or a comma between arguments; quote " +
				"what is a text"},
		{"brackets", "«[»1, 2]", "unexpected [: cells are picked in braces, as in throughput{server=\"async\"}; a selector " +
			"of several cells is a list"},
		{"a comma", "a«,» b", "expected the end, found ,"},
		// Names.
		{"a variable", "«$»server", "unexpected $: names have no $ before them"},
		{"nothing after a dot", "«latency.»", "a name or a number must follow the dot of latency."},
		{"a space after a dot", "«latency.» p99", "a name or a number must follow the dot of latency."},
		{"two dots", "«latency.».p99", "a name or a number must follow the dot of latency."},
		{"letters after digits", "«status.2xx»",
			"a name starts with a letter, unlike the last part of status.2xx: name one code, such as status.404"},
		{"percentile zero", "«latency.p0»", "a percentile lies between 0 and 100: the largest latency is latency.max"},
		{"percentile a hundred", "1s < «latency.p100»",
			"a percentile lies between 0 and 100: the largest latency is latency.max"},
		{"percentile above a hundred", "«lag.p100.1»{a=b}",
			"a percentile lies between 0 and 100: the largest latency is latency.max"},
		{"a backslash", `a «\»| b`, `unexpected "\\": remove this character, or, in a text, put the text in quotes`},
		{"an emoji", "a + «🙂»", `unexpected "🙂": remove this character, or, in a text, put the text in quotes`},
		{"not UTF-8", "a + «\xff»", `unexpected "\xff": remove this character, or, in a text, put the text in quotes`},
		// Quantities.
		{"a time in several units", "latency.p99 < «1m30s»", "a time has one unit, and 1m30s has several: write 90s"},
		{"a time in units below a second", "«1s500ms» + 1s", "a time has one unit, and 1s500ms has several: write 1.5s"},
		{"an unknown unit", "5«foo»", `unknown unit "foo": ` + anyUnit},
		{"a unit in the wrong case", "5«KB»", `unknown unit "KB": did you mean "kB"?`},
		{"a unit in words", "5«sec»", `unknown unit "sec": did you mean "s"?`},
		{"a unit of another tool", "500«rps»", `unknown unit "rps": did you mean "/s"?`},
		{"a singular", "1«core»", `unknown unit "core": did you mean "cores"?`},
		{"a misspelt unit after a space", "5 «min»", `expected an operator between 5 and min: did you mean "m"?`},
		{"no digit before the point", "«.»5", "unexpected .: a number starts with a digit, and a name with a letter"},
		{"no digit after the point", "«5.» + 1", "a digit must follow the point of 5."},
		{"a version", "«3.10.1» < 4", "3.10.1 is not a number: if it is a text, quote it"},
		{"minus without spaces", "«2-1»", "minus needs spaces: write 2 - 1"},
		{"minus after a unit", "«5ms-a»", "minus needs spaces: write 5ms - a"},
		{"minus after a percentile", "«latency.p99.9-a»", "minus needs spaces: write latency.p99.9 - a"},
		{"a date", "day == «2026-11-20»", "minus needs spaces: write 2026 - 11-20"},
		{"a number beyond all numbers", "«1e999»", "the number is too large"},
		{"a number with endless digits", "«" + strings.Repeat("1", 65) + "»", "the number is too large"},
		// Strings.
		{"an open string", `a == «"async»`, `the string is not terminated: close it with "`},
		{"an open string in single quotes", `«'async"»`, "the string is not terminated: close it with '"},
		{"a string over two lines", "«'async»\n'", "the string is not terminated: close it with '"},
		{"typographic quotes", "a == «“»async”", `unexpected “: write straight quotes: "`},
		// Matches.
		{"braces without a metric", `«{»server="async"}`, "expected a value, found {: name a metric before the braces"},
		{"open braces", `throughput«{»server="async"`, "expected a closing }: this { is never closed"},
		{"only open braces", "throughput«{»", `expected the name of a parameter, found the end: write {server="async"}`},
		{"a comma at the end of matches", "throughput{a=b,«}»",
			`expected the name of a parameter, found }: write {server="async"}`},
		{"no comma between matches", "throughput{a=b «c»=d}",
			"expected , or }, found c: quote a value that is more than a word"},
		{"a bare quantity with a space", "throughput{size=10 «MB»}",
			"expected , or }, found MB: quote a value that is more than a word"},
		{"a quoted name", `throughput{«"server"»="async"}`,
			`expected the name of a parameter, found "server": write {server="async"}`},
		{"a dotted name", `throughput{«matrix.server»="async"}`,
			"parameters have no dots in their names: write the last word of matrix.server alone"},
		{"two equals signs", `throughput{server«==»"async"}`, "== cannot be used in braces: write = instead"},
		{"no comparison", "throughput{server«}»", `expected = != < <= > or >= after "server", found }: write server="value"`},
		{"a regular expression", `throughput{server«=~»"a.*"}`,
			"unexpected =~: there are no regular expressions: = and != compare whole texts"},
		{"no value", "throughput{server=«}»",
			"expected a value after =, found }: quote what is neither a word nor a quantity"},
		{"no value and no end", "throughput{server«=»",
			"expected a value after =, found the end: quote what is neither a word nor a quantity"},
		{"a path", "throughput{url=«/»index}",
			"expected a value after =, found /: quote what is neither a word nor a quantity"},
		{"a bare negative number", "throughput{offset=«-»5}",
			"expected a value after =, found -: quote what is neither a word nor a quantity"},
		{"a bare hyphen at the end", "throughput{server=«a-»}", "a bare word does not end in -: quote it"},
		{"an order of texts", "throughput{server>«async»}",
			`> needs a quantity, and "async" is not one: compare texts with = and !=`},
		{"an order of quoted texts", "throughput{a=b, c<=«'x'»}",
			`<= needs a quantity, and "x" is not one: compare texts with = and !=`},
		// Calls.
		{"an unknown function", "«sum»(a)", `unknown function "sum": functions are ratio min max mean geomean median ` +
			"count every same within about fewer published random"},
		{"a misspelt function", "«ratoi»(a, b)", `unknown function "ratoi": did you mean ratio(a, b)?`},
		{"a function of another language", "«avg»(a)", `unknown function "avg": did you mean mean(list)?`},
		{"a dotted function", "«latency.p99»(a)", `unknown function "latency.p99": functions are ratio min max mean ` +
			"geomean median count every same within about fewer published random"},
		{"no arguments", "«max()»", "wrong number of arguments for max: 0: write max(list)"},
		{"an argument too few", "1 < «ratio(a)»", "wrong number of arguments for ratio: 1: write ratio(a, b)"},
		{"an argument too many", "«count(a, b)»", "wrong number of arguments for count: 2: write count(list)"},
		{"an open call", "ratio«(»a, b", "expected a closing ): this ( is never closed"},
		{"a comma at the end of arguments", "ratio(a, «)»",
			"expected a value, found ): write a metric, such as throughput, or a number with its unit"},
		{"no comma between arguments", "ratio(a «b»)",
			"expected an operator between a and b: write an operator, such as + or <, or a comma between arguments; quote " +
				"what is a text"},
		{"a matcher in parentheses", "«throughput(»server=\"a\") > 1",
			`cells are picked in braces: write throughput{server="value"}`},
		{"requests per second", "100 «req»/s", `expected an operator between 100 and req: did you mean "/s"?`},
		{"so many times", "2«x» a", `unknown unit "x": write 2 * a for twice as much as a`},
		{"a percentile with letters", "«latency.99th»",
			"a name starts with a letter, unlike the last part of latency.99th: write latency.p99"},
		{"a comparison without quotes", "every(a, «<» b)", `expected a value, found <: quote it, as in every(a, "<", b)`},
		{"a comparison that is none", `every(a, «"="», b)`,
			`expected a comparison in quotes, found "=": write every(a, "<", b)`},
		// Limits.
		{"deep parentheses", strings.Repeat("(", maxDepth-1) + "«(»(a",
			"the expression is nested too deeply: give its parts names under values"},
		{"a long expression", "«" + strings.Repeat("1 + ", 2500) + "1 »+ 1",
			"the expression is too long: give its parts names under values, at most 10000 bytes each"},
	}
	for _, tt := range tests {
		tt.run(t, func(src string) error {
			_, err := Parse(src)
			return err
		})
	}
}

// A hostile text is an error in no time, however it is made.
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
		if _, err := Parse(src); err == nil {
			t.Errorf("a text of %d bytes that begins with %q is no error", len(src), src[:10])
		}
	}
}

func TestSpans(t *testing.T) {
	src := `not (a + (b)) * 2 < max( c{x=1, y!="z"} ) or -d`
	n, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
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
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spans\n got %q\nwant %q", got, want)
	}
	match := Selectors(n)[2].Matches[1]
	if got := src[match.Start:match.End]; got != `y!="z"` {
		t.Errorf("the match is %q", got)
	}
}

func TestWalkStops(t *testing.T) {
	n, err := Parse("max(a) + b")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	Walk(n, func(n Node) bool {
		got = append(got, n.String())
		_, isCall := n.(*Call)
		return !isCall
	})
	if want := []string{"max(a) + b", "max(a)", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("visited %q, want %q", got, want)
	}
}

func TestParts(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"one part", "a > b", []string{"a > b"}},
		{"a negation is one part", "not (a and b)", []string{"not (a and b)"}},
		{"all of", "a > b and c > d and e", []string{"a > b", "c > d", "e"}},
		{"an alternative is one part", "a > b or c", []string{"a > b or c"}},
		{"nested parts count one by one", "(a and b) and (c and (d and e))", []string{"a", "b", "c", "d", "e"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Parse(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range Parts(n) {
				got = append(got, p.String())
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Parts(%q) = %q, want %q", tt.src, got, tt.want)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	tests := []struct {
		name       string
		percentile float64
	}{
		{"latency.p50", 50},
		{"latency.p99.9", 99.9},
		{"latency.p99.99", 99.99},
		{"latency.connect.p5", 5},
		{"service.p99", 99},
		{"lag.p99", 99},
		{"latency.mean", 0},
		{"latency", 0},
		{"latency.p", 0},
		{"latency.p50.5.5", 0},
		{"latency.200", 0},
		{"cpu.p50", 0},
		{"p50", 0},
	}
	for _, tt := range tests {
		if p, ok := (&Selector{Name: tt.name}).percentile(); p != tt.percentile || ok != (tt.percentile > 0) {
			t.Errorf("%s: %v %v, want %v", tt.name, p, ok, tt.percentile)
		}
	}
}
