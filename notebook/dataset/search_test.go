package dataset

import (
	"math"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// searching is an article with values that searches find: a number of workers, which a second experiment takes over, and capacities.
const searching = "---\ntitle: x\n---\n\n" +
	"```yaml experiment\nname: tuned\nservices: {s: {image: x, command: 'serve ${{ tune.workers }}'}}\nmatrix: {server: [a, b]}\n" +
	"load: {target: http://s/}\ntune: {workers: {to: 24}}\nrepetitions: 3\ncalibrate: false\n```\n\n" +
	"```yaml experiment\nname: steady\nextends: tuned\nload: {rate: 10/s}\n```\n\n" +
	"```yaml experiment\nname: ceiling\nextends: tuned\nmatrix: {server: [a, b, c]}\ntune: null\nservices: {s: {command: serve}}\n" +
	"capacity: {slo: latency.p99 < 1s, from: 100/s, to: 2000/s}\n```\n\n"

// found adds the record of a search.
func (b *bench) found(experiment, trial, run string, s record.Search) {
	b.t.Helper()
	p, err := b.plan(plan.Full)
	if err != nil {
		b.t.Fatal(err)
	}
	e, ok := p.Find(experiment)
	if !ok {
		b.t.Fatalf("no experiment %s", experiment)
	}
	i := slices.IndexFunc(e.Trials, func(t *plan.Trial) bool { return t.Name == trial })
	t := e.Trials[i]
	b.records = append(b.records, &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample", Experiment: e.Name, Trial: t.Name, Key: t.Key,
		Run: run, Profile: plan.Full, Host: "host-1", Parameters: t.Parameters, Definition: t.Definition, Search: &s})
}

// chose is the change of a record that was measured with so many workers.
func chose(workers float64) change {
	return func(r *record.Record) {
		r.Samples = append(r.Samples, record.Sample{Metric: "tune.workers", Value: workers, Unit: "1"})
	}
}

func tuneOf(chosen int, lo, hi float64) record.Search {
	return record.Search{Kind: record.SearchTune, Name: "workers", Metric: "throughput", Chosen: chosen, Lo: lo, Hi: hi, Stop: record.StopWorse}
}

func capacityOf(lo, hi float64) record.Search {
	return record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: lo, Hi: hi, Stop: record.StopStep}
}

// searchedBench has a value of 5 (to 8) for a and 12 (to 24) for b, and capacities of 700 to 734, 900 to 940 and at least 2000.
func searchedBench(t *testing.T, claims ...string) *bench {
	text := searching
	for i, c := range claims {
		text += "```yaml claim\nname: claim-" + string(rune('a'+i)) + "\nexpect: '" + c + "'\n```\n\n"
	}
	b := newBench(t, text)
	b.found("tuned", "a", "1", tuneOf(5, 5, 8))
	b.found("tuned", "b", "1", tuneOf(12, 12, 24))
	for _, e := range []string{"tuned", "steady"} {
		b.measure(e, "a", "1", []float64{100, 101, 102}, chose(5))
		b.measure(e, "b", "1", []float64{100, 101, 102}, chose(12))
	}
	b.found("ceiling", "a", "1", capacityOf(700, 734))
	b.found("ceiling", "b", "1", capacityOf(900, 940))
	b.found("ceiling", "c", "1", capacityOf(2000, 0))
	return b
}

func trialCell(t *testing.T, d *Dataset, experiment, trial string) *Cell {
	t.Helper()
	e, ok := d.Experiment(experiment)
	if !ok {
		t.Fatalf("no experiment %s", experiment)
	}
	i := slices.IndexFunc(e.Cells, func(c *Cell) bool { return c.Trial.Name == trial })
	return e.Cells[i]
}

