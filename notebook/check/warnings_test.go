package check

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// judged judges the claims of an article by its records.
func judged(b *recordtest.Fixture) *claim.Results {
	b.T.Helper()
	d := must.Get(dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan}))
	return claim.JudgeAll(d)
}

// warned returns the texts that warnings of a rule point to. Other problems fail the test.
func warned(t testing.TB, rule string, problems *source.Problems) string {
	t.Helper()
	got := ""
	for _, p := range problems.Sorted() {
		got += string(p.Pos.Source.Data[p.Pos.Start:p.Pos.End])
		if p.Severity != source.SeverityWarning || p.Rule != rule || p.Hint == "" {
			t.Errorf("got %v", p)
		}
	}
	return got
}

func TestAsserts(t *testing.T) {
	const (
		as      = "[it is faster](claim:c)"
		not     = " if it is contradicted or inconclusive or not measured"
		heading = `the words of this heading state claim "c", and are also shown` + not
		title   = `the words of this title state claim "c", and are also shown` + not
		caption = `the words of this caption state claim "c", and are also shown` + not
	)
	table := func(keys string) string {
		return recordtest.Fence("table", "{label: tbl-t, rows: [server], columns: [throughput], "+keys+"}")
	}
	for _, tt := range []struct{ name, says, text, want string }{
		{"running text", "", as, ""}, // which is quoted where it does not hold
		{"the sentence of the outcome", "", "## [](claim:c)\n\n" + table("title: claim:c"), ""},
		{"a heading", "", "## " + as, heading},
		{"a heading, emphasized", "", "## Now *" + as + "*", heading},
		{"a guarded heading", "", "::: when c supported\n## " + as + "\n:::\n::: when c else\n:::", ""},
		{"a heading guarded by another claim", "", "::: when d supported\n## " + as + "\n:::\n::: when d else\n:::", heading},
		{"a heading in a part around a part", "", ":::: when c supported\n::: when d supported\n## " + as +
			"\n:::\n::: when d else\n:::\n::::\n::: when c else\n:::", ""},
		{"a heading in a part for two", "", "::: when c supported or inconclusive\n## " + as + "\n:::\n::: when c else\n:::",
			`the words of this heading state claim "c", and are also shown if it is inconclusive`},
		{"in a part for others", "", "::: when c supported\n:::\n::: when c contradicted\nAs " + as +
			".\n:::\n::: when c else\n:::",
			`these words state claim "c", and are shown where it is contradicted`},
		{"in a part for the rest", "", "::: when c supported\n:::\n::: when c else\n" + as + "\n:::",
			`these words state claim "c", and are shown where it is contradicted or inconclusive or not measured`},
		{"a title that names no claim", "", table("title: Servers"), ""},
		{"a title with a link", "", table("title: '" + as + "'"), title},
		{"a caption", "", table("caption: '" + as + "'"), caption},
		{"a guarded caption", "", "::: when c supported\n" + table("caption: '"+as+"'") + ":::\n::: when c else\n:::", ""},
		{"sentences of one's own", "says: {supported: It is., contradicted: It is not., inconclusive: It may be.}", "", ""},
		{"one sentence for two outcomes", "says: {contradicted: It is not., inconclusive: it  is not}", "",
			`claim "c" says the same with two outcomes`},
		{"one sentence with the effect", "says: {supported: 'It has {effect}.', contradicted: 'It has {effect}.'}", "", ""},
		{"one sentence for all outcomes", "says: It has {effect}.", "", ""},
		{"fixed words for all outcomes", "says: It is.", "", `claim "c" says the same with every verdict`},
		{"the hypothesis where it holds", "says: {supported: It is faster.}", "", ""},
		{"the hypothesis where it does not", "says: {inconclusive: It is faster.}", "",
			`claim "c" says that it holds where it does not`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Article(recordtest.Servers) +
				recordtest.Fence("claim", "- name: c\n  text: It is faster.\n  "+tt.says+
					"\n  expect: 'throughput{server=\"a\"} > throughput{server=\"b\"}'\n- name: d\n  expect: "+
					"'throughput{server=\"b\"} > throughput{server=\"c\"}'") + tt.text + "\n"
			var problems source.Problems
			WrongAssertions(recordtest.New(t, text).Doc, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				got = append(got, p.Message)
				if p.Rule != "asserts-what-does-not-hold" || p.Hint == "" || p.Severity != source.SeverityError {
					t.Errorf("got %v", p)
				}
			}
			assert.Equal(t, strings.Join(got, "\n"), tt.want)
		})
	}
}

// Words bound to a claim give a warning unless the records support the claim. The claim's own sentence never does.
func TestAsserted(t *testing.T) {
	for _, tt := range []struct{ name, expect, prose, want string }{
		{"a supported claim", `throughput{server="a"} > throughput{server="b"}`, "[a is faster](claim:c).", ""},
		{"a contradicted one", `throughput{server="a"} < throughput{server="b"}`, "[a is slower](claim:c).", "c"},
		{"an undecided one", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`, "[a is faster](claim:c).", "c"},
		{"one that is not measured", `bytes.in{server="a"} > 1B/s`, "[a reads](claim:c).", "c"},
		{"in a heading", `throughput{server="a"} < throughput{server="b"}`, "## [a is slower](claim:c)", "c"},
		{"its sentence", `throughput{server="a"} < throughput{server="b"}`, "[](claim:c)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Claimed(tt.expect) + tt.prose + "\n"
			var problems source.Problems
			UnsupportedAssertions(judged(recordtest.NewMeasured(t, text)), &problems)
			assert.Equal(t, warned(t, "asserts-what-does-not-hold", &problems), tt.want)
		})
	}
}

func TestHeadlines(t *testing.T) {
	const claim = `{name: c, expect: 'throughput{server="a"} > throughput{server="b"}'`
	for _, tt := range []struct{ name, text, want string }{
		{"no claim", "", ""},
		{"a headline", recordtest.Fence("claim", "- "+claim+"}\n- {name: d, headline: true, expect: throughput > 1/s}"), ""},
		{"no headline", recordtest.Fence("claim", "- "+claim+"}\n- {name: d, headline: false, expect: throughput > 1/s}"), "c"},
	} {
		b := recordtest.New(t, recordtest.Article(recordtest.Servers)+tt.text)
		var problems source.Problems
		Headlines(b.Doc, &problems)
		assert.Equal(t, warned(t, "no-headline", &problems), tt.want, "%s", tt.name)
	}
}

func TestFinding(t *testing.T) {
	for _, tt := range []struct{ name, finding, want string }{
		{"no finding", "", ""},
		{"words without a link", "a is faster", "a is faster"},
		{"words with a link elsewhere", "'[a](other.md) is faster'", "'[a](other.md) is faster'"},
		{"words with a link to a claim", "'[a is faster](claim:c)'", ""},
		{"some words with one", "'[a is faster](claim:c), which is nice'", ""},
		{"the sentence of a claim", "'[](claim:c)'", ""},
		{"a value", "a answers `{value} throughput`", "a answers `{value} throughput`"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, "---\ntitle: An article\nfinding: "+tt.finding+"\n---\n\n"+recordtest.Dockerfile+
				recordtest.Fence("experiment", recordtest.Servers)+
				recordtest.Fence("claim", `{name: c, expect: 'throughput{server="a"} > throughput{server="b"}'}`)+"[](claim:c)\n")
			var problems source.Problems
			Finding(b.Doc, &problems)
			assert.Equal(t, warned(t, "unbound-finding", &problems), tt.want)
		})
	}
}
