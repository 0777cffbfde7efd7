package validity

import (
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

func TestStalls(t *testing.T) {
	const overflows = "net.listen_overflows."
	// quick is a thousand answers of 10 ms, and one more.
	quick := func(longest float64, family string, n float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.01, 1000), recordtest.Times(longest, 1))
			r.Samples = append(r.Samples, record.Sample{Metric: family + "server", Value: n, Unit: "1"})
		}
	}
	connecting := func(longest, connect float64) func(*record.Record) {
		return func(r *record.Record) {
			quick(longest, overflows, 0)(r)
			r.Histograms["latency.connect"] = recordtest.Histogram(t, recordtest.Times(connect, 1))
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*record.Record)
		want   Level
		words  string
	}{
		{"a queue overflowed", quick(1.03, overflows, 12), Warn,
			"stalled: a request took 1.03 s (12 listen overflows), and the mean is 10 ms"},
		{"it overflowed, and nobody waited a second", quick(0.94, overflows, 12), OK, ""},
		{"nothing overflowed", quick(1.03, overflows, 0), OK, ""},
		{"a slow server whose queue overflowed", func(r *record.Record) {
			quick(1.03, overflows, 12)(r)
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.5, 1000), recordtest.Times(1.5, 1))
		}, OK, ""},
		{"opening a connection", connecting(3.02, 3.01), Warn,
			"stalled: a request took 3.02 s (opening a connection), and the mean is 10 ms"},
		{"a slow answer over a quick connection", connecting(3.02, 0.2), OK, ""},
		{"one answer", quick(0.01, overflows, 3), OK, ""},
		{"no times", func(r *record.Record) {
			quick(1, overflows, 3)(r)
			r.Histograms = nil
		}, NotChecked, "the load generator does not report it"},
		{"another tool", func(r *record.Record) {
			quick(1.03, overflows, 12)(r)
			r.Load.Tool, r.Histograms = "ab", nil
			r.Samples = append(r.Samples, record.Sample{Metric: "latency.max", Value: 1.03, Unit: "s"},
				record.Sample{Metric: "latency.mean", Value: 0.011, Unit: "s"})
		}, Warn, "stalled: a request took 1.03 s (12 listen overflows), and the mean is 11 ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &record.Record{}
			recordtest.FillLoad(t, r, 100.1)
			tt.change(r)
			f := findingOf("stalls", r)
			if f.level != tt.want || tt.words != "" && f.words != tt.words {
				t.Errorf("%v: %q; want %v: %q", f.level, f.words, tt.want, tt.words)
			}
			if Stalled(r) != (tt.want == Warn) {
				t.Errorf("stalled: %v", Stalled(r))
			}
		})
	}
}
