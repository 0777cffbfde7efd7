package claim

import (
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// A claim about disturbed cells is decided if its verdict is the same for all undisturbed values within the bounds.
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
			b := recordtest.New(t, recordtest.Claimed(tt.expect))
			b.Measure("servers", "a", "1", []float64{4000, 4030, 4010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "b", "1", []float64{5000, 5030, 5010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "c", "1", []float64{100, 101, 100.5},
				recordtest.Only("c", recordtest.Disturbed(0.1, 0.06), 1, 3))
			j := Judge(datasetOf(b), b.Doc.Claims[0])
			assert.Equal(t, j.Verdict, tt.want, "%s, effect %+v", j.Reason, j.Effect)
			assert.Equal(t, j.Needed, 0, "repetitions needed")
			const mark = "2 of 3 repetitions of c are disturbed (6 % of the CPU time was stolen): the interval allows for up to " +
				"1.47 times the speed"
			isOfThroughput := strings.HasPrefix(tt.expect, "throughput") && strings.Contains(tt.expect, `"c"`)
			if marked := slices.Contains(j.Marks, mark); isOfThroughput && !marked {
				t.Errorf("marks %q, want %q", j.Marks, mark)
			}
		})
	}
}

// Three sessions with disturbed cells allow for the disturbance like each of them, and so does a value in the text.
func TestSessionsOfDisturbedCells(t *testing.T) {
	for expect, want := range map[string]stats.Verdict{
		`ratio(throughput{server="a"}, throughput{server="c"}) > 20`: stats.Supported,
		`ratio(throughput{server="a"}, throughput{server="c"}) > 38`: stats.Inconclusive,
		`throughput{server="c"} < 200/s`:                             stats.Supported,
		`throughput{server="c"} < 110/s`:                             stats.Inconclusive,
	} {
		b := recordtest.New(t, recordtest.Claimed(expect))
		for _, run := range []string{"20261120T100000Z-abcd", "20261119T100000Z-abcd", "20261118T100000Z-abcd"} {
			b.Measure("servers", "a", run, []float64{4000, 4030, 4010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "b", run, []float64{5000, 5030, 5010}, recordtest.Disturbed(0, 0))
			b.Measure("servers", "c", run, []float64{100, 101, 100.5}, recordtest.Only("c", recordtest.Disturbed(0.1, 0.06), 1, 3))
		}
		d := datasetOf(b)
		j := Judge(d, b.Doc.Claims[0])
		assert.Equal(t, j.Verdict, want, "%s: %s, effect %+v", expect, j.Reason, j.Effect)
		assert.Equal(t, len(j.Sessions), 3, "sessions of %s", expect)
		if j.Form == Limit {
			continue
		}
		q := must.Get(d.Eval(must.Get(expr.Parse(`ratio(throughput{server="a"}, throughput{server="c"})`)), ""))
		assert.Equal(t, *q.Interval, *j.Effect.Interval, "the value in the text")
	}
}

// A claim is also judged with the repetitions that only checks of their own result left out.
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
			b := recordtest.New(t, recordtest.Claimed(tt.expect))
			changes := []recordtest.Change{}
			if tt.change != nil {
				changes = append(changes, recordtest.Only("a", tt.change, 4))
			}
			b.Measure("servers", "a", "1", []float64{1200, 1210, 1190, tt.slow}, changes...)
			b.Measure("servers", "b", "1", []float64{1000, 1010, 990, 1000})
			b.Measure("servers", "c", "1", []float64{1500, 1510, 1490, 1500})
			j := judgeOnly(b)
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
