package claim

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// In each session, throughput of b is a multiple of a's, and repetitions differ little.
func TestSessions(t *testing.T) {
	const claim = `throughput{server="b"} > throughput{server="a"}`
	for _, tt := range []struct {
		name     string
		expect   string
		ratios   []float64 // by session, the newest first
		change   func(session int, r *record.Record)
		want     stats.Verdict
		sessions int
		reason   string
	}{
		{"one", claim, []float64{1.2}, nil, stats.Supported, 0, ""},
		{"two that agree", claim, []float64{1.2, 1.3}, nil, stats.Supported, 2, ""},
		{"two that contradict", claim, []float64{0.8, 0.9}, nil, stats.Contradicted, 2, ""},
		{"two that differ", claim, []float64{1.2, 0.8}, nil, stats.Inconclusive, 2, "contradicted in the other"},
		{"one of two undecided", claim, []float64{1.2, 1.05}, nil, stats.Inconclusive, 2, "supported in one of two sessions"},
		{"the newest undecided", claim, []float64{1.05, 1.2}, nil, stats.Inconclusive, 2,
			"supported in one of two sessions; in the newest the interval includes the limit of the claim"},
		{"the newest undecided at a stricter level", claim, []float64{1.053, 1.2}, func(_ int, r *record.Record) {
			r.Looks = []int{3, 5, 10, 20}
		}, stats.Inconclusive, 2, "in the newest the interval at the stricter level includes the limit of the claim"},
		{"two undecided", claim, []float64{1.051, 1.051}, nil, stats.Inconclusive, 2, "of the claim in both sessions"},
		{"two without a ratio", `failed{server="b"} > failed{server="a"}`, []float64{1.2, 1.3}, nil, stats.Inconclusive, 2,
			"there is no ratio: the smallest value of b is 0"},
		{"three that agree", claim, []float64{1.3, 1.31, 1.29}, nil, stats.Supported, 3, ""},
		{"three that are far apart", claim, []float64{1.3, 1.1, 1.6}, nil, stats.Inconclusive, 3, "between 3 sessions"},
		{"three that only a stricter level leaves open", claim, []float64{1.3, 1.35, 1.25}, func(_ int, r *record.Record) {
			r.Looks = []int{3, 5, 10, 20}
		}, stats.Inconclusive, 3, "the interval between 3 sessions at the stricter level includes the limit of the claim"},
		{"a likeness of three", `same(throughput{server="b"}, throughput{server="a"})`, []float64{1.005, 0.995, 1}, nil,
			stats.Supported, 3, ""},
		{"parts", claim + ` and throughput{server="b"} > 100/s`, []float64{1.3, 1.31, 1.29}, nil, stats.Supported, 3, ""},
		{"all pairs", `every(throughput{server="b"}, ">", throughput{server="a"})`, []float64{1.2, 0.8}, nil,
			stats.Inconclusive, 2, ""},
		{"another host of the class", claim, []float64{1.2, 0.8}, func(session int, r *record.Record) {
			r.Host = fmt.Sprintf("c2-aaaaaa.000%d", session)
		}, stats.Inconclusive, 2, "contradicted in the other"},
		{"another class", claim, []float64{1.2, 0.8}, func(session int, r *record.Record) {
			r.Host = fmt.Sprintf("c2-aaaaa%d.0000", session)
		}, stats.Supported, 0, ""},
		{"another profile", claim, []float64{1.2, 0.8}, func(session int, r *record.Record) {
			if session > 0 {
				r.Profile = "quick"
			}
		}, stats.Supported, 0, ""},
		{"other keys", claim, []float64{1.2, 0.8}, func(session int, r *record.Record) {
			if session > 0 {
				r.Key = "other"
			}
		}, stats.Supported, 0, ""},
		{"a session that was stopped", claim, []float64{1.2, 0.8}, func(session int, r *record.Record) {
			if session > 0 && r.Trial == "b" {
				r.Repetition += 7
			}
		}, stats.Supported, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := recordtest.New(t, recordtest.Claimed(tt.expect))
			for i, ratio := range tt.ratios {
				run := fmt.Sprintf("202611%02dT100000Z-abcd", 20-i)
				for trial, x := range map[string]float64{"a": 1000, "b": 1000 * ratio, "c": 500} {
					f.Measure("servers", trial, run, []float64{x * 0.999, x, x * 1.001}, func(r *record.Record) {
						r.Started = r.Started.AddDate(0, 0, -i)
						if tt.change != nil {
							tt.change(i, r)
						}
					})
				}
			}
			j := JudgeAll(datasetOf(f, dataset.Options{Host: f.Records[0].Host, Profile: "full"})).Claims[0]
			if j.Verdict != tt.want || len(j.Sessions) != tt.sessions || !strings.Contains(j.Reason, tt.reason) {
				t.Errorf("%s of %d sessions, %q; want %s of %d, %q", j.Verdict, len(j.Sessions), j.Reason, tt.want, tt.sessions,
					tt.reason)
			}
			if j.Effect == nil {
				return
			}
			assert.Equal(t, j.Effect.Kind == stats.OverSessions, tt.sessions >= 3, "the interval is made by %s", j.Effect.Kind)
		})
	}
}

