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
	if j := Judgements(d)[0]; j.Verdict != stats.NotMeasured ||
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
		if j := Judgements(d)[0]; j.Verdict != stats.NotMeasured || !strings.Contains(j.Reason, words) {
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
		{`best(capacity.rate{experiment="ceiling"}) == "c"`, stats.Supported, 0, 0},
		{workers("b") + " > " + workers("a"), stats.Supported, 12. / 8, 24. / 5},
		{"same(" + workers("a") + ", " + workers("b") + ")", stats.Contradicted, 5. / 24, 8. / 12},
		{workers("a") + " < 9", stats.Supported, 5, 8},
	}
	for _, test := range tests {
		t.Run(test.expect, func(t *testing.T) {
			b := searched(t, test.expect)
			j := Judgements(b.dataset(dataset.Options{}))[0]
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
	j := Judgements(b.dataset(dataset.Options{}))[0]
	if j.Verdict != stats.Supported || j.Effect != nil {
		t.Errorf("%s, %+v", j.Verdict, j.Effect)
	}
}

// A run with a budget is judged more strictly, for all the rounds that it planned; a cell that a look stopped is
// fresh all the same.
func TestBudgetedRun(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990} // just enough at 5 %
	for _, test := range []struct {
		name    string
		a       []float64
		planned int
		look    *record.Look
		state   dataset.State
		verdict stats.Verdict
		level   float64
		decided bool
	}{
		{"no look has stopped anything", a, 5, nil, dataset.Fresh, stats.Inconclusive, 0.05 / 3, false},
		{"planned ten", a, 10, nil, dataset.Partial, stats.Inconclusive, 0.05 / 3, false},
		{"planned twenty", a, 20, nil, dataset.Partial, stats.Inconclusive, 0.05 / 4, false},
		{"stopped", []float64{2000, 2020, 2010}, 5, &record.Look{Rounds: 3, Stopped: []string{"a", "b"}}, dataset.Fresh,
			stats.Supported, 0.05 / 3, true},
		{"killed after three", []float64{2000, 2020, 2010}, 5, nil, dataset.Partial, stats.Supported, 0.05 / 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := newFixture(t, strings.Replace(recordtest.Claimed(claim), "repetitions: 3",
				"repetitions: "+map[int]string{5: "5", 10: "10", 20: "20"}[test.planned], 1))
			set := func(r *record.Record) {
				r.Planned, r.Budget = test.planned, &record.Budget{Seconds: 60}
				if r.Trial == "a" && r.Repetition == 3 {
					r.Budget.Look = test.look
				}
			}
			bench.Measure("servers", "a", "1", test.a, set)
			bench.Measure("servers", "b", "1", b[:len(test.a)], set)
			d := bench.dataset(dataset.Options{})
			j := Judgements(d)[0]
			if j.Verdict != test.verdict || math.Abs(j.Level-test.level) > 1e-12 {
				t.Errorf("%s (%s) at %v", j.Verdict, j.Reason, j.Level)
			}
			if !slices.ContainsFunc(j.Marks, func(m string) bool {
				return strings.HasPrefix(m,
					"cells may have been stopped in a run with a budget")
			}) {
				t.Errorf("marks %q", j.Marks)
			}
			if c := trialCell(t, d, "servers", "a"); c.State != test.state {
				t.Errorf("a is %v", c.State)
			}
			if got := slices.Contains(Decided(d, "servers", test.level), "a"); got != test.decided {
				t.Errorf("decided: %v", got)
			}
		})
	}
}

// A cell is decided when all claims about it are; one that no claim is about is not.
func TestDecided(t *testing.T) {
	text := strings.Replace(recordtest.Claimed(`throughput{server="a"} > throughput{server="b"}`), "repetitions: 3",
		"repetitions: 5", 1)
	bench := newFixture(t, text+"\n```yaml claim\nname: open\nexpect: 'throughput{server=\"b\"} > 1000/s'\n```\n")
	bench.Measure("servers", "a", "1", []float64{2000, 2020, 2010})
	bench.Measure("servers", "b", "1", []float64{1000, 1040, 960})
	if got := Decided(bench.dataset(dataset.Options{}), "servers", 0.05/3); !slices.Equal(got, []string{"a"}) {
		t.Errorf("decided %v", got)
	}
}
