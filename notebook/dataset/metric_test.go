package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

func TestPercentile(t *testing.T) {
	ms := func(list ...recordtest.EqualTimes) record.Histogram {
		for i := range list {
			list[i].Seconds /= 1000
		}
		return recordtest.Histogram(t, list...)
	}
	var none record.Histogram
	each := func(from, to int) record.Histogram {
		var list []recordtest.EqualTimes
		for i := from; i <= to; i++ {
			list = append(list, recordtest.Times(float64(i), 1))
		}
		return ms(list...)
	}
	for _, tt := range []struct {
		name     string
		h        record.Histogram
		cut      record.Histogram
		p        string
		attempts int64
		want     float64 // ms
		missing  string
	}{
		{"no answers", ms(), none, "50", 0, 0, "no answers"},
		{"nothing but failures", ms(), none, "50", 100, 0, "no answers"},
		{"too few for the median", ms(recordtest.Times(5, 19)), none, "50", 19, 0, "needs 20 answers, has 19"},
		{"enough for the median", ms(recordtest.Times(5, 20)), none, "50", 20, 5, ""},
		{"rank of an odd number", ms(recordtest.Times(5, 10), recordtest.Times(7, 11)), none, "50", 21, 7, ""},
		{"too few for p99", ms(recordtest.Times(5, 940)), none, "99", 940, 0, "needs 1000 answers, has 940"},
		{"p99 of 1234 is the 1222nd", ms(recordtest.Times(5, 1221), recordtest.Times(7, 1), recordtest.Times(9, 12)), none,
			"99", 1234, 7, ""},
		{"exact decimals", ms(recordtest.Times(5, 9990), recordtest.Times(7, 10)), none, "99.9", 10000, 5, ""},
		{"failures rank above answers", ms(recordtest.Times(5, 985), recordtest.Times(7, 10)), none, "99", 1000, 7, ""},
		{"among failures", ms(recordtest.Times(5, 985)), none, "99", 1000, 0, "among failures"},
		{"failures count as attempts", ms(recordtest.Times(5, 995)), none, "99", 1000, 5, ""},
		{"overflow ranks above answers", ms(recordtest.Times(5, 990), recordtest.Times(61000, 10)), none, "99", 1000, 5, ""},
		{"among the overflow", ms(recordtest.Times(5, 989), recordtest.Times(61000, 11)), none, "99", 1000, 0, "> 60 s"},
		{"attempts that are not told", ms(recordtest.Times(5, 20)), none, "50", 0, 5, ""},
		{"a histogram that is none", record.Histogram{Count: 20, HDR: "?"}, none, "50", 20, 0,
			"the histogram cannot be read: illegal base64 data at input byte 0"},
		{"the example of docs/method.md", each(1, 20), ms(recordtest.Times(5.5, 10)), "50", 20, 11, ""},
		{"cut before the first answer", each(1, 20), ms(recordtest.Times(0.5, 10)), "50", 20, 10, ""},
		{"cut after the last answer", each(1, 20), ms(recordtest.Times(30, 10)), "50", 20, 15, ""},
		{"more cut than answers", each(1, 20), ms(recordtest.Times(30, 21)), "50", 20, 0, "among those cut"},
		{"cut beside failures", each(1, 20), ms(recordtest.Times(5.5, 10)), "50", 25, 14, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &record.Record{Load: &record.Load{Attempted: tt.attempts},
				Histograms: map[string]record.Histogram{"latency": tt.h, "latency.cut": tt.cut}}
			got, missing := (reading{record.Histogram.Decode, r, nil}).time("latency.p" + tt.p)
			if missing != tt.missing || missing == "" && (got*1000 < tt.want || got*1000 > tt.want*(1+1.0/1024)) {
				t.Errorf("%v ms, missing %q; want %v ms, %q", got*1000, missing, tt.want, tt.missing)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	everything := func(r *record.Record) {
		r.Load.Failed, r.Load.Attempted = 10, r.Load.Completed+10
		r.Load.Failures = map[string]int64{"timeout": 7, "reset": 3}
		r.Load.FailuresMax = 1
		r.Histograms["latency.connect"] = recordtest.Histogram(t, recordtest.Times(0.001, 100))
		r.Samples = append(r.Samples, record.Sample{Metric: "bytes.in", Value: 4096, Unit: "B/s"})
	}
	c := cellOf(t, datasetOf(recordtest.NewMeasured(t, servers, everything)), "b")
	for _, tt := range []struct {
		metric  string
		want    float64 // of the first repetition, 1000/s
		missing string
	}{
		{"throughput", 1000, ""},
		{"throughput.per_core", 2000, ""},
		{"cpu.per_request", 0.0005, ""},
		{"requests", 10010, ""},
		{"failed", 10. / 10010, ""},
		{"failed.count", 10, ""},
		{"errors.timeout", 7, ""},
		{"errors.connect", 0, ""},
		{"status.200", 10000, ""},
		{"status.503", 0, ""},
		{"latency.mean", 0.01, ""},
		{"latency.max", 0.025, ""},
		{"latency.p99", 0.025, ""},
		{"latency.p99.99", 0, "needs 100000 answers, has 10010"},
		{"latency.connect.p50", 0.001, ""},
		{"latency.first_byte.p50", 0, "not measured"},
		{"generator.cpu", 0.3, ""},
		{"cpu.server", 0.5, ""},
		{"memory.server", 64 << 20, ""},
		{"bytes.in", 4096, ""},
		{"bytes.out", 0, "not measured"},
		{"cpu.client", 0, "not measured"},
		{"nonsense", 0, "not measured"},
	} {
		t.Run(tt.metric, func(t *testing.T) {
			r := c.Metric(tt.metric)
			switch {
			case r.Missing != tt.missing:
				t.Fatalf("missing %q, want %q", r.Missing, tt.missing)
			case tt.missing == "" && (len(r.Values) != 3 || !(r.Values[0] >= tt.want*0.999 && r.Values[0] <= tt.want*1.001)):
				t.Errorf("values %v, want %v first", r.Values, tt.want)
			case tt.missing != "" && len(r.Values) > 0:
				t.Errorf("values %v of what is missing", r.Values)
			}
			assert.Equal(t, r.Metric.Name, tt.metric, "name")
		})
	}
}

// Results leave out repetitions that are invalid or have no value, and marks say so.
func TestResults(t *testing.T) {
	const limit = 0.3 // share of expected errors
	one := func(c recordtest.Change, repetitions ...int) []recordtest.Change {
		return []recordtest.Change{recordtest.Only("", c, repetitions...)}
	}
	facts := func(f func(*record.Record) map[string]string) []recordtest.Change {
		return []recordtest.Change{func(r *record.Record) { r.Facts = f(r) }}
	}
	throttled := one(func(r *record.Record) {
		r.Machine = &record.Machine{Throttled: map[string]record.Throttling{"server": {Periods: 100, Throttled: 60,
			Limited: true}}}
	})
	noSamples := func(r *record.Record) { r.Samples = nil }
	for _, tt := range []struct {
		name        string
		metric      string
		throughputs []float64 // nil for recordtest.ValuesA
		changes     []recordtest.Change
		values      int
		missing     string
		marks       []string
	}{
		{"all repetitions", "throughput", nil, nil, 3, "", nil},
		{"one failed of three", "throughput", nil, one(recordtest.Failed("server: exited"), 2), 0,
			"invalid: 1 of 3 repetitions: failed", nil},
		{"all failed", "throughput", nil, one(recordtest.Failed("server exited with status 1")), 0,
			"failed: server exited with status 1", nil},
		{"too many errors", "throughput", nil, one(recordtest.Failing(1000)), 0,
			"invalid: errors 7.8 %", nil},
		{"too many errors, asked for them", "failed", nil, one(recordtest.Failing(1000)), 3, "", nil},
		{"too many errors, asked for their kind", "errors.timeout", nil, one(recordtest.Failing(1000)), 3, "", nil},
		{"too many errors, asked for answers", "status.200", nil, one(recordtest.Failing(1000)), 3, "", nil},
		{"errors that are expected", "throughput", nil, []recordtest.Change{recordtest.Failing(1000),
			recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = limit })}, 3, "", nil},
		{"one of four not valid", "throughput", []float64{1000, 2000, 1010, 1020}, one(recordtest.Failing(1000), 2), 3, "",
			[]string{"1 of 4 repetitions is not valid: errors 4.8 %"}},
		{"a warning", "throughput", nil, one(recordtest.LoadChange(func(l *record.Load) { l.Busy = 0.75 }), 2), 3, "",
			[]string{"1 of 3 repetitions: load generator busy 75 %"}},
		{"a percentile that one repetition lacks", "latency.p99.9", nil, one(func(r *record.Record) {
			r.Load.Attempted, r.Load.InFlight = 9000, -1
			h := r.Histograms["latency"]
			h.Count = 9000
			r.Histograms["latency"] = h
		}, 2), 0, "needs 10000 answers, has 9000", nil},
		{"a sample that one repetition lacks", "cpu.server", nil, one(noSamples, 2), 2, "",
			[]string{"1 of 3 repetitions has no CPU of server"}},
		{"CPU time that one repetition lacks", "throughput.per_core", nil, one(noSamples, 2), 0,
			"not measured: no CPU time of services", nil},
		{"CPU time of services that did not keep up with a schedule", "cpu.per_request", nil, one(func(r *record.Record) {
			r.Load.Open = &record.OpenLoop{Due: 10000, Sent: 10000}
			r.Load.Completed = 9300
		}, 2), 0, "not measured: the rate was not reached",
			[]string{"overloaded in 1 of 3 repetitions: 93 % of what was sent was answered in time"}},
		{"an outlier of five", "throughput", []float64{1000, 1010, 990, 1000, 1300}, nil, 5, "",
			[]string{"repetition 5 is an outlier"}},
		{"two outliers of seven", "throughput", []float64{700, 1000, 1000, 1001, 999, 1000, 1300}, nil, 7, "",
			[]string{"2 of 7 repetitions are outliers"}},
		{"three that are wide apart", "throughput", []float64{1000, 1010, 1300}, nil, 3, "",
			[]string{"the repetitions are more than 25 % apart"}},
		{"services that did not keep up with a schedule", "throughput", nil, one(func(r *record.Record) {
			r.Load.Open = &record.OpenLoop{Due: 10000, Sent: 10000}
			if r.Load.Completed = 9950; r.Repetition == 2 {
				r.Load.Completed = 9300
			}
			r.Histograms["lag"] = recordtest.Histogram(t, recordtest.Times(1e-6, 100))
		}), 3, "", []string{"overloaded in 1 of 3 repetitions: 93 % of what was sent was answered in time"}},
		{"a repetition that lost a second", "throughput", []float64{1000, 1010, 990}, one(func(r *record.Record) {
			h := r.Histograms["latency"]
			h.Max, h.Sum = 1.03, h.Sum+1
			r.Histograms["latency"] = h
			r.Samples = append(r.Samples, record.Sample{Metric: "net.listen_overflows.server", Value: 2, Unit: "1"})
		}, 2), 3, "",
			[]string{"1 of 3 repetitions: stalled: a request took 1.03 s (2 listen overflows), and the mean is 9.9 ms"}},
		{"a limit of the article, for latencies", "latency.p50", nil, throttled, 3, "",
			[]string{"3 of 3 repetitions: server was throttled in 60 % of its periods, by the article's own limit"}},
		{"a limit of the article, for rates", "throughput", nil, throttled, 3, "", nil},
		{"shared services", "throughput", nil, facts(func(r *record.Record) map[string]string {
			return map[string]string{"shared.services": "server", "shared.start": fmt.Sprint(r.Repetition / 3)}
		}), 3, "", []string{"measured on shared services: server, of 2 starts"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			throughputs := tt.throughputs
			if throughputs == nil {
				throughputs = recordtest.ValuesA
			}
			c := measure(t, throughputs, tt.changes...)
			r := c.Metric(tt.metric)
			assert.Equal(t, [2]any{len(r.Values), r.Missing}, [2]any{tt.values, tt.missing}, "values, missing")
			assert.Slice(t, r.Marks, tt.marks, "marks")
			assert.Equal(t, r.Estimate.N > 0, r.Missing == "", "there is an estimate, missing %q", r.Missing)
			stalls := strings.Contains(strings.Join(tt.marks, ""), "stalled")
			if got := c.Stalled(r); slices.Contains(got, true) != stalls || stalls && !got[1] {
				t.Errorf("stalled are %v of %v", got, r.Values)
			}
			if len(r.Values) > 0 {
				r.Values[0] = 0
				if c.Metric(tt.metric).Values[0] == 0 && tt.metric == "throughput" {
					t.Error("a caller changed what the next one gets")
				}
			}
		})
	}
}

func TestErrorShareIsPooled(t *testing.T) {
	r := measure(t, []float64{100, 100, 100},
		recordtest.Only("", recordtest.LoadChange(func(l *record.Load) { l.Failed, l.Completed = 12, 988 }), 2)).Metric("failed")
	if e := r.Estimate; e.Centre != 0.004 || e.Interval.Lo != 0 || e.Interval.Hi != 0.012 {
		t.Errorf("%+v, want 0.004 [0, 0.012] as in docs/method.md", e)
	}
}

func TestMetricsOfCommands(t *testing.T) {
	b := recordtest.New(t, recordtest.Article(recordtest.Command))
	b.Measure("tool", "fast", "1", []float64{1, 1.1, 1.2}, func(r *record.Record) {
		r.Samples = append(r.Samples, record.Sample{Metric: "frames", Value: 60, Unit: "frames"})
	})
	c := cellOf(t, datasetOf(b), "fast")
	if r := c.Metric("time.real"); r.Missing != "" || math.Abs(r.Estimate.Centre-1.09772) > 1e-5 {
		t.Errorf("time.real %+v", r)
	}
	f := c.Metric("frames")
	assert.Equal(t, [3]string{f.Missing, f.Metric.Unit, f.Metric.Title}, [3]string{"", "frames", "frames"})
	if checks := c.Validity().Checks(); len(checks) != 1 || checks[0].Level != validity.OK {
		t.Errorf("checks of a program without a load: %+v", checks)
	}
}

// A counted rate is known to one count in its window.
func TestResolutionOfCounts(t *testing.T) {
	few := func(change func(*record.Record)) recordtest.Change {
		return func(r *record.Record) {
			recordtest.FillLoad(t, r, 4)
			r.Load.Connections, r.Load.InFlight = 4, -1
			r.Samples = append(r.Samples, record.Sample{Metric: "bytes.in", Value: 400, Unit: "B/s"})
			if change != nil {
				change(r)
			}
		}
	}
	for _, tt := range []struct {
		name, metric string
		change       func(*record.Record)
		want         float64
	}{
		{"40 answers to 4 clients", "throughput", nil, 0.1},
		{"to one", "throughput", func(r *record.Record) { r.Load.Connections = 1 }, 0.025},
		{"of an open loop", "throughput", func(r *record.Record) { r.Load.Open = &record.OpenLoop{Due: 40, Sent: 40} },
			0.025},
		{"by shares", "throughput", func(r *record.Record) { r.Load.Overlap = &record.Overlap{Right: 40, Time: 40} }, 0},
		{"per core", "throughput.per_core", nil, 0.1},
		{"bytes", "bytes.in", nil, 0.1},
		{"bytes beside shares", "bytes.in", func(r *record.Record) { r.Load.Overlap = &record.Overlap{Right: 40, Time: 40} },
			0.1},
		{"of a tool", "throughput", func(r *record.Record) { r.Load.Tool, r.Histograms = "wrk", nil }, 0.1},
		{"of a tool that reports the time of every request", "throughput", func(r *record.Record) { r.Load.Tool = "pgbench" },
			0},
		{"of a tool that knows the rate better", "throughput", func(r *record.Record) {
			r.Load.Tool = "wrk"
			r.Samples = append(r.Samples, record.Sample{Metric: "throughput", Value: 4, Unit: "1/s", Step: 0.01})
		}, 0.0025},
		{"a latency", "latency.p50", nil, 0},
		{"CPU time", "cpu.server", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := measure(t, []float64{1000, 1000, 1000}, few(tt.change)).Metric(tt.metric)
			if got := r.Cell().Resolution; r.Missing != "" || math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("%q, resolution %v, want %v", r.Missing, got, tt.want)
			}
		})
	}
	counted := &record.Record{Load: &record.Load{Window: 10, Connections: 4, Attempted: 40, Completed: 40}}
	assert.Equal(t, step(counted, "throughput", 40, 4), 0, "the step of a window that ends with its requests")
}