// A session is judged with the noise floor of its host, which other runs on that host may have measured, both on the
// page of this host and of another.
func TestSessionsOnEveryPage(t *testing.T) {
	text := recordtest.Claimed(`ratio(throughput{experiment="servers", server="a"}, throughput{experiment="servers", server="b"}) > 1.3`) +
		recordtest.Fence("experiment", recordtest.Grid)
	f := recordtest.New(t, strings.ReplaceAll(text, "calibrate: false", ""))
	const here, there = "c2-aaaaaa.0001", "c2-aaaaaa.0002"
	measure := func(experiment, trial, run, host string, x float64) {
		f.Measure(experiment, trial, run, []float64{x * 0.99, x, x * 1.01}, recordtest.OnHost(host))
	}
	for host, run := range map[string]string{here: "20261120T100000Z-aaaa", there: "20261121T100000Z-bbbb"} {
		measure("servers", "a", run, host, 1200)
		measure("servers", "b", run, host, 1000)
		measure("servers", "again", run, host, 1200)
	}
	for _, trial := range []string{"sync, 10", "sync, 100", "async, 10", "async, 100"} {
		measure("grid", trial, "20261122T100000Z-cccc", here, 1000)
	}
	measure("grid", "again", "20261122T100000Z-cccc", here, 1300)

	ends := map[string]stats.Interval{} // by host of the session
	for _, shown := range []string{here, there} {
		j := JudgeAll(datasetOf(f, dataset.Options{Host: shown, Profile: "full"})).Claims[0]
		assert.Equal(t, len(j.Sessions), 2, "sessions on the page of %s", shown)
		assert.Equal(t, j.Verdict, stats.Inconclusive, "on the page of %s: %s", shown, j.Reason)
		for _, s := range j.Sessions {
			if known, ok := ends[s.Host]; ok {
				assert.Equal(t, *s.Effect.Interval, known, "the interval of the session of %s", s.Host)
			}
			ends[s.Host] = *s.Effect.Interval
		}
	}
}

// For a limit, standard errors tell how much sessions differ, not the wide intervals of few values.
func TestSessionsOfALimit(t *testing.T) {
	f := recordtest.New(t, recordtest.Claimed(`throughput{server="a"} < 1080/s`))
	for i, middle := range []float64{990, 1000, 1010} {
		run := fmt.Sprintf("202611%02dT100000Z-abcd", 20-i)
		f.Measure("servers", "a", run, []float64{middle * 0.98, middle, middle * 1.02})
		f.Measure("servers", "b", run, []float64{999, 1000, 1001})
	}
	j := judgeOnly(f)
	assert.Equal(t, j.Verdict, stats.Supported, "%s, effect %+v", j.Reason, j.Effect)
	// t(0.975, 2)·10/√3 of the sessions; half the median standard error, 5.8, is less.
	assert.Near(t, j.Effect.Interval.Hi, 1000+4.303*10/math.Sqrt(3), 1, "the upper end")
}

