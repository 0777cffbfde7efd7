package claim

import (
	"math"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// hungry makes the service of a trial use so many cores.
func hungry(trial string, cores float64) recordtest.Change {
	return recordtest.Only(trial, func(r *record.Record) {
		r.Samples = []record.Sample{{Metric: "cpu.server", Value: cores, Unit: "cores"}}
	})
}

func TestSensitivity(t *testing.T) {
	const yes, no, open = stats.Supported, stats.Contradicted, stats.Inconclusive
	warned := recordtest.Only("a", recordtest.LoadChange(func(l *record.Load) { l.Busy = 0.75 }), 2)
	slow := recordtest.Tail(t, "a", 9)
	for _, tt := range []struct {
		name, expect string
		changes      []recordtest.Change
		want         stats.Sensitivity
		// by the claim's metric, then without warned repetitions, then by p50, p90, p99 and the mean but for its own
		verdicts []stats.Verdict
	}{
		{"all percentiles", `latency.p50{server="a"} < latency.p50{server="b"}`, nil, stats.Robust,
			[]stats.Verdict{yes, yes, yes, yes}},
		{"a change", `change(latency.p50{server="a"}, latency.p50{server="b"}) < -10%`, nil, stats.Robust,
			[]stats.Verdict{yes, yes, yes, yes}},
		{"another percentile comes first", `best(latency.p95) == "a"`, nil, stats.Robust,
			[]stats.Verdict{yes, yes, yes, yes, yes}},
		{"by their tails it is the other way round", `latency.p50{server="a"} < latency.p50{server="b"}`,
			[]recordtest.Change{slow}, stats.Reversed, []stats.Verdict{yes, yes, no, no}},
		{"a ratio of ratios", `ratio(latency.mean{server="a"}, latency.mean{server="b"}) < ` +
			`ratio(latency.mean{server="b"}, latency.mean{server="a"})`, nil, stats.Robust,
			[]stats.Verdict{yes, yes, yes, yes}},
		{"throughput has one form", `throughput{server="a"} > throughput{server="b"}`, []recordtest.Change{slow},
			stats.OneMetric, []stats.Verdict{yes}},
		{"throughput, and one warned repetition", `throughput{server="a"} > throughput{server="b"}`,
			[]recordtest.Change{warned}, stats.Weaker, []stats.Verdict{yes, open}},
		{"a limit", `latency.p50{server="a"} < 100ms`, nil, stats.OneMetric, []stats.Verdict{yes}},
		{"memory", `same(memory.server{server="a"}, memory.server{server="b"})`, nil, stats.OneMetric,
			[]stats.Verdict{yes}},
		{"two metrics", `throughput{server="a"} > throughput{server="b"} and latency.p50{server="a"} < latency.p50{server="b"}`,
			nil, stats.OneMetric, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(tt.expect))
			for trial, values := range map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesB,
				"c": recordtest.ValuesC} {
				b.Measure("servers", trial, "1", values, tt.changes...)
			}
			d := b.dataset(dataset.Options{})
			s := SensitivityOf(d, d.Doc.Claims[0])
			if s.Is != tt.want || len(s.ByMetric) != len(tt.verdicts) {
				t.Fatalf("%s by %d metrics, want %s by %d", s.Is, len(s.ByMetric), tt.want, len(tt.verdicts))
			}
			for i, m := range s.ByMetric {
				if m.Judgement.Verdict != tt.verdicts[i] || m.WithoutWarned != (i == 1 && len(tt.changes) > 0 &&
					tt.verdicts[i] == open) {
					t.Errorf("by %s, warned left out %v: %s (%s), want %s", m.Metric.Name, m.WithoutWarned, m.Judgement.Verdict,
						m.Judgement.Reason, tt.verdicts[i])
				}
			}
		})
	}
}

// What is best by throughput may be worst by its tail: then the orders disagree, and so do the winners.
func TestOrders(t *testing.T) {
	b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers))
	for trial, values := range map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesB,
		"c": recordtest.ValuesC} {
		b.Measure("servers", trial, "1", values, recordtest.Tail(t, "a", 20))
	}
	o := OrdersOf(b.dataset(dataset.Options{}), "servers")
	if len(o.Metrics) != 4 || o.Smallest == nil || !o.WinnerDepends {
		t.Fatalf("%+v", o)
	}
	if a, b := o.Metrics[o.A].Name, o.Metrics[o.B].Name; a != "latency.p50" || b != "latency.p99" ||
		math.Abs(o.Smallest.Value+1.0/3) > 1e-9 {
		t.Errorf("the smallest is %v, of %s and %s", o.Smallest.Value, a, b)
	}
	if same := o.Tau[2][3]; same == nil || same.Value != 1 || o.Tau[3][2] != same {
		t.Errorf("throughput and throughput per core: %+v", same)
	}
	if same := OrdersOf(measuredServers(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers)).dataset(dataset.Options{}), "servers"); same.WinnerDepends || same.Smallest.Value != 1 {
		t.Errorf("where all agree: %+v", same)
	}
	if none := OrdersOf(newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers)).dataset(dataset.Options{}), "servers"); len(none.Metrics) > 0 || none.Smallest != nil {
		t.Errorf("without records: %+v", none)
	}
}
