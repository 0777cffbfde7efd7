package claim

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// judge judges the only claim.
func (b *fixture) judge() Judgement {
	b.T.Helper()
	all := JudgeAll(b.dataset(dataset.Options{})).Claims
	if len(all) != 1 || all[0].Claim == nil {
		b.T.Fatalf("judgements %+v", all)
	}
	return all[0]
}

// The servers have 1200, 1000 and 800 requests per second, and the latencies that ten connections make of that.
func TestVerdicts(t *testing.T) {
	const (
		s = stats.Supported
		c = stats.Contradicted
		i = stats.Inconclusive
	)
	// wide spreads the values of a cell so far that nothing is decided.
	wide := func(trial string) recordtest.Change {
		return recordtest.Only(trial, func(
			r *record.Record) {
			r.Load.Completed = r.Load.Completed * int64(r.Repetition) / 2
		})
	}
	fails := func(a, b int64) []recordtest.Change {
		return []recordtest.Change{recordtest.Only("a", recordtest.Failing(a)), recordtest.Only("b", recordtest.Failing(b)),
			recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 })}
	}
	tests := []struct {
		expect  string
		want    stats.Verdict
		changes []recordtest.Change
	}{
		{`throughput{server="a"} > throughput{server="b"}`, s, nil},
		{`throughput{server="b"} > throughput{server="a"}`, c, nil},
		{`throughput{server="a"} > throughput{server="b"}`, i, []recordtest.Change{wide("a")}},
		{`throughput{server="b"} < throughput{server="a"}`, s, nil},
		{`throughput{server="a"} < throughput{server="b"}`, c, nil},
		{`throughput{server="a"} < throughput{server="b"}`, i, []recordtest.Change{wide("a")}},
		{`latency.p50{server="a"} < latency.p50{server="b"}`, s, nil},
		{`throughput{server="a"} >= throughput{server="b"}`, s, nil},
		{`throughput{server="b"} >= throughput{server="a"}`, c, nil},
		{`throughput{server="a"} >= throughput{server="b"}`, i, []recordtest.Change{wide("a")}},
		{`throughput{server="b"} <= throughput{server="a"}`, s, nil},
		{`throughput{server="a"} <= throughput{server="b"}`, c, nil},
		{`same(cpu.server{server="a"}, cpu.server{server="b"})`, s, nil},
		{`same(throughput{server="a"}, throughput{server="b"})`, c, nil},
		{`same(throughput{server="a"}, throughput{server="b"})`, i, []recordtest.Change{wide("b")}},
		{`within(throughput{server="a"}, throughput{server="b"}, 30%)`, s, nil},
		{`within(throughput{server="a"}, throughput{server="b"}, 10%)`, c, nil},
		{`within(throughput{server="a"}, throughput{server="b"}, 20%)`, i, nil},
		{`ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`, s, nil},
		{`ratio(throughput{server="a"}, throughput{server="b"}) >= 1.3`, c, nil},
		{`ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`, i, nil},
		{`ratio(throughput{server="a"}, throughput{server="b"}) < 1.3`, s, nil},
		{`ratio(throughput{server="a"}, throughput{server="b"}) <= 1.1`, c, nil},
		{`ratio(throughput{server="a"}, throughput{server="c"}) > ratio(throughput{server="b"}, throughput{server="c"})`, s,
			nil},
		{`ratio(throughput{server="a"}, throughput{server="c"}) < ratio(throughput{server="b"}, throughput{server="c"})`, c,
			nil},
		{`ratio(throughput{server="a"}, throughput{server="c"}) > ratio(throughput{server="b"}, throughput{server="c"})`, i,
			[]recordtest.Change{wide("a")}},
		{`ratio(latency.p50{server="a"}, latency.p50{server="c"}) <= ratio(throughput{server="b"}, throughput{server="c"})`,
			s, nil},
		{`throughput{server="a"} > 1.1 * throughput{server="b"}`, s, nil},
		{`throughput{server="a"} > throughput{server="b"} * 1.3`, c, nil},
		{`throughput{server="a"} < 1.2 * throughput{server="b"}`, i, nil},
		{`about(throughput{server="a"}, throughput{server="b"}, 1.2)`, s, nil},
		{`about(throughput{server="a"}, throughput{server="b"}, 2)`, c, nil},
		{`about(throughput{server="a"}, throughput{server="b"}, 1.5)`, i, nil},
		{`about(throughput{server="a"}, throughput{server="b"}, 1.2, 2%)`, i, nil},
		{`throughput{server="a"} > 1100/s`, s, nil},
		{`throughput{server="a"} < 1100/s`, c, nil},
		{`throughput{server="a"} > 1200/s`, i, nil},
		{`latency.p99{server="a"} < 100ms`, s, nil},
		{`latency.p99{server="a"} < 1ms`, c, nil},
		{`failed{server="a"} < 0.1%`, s, nil},
		{`failed{server="a"} < 5%`, c, fails(1000, 0)},
		{`failed{server="a"} < 7.7%`, i, fails(1000, 0)},
		{`fewer(failed{server="a"}, failed{server="b"})`, s, fails(10, 1000)},
		{`fewer(failed.count{server="a"}, failed.count{server="b"})`, c, fails(1000, 10)},
		{`fewer(errors.timeout{server="a"}, errors.timeout{server="b"})`, i, fails(0, 0)},
		{`every(throughput{server="a"}, ">", throughput{server!="a"})`, s, nil},
		{`every(throughput{server="c"}, ">=", throughput{server!="c"})`, c, nil},
		{`every(throughput{server="a"}, ">", throughput{server!="a"})`, i, []recordtest.Change{wide("a")}},
		{`geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, s, nil},
		{`geomean(throughput{server!="c"}) < geomean(throughput{server="c"})`, c, nil},
		{`geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, i, []recordtest.Change{wide("c")}},
		{`throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`, s, nil},
		{`throughput{server="a"} > throughput{server="b"} and throughput{server="c"} > throughput{server="b"}`, c, nil},
		{`throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`, i,
			[]recordtest.Change{wide("c")}},
		{`throughput{server="a"} > 2 * latency.p50{server="a"} / latency.p50{server="a"}`, stats.NotMeasured, nil}, // no form
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s is %s", tt.expect, tt.want), func(t *testing.T) {
			j := measuredServers(t, recordtest.Claimed(tt.expect), tt.changes...).judge()
			if j.Verdict != tt.want {
				t.Errorf("%s (%s), effect %+v in %+v; want %s", j.Verdict, j.Reason, j.Effect, j.Region, tt.want)
			}
			if (j.Reason == "") != (j.Verdict == stats.Supported || j.Verdict == stats.Contradicted) {
				t.Errorf("%s with reason %q", j.Verdict, j.Reason)
			}
			if j.Effect != nil && j.Effect.Interval != nil {
				judged := stats.Judge(*j.Effect.Interval, j.Region)
				if len(j.Parts) == 0 && judged != j.Verdict {
					t.Errorf("%s, but effect %v in region %v is %s", j.Verdict, *j.Effect.Interval, j.Region, judged)
				}
			}
		})
	}
}

