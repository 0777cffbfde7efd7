package outcome_test

import (
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/render/outcome"
)

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
func grid(of []string) measuring {
	values := map[string][]float64{"a": a, "b": b, "c": c, "unsteady": unsteady, "1000": {1000, 1001, 999},
		"1020": {1020, 1021, 1019}, "12000": {12000, 12100, 11900}}
	return func(t *testing.T, expect string) *recordtest.Fixture {
		f := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Grid)+
			recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'"))
		for i, trial := range []string{"sync, 10", "async, 10", "sync, 100", "async, 100"} {
			if of[i] != "none" {
				f.Measure("grid", trial, "1", values[of[i]])
			}
		}
		return f
	}
}

// lettered are servers a, b, c and so on with these values.
func lettered(values ...[]float64) measuring {
	return func(t *testing.T, expect string) *recordtest.Fixture {
		names := strings.Split("abcdefghijk"[:len(values)], "")
		f := recordtest.New(t, strings.Replace(recordtest.Claimed(expect), "[a, b, c]", "["+strings.Join(names, ", ")+"]", 1))
		for i, name := range names {
			f.Measure("servers", name, "1", values[i])
		}
		return f
	}
}

// fours are four servers of each of two kinds. Three of the one kind have 1000 requests per second, and the fourth is
// unsteady; the values of the other kind are these.
func fours(values ...[]float64) measuring {
	return func(t *testing.T, expect string) *recordtest.Fixture {
		f := recordtest.New(t, recordtest.Claimed(expect, "experiment: fours")+recordtest.Fence("experiment",
			strings.NewReplacer("name: servers", "name: fours", "{server: [a, b, c]}", "{kind: [x, y], n: [1, 2, 3, 4]}").
				Replace(recordtest.Servers)))
		for i, value := range values {
			f.Measure("fours", fmt.Sprintf("y, %d", i+1), "1", value)
			f.Measure("fours", fmt.Sprintf("x, %d", i+1), "1", [][]float64{b, b, b, unsteady}[i])
		}
		return f
	}
}

// again are servers in several sessions, of which the older ones have these values for a.
func again(older ...[]float64) measuring {
	return func(t *testing.T, expect string) *recordtest.Fixture {
		f := recordtest.New(t, recordtest.Claimed(expect))
		for i, first := range append([][]float64{a}, older...) {
			for trial, values := range map[string][]float64{"a": first, "b": b, "c": c} {
				f.Measure("servers", trial, fmt.Sprintf("202611%dT100000Z-abcd", 20-i), values)
			}
		}
		return f
	}
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
	a, b, c   = recordtest.ValuesA, recordtest.ValuesB, recordtest.ValuesC
	unsteady  = []float64{700, 1000, 1400}
	published = func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewMeasured(t, recordtest.Claimed(expect)+recordtest.Fence("published",
			"source: The original\nexperiment: servers\nrows:\n  - {server: a, throughput: 900/s}\n"+
				"  - {server: b, throughput: 1000/s}\n  - {server: c, throughput: 300/s}"))
	}
)

// measurings are by the words behind a claim in testdata/sentences.txt.
var measurings = map[string]measuring{
	"":              servers(),
	"a is unsteady": servers(wide("a")),
	"b is unsteady": servers(wide("b")),
	"c is unsteady": servers(wide("c")),
	"a failed":      servers(recordtest.Only("a", recordtest.Failed("server exited"))),
	"a failed, with a text": func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewMeasured(t, recordtest.Claimed(expect, "text: A pool is twice as fast."),
			recordtest.Only("a", recordtest.Failed("server exited")))
	},
	"one repetition of b": servers(recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" }, 2, 3)),
	"no failures":         fails(0, 0),
	"b fails more":        fails(10, 1000),
	"a fails more":        fails(1000, 10),
	"published":           published,
	"six servers":         lettered(a, b, b, b, b, unsteady),
	"fours":               fours(a, c, unsteady, b),
	"an unsteady session": again(unsteady),
	"a contrary session":  again(c),
	"three sessions":      again(b, a),
	"eleven servers":      lettered(b, c, c, c, c, c, c, c, c, c, a),
	"a is unsteady, c measured less often": func(t *testing.T, expect string) *recordtest.Fixture {
		f := recordtest.New(t, recordtest.Claimed(expect))
		for trial, values := range map[string][]float64{"a": append(unsteady, 900), "b": append(b, b[0]), "c": c} {
			f.Measure("servers", trial, "1", values)
		}
		return f
	},
	"searched": func(t *testing.T, expect string) *recordtest.Fixture {
		f := recordtest.NewSearched(t, expect)
		f.Repeat()
		return f
	},
	"searched, not repeated": func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.NewSearched(t, expect)
	},
	"not searched": func(t *testing.T, expect string) *recordtest.Fixture {
		return recordtest.New(t, recordtest.Searching+recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'"))
	},
}

