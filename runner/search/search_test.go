package search

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

const host = "host-1"

// planOf returns the plan of a fixture's article in the profile full.
func planOf(b *recordtest.Fixture) *plan.Plan { return must.Get(b.Plan(plan.Full)) }

func experimentOf(t *testing.T, p *plan.Plan, name string) *plan.Experiment {
	t.Helper()
	e, ok := p.Find(name)
	if !ok {
		t.Fatalf("no experiment %q", name)
	}
	return e
}

func TestInOrder(t *testing.T) {
	experiment := func(name, rateOf, takenFrom string) *plan.Experiment {
		one := &plan.Trial{Load: &spec.Load{Pace: spec.Pace{RateOf: rateOf}}, Tune: []spec.Search{{Name: "workers", Of: takenFrom}}}
		return &plan.Experiment{Name: name, Trials: []*plan.Trial{{Command: &spec.Command{}}, one, one}}
	}
	for _, tt := range []struct {
		name string
		list []*plan.Experiment
		want string
	}{
		{"nothing depends on anything", []*plan.Experiment{experiment("a", "", ""), experiment("b", "", "")}, "a b"},
		{"a rate is a share of one that comes later",
			[]*plan.Experiment{experiment("a", "c", ""), experiment("b", "", ""), experiment("c", "", "")}, "c a b"},
		{"a value is taken from one that comes later",
			[]*plan.Experiment{experiment("a", "", "b"), experiment("b", "", "")}, "b a"},
		{"a chain", []*plan.Experiment{experiment("a", "b", ""), experiment("b", "", "c"), experiment("c", "", "")}, "c b a"},
		{"it stands before already", []*plan.Experiment{experiment("a", "", ""), experiment("b", "a", "a")}, "a b"},
		{"what it depends on is not measured now", []*plan.Experiment{experiment("a", "x", ""), experiment("b", "", "")}, "a b"},
	} {
		names := slice.Map(InOrder(tt.list), func(e *plan.Experiment) string { return e.Name })
		assert.Equal(t, strings.Join(names, " "), tt.want, "%s", tt.name)
	}
}

// The record of a search for a capacity that finds no limit. Tests of package runner cover those that find one.
func TestConclude(t *testing.T) {
	for _, tt := range []struct {
		name  string
		probe func(rate float64) record.Probe
		check func(s *record.Search) bool
	}{
		{"every rate is borne", func(float64) record.Probe { return record.Probe{Passed: true} },
			func(s *record.Search) bool { return s.Reason == "" && s.Lo == 2000 && s.Hi == 0 }},
		{"no rate is borne", func(float64) record.Probe { return record.Probe{} },
			func(s *record.Search) bool { return s.Reason == "" && s.Lo == 0 && s.Hi == 100 }},
		{"no rate is borne, and some could not be tried",
			func(float64) record.Probe { return record.Probe{Failure: "refused"} },
			func(s *record.Search) bool {
				return s.Stop == record.StopNone && s.Lo == 0 && s.Hi == 0 && strings.Contains(s.Reason, "refused")
			}},
	} {
		rule, out := stats.NewCapacitySearch(stats.CapacityRule{From: 100, To: 2000, Step: 0.05, Repeats: 2}), &record.Search{}
		for range 100 {
			rate, _, ok := rule.Next()
			if !ok {
				break
			}
			out.Probes = append(out.Probes, tt.probe(rate))
			rule.Tell(outcomeOf(out.Probes[len(out.Probes)-1]))
		}
		conclude(out, rule)
		assert.Equal(t, tt.check(out), true, "%s: %+v", tt.name, out)
	}
}