func TestClaimsOfNamedValues(t *testing.T) {
	text := strings.Replace(recordtest.NamedValues, "values:", "values:\n  quick: throughput{server=\"a\"}", 1) +
		recordtest.Fence("experiment", recordtest.Servers)
	b := measuredServers(t, text+recordtest.Fence("claim",
		"{name: c, expect: 'speedup > 1.1 and quick > throughput{server=\"b\"}'}"))
	if j := b.judge(); j.Verdict != stats.Supported {
		t.Errorf("%s: %s", j.Verdict, j.Reason)
	}
}

func TestNotMeasured(t *testing.T) {
	const claim = `latency.p99{server="a"} < latency.p99{server="b"}`
	tests := []struct {
		name    string
		expect  string
		changes []recordtest.Change
		want    string
		invalid bool
	}{
		{"a cell without records", claim, []recordtest.Change{recordtest.Only("b",
			func(r *record.Record) { r.Experiment = "gone" })},
			"latency p99, b: not measured", false},
		{"a cell that failed", claim, []recordtest.Change{recordtest.Only("a", recordtest.Failed("server exited"))},
			"latency p99, a: failed: server exited", true},
		{"a cell that is not valid", claim, []recordtest.Change{recordtest.Only("b", recordtest.Failing(1000))},
			"latency p99, b: invalid: 3 of 3 repetitions: errors 9.2 %", true},
		{"a generator that was starved", claim,
			[]recordtest.Change{recordtest.Only("a",
				recordtest.LoadChange(func(l *record.Load) { l.Health = &record.Health{Waiting: 0.47} }))},
			"latency p99, a: invalid: 3 of 3 repetitions: the load generator waited for a core for 47 % of the window", true},
		{"a generator that was stopped", claim,
			[]recordtest.Change{recordtest.Only("b",
				recordtest.LoadChange(func(l *record.Load) { l.Health = &record.Health{Standstill: 1} }), 1)},
			"latency p99, b: invalid: 1 of 3 repetitions: the load generator stood still for 1 s at most (ok up to 100 ms)",
			true},
		{"a percentile with too few answers", strings.ReplaceAll(claim, "p99", "p99.99"), nil,
			"latency p99.99, a: needs 100000 answers, has 12000", false},
		{"a percentile among failures", claim, []recordtest.Change{recordtest.Only("b", recordtest.Failing(1000)),
			recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 })},
			"latency p99, b: among failures", false},
		{"a metric that was not recorded", `bytes.in{server="a"} > bytes.in{server="b"}`, nil, "received, a: not measured",
			false},
		{"one of many", `every(latency.p99{server="a"}, "<", latency.p99{server!="a"})`,
			[]recordtest.Change{recordtest.Only("c", recordtest.Failing(1000))},
			"latency p99, c: invalid: 3 of 3 repetitions: errors 11 %", true},
		{"one of a mean", `geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`,
			[]recordtest.Change{recordtest.Only("b", recordtest.Failed("broken"))},
			"throughput, b: failed: broken", true},
		{"asked before too few repetitions", claim,
			[]recordtest.Change{recordtest.Only("a", func(r *record.Record) { r.Experiment = "gone" }, 2, 3),
				recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" })}, "latency p99, b: not measured", false},
		{"a limit", `throughput{server="a"} > 5/s`, []recordtest.Change{recordtest.Only("a", recordtest.Failed("broken"))},
			"throughput, a: failed: broken", true},
		{"failures", `fewer(failed{server="a"}, failed{server="b"})`,
			[]recordtest.Change{recordtest.Only("a", recordtest.Failed("broken"))}, "failed, a: failed: broken", true},
		{"a mistake", `throughput{server="d"} > 5/s`, nil, `no cell has server="d"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := measuredServers(t, recordtest.Claimed(tt.expect), tt.changes...).judge()
			if j.Verdict != stats.NotMeasured || j.Reason != tt.want || j.Invalid != tt.invalid {
				t.Errorf("%s: %q, invalid %v; want not measured: %q, %v", j.Verdict, j.Reason, j.Invalid, tt.want, tt.invalid)
			}
		})
	}
	t.Run("left out by the profile", func(t *testing.T) {
		b := newFixture(t, strings.Replace(recordtest.Claimed(claim), "calibrate: false",
			"calibrate: false\nprofiles: {quick: skip}", 1))
		p, err := b.Plan(plan.Quick)
		if err != nil {
			t.Fatal(err)
		}
		j := JudgeAll(dataset.WithoutRecords(b.Doc, p)).Claims[0]
		if want := "not measured: profile quick leaves this experiment out"; j.Verdict != stats.NotMeasured ||
			j.Reason != want {
			t.Errorf("%s: %q", j.Verdict, j.Reason)
		}
	})
}

func TestInconclusive(t *testing.T) {
	tests := []struct {
		name    string
		expect  string
		changes []recordtest.Change
		reason  string
		needed  int
	}{
		{"across the limit", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.18`, nil,
			"the interval includes the limit of the claim", 10},
		{"on the limit", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.20519`, nil,
			"the interval includes the limit of the claim, and more than 160 repetitions would be needed to change that", 0},
		{"two repetitions", `throughput{server="a"} > throughput{server="b"}`,
			[]recordtest.Change{recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" }, 3)},
			"there are 2 valid repetitions of b, and a verdict needs 3", 0},
		{"one repetition of a limit", `throughput{server="b"} > 5/s`,
			[]recordtest.Change{recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" }, 2, 3)},
			"there is 1 valid repetition of b, and a verdict needs 3", 0},
		{"two repetitions of failures", `fewer(failed{server="a"}, failed{server="b"})`,
			[]recordtest.Change{recordtest.Only("b", func(r *record.Record) { r.Experiment = "gone" }, 3)},
			"there are 2 valid repetitions of b, and a verdict needs 3", 0},
		{"no ratio", `failed{server="a"} > failed{server="b"}`, nil, "there is no ratio: the smallest value of a is 0", 0},
		{"no ratio, as the second is zero", `failed{server="a"} < failed{server="b"}`,
			[]recordtest.Change{recordtest.Only("a", recordtest.Failing(1))},
			"there is no ratio: the smallest value of b is 0", 0},
		{"a part", `throughput{server="a"} > throughput{server="b"} and ratio(throughput{server="a"}, throughput{server="b"}) > 1.18`, nil,
			"1 of 2 parts undecided, the first: throughput, a over b", 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := measuredServers(t, recordtest.Claimed(tt.expect), tt.changes...).judge()
			if j.Verdict != stats.Inconclusive || j.Reason != tt.reason || j.Needed != tt.needed {
				t.Errorf("%s: %q, needs %d; want inconclusive: %q, %d", j.Verdict, j.Reason, j.Needed, tt.reason, tt.needed)
			}
		})
	}
}

func TestNoiseFloorWidensClaims(t *testing.T) {
	// With f = 0.04, "at least 1.3" is no longer contradicted: docs/method.md#claims-as-regions. One pair that is twice as
	// far apart, measured to 1.5 %, shows it.
	text := strings.Replace(recordtest.Claimed(`ratio(throughput{server="a"}, throughput{server="b"}) > 1.3`),
		"calibrate: false", "", 1)
	for _, tt := range []struct {
		apart, floor float64
		want         stats.Verdict
	}{{0, 0, stats.Contradicted}, {0.04, 0.01828, stats.Contradicted}, {0.085, 0.04064, stats.Inconclusive}} {
		b := measuredServers(t, text)
		again := make([]float64, len(recordtest.ValuesA))
		for i, x := range recordtest.ValuesA {
			again[i] = x * (1 + tt.apart)
		}
		b.Measure("servers", "again", "20261120T100000Z-aaaa", again)
		j := b.judge()
		if j.Verdict != tt.want || math.Abs(j.Floor-tt.floor) > 1e-5 || len(j.Marks) > 0 {
			t.Errorf("f = %v: %s, floor %v, marks %q; want %s", tt.floor, j.Verdict, j.Floor, j.Marks, tt.want)
		}
	}
}

// A claim over cells of two runs is widened by the floor of the article, which is that of its newest pairs.
func TestFloorOfTwoRuns(t *testing.T) {
	text := strings.Replace(recordtest.Claimed(
		`throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"} and throughput{server="a"} > throughput{server="c"}`), "calibrate: false", "", 1)
	b := newFixture(t, text)
	times := func(f float64) []float64 {
		return []float64{recordtest.ValuesA[0] * f, recordtest.ValuesA[1] * f, recordtest.ValuesA[2] * f}
	}
	b.Measure("servers", "a", "1", recordtest.ValuesA)
	b.Measure("servers", "again", "1", times(1.10))
	b.Measure("servers", "b", "1", recordtest.ValuesB)
	b.Measure("servers", "c", "1", recordtest.ValuesC)
	b.Measure("servers", "a", "2", recordtest.ValuesA)
	b.Measure("servers", "again", "2", times(1.02))
	b.Measure("servers", "b", "2", recordtest.ValuesB)
	j := b.judge()
	for _, p := range j.Parts { // a and b are of run 2, c is of run 1
		if want := 0.00626; math.Abs(p.Floor-want) > 1e-5 {
			t.Errorf("%s: floor %v, want %v", p.What, p.Floor, want)
		}
	}
	d := b.dataset(dataset.Options{})
	if f := d.Floor("throughput"); f.Missing != "" || f.Pairs != 1 || math.Abs(f.F-0.00626) > 1e-5 {
		t.Errorf("floor of the article %+v", f)
	}
	if g, err := d.Groups("servers", "throughput"); err != nil || g.Ranked[0].Letters != "a" ||
		g.Ranked[1].Letters != "b" {
		t.Errorf("groups %+v, %v", g, err)
	}
	if d.Experiments[0].FloorTogether() != true || dataset.Together(d.Experiments[0].Cells) {
		t.Error("the pair is of one run, the cells are of two")
	}
}

func TestMarks(t *testing.T) {
	const throughputs = `throughput{server="a"} > throughput{server="b"}`
	tests := []struct {
		name      string
		expect    string
		calibrate bool
		changes   []recordtest.Change
		want      string
	}{
		{"no A/A pair", throughputs, false, nil, "noise floor not measured"},
		{"a limit needs none", `throughput{server="a"} > 5/s`, false, nil, ""},
		{"everything in order", throughputs, true, nil, ""},
		{"two runs", throughputs, true, []recordtest.Change{recordtest.Only("b", recordtest.InRun("2"))},
			"not measured together"},
		{"an older version", throughputs, true, []recordtest.Change{recordtest.Only("b", recordtest.WithKey("old"))},
			"measured with an older version"},
		{"repetitions on services that stayed up", throughputs, true, []recordtest.Change{recordtest.Only("b",
			func(r *record.Record) { r.Facts = map[string]string{record.FactStart: "10:00"} })},
			"repetitions share a start of their services"},
		{"not finished", throughputs, true, []recordtest.Change{recordtest.Only("b",
			func(r *record.Record) { r.Experiment = "gone" }, 3)}, "run not finished"},
		{"an A/A pair of two runs", throughputs, true, []recordtest.Change{recordtest.Only("a again", recordtest.InRun("0"))},
			"noise floor not measured together"},
		{"an A/A pair of another run", throughputs, true, []recordtest.Change{recordtest.Only("a", recordtest.InRun("2")),
			recordtest.Only("b", recordtest.InRun("2"))}, "noise floor not measured together"},
		{"latencies of different loads", `latency.p50{server="a"} < latency.p50{server="b"}`, true, nil, "different loads"},
		{"latencies of equal loads", `latency.p50{server="a"} < latency.p50{server="b"}`, true,
			[]recordtest.Change{recordtest.Only("b", completes(12000))}, ""},
		{"a repetition that is not valid", throughputs, true,
			[]recordtest.Change{recordtest.Only("b", recordtest.Failing(1000), 4)},
			"1 of 4 repetitions of b is not valid: errors 9.1 %"},
		{"a repetition without the metric", `cpu.server{server="a"} >= cpu.server{server="b"}`, true,
			[]recordtest.Change{recordtest.Only("b", recordtest.Without("cpu.server"), 2)},
			"1 of 4 repetitions of b has no CPU of server"},
		{"a limit for a cell with a repetition that is not valid", `throughput{server="b"} > 5/s`, true,
			[]recordtest.Change{recordtest.Only("b", recordtest.Failing(1000), 4)},
			"1 of 4 repetitions of b is not valid: errors 9.1 %"},
		{"of parts, each once", throughputs + ` and throughput{server="b"} > throughput{server="c"}`, true,
			[]recordtest.Change{recordtest.Only("b", recordtest.InRun("2"))}, "not measured together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Claimed(tt.expect)
			if tt.calibrate {
				text = strings.Replace(text, "calibrate: false", "", 1)
			}
			b := newFixture(t, strings.Replace(text, "repetitions: 3", "repetitions: 4", 1))
			for trial, values := range map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesB,
				"c": recordtest.ValuesC, "again": recordtest.ValuesA} {
				if trial != "again" || tt.calibrate {
					b.Measure("servers", trial, "20261120T100000Z-aaaa", append(slices.Clone(values), values[0]))
				}
			}
			for _, r := range b.Records {
				for _, c := range tt.changes {
					c(r)
				}
			}
			if got := strings.Join(b.judge().Marks, "; "); got != tt.want {
				t.Errorf("marks %q, want %q", got, tt.want)
			}
		})
	}
}

