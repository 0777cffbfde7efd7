package dataset

import (
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Results of searches are metrics of cells, with the intervals of docs/method.md#claims-as-regions and
// docs/method.md#capacities.
func TestSearched(t *testing.T) {
	b := recordtest.NewSearched(t)
	b.Searched("tuned", "a", "0", recordtest.TuneOf(3, 3, 3)) // an older one
	d := datasetOf(b)
	for _, test := range []struct {
		experiment, trial, metric string
		centre                    float64
		interval                  stats.Interval
	}{
		{"tuned", "a", "tune.workers", 5, stats.Interval{Lo: 5, Hi: 8}},
		{"steady", "b", "tune.workers", 12, stats.Interval{Lo: 12, Hi: 24}},
		{"ceiling", "a", "capacity.rate", 700, stats.Interval{Lo: 700, Hi: 734}},
		{"ceiling", "c", "capacity.rate", 2000, stats.Interval{Lo: 2000, Hi: math.Inf(1)}},
	} {
		c := cellOf(t, d, test.trial, test.experiment)
		r := c.Metric(test.metric)
		if r.Missing != "" || r.Estimate.Centre != test.centre || r.Estimate.Interval != test.interval ||
			r.Estimate.Kind != stats.BySearch || c.State != Fresh {
			t.Errorf("%s of %s is %+v (%s, %v)", test.metric, test.trial, r.Estimate, r.Missing, c.State)
		}
	}
	if s := cellOf(t, d, "a", "steady").Search("workers"); s == nil || s.Chosen != 5 {
		t.Errorf("the search that steady takes over is %+v", s)
	}
	c := cellOf(t, d, "a", "ceiling")
	if c.Search("") == nil || len(c.Records) != 1 || c.Validity().Level() != validity.OK ||
		c.Metric("throughput").Missing != "not measured" {
		t.Errorf("a cell with a capacity: %v, %v", c.Validity().Level(), c.Metric("throughput"))
	}
	assert.Equal(t, len(cellOf(t, d, "a", "tuned").Records), 3, "records of repetitions")
}

// A search that a busy machine cut short says nothing about the capacity: a finished one is shown instead, if there is
// one.
func TestCapacityThatCouldNotBeFoundAnew(t *testing.T) {
	b := recordtest.NewSearched(t)
	given := record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Stop: record.StopNone,
		Reason: "a probe was not valid twice", Busy: true}
	b.Searched("ceiling", "a", "2", given)
	b.Searched("ceiling", "b", "0", given)
	d := datasetOf(b)
	for trial, want := range map[string]float64{"a": 700, "b": 900} {
		if r := cellOf(t, d, trial, "ceiling").Metric("capacity.rate"); r.Missing != "" || r.Estimate.Centre != want {
			t.Errorf("%s: %v (%s), want %v", trial, r.Estimate.Centre, r.Missing, want)
		}
	}
	// Without another search, its reason is given.
	b.Records = slices.DeleteFunc(b.Records, func(r *record.Record) bool {
		return r.Search != nil && r.Trial == "a" && r.Search.Lo == 700
	})
	r := cellOf(t, datasetOf(b), "a", "ceiling").Metric("capacity.rate")
	assert.Equal(t, r.Missing, "not measured: a probe was not valid twice")
}

// A capacity not found gives its reason, one without a search is not measured, one of another definition is stale.
func TestCapacityStates(t *testing.T) {
	b := recordtest.New(t, recordtest.Searching)
	failed := recordtest.CapacityOf(0, 0)
	failed.Reason = "a probe was not valid twice: swapped"
	b.Searched("ceiling", "a", "1", failed)
	b.Searched("ceiling", "b", "1", recordtest.CapacityOf(900, 940))
	b.Records[1].Key = "another"
	d := datasetOf(b)
	for trial, want := range map[string]struct {
		state   State
		missing string
	}{"a": {Fresh, "not measured: a probe was not valid twice: swapped"}, "b": {Stale, ""},
		"c": {Missing, "not measured"}} {
		c := cellOf(t, d, trial, "ceiling")
		got := [2]any{c.State, c.Metric("capacity.rate").Missing}
		assert.Equal(t, got, [2]any{want.state, want.missing}, "state of %s, and why it is missing", trial)
	}
}

func TestSearchedValues(t *testing.T) {
	d := datasetOf(recordtest.NewSearched(t))
	n := must.Get(expr.Parse(`ratio(capacity.rate{experiment="ceiling", server="b"}, capacity.rate{experiment="ceiling", server="a"})`))
	if q, err := d.Eval(n, ""); err != nil || math.Abs(q.Number-900./700) > 1e-9 || q.Interval == nil ||
		q.Kind != stats.BySearch {
		t.Errorf("%+v, %v", q, err)
	}
}

// Repeated probes are counted where they were made, not where their result is taken over.
func TestProbesAgain(t *testing.T) {
	b := recordtest.NewSearched(t)
	again := recordtest.TuneOf(5, 5, 8)
	again.Probes = []record.Probe{{Candidate: 5, Disturbed: "others used 42 % of the CPU"}, {Candidate: 5, Value: 1},
		{Candidate: 8, Invalid: "errors 5 %"}}
	b.Searched("tuned", "a", "2", again)
	limit := recordtest.CapacityOf(900, 940)
	limit.Probes = []record.Probe{{Candidate: 900, Disturbed: "20 % of the CPU time was stolen"},
		{Candidate: 900, Disturbed: "others used 42 % of the CPU"}, {Candidate: 900}}
	b.Searched("ceiling", "b", "2", limit)
	d := datasetOf(b)
	for name, want := range map[string]int{"tuned": 1, "steady": 0, "ceiling": 2} {
		e, _ := d.Experiment(name)
		assert.Equal(t, e.ProbesAgain(), want, "%s: probes that were made again", name)
	}
}

