package claim

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// A run with looks is judged more strictly, for all the looks that it planned; a cell that ended at an early look is
// still fresh.
func TestRunWithLooks(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990} // just enough at 5 %
	planned := func(looks ...int) recordtest.Change {
		return func(r *record.Record) { r.Planned, r.Looks = slices.Max(looks), looks }
	}
	for _, test := range []struct {
		name    string
		plan    string
		a       []float64
		set     recordtest.Change
		state   dataset.State
		verdict stats.Verdict
		level   float64
		open    bool
		reason  string
	}{
		{"to the last look", "up to 5", a, planned(3, 5), dataset.Fresh, stats.Inconclusive, 0.025, true,
			"the interval at the stricter level includes the limit of the claim"},
		{"to the second of four", "up to 20", a, planned(3, 5, 10, 20), dataset.Fresh, stats.Inconclusive, 0.0125, true,
			"the interval at the stricter level includes the limit of the claim"},
		{"decided at the first", "up to 20", []float64{2000, 2020, 2010}, planned(3, 5, 10, 20), dataset.Fresh,
			stats.Supported, 0.0125, false, ""},
		{"decided but for the looks that earlier runs took", "up to 5", []float64{1116, 1164, 1087, 1135, 1106},
			func(r *record.Record) {
				planned(3, 5)(r)
				r.Facts = map[string]string{record.FactClaims: `[{"claim": "c", "says": {}, "looks": 8}]`}
			}, dataset.Fresh, stats.Inconclusive, 0.005, true, "the interval at the stricter level includes the limit of the claim"},
		{"stopped before the first", "up to 20", a[:2], planned(3, 5, 10, 20), dataset.Partial, stats.Inconclusive, 0.0125,
			true, "there are 2 valid repetitions of a, and a verdict needs 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := recordtest.New(t, strings.Replace(recordtest.Claimed(claim), "repetitions: 3", "repetitions: "+test.plan, 1))
			bench.Measure("servers", "a", "1", test.a, test.set)
			bench.Measure("servers", "b", "1", b[:len(test.a)], test.set)
			d := datasetOf(bench)
			j := JudgeAll(d).Claims[0]
			if j.Verdict != test.verdict || !strings.HasPrefix(j.Reason, test.reason) || math.Abs(j.Level-test.level) > 1e-12 {
				t.Errorf("%s (%s) at %v", j.Verdict, j.Reason, j.Level)
			}
			assert.Equal(t, d.Experiments[0].Cells[0].State, test.state, "state of the cell")
			want := map[string][]string{}
			if test.open {
				want["servers"] = []string{"a", "b"}
			}
			if open := Open(d); !maps.EqualFunc(open, want, slices.Equal) {
				t.Errorf("open %v, want %v", open, want)
			}
		})
	}
}

// The repetitions needed are a look of the plan, or beyond its last one a look of the usual sequence.
func TestNeededIsALookOfThePlan(t *testing.T) {
	const (
		ratio  = `throughput{server="a"} > throughput{server="b"}`
		ratios = `ratio(throughput{server="a"}, throughput{server="c"}) > ratio(throughput{server="b"}, throughput{server="c"})`
		limit  = `throughput{server="a"} > 1050/s`
	)
	for _, tt := range []struct {
		name, claim, repetitions string
		want                     int
	}{
		{"two cells", ratio, "up to 20", 10},
		{"two cells, at the last look", ratio, "up to 9", 9},
		{"two cells, beyond the plan", ratio, "3", 10},
		{"four cells", ratios, "up to 9", 9},
		{"four cells, beyond the plan", ratios, "up to 4", 10},
		{"one cell", limit, "up to 9", 9},
		{"one cell, beyond the plan", limit, "up to 4", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := recordtest.New(t, strings.Replace(recordtest.Claimed(tt.claim), "repetitions: 3", "repetitions: "+
				tt.repetitions, 1))
			bench.Measure("servers", "a", "1", []float64{1100, 1180, 1040})
			bench.Measure("servers", "b", "1", []float64{990, 1000, 1010})
			bench.Measure("servers", "c", "1", []float64{500, 501, 502})
			j := JudgeAll(datasetOf(bench)).Claims[0]
			assert.Equal(t, [2]any{j.Verdict, j.Needed}, [2]any{stats.Inconclusive, tt.want}, "%s", j.Reason)
		})
	}
}

