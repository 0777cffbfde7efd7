package check

import (
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// judged are the results of an article with its records.
func judged(b *recordtest.Fixture) *claim.Results {
	b.T.Helper()
	d, err := dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan})
	if err != nil {
		b.T.Fatal(err)
	}
	return claim.JudgeAll(d)
}

// warned returns the texts that warnings of a rule are about. Other problems fail the test.
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
			WrongAssertions(recordtest.New(t, text).Doc, &problems)
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

// Words that are bound to a claim are warned of unless the records support it. Its sentence always holds.
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
			if got := warned(t, "asserts-what-does-not-hold", &problems); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
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
		b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
			recordtest.Servers)+tt.text)
		var problems source.Problems
		Headlines(b.Doc, &problems)
		if got := warned(t, "no-headline", &problems); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The servers answer about 1200, 1000 and 800 requests per second.
func TestStaleNumbers(t *testing.T) {
	const a, ratio = "`{value} throughput{server=\"a\"}`",
		"`{value} ratio(throughput{server=\"a\"}, throughput{server=\"b\"})`"
	tests := []struct{ name, prose, want string }{
		{"a number that still holds", "It answers " + a + ", about 1200/s.", ""},
		{"one that does not", "It answers " + a + ", about 1500/s.", "1500/s"},
		{"in words", "It answers " + a + ", that is 1,500 requests per second.", "1,500 requests per second"},
		{"of another size", "It answers " + a + ", for a link of 9000/s.", ""},
		{"of another unit", "It answers " + a + " within 1500 ms.", ""},
		{"in another sentence", "It answers " + a + ". The old one did 1500/s.", ""},
		{"a number without a unit", "It answers " + a + " on 1500 connections.", ""},
		{"rounded", "It answers " + a + ", over 1.2 times as many.", ""},
		{"a ratio", "It is " + ratio + " as fast, or 1.6 times.", "1.6 times"},
		{"a rounded ratio", "It is " + ratio + " as fast, or 1.2 times.", ""},
		{"beside two, of which one is it", "It answers " + a + " and not `{value} throughput{server=\"b\"}`, so 1000/s less.",
			""},
		{"in code", "It answers " + a + ", see `1500/s`.", ""},
		{"in a link and emphasis, on another line", "It answers " + a + ",\nor [*about\n1500/s*](https://example.com).",
			"1500/s"},
		{"in a table", "| measured | as said |\n|---|---|\n| " + a + " or 1500/s | 1500/s |", "1500/s"},
		{"in a heading", "## It answers " + a + ", not 1500/s", "1500/s"},
		{"in a caption", recordtest.Fence("table",
			"label: tbl-x\nrows: [server]\ncolumns: [throughput]\ncaption: 'It answers "+a+", not \"1500/s\".'"), "1500/s"},
		{"in a title", recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], title: 'It answers "+
			a+", about 1200/s'}"), ""},
		{"in a caption without a measured value",
			recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], caption: 'Not 1500/s.'}"), ""},
		{"in parts of which one applies", "::: when `throughput{server=\"a\"} > 1/s`\nIt answers " + a +
			", not 1500/s.\n:::\n" +
			"::: when `throughput{server=\"a\"} < 1/s`\nIt answers " + a + ", not 1600/s.\n\n" +
			recordtest.Fence("table", "{label: tbl-x, rows: [server], columns: [throughput], title: 'It answers "+a+
				", not 1700/s'}") + ":::", "1500/s"},
		{"what was published", "It answers " + a + ", and 1500/s there.\n\n" + recordtest.Fence("published",
			"source: x\nrows: [{server: a, throughput: 1500/s}]"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.Servers) +
				tt.prose + "\n"
			var problems source.Problems
			StaleNumbers(judged(recordtest.NewMeasured(t, text)), &problems)
			if got := warned(t, "stale-number", &problems); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What was not measured makes no number stale.
func TestStaleNumbersNeedMeasuredOnes(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers)+
		"It answers `{value} throughput{server=\"a\"}`, about 1500/s.\n")
	var problems source.Problems
	if StaleNumbers(judged(b), &problems); problems.Len() > 0 {
		t.Errorf("got %v", problems.Sorted()[0])
	}
}

// A typed number is compared with the interval by which the claim about its ratio is judged: the one that is shown.
func TestStaleNumbersAsJudged(t *testing.T) {
	for name, block := range map[string]string{"1.27": "", "": recordtest.Fence("claim",
		`{name: c, expect: 'throughput{server="a"} > throughput{server="b"}'}`)} {
		text := recordtest.FrontMatter + recordtest.Dockerfile +
			recordtest.Fence("experiment", strings.Replace(recordtest.Servers, "calibrate: false", "", 1)) + block +
			"It is `{value} ratio(throughput{server=\"a\"}, throughput{server=\"b\"})` as fast, or 1.27 times.\n"
		b := recordtest.NewMeasured(t, text)
		b.Measure("servers", "again", "1", []float64{1260, 1270, 1250}) // and a has 1200
		var problems source.Problems
		StaleNumbers(judged(b), &problems)
		got := warned(t, "stale-number", &problems)
		if !strings.HasPrefix(got, name) || name == "" && got != "" {
			t.Errorf("with the claim %q %q is stale, want %q", block, got, name)
		}
	}
}