// The ratio of two cells is the quotient of what is printed of them, also where one repetition is far from the others.
func TestRatioIsThatOfTheCellsBesideIt(t *testing.T) {
	b := measuredServers(t, recordtest.Claimed(`throughput{server="a"} > throughput{server="b"}`),
		recordtest.Only("a", completes(5000)), recordtest.Only("a", completes(9000), 3),
		recordtest.Only("b", completes(5200)))
	effect := b.judge().Effect
	var centres []float64
	for _, c := range effect.Cells {
		centres = append(centres, c.Metric("throughput").Estimate.Centre)
	}
	if want := centres[0] / centres[1]; effect.Number != want || !effect.Interval.Contains(want) {
		t.Errorf("the ratio is %v %v beside cells of %v", effect.Number, effect.Interval, centres)
	}
}

func completes(n int64) recordtest.Change {
	return recordtest.LoadChange(func(l *record.Load) { l.Completed = n })
}

// What is shown of a comparison is what its author wrote: a over b, also where a is claimed to be less.
func TestEffectIsThatOfTheAuthor(t *testing.T) {
	const ab, ba = 1.2051944, 1 / 1.2051944
	tests := []struct {
		expect, what string
		effect       float64
		isRatio      bool
		region       stats.Region
	}{
		{`throughput{server="a"} > throughput{server="b"}`, "throughput, a over b", ab, true, stats.Greater(0.05)},
		{`throughput{server="b"} < throughput{server="a"}`, "throughput, b over a", ba, true, stats.Below(1 / 1.05)},
		{`throughput{server="b"} <= throughput{server="a"}`, "throughput, b over a", ba, true, stats.Below(1.05)},
		{`ratio(throughput{server="b"}, throughput{server="a"}) < 1.1`, "throughput, b over a", ba, true, stats.Below(1.1)},
		{`throughput{server="a"} > 5/s`, "throughput, a", 1203.6396576, false, stats.Above(5)},
		{`requests{server="a"} > 5`, "requests, a", 12036.396576, false, stats.Above(5)},
	}
	for _, tt := range tests {
		t.Run(tt.expect, func(t *testing.T) {
			j := measuredServers(t, recordtest.Claimed(tt.expect)).judge()
			if j.Verdict != stats.Supported || j.What != tt.what || math.Abs(j.Effect.Number-tt.effect) > 1e-5 ||
				j.IsRatio != tt.isRatio ||
				!recordtest.CloseTo(j.Region.Hi, tt.region.Hi) && j.Region != tt.region {
				t.Errorf("%s, %q, %+v, ratio %v, in %v; want %+v", j.Verdict, j.What, j.Effect, j.IsRatio, j.Region, tt)
			}
		})
	}
}