// Two sessions are stronger than claimed only if both are: one may be on the other side of the claim.
func TestStrongerInSessions(t *testing.T) {
	for _, tt := range []struct {
		older float64 // b over a, which is 4 in the newest session
		want  stats.Verdict
	}{{5, stats.Stronger}, {1.3, stats.Contradicted}, {2, stats.Inconclusive}} {
		f := recordtest.New(t, recordtest.Claimed(`about(throughput{server="b"}, throughput{server="a"}, 2)`))
		for run, ratio := range map[string]float64{"20261120T100000Z-abcd": 4, "20261119T100000Z-abcd": tt.older} {
			f.Measure("servers", "a", run, []float64{999, 1000, 1001})
			f.Measure("servers", "b", run, []float64{999 * ratio, 1000 * ratio, 1001 * ratio})
		}
		j := judgeOnly(f)
		assert.Equal(t, j.Outcome(), tt.want, "4 and %v times for twice", tt.older)
	}
}

// The judgement with all repetitions includes those that checks of their own result left out of another session.
func TestWithAllOfSessions(t *testing.T) {
	f := recordtest.New(t, recordtest.Claimed(`throughput{server="b"} > throughput{server="a"}`))
	for _, session := range []struct {
		run    string
		slow   float64
		change recordtest.Change
	}{
		{"20261120T100000Z-abcd", 1200, func(*record.Record) {}},
		{"20261119T100000Z-abcd", 400, recordtest.LoadChange(func(l *record.Load) { l.Connections *= 2 })},
	} {
		f.Measure("servers", "a", session.run, []float64{1000, 1010, 990, 1000})
		f.Measure("servers", "b", session.run, []float64{1200, 1210, 1190, session.slow}, recordtest.Only("b", session.change, 4))
	}
	j := judgeOnly(f)
	if j.Verdict != stats.Supported || j.All == nil || j.All.Verdict != stats.Inconclusive ||
		!strings.Contains(strings.Join(j.Marks, "; "), "1 repetition is left out by a check that depends on its result") {
		t.Errorf("%s, with all repetitions %+v; marks %q", j.Verdict, j.All, j.Marks)
	}
}

// Each session has the benchmarks of its own output, in that order; those with the same name are compared.
func TestSessionsOfBenchmarks(t *testing.T) {
	text := recordtest.Article(strings.Replace(recordtest.Command, "build: .", "build: ., output: benchfmt", 1)) +
		recordtest.Fence("claim", `{name: c, expect: 'every(time{tool="fast"}) < 5s'}`)
	seconds := map[rune]float64{'A': 1, 'B': 10, 'C': 1}
	for _, tt := range []struct {
		name     string
		outputs  []string // the benchmarks of each session, the newest first
		sessions int
	}{
		{"the same", []string{"AB", "AB"}, 2},
		{"another order", []string{"AB", "BA"}, 2},
		{"other benchmarks", []string{"AB", "AC"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := recordtest.New(t, text)
			for i, output := range tt.outputs {
				f.Measure("tool", "fast", fmt.Sprintf("202611%02dT100000Z-abcd", 20-i), []float64{1, 1, 1}, func(r *record.Record) {
					for _, name := range output {
						r.Samples = append(r.Samples, record.Sample{Metric: "time", Unit: "s", Benchmark: string(name),
							Value: seconds[name] * (1 + float64(r.Repetition)/1000)})
					}
				})
			}
			j := judgeOnly(f)
			assert.Equal(t, [2]any{j.Verdict, len(j.Sessions)}, [2]any{stats.Contradicted, tt.sessions}, "%q", j.Reason)
		})
	}
}

