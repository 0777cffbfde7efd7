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
	var b *fixture
	for _, tt := range []struct {
		name, expect string
		changes      []recordtest.Change
		want         stats.Sensitivity
		// by the claim's metric, then by the others of p50, p99, throughput and throughput per core
		verdicts []stats.Verdict
	}{
		{"by all of them", `throughput{server="a"} > throughput{server="b"}`, nil, stats.Robust,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.Supported}},
		{"a limit of a ratio is turned round", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`, nil,
			stats.Robust,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.Supported}},
		{"a change", `change(latency.p50{server="a"}, latency.p50{server="b"}) < -10%`, nil, stats.Robust,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.Supported}},
		{"by their tails it is the other way round", `throughput{server="a"} > throughput{server="b"}`,
			[]recordtest.Change{func(r *record.Record) { recordtest.Tail(t, "a", 9)(r) }}, stats.Reversed,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Contradicted, stats.Supported}},
		{"a metric that was not measured does not count", `throughput{server="a"} > throughput{server="b"}`,
			[]recordtest.Change{hungry("a", 0)}, stats.Robust,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.NotMeasured}},
		{"one that does not decide it", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`,
			[]recordtest.Change{hungry("a", 0.54)}, stats.Weaker,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.Inconclusive}},
		{"another percentile comes first", `best(latency.p90) == "a"`, nil, stats.Robust,
			[]stats.Verdict{stats.Supported, stats.Supported, stats.Supported, stats.Supported, stats.Supported}},
		{"a limit", `latency.p50{server="a"} < 100ms`, nil, stats.OneMetric, nil},
		{"memory", `same(memory.server{server="a"}, memory.server{server="b"})`, nil, stats.OneMetric, nil},
		{"two metrics", `throughput{server="a"} > throughput{server="b"} and latency.p50{server="a"} < latency.p50{server="b"}`, nil, stats.OneMetric, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b = newFixture(t, recordtest.Claimed(tt.expect))
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
				if m.Judgement.Verdict != tt.verdicts[i] {
					t.Errorf("by %s %s (%s), want %s", m.Metric.Name, m.Judgement.Verdict, m.Judgement.Reason, tt.verdicts[i])
				}
			}
		})
	}
}

func TestInverse(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct{ region, want stats.Region }{
		{stats.Above(2), stats.Below(0.5)},
		{stats.Below(0.5), stats.Above(2)},
		{stats.Region{Lo: 0, Hi: 4}, stats.Above(0.25)},
		{stats.Region{Lo: 0.5, Hi: 4}, stats.Region{Lo: 0.25, Hi: 2}},
		{stats.Region{Lo: -inf, Hi: inf}, stats.Region{Lo: -inf, Hi: inf}},
	} {
		if got := inverse(tt.region); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.region, got, tt.want)
		}
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