// Each part of a claim says for itself whether its effect is a ratio.
func TestPartsOfTwoKinds(t *testing.T) {
	j := measuredServers(t, recordtest.Claimed(
		`throughput{server="a"} > throughput{server="b"} and failed.count{server="a"} < 5`)).judge()
	if len(j.Parts) != 2 || !j.Parts[0].IsRatio || j.Parts[1].IsRatio || j.IsRatio {
		t.Errorf("%+v", j)
	}
}

func TestSmallestEffect(t *testing.T) {
	const expect = `throughput{server="a"} > throughput{server="b"}`
	if j := measuredServers(t, recordtest.Claimed(expect,
		"smallest_effect: 30%")).judge(); j.Verdict != stats.Contradicted || j.Region != stats.Greater(0.3) {
		t.Errorf("%s in %v", j.Verdict, j.Region)
	}
	if j := measuredServers(t, recordtest.Claimed(expect)).judge(); j.Region != stats.Greater(0.05) {
		t.Errorf("region %v", j.Region)
	}
}

// A reader of the golden file sees what an article's claims come to, word by word.
func TestJudgementsOfAnArticle(t *testing.T) {
	source, err := os.ReadFile("testdata/judgements.md")
	if err != nil {
		t.Fatal(err)
	}
	b := newFixture(t, string(source))
	run := "20261120T100000Z-aaaa"
	b.Measure("sockets", "sync, 10", run, []float64{529, 541, 522, 530, 535})
	b.Measure("sockets", "async, 10", run, []float64{705, 712, 690, 701, 699})
	b.Measure("sockets", "sync, 150", run, []float64{480, 420, 510, 455, 470}, recordtest.LoadChange(func(l *record.Load) {
		l.Failed, l.Attempted, l.FailuresMax = 300, l.Attempted+300, 1
	}))
	b.Measure("sockets", "async, 150", run, []float64{690, 700, 720, 640, 698},
		recordtest.Only("", recordtest.Failing(900), 4))
	b.Measure("sockets", "again", run, []float64{533, 545, 519, 528, 541})
	b.Measure("tool", "fast", run, []float64{1, 1.02, 0.99})
	d := b.dataset(dataset.Options{ThisHost: "host-1"})
	var out bytes.Buffer
	for _, j := range JudgeAll(d).Claims {
		fmt.Fprintf(&out, "%s: %s\n", j.Claim.Name.Value, j.Claim.Expect.Text.Value)
		printJudgement(&out, j, "  ")
	}
	standing := JudgeAll(d).Standing()
	fmt.Fprintf(&out, "standing: %s (%s)\n", standing, standing.Reason)
	golden := filepath.Join("testdata", "judgements.txt")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", out.Bytes(), want)
	}
}

