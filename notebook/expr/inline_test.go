package expr

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseInline(t *testing.T) {
	tests := []struct{ name, text, want string }{ // want: the expression; filters with their places
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := ParseInline(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{in.Expr.String()}
			for _, f := range in.Filters {
				arg := ""
				switch f.Name {
				case "round":
					arg = fmt.Sprintf(" %d", f.Digits)
				case "unit":
					arg = " " + f.Unit.Symbol
				}
				got = append(got, fmt.Sprintf("%s%s at %q", f.Name, arg, tt.text[f.Start:f.End]))
			}
			if got := strings.Join(got, "; "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParseInlineProblems(t *testing.T) {
	const list = "filters are round, percent, unit and interval"
	for _, tt := range []problem{
		{"nothing", "«»", "the expression is empty: write a value, such as throughput or 100ms"},
		{"only a filter", " «|» round 2", "expected a value, found |: write a metric, such as throughput, or a number with " +
			"its unit"},
		{"nothing after a pipe", "a «|»", "expected a filter, found the end: " + list},
		{"nothing between pipes", "a | «|» round 2", "expected a filter, found |: " + list},
		{"two pipes", "a «||» b", "unexpected ||: write or"},
		{"an unknown filter", "a | «shout»", `unknown filter "shout": ` + list},
		{"a misspelt filter", "a | «rond» 2", `unknown filter "rond": did you mean | round 2?`},
		{"round without digits", "a | «round» | percent", `the filter round does not read "": write | round 2`},
		{"round to a word", "a | «round two»", `the filter round does not read "two": write | round 2`},
		{"round to negative digits", "a | «round -1»", `the filter round does not read "-1": write | round 2`},
		{"round to endless digits", "a | «round 99»", `the filter round does not read "99": write | round 2`},
		{"percent of something", "a | «percent 5»", `the filter percent does not read "5": write | percent`},
		{"an unknown unit", `a \| «unit parsec» \| interval`, `the filter unit does not read "parsec": write | unit ms`},
		{"no unit", "a | «unit»", `the filter unit does not read "": write | unit ms`},
		{"a filter twice", "a | round 1 | percent | «round 2»", "the filter round is given twice: remove one"},
		{"a filter in parentheses", "(a «|» round 2)",
			`unexpected |: filters stand last, and only after {value}; for "or" write or`},
		{"a problem before the filter", "a + «*» | round 2",
			"expected a value, found *: write a metric, such as throughput, or a number with its unit"},
		{"a parenthesis too many", "a«)» | round 2", "expected a filter or the end, found )"},
	} {
		tt.run(t, func(text string) error {
			_, err := ParseInline(text)
			return err
		})
	}
}