// TestTuning of stats covers the other reasons.
func TestStopOfTune(t *testing.T) {
	rule := stats.Tuning{Candidates: []int{1, 2, 3, 5}, Cores: 1, Effect: 0.02, Patience: 2}
	for _, tt := range []struct {
		name    string
		medians []float64
		wanted  spec.Search
		spent   time.Duration
		want    string
	}{
		{"the last one was better", []float64{10, 20}, spec.Search{}, time.Hour, ""},
		{"the next one would take more than is left", []float64{1, 2}, spec.Search{Budget: time.Minute}, 50 * time.Second,
			record.StopBudget},
		{"the next one fits", []float64{1, 2}, spec.Search{Budget: time.Minute}, 30 * time.Second, ""},
	} {
		assert.Equal(t, stopOfTune(rule, tt.medians, tt.wanted, tt.spent), tt.want, "%s", tt.name)
	}
}

func TestRecall(t *testing.T) {
	measuredWithTwo := func(b *recordtest.Fixture) {
		b.Measure("tuned", "a", "3", []float64{100}, func(r *record.Record) { r.Facts = map[string]string{"tune.workers": "2"} })
	}
	newer := func(chosen int) func(b *recordtest.Fixture) {
		return func(b *recordtest.Fixture) {
			b.Searched("tuned", "a", "2", recordtest.TuneOf(chosen, float64(chosen), float64(chosen)))
		}
	}
	none := func(b *recordtest.Fixture) { b.Records = nil }
	for _, tt := range []struct {
		name, experiment, run string
		change                func(b *recordtest.Fixture)
		a, b                  int // workers of the two trials; 0 for what is to be searched for
		fails                 bool
	}{
		{"its own searches", "tuned", "", nil, 5, 12, false},
		{"those of the experiment that it takes values from", "steady", "", nil, 5, 12, false},
		{"there are none", "tuned", "", none, 0, 0, false},
		{"there are none in the other experiment", "steady", "", none, 0, 0, true},
		{"of another host", "tuned", "", func(b *recordtest.Fixture) {
			for _, r := range b.Records {
				r.Host = "host-2"
			}
		}, 0, 0, false},
		{"a newer one", "tuned", "", newer(8), 8, 12, false},
		{"a newer one that found nothing", "tuned", "", newer(0), 5, 12, false},
		{"a newer one that was cut short", "tuned", "", func(b *recordtest.Fixture) {
			newer(8)(b)
			b.Records[len(b.Records)-1].Profile = "quick"
		}, 5, 12, false},
		{"the run that goes on was measured with another", "tuned", "3", measuredWithTwo, 2, 12, false},
		{"another run was", "tuned", "4", measuredWithTwo, 5, 12, false},
	} {
		b := recordtest.NewSearched(t)
		if tt.change != nil {
			tt.change(b)
		}
		p := planOf(b)
		e := experimentOf(t, p, tt.experiment)
		c := &Choices{Plan: p, Experiment: e, Host: host}
		err := c.Recall(b.Records, e.Trials, tt.run)
		if missing := errors.As(err, new(*MissingError)); missing != tt.fails || err != nil && !missing {
			t.Fatalf("%s: %v", tt.name, err)
		}
		x, y := c.Of(e.Trials[0]).Values["workers"], c.Of(e.Trials[1]).Values["workers"]
		if !tt.fails && (x != tt.a || y != tt.b) {
			t.Errorf("%s: %d and %d, want %d and %d", tt.name, x, y, tt.a, tt.b)
		}
	}
}

func TestTakeFirst(t *testing.T) {
	p := planOf(recordtest.New(t, recordtest.Searching))
	for _, name := range []string{"tuned", "steady"} {
		e := experimentOf(t, p, name)
		c := &Choices{Plan: p, Experiment: e, Host: host}
		must.Do(c.TakeFirst(e.Trials))
		rec := &record.Record{Facts: map[string]string{}}
		if c.AddTo(rec, e.Trials[0]); rec.Facts["tune.workers"] != "1" || len(rec.Samples) != 1 ||
			rec.Samples[0].Value != 1 {
			t.Errorf("%s: %v, %v", name, rec.Facts, rec.Samples)
		}
		tuned := must.Get(c.Tuned(e.Trials[0]))
		assert.Slice(t, tuned.Services[0].Command, []string{"serve", "1"}, "%s", name)
	}
}

