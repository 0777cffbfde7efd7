package claim

import (
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// Claims about results of searches need no repetitions and no noise floor, but more than one search.
func TestSearchedClaims(t *testing.T) {
	rate := func(server string) string { return `capacity.rate{experiment="ceiling", server="` + server + `"}` }
	workers := func(server string) string { return `tune.workers{experiment="tuned", server="` + server + `"}` }
	for _, test := range []struct {
		expect  string
		verdict stats.Verdict
		lo, hi  float64 // of the effect
	}{
		{rate("b") + " > " + rate("a"), stats.Supported, 900. / 734, 940. / 700},
		{rate("a") + " > " + rate("b"), stats.Contradicted, 700. / 940, 734. / 900},
		{"ratio(" + rate("b") + ", " + rate("a") + ") > 1.3", stats.Inconclusive, 900. / 734, 940. / 700},
		{"ratio(" + rate("b") + ", " + rate("a") + ") < 1.35", stats.Supported, 900. / 734, 940. / 700},
		{rate("c") + " > 2 * " + rate("b"), stats.Supported, 2000. / 940, math.Inf(1)},
		{rate("c") + " < 3 * " + rate("b"), stats.Inconclusive, 2000. / 940, math.Inf(1)},
		{rate("a") + " > 650/s", stats.Supported, 700, 734},
		{rate("a") + " > 720/s", stats.Inconclusive, 700, 734},
		{rate("a") + " < 650/s", stats.Contradicted, 700, 734},
		{workers("b") + " > " + workers("a"), stats.Supported, 12. / 8, 24. / 5},
		{"same(" + workers("a") + ", " + workers("b") + ")", stats.Contradicted, 5. / 24, 8. / 12},
		{workers("a") + " < 9", stats.Supported, 5, 8},
	} {
		t.Run(test.expect, func(t *testing.T) {
			b := recordtest.NewSearched(t, test.expect)
			if j := judgeOnly(b); j.Verdict != stats.Inconclusive || j.Reason != reasonOneSearch {
				t.Errorf("one search: %s, %q", j.Verdict, j.Reason)
			}
			b.Repeat()
			j := judgeOnly(b)
			if j.Verdict != test.verdict {
				t.Fatalf("%s: %s", j.Verdict, j.Reason)
			}
			if (j.Verdict == stats.Inconclusive) != (j.Reason != "") || j.Needed != 0 ||
				slices.Contains(j.Marks, dataset.MarkNoFloor) {
				t.Errorf("%+v", j)
			}
			if test.lo > 0 && (j.Effect == nil || math.Abs(j.Effect.Interval.Lo-test.lo) > 1e-9 ||
				j.Effect.Interval.Hi != test.hi && math.Abs(j.Effect.Interval.Hi-test.hi) > 1e-9) {
				t.Errorf("effect %+v, want from %v to %v", j.Effect, test.lo, test.hi)
			}
		})
	}
}

// Three sessions leave open what each of their searches leaves open.
func TestSessionsOfSearches(t *testing.T) {
	rate := func(server string) string { return `capacity.rate{experiment="ceiling", server="` + server + `"}` }
	for expect, want := range map[string]stats.Verdict{
		rate("a") + " > 650/s":                            stats.Supported,
		rate("a") + " < 720/s":                            stats.Inconclusive, // 700 to 734
		rate("a") + " < 800/s":                            stats.Supported,
		rate("c") + " > 1500/s":                           stats.Supported,
		rate("c") + " < 20000/s":                          stats.Inconclusive, // no rate was too high
		"ratio(" + rate("c") + ", " + rate("b") + ") < 3": stats.Inconclusive,
		"ratio(" + rate("c") + ", " + rate("b") + ") > 2": stats.Supported,
	} {
		b := recordtest.NewSearched(t, expect)
		first := slices.Clone(b.Records)
		for i, run := range []string{"20250101T100000Z-abcd", "20240101T100000Z-abcd"} {
			for _, r := range first {
				older := *r
				older.Run, older.Started = run, r.Started.AddDate(-1-i, 0, 0)
				b.Records = append(b.Records, &older)
			}
		}
		j := judgeOnly(b)
		assert.Equal(t, j.Verdict, want, "%s: %s, effect %+v", expect, j.Reason, j.Effect)
		assert.Equal(t, len(j.Sessions), 3, "sessions of %s", expect)
	}
}

// A value without a search, or the only one allowed, was not found: claims about it are not measured. A capacity of no
// rate is less than any other.
func TestSearchesWithoutResult(t *testing.T) {
	const fewer = `tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`
	only := func(r *record.Record) {
		if r.Search != nil && r.Search.Chosen == 12 {
			r.Search.Stop, r.Search.Hi = record.StopOnly, 12
		}
	}
	lost := func(r *record.Record) {
		if r.Search != nil && r.Search.Chosen == 12 {
			r.Experiment = "gone"
		}
	}
	noRate := func(r *record.Record) {
		if r.Experiment == "ceiling" && r.Trial == "a" {
			*r.Search = recordtest.CapacityOf(0, 100)
		}
	}
	for _, tt := range []struct {
		expect  string
		change  recordtest.Change
		verdict stats.Verdict
		reason  string
	}{
		{fewer, only, stats.NotMeasured, "no search: only one value was allowed"},
		{`tune.workers{experiment="tuned", server="b"} > 8`, only, stats.NotMeasured, "no search: only one value was allowed"},
		{fewer, lost, stats.NotMeasured, "the search that chose it is not among these records"},
		{`capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`, noRate,
			stats.Supported, ""},
	} {
		t.Run(tt.expect, func(t *testing.T) {
			b := recordtest.NewSearched(t, tt.expect)
			for _, r := range b.Records {
				tt.change(r)
			}
			b.Repeat()
			if j := judgeOnly(b); j.Verdict != tt.verdict || j.Effect != nil || !strings.Contains(j.Reason, tt.reason) {
				t.Errorf("%s: %q, %+v; want %s: %q", j.Verdict, j.Reason, j.Effect, tt.verdict, tt.reason)
			}
		})
	}
}
