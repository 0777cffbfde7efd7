package dataset

import (
	"math"
	"slices"
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/validity"
)

// Of a cell that is not valid because others used the CPU, the metrics that this bounds have wide intervals and a mark;
// the others are as invalid as the cell.
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
				b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", tt.text))
				b.Measure(tt.experiment, tt.trial, "1", tt.values, changes...)
				return cellOf(t, b.dataset(Options{}), tt.trial)
			}
			quiet := measure(recordtest.Disturbed(0, 0)).Metric(tt.metric).Estimate
			c := measure(recordtest.Only("", recordtest.Disturbed(0, 0), 2), recordtest.Only("", busy, 1, 3))
			r := c.Metric(tt.metric)
			e := r.Estimate
			if r.Missing != "" || r.Level != validity.Warn || e.N != 3 || e.Centre != quiet.Centre ||
				math.Abs(e.Interval.Lo/quiet.Interval.Lo-tt.lo) > 1e-9 || math.Abs(e.Interval.Hi/quiet.Interval.Hi-tt.hi) > 1e-9 {
				t.Errorf("%q, %v, %+v; undisturbed %+v", r.Missing, r.Level, e, quiet)
			}
			if !slices.Contains(r.Marks, mark) {
				t.Errorf("marks %q, want %q", r.Marks, mark)
			}
			if got := r.Disturbed(); !slices.Equal(got, []bool{true, false, true}) {
				t.Errorf("disturbed are %v", got)
			}
		})
	}
	b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers))
	b.Measure("servers", "a", "1", []float64{1000, 1010, 990}, recordtest.Only("a", busy, 1, 3))
	const invalid = "invalid: 2 of 3 repetitions: others used 16 % of the CPU"
	if got := cellOf(t, b.dataset(Options{}), "a").Metric("latency.p50").Missing; got != invalid {
		t.Errorf("latency: %q, want %q", got, invalid)
	}
}
