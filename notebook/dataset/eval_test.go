package dataset

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/expr"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

func evalDataset(t *testing.T, changes ...recordtest.Change) *Dataset {
	t.Helper()
	return datasetOf(recordtest.NewMeasured(t, recordtest.NamedValues+recordtest.Fence("experiment", recordtest.Servers)+
		recordtest.Fence("published", "name: theirs\nsource: An older paper\nrows:\n  - {server: a, throughput: 600/s}\n"+
			"  - {server: b, throughput: 500/s}"),
		changes...), Options{ThisHost: "host-1"})
}

func TestEval(t *testing.T) {
	d := evalDataset(t)
	interval := func(lo, hi float64) *stats.Interval { return &stats.Interval{Lo: lo, Hi: hi} }
	for _, tt := range []struct {
		name, source string
		number       float64
		unit         string
		share        bool
		interval     *stats.Interval
		what, note   string
	}{
		{"one cell", `throughput{server="a"}`, 1203.6396576, "1/s", false, interval(1149.42, 1262.96), "throughput, a", ""},
		{"an experiment named", `throughput{server="a", experiment="servers"}`, 1203.6396576, "1/s", false,
			interval(1149.42, 1262.96), "throughput, a", ""},
		{"the ratio of the example", `ratio(throughput{server="a"}, throughput{server="b"})`, 1.2051944, "1", false,
			interval(1.161046, 1.254630), "throughput, a over b", ""},
		{"the same by division", `throughput{server="a"} / throughput{server="b"}`, 1.2051944, "1", false,
			interval(1.161046, 1.254630), "throughput, a over b", ""},
		{"a named value", `speedup`, 1.2051944, "1", false, interval(1.161046, 1.254630), "throughput, a over b", ""},
		{"a value of a value", `twice`, 2.4103887, "1", false, nil,
			`2 * ratio(throughput{server="a"}, throughput{server="b"})`, "no interval: computed from 2 cells"},
		{"a named list", `max(others)`, 998.71000602, "1/s", false, nil, `max(throughput{server!="a"})`,
			"no interval: computed from 2 cells"},
		{"smallest", `min(throughput)`, 800.46209947, "1/s", false, nil, "min(throughput)", "no interval: computed from 3 cells"},
		{"geometric mean", `geomean(throughput)`, math.Cbrt(1203.6396576 * 998.71000602 * 800.46209947), "1/s", false, nil, "geomean(throughput)",
			"no interval: computed from 3 cells"},
		{"number of cells", `count(throughput)`, 3, "1", false, nil, "count(throughput)",
			"no interval: computed from 3 cells"},
		{"two metrics of one cell", `throughput{server="a"} / cpu.server{server="a"}`, 2407.2793152, "1/s", false, nil,
			`throughput{server="a"} / cpu.server{server="a"}`, "no interval: computed from 1 cell"},
		{"ratio of lists", `ratio(max(throughput), min(throughput))`, 1.5036810, "1", false, nil,
			`ratio(max(throughput), min(throughput))`, "no interval: computed from 3 cells"},
		{"a difference of shares", `1 - failed{server="a"}`, 1, "1", true, nil, `1 - failed{server="a"}`,
			"no interval: computed from 1 cell"},
		{"a published number", `published(throughput{server="a"})`, 600, "1/s", false, nil, "published throughput, a",
			"published by An older paper"},
		{"measured over published", `throughput{server="a"} / published(throughput{server="a"})`, 2.0060661, "1", false, nil,
			`throughput{server="a"} / published(throughput{server="a"})`,
			"published by An older paper; no interval: computed from 1 cell"},
		{"of published numbers alone", `published(throughput{server="a"}) / published(throughput{server="b"})`, 1.2, "1",
			false, nil,
			`published(throughput{server="a"}) / published(throughput{server="b"})`, "published by An older paper"},
		{"a list of published numbers", `min(published(throughput{server!="c"}))`, 500, "1/s", false, nil,
			`min(published(throughput{server!="c"}))`, "published by An older paper"},
		{"a constant", `100ms`, 0.1, "s", false, nil, "100ms", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := must.Get(d.Eval(recordtest.Parse(t, tt.source), ""))
			if math.Abs(q.Number/tt.number-1) > 1e-5 || q.Unit != tt.unit || q.Share != tt.share || q.What != tt.what ||
				q.Note != tt.note {
				t.Errorf("%v %s (share %v) %q, note %q; want %v %s (share %v) %q, note %q",
					q.Number, q.Unit, q.Share, q.What, q.Note, tt.number, tt.unit, tt.share, tt.what, tt.note)
			}
			switch {
			case (q.Interval == nil) != (tt.interval == nil):
				t.Errorf("interval %v, want %v", q.Interval, tt.interval)
			case q.Interval != nil && (math.Abs(q.Interval.Lo/tt.interval.Lo-1) > 1e-5 ||
				math.Abs(q.Interval.Hi/tt.interval.Hi-1) > 1e-5):
				t.Errorf("interval %v, want %v", *q.Interval, *tt.interval)
			case q.Interval != nil && (q.N != 3 || q.Kind != stats.TOnLogs):
				t.Errorf("n = %d, %s", q.N, q.Kind)
			}
		})
	}
}

