package claim

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// axesOf writes axes as "tool: ab, benchbook".
func axesOf(m Multiverse) string {
	var out []string
	for _, a := range m.Axes {
		out = append(out, a.Name+": "+strings.Join(a.Options, ", "))
	}
	return strings.Join(out, "\n")
}

// checkMultiverse holds what is so of every multiverse.
func checkMultiverse(t *testing.T, d *dataset.Dataset, m Multiverse) {
	t.Helper()
	if len(m.Alternatives) == 0 {
		return
	}
	own := Judge(d, m.Claim)
	first := m.Alternatives[0]
	if first.Judgement.Verdict != own.Verdict || first.Words != "" || slices.ContainsFunc(first.Choices,
		func(c int) bool { return c != 0 }) {
		t.Errorf("the first alternative is %q %v: %s; the claim is %s", first.Words, first.Choices, first.Judgement.Verdict,
			own.Verdict)
	}
	seen := map[string]bool{}
	for _, a := range m.Alternatives {
		key := fmt.Sprint(a.Choices)
		if seen[key] || len(a.Choices) != len(m.Axes) || (a.Words == "") != (key == fmt.Sprint(first.Choices)) {
			t.Errorf("alternative %q has choices %v of %d axes", a.Words, a.Choices, len(m.Axes))
		}
		seen[key] = true
		for i, c := range a.Choices {
			if c < 0 || c >= len(m.Axes[i].Options) {
				t.Errorf("alternative %q has option %d of %v", a.Words, c, m.Axes[i])
			}
		}
		// Where there is an effect it tells the verdict, whatever the metric's direction.
		if e := a.Effect; e != nil && e.Interval != nil && a.Judgement.IsRatio &&
			stats.Judge(*e.Interval, a.Region) != a.Judgement.Verdict {
			t.Errorf("alternative %q is %s, and its effect %v lies to %v", a.Words, a.Judgement.Verdict, *e.Interval, a.Region)
		}
	}
}

func TestMultiverse(t *testing.T) {
	const ways = "judged: as the page does, round by round, by medians, smallest effect 2.5 %, smallest effect 10 %"
	calibrated := strings.Replace(recordtest.Servers, "calibrate: false", "", 1)
	all := func(b *fixture, experiment, run string, changes ...recordtest.Change) {
		for trial, values := range map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesB,
			"c": recordtest.ValuesC} {
			b.Measure(experiment, trial, run, values, changes...)
		}
	}
	claim := func(expect string) string { return recordtest.Fence("claim", "name: c\nexpect: '"+expect+"'") }
	const faster = `throughput{server="a"} > throughput{server="b"}`
	tests := []struct {
		name, text string
		measure    func(b *fixture)
		axes       string
		count      int
		is         stats.Sensitivity
	}{
		{"metrics and ways to judge", recordtest.Fence("experiment", recordtest.Servers) + claim(faster),
			func(b *fixture) { all(b, "servers", "1") }, ways, 5, stats.Robust},
		{"percentiles of the same times", recordtest.Fence("experiment", recordtest.Servers) +
			claim(`latency.p99{server="a"} > latency.p99{server="b"}`),
			func(b *fixture) { all(b, "servers", "1", recordtest.Tail(t, "a", 9)) },
			"metric: latency.p99, latency.p50, latency.p90, latency.mean\n" + ways, 20, stats.Reversed},
		{"a limit of one cell", recordtest.Fence("experiment", recordtest.Servers) + claim(`latency.p50{server="a"} < 100ms`),
			func(b *fixture) { all(b, "servers", "1") }, "", 1, stats.OneAlternative},
		{"without records", recordtest.Fence("experiment", recordtest.Servers) + claim(faster), func(*fixture) {}, "", 1,
			stats.OneAlternative},
		{"earlier runs, and one of an older version", recordtest.Fence("experiment", recordtest.Servers) +
			claim(`same(memory.server{server="a"}, memory.server{server="b"})`),
			func(b *fixture) {
				all(b, "servers", "3")
				all(b, "servers", "2", recordtest.WithKey("old"))
				all(b, "servers", "1", hungry("b", 1))             // and nothing is known of the memory of b
				b.Measure("servers", "a", "0", recordtest.ValuesA) // which has not all cells
			}, "records: profile full, run 2, measured with an older version, run 1\n" +
				"judged: as the page does, round by round, by medians, smallest effect 2.5 %, smallest effect 10 %", 11,
			stats.Robust},
		{"other hosts and profiles", recordtest.Fence("experiment", strings.Replace(recordtest.Servers, "repetitions: 3",
			"repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1)) +
			claim(`fewer(failed{server="a"}, failed{server="b"})`), func(b *fixture) {
			all(b, "servers", "1")
			all(b, "servers", "2", recordtest.InProfile("quick"), recordtest.StartedOn(1))
			all(b, "servers", "3", recordtest.OnHost("host-2"))
		}, "records: profile full, profile quick, host host-2, profile full", 3, stats.Robust},
		{"a setting that both sides hold stays as it is", recordtest.Fence("experiment", recordtest.Grid) +
			claim(`throughput{server="async", clients="10"} > throughput{server="sync", clients="10"}`),
			func(b *fixture) {
				for trial, values := range map[string][]float64{"async, 10": recordtest.ValuesA, "sync, 10": recordtest.ValuesB,
					"async, 100": recordtest.ValuesB, "sync, 100": recordtest.ValuesA} {
					b.Measure("grid", trial, "1", values)
				}
			}, ways, 5, stats.Robust},
		{"the noise floor and first rounds", recordtest.Fence("experiment", calibrated) +
			claim(`throughput{server="b"} > throughput{server="c"}`), func(b *fixture) {
			long := func(values []float64) []float64 { return append(slices.Clone(values), values[0], values[1], values[2]) }
			b.Measure("servers", "a", "1", long(recordtest.ValuesA))
			b.Measure("servers", "again", "1", long([]float64{1250, 1270, 1240}))
			b.Measure("servers", "b", "1", long(recordtest.ValuesB))
			b.Measure("servers", "c", "1", long(recordtest.ValuesC))
		}, "judged: as the page does, round by round, by medians, without the noise floor, " +
			"smallest effect 2.5 %, smallest effect 10 %, first 3 rounds, first 5 rounds", 8, stats.Weaker},
		{"warned repetitions", recordtest.Fence("experiment", recordtest.Servers) + claim(`latency.p50{server="a"} < 100ms`),
			func(b *fixture) {
				all(b, "servers", "1", recordtest.Only("a", recordtest.LoadChange(func(l *record.Load) { l.Busy = 0.75 }), 2))
			}, "judged: as the page does, without warned repetitions", 2, stats.Weaker},
		{"several parts", recordtest.Fence("experiment", recordtest.Servers) +
			claim(faster+` and latency.p50{server="c"} < 1ms`), func(b *fixture) { all(b, "servers", "1") },
			ways, 5, stats.Robust},
		{"a claim that is mistaken", recordtest.Fence("experiment", recordtest.Servers) +
			claim(`throughput{server="a"} > throughput{server="nobody"}`),
			func(b *fixture) { all(b, "servers", "1") }, "", 0, stats.OneAlternative},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+tt.text)
			tt.measure(b)
			d := b.dataset(dataset.Options{ThisHost: "host-1"})
			m := MultiverseOf(d, d.Doc.Claims[0])
			if axes := axesOf(m); axes != tt.axes || len(m.Alternatives) != tt.count || m.Is != tt.is {
				t.Errorf("%s by %d alternatives of\n%s\nwant %s by %d of\n%s", m.Is, len(m.Alternatives), axes, tt.is, tt.count,
					tt.axes)
				for _, a := range m.Alternatives {
					t.Logf("%-14s %v %s", a.Judgement.Verdict, a.Effect, a.Words)
				}
			}
			checkMultiverse(t, d, m)
		})
	}
}