func printJudgement(out *bytes.Buffer, j Judgement, indent string) {
	fmt.Fprintf(out, "%s%s: %s", indent, j.What, j.Verdict)
	if j.Effect != nil {
		fmt.Fprintf(out, ", %.4g %s", j.Effect.Number, j.Effect.Unit)
		if i := j.Effect.Interval; i != nil {
			fmt.Fprintf(out, " [%.4g, %.4g] in (%.4g, %.4g)", i.Lo, i.Hi, j.Region.Lo, j.Region.Hi)
		}
	}
	if j.Needed > 0 {
		fmt.Fprintf(out, ", needs %d", j.Needed)
	}
	if j.Invalid {
		out.WriteString(", rests on a cell that is not valid")
	}
	out.WriteByte('\n')
	if j.Reason != "" {
		fmt.Fprintf(out, "%s  because %s\n", indent, j.Reason)
	}
	for _, m := range j.Marks {
		fmt.Fprintf(out, "%s  marked %s\n", indent, m)
	}
	for _, p := range j.Parts {
		printJudgement(out, p, indent+"  - ")
	}
}

// A schedule gives equal loads also where the first repetition failed and so does not tell of one.
func TestEqualLoadsAreNotDifferent(t *testing.T) {
	b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers)+recordtest.Fence("claim",
		`{name: sooner, expect: 'latency.p50{server="a"} < latency.p50{server="b"}'}`))
	open := func(r *record.Record) {
		if r.Repetition == 1 {
			recordtest.Failed("server: exited")(r)
			return
		}
		r.Load.Open = &record.OpenLoop{Due: r.Load.Attempted, Sent: r.Load.Attempted}
	}
	four := func(values []float64) []float64 { return append([]float64{1000}, values...) }
	b.Measure("servers", "a", "1", four(recordtest.ValuesA), open)
	b.Measure("servers", "b", "1", four(recordtest.ValuesB), open)
	d := b.dataset(dataset.Options{})
	if marks := JudgeAll(d).Claims[0].Marks; slices.Contains(marks, dataset.MarkLoads) {
		t.Errorf("marks %q", marks)
	}
}