// Every number says which repetitions it leaves out.
func TestNotesOfRepetitionsLeftOut(t *testing.T) {
	b := recordtest.New(t, recordtest.Article(strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: 4", 1)))
	for trial, values := range map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesB,
		"c": recordtest.ValuesC} {
		b.Measure("servers", trial, "1", append([]float64{values[0]}, values...),
			recordtest.Only("b", recordtest.Failing(1000), 2), recordtest.Only("c", recordtest.Without("cpu.server"), 1))
	}
	d := datasetOf(b)
	const invalid, lacks = "1 of 4 repetitions of b is not valid: errors 9.1 %",
		"1 of 4 repetitions of c has no CPU of server"
	for _, tt := range []struct{ source, want string }{
		{`ratio(throughput{server="a"}, throughput{server="b"})`, invalid},
		{`ratio(cpu.server{server="a"}, cpu.server{server="c"})`, lacks},
		{`max(throughput)`, invalid + "; no interval: computed from 3 cells"},
		{`throughput{server="b"} / cpu.server{server="c"}`, invalid + "; " + lacks + "; no interval: computed from 2 cells"},
		{`throughput{server="b"}`, "1 of 4 repetitions is not valid: errors 9.1 %"},
		{`cpu.server{server="c"}`, "1 of 4 repetitions has no CPU of server"},
	} {
		q := must.Get(d.Eval(recordtest.Parse(t, tt.source), ""))
		assert.Equal(t, q.Note, tt.want, "the note of %s", tt.source)
	}
}

// The ratio of exact values is exact, as in a claim.
func TestRatioOfExactValues(t *testing.T) {
	d := evalDataset(t, recordtest.Only("a", recordtest.Failing(6)), recordtest.Only("b", recordtest.Failing(2)))
	q := must.Get(d.Eval(recordtest.Parse(t, `failed.count{server="a"} / failed.count{server="b"}`), ""))
	if !recordtest.CloseTo(q.Number, 3) || q.Kind != stats.Exact || q.Interval != nil {
		t.Errorf("%v %v, %s; want 3, %s", q.Number, q.Interval, q.Kind, stats.Exact)
	}
}

func TestSeveralCanAskAtOnce(t *testing.T) {
	d := evalDataset(t)
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for _, source := range []string{"max(throughput)", "speedup", "published(throughput{server=\"a\"})"} {
				must.Get(d.Eval(recordtest.Parse(t, source), ""))
			}
		})
	}
	done.Wait()
}

func TestEvalFewRepetitions(t *testing.T) {
	b := recordtest.New(t, recordtest.NamedValues+recordtest.Fence("experiment", recordtest.Servers))
	b.Measure("servers", "a", "1", recordtest.ValuesA[:2])
	b.Measure("servers", "b", "1", recordtest.ValuesB[:1])
	b.Measure("servers", "c", "2", recordtest.ValuesC, recordtest.WithKey("old"))
	d := datasetOf(b)
	for _, tt := range []struct {
		name, source string
		number       float64
		kind         stats.IntervalKind
		note         string
	}{
		{"two", `throughput{server="a"}`, 1215, stats.RangeOfTwo, "run not finished"},
		{"one", `throughput{server="b"}`, 1000, stats.NoInterval, "run not finished"},
		{"a ratio of few", `ratio(throughput{server="a"}, throughput{server="b"})`, 1.2149074, stats.NoInterval,
			"no interval: fewer than 3 valid repetitions; run not finished"},
		{"of two runs and versions", `ratio(throughput{server="a"}, throughput{server="c"})`, 1.5177576, stats.NoInterval,
			"no interval: fewer than 3 valid repetitions; not measured together; measured with an " +
				"older version; run not finished"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := must.Get(d.Eval(recordtest.Parse(t, tt.source), ""))
			if math.Abs(q.Number/tt.number-1) > 1e-4 || q.Kind != tt.kind || q.Note != tt.note ||
				(q.Interval != nil) != (tt.kind == stats.RangeOfTwo) {
				t.Errorf("%v, %s %v, note %q; want %v, %s, %q", q.Number, q.Kind, q.Interval, q.Note, tt.number, tt.kind, tt.note)
			}
		})
	}
}

