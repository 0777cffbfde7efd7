package check

import (
	"strings"
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

func TestAsserts(t *testing.T) {
	const (
		as      = "[it is faster](claim:c)"
		not     = " if it is contradicted or inconclusive or not measured"
		heading = `the words of this heading state claim "c", and also stand there` + not
		title   = `the words of this title state claim "c", and also stand there` + not
		caption = `the words of this caption state claim "c", and also stand there` + not
	)
	table := func(keys string) string {
		return recordtest.Fence("table", "{label: tbl-t, rows: [server], columns: [throughput], "+keys+"}")
	}
	tests := []struct{ name, says, text, want string }{
		{"running text", "", as, ""}, // which is quoted where it does not hold
		{"the sentence of the outcome", "", "## [](claim:c)\n\n" + table("title: claim:c, claim: c"), ""},
		{"a heading", "", "## " + as, heading},
		{"a heading, emphasized", "", "## Now *" + as + "*", heading},
		{"a guarded heading", "", "::: when c supported\n## " + as + "\n:::\n::: when c else\n:::", ""},
		{"a heading guarded by another claim", "", "::: when d supported\n## " + as + "\n:::\n::: when d else\n:::", heading},
		{"a heading in a part around a part", "", ":::: when c supported\n::: when d supported\n## " + as +
			"\n:::\n::: when d else\n:::\n::::\n::: when c else\n:::", ""},
		{"a heading in a part for two", "", "::: when c supported or inconclusive\n## " + as + "\n:::\n::: when c else\n:::",
			`the words of this heading state claim "c", and also stand there if it is inconclusive`},
		{"in a part for others", "", "::: when c supported\n:::\n::: when c contradicted\nAs " + as +
			".\n:::\n::: when c else\n:::",
			`these words state claim "c", and stand where it is contradicted`},
		{"in a part for the rest", "", "::: when c supported\n:::\n::: when c else\n" + as + "\n:::",
			`these words state claim "c", and stand where it is contradicted or inconclusive or not measured`},
		{"a title that names a claim", "", table("title: It is faster, claim: c"), title},
		{"a guarded title", "", "::: when c supported\n" + table("title: It is faster, claim: c") +
			":::\n::: when c else\n:::", ""},
		{"a title that nobody wrote", "", table("claim: c"), ""},
		{"a title that names no claim", "", table("title: Servers"), ""},
		{"a title with a link", "", table("title: '" + as + "'"), title},
		{"a caption", "", table("caption: '" + as + "'"), caption},
		{"a guarded caption", "", "::: when c supported\n" + table("caption: '"+as+"'") + ":::\n::: when c else\n:::", ""},
		{"sentences of one's own", "says: {supported: It is., contradicted: It is not., inconclusive: It may be.}", "", ""},
		{"one sentence for two outcomes", "says: {contradicted: It is not., inconclusive: it  is not}", "",
			`claim "c" says the same with two outcomes`},
		{"one sentence with the effect", "says: {supported: 'It has {effect}.', contradicted: 'It has {effect}.'}", "", ""},
		{"the hypothesis where it holds", "says: {supported: It is faster.}", "", ""},
		{"the hypothesis where it does not", "says: {inconclusive: It is faster.}", "",
			`claim "c" says that it holds where it does not`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.Servers) +
				recordtest.Fence("claim", "- name: c\n  text: It is faster.\n  "+tt.says+
					"\n  expect: 'throughput{server=\"a\"} > throughput{server=\"b\"}'\n- name: d\n  expect: "+
					"'throughput{server=\"b\"} > throughput{server=\"c\"}'") + tt.text + "\n"
			var problems source.Problems
			Asserts(newFixture(t, text).Doc, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				got = append(got, p.Message)
				if p.Rule != "asserts-what-does-not-hold" || p.Hint == "" || p.Severity != source.SeverityError {
					t.Errorf("got %v", p)
				}
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