// What searches found are metrics of cells, with the intervals of docs/method.md#claims-as-regions and
// docs/method.md#capacities.
func TestSearched(t *testing.T) {
	b := searchedBench(t)
	b.found("tuned", "a", "0", tuneOf(3, 3, 3)) // an older one
	d := b.dataset(Options{})
	tests := []struct {
		experiment, trial, metric string
		centre                    float64
		interval                  stats.Interval
	}{
		{"tuned", "a", "tune.workers", 5, stats.Interval{Lo: 5, Hi: 8}},
		{"steady", "b", "tune.workers", 12, stats.Interval{Lo: 12, Hi: 24}},
		{"ceiling", "a", "capacity.rate", 700, stats.Interval{Lo: 700, Hi: 734}},
		{"ceiling", "c", "capacity.rate", 2000, stats.Interval{Lo: 2000, Hi: math.Inf(1)}},
	}
	for _, test := range tests {
		c := trialCell(t, d, test.experiment, test.trial)
		r := c.Metric(test.metric)
		if r.Missing != "" || r.Estimate.Centre != test.centre || r.Estimate.Interval != test.interval || r.Estimate.Kind != stats.BySearch || c.State != Fresh {
			t.Errorf("%s of %s is %+v (%s, %v)", test.metric, test.trial, r.Estimate, r.Missing, c.State)
		}
	}
	if s := trialCell(t, d, "steady", "a").Search("workers"); s == nil || s.Chosen != 5 {
		t.Errorf("the search that steady takes over is %+v", s)
	}
	c := trialCell(t, d, "ceiling", "a")
	if c.Search("") == nil || len(c.Records) != 1 || c.Level() != OK || c.Metric("throughput").Missing != "not measured" {
		t.Errorf("a cell with a capacity: %v, %v", c.Level(), c.Metric("throughput"))
	}
	if standing := trialCell(t, d, "tuned", "a"); len(standing.Records) != 3 {
		t.Errorf("%d records of repetitions", len(standing.Records))
	}
}

// A search that the machine kept from its end says nothing of the capacity: one that came to its end is shown, if there is any.
func TestCapacityThatCouldNotBeFoundAnew(t *testing.T) {
	b := searchedBench(t)
	given := record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Stop: record.StopNone, Reason: "a probe was not valid twice", Busy: true}
	b.found("ceiling", "a", "2", given)
	b.found("ceiling", "b", "0", given)
	d := b.dataset(Options{})
	for trial, want := range map[string]float64{"a": 700, "b": 900} {
		if r := trialCell(t, d, "ceiling", trial).Metric("capacity.rate"); r.Missing != "" || r.Estimate.Centre != want {
			t.Errorf("%s: %v (%s), want %v", trial, r.Estimate.Centre, r.Missing, want)
		}
	}
	// Where there is no other, its reason is said.
	b.records = slices.DeleteFunc(b.records, func(r *record.Record) bool { return r.Search != nil && r.Trial == "a" && r.Search.Lo == 700 })
	if r := trialCell(t, b.dataset(Options{}), "ceiling", "a").Metric("capacity.rate"); r.Missing != "not measured: a probe was not valid twice" {
		t.Errorf("%+v", r)
	}
}

// A value whose search is not there has no interval, and claims about it are not measured.
func TestSearchedElsewhere(t *testing.T) {
	b := searchedBench(t, `tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`)
	b.records = slices.DeleteFunc(b.records, func(r *record.Record) bool { return r.Search != nil && r.Search.Chosen == 12 })
	d := b.dataset(Options{})
	if r := trialCell(t, d, "tuned", "b").Metric("tune.workers"); r.Estimate.Centre != 12 || r.Estimate.Kind != stats.Given || len(r.Marks) != 1 {
		t.Errorf("%+v", r)
	}
	if j := d.Judgements()[0]; j.Verdict != stats.NotMeasured || !strings.Contains(j.Reason, "the search that chose it is not among these records") {
		t.Errorf("%s: %s", j.Verdict, j.Reason)
	}
}