func TestEvalErrors(t *testing.T) {
	d := evalDataset(t, recordtest.Only("c", recordtest.Failed("server exited with status 1")),
		recordtest.Only("b", recordtest.Failing(1000)))
	for _, tt := range []struct {
		name, source string
		at           string // where the error points
		want         string
		measured     bool
	}{
		{"no such metric", `througput{server="a"}`, "througput", `no metric "througput": did you mean "throughput"?`, true},
		{"a parameter instead of a metric", `server`, "server",
			`"server" is a parameter, not a metric: name a metric, and the parameter in braces: throughput{server="…"}`, true},
		{"a metric of commands", `time.real{server="a"}`, "time.real", `time.real is not measured in experiment "servers"`,
			true},
		{"no such service", `cpu.servr{server="a"}`, "cpu.servr",
			`cpu.servr is not measured in experiment "servers": did you mean "cpu.server"?`, true},
		{"no such kind of failure", `errors.timout{server="a"}`, "errors.timout",
			`errors.timout is not measured in experiment "servers": did you mean "errors.timeout"?`, true},
		{"no such parameter", `throughput{srver="a"}`, `srver="a"`,
			`no parameter "srver" in experiment "servers": did you mean "server"?`, true},
		{"no such value", `throughput{server="d"}`, `server="d"`, `no cell has server="d": known here: a, b, c`, true},
		{"no such experiment", `throughput{experiment="server"}`, `experiment="server"`,
			`no experiment "server" in this article: did you mean "servers"?`, true},
		{"an order of experiments", `throughput{experiment>"1"}`, `experiment>"1"`,
			`experiments have no order: write = or !=`, true},
		{"texts have no order", `throughput{server>1}`, `server>1`, `server is "a" in cell "a"`, true},
		{"several cells", `throughput`, "throughput",
			`throughput selects 3 cells, but one is needed: pick one in braces, such as {server="a"}`, true},
		{"several cells in a sum", `1/s + throughput`, "throughput", `throughput selects 3 cells`, true},
		{"unlike units", `throughput{server="a"} + latency.p50{server="a"}`,
			`throughput{server="a"} + latency.p50{server="a"}`,
			"cannot add", true},
		{"a ratio of unlike units", `ratio(throughput{server="a"}, latency.p50{server="a"})`, "", "cannot compare", true},
		{"a test", `throughput{server="a"} > 5/s`, `throughput{server="a"} > 5/s`,
			"is a test: it has a verdict, not a number", true},
		{"a test function", `same(throughput{server="a"}, throughput{server="b"})`, "",
			"is a test: it has a verdict, not a number", true},
		{"a text", `'a'`, "'a'", `"a" is not a number`, true},
		{"not published", `published(throughput{server="c"})`, "", "no published throughput of c", true},
		{"one of a list not published", `max(published(throughput))`, "", "no published throughput of c", true},
		{"a list where one is needed", `published(throughput{server!="c"})`, "", "selects 2 cells, but one is needed", true},
		{"values that need each other", `round-a`, "round-a", `value "round-a" refers to itself: round-a, round-b, round-a`,
			true},
		{"braces after a value", `speedup{server="a"}`, "", `"speedup" is a value, and its cells are already chosen`, true},
		{"division by zero", `1 / failed{server="a"}`, `failed{server="a"}`, "division by zero", true},
		{"a ratio of zero", `ratio(failed{server="a"}, failed{server="a"})`, "", "no ratio: the smallest value of a is 0",
			true},
		{"a cell that failed", `throughput{server="c"}`, `throughput{server="c"}`,
			"throughput, c: failed: server exited with status 1", false},
		{"a cell that is not valid", `throughput{server="b"} * 2`, `throughput{server="b"}`,
			"throughput, b: invalid: errors 9.2 %", false},
		{"a ratio with a cell that failed", `ratio(throughput{server="a"}, throughput{server="c"})`, `throughput{server="c"}`,
			"throughput, c: failed", false},
		{"a list with a cell that failed", `max(throughput)`, "", "throughput, b: invalid", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := d.Eval(recordtest.Parse(t, tt.source), "")
			e, ok := errors.AsType[*expr.Error](err)
			if !ok || !strings.HasPrefix(e.Error(), tt.want) && !strings.Contains(e.Msg, tt.want) {
				t.Fatalf("%+v, error %v; want %s", q, err, tt.want)
			}
			assert.Equal(t, errors.Is(err, ErrNotMeasured), !tt.measured, "not measured")
			if e.Span.Start < 0 || e.Span.End > len(tt.source) || e.Span.Start >= e.Span.End {
				t.Fatalf("place %v outside of %s", e.Span, tt.source)
			}
			if at := tt.source[e.Span.Start:e.Span.End]; tt.at != "" && at != tt.at {
				t.Errorf("points at %q, want %q", at, tt.at)
			}
		})
	}
}