func TestOwnRates(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers)+
		recordtest.Fence("experiment", "name: own\nextends: servers\nload: {rate: {share: 50%, of: servers, own: true}}"))
	b.Measure("servers", "a", "1", []float64{100, 100, 100})
	b.Measure("servers", "b", "1", []float64{60, 60, 60})
	b.Measure("servers", "c", "1", []float64{200, 200, 200})
	p := planOf(b)
	e := experimentOf(t, p, "own")
	rates := must.Get(Rates(p, e, b.Records, host, ""))
	for _, trial := range e.Trials {
		want := map[string]float64{"a": 50, "b": 30, "c": 100}[e.Original(trial).Name]
		assert.Near(t, WithRate(trial, rates).Load.Rate, want, 1e-6*want, "the rate of %s", trial.Name)
	}
}

func TestRates(t *testing.T) {
	article := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.Servers) +
		recordtest.Fence("experiment", "name: equal\nextends: servers\nload: {rate: {share: 80%, of: servers}}")
	measured := func(b *recordtest.Fixture) {
		b.Measure("servers", "a", "1", []float64{100, 120, 110})
		b.Measure("servers", "b", "1", []float64{50, 70, 60})
		b.Measure("servers", "c", "1", []float64{200, 200, 200})
	}
	fail := func(b *recordtest.Fixture, trial string, repetitions ...int) {
		for _, r := range b.Records {
			if r.Trial == trial && slices.Contains(repetitions, r.Repetition) {
				r.Load.Failed = r.Load.Attempted / 2
			}
		}
	}
	for _, tt := range []struct {
		name, run string
		measure   func(b *recordtest.Fixture)
		want      float64 // 0 for none
	}{
		{"the smallest centre", "", measured, 59.578921355},
		{"one was not measured", "", func(b *recordtest.Fixture) {
			b.Measure("servers", "a", "1", []float64{100, 120, 110})
		}, 0},
		{"an invalid repetition has no part: docs/method.md#valid-cells", "", func(b *recordtest.Fixture) {
			measured(b)
			fail(b, "b", 1)
		}, 64.807406984},
		{"one has no valid repetition", "", func(b *recordtest.Fixture) {
			measured(b)
			fail(b, "b", 1, 2, 3)
		}, 0},
		{"a newer run that was not finished", "", func(b *recordtest.Fixture) {
			measured(b)
			b.Measure("servers", "b", "2", []float64{10}, recordtest.Planned(3))
		}, 59.578921355},
		{"a newer run", "", func(b *recordtest.Fixture) {
			measured(b)
			b.Measure("servers", "b", "2", []float64{90, 90, 90})
		}, 90},
		{"on another host", "", func(b *recordtest.Fixture) {
			measured(b)
			for _, r := range b.Records {
				r.Host = "host-2"
			}
		}, 0},
		{"the run that goes on had another", "3", func(b *recordtest.Fixture) {
			measured(b)
			b.Measure("equal", "a", "3", []float64{40}, func(r *record.Record) { r.Load.Open = &record.OpenLoop{Rate: 40} })
		}, 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, article)
			tt.measure(b)
			p := planOf(b)
			e := experimentOf(t, p, "equal")
			rates, err := Rates(p, e, b.Records, host, tt.run)
			if missing := errors.As(err, new(*MissingError)); missing != (tt.want == 0) || err != nil && !missing {
				t.Fatal(err)
			}
			if tt.want == 0 {
				return
			}
			assert.Near(t, rates["servers"], tt.want, 1e-6*tt.want, "%v", rates)
			with := WithRate(e.Trials[0], rates)
			if !recordtest.CloseTo(with.Load.Rate, 0.8*tt.want) || e.Trials[0].Load.Rate != 0 {
				t.Errorf("its load has the rate %v, and the planned one %v", with.Load.Rate, e.Trials[0].Load.Rate)
			}
		})
	}
}