// Counts that are equal in all repetitions have no interval; equal measurements still have one.
func TestExact(t *testing.T) {
	counted, _ := record.LookupMetric("net.retransmits.server")
	memory, _ := record.LookupMetric("memory.server")
	for _, test := range []struct {
		name   string
		metric record.Metric
		values []float64
		want   stats.IntervalKind
	}{
		{"a count", counted, []float64{12, 12, 12}, stats.Exact},
		{"a count of nothing", counted, []float64{0, 0}, stats.Exact},
		{"a count that differs", counted, []float64{12, 12, 13}, stats.TOnLogs},
		{"a count of one repetition", counted, []float64{12}, stats.NoInterval},
		{"equal readings of a gauge", memory, []float64{4096, 4096, 4096}, stats.TOnLogs},
		{"a mean of counts", counted, []float64{12.5, 12.5, 12.5}, stats.TOnLogs},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := must.Get(Result{Metric: test.metric, Values: test.values}.At(stats.DefaultAlpha))
			assert.Equal(t, e.Kind, test.want, "%v", e)
			if want := (stats.Interval{Lo: e.Centre, Hi: e.Centre}); e.Kind == stats.Exact && e.Interval != want {
				t.Errorf("interval %v, want %v", e.Interval, want)
			}
		})
	}
}

