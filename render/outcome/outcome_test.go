package outcome_test

import (
	"flag"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
	"benchbook/render/outcome"
)

var update = flag.Bool("update", false, "write the golden file anew")

// A measuring makes the records of an article with claims of these tests.
type measuring func(t *testing.T, expect string) *recordtest.Fixture

// servers have 1200, 1000 and 800 requests per second, with the changes given.
func servers(changes ...recordtest.Change) measuring {
	return func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewMeasured(t, recordtest.Claimed(expect), changes...)
	}
}

// grid has two servers with 10 and with 100 clients, of which the values are those of trials in this order: sync with
// 10, async with 10, sync with 100, async with 100.
func grid(values ...[]float64) measuring {
	return func(t *testing.T, expect string) *recordtest.Fixture {
		b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Grid)+
			recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'"))
		for i, trial := range []string{"sync, 10", "async, 10", "sync, 100", "async, 100"} {
			if values[i] != nil {
				b.Measure("grid", trial, "1", values[i])
			}
		}
		return b
	}
}

// six are servers of which a answers more than all others, but for f, which is unsteady.
func six(t *testing.T, expect string) *recordtest.Fixture {
	f := recordtest.New(t, strings.Replace(recordtest.Claimed(expect), "[a, b, c]", "[a, b, c, d, e, f]", 1))
	for trial, values := range map[string][]float64{"a": a, "b": b, "c": b, "d": b, "e": b, "f": unsteady} {
		f.Measure("servers", trial, "1", values)
	}
	return f
}

// many are eleven servers, of which a answers more than all others, but for k.
func many(t *testing.T, expect string) *recordtest.Fixture {
	names := "abcdefghijk"
	f := recordtest.New(t, strings.Replace(recordtest.Claimed(expect), "[a, b, c]",
		"["+strings.Join(strings.Split(names, ""), ", ")+"]", 1))
	for _, name := range strings.Split(names, "") {
		values := map[string][]float64{"a": b, "k": a}[name]
		if values == nil {
			values = c
		}
		f.Measure("servers", name, "1", values)
	}
	return f
}

func searched(t *testing.T, expect string) *recordtest.Fixture {
	f := recordtest.NewSearched(t, expect)
	f.Repeat()
	return f
}

// wide spreads the values of a server so far that nothing is decided.
func wide(trial string) recordtest.Change {
	return recordtest.Only(trial, func(r *record.Record) {
		r.Load.Completed = r.Load.Completed * int64(r.Repetition) / 2
	})
}

// fails makes requests to a and b fail.
func fails(a, b int64) measuring {
	return servers(recordtest.Only("a", recordtest.Failing(a)), recordtest.Only("b", recordtest.Failing(b)),
		recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 }))
}

var (
	as        = servers()
	apart     = servers(wide("a"))
	broken    = servers(recordtest.Only("a", recordtest.Failed("server exited")))
	few       = servers(recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" }, 2, 3))
	a, b, c   = recordtest.ValuesA, recordtest.ValuesB, recordtest.ValuesC
	unsteady  = []float64{700, 1000, 1400}
	published = func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewMeasured(t, recordtest.Claimed(expect)+recordtest.Fence("published",
			"source: The original\nexperiment: servers\nrows:\n  - {server: a, throughput: 900/s}\n"+
				"  - {server: b, throughput: 1000/s}\n  - {server: c, throughput: 300/s}"))
	}
)

