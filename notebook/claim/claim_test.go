package claim

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// The servers have 1200, 1000 and 800 requests per second, and the latencies that follow for ten connections.
func TestVerdicts(t *testing.T) {
	const (
		s = stats.Supported
		c = stats.Contradicted
		i = stats.Inconclusive
	)
	// wide spreads the values of a cell too far for a decision.
	wide := func(trial string) recordtest.Change {
		return recordtest.Only(trial, func(r *record.Record) {
			r.Load.Completed = r.Load.Completed * int64(r.Repetition) / 2
		})
	}
	fails := func(a, b int64) []recordtest.Change {
		return []recordtest.Change{recordtest.Only("a", recordtest.Failing(a)), recordtest.Only("b", recordtest.Failing(b)),
			recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 })}
	}
	for _, tt := range []struct {
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
	} {
		t.Run(fmt.Sprintf("%s is %s", tt.expect, tt.want), func(t *testing.T) {
			j := judgeOnly(recordtest.NewMeasured(t, recordtest.Claimed(tt.expect), tt.changes...))
			assert.Equal(t, j.Verdict, tt.want, "%s, effect %+v in %+v", j.Reason, j.Effect, j.Region)
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

// gone removes repetitions of a trial.
func gone(trial string, repetitions ...int) recordtest.Change {
	return recordtest.Only(trial, func(r *record.Record) { r.Experiment = "gone" }, repetitions...)
}

func completes(n int64) recordtest.Change {
	return recordtest.LoadChange(func(l *record.Load) { l.Completed = n })
}

// A claim without a verdict says why, and how many repetitions might decide it.
func TestReasons(t *testing.T) {
	const (
		missing = stats.NotMeasured
		open    = stats.Inconclusive
		p99     = `latency.p99{server="a"} < latency.p99{server="b"}`
		faster  = `throughput{server="a"} > throughput{server="b"}`
		fewer   = `fewer(failed{server="a"}, failed{server="b"})`
	)
	change := func(trial string, f func(*record.Load), repetitions ...int) []recordtest.Change {
		return []recordtest.Change{recordtest.Only(trial, recordtest.LoadChange(f), repetitions...)}
	}
	all := func(changes ...recordtest.Change) []recordtest.Change { return changes }
	failed := func(trial string) []recordtest.Change {
		return all(recordtest.Only(trial, recordtest.Failed("broken")))
	}
	for _, tt := range []struct {
		name    string
		expect  string
		changes []recordtest.Change
		verdict stats.Verdict
		reason  string
		needed  int
		invalid bool
	}{
		{"a cell without records", p99, all(gone("b")), missing, "latency p99, b: not measured", 0, false},
		{"a cell that failed", p99, failed("a"), missing, "latency p99, a: failed: broken", 0, true},
		{"a cell that is not valid", p99, all(recordtest.Only("b", recordtest.Failing(1000))), missing,
			"latency p99, b: invalid: errors 9.2 %", 0, true},
		{"a generator that was stopped", p99,
			change("b", func(l *record.Load) { l.Health = &record.Health{Standstill: 1} }, 1), missing,
			"latency p99, b: invalid: 1 of 3 repetitions: the load generator stood still for 1 s at most (ok up to 100 ms)", 0,
			true},
		{"a percentile with too few answers", strings.ReplaceAll(p99, "p99", "p99.99"), nil, missing,
			"latency p99.99, a: needs 100000 answers, has 12000", 0, false},
		{"a cell that a check of its own result left out", faster,
			change("a", func(l *record.Load) { l.Connections *= 2 }), missing,
			"throughput, a: invalid: Little's law gives 0.50 of the connections in use (ok within 0.05 of 1)", 0, true},
		{"one of many", `every(latency.p99{server="a"}, "<", latency.p99{server!="a"})`,
			all(recordtest.Only("c", recordtest.Failing(1000))), missing,
			"latency p99, c: invalid: errors 11 %", 0, true},
		{"one of a mean", `geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, failed("b"), missing,
			"throughput, b: failed: broken", 0, true},
		{"a missing cell before too few repetitions", p99, all(gone("a", 2, 3), gone("b")), missing,
			"latency p99, b: not measured", 0, false},
		{"a limit of a cell that failed", `throughput{server="a"} > 5/s`, failed("a"), missing,
			"throughput, a: failed: broken", 0, true},
		{"failures of a cell that failed", fewer, failed("a"), missing, "failed, a: failed: broken", 0, true},
		{"a mistake", `throughput{server="d"} > 5/s`, nil, missing, `no cell has server="d"`, 0, false},
		{"across the limit", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.18`, nil, open, reasonLimit, 10, false},
		{"on the limit", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.20519`, nil, open,
			reasonLimit + ", and more than 160 repetitions would be needed to change that", 0, false},
		{"two repetitions", faster, all(gone("b", 3)), open, "there are 2 valid repetitions of b, and a verdict needs 3", 0,
			false},
		{"one repetition of a limit", `throughput{server="b"} > 5/s`, all(gone("b", 2, 3)), open,
			"there is 1 valid repetition of b, and a verdict needs 3", 0, false},
		{"one repetition of a percentile, with an interval within it", `latency.p50{server="b"} < 10s`,
			all(gone("b", 2, 3), recordtest.Ladder(t, 30, 1, 20)), open,
			"there is 1 valid repetition of b, and a verdict needs 3", 0, false},
		{"two repetitions of failures", fewer, all(gone("b", 3)), open,
			"there are 2 valid repetitions of b, and a verdict needs 3", 0, false},
		{"no ratio, as the first is zero", `failed{server="a"} > failed{server="b"}`, nil, open,
			"there is no ratio: the smallest value of a is 0", 0, false},
		{"no ratio, as the second is zero", `failed{server="a"} < failed{server="b"}`,
			all(recordtest.Only("a", recordtest.Failing(1))), open, "there is no ratio: the smallest value of b is 0", 0, false},
		{"a part", faster + ` and ratio(throughput{server="a"}, throughput{server="b"}) > 1.18`, nil, open,
			"1 of 2 parts undecided, the first: throughput, a over b", 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := judgeOnly(recordtest.NewMeasured(t, recordtest.Claimed(tt.expect), tt.changes...))
			if j.Verdict != tt.verdict || j.Reason != tt.reason || j.Needed != tt.needed || j.Invalid != tt.invalid {
				t.Errorf("%s: %q, needs %d, invalid %v; want %s: %q, %d, %v", j.Verdict, j.Reason, j.Needed, j.Invalid,
					tt.verdict, tt.reason, tt.needed, tt.invalid)
			}
			if j.Invalid && j.All != nil {
				t.Errorf("with all repetitions it is %s", j.All.Verdict)
			}
		})
	}
}

// Headline claims do not rest on windows under a second, or on a generator that was too busy; other claims do.
func TestHeadlineNeedsSoundLoads(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*record.Load)
		first  int // repetitions that it applies to
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
				b := recordtest.NewMeasured(t, recordtest.Claimed(expect, fmt.Sprintf("headline: %v", headline)),
					func(r *record.Record) {
						if r.Trial == "a" && r.Repetition <= tt.first {
							tt.change(r.Load)
							r.Load.InFlight = -1
						}
					})
				j := judgeOnly(b)
				if (j.Verdict == stats.NotMeasured) != (headline && tt.reason != "") || headline && j.Reason != tt.reason {
					t.Errorf("%s (%s), want the reason %q", j.Verdict, j.Reason, tt.reason)
				}
			})
		}
	}
}

func TestNoiseFloorWidensClaims(t *testing.T) {
	// With f = 0.04, "at least 1.3" is no longer contradicted: docs/method.md#claims-as-regions. One pair that is twice
	// as far apart, measured to 1.5 %, shows it.
	text := strings.Replace(recordtest.Claimed(`ratio(throughput{server="a"}, throughput{server="b"}) > 1.3`),
		"calibrate: false", "", 1)
	for _, tt := range []struct {
		apart, floor float64
		want         stats.Verdict
	}{{0, 0, stats.Contradicted}, {0.04, 0.01828, stats.Contradicted}, {0.085, 0.04064, stats.Inconclusive}} {
		b := recordtest.NewMeasured(t, text)
		again := make([]float64, len(recordtest.ValuesA))
		for i, x := range recordtest.ValuesA {
			again[i] = x * (1 + tt.apart)
		}
		b.Measure("servers", "again", "20261120T100000Z-aaaa", again)
		j := judgeOnly(b)
		if j.Verdict != tt.want || math.Abs(j.Floor-tt.floor) > 1e-5 || len(j.Marks) > 0 {
			t.Errorf("f = %v: %s, floor %v, marks %q; want %s", tt.floor, j.Verdict, j.Floor, j.Marks, tt.want)
		}
	}
}

func TestMarks(t *testing.T) {
	const throughputs = `throughput{server="a"} > throughput{server="b"}`
	for _, tt := range []struct {
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
		{"not finished", throughputs, true, []recordtest.Change{gone("b", 3)}, "run not finished"},
		{"an A/A pair of two runs", throughputs, true, []recordtest.Change{recordtest.Only("a again", recordtest.InRun("0"))},
			"noise floor not measured together"},
		{"an A/A pair of another run", throughputs, true, []recordtest.Change{recordtest.Only("a", recordtest.InRun("2")),
			recordtest.Only("b", recordtest.InRun("2"))}, "noise floor not measured together"},
		{"latencies of different loads", `latency.p50{server="a"} < latency.p50{server="b"}`, true, nil, "different loads"},
		{"latencies of equal loads", `latency.p50{server="a"} < latency.p50{server="b"}`, true,
			[]recordtest.Change{recordtest.Only("b", completes(12000))}, ""},
		{"latencies of equal schedules, whose first repetitions failed", `latency.p50{server="a"} < latency.p50{server="b"}`,
			true, []recordtest.Change{recordtest.LoadChange(func(l *record.Load) {
				l.Open = &record.OpenLoop{Due: l.Attempted, Sent: l.Attempted}
			}), recordtest.Only("", recordtest.Failed("server: exited"), 1)},
			"1 of 4 repetitions of a is not valid: failed; 1 of 4 repetitions of b is not valid: failed"},
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Claimed(tt.expect)
			if tt.calibrate {
				text = strings.Replace(text, "calibrate: false", "", 1)
			}
			b := recordtest.New(t, strings.Replace(text, "repetitions: 3", "repetitions: 4", 1))
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
			assert.Equal(t, strings.Join(judgeOnly(b).Marks, "; "), tt.want, "marks")
		})
	}
}

// The effect is what the author wrote: a over b, even if a is claimed to be less. A ratio is the quotient of the
// printed centres.
func TestEffects(t *testing.T) {
	const ab, ba = 1.2051944, 1 / 1.2051944
	outlier := []recordtest.Change{recordtest.Only("a", completes(5000)), recordtest.Only("a", completes(9000), 3),
		recordtest.Only("b", completes(5200))}
	for _, tt := range []struct {
		expect, key, what string
		effect            float64
		region            stats.Region
		changes           []recordtest.Change
	}{
		{`throughput{server="a"} > throughput{server="b"}`, "", "throughput, a over b", ab, stats.Greater(0.05), nil},
		{`throughput{server="b"} < throughput{server="a"}`, "", "throughput, b over a", ba, stats.Below(1 / 1.05), nil},
		{`throughput{server="b"} <= throughput{server="a"}`, "", "throughput, b over a", ba, stats.Below(1.05), nil},
		{`ratio(throughput{server="b"}, throughput{server="a"}) < 1.1`, "", "throughput, b over a", ba, stats.Below(1.1), nil},
		{`throughput{server="a"} > 5/s`, "", "throughput, a", 1203.6396576, stats.Above(5), nil},
		{`requests{server="a"} > 5`, "", "requests, a", 12036.396576, stats.Above(5), nil},
		{`throughput{server="a"} > throughput{server="b"}`, "smallest_effect: 30%", "throughput, a over b", ab,
			stats.Greater(0.3), nil},
		{`throughput{server="a"} > throughput{server="b"}`, "", "throughput, a over b", 0, stats.Greater(0.05), outlier},
	} {
		t.Run(tt.expect+tt.key, func(t *testing.T) {
			var keys []string
			if tt.key != "" {
				keys = []string{tt.key}
			}
			j := judgeOnly(recordtest.NewMeasured(t, recordtest.Claimed(tt.expect, keys...), tt.changes...))
			if j.What != tt.what || j.IsRatio != strings.Contains(tt.what, " over ") || j.Region != tt.region {
				t.Errorf("%q, ratio %v, in %v; want %+v", j.What, j.IsRatio, j.Region, tt)
			}
			want := tt.effect
			if cells := j.Effect.Cells; len(cells) == 2 {
				want = cells[0].Metric("throughput").Estimate.Centre / cells[1].Metric("throughput").Estimate.Centre
			}
			if x := j.Effect.Number; math.Abs(x-want) > 1e-12*want && len(j.Effect.Cells) == 2 || !j.Effect.Interval.Contains(x) ||
				tt.changes == nil && math.Abs(x-tt.effect) > 1e-5 {
				t.Errorf("effect %+v, want %v", j.Effect, want)
			}
		})
	}
	j := judgeOnly(recordtest.NewMeasured(t, recordtest.Claimed(
		`throughput{server="a"} > throughput{server="b"} and failed.count{server="a"} < 5`)))
	if len(j.Parts) != 2 || !j.Parts[0].IsRatio || j.Parts[1].IsRatio || j.IsRatio {
		t.Errorf("parts of two kinds: %+v", j)
	}
}

// The golden file shows word by word how an article's claims turn out.
func TestJudgementsOfAnArticle(t *testing.T) {
	source := must.Get(os.ReadFile("testdata/judgements.md"))
	b := recordtest.New(t, string(source))
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
	d := datasetOf(b, dataset.Options{ThisHost: "host-1"})
	var out bytes.Buffer
	for _, j := range JudgeAll(d).Claims {
		fmt.Fprintf(&out, "%s: %s\n", j.Claim.Name.Value, j.Claim.Expect.Text.Value)
		printJudgement(&out, j, "  ")
	}
	standing := JudgeAll(d).Standing()
	fmt.Fprintf(&out, "standing: %s (%s)\n", standing, standing.Reason)
	golden.Equal(t, "testdata/judgements.txt", out.String())
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

// The servers answer about 1200, 1000 and 800 requests per second. Each part is named by its condition. The results are
// the same after the author has changed the words around the parts.
func TestApplies(t *testing.T) {
	const text = "::: when c supported\n::: when `throughput{server=\"a\"} > 1/s`\n:::\n" +
		"::: when `throughput{server=\"a\"} > 1200/s`\n:::\n:::\n" +
		"::: when c contradicted\n::: when `throughput{server=\"a\"} > 2/s`\n:::\n:::\n::: when c else\n:::\n"
	for _, tt := range []struct {
		name, expect string
		measured     bool
		want         []string
	}{
		{"supported", `throughput{server="a"} > throughput{server="b"}`, true,
			[]string{"c supported", "`throughput{server=\"a\"} > 1/s`"}}, // the test of 1200/s is undecided
		{"contradicted", `throughput{server="a"} < throughput{server="b"}`, true,
			[]string{"c contradicted", "`throughput{server=\"a\"} > 2/s`"}},
		{"inconclusive", `throughput{server="a"} > 1200/s`, true, []string{"c else"}},
		{"not measured", `throughput{server="a"} > throughput{server="b"}`, false, []string{"c else"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Claimed(tt.expect)+text)
			if tt.measured {
				b = recordtest.NewMeasured(t, recordtest.Claimed(tt.expect)+text)
			}
			r := JudgeAll(datasetOf(b))
			var got []string
			for _, p := range r.Data.Doc.Parts {
				if r.Applies(p) {
					got = append(got, strings.TrimPrefix(string(p.Place.Source.Data[p.Place.Start:p.Place.End]), "::: when "))
				}
			}
			assert.Equal(t, strings.Join(got, "\n"), strings.Join(tt.want, "\n"), "what is said")
			assert.Equal(t, r.Applies(nil), true, "what is in no part applies")
		})
	}
}

// If no failures were seen, there are at most a few. The claim or published numbers say which difference matters.
func TestFewer(t *testing.T) {
	const none = `fewer(failed{server="a"}, failed{server="b"})`
	published := recordtest.Fence("published",
		"source: A paper\nrows: [{server: a, failed: 2.2%}, {server: b, failed: 6.5%}]")
	for _, tt := range []struct {
		name, expect, published string
		repetitions             int
		failed                  map[string][]int64 // by repetition
		want                    stats.Verdict
		reason                  string
	}{
		{"none at all, against published shares", none, published, 10, nil, stats.Contradicted, ""},
		{"of which the other one is larger", `fewer(failed{server="b"}, failed{server="a"})`, published, 10, nil,
			stats.Inconclusive, "the shares of failures differ by at most 0.0037 % of attempts; " +
				"bursts in less than 30 % of the repetitions would not be seen"},
		{"in too few repetitions", none, published, 5, nil, stats.Inconclusive,
			"the shares of failures differ by at most 0.0074 % of attempts; a verdict on less than 0.43 % needs 10 " +
				"repetitions; bursts in less than 60 % of the repetitions would not be seen"},
		{"none at all, and any difference matters", none, "", 10, nil, stats.Inconclusive,
			"the shares of failures differ by at most 0.0037 % of attempts; bursts in less than 30 % of the repetitions " +
				"would not be seen"},
		{"what is written goes before what is published", `fewer(failed{server="a"}, failed{server="b"}, 0.001%)`,
			published, 10, nil, stats.Inconclusive, "the shares of failures differ by at most 0.0037 % of attempts; " +
				"bursts in less than 30 % of the repetitions would not be seen"},
		{"counts are compared as shares", `fewer(failed.count{server="a"}, failed.count{server="b"}, 0.1%)`, "", 10, nil,
			stats.Contradicted, ""},
		{"failures in every repetition", none, published, 10,
			map[string][]int64{"b": {90, 100, 110, 95, 105, 100, 98, 102, 96, 104}}, stats.Supported, ""},
		{"one burst", none, "", 10, map[string][]int64{"b": {300, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, stats.Inconclusive,
			"the shares of failures differ by at most 0.98 % of attempts"},
		{"the other way round, in too few repetitions", `fewer(failed{server="a"}, failed{server="b"}, 0.5%)`, "", 3,
			map[string][]int64{"a": {500, 510, 490}}, stats.Inconclusive, "the shares of failures differ by at most 5.3 % of " +
				"attempts; a verdict on less than 0.5 % needs 10 repetitions"},
		{"the other way round", none, "", 10, map[string][]int64{"a": {90, 100, 110, 95, 105, 100, 98, 102, 96, 104}},
			stats.Contradicted, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, strings.Replace(recordtest.Claimed(tt.expect), "repetitions: 3",
				fmt.Sprintf("repetitions: %d", tt.repetitions), 1)+tt.published)
			for _, trial := range []string{"a", "b", "c"} {
				b.Measure("servers", trial, "1", slices.Repeat([]float64{1000}, tt.repetitions), func(r *record.Record) {
					r.Load.Attempted, r.Load.Failed = 10_000, 0
					if failed := tt.failed[trial]; failed != nil {
						r.Load.Failed = failed[r.Repetition-1]
					}
				})
			}
			d := datasetOf(b)
			if j := Judge(d, d.Doc.Claims[0]); j.Verdict != tt.want || j.Reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s)", j.Verdict, j.Reason, tt.want, tt.reason)
			}
		})
	}
}

// A session keeps the verdict of a claim but not its parts, so it is never stronger than claimed.
func TestOutcomeWithoutParts(t *testing.T) {
	for _, v := range []stats.Verdict{stats.Supported, stats.Contradicted, stats.Inconclusive} {
		j := Judgement{Test: Test{Form: All}, Verdict: v}
		assert.Equal(t, j.Outcome(), v)
	}
}

// The ratio of a to b is 1.2 [1.16 to 1.26], and of b to a 0.83 [0.80 to 0.86].
func TestOutcomeStrongerThanClaimed(t *testing.T) {
	const ab, ba = `throughput{server="a"}, throughput{server="b"}`, `throughput{server="b"}, throughput{server="a"}`
	for _, tt := range []struct {
		expect string
		want   stats.Verdict
	}{
		{"about(" + ab + ", 1.2)", stats.Supported},
		{"about(" + ab + ", 1.1, 3%)", stats.Stronger},
		{"about(" + ab + ", 2)", stats.Contradicted},       // weaker
		{"about(" + ab + ", 0.9, 3%)", stats.Contradicted}, // the other way
		{"about(" + ab + ", 1.1, 20%)", stats.Supported},   // the region contains no effect
		{"about(" + ba + ", 0.9, 2%)", stats.Stronger},     // below one
		{"about(" + ba + ", 0.5)", stats.Contradicted},     // weaker
		{"same(" + ab + ")", stats.Contradicted},           // claims no effect
		{"within(" + ab + ", 10%)", stats.Contradicted},    // likewise
		{"about(" + ab + ", 1.5)", stats.Inconclusive},     //
		{"ratio(" + ba + ") > 1.1", stats.Contradicted},    // does not claim a size
		{"about(" + ab + ", 1.1, 3%) and about(" + ba + ", 0.9, 2%)", stats.Stronger},
		{"about(" + ab + ", 1.1, 3%) and about(" + ba + ", 0.83)", stats.Stronger},
		{"about(" + ab + ", 1.1, 3%) and about(" + ab + ", 2)", stats.Contradicted},
	} {
		t.Run(tt.expect, func(t *testing.T) {
			j := judgeOnly(recordtest.NewMeasured(t, recordtest.Claimed(tt.expect)))
			assert.Equal(t, j.Outcome(), tt.want, "verdict %s, effect %+v", j.Verdict, j.Effect)
			if tt.want == stats.Stronger && j.Verdict != stats.Contradicted {
				t.Errorf("the verdict is %s", j.Verdict)
			}
		})
	}
}

// Counts that are the same in all repetitions can also be stronger than claimed.
func TestExactlyStronger(t *testing.T) {
	for k, want := range map[string]stats.Verdict{"2": stats.Stronger, "7": stats.Supported, "20": stats.Contradicted} {
		j := judgeOnly(recordtest.NewMeasured(t,
			recordtest.Claimed(`about(failed.count{server="a"}, failed.count{server="b"}, `+k+`)`),
			recordtest.Only("a", recordtest.Failing(14)), recordtest.Only("b", recordtest.Failing(2)),
			recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 })))
		assert.Equal(t, j.Outcome(), want, "14 to 2 for %s, effect %+v", k, j.Effect)
	}
}

// Readings of a coarse tool are not exact, even in a geometric mean.
func TestResolutionOfAMean(t *testing.T) {
	for _, expect := range []string{`latency.p50{server="b"} > latency.p50{server="a"}`,
		`geomean(latency.p50{server="b"}) > geomean(latency.p50{server="a"})`} {
		b := recordtest.New(t, recordtest.Claimed(expect))
		for trial, ms := range map[string]float64{"a": 10, "b": 11} {
			b.Measure("servers", trial, "1", []float64{1000, 1000, 1000}, func(r *record.Record) {
				n := r.Load.Attempted
				r.Histograms = nil
				r.Load = &record.Load{Tool: "ab", Window: 10, Connections: 10, Attempted: n, Completed: n,
					Failures: map[string]int64{"connect": 0}, InFlight: -1, Busy: -1, ForeignCPU: -1}
				r.Samples = append(r.Samples, record.Sample{Metric: "latency.p50", Value: ms / 1e3, Unit: "s", Step: 1e-3})
			})
		}
		j := judgeOnly(b)
		assert.Equal(t, j.Verdict, stats.Inconclusive, "%s: effect %+v", expect, j.Effect)
	}
}

// datasetOf returns the dataset of a fixture's article and records.
func datasetOf(b *recordtest.Fixture, o ...dataset.Options) *dataset.Dataset {
	b.T.Helper()
	with := append(o, dataset.Options{})[0]
	with.Plan = b.Plan
	return must.Get(dataset.New(b.Doc, b.Records, with))
}

// judgeOnly judges the only claim of an article.
func judgeOnly(b *recordtest.Fixture) Judgement {
	b.T.Helper()
	all := JudgeAll(datasetOf(b)).Claims
	if len(all) != 1 || all[0].Claim == nil {
		b.T.Fatalf("judgements %+v", all)
	}
	return all[0]
}