// A value that was the only one allowed was taken untried: it is known and nothing was found, so claims about it are not measured.
func TestNothingSearched(t *testing.T) {
	const words = "nothing was searched for: it was the only value allowed"
	for _, expect := range []string{
		`tune.workers{experiment="tuned", server="a"} < tune.workers{experiment="tuned", server="b"}`,
		`tune.workers{experiment="tuned", server="b"} > 8`,
	} {
		b := searchedBench(t, expect)
		for _, r := range b.records {
			if r.Search != nil && r.Search.Chosen == 12 {
				r.Search.Stop, r.Search.Hi = record.StopOnly, 12
			}
		}
		d := b.dataset(Options{})
		if r := trialCell(t, d, "tuned", "b").Metric("tune.workers"); r.Estimate.Centre != 12 || r.Estimate.Kind != stats.Given || !slices.Equal(r.Marks, []string{words}) {
			t.Errorf("%+v", r)
		}
		if j := d.Judgements()[0]; j.Verdict != stats.NotMeasured || !strings.Contains(j.Reason, words) {
			t.Errorf("%s is %s: %s", expect, j.Verdict, j.Reason)
		}
	}
}

// A capacity that was not found says why, one that is not there is not measured, and one of another definition is old.
func TestCapacityStates(t *testing.T) {
	b := newBench(t, searching)
	failed := capacityOf(0, 0)
	failed.Reason = "a probe was not valid twice: swapped"
	b.found("ceiling", "a", "1", failed)
	b.found("ceiling", "b", "1", capacityOf(900, 940))
	b.records[1].Key = "another"
	d := b.dataset(Options{})
	for trial, want := range map[string]struct {
		state   State
		missing string
	}{"a": {Fresh, "not measured: a probe was not valid twice: swapped"}, "b": {Stale, ""}, "c": {Missing, "not measured"}} {
		c := trialCell(t, d, "ceiling", trial)
		if r := c.Metric("capacity.rate"); c.State != want.state || r.Missing != want.missing {
			t.Errorf("%s is %v, and %q", trial, c.State, r.Missing)
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
			b := searchedBench(t, test.expect)
			j := b.dataset(Options{}).Judgements()[0]
			if j.Verdict != test.verdict {
				t.Fatalf("%s: %s", j.Verdict, j.Reason)
			}
			if (j.Verdict == stats.Inconclusive) != (j.Reason != "") || j.Needed != 0 || slices.Contains(j.Marks, markNoFloor) {
				t.Errorf("%+v", j)
			}
			if test.lo > 0 && (j.Effect == nil || math.Abs(j.Effect.Interval.Lo-test.lo) > 1e-9 || j.Effect.Interval.Hi != test.hi && math.Abs(j.Effect.Interval.Hi-test.hi) > 1e-9) {
				t.Errorf("effect %+v, want from %v to %v", j.Effect, test.lo, test.hi)
			}
		})
	}
}

// That no rate met an objective is less than any other capacity.
func TestNoRateMeetsIt(t *testing.T) {
	b := searchedBench(t, `capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`)
	for _, r := range b.records {
		if r.Experiment == "ceiling" && r.Trial == "a" {
			*r.Search = capacityOf(0, 100)
		}
	}
	j := b.dataset(Options{}).Judgements()[0]
	if j.Verdict != stats.Supported || j.Effect != nil {
		t.Errorf("%s, %+v", j.Verdict, j.Effect)
	}
}

// Every claim about what searches find can be moved by made-up numbers, and mistakes in them are found.
func TestSearchedClaimsAreChecked(t *testing.T) {
	for expect, want := range map[string]string{
		`capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`: "", `tune.workers{experiment="tuned", server="a"} < 9`: "",
		`best(capacity.rate{experiment="ceiling"}) == "c"`:                                                       "",
		`same(capacity.rate{experiment="ceiling", server="b"}, capacity.rate{experiment="ceiling", server="a"})`: "",
		`geomean(capacity.rate{experiment="ceiling"}) > geomean(throughput{experiment="tuned"})`:                 "no-test",
		`capacity.rate{experiment="ceiling", server="a"} > throughput{experiment="tuned", server="a"}`:           "no-test",
		`best(tune.workers{experiment="tuned"}) == "a"`:                                                          "no-direction",
	} {
		b := newBench(t, searching+"```yaml claim\nname: c\nexpect: '"+expect+"'\n```\n")
		p, err := b.plan(plan.Full)
		if err != nil {
			t.Fatal(err)
		}
		var found source.Problems
		Check(b.doc, p, &found)
		if found.Empty() {
			Mutate(b.doc, p, &found)
		}
		var problems []string
		for _, problem := range found.Sorted() {
			problems = append(problems, problem.Rule)
		}
		switch {
		case want == "" && len(problems) > 0:
			t.Errorf("%s: %v", expect, problems)
		case want != "" && !slices.Contains(problems, want):
			t.Errorf("%s: %v, want %s", expect, problems, want)
		}
	}
}