// The effects of all alternatives lie on one axis: they are ratios, also of a change.
func TestEffectsOfAlternativesAreRatios(t *testing.T) {
	for _, expect := range []string{
		`throughput{server="a"} > throughput{server="b"}`,
		`change(throughput{server="a"}, throughput{server="b"}) > 10%`,
		`latency.p50{server="b"} > latency.p50{server="a"}`,
	} {
		d := measuredServers(t, recordtest.Claimed(expect)).dataset(dataset.Options{})
		for _, a := range MultiverseOf(d, d.Doc.Claims[0]).Alternatives {
			if a.Effect == nil || math.Abs(a.Effect.Number-1.2) > 0.02 || a.Effect.Share ||
				a.Effect.Interval != nil && !a.Effect.Interval.Contains(a.Effect.Number) {
				t.Errorf("%s, %q: effect %+v", expect, a.Words, a.Effect)
			}
		}
	}
}

// What an alternative does otherwise is done: its interval is that of the numbers it takes.
func TestAlternativesJudgeAsTheySay(t *testing.T) {
	text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment",
		strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: 6", 1)) +
		recordtest.Fence("claim", "name: c\nexpect: 'cpu.server{server=\"a\"} > cpu.server{server=\"b\"}'")
	b := newFixture(t, text)
	cores := map[string][]float64{"a": {1.30, 1.32, 1.31, 0.9, 0.91, 0.9}, "b": {1, 1.01, 0.99, 1, 1.02, 1.01},
		"c": {1, 1, 1, 1, 1, 1}}
	for trial, values := range cores {
		b.Measure("servers", trial, "1", []float64{1000, 1000, 1000, 1000, 1000, 1000}, func(r *record.Record) {
			r.Samples = []record.Sample{{Metric: "cpu.server", Value: values[r.Repetition-1], Unit: "cores"}}
		})
	}
	d := b.dataset(dataset.Options{})
	first := func(n int) stats.Interval {
		c, err := stats.Ratio(stats.Cell{Values: cores["a"][:n]}, stats.Cell{Values: cores["b"][:n]}, stats.DefaultAlpha)
		if err != nil {
			t.Fatal(err)
		}
		return c.Interval
	}
	paired, err := stats.RatioByRound(stats.Cell{Values: cores["a"]}, stats.Cell{Values: cores["b"]}, stats.DefaultAlpha)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]stats.Interval{"": first(6), "first 3 rounds": first(3), "first 5 rounds": first(5),
		"round by round": paired.Interval}
	for _, a := range MultiverseOf(d, d.Doc.Claims[0]).Alternatives {
		i, ok := want[a.Words]
		if !ok {
			continue
		}
		delete(want, a.Words)
		if got := *a.Effect.Interval; !recordtest.CloseTo(got.Lo, i.Lo) || !recordtest.CloseTo(got.Hi, i.Hi) {
			t.Errorf("%q: %v, want %v", a.Words, got, i)
		}
	}
	if len(want) > 0 {
		t.Errorf("not judged: %v", want)
	}
	// The record of another way leaves the claim's own numbers as they are.
	if n := len(cellOf(t, d, "a").Metric("cpu.server").Values); n != 6 {
		t.Errorf("%d values are left", n)
	}
}
