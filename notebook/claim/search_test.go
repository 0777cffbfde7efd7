package claim

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// A value whose search is not there has no interval, and claims about it are not measured.
func TestSearchedElsewhere(t *testing.T) {
	b := searched(t, `tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`)
	b.Records = slices.DeleteFunc(b.Records, func(r *record.Record) bool {
		return r.Search != nil &&
			r.Search.Chosen == 12
	})
	d := b.dataset(dataset.Options{})
	if r := trialCell(t, d, "tuned", "b").Metric("tune.workers"); r.Estimate.Centre != 12 ||
		r.Estimate.Kind != stats.Given || len(r.Marks) != 1 {
		t.Errorf("%+v", r)
	}
	if j := JudgeAll(d).Claims[0]; j.Verdict != stats.NotMeasured ||
		!strings.Contains(j.Reason, "the search that chose it is not among these records") {
		t.Errorf("%s: %s", j.Verdict, j.Reason)
	}
}

// A value that was the only one allowed was taken untried: it is known and nothing was found, so claims about it are
// not measured.
func TestNothingSearched(t *testing.T) {
	const words = "no search: only one value was allowed"
	for _, expect := range []string{
		`tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`,
		`tune.workers{experiment="tuned", server="b"} > 8`,
	} {
		b := searched(t, expect)
		for _, r := range b.Records {
			if r.Search != nil && r.Search.Chosen == 12 {
				r.Search.Stop, r.Search.Hi = record.StopOnly, 12
			}
		}
		d := b.dataset(dataset.Options{})
		if r := trialCell(t, d, "tuned", "b").Metric("tune.workers"); r.Estimate.Centre != 12 ||
			r.Estimate.Kind != stats.Given || !slices.Equal(r.Marks, []string{words}) {
			t.Errorf("%+v", r)
		}
		if j := JudgeAll(d).Claims[0]; j.Verdict != stats.NotMeasured || !strings.Contains(j.Reason, words) {
			t.Errorf("%s is %s: %s", expect, j.Verdict, j.Reason)
		}
	}
}

// Claims about what searches found need no repetitions and no noise floor.
func TestSearchedClaims(t *testing.T) {
	rate := func(server string) string { return `capacity.rate{experiment="ceiling", server="` + server + `"}` }
	workers := func(server string) string { return `tune.workers{experiment="tuned", server="` + server + `"}` }
	tests := []struct {
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
	}
	for _, test := range tests {
		t.Run(test.expect, func(t *testing.T) {
			b := searched(t, test.expect)
			j := JudgeAll(b.dataset(dataset.Options{})).Claims[0]
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

// That no rate met an objective is less than any other capacity.
func TestNoRateMeetsIt(t *testing.T) {
	b := searched(t, `capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`)
	for _, r := range b.Records {
		if r.Experiment == "ceiling" && r.Trial == "a" {
			*r.Search = recordtest.CapacityOf(0, 100)
		}
	}
	j := JudgeAll(b.dataset(dataset.Options{})).Claims[0]
	if j.Verdict != stats.Supported || j.Effect != nil {
		t.Errorf("%s, %+v", j.Verdict, j.Effect)
	}
}

// A run that looks at its results is judged more strictly, for all the looks that it planned; a cell that ended at one
// is fresh all the same.
func TestRunWithLooks(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990} // just enough at 5 %
	planned := func(looks ...int) recordtest.Change {
		return func(r *record.Record) { r.Planned, r.Looks = slices.Max(looks), looks }
	}
	for _, test := range []struct {
		name    string
		plan    string
		a       []float64
		set     recordtest.Change
		state   dataset.State
		verdict stats.Verdict
		level   float64
		open    bool
	}{
		{"to the last look", "up to 5", a, planned(3, 5), dataset.Fresh, stats.Inconclusive, 0.025, true},
		{"to the second of four", "up to 20", a, planned(3, 5, 10, 20), dataset.Fresh, stats.Inconclusive, 0.0125, true},
		{"decided at the first", "up to 20", []float64{2000, 2020, 2010}, planned(3, 5, 10, 20), dataset.Fresh,
			stats.Supported, 0.0125, false},
		{"stopped before the first", "up to 20", a[:2], planned(3, 5, 10, 20), dataset.Partial, stats.Inconclusive, 0.0125,
			true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := newFixture(t, strings.Replace(recordtest.Claimed(claim), "repetitions: 3", "repetitions: "+test.plan, 1))
			bench.Measure("servers", "a", "1", test.a, test.set)
			bench.Measure("servers", "b", "1", b[:len(test.a)], test.set)
			d := bench.dataset(dataset.Options{})
			j := JudgeAll(d).Claims[0]
			if j.Verdict != test.verdict || math.Abs(j.Level-test.level) > 1e-12 {
				t.Errorf("%s (%s) at %v", j.Verdict, j.Reason, j.Level)
			}
			if state := d.Experiments[0].Cells[0].State; state != test.state {
				t.Errorf("the cell is %v, want %v", state, test.state)
			}
			want := map[string][]string{}
			if test.open {
				want["servers"] = []string{"a", "b"}
			}
			if open := Open(d); !maps.EqualFunc(open, want, slices.Equal) {
				t.Errorf("open %v, want %v", open, want)
			}
		})
	}
}