func TestSearchedValues(t *testing.T) {
	d := searchedBench(t).dataset(Options{})
	for source, want := range map[string]string{`best(capacity.rate{experiment="ceiling"})`: "c", `best(capacity.rate{experiment="ceiling", server!="c"})`: "b"} {
		n, err := expr.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := d.Eval(n, ""); err != nil || q.Text != want {
			t.Errorf("%s is %q, %v", source, q.Text, err)
		}
	}
	n, err := expr.Parse(`ratio(capacity.rate{experiment="ceiling", server="b"}, capacity.rate{experiment="ceiling", server="a"})`)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := d.Eval(n, ""); err != nil || math.Abs(q.Number-900./700) > 1e-9 || q.Interval == nil || q.Kind != stats.BySearch {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := d.Groups("ceiling", "capacity.rate"); err == nil {
		t.Error("searches were ranked by letters")
	}
}

// Changes of what searches found are shown where the intervals lie apart.
func TestSearchedChanges(t *testing.T) {
	before, after := searchedBench(t).dataset(Options{}), searchedBench(t)
	for _, r := range after.records {
		if r.Experiment == "ceiling" && r.Trial == "a" {
			r.Search, r.Run = &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: 800, Hi: 840}, "2"
		}
		if r.Experiment == "ceiling" && r.Trial == "b" {
			r.Search, r.Run = &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: 910, Hi: 950}, "2"
		}
	}
	changes, err := Compare([]Sides{{A: before, B: after.dataset(Options{}), Experiments: []string{"ceiling"}}}, ChangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]stats.Shift{}
	for _, c := range changes {
		got[c.A.Trial.Name] = c.Verdict
	}
	if got["a"] != stats.Better || got["b"] != stats.NotShown {
		t.Errorf("%v", got)
	}
}

// A run with a budget is judged more strictly, for all the rounds that it planned; a cell that a look stopped is fresh all the same.
func TestBudgetedRun(t *testing.T) {
	const claim = `throughput{server="a"} > throughput{server="b"}`
	a, b := []float64{1096, 1144, 1067, 1115, 1086}, []float64{1000, 1040, 1010, 1020, 990} // just enough at 5 %
	for _, test := range []struct {
		name    string
		a       []float64
		planned int
		look    *record.Look
		state   State
		verdict stats.Verdict
		level   float64
		decided bool
	}{
		{"no look has stopped anything", a, 5, nil, Fresh, stats.Inconclusive, 0.05 / 3, false},
		{"planned ten", a, 10, nil, Partial, stats.Inconclusive, 0.05 / 3, false},
		{"planned twenty", a, 20, nil, Partial, stats.Inconclusive, 0.05 / 4, false},
		{"stopped", []float64{2000, 2020, 2010}, 5, &record.Look{Rounds: 3, Stopped: []string{"a", "b"}}, Fresh, stats.Supported, 0.05 / 3, true},
		{"killed after three", []float64{2000, 2020, 2010}, 5, nil, Partial, stats.Supported, 0.05 / 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := newBench(t, strings.Replace(claimed(claim), "repetitions: 3", "repetitions: "+map[int]string{5: "5", 10: "10", 20: "20"}[test.planned], 1))
			set := func(r *record.Record) {
				r.Planned, r.Budget = test.planned, &record.Budget{Seconds: 60}
				if r.Trial == "a" && r.Repetition == 3 {
					r.Budget.Look = test.look
				}
			}
			bench.measure("servers", "a", "1", test.a, set)
			bench.measure("servers", "b", "1", b[:len(test.a)], set)
			d := bench.dataset(Options{})
			j := d.Judgements()[0]
			if j.Verdict != test.verdict || math.Abs(j.Level-test.level) > 1e-12 {
				t.Errorf("%s (%s) at %v", j.Verdict, j.Reason, j.Level)
			}
			if !slices.ContainsFunc(j.Marks, func(m string) bool { return strings.HasPrefix(m, "cells may have been stopped in a run with a budget") }) {
				t.Errorf("marks %q", j.Marks)
			}
			if c := trialCell(t, d, "servers", "a"); c.State != test.state {
				t.Errorf("a is %v", c.State)
			}
			if got := slices.Contains(d.Decided("servers", test.level), "a"); got != test.decided {
				t.Errorf("decided: %v", got)
			}
		})
	}
}

