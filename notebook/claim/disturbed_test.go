package claim

import (
	"slices"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// A claim about disturbed cells is decided where it holds, or does not, by whatever they may have been undisturbed.
func TestClaimsOfDisturbedCells(t *testing.T) {
	const s, c, i, n = stats.Supported, stats.Contradicted, stats.Inconclusive, stats.NotMeasured
	for _, tt := range []struct {
		expect string
		want   stats.Verdict
	}{
		{`throughput{server="a"} > throughput{server="c"}`, s}, // 40 times
		{`throughput{server="a"} < throughput{server="c"}`, c},
		{`ratio(throughput{server="a"}, throughput{server="c"}) > 20`, s},
		{`ratio(throughput{server="a"}, throughput{server="c"}) > 38`, i},
		{`ratio(throughput{server="a"}, throughput{server="c"}) > 60`, c},
		{`throughput{server="b"} > throughput{server="a"}`, s}, // c alone is disturbed
		{`throughput{server="b"} > throughput{server="a"} and throughput{server="b"} > throughput{server="c"}`, s},
		{`ratio(throughput{server="b"}, throughput{server="c"}) > ratio(throughput{server="b"}, throughput{server="a"})`, s},
		{`ratio(throughput{server="b"}, throughput{server="c"}) > ratio(throughput{server="a"}, throughput{server="c"})`, i},
		{`geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, s},
		{`geomean(throughput{server="c"}) > geomean(throughput{server!="c"})`, c},
		{`throughput{server="c"} < 200/s`, s},
		{`throughput{server="c"} < 90/s`, c},
		{`throughput{server="c"} < 110/s`, i},
		{`latency.p50{server="b"} < latency.p50{server="c"}`, n},
		{`cpu.server{server="b"} > cpu.server{server="c"}`, n},
	} {
		t.Run(tt.expect, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(tt.expect))
			b.Measure("servers", "a", "1", []float64{4000, 4030, 4010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "b", "1", []float64{5000, 5030, 5010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "c", "1", []float64{100, 101, 100.5},
				recordtest.Only("c", recordtest.Disturbed(0.1, 0.06), 1, 3))
			j := Judge(b.dataset(dataset.Options{}), b.Doc.Claims[0])
			if j.Verdict != tt.want {
				t.Errorf("%s (%s), effect %+v; want %s", j.Verdict, j.Reason, j.Effect, tt.want)
			}
			if j.Needed != 0 {
				t.Errorf("%d repetitions are said to be needed", j.Needed)
			}
		})
	}
}

// The page says by how much.
func TestMarkOfDisturbedCells(t *testing.T) {
	b := newFixture(t, recordtest.Claimed(`throughput{server="a"} > throughput{server="c"}`))
	b.Measure("servers", "a", "1", []float64{4000, 4030, 4010})
	b.Measure("servers", "c", "1", []float64{100, 101, 100.5}, recordtest.Only("c", recordtest.Disturbed(0.1, 0.06), 1, 3))
	d := b.dataset(dataset.Options{})
	j := Judge(d, b.Doc.Claims[0])
	const want = "2 of 3 repetitions of c are disturbed (6 % of the CPU time was stolen): the interval allows for up to " +
		"1.47 times the speed"
	if !slices.Contains(j.Marks, want) {
		t.Errorf("marks %q, want %q", j.Marks, want)
	}
}
