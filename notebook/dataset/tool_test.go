package dataset

import (
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// byTool turns a record into one of another load generator: ab, which reports percentiles in whole milliseconds.
func byTool(changes ...func(*record.Record)) recordtest.Change {
	return func(r *record.Record) {
		n := r.Load.Attempted
		r.Histograms = nil
		r.Load = &record.Load{Tool: "ab", Window: 10, Connections: 10, Attempted: n, Completed: n,
			Failures: map[string]int64{"connect": 0},
			InFlight: -1, Busy: -1, ForeignCPU: -1}
		for metric, ms := range map[string]float64{"latency.p50": 9, "latency.p99": 30, "latency.mean": 10,
			"latency.max": 40} {
			r.Samples = append(r.Samples, record.Sample{Metric: metric, Value: ms / 1e3, Unit: "s", Step: 1e-3})
		}
		for _, c := range changes {
			c(r)
		}
	}
}

// What another tool does not report is not measured, with the reason, and never zero.
func TestMetricsOfOtherTools(t *testing.T) {
	load := func(f func(*record.Load)) func(*record.Record) { return func(r *record.Record) { f(r.Load) } }
	for _, tt := range []struct {
		name, metric string
		throughput   float64
		change       func(*record.Record)
		value        float64
		missing      string
	}{
		{"a percentile", "latency.p99", 1000, nil, 0.03, ""},
		{"the mean", "latency.mean", 1000, nil, 0.01, ""},
		{"too few requests", "latency.p99", 90, nil, 0, "needs 1000 answers, has 900"},
		{"enough for the median", "latency.p50", 90, nil, 0.009, ""},
		{"a percentile that it does not report", "latency.p95", 1000, nil, 0, "not measured"},
		{"beside failures", "latency.p50", 1000, load(func(l *record.Load) { l.Failed, l.Completed = 2, l.Completed-2 }), 0,
			"not measured: 2 requests failed, and ab does not rank them above its answers"},
		{"the mean beside failures", "latency.mean", 1000,
			load(func(l *record.Load) { l.Failed, l.Completed = 2, l.Completed-2 }), 0,
			"not measured: 2 requests failed, and ab does not rank them above its answers"},
		{"failures that it does not report", "latency.p50", 1000, load(func(l *record.Load) { l.Failed = -1 }), 0,
			"not measured: ab does not report how many requests failed, and failures count as slower than all others"},
		{"requests that it does not report", "latency.p50", 1000, load(func(l *record.Load) { l.Attempted = -1 }), 0,
			"not measured: ab does not report how many requests there were"},
		{"throughput", "throughput", 1000, nil, 1000, ""},
		{"throughput that it reports itself", "throughput", 1000, func(r *record.Record) {
			r.Load.Completed = -1
			r.Samples = append(r.Samples, record.Sample{Metric: "throughput", Value: 77, Unit: "1/s"})
		}, 77, ""},
		{"no throughput", "throughput", 1000, load(func(l *record.Load) { l.Completed = -1 }), 0,
			"not measured: ab does not report it"},
		{"failed", "failed", 1000, load(func(l *record.Load) { l.Failed = -1 }), 0, "not measured: ab does not report it"},
		{"the number of failures", "failed.count", 1000, load(func(l *record.Load) { l.Failed = -1 }), 0,
			"not measured: ab does not report it"},
		{"requests", "requests", 1000, load(func(l *record.Load) { l.Attempted = -1 }), 0,
			"not measured: ab does not report it"},
		{"a kind that it counts", "errors.connect", 1000, nil, 0, ""},
		{"a kind that it does not tell from others", "errors.reset", 1000, nil, 0, "not measured: ab does not report it"},
		{"no status", "status.200", 1000, nil, 0, "not measured: ab does not report it"},
		{"a status that nothing had", "status.404", 1000,
			load(func(l *record.Load) { l.Statuses = map[string]int64{"200": 10000} }), 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var changes []func(*record.Record)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			r := measure(t, slices.Repeat([]float64{tt.throughput}, 3), byTool(changes...)).Metric(tt.metric)
			if r.Missing != tt.missing || tt.missing == "" && r.Estimate.Centre != tt.value {
				t.Errorf("%v, %q; want %v, %q", r.Estimate.Centre, r.Missing, tt.value, tt.missing)
			}
		})
	}
}

// Equal readings of a coarse tool are not exact: the resolution is the step over the median of the cell
// (docs/method.md#words-and-defaults).
func TestStepOfATool(t *testing.T) {
	b := recordtest.New(t, servers)
	b.Measure("servers", "a", "1", []float64{1000, 1000, 1000}, byTool())
	got := cellOf(t, datasetOf(b), "a").Metric("latency.p50").Estimate
	want := must.Get(stats.Summarize(stats.Cell{Values: []float64{0.009, 0.009, 0.009}, NonNegative: true,
		Resolution: 1.0 / 9}, stats.DefaultAlpha))
	if got != want || !(got.Interval.Hi/got.Interval.Lo > 1.1) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// 0 ms is less than half a step, which cannot be compared.
	b = recordtest.New(t, servers)
	b.Measure("servers", "a", "1", []float64{1000, 1000, 1000}, byTool(func(r *record.Record) {
		for i := range r.Samples {
			if r.Samples[i].Metric == "latency.p50" {
				r.Samples[i].Value = 0
			}
		}
	}))
	r := cellOf(t, datasetOf(b), "a").Metric("latency.p50")
	assert.Equal(t, r.Missing, "not measured: shorter than ab can tell, in steps of 1 ms")
}