// After a look the cells of undecided comparisons in undecided claims continue, unless more repetitions would not help.
func TestOpen(t *testing.T) {
	const published = "\n```yaml published\nname: theirs\nsource: a paper\nexperiment: servers\nrows:\n" +
		"  - {server: a, throughput: 2000/s}\n  - {server: b, throughput: 1000/s}\n  - {server: c, throughput: 900/s}\n```\n"
	fast, slow := []float64{2000, 2020, 2010}, []float64{1000, 1010, 1005}
	wide := []float64{1000, 1200, 800} // neither more nor less than slow
	failing := func(r *record.Record) { r.Failure, r.Samples, r.Load = "it ended", nil, nil }
	stolen := func(r *record.Record) { r.Machine = &record.Machine{Steal: 0.2} }
	lead := recordtest.Fence("claim", "name: lead\nheadline: true\n"+
		"expect: throughput{server=\"b\"} > throughput{server=\"c\"}")
	busy := func(r *record.Record) { r.Load.Busy = 0.85 }
	for _, tt := range []struct {
		name, claim string
		more        string
		c           recordtest.Change
		want        []string
	}{
		{"decided", `throughput{server="a"} > throughput{server="b"}`, "", nil, nil},
		{"contradicted", `throughput{server="a"} < throughput{server="b"}`, "", nil, nil},
		{"undecided", `throughput{server="b"} > throughput{server="c"}`, "", nil, []string{"b", "c"}},
		{"of all pairs those that are", `every(throughput{server!="c"}, ">", throughput{server="c"})`, "", nil,
			[]string{"b", "c"}},
		{"one contradicted, which decides", `throughput{server="b"} > throughput{server="c"} and ` +
			`throughput{server="a"} < throughput{server="b"}`, "", nil, nil},
		{"one cell", `throughput{server="c"} > 1000/s`, "", nil, []string{"c"}},
		{"a cell that always fails", `throughput{server="b"} > throughput{server="c"}`, "", failing, nil},
		{"a cell that the machine disturbed", `throughput{server="b"} > throughput{server="c"}`, "", stolen,
			[]string{"b", "c"}},
		{"by a percentile that needs more answers", `latency.p99.99{server="b"} > latency.p99.99{server="c"}`, "", nil, nil},
		{"without a ratio, as a value is zero", `failed{server="b"} > failed{server="c"}`, "", nil, nil},
		{"a headline that cannot be carried", `throughput{server="a"} > throughput{server="b"}`,
			lead, busy, nil},
		{"published in an order that is undecided", `throughput{server="a"} > throughput{server="b"}`, published, nil,
			[]string{"b", "c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := recordtest.New(t, recordtest.Claimed(tt.claim)+tt.more)
			changes := []recordtest.Change{}
			if tt.c != nil {
				changes = append(changes, tt.c)
			}
			bench.Measure("servers", "a", "1", fast)
			bench.Measure("servers", "b", "1", slow)
			bench.Measure("servers", "c", "1", wide, changes...)
			got := Open(datasetOf(bench))["servers"]
			slices.Sort(got)
			assert.Slice(t, got, tt.want, "open")
		})
	}
}

// Signed ranks reach 96.9 % with six repetitions, 98.4 % with seven, 99.2 % with eight.
func TestTooFewRepetitions(t *testing.T) {
	const two = `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`
	for _, test := range []struct {
		name, expect, repetitions string
		want                      []string
	}{
		{"one part", `'time.real{n="1"} < 5s'`, "6", nil},
		{"two parts", two, "6", []string{"one of its parts decides it only at a confidence of 97.5 %, for which 6 " +
			"repetitions are too few; write repetitions: 7 or more"}},
		{"two parts with enough", two, "7", nil},
		{"four parts",
			`'time.real{n="1"} < 5s and time.real{n="2"} < 5s and time.real{n="1"} > 1ms and memory.peak{n="1"} < 1GiB'`,
			"7", []string{"one of its parts decides it only at a confidence of 98.75 %, for which 7 repetitions are too few; " +
				"write repetitions: 8 or more"}},
		{"t on logarithms has two ends at any level", two, "5", nil},
		{"ranks of two cells", `'time.real{n="1"} < time.real{n="2"} and time.real{n="2"} > time.real{n="1"}'`, "6", nil},
		{"two repetitions", `'time.real{n="1"} < time.real{n="2"}'`, "2", []string{"a verdict needs 3 repetitions, and " +
			"experiment \"e\" has 2; write repetitions: 3 or more"}},
		{"mistaken", `'time.real{n="3"} < 5s and time.real{n="2"} < 5s'`, "6", nil},
		{"a limit that can be told", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1.0015'`, "5", nil},
		{"whichever is larger", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1'`, "5", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := recordtest.New(t, "---\ntitle: A title\n---\n\n```yaml experiment\nname: e\nmatrix: {n: [\"1\", \"2\"]}\n"+
				"command: {image: \"debian:bookworm-slim\", run: \"sleep ${{ matrix.n }}\"}\nrepetitions: "+test.repetitions+
				"\n```\n\n"+
				"```yaml claim\nname: c\nexpect: "+test.expect+"\n```\n")
			p := must.Get(b.Plan(plan.Full))
			var got []string
			d := dataset.WithoutRecords(b.Doc, p)
			for _, doubt := range Undecidable(d) {
				got = append(got, doubt.Words+"; "+doubt.Hint)
				assert.Equal(t, doubt.Experiment, "e", "it is of experiment")
			}
			assert.Slice(t, got, test.want)
			var problems source.Problems
			Warn(Undecidable(d), &problems)
			for _, p := range problems.Sorted() {
				if p.Severity != source.SeverityWarning || p.Hint == "" || p.Pos != b.Doc.Claims[0].Expect.Text.Pos {
					t.Errorf("no warning at the claim with a way out: %+v", p)
				}
			}
		})
	}
}

func TestTooFewAnswers(t *testing.T) {
	for _, test := range []struct{ metric, load, want string }{
		{"latency.p50", "requests: 500", ""}, {"latency.p99.99", "requests: 500", "too-few-answers"},
		{"throughput", "requests: 500", ""}, {"latency.p99", "rate: 10/s", "too-few-answers"},
		{"latency.p99", "rate: 1000/s", ""}, {"latency.first_byte.p99", "requests: 500", "too-few-answers"},
		{"pool.p99", "requests: 500", ""}, {"slow", "requests: 500", "too-few-answers"},
	} {
		metric, want := test.metric, test.want
		text := strings.NewReplacer("connections: 10", test.load, "calibrate: false", "calibrate: false\nmetrics:\n"+
			"  - {name: pool.p99, unit: ms, from: server log, regex: 'p99 (\\d+)'}\n"+
			"  - {name: slow, value: 2 * latency.p99}").Replace(recordtest.Claimed(metric + `{server="b"} < 1s`))
		if metric == "throughput" {
			text = strings.Replace(text, "< 1s", "> 1/s", 1)
		}
		got := ""
		for _, doubt := range Undecidable(datasetOf(recordtest.New(t, text))) {
			got += doubt.Rule
		}
		assert.Equal(t, got, want, "%s", metric)
	}
}