// The benchmarks of a program share the search of its trial.
func TestProbesAgainOfBenchmarks(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Fence("experiment", `name: sums
command: {image: "debian:bookworm-slim", run: "bench ${{ tune.workers }}", output: benchfmt}
tune: {workers: {to: 8, maximize: ops}}
repetitions: 3
calibrate: false`))
	again := recordtest.TuneOf(5, 5, 8)
	again.Probes = []record.Probe{{Candidate: 5, Disturbed: "others used 42 % of the CPU"}, {Candidate: 5, Value: 1}}
	b.Searched("sums", "sums", "1", again)
	b.Measure("sums", "sums", "1", []float64{1, 1, 1}, func(r *record.Record) {
		for _, name := range []string{"A", "B"} {
			r.Samples = append(r.Samples, record.Sample{Metric: "ops", Value: 7, Unit: "1/s", Benchmark: name})
		}
	})
	e := datasetOf(b).Experiments[0]
	assert.Equal(t, [2]int{len(e.Cells), e.ProbesAgain()}, [2]int{2, 1}, "benchmarks, and probes that were made again")
}

// A probe says something about the services only if the generator sent requests in time. What waits for services that
// keep all connections busy is not the generator's fault.
func TestProbeOfCapacity(t *testing.T) {
	lag := func(family string, seconds float64) recordtest.Change {
		return func(r *record.Record) {
			r.Histograms[family] = recordtest.Histogram(t, recordtest.Times(1e-6, 900), recordtest.Times(seconds, 100))
		}
	}
	waits := lag("lag", 0.03)
	open := func(f func(*record.OpenLoop)) recordtest.Change { return func(r *record.Record) { f(r.Load.Open) } }
	blocked := open(func(o *record.OpenLoop) { o.Blocked = 100 })
	unsent := open(func(o *record.OpenLoop) { o.Sent, o.Blocked = 900, 100 })
	behind := recordtest.LoadChange(func(l *record.Load) { l.Completed = 900 })
	const tooLate = "the load generator held requests up for 30 ms at the percentile 99 (ok up to 1.25 ms)"
	for _, tt := range []struct {
		name    string
		slo     string
		changes []recordtest.Change
		want    stats.Outcome
		invalid string
	}{
		{"good", "latency.p99 < 70ms", nil, stats.ProbeMet, ""},
		{"too slow", "latency.p99 < 20ms", nil, stats.ProbeFailed, ""},
		{"disturbed", "latency.p99 < 70ms", []recordtest.Change{recordtest.Disturbed(0.5, 0)}, stats.ProbeInvalid,
			"others used 50 % of the CPU"},
		{"sent late with connections free", "latency.p99 < 70ms", []recordtest.Change{waits}, stats.ProbeInvalid,
			"requests left 30 ms late at the percentile 99 (ok up to 1.25 ms)"},
		{"sent late for want of connections", "latency.p99 < 70ms", []recordtest.Change{waits, blocked,
			lag("lag.generator", 1e-5)}, stats.ProbeMet, ""},
		{"sent late for want of connections, and too slow", "latency.p99 < 20ms", []recordtest.Change{waits, blocked,
			lag("lag.generator", 1e-5)}, stats.ProbeFailed, ""},
		{"some blocked, and the generator late", "latency.p99 < 70ms", []recordtest.Change{waits, blocked,
			lag("lag.generator", 0.03)}, stats.ProbeInvalid, tooLate},
		{"some blocked, and the generator late within the limits", "latency.p99 < 70ms", []recordtest.Change{waits, blocked,
			lag("lag.generator", 0.0024)}, stats.ProbeMet, ""},
		{"not sent in time", "latency.p99 < 70ms", []recordtest.Change{unsent}, stats.ProbeFailed, ""},
		{"not sent in time by a late generator", "latency.p99 < 70ms", []recordtest.Change{unsent,
			lag("lag.generator", 0.03)}, stats.ProbeInvalid, tooLate},
		{"not answered in time", "latency.p99 < 70ms", []recordtest.Change{behind}, stats.ProbeFailed, ""},
		{"not answered in time, and sent late", "latency.p99 < 70ms", []recordtest.Change{behind,
			lag("lag.generator", 0.03)}, stats.ProbeInvalid, tooLate},
	} {
		r := &record.Record{}
		recordtest.FillLoad(t, r, 100)
		r.Load.Open = &record.OpenLoop{Rate: 100, Due: 1000, Sent: 1000}
		r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.01, 900), recordtest.Times(0.025, 100))
		lag("lag", 1e-5)(r)
		for _, change := range tt.changes {
			change(r)
		}
		got, invalid := ProbeOfCapacity(r, must.Get(expr.Parse(tt.slo)), nil)
		if got != tt.want || invalid != tt.invalid {
			t.Errorf("%s: got outcome %v, %q; want %v, %q", tt.name, got, invalid, tt.want, tt.invalid)
		}
	}
}