// A value in the text equals the effect of the claim about the same ratio, even between sessions.
func TestValuesBetweenSessions(t *testing.T) {
	f := recordtest.New(t, recordtest.Claimed(`throughput{server="b"} > throughput{server="a"}`))
	for i, ratio := range []float64{1.3, 1.31, 1.35} {
		for trial, x := range map[string]float64{"a": 1000, "b": 1000 * ratio, "c": 500} {
			f.Measure("servers", trial, fmt.Sprintf("202611%02dT100000Z-abcd", 20-i), []float64{x * 0.999, x, x * 1.001})
		}
	}
	d := datasetOf(f, dataset.Options{Host: f.Records[0].Host, Profile: "full"})
	j := JudgeAll(d).Claims[0]
	for source, want := range map[string]float64{
		`ratio(throughput{server="b"}, throughput{server="a"})`:     j.Effect.Number,
		`throughput{server="b"} / throughput{server="a"}`:           j.Effect.Number,
		`1 - ratio(throughput{server="b"}, throughput{server="a"})`: 1 - j.Effect.Number,
		`throughput{server="b"}`:                                    1300, // of the newest session
	} {
		q := must.Get(d.Eval(must.Get(expr.Parse(source)), ""))
		assert.Near(t, q.Number/want, 1, 1e-6, "%s, over %v", source, want)
		if q.Kind == stats.OverSessions && *q.Interval != *j.Effect.Interval {
			t.Errorf("%s: %v, the claim has %v", source, *q.Interval, *j.Effect.Interval)
		}
	}
}

// Sessions of two repetitions decide nothing, however many there are: a claim and its value in the text have no
// interval.
func TestSessionsOfFewRepetitions(t *testing.T) {
	const ratio = `ratio(throughput{server="b"}, throughput{server="a"})`
	f := recordtest.New(t, strings.Replace(recordtest.Claimed(ratio+" > 1.1"), "repetitions: 3", "repetitions: 2", 1))
	for i := range 3 {
		run := fmt.Sprintf("202611%02dT100000Z-abcd", 20-i)
		f.Measure("servers", "a", run, []float64{1000, 1001})
		f.Measure("servers", "b", run, []float64{1300, 1301})
	}
	if j := judgeOnly(f); j.Verdict != stats.Inconclusive || !strings.Contains(j.Reason, "a verdict needs 3") || j.Sessions != nil {
		t.Errorf("%s, %q", j.Verdict, j.Reason)
	}
	if q := must.Get(datasetOf(f).Eval(must.Get(expr.Parse(ratio)), "")); q.Kind != stats.NoInterval || q.Interval != nil {
		t.Errorf("%v %v, %s; want %s", q.Number, q.Interval, q.Kind, stats.NoInterval)
	}
}

// Each known look, even of runs that are gone, makes the level of every session stricter.
func TestKnownLooks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		looks  [][]int
		header string // of the newest session
		level  float64
	}{
		{"one look", [][]int{nil}, "", 0.05},
		{"four looks", [][]int{{3, 5, 10, 20}}, "", 0.0125},
		{"two sessions", [][]int{{3, 5, 10, 20}, {3, 5}}, "", 0.05 / 6},
		{"runs that are gone", [][]int{{3, 5}}, `[{"claim": "c", "says": {}, "looks": 8}]`, 0.005},
		{"another claim of them", [][]int{{3, 5}}, `[{"claim": "other", "says": {}, "looks": 8}]`, 0.025},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := recordtest.New(t, recordtest.Claimed(`throughput{server="b"} > throughput{server="a"}`))
			for i, looks := range tt.looks {
				for _, trial := range []string{"a", "b", "c"} {
					f.Measure("servers", trial, fmt.Sprintf("202611%02dT100000Z-abcd", 20-i), []float64{999, 1000, 1001},
						func(r *record.Record) {
							r.Looks, r.Facts = looks, map[string]string{record.FactClaims: tt.header}
						})
				}
			}
			assert.Equal(t, judgeOnly(f).Level, tt.level, "level")
		})
	}
}