func judged(f *recordtest.Fixture) (*dataset.Dataset, claim.Judgement) {
	d := must.Get(dataset.New(f.Doc, f.Records, dataset.Options{Plan: f.Plan}))
	return d, claim.JudgeAll(d).Claims[0]
}

func hereOf(o outcome.Outcome) string { return strings.TrimSpace(o.Here + " " + o.Interval) }

// The sentence of every form of claim with every verdict states what was measured. The file has the claims, each with
// how it is measured behind //, and what they come to.
func TestSentences(t *testing.T) {
	file := filepath.Join("testdata", "sentences.txt")
	var got strings.Builder
	for line := range strings.Lines(must.Read(file)) {
		if !strings.HasPrefix(line, "  ") { // a form
			got.WriteString(line)
		}
		_, written, isClaim := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "    ") || !isClaim {
			continue
		}
		expect, of, _ := strings.Cut(written, " // ")
		measure := measurings[of]
		if values, ok := strings.CutPrefix(of, "grid "); ok {
			measure = grid(strings.Fields(values))
		}
		d, j := judged(measure(t, expect))
		o := outcome.Of(d, j, nil)
		fmt.Fprintf(&got, "  %s: %s\n    %s\n    here %s", j.Verdict, written, o.Sentence.Text(), hereOf(o))
		if o.Published != "" {
			fmt.Fprintf(&got, ", published %s", o.Published)
		}
		got.WriteString("\n")
	}
	golden.Equal(t, file, got.String())
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
			"It answers 21 % more requests [+16 to +25 %].", "It answers 21 % more requests"},
		{"to either side", `throughput{server="a"} < 2 * throughput{server="b"}`, "It answers {effect} requests.",
			"It answers 21 % fewer to 49 % more requests.", "It answers 21 % fewer to 49 % more requests"},
		{"a value", `throughput{server="a"} > 1100/s`, "It answers {effect}.", "It answers 1,200/s [1,150 to 1,260/s].",
			"It answers 1,200/s"},
		{"pairs", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "It is so in {effect}.",
			"It is so in both pairs.", "It is so in both pairs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			measure := servers()
			if tt.name == "to either side" {
				measure = servers(recordtest.Only("a", func(r *record.Record) {
					r.Load.Completed = r.Load.Completed * int64(8+r.Repetition%3) / 10
				}))
			}
			d, j := judged(measure(t, tt.expect))
			j.Claim.Says.Supported.Value = tt.says
			got := outcome.Of(d, j, func(line string) (template.HTML, string) {
				plain := strings.ReplaceAll(line, "*", "")
				if plain == line {
					return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(line), "&#39;", "'")), line
				}
				return template.HTML(strings.Replace(strings.Replace(line, "*", "<em>", 1), "*", "</em>", 1)), plain
			}).Sentence
			spaces := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
			text, title := spaces.Replace(got.Text()), spaces.Replace(got.Title(j.Verdict).Text())
			assert.Equal(t, [2]string{text, title}, [2]string{tt.want, tt.title}, "%s", j.Verdict)
		})
	}
}

// Where only another session leaves a claim undecided, the author's sentence for the newest session says so.
func TestSaysThatASessionDiffers(t *testing.T) {
	for _, tt := range []struct{ supported, want string }{
		{"It answers {effect} as many.",
			"It answers 1.21 times as many [1.16 to 1.25 times], unconfirmed by another session."},
		{"", "Undecided, as another session does not confirm it: throughput was 21 % higher for a than for b [+16 to +25 %]."},
	} {
		d, j := judged(again(unsteady)(t, `throughput{server="a"} > throughput{server="b"}`))
		j.Claim.Says.Supported.Value, j.Claim.Says.Inconclusive.Value = tt.supported, "Whether it is more is open: {effect}."
		got := outcome.Of(d, j, nil).Sentence.Text()
		assert.Equal(t, strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(got), tt.want, "%q", tt.supported)
	}
}

