package dataset

import (
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// What was counted, and is equal in all repetitions, has no interval; what was measured has one even so.
func TestExact(t *testing.T) {
	counted, _ := record.LookupMetric("net.retransmits.server")
	memory, _ := record.LookupMetric("memory.server")
	tests := []struct {
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
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := Result{Metric: test.metric, Values: test.values}.At(stats.DefaultAlpha)
			if err != nil || e.Kind != test.want {
				t.Errorf("%v, %v; want %s", e, err, test.want)
			}
			if want := (stats.Interval{Lo: e.Centre, Hi: e.Centre}); e.Kind == stats.Exact && e.Interval != want {
				t.Errorf("interval %v, want %v", e.Interval, want)
			}
		})
	}
}