// In a cell that is invalid because others used the CPU, metrics with a bound get wide intervals and a mark; other
// metrics stay invalid.
func TestDisturbedCell(t *testing.T) {
	busy := recordtest.Disturbed(0.16, 0)
	const factor = 1 / 0.68
	const mark = "2 of 3 repetitions are disturbed (others used 16 % of the CPU): the interval allows for up to 1.47 " +
		"times the speed"
	for _, tt := range []struct {
		name, text, experiment, trial, metric string
		values                                []float64
		lo, hi                                float64
	}{
		{"throughput", recordtest.Servers, "servers", "a", "throughput", []float64{1000, 1010, 990}, 1, factor},
		{"time of a command", recordtest.Command, "tool", "fast", "time.real", []float64{1.5, 1.6, 1.7}, 1 / factor, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			measure := func(changes ...recordtest.Change) *Cell {
				b := recordtest.New(t, recordtest.Article(tt.text))
				b.Measure(tt.experiment, tt.trial, "1", tt.values, changes...)
				return cellOf(t, datasetOf(b), tt.trial)
			}
			quiet := measure(recordtest.Disturbed(0, 0)).Metric(tt.metric).Estimate
			c := measure(recordtest.Only("", recordtest.Disturbed(0, 0), 2), recordtest.Only("", busy, 1, 3))
			r := c.Metric(tt.metric)
			e := r.Estimate
			if r.Missing != "" || r.Level != validity.Warn || e.N != 3 || e.Centre != quiet.Centre ||
				math.Abs(e.Interval.Lo/quiet.Interval.Lo-tt.lo) > 1e-9 || math.Abs(e.Interval.Hi/quiet.Interval.Hi-tt.hi) > 1e-9 {
				t.Errorf("%q, %v, %+v; undisturbed %+v", r.Missing, r.Level, e, quiet)
			}
			assert.Equal(t, slices.Contains(r.Marks, mark), true, "%q is among %q", mark, r.Marks)
			assert.Slice(t, r.Disturbed(), []bool{true, false, true}, "disturbed")
		})
	}
	b := recordtest.New(t, servers)
	b.Measure("servers", "a", "1", []float64{1000, 1010, 990}, recordtest.Only("a", busy, 1, 3))
	const invalid = "invalid: 2 of 3 repetitions: others used 16 % of the CPU"
	a := cellOf(t, datasetOf(b), "a")
	if r := a.Metric("latency.p50"); r.Missing != invalid || len(r.Unsure) != 3 || len(r.Values) != 0 {
		t.Errorf("latency: %+v, want %q and three values that nothing rests on", r, invalid)
	}
	if r := a.Metric("throughput"); r.Missing == "" && r.Unsure != nil {
		t.Errorf("throughput is valid and has %v", r.Unsure)
	}
}