// The author's sentence for all outcomes is prefixed with "Undecided" for an undecided claim, and followed by its
// limit.
func TestOneSentenceForAllOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name, expect, want, title string
		measure                   measuring
	}{
		{"supported", `throughput{server="a"} > throughput{server="b"}`,
			"It answers 1.21 times as many [1.16 to 1.25 times].", "It answers 1.21 times as many", servers()},
		{"contradicted", `throughput{server="a"} < throughput{server="b"}`,
			"It answers 1.21 times as many [1.16 to 1.25 times].", "It answers 1.21 times as many", servers()},
		{"inconclusive", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`,
			"Undecided: It answers 1.21 times as many [1.16 to 1.25 times], and the limit is 1.2 times.",
			"Undecided: It answers 1.21 times as many [1.16 to 1.25 times]", servers()},
		{"unconfirmed", `throughput{server="a"} > throughput{server="b"}`,
			"It answers 1.21 times as many [1.16 to 1.25 times], unconfirmed by another session.",
			"It answers 1.21 times as many [1.16 to 1.25 times], unconfirmed by another session", again(unsteady)},
	} {
		d, j := judged(tt.measure(t, tt.expect))
		j.Claim.Says.Always.Value = "It answers {effect} as many."
		said, spaces := outcome.Of(d, j, nil).Sentence, strings.NewReplacer("\u00a0", " ", "\u202f", " ")
		assert.Equal(t, spaces.Replace(said.Text()), tt.want, "%s", tt.name)
		assert.Equal(t, spaces.Replace(said.Title(j.Verdict).Text()), tt.title, "%s, as a title", tt.name)
	}
}

// The measured and the published effect, and that of another session, are written as the author's sentence writes it.
func TestEffectsFollowTheSentence(t *testing.T) {
	spaces := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
	for _, tt := range []struct {
		expect, says, here, published string
		session                       float64
		another                       string
	}{
		{`throughput{server="b"} < throughput{server="a"}`, "It answers {effect} as many.", "83 % [80 to 86 %]", "111 %",
			0.91, "91 %"},
		{`throughput{server="b"} < throughput{server="a"}`, "It answers {effect}.", "−17 % [−20 to −14 %]", "+11 %",
			0.91, "−9.0 %"},
		{`throughput{server="b"} < throughput{server="a"}`, "", "−17 % [−20 to −14 %]", "+11 %", 0.43, "−57 %"},
		{`throughput{server="a"} > throughput{server="b"}`, "It answers {effect} as many.", "1.21 times [1.16 to 1.25 times]",
			"0.9 times", 0.91, "0.91 times"},
	} {
		d, j := judged(published(t, tt.expect))
		j.Claim.Says.Supported.Value = tt.says
		o := outcome.Of(d, j, nil)
		assert.Equal(t, spaces.Replace(hereOf(o)), tt.here, "here, as %s", tt.says)
		assert.Equal(t, spaces.Replace(o.Published), tt.published, "published, as %s", tt.says)
		another := spaces.Replace(outcome.Said(&j, &dataset.Quantity{Number: tt.session, Unit: "1"}))
		assert.Equal(t, strings.HasPrefix(another, tt.another), true, "in another session %q begins with %q, as %s",
			another, tt.another, tt.says)
	}
}

// A claim that only a stricter level leaves open shows the interval at that level, in the form of its effect. Its sentence
// has the usual one, and says that the stricter one includes the limit.
func TestReasonAtAStricterLevel(t *testing.T) {
	d, j := judged(servers(func(r *record.Record) {
		r.Facts = map[string]string{record.FactClaims: `[{"claim": "c", "says": {}, "looks": 8}]`}
	})(t, `throughput{server="b"} < throughput{server="a"} * 0.87`))
	spaces := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
	assert.Equal(t, spaces.Replace(outcome.Reason(&j)),
		"the interval at the stricter level includes the limit of the claim: −24 to −10 %, a 99.44 % interval", "reason")
	j.Claim.Says.Always.Value = "It answers {effect}."
	assert.Equal(t, spaces.Replace(outcome.Of(d, j, nil).Sentence.Text()),
		"Undecided: It answers 17 % fewer [−20 to −14 %], but a 99.44 % interval includes the limit of −13 %.", "sentence")
	_, j = judged(servers(func(r *record.Record) {
		r.Facts = map[string]string{record.FactClaims: `[{"claim": "c", "says": {}, "looks": 8}]`}
	})(t, `about(throughput{server="b"}, throughput{server="a"}, 0.75, 16%)`))
	assert.Contains(t, spaces.Replace(outcome.Of(d, j, nil).Sentence.Text()),
		"[−20 to −14 %], but a 99.44 % interval includes the limit of −13 %.")
}

// Ratios that readers compare are written alike: all as differences or none.
func TestAlign(t *testing.T) {
	for _, tt := range []struct {
		ratios []float64
		want   string
	}{
		{[]float64{0.51, 0.43}, "−49 %, −57 %"},
		{[]float64{0.43, 0.04}, "43 %, 4 %"},
		{[]float64{1.2, 0.04, 15}, "+20 %, −96 %, 15 times"},
		{[]float64{15, 0.04}, "15 times, 4 %"},
	} {
		_, j := judged(servers()(t, `throughput{server="b"} < throughput{server="a"}`))
		effects := slice.Map(tt.ratios, func(ratio float64) outcome.Effect {
			j.Effect = &dataset.Quantity{Number: ratio, Unit: "1"}
			return outcome.EffectOf(&j)
		})
		outcome.Align(effects)
		got := strings.Join(slice.Map(effects, outcome.Effect.Text), ", ")
		assert.Equal(t, strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(got), tt.want, "%v", tt.ratios)
	}
}
