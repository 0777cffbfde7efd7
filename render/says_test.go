package render_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// A saying is what the page of an article says, in its text or in a drawing, and what its text never says.
type saying struct {
	name, front, body string
	of                trials
	change            func(*record.Record)
	want, never       []string
}

func checkSayings(t *testing.T, all ...saying) {
	t.Helper()
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			if s.change == nil {
				s.change = func(*record.Record) {}
			}
			markup := string(rendered(t, measured(t, s.front, s.body, s.of, s.change)).HTML)
			text := wordsOf(markup)
			assert.Contains(t, text+narrow.Replace(markup), s.want...)
			assert.Lacks(t, text, s.never...)
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

const (
	throughputTable  = "```yaml table\n{label: tbl-t, rows: [server], columns: [throughput]}\n```\n\n"
	throughputFigure = "```yaml figure\n{label: fig-f, kind: dots, x: throughput, y: server}\n```\n\n"
)

// A page lists its cautions at the top; measured.html has none.
func TestBanners(t *testing.T) {
	for _, tt := range []struct {
		name   string
		of     trials
		change func(*record.Record)
		want   string
	}{
		{"older", three, func(r *record.Record) { r.Key = "an-older-version" },
			"Measured with an older version of this experiment: 2 of 2 cells."},
		{"substitute", three, func(r *record.Record) {
			r.Facts["base.server"] = "debian:bookworm-slim replaced by benchbook/debootstrap:bookworm sha256:1234"
		}, "debian:bookworm-slim is replaced by benchbook/debootstrap:bookworm"},
		{"elsewhere", three, func(r *record.Record) { r.Host = "c64-ffffff" }, "Measured on another host, c64-ffffff."},
		{"half", trials{"a": {500, 490, 510}}, nil, "Partly measured: 1 of 2 cells without results."},
		{"unfinished", trials{"a": {500, 490}}, nil, "Unfinished: 1 of 2 cells"},
		{"failed", three, rendertest.Fails("nothing listens", "a log"), "Failed or not valid: 2 of 2 cells."},
		{"nothing", nil, nil, "Nothing in this article was measured."},
	} {
		checkSayings(t, saying{tt.name, "", experiment + throughputTable, tt.of, tt.change, []string{tt.want}, nil})
	}
}

// A noise floor is told of every metric that a number or claim rests on, wherever it stands, and both findings about it.
func TestFloorBanners(t *testing.T) {
	more := func(r *record.Record) {
		if r.Calibration {
			r.Samples[1].Value *= 1.5
		}
	}
	claim := func(expect string) string { return "```yaml claim\n{name: c, expect: '" + expect + "'}\n```\n" }
	for _, tt := range []struct{ name, front, body string }{
		{"in a table", "", "```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [memory.server]\n```\n"},
		{"in a claim", "", claim(`memory.server{server="a"} < 1GiB`)},
		{"in a claim about a value", "values: {most: 'max(memory.server)'}\n",
			claim(`memory.server{server="a"} < memory.server{server="b"}`)},
		{"in the text", "", "`{value} memory.server{server=\"a\"}`\n"},
		{"by name", "values: {most: 'max(memory.server)'}\n", "`{value} 2 * most`\n"},
		{"a value made from itself", "values: {x: y, y: x}\n", "`{value} x`\n`{value} memory.server{server=\"a\"}`\n"},
	} {
		checkSayings(t, saying{tt.name, tt.front, calibrated + tt.body, pair, more, []string{
			"Noisy: two measurements of the same cell (the A/A pair) differ by more than the smallest effect: memory.server of servers by 50 %",
			"Systematic offset: two measurements of the same cell (the A/A pair) differ significantly: memory.server of servers by 50 %"}, nil})
	}
}

// A ratio in the text has the interval by which a claim about it is judged, also where it is turned round and where no
// claim is about it.
func TestValuesAsJudged(t *testing.T) {
	for _, tt := range []struct{ name, claim, value, want string }{
		{"turned round", `throughput{server="a"} < throughput{server="b"}`,
			`throughput{server="b"} / throughput{server="a"}`, "1.12 to 1.28, 95 % interval of 3 repetitions; widened"},
		{"of a part of one", `throughput{server="b"} > throughput{server="a"} and throughput{server="b"} > 1/s`,
			`ratio(throughput{server="b"}, throughput{server="a"})`, "1.12 to 1.28, 95 % interval of 3 repetitions; widened"},
		{"without a claim", `throughput{server="b"} > throughput{server="a"}`,
			`ratio(latency.p50{server="b"}, latency.p50{server="a"})`, "95 % interval of 3 repetitions; widened by the noise floor of 2.6 %"},
	} {
		checkSayings(t, saying{tt.name, "", calibrated + "```yaml claim\n{name: c, expect: '" + tt.claim + "'}\n```\n\nIt is `{value} " +
			tt.value + "`.\n", trials{"a": {500, 490, 510}, "again": {530, 519, 541}, "b": {600, 590, 610}}, nil, []string{tt.want}, nil})
	}
}

// Repetitions are counted where they are behind a number, and every kind of estimate that stands in a table or figure
// is explained.
func TestRepetitionsBehindNumbers(t *testing.T) {
	five := strings.Replace(experiment, "repetitions: 3", "repetitions: 5", 1) + throughputTable + throughputFigure
	withFailed := strings.Replace(five, "[throughput]", "[throughput, failed]", 1)
	of := func(n int) trials {
		return trials{"a": {500, 490, 510, 505, 495}, "b": []float64{500, 490, 510, 505, 495}[:n]}
	}
	invalid := func(r *record.Record) {
		if r.Trial == "a" && r.Repetition == 2 {
			r.Load.Busy = 0.95
		}
	}
	checkSayings(t,
		saying{"valid ones", "", five, of(5), invalid, []string{"Median with 95 % interval", "2 cells, 4 to 5 repetitions",
			"Box: 95 % interval over 4 to 5 repetitions.",
			"5 repetitions per measured cell, as planned, numbers of 4 to 5 repetitions"}, nil},
		saying{"beside two runs", "", five, of(2), invalid, []string{"Dot of two runs: their centre. Line: from the smaller to the larger.",
			"495, 2 runs", "where there are enough runs"}, nil},
		saying{"beside one run", "", five, of(1), invalid, []string{"Dot of a single run: its value; its variation is unknown.",
			"500, 1 run"}, nil},
		saying{"beside failures", "", withFailed, of(1), invalid,
			[]string{"where there are enough runs; share of failed attempts, with 95 % interval"}, nil},
		saying{"failures of one run", "", withFailed, trials{"a": {500}}, nil,
			[]string{"One run, no interval; share of failed attempts, with 95 % interval"}, nil})
}

// Tables of cells from several runs say so, and so does an A/A pair from two.
func TestNotMeasuredTogether(t *testing.T) {
	const rows, ofPair = "not measured together: the rows are from different runs", "not measured together: the pair is from different runs"
	body := calibrated + throughputTable
	checkSayings(t,
		saying{"one run", "", body, pair, nil, nil, []string{rows, ofPair}},
		saying{"rows of two runs", "", body, pair, func(r *record.Record) {
			if r.Trial == "b" {
				r.Run = "20261121T100000Z-next"
			}
		}, []string{rows}, []string{ofPair}},
		saying{"a pair of two runs", "", body, pair, func(r *record.Record) {
			if r.Calibration {
				r.Run = "20261121T100000Z-next"
			}
		}, []string{ofPair}, []string{rows}})
}

// Below a table a finding stands once: of repetitions that are left out in the words for those, of all rows in one line,
// of some rows in a note.
func TestNotesBelowTables(t *testing.T) {
	five := strings.Replace(experiment, "repetitions: 3", "repetitions: 5", 1) + throughputTable
	onlyA := trials{"a": {500, 490, 510, 505, 495}}
	busy := func(shares ...float64) func(*record.Record) {
		return func(r *record.Record) { r.Load.ForeignCPU = shares[r.Repetition-1] }
	}
	const leftOut = "left out a: 1 of 5 repetitions is not valid: others used 12.4 % of the CPU."
	shared := func(r *record.Record) {
		r.Facts["shared.services"], r.Facts["shared.start"] = "db, pool", "2026-11-20T10:00:00.000Z"
	}
	checkSayings(t,
		saying{"left out only", "", five, onlyA, busy(.01, .1238, .01, .01, .01), []string{leftOut}, []string{"foreign CPU a:"}},
		saying{"left out, and others that warn", "", five, onlyA, busy(.01, .1238, .06, .01, .01),
			[]string{leftOut, "foreign CPU a: 1 of 5 repetitions: others used 6 % of the CPU."}, nil},
		saying{"of all rows", "", experiment + throughputTable, three, shared,
			[]string{"All rows: measured on shared services (db, pool)."}, []string{"shared a:"}},
		saying{"of one row", "", experiment + throughputTable, three, func(r *record.Record) {
			if r.Trial == "a" {
				shared(r)
			}
		}, []string{"shared a: measured on shared services: db, pool."}, []string{"All rows"}})
}

// A disturbed cell has wider intervals, and a mark in claims, tables and figures.
func TestDisturbedCellsAreMarked(t *testing.T) {
	const by = "disturbed (others used 16 % of the CPU): the interval allows for up to 1.47 times the speed"
	checkSayings(t, saying{"", "", experiment +
		"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput, latency.p50]\n```\n\n" +
		"```yaml figure\nlabel: fig-bars\nkind: bars\nx: throughput\ny: server\n```\n\n" +
		"```yaml figure\nlabel: fig-all\nkind: distribution\nx: throughput\ny: server\n```\n\n" +
		"```yaml claim\nname: c\nexpect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'\n```\n",
		trials{"a": {500, 490, 510}, "b": {6000, 5900, 6100}}, func(r *record.Record) {
			if r.Trial != "a" {
				return
			}
			r.Facts["host.cores"], r.Machine = "2 logical, 2 physical", &record.Machine{Throttled: map[string]record.Throttling{}}
			if r.Repetition != 2 {
				r.Load.ForeignCPU = 0.16
			}
		}, []string{"disturbed a (throughput): 2 of 3 repetitions are " + by, "2 of 3 repetitions of a are " + by,
			"Disturbed, so that intervals reach as far as that can have slowed it: a.",
			"Open small dot: a disturbed repetition.", "Supported"},
		[]string{"Open small dot: a repetition in which"}})
}

// Where a metric has no number the page says why, and never that nothing was valid or measured where it was.
func TestWithoutNumbers(t *testing.T) {
	body := func(experiment, metric string) string {
		return experiment + strings.ReplaceAll(throughputTable+throughputFigure, "throughput", metric)
	}
	unanswered := func(r *record.Record) {
		h := r.Histograms["latency"]
		h.Count = 0
		r.Histograms["latency"] = h
	}
	invalid := func(r *record.Record) { r.Load.Failed = r.Load.Attempted / 2 }
	failed := rendertest.Fails("it broke", "")
	checkSayings(t,
		saying{"nothing was answered", "", body(calibrated, "latency.p99"), pair, unanswered,
			[]string{"No repetition has a value for latency p99: no answers",
				"2 cells, no repetition has a value for latency p99: no answers",
				"as planned; no repetition has a value for latency p99: no answers",
				"unknown for latency.p99 (cell a: no answers)"},
			[]string{"valid repetition", "no A/A pair"}},
		saying{"the pair alone lacks it", "", body(calibrated, "latency.p99"), pair, func(r *record.Record) {
			if r.Calibration {
				unanswered(r)
			}
		}, []string{"unknown for latency.p99 (cell a again: no answers)"}, []string{"no valid", "no A/A pair"}},
		saying{"one failed, and the other was not answered", "", body(experiment, "latency.p99"), three, func(r *record.Record) {
			if r.Trial == "a" {
				failed(r)
			} else {
				unanswered(r)
			}
		}, []string{"No valid repetition has a value for latency p99: no answers", "not measured: there is no A/A pair"}, nil},
		saying{"too few answers", "", body(experiment, "latency.p99.999"), three, nil,
			[]string{"No repetition has a value for latency p99.999: needs 1000000 answers, has"}, []string{"valid repetition"}},
		saying{"everything failed", "", body(experiment, "throughput"), three, failed,
			[]string{"Every repetition failed", "2 cells, every repetition failed"}, []string{"valid repetition"}},
		saying{"nothing is valid", "", body(experiment, "throughput"), three, invalid,
			[]string{"No valid repetition", "2 cells, no valid repetition"}, nil})
}

// Among cells of an open loop that keep up a page names no best throughput.
func TestNoWinnerByRate(t *testing.T) {
	const ranked = "an open loop that keeps up has the throughput of its rate"
	body := strings.Replace(calibrated, "connections: 10}", "connections: 10, rate: 60/s}", 1) + throughputTable + throughputFigure
	of := trials{"a": {60.7, 60.7, 60.7}, "again": {61, 61, 61}, "b": {60.3, 60.3, 60.3}}
	dueOfB := func(times float64) func(*record.Record) {
		return func(r *record.Record) {
			n := r.Load.Completed
			if r.Trial == "b" {
				n = int64(times * float64(n))
			}
			r.Load.Open = &record.OpenLoop{Rate: 60, Arrivals: "constant", Due: n, Sent: n}
		}
	}
	checkSayings(t,
		saying{"both keep up", "", body, of, dueOfB(1), []string{ranked}, nil},
		saying{"one falls behind", "", body, of, dueOfB(1.5), nil, []string{ranked}})
}
