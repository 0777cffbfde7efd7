package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// The repetitions needed are a look that the plan has; beyond its last one they are those of the usual sequence.
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
		{"two cells", ratio, "{looks: [3, 7, 11]}", 11},
		{"two cells, by the usual looks", ratio, "up to 20", 10},
		{"two cells, beyond the plan", ratio, "3", 10},
		{"four cells", ratios, "{looks: [3, 7, 11]}", 11},
		{"four cells, beyond the plan", ratios, "{looks: [3, 4]}", 10},
		{"one cell", limit, "{looks: [3, 7, 11]}", 11},
		{"one cell, beyond the plan", limit, "{looks: [3, 4]}", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := newFixture(t, strings.Replace(recordtest.Claimed(tt.claim), "repetitions: 3", "repetitions: "+
				tt.repetitions, 1))
			bench.Measure("servers", "a", "1", []float64{1100, 1180, 1040})
			bench.Measure("servers", "b", "1", []float64{990, 1000, 1010})
			bench.Measure("servers", "c", "1", []float64{500, 501, 502})
			j := JudgeAll(bench.dataset(dataset.Options{})).Claims[0]
			if j.Verdict != stats.Inconclusive || j.Needed != tt.want {
				t.Errorf("%s, needs %d repetitions, want %d (%s)", j.Verdict, j.Needed, tt.want, j.Reason)
			}
		})
	}
}
