package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// A claim is judged with the repetitions too that only checks of their own result left out.
func TestWithAll(t *testing.T) {
	const s, i = stats.Supported, stats.Inconclusive
	little := recordtest.LoadChange(func(l *record.Load) { l.Connections *= 2 })
	foreign := recordtest.LoadChange(func(l *record.Load) { l.ForeignCPU = 0.5 })
	const faster = `throughput{server="a"} > throughput{server="b"}`
	for _, tt := range []struct {
		name, expect string
		change       recordtest.Change
		slow         float64 // the throughput of the repetition that is left out
		all          stats.Verdict
		mark         string
	}{
		{"none left out", faster, nil, 1200, "", ""},
		{"left out whatever its result", faster, foreign, 400, "", ""},
		{"the same verdict", faster, little, 1190, s, ""},
		{"another verdict", faster, little, 400, i, `1 repetition is left out by a check that depends on its result: ` +
			`with all repetitions the verdict would be inconclusive`},
		{"a group", faster + ` and throughput{server="a"} > 600/s`, little, 400, i, "would be"},
		{"a geometric mean", `geomean(throughput{server!="b"}) > geomean(throughput{server="b"})`, little, 1190, s, ""},
		{"another cell", `throughput{server="c"} > throughput{server="b"}`, little, 400, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(tt.expect))
			changes := []recordtest.Change{}
			if tt.change != nil {
				changes = append(changes, recordtest.Only("a", tt.change, 4))
			}
			b.Measure("servers", "a", "1", []float64{1200, 1210, 1190, tt.slow}, changes...)
			b.Measure("servers", "b", "1", []float64{1000, 1010, 990, 1000})
			b.Measure("servers", "c", "1", []float64{1500, 1510, 1490, 1500})
			j := b.judge()
			if j.Verdict != s {
				t.Fatalf("%s (%s), want %s", j.Verdict, j.Reason, s)
			}
			var all stats.Verdict
			if j.All != nil {
				all = j.All.Verdict
			}
			marks := strings.Join(j.Marks, "; ")
			if all != tt.all || !strings.Contains(marks, tt.mark) || tt.mark == "" && strings.Contains(marks, "would be") {
				t.Errorf("with all repetitions %q, marks %q; want %q, %q", all, j.Marks, tt.all, tt.mark)
			}
			if j.All != nil && j.Effect != nil && j.All.Effect.N != 4 {
				t.Errorf("the effect is of %d repetitions, want 4", j.All.Effect.N)
			}
		})
	}
}

// A claim about a cell that is not valid stays without a verdict.
func TestWithAllOfInvalidCells(t *testing.T) {
	b := newFixture(t, recordtest.Claimed(`throughput{server="a"} > throughput{server="b"}`))
	b.Measure("servers", "a", "1", []float64{1200, 1210, 1190},
		recordtest.LoadChange(func(l *record.Load) { l.Connections *= 2 }))
	b.Measure("servers", "b", "1", []float64{1000, 1010, 990})
	if j := b.judge(); j.Verdict != stats.NotMeasured || j.All != nil {
		t.Errorf("%s, with all repetitions %+v", j.Verdict, j.All)
	}
}