// A cell is decided when all claims about it are; one that no claim is about is not.
func TestDecided(t *testing.T) {
	text := strings.Replace(claimed(`throughput{server="a"} > throughput{server="b"}`), "repetitions: 3", "repetitions: 5", 1)
	bench := newBench(t, text+"\n```yaml claim\nname: open\nexpect: 'throughput{server=\"b\"} > 1000/s'\n```\n")
	bench.measure("servers", "a", "1", []float64{2000, 2020, 2010})
	bench.measure("servers", "b", "1", []float64{1000, 1040, 960})
	if got := bench.dataset(Options{}).Decided("servers", 0.05/3); !slices.Equal(got, []string{"a"}) {
		t.Errorf("decided %v", got)
	}
}

// Quick repetitions that use what was searched for in full have the interval of that search.
func TestSearchOfFullInQuick(t *testing.T) {
	b := newBench(t, searching)
	quick, err := b.plan(plan.Quick)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := quick.Find("tuned")
	if !ok {
		t.Fatal("no experiment tuned")
	}
	b.found("tuned", "a", "1", tuneOf(5, 5, 8))
	b.measure("tuned", "a", "2", []float64{100, 101, 102}, chose(5), func(r *record.Record) { r.Profile, r.Key = plan.Quick, e.Trials[0].Key })
	d := b.dataset(Options{ThisHost: "host-1"})
	c := trialCell(t, d, "tuned", "a")
	if r := c.Metric("tune.workers"); d.Profile != plan.Quick || c.State != Fresh || r.Estimate.Interval != (stats.Interval{Lo: 5, Hi: 8}) || r.Estimate.Kind != stats.BySearch {
		t.Errorf("profile %s, %v: %+v", d.Profile, c.State, r.Estimate)
	}
}

// Probes that were made again are counted where they were made, and not where their result is taken over.
func TestProbesAgain(t *testing.T) {
	b := searchedBench(t)
	again := tuneOf(5, 5, 8)
	again.Probes = []record.Probe{{Candidate: 5, Disturbed: "others used 42 % of the CPU"}, {Candidate: 5, Value: 1}, {Candidate: 8, Invalid: "errors 5 %"}}
	b.found("tuned", "a", "2", again)
	limit := capacityOf(900, 940)
	limit.Probes = []record.Probe{{Candidate: 900, Disturbed: "20 % of the CPU time was stolen"}, {Candidate: 900, Disturbed: "others used 42 % of the CPU"}, {Candidate: 900}}
	b.found("ceiling", "b", "2", limit)
	d := b.dataset(Options{})
	for name, want := range map[string]int{"tuned": 1, "steady": 0, "ceiling": 2} {
		if e, _ := d.Experiment(name); e.ProbesAgain() != want {
			t.Errorf("%s: %d, want %d", name, e.ProbesAgain(), want)
		}
	}
}
