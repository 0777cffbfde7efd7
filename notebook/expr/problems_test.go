package expr

import (
	"errors"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// unmark removes the marks « and » from text, and returns what was between them.
func unmark(text string) (string, Span) {
	before, rest, _ := strings.Cut(text, "«")
	inside, after, _ := strings.Cut(rest, "»")
	return before + inside + after, Span{len(before), len(before) + len(inside)}
}

// problem is a wrong source, with its place between « and », and the message.
type problem struct{ name, marked, want string }

// run checks that a reader reports p, with its hint and place.
func (p problem) run(t *testing.T, reader string) {
	t.Run(reader+"/"+p.name, func(t *testing.T) {
		src, span := unmark(p.marked)
		_, err := readers[reader](src)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%q: error %v, want %q", src, err, p.want)
		}
		assert.Equal(t, errors.Is(err, ErrUnknownName), strings.HasPrefix(p.want, "unknown name"),
			"the cause is ErrUnknownName")
		assert.Equal(t, errors.Is(err, ErrDeferred), false, "the cause is ErrDeferred")
		assert.Equal(t, e.Error(), p.want, "%.200q", src)
		assert.Equal(t, e.Span, span, "%.200q: at", src)
	})
}

func TestProblems(t *testing.T) {
	const (
		anyUnit  = "units are ns us µs ms s m h, B kB MB GB KiB MiB GiB (also with /s), /s, % and cores"
		list     = "filters are round, percent, unit and interval"
		noValue  = ": write a metric, such as throughput, or a number with its unit"
		needsOne = ", but one value is needed: pick one in braces, or reduce it by min max mean geomean median or count"
	)
	for reader, problems := range map[string][]problem{
		"parse": {
			{"nothing", "«»", "the expression is empty: write a value, such as throughput or 100ms"},
			// Operators.
			{"nothing after an operator", "a «+»", "expected a value, found the end" + noValue},
			{"nothing before an operator", "«*» a", "expected a value, found *" + noValue},
			{"two signs", "a - -«-»b", "expected a value, found -" + noValue},
			{"a chain of comparisons", "a < b «<» c", "comparisons do not chain: write a < b and b < c"},
			{"one equals sign", "a «=» b", "= does not compare: write =="},
			{"two ampersands", "a «&&» b", "unexpected &&: write and"},
			{"two pipes", "a «||» b", "unexpected ||: write or"},
			{"an exclamation mark", "«!»a", "unexpected !: write not"},
			{"a remainder", "a «%» b", "unexpected %: a share is written 5%, and there is no remainder"},
			{"a mathematical minus", "a «−» b", "unexpected −: write the hyphen -"},
			{"a capital AND", "a «AND» b", "expected an operator between a and AND: write and in lower case"},
			{"a capital NOT", "NOT «a»", "expected an operator between NOT and a: write not in lower case"},
			{"two values", "throughput «latency»",
				"expected an operator between throughput and latency: write an operator, such as + or <, or a comma between arguments; quote what is a text"},
			{"two strings", `"a" «"b"»`, `expected an operator between "a" and "b": write an operator, such as + or <, or a comma between arguments; quote what is a text`},
			{"a pipe", "a «|» round 2", `unexpected |: filters come last, and only after {value}; for "or" write or`},
			// Parentheses.
			{"no value in parentheses", "(«)»", "expected a value, found )" + noValue},
			{"an open parenthesis", "«(»a + b", "expected a closing ): this ( is never closed"},
			{"a parenthesis too many", "a «)»", "expected the end, found )"},
			{"the wrong closing sign", "(a «}»", "expected a closing ), found }"},
			{"brackets", "«[»1, 2]", "unexpected [: cells are picked in braces, as in throughput{server=\"async\"}; a selector of several cells is a list"},
			{"a comma", "a«,» b", "expected the end, found ,"},
			// Names.
			{"a variable", "«$»server", "unexpected $: names have no $ before them"},
			{"nothing after a dot", "«latency.»", "a name or a number must follow the dot of latency."},
			{"letters after digits", "«status.2xx»",
				"a name starts with a letter, unlike the last part of status.2xx: percentiles are written latency.p99, codes status.404; quote a text"},
			{"percentile zero", "«latency.p0»", "a percentile lies between 0 and 100: the largest latency is latency.max"},
			{"percentile zero of a part", "«service.connect.p0»", "a percentile lies between 0 and 100: the largest latency is latency.max"},
			{"percentile a hundred", "1s < «lag.p100»",
				"a percentile lies between 0 and 100: the largest latency is latency.max"},
			{"an emoji", "a + «🙂»", `unexpected "🙂": remove this character, or, in a text, put the text in quotes`},
			{"not UTF-8", "a + «\xff»", `unexpected "\xff": remove this character, or, in a text, put the text in quotes`},
			// Quantities.
			{"a time in several units", "latency.p99 < 1«m30s»", `unknown unit "m30s": ` + anyUnit},
			{"an unknown unit", "5«foo»", `unknown unit "foo": ` + anyUnit},
			{"a unit in the wrong case", "5«KB»", `unknown unit "KB": did you mean "kB"?`},
			{"no digit before the point", "«.»5", "unexpected .: a number starts with a digit, and a name with a letter"},
			{"no digit after the point", "«5.» + 1", "5. is not a number: if it is a text, quote it"},
			{"a version", "«3.10.1» < 4", "3.10.1 is not a number: if it is a text, quote it"},
			{"minus without spaces", "«2-1»", "minus needs spaces: write 2 - 1"},
			{"minus after a unit", "«5ms-a»", "minus needs spaces: write 5ms - a"},
			{"minus after a percentile", "«latency.p99.9-a»", "minus needs spaces: write latency.p99.9 - a"},
			{"a date", "day == «2026-11-20»", "minus needs spaces: write 2026 - 11-20"},
			{"a number beyond all numbers", "«1e999»", "the number is too large"},
			{"a number with endless digits", "«" + strings.Repeat("1", 65) + "»", "the number is too large"},
			// Strings.
			{"an open string", `a == «"async»`, `the string is not terminated: close it with "`},
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
			{"no comparison", "throughput{server«}»", `expected = != < <= > or >= after "server", found }: write server="value", or axis="server" with the name of its axis`},
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
			// Calls.
			{"an unknown function", "«sum»(a)", `unknown function "sum": functions are ratio min max mean geomean median ` +
				"count every same within about fewer published"},
			{"a misspelt function", "«ratoi»(a, b)", `unknown function "ratoi": did you mean ratio(a, b)?`},
			{"no arguments", "«max()»", "wrong number of arguments for max: 0: write max(list)"},
			{"an argument too many", "«count(a, b)»", "wrong number of arguments for count: 2: write count(list)"},
			{"a matcher in parentheses", "«throughput(»server=\"a\") > 1",
				`cells are picked in braces: write throughput{server="value"}`},
			{"a percentile with letters", "«latency.99th»",
				"a name starts with a letter, unlike the last part of latency.99th: percentiles are written latency.p99, codes status.404; quote a text"},
			{"a comparison without quotes", "every(a, «<» b)", `expected a value, found <: quote it, as in every(a, "<", b)`},
			{"a comparison that is none", `every(a, «"="», b)`,
				`expected a comparison in quotes, found "=": write every(a, "<", b) or every(a) < 10ms`},
			// Limits.
			{"deep parentheses", strings.Repeat("(", maxDepth-1) + "«(»(a",
				"the expression is nested too deeply: give its parts names under values"},
			{"a long expression", "«" + strings.Repeat("1 + ", 2500) + "1 »+ 1",
				"the expression is too long: give its parts names under values, at most 10000 bytes each"},
		},
		"inline": {
			{"nothing", "«»", "the expression is empty: write a value, such as throughput or 100ms"},
			{"only a filter", " «|» round 2", "expected a value, found |" + noValue},
			{"nothing after a pipe", "a «|»", "expected a filter, found the end: " + list},
			{"nothing between pipes", "a | «|» round 2", "expected a filter, found |: " + list},
			{"two pipes", "a «||» b", "unexpected ||: write or"},
			{"an unknown filter", "a | «shout»", `unknown filter "shout": ` + list},
			{"a misspelt filter", "a | «rond» 2", `unknown filter "rond": did you mean | round 2?`},
			{"round without digits", "a | «round» | percent", `the filter round does not read "": write | round 2`},
			{"round to a word", "a | «round two»", `the filter round does not read "two": write | round 2`},
			{"round to negative digits", "a | «round -1»", `the filter round does not read "-1": write | round 2`},
			{"percent of something", "a | «percent 5»", `the filter percent does not read "5": write | percent`},
			{"an unknown unit", `a \| «unit parsec» \| interval`, `the filter unit does not read "parsec": write | unit ms`},
			{"no unit", "a | «unit»", `the filter unit does not read "": write | unit ms`},
			{"a filter twice", "a | round 1 | percent | «round 2»", "the filter round is given twice: remove one"},
			{"a filter in parentheses", "(a «|» round 2)",
				`unexpected |: filters come last, and only after {value}; for "or" write or`},
			{"a problem before the filter", "a + «*» | round 2", "expected a value, found *" + noValue},
			{"a parenthesis too many", "a«)» | round 2", "expected a filter or the end, found )"},
		},
		"quantity": {
			{"nothing", "«»", `"" is not a quantity: a quantity is a number, such as 5 or 100ms`},
			{"a word", "«async»", `"async" is not a quantity: a quantity is a number, such as 5 or 100ms`},
			{"a space before", "« 5»", `" 5" is not a quantity: a quantity is a number, such as 5 or 100ms`},
			{"a space after", "5« »", `unexpected " " after 5: ` + unitHint},
			{"a version", "«3.10.1»", "3.10.1 is not a number: if it is a text, quote it"},
			{"two quantities", "5ms« 3ms»", `unexpected " 3ms" after 5ms: ` + unitHint},
			{"a time per second", "5ms«/s»", `unexpected "/s" after 5ms: ` + unitHint},
		},
		"template": {
			{"no end", "a «${{» matrix.n b", "${{ is never closed: write }} after the expression"},
			{"no end before the next one", "a «${{» matrix.n b ${{ c }}", "${{ is never closed: write }} after the expression"},
			{"one brace", "a «${{» matrix.n } b", "${{ is never closed: write }} after the expression"},
			{"spaced braces", "a ${{ matrix.n «}» } }}", "expected }}, found }"},
			{"nothing inside", "a «${{ }}» b", "the expression is empty: write a value, such as throughput or 100ms"},
			{"a problem inside", "a ${{ matrix.n + «*» }} b", "expected a value, found *" + noValue},
			{"two values", "a ${{ b «c» }}", "expected an operator between b and c: write an operator, such as + or <, or a comma between arguments; quote what is a text"},
			{"an open parenthesis", "a ${{ (b «}»} c)", "expected a closing ), found }"},
			{"an open string", "a ${{ «'b }} c»", "the string is not terminated: close it with '"},
			{"the second expression", "${{ a }} ${{ a < b «<» c }}", "comparisons do not chain: write a < b and b < c"},
		},
		"fill": {
			{"an unknown name", "a ${{ «matrix.port» }}", `no metric "matrix.port"`},
			{"a list in a text", "a ${{ «words» }}", "words is a list of 2" + needsOne},
			{"an unknown name", "${{ tune.workers }} ${{ «matrix.port» }}", `no metric "matrix.port"`},
			{"an unknown name beside a search", "${{ tune.workers + «matrix.port» }}", `no metric "matrix.port"`},
		},
		"eval": {
			{"unlike sum", "1 + («latency.p99 + 5MB») * 2", "cannot add a size in B to a time in s"},
			{"unlike difference", "«5MB - 1s»", "cannot subtract a time in s from a size in B"},
			{"a product without meaning", "«latency.p99 * 1s»", "cannot multiply a time in s by a time in s"},
			{"a quotient without meaning", "«5MB / 1cores * 1s»", "cannot multiply a size in B by a time in s"},
			{"unlike comparison", "true and «latency.p99 < 100»", "cannot compare a time in s with a plain number"},
			{"unlike equality", "«2cores == 2»", "cannot compare a number of cores with a plain number"},
			{"division by zero", "1 / «connects»", "division by zero"},
			{"a list in a sum", "1/s + «throughput»", "throughput is a list of 3" + needsOne},
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
		},
		"constant": {
			{"a name", "1 + «throughput»", `unknown name "throughput"`},
			{"a function", "1 + «ratio(1, 2)»", "the function ratio is not available here"},
		},
		"check": {
			{"unlike comparison", "false and «throughput > 100ms»", "cannot compare a rate in 1/s with a time in s"},
			{"unlike operands", "1 < «ratio(throughput, latency.p99)»", "cannot compare a rate in 1/s with a time in s"},
			{"a factor with a unit", "within(throughput, throughput, «10ms»)",
				"expected a plain number or a share, found a time in s"},
			{"a negated number", "not «5»", "5 is a plain number, neither true nor false: compare it with something"},
			{"a sum of words", "1 + «'a'»", `expected a number, found the text "a"`},
			{"a conjunction of words", "true or «'a'»", `"a" is the text "a", neither true nor false: compare it with something`},
			{"an order of truth values", "«(1 < 2) < true»", "< needs quantities, not truth values"},
			{"a number equal to a truth value", "«throughput == true»", "cannot compare a rate in 1/s with a truth value"},
			{"a function of a truth value", "max(«1 < 2»)", "max needs numbers"},
		},
		"where": {
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
		},
	} {
		for _, p := range problems {
			p.run(t, reader)
		}
	}
}

func TestNear(t *testing.T) {
	for _, test := range []struct {
		name, word string
		candidates []string
		want       []string
	}{
		{"a letter less", "conections", []string{"connections", "duration"}, []string{"connections"}},
		{"equally near", "fig-b", []string{"fig-a", "fig-c"}, []string{"fig-a", "fig-c"}},
		{"a hyphen for an underline, and a plural", "mem-limits", []string{"mem_limit", "cpus"}, []string{"mem_limit"}},
		{"another case", "MS", []string{"ms", "m"}, []string{"ms"}},
		{"one letter is no other", "r", []string{"a", "p"}, nil},
		{"one letter in another case", "A", []string{"a", "b"}, []string{"a"}},
		{"the word itself", "a", []string{"a"}, nil},
		{"nothing like it", "zebra", []string{"throughput"}, nil},
	} {
		assert.Slice(t, Near(test.word, test.candidates), test.want, "%s", test.name)
	}
}