// cases are claims of every form with every verdict.
var cases = []struct {
	form    string
	expect  string
	measure measuring
	want    stats.Verdict
}{
	{"a > b", `throughput{server="a"} > throughput{server="b"}`, as, stats.Supported},
	{"a > b", `throughput{server="b"} > throughput{server="a"}`, as, stats.Contradicted},
	{"a > b, less than what counts", `throughput{server="async", clients="10"} > throughput{server="sync", clients="10"}`,
		grid([]float64{1000, 1001, 999}, []float64{1020, 1021, 1019}, b, b), stats.Contradicted},
	{"a > b", `throughput{server="a"} > throughput{server="b"}`, apart, stats.Inconclusive},
	{"a > b, one repetition", `throughput{server="a"} > throughput{server="b"}`, few, stats.Inconclusive},
	{"a > b", `throughput{server="a"} > throughput{server="b"}`, broken, stats.NotMeasured},
	{"a > b, as published", `throughput{server="a"} > throughput{server="b"}`, published, stats.Supported},
	{"a > b of two metrics", `latency.p99{server="a"} > latency.p50{server="a"}`, as, stats.Supported},
	{"a > b without a ratio", `failed{server="a"} > failed{server="b"}`, as, stats.Inconclusive},
	{"a > b with something in common",
		`throughput{server="async", clients="100"} > throughput{server="sync", clients="100"}`, grid(c, b, b, a), stats.Supported},
	{"a > b by two parameters", `throughput{server="async", clients="100"} > throughput{server="sync", clients="10"}`,
		grid(c, b, b, a), stats.Supported},
	{"a < b", `latency.p75{server="a"} < latency.p75{server="b"}`, as, stats.Supported},
	{"a < b", `latency.p99{server="b"} < latency.p99{server="a"}`, as, stats.Contradicted},
	{"a < b", `throughput{server="a"} < throughput{server="b"}`, apart, stats.Inconclusive},
	{"a < b", `latency.p99{server="a"} < latency.p99{server="b"}`, broken, stats.NotMeasured},
	{"a >= b", `throughput{server="a"} >= throughput{server="b"}`, as, stats.Supported},
	{"a >= b, no difference", `cpu.server{server="a"} >= cpu.server{server="b"}`, as, stats.Supported},
	{"a >= b", `throughput{server="b"} >= throughput{server="a"}`, as, stats.Contradicted},
	{"a >= b", `throughput{server="a"} >= throughput{server="b"}`, apart, stats.Inconclusive},
	{"a >= b", `throughput{server="a"} >= throughput{server="b"}`, broken, stats.NotMeasured},
	{"a <= b", `throughput{server="b"} <= throughput{server="a"}`, as, stats.Supported},
	{"a <= b", `throughput{server="a"} <= throughput{server="b"}`, as, stats.Contradicted},
	{"a <= b", `throughput{server="a"} <= throughput{server="b"}`, apart, stats.Inconclusive},
	{"a <= b", `throughput{server="a"} <= throughput{server="b"}`, broken, stats.NotMeasured},
	{"same", `same(memory.server{server="a"}, memory.server{server="b"})`, as, stats.Supported},
	{"same", `same(throughput{server="a"}, throughput{server="b"})`, as, stats.Contradicted},
	{"same", `same(throughput{server="a"}, throughput{server="b"})`, apart, stats.Inconclusive},
	{"same", `same(throughput{server="a"}, throughput{server="b"})`, broken, stats.NotMeasured},
	{"within", `within(throughput{server="a"}, throughput{server="b"}, 30%)`, as, stats.Supported},
	{"within", `within(throughput{server="a"}, throughput{server="b"}, 10%)`, as, stats.Contradicted},
	{"within", `within(throughput{server="a"}, throughput{server="b"}, 20%)`, as, stats.Inconclusive},
	{"within", `within(throughput{server="a"}, throughput{server="b"}, 30%)`, broken, stats.NotMeasured},
	{"ratio >", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`, as, stats.Supported},
	{"ratio >", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.3`, as, stats.Contradicted},
	{"ratio >", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`, as, stats.Inconclusive},
	{"ratio >", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`, broken, stats.NotMeasured},
	{"ratio <", `ratio(throughput{server="a"}, throughput{server="b"}) < 1.3`, as, stats.Supported},
	{"ratio <", `ratio(throughput{server="a"}, throughput{server="b"}) < 1.1`, as, stats.Contradicted},
	{"ratio <", `ratio(throughput{server="a"}, throughput{server="b"}) < 1.2`, as, stats.Inconclusive},
	{"ratio <", `ratio(throughput{server="a"}, throughput{server="b"}) < 1.3`, broken, stats.NotMeasured},
	{"ratio > beyond two", `ratio(throughput{server="async", clients="10"}, throughput{server="sync", clients="10"}) > 2`,
		grid(a, []float64{12000, 12100, 11900}, b, b), stats.Supported},
	{"times", `throughput{server="a"} > 1.1 * throughput{server="b"}`, as, stats.Supported},
	{"times", `throughput{server="a"} > throughput{server="b"} * 1.3`, as, stats.Contradicted},
	{"times", `throughput{server="a"} < 1.2 * throughput{server="b"}`, as, stats.Inconclusive},
	{"times", `throughput{server="a"} > 1.1 * throughput{server="b"}`, broken, stats.NotMeasured},
	{"ratio of ratios", `ratio(throughput{server="async", clients="100"}, throughput{server="sync", clients="100"}) > ` +
		`ratio(throughput{server="async", clients="10"}, throughput{server="sync", clients="10"})`, grid(b, b, b, a),
		stats.Supported},
	{"ratio of ratios", `ratio(throughput{server="async", clients="100"}, throughput{server="sync", clients="100"}) > ` +
		`ratio(throughput{server="async", clients="10"}, throughput{server="sync", clients="10"})`, grid(b, a, b, b),
		stats.Contradicted},
	{"ratio of ratios", `ratio(throughput{server="async", clients="100"}, throughput{server="sync", clients="100"}) > ` +
		`ratio(throughput{server="async", clients="10"}, throughput{server="sync", clients="10"})`, grid(b, unsteady, b, b),
		stats.Inconclusive},
	{"ratio of ratios", `ratio(throughput{server="async", clients="100"}, throughput{server="sync", clients="100"}) > ` +
		`ratio(throughput{server="async", clients="10"}, throughput{server="sync", clients="10"})`, grid(b, nil, b, b),
		stats.NotMeasured},
	{"ratio of ratios of others", `ratio(throughput{server="a"}, throughput{server="c"}) > ` +
		`ratio(latency.p50{server="c"}, latency.p50{server="b"})`, as, stats.Supported},
	{"about", `about(throughput{server="a"}, throughput{server="b"}, 1.2)`, as, stats.Supported},
	{"about", `about(throughput{server="a"}, throughput{server="b"}, 2)`, as, stats.Contradicted},
	{"about", `about(throughput{server="a"}, throughput{server="b"}, 1.5)`, as, stats.Inconclusive},
	{"about", `about(throughput{server="a"}, throughput{server="b"}, 1.2)`, broken, stats.NotMeasured},
	{"limit", `throughput{server="a"} > 1100/s`, as, stats.Supported},
	{"limit", `throughput{server="a"} < 1100/s`, as, stats.Contradicted},
	{"limit", `throughput{server="a"} > 1200/s`, as, stats.Inconclusive},
	{"limit", `throughput{server="a"} > 1100/s`, broken, stats.NotMeasured},
	{"limit of what was counted", `failed.count{server="a"} < 5`, as, stats.Supported},
	{"limit with several parameters", `latency.p99{server="async", clients="10"} < 100ms`, grid(b, a, b, b),
		stats.Supported},
	{"fewer", `fewer(failed{server="a"}, failed{server="b"})`, fails(10, 1000), stats.Supported},
	{"fewer", `fewer(failed{server="a"}, failed{server="b"})`, fails(1000, 10), stats.Contradicted},
	{"fewer", `fewer(errors.timeout{server="a"}, errors.timeout{server="b"})`, fails(0, 0), stats.Inconclusive},
	{"fewer", `fewer(failed{server="a"}, failed{server="b"})`, broken, stats.NotMeasured},
	{"fewer by a limit", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, fails(10, 1000), stats.Supported},
	{"fewer by a limit", `fewer(failed{server="a"}, failed{server="b"}, 20%)`, fails(10, 1000), stats.Inconclusive},
	{"fewer by a limit", `fewer(failed{server="a"}, failed{server="b"}, 9%)`, fails(10, 1000), stats.Inconclusive},
	{"fewer by a limit", `fewer(failed{server="a"}, failed{server="b"}, 0.1%)`, broken, stats.NotMeasured},
	{"geomean", `geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, as, stats.Supported},
	{"geomean", `geomean(throughput{server!="c"}) < geomean(throughput{server="c"})`, as, stats.Contradicted},
	{"geomean", `geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, servers(wide("c")),
		stats.Inconclusive},
	{"geomean", `geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, broken, stats.NotMeasured},
	{"every", `every(throughput{server="a"}, ">", throughput{server!="a"})`, as, stats.Supported},
	{"every", `every(throughput{server="c"}, ">=", throughput{server!="c"})`, as, stats.Contradicted},
	{"every, some", `every(throughput{server="b"}, ">", throughput{server!="b"})`, as, stats.Contradicted},
	{"every", `every(throughput{server="a"}, ">", throughput{server!="a"})`, servers(wide("b")), stats.Inconclusive},
	{"every, none decided", `every(throughput{server="a"}, ">", throughput{server!="a"})`, apart, stats.Inconclusive},
	{"every", `every(throughput{server="a"}, ">", throughput{server!="a"})`, broken, stats.NotMeasured},
	{"every, mostly", `every(throughput{server="a"}, ">", throughput{server!="a"})`, six, stats.Inconclusive},
	{"every, mostly", `every(throughput{server="a"}, ">", throughput{server!="a"})`, many, stats.Contradicted},
	{"every, by groups", `every(throughput{server="sync"}, "<", throughput{server="async"})`, grid(c, b, c, unsteady),
		stats.Inconclusive},
	{"every, by groups", `every(throughput{server="sync"}, "<", throughput{server="async"})`, grid(b, a, b, c),
		stats.Contradicted},
	{"every, by groups of the first list", `every(throughput{server="async"}, ">", throughput{server="sync"})`,
		grid(b, a, b, unsteady), stats.Inconclusive},
	{"every, mixed", `every(throughput{server="sync"}, "<", throughput{server="async"})`, grid(c, b, a, b),
		stats.Contradicted},
	{"every, with a common condition", `every(throughput{server="sync", clients>=10}, "<", throughput{server="async", clients>=10})`,
		grid(c, b, unsteady, unsteady), stats.Inconclusive},
	{"every, as published", `every(throughput{server="a"}, ">", throughput{server!="a"})`, published, stats.Supported},
	{"and", `throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`, as,
		stats.Supported},
	{"and", `throughput{server="a"} > throughput{server="b"} and throughput{server="c"} > throughput{server="b"}`, as,
		stats.Contradicted},
	{"and", `throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`,
		servers(wide("c")), stats.Inconclusive},
	{"and", `throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`, broken,
		stats.NotMeasured},
	{"and of many that are alike", `throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > ` +
		`throughput{server="c"} and throughput{server="a"} > throughput{server="c"} and ` +
		`ratio(throughput{server="a"}, throughput{server="c"}) > 1.1`, as, stats.Supported},
	{"and of many that are not", `throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > ` +
		`throughput{server="c"} and throughput{server="a"} > throughput{server="c"} and throughput{server="a"} > 1/s`, as,
		stats.Supported},
	{"every, a limit", `every(throughput) > 500/s`, as, stats.Supported},
	{"every, a limit", `every(throughput{server="a"}) < 500/s`, as, stats.Contradicted},
	{"and of limits of one value", `throughput{server="a"} > 1100/s and throughput{server="a"} < 1300/s`, as,
		stats.Supported},
	{"searched", `tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`, searched,
		stats.Supported},
	{"searched", `capacity.rate{experiment="ceiling", server="a"} > capacity.rate{experiment="ceiling", server="b"}`, searched, stats.Contradicted},
	{"searched", `tune.workers{experiment="tuned", server="a"} < 7`, searched, stats.Inconclusive},
	{"searched", `capacity.rate{experiment="ceiling", server="c"} > 1500/s`, searched, stats.Supported},
	{"searched", `tune.workers{experiment="tuned", server="a"} < 9`, func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewSearched(t, expect)
	}, stats.Inconclusive},
	{"searched", `tune.workers{experiment="tuned", server="a"} > 7`, func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.New(t, recordtest.Searching+recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'"))
	}, stats.NotMeasured},
	{"a mistake", `throughput{server="d"} > 5/s`, as, stats.NotMeasured},
}

// The sentence of every form with every verdict states what was measured.
func TestSentences(t *testing.T) {
	var got strings.Builder
	form := ""
	for _, tt := range cases {
		f := tt.measure(t, tt.expect)
		d := must.Get(dataset.New(f.Doc, f.Records, dataset.Options{Plan: f.Plan}))
		j := claim.JudgeAll(d).Claims[0]
		assert.Equal(t, j.Verdict, tt.want, "%s: %s", tt.form, tt.expect)
		o := outcome.Of(d, j, outcome.Options{})
		if tt.form != form {
			fmt.Fprintf(&got, "\n%s\n", tt.form)
		}
		form = tt.form
		fmt.Fprintf(&got, "  %s: %s\n    %s\n    here %s", j.Verdict, j.Claim.Expect.Text.Value, o.Sentence.Text(), o.Here)
		if o.Published != "" {
			fmt.Fprintf(&got, ", published %s", o.Published)
		}
		got.WriteString("\n")
		for _, word := range []string{"whether", " if ", "%!", "  "} {
			if strings.Contains(o.Sentence.Text(), word) {
				t.Errorf("%s, %s: %q has %q", tt.form, j.Verdict, o.Sentence.Text(), word)
			}
		}
	}
	golden := filepath.Join("testdata", "sentences.txt")
	if *update {
		must.Do(os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want := must.Get(os.ReadFile(golden))
	assert.Equal(t, got.String(), string(want), "%s is different; with -update it is written anew", golden)
}

// A sentence of the author has the interval where it interrupts nothing, and no direction that is not decided.
func TestSays(t *testing.T) {
	for _, tt := range []struct{ name, expect, says, want, title string }{
		{"a difference", `throughput{server="a"} > throughput{server="b"}`,
			"A's server answers {effect} requests than {b}, as before.",
			"A's server answers 21 % more requests than b [+16 to +25 %], as before.",
			"A's server answers 21 % more requests than b, as before"},
		{"a factor", `throughput{server="a"} > throughput{server="b"}`, "It answers {effect} as many.",
			"It answers 1.21 times as many [1.16 to 1.25 times].", "It answers 1.21 times as many"},
		{"a part", `throughput{server="b"} < throughput{server="a"}`, "It answers {effect} as many.",
			"It answers 83 % as many [80 to 86 %].", "It answers 83 % as many"},
		{"before markup", `throughput{server="a"} > throughput{server="b"}`, "It answers {effect} *requests*.",
			"It answers 21 % more [+16 to +25 %] requests.", "It answers 21 % more requests"},
		{"to either side", `throughput{server="a"} < 2 * throughput{server="b"}`, "It answers {effect} requests.",
			"It answers 21 % fewer to 49 % more requests.", "It answers 21 % fewer to 49 % more requests"},
		{"a value", `throughput{server="a"} > 1100/s`, "It answers {effect}.", "It answers 1,200/s [1,150 to 1,260/s].",
			"It answers 1,200/s"},
		{"pairs", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "It is so in {effect}.",
			"It is so in both pairs.", "It is so in both pairs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			measure := as
			if tt.name == "to either side" {
				measure = servers(recordtest.Only("a", func(r *record.Record) {
					r.Load.Completed = r.Load.Completed * int64(8+r.Repetition%3) / 10
				}))
			}
			f := measure(t, tt.expect)
			d := must.Get(dataset.New(f.Doc, f.Records, dataset.Options{Plan: f.Plan}))
			j := claim.JudgeAll(d).Claims[0]
			j.Claim.Says.Supported.Value = tt.says
			got := outcome.Of(d, j, outcome.Options{Markdown: func(line string) (template.HTML, string) {
				plain := strings.ReplaceAll(line, "*", "")
				if plain == line {
					return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(line), "&#39;", "'")), line
				}
				return template.HTML(strings.Replace(strings.Replace(line, "*", "<em>", 1), "*", "</em>", 1)), plain
			}}).Sentence
			spaces := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
			text, title := spaces.Replace(got.Text()), spaces.Replace(got.Title(j.Verdict).Text())
			if text != tt.want || title != tt.title {
				t.Errorf("%s: %q, in a title %q; want %q and %q", j.Verdict, text, title, tt.want, tt.title)
			}
		})
	}
}

// The measured and the published effect are written as the author's sentence writes it.
func TestHereFollowsTheSentence(t *testing.T) {
	spaces := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
	for _, tt := range []struct{ expect, says, here, published string }{
		{`throughput{server="b"} < throughput{server="a"}`, "It answers {effect} as many.", "83 % [80 to 86 %]",
			"111 %"},
		{`throughput{server="b"} < throughput{server="a"}`, "It answers {effect}.", "−17 % [−20 to −14 %]", "+11 %"},
		{`throughput{server="a"} > throughput{server="b"}`, "It answers {effect} as many.", "1.21 times [1.16 to 1.25 times]",
			"0.9 times"},
	} {
		f := published(t, tt.expect)
		d := must.Get(dataset.New(f.Doc, f.Records, dataset.Options{Plan: f.Plan}))
		j := claim.JudgeAll(d).Claims[0]
		j.Claim.Says.Supported.Value = tt.says
		o := outcome.Of(d, j, outcome.Options{})
		if here, there := spaces.Replace(o.Here), spaces.Replace(o.Published); here != tt.here || there != tt.published {
			t.Errorf("%s: here %q, published %q; want %q, %q", tt.says, here, there, tt.here, tt.published)
		}
	}
}

// The effect of another session has the form of the sentence, whatever that is: both stand in one line.
func TestSaidOfAnotherSession(t *testing.T) {
	for want, keys := range map[string][]string{
		"−9.0 %": nil,
		"91 %":   {`says: {contradicted: "It answered {effect} as many requests."}`},
	} {
		f := recordtest.NewMeasured(t, recordtest.Claimed(`throughput{server="a"} < throughput{server="b"}`, keys...))
		d := must.Get(dataset.New(f.Doc, f.Records, dataset.Options{Plan: f.Plan}))
		j := claim.JudgeAll(d).Claims[0]
		got := outcome.Said(&j, &dataset.Quantity{Number: 0.91, Unit: "1"})
		if !strings.HasPrefix(strings.ReplaceAll(got, "\u202f", " "), want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