func TestEvalInSeveralExperiments(t *testing.T) {
	b := recordtest.New(t, servers+recordtest.Fence("experiment", recordtest.Grid))
	b.Measure("servers", "a", "1", recordtest.ValuesA)
	b.Measure("grid", "sync, 10", "1", recordtest.ValuesB)
	b.Measure("grid", "async, 10", "1", recordtest.ValuesC)
	d := datasetOf(b)
	for _, tt := range []struct {
		name, source, experiment string
		want                     float64
		err                      string
	}{
		{"the default", `throughput{server="a"}`, "servers", 1203.6396576, ""},
		{"named beside the default", `throughput{kind="blocking", clients=10, experiment="grid"}`, "servers", 998.71000602, ""},
		{"all but one", `throughput{server="async", clients<50, experiment!="servers"}`, "", 800.46209947, ""},
		{"cells of two experiments", `throughput{server="a", experiment="servers"} / throughput{server="sync", clients=10, experiment=grid}`, "", 1.2051944, ""},
		{"none named", `throughput{server="a"}`, "", 0,
			"the article has several experiments, and throughput{server=\"a\"} does not say which"},
		{"in none", `throughput{experiment!=servers, experiment!=grid}`, "", 0, "no experiment matches"},
		{"values that never meet", `throughput{kind="blocking", server="async"}`, "grid", 0, "no cell matches"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := d.Eval(recordtest.Parse(t, tt.source), tt.experiment)
			switch {
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%v, error %v; want %s", q.Number, err, tt.err)
			case tt.err == "" && (err != nil || math.Abs(q.Number/tt.want-1) > 1e-5):
				t.Errorf("%v, error %v; want %v", q.Number, err, tt.want)
			case tt.name == "cells of two experiments" && q.What != "throughput, a of servers over “sync, 10 clients” of grid":
				t.Errorf("named %q", q.What)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	d := datasetOf(recordtest.New(t, recordtest.Article(recordtest.Grid)))
	e, ok := d.Experiment("")
	if !ok {
		t.Fatal("no experiment")
	}
	for _, tt := range []struct{ name, where, want, err string }{
		{"by parameter", `server == "sync"`, "sync, 10; sync, 100", ""},
		{"by label", `kind == "blocking" and clients > 50`, "sync, 100", ""},
		{"by experiment", `experiment == "grid" and clients == 10`, "sync, 10; async, 10", ""},
		{"none", `server == "other"`, "", ""},
		{"an unknown name", `clients > 50 and sever == "sync"`, "",
			`no parameter "sever" in experiment "grid": did you mean "server"?`},
		{"a metric", `throughput > 5/s`, "", `no parameter "throughput" in experiment "grid"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cells, err := e.Select(recordtest.Parse(t, tt.where))
			names := slice.Map(cells, func(c *Cell) string { return c.Trial.Name })
			if got := strings.Join(names, "; "); got != tt.want || (err == nil) != (tt.err == "") ||
				err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, error %v; want %q, %s", got, err, tt.want, tt.err)
			}
		})
	}
	assert.Equal(t, len(must.Get(e.Select(nil))), 4, "cells without a condition")
}

// Figures, tables and sentences name a cell alike: a value that says little by itself gets its parameter.
func TestIsName(t *testing.T) {
	for value, want := range map[string]bool{"async": true, "10 threads": true, "1 MB": true, "no limit": true,
		"10": false, "2ms": false, "-1": false, "none": false, "True": false, "off": false, "": false} {
		assert.Equal(t, IsName(value), want, "IsName(%q)", value)
	}
}
