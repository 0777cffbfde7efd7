package claim

import (
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// Rounds that were added when results could be seen cost certainty: verdicts need more, printed intervals stay.
func TestLooks(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	// Just enough for a verdict at 5 %.
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990}
	added := func(first int) recordtest.Change {
		return func(r *record.Record) {
			if r.Planned = 5; r.Repetition <= first {
				r.Planned = first
			}
		}
	}
	for _, tt := range []struct {
		name    string
		set     recordtest.Change
		verdict stats.Verdict
		level   float64
	}{
		{"planned whole", func(*record.Record) {}, stats.Supported, 0.05},
		{"added after three", added(3), stats.Inconclusive, 0.025},
		{"added after four by the first cell alone", recordtest.Only("a", added(4)), stats.Inconclusive, 0.025},
		{"more than was ever planned", func(r *record.Record) { r.Planned = 3 }, stats.Inconclusive, 0.025},
		{"measured in the place of what the machine disturbed", func(r *record.Record) {
			if r.Planned = 4; r.Repetition == 5 {
				r.Order.Replaces = 1
			}
		}, stats.Supported, 0.05},
		{"a run that was stopped, and went on", recordtest.Only("b", func(r *record.Record) {}, 4, 5), stats.Supported, 0.05},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := newFixture(t, strings.Replace(recordtest.Claimed(claim), "repetitions: 3", "repetitions: 5", 1))
			bench.Measure("servers", "a", "1", a, tt.set)
			bench.Measure("servers", "b", "1", b, tt.set)
			d := bench.dataset(dataset.Options{})
			j := Judgements(d)[0]
			if j.Verdict != tt.verdict || math.Abs(j.Level-tt.level) > 1e-12 {
				t.Errorf("%s (%s) at %v, want %s at %v", j.Verdict, j.Reason, j.Level, tt.verdict, tt.level)
			}
			reason := ""
			if tt.verdict == stats.Inconclusive { // the printed interval does not include the limit
				reason = "the interval at the stricter level includes the limit of the claim"
			}
			if j.Reason != reason {
				t.Errorf("because %q, want %q", j.Reason, reason)
			}
			if i := *j.Effect.Interval; math.Abs(i.Lo-1.05172) > 1e-3 {
				t.Errorf("the printed interval is %v", i)
			}
			marked := slices.ContainsFunc(j.Marks,
				func(m string) bool { return strings.HasPrefix(m, "rounds were added to a finished run") })
			if marked != (tt.level < 0.05) {
				t.Errorf("marks %q", j.Marks)
			}
		})
	}
}

// Each whole run of the same cells is judged more strictly than the one before it; other images make other cells.
func TestRunOfTheSameCells(t *testing.T) {
	from := func(image string) recordtest.Change {
		return func(r *record.Record) { r.Facts = map[string]string{"base.server": image} }
	}
	for _, tt := range []struct {
		name, first, second string
		level               float64
	}{
		{"the same image", "debian sha256:aa", "debian sha256:aa", 0.025},
		{"another image behind the tag", "debian sha256:aa", "debian sha256:bb", 0.05},
		{"substitutes that were built here", "debian replaced by own sha256:aa", "debian replaced by own sha256:bb", 0.025},
		{"another in the place of a substitute", "debian replaced by own sha256:aa", "debian sha256:bb", 0.05},
	} {
		bench := newFixture(t, recordtest.Claimed(`throughput{server="a"} > throughput{server="b"}`))
		for _, server := range []string{"a", "b"} {
			bench.Measure("servers", server, "1", recordtest.ValuesA, from(tt.first))
			bench.Measure("servers", server, "2", recordtest.ValuesA, from(tt.second))
		}
		if j := Judgements(bench.dataset(dataset.Options{}))[0]; math.Abs(j.Level-tt.level) > 1e-12 {
			t.Errorf("%s: judged at %v, want %v", tt.name, j.Level, tt.level)
		}
	}
}

// A reason is about the printed interval only where that does not decide the claim, also in the parts of a group.
func TestReasonAtStricterLevel(t *testing.T) {
	open := Judgement{What: "a", Verdict: stats.Inconclusive,
		Reason: reasonLimit + ", and more than 160 repetitions would be needed to change that"}
	onLimit := Judgement{What: "b", Verdict: stats.Inconclusive, Reason: reasonOnLimit}
	group := func(parts ...Judgement) Judgement {
		j := Judgement{Verdict: stats.Inconclusive, Parts: parts}
		j.Needed, j.Reason = undecidedParts(parts)
		return j
	}
	decided := Judgement{Verdict: stats.Supported}
	for _, tt := range []struct {
		name       string
		j, printed Judgement
		want       string
	}{
		{"decided by the printed interval", open, decided,
			"the interval at the stricter level includes the limit of the claim, and more than 160 repetitions would be " +
				"needed to change that"},
		{"not decided by either", open, open, open.Reason},
		{"on its limit at any level", onLimit, decided, reasonOnLimit},
		{"a part", group(open, onLimit), group(decided, onLimit), "2 of 2 parts undecided, the first: a: the interval at " +
			"the stricter level includes the limit of the claim, and more than 160 repetitions would be needed to change that"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := tt.j
			if j.print(&tt.printed); j.Reason != tt.want {
				t.Errorf("because %q, want %q", j.Reason, tt.want)
			}
		})
	}
}