// A computed metric has a value in every repetition that has all its inputs.
func TestComputedMetrics(t *testing.T) {
	const metrics = `
metrics:
  - {name: tail.ratio, better: lower, value: latency.p99 / latency.p50}
  - {name: wasted, unit: "%", better: lower, value: failed + 25%}
  - {name: per.megabyte, value: throughput / (memory.server / 1MiB)}
  - {name: twice, value: tail.ratio * 2}
  - {name: rare, better: lower, value: latency.p99.99 / latency.p50}
  - {name: nothing, value: throughput / failed.count}
  - {name: queue, unit: ms, better: lower, from: server log, regex: 'queue (\d+)'}
  - {name: queues, value: queue * 2}
  - {name: latency.queue, unit: ms, from: server log, regex: 'waited (\d+)'}
  - {name: errors.db.lost, from: server log, regex: 'lost (\d+)'}
  - {name: cpu.db.waits, from: server log, regex: 'waits (\d+)'}`
	unread := func(r *record.Record) {
		r.Samples = append(r.Samples, record.Sample{Metric: "latency.queue", Value: 0.007, Unit: "s"},
			record.Sample{Metric: "errors.db.lost", Value: 5, Unit: "1"},
			record.Sample{Metric: "cpu.db.waits", Value: 40, Unit: "1"})
		if r.Repetition == 2 {
			r.Missing = map[string]string{"queue": `no match of queue (\d+) in the log of server`}
			return
		}
		r.Samples = append(r.Samples, record.Sample{Metric: "queue", Value: 0.004, Unit: "s"})
	}
	d := datasetOf(recordtest.NewMeasured(t, recordtest.Article(recordtest.Servers+metrics), unread))
	c := cellOf(t, d, "b")
	p99, p50 := c.Metric("latency.p99").Values[0], c.Metric("latency.p50").Values[0]
	for _, tt := range []struct {
		metric  string
		want    float64 // of the first repetition
		values  int
		missing string
		mark    string
	}{
		{"tail.ratio", p99 / p50, 3, "", ""},
		{"wasted", 0.25, 3, "", ""},
		{"per.megabyte", 1000. / 64, 3, "", ""},
		{"twice", 2 * p99 / p50, 3, "", ""},
		{"rare", 0, 0, "needs 100000 answers, has 10000", ""},
		{"nothing", 0, 0, "not measured: division by zero", ""},
		{"queue", 0.004, 2, "", `where it is missing: no match of queue (\d+) in the log of server`},
		{"queues", 0.008, 2, "", `where it is missing: no match of queue (\d+) in the log of server`},
		{"latency.queue", 0.007, 3, "", ""}, // names that begin like benchbook's own
		{"errors.db.lost", 5, 3, "", ""},
		{"cpu.db.waits", 40, 3, "", ""},
		{"throughput.per_core", 2000, 3, "", ""},
	} {
		t.Run(tt.metric, func(t *testing.T) {
			r := c.Metric(tt.metric)
			if len(r.Values) != tt.values || !strings.HasPrefix(r.Missing, tt.missing) ||
				(r.Missing == "") != (tt.missing == "") {
				t.Fatalf("values %v, missing %q; want %d and %q", r.Values, r.Missing, tt.values, tt.missing)
			}
			if tt.values > 0 && (r.Values[0] < tt.want*0.999 || r.Values[0] > tt.want*1.001) {
				t.Errorf("the first is %v, want %v", r.Values[0], tt.want)
			}
			if tt.mark != "" && !slices.Contains(r.Marks, tt.mark) {
				t.Errorf("marks %q, want %q among them", r.Marks, tt.mark)
			}
		})
	}
}

func TestKeyAndAllMetrics(t *testing.T) {
	e := measure(t, recordtest.ValuesB, recordtest.Failing(3)).Experiment
	names := func(metrics []record.Metric) string {
		out := slice.Map(metrics, func(m record.Metric) string { return m.Name })
		return strings.Join(out, " ")
	}
	const key = "throughput latency.p50 latency.p99 throughput.per_core failed"
	const all = key + " latency.p90 latency.mean latency.max requests failed.count generator.cpu errors.timeout " +
		"cpu.per_request " +
		"cpu.server memory.server"
	assert.Equal(t, names(e.KeyMetrics()), key, "key metrics")
	assert.Equal(t, names(e.AllMetrics()), all, "all metrics")
}