// Of one repetition there is an interval within it, which enters no claim.
func TestOneRepetitionDecidesNothing(t *testing.T) {
	for _, tt := range []struct {
		metric   string
		n        int
		failures int64
	}{{"latency.p99", 1000, 0}, {"latency.p50", 30, 0}, {"latency.p50", 30, 20}} {
		b := newFixture(t, recordtest.Claimed(tt.metric+`{server="a"} < 10s`))
		b.Measure("servers", "a", "1", []float64{1000}, recordtest.Ladder(t, tt.n, 1, tt.failures))
		if j := b.judge(); j.Verdict != stats.Inconclusive || j.Effect == nil || j.Effect.Interval != nil {
			t.Errorf("%s of %d answers and %d failures: %s, %+v", tt.metric, tt.n, tt.failures, j.Verdict, j.Effect)
		}
	}
}

// A claim that the article leads with does not rest on windows under a second, nor on a generator that was too busy;
// other claims do.
func TestHeadlineNeedsSoundLoads(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*record.Load)
		first  int // repetitions that it is of
		reason string
	}{
		{"short windows", func(l *record.Load) { l.Window /= 20 }, 3,
			"no headline claim can rest on a, as its window of 500 ms is shorter than 1 s"},
		{"a busy generator", func(l *record.Load) { l.Busy = 0.85 }, 2,
			"no headline claim can rest on a, as its load generator was busy 85 %"},
		{"in one repetition of three", func(l *record.Load) { l.Busy = 0.85 }, 1, ""},
	} {
		for _, headline := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, headline %v", tt.name, headline), func(t *testing.T) {
				expect := `throughput{server="a"} > throughput{server="b"}`
				b := measuredServers(t, recordtest.Claimed(expect, fmt.Sprintf("headline: %v", headline)),
					func(r *record.Record) {
						if r.Trial == "a" && r.Repetition <= tt.first {
							tt.change(r.Load)
							r.Load.InFlight = -1
						}
					})
				j := b.judge()
				if (j.Verdict == stats.NotMeasured) != (headline && tt.reason != "") || headline && j.Reason != tt.reason {
					t.Errorf("%s (%s), want the reason %q", j.Verdict, j.Reason, tt.reason)
				}
			})
		}
	}
}
