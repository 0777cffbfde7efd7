package plan

import (
	"slices"
	"testing"
	"time"

	"benchbook/notebook/spec"
)

const tuned = "name: e\nservices: {s: {image: x, command: 'run ${{ tune.workers }}', cpus: '${{ tune.workers }}'}}\n" +
	"tune: {workers: {to: 8, budget: 30s}}\nload: {target: http://s/, duration: 4s}\n"

func TestTuneIsDeferred(t *testing.T) {
	trial := mustPlan(t, text(block(tuned)), Options{}, nil).Trials[0]
	want := []spec.Deferred{{Key: "services.s.command", Template: "run ${{ tune.workers }}"},
		{Key: "services.s.cpus", Template: "${{ tune.workers }}"}}
	if !slices.Equal(trial.Deferred, want) {
		t.Errorf("deferred %v, want %v", trial.Deferred, want)
	}
	if s := trial.Tune[0]; s.From != 1 || s.To != 8 || s.Maximize != "throughput" || s.Probes != 3 ||
		s.Budget != 30*time.Second || s.Points != 0 {
		t.Errorf("search %+v", s)
	}
	quick := mustPlan(t, text(block(tuned)), Options{Profile: Quick}, nil).Trials[0]
	if s := quick.Tune[0]; s.Points != 3 {
		t.Errorf("in quick the search tries %d points, want 3", s.Points)
	}
}

// An experiment with a rate or a capacity takes what the experiment that it extends has tuned, unless it says
// otherwise.
func TestChoicesAreInherited(t *testing.T) {
	tests := []struct{ name, body, of string }{
		{"with a rate", "load: {rate: 5/s}\n", "e"},
		{"with a capacity", "capacity: {slo: latency.p99 < 1s, from: 1/s, to: 9/s}\n", "e"},
		{"in a closed loop", "repetitions: 4\n", ""},
		{"with a search of its own", "load: {rate: 5/s}\ntune: {workers: {to: 3}}\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := newPlan(t, text(block(tuned), "\n", block("name: f\nextends: e\n"+test.body)), Options{}, nil)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			if got := p.Experiments[1].Trials[0].Tune[0].Of; got != test.of {
				t.Errorf("takes the choice of %q, want %q", got, test.of)
			}
		})
	}
}

// A search for capacity is all that its experiment runs.
func TestCapacity(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n"+
		"capacity: {slo: latency.p99 < 100ms and failed < 0.1%, from: 100/s, to: 2000/s}\n")), Options{}, nil)
	if len(e.Steps) != 0 || len(e.Trials) != 1 {
		t.Errorf("%d steps of %d trials", len(e.Steps), len(e.Trials))
	}
	c := e.Trials[0].Capacity
	if c == nil || c.From != 100 || c.To != 2000 || c.Repeats != 3 || c.Step != 0.05 ||
		c.SLO != "latency.p99 < 100ms and failed < 0.1%" {
		t.Errorf("capacity %+v", c)
	}
}

// Whatever stands lower, an experiment that takes a value over does not search for it, and one that says how to search
// does.
func TestOfAndOwnSearches(t *testing.T) {
	p := mustPlanAll(t, text(block(tuned+"profiles: {quick: {tune: {workers: {to: 2}}}}\n"),
		"\n", block("name: taken\nextends: e\ntune: {workers: {of: e}}\n"),
		"\n", block("name: own\nextends: taken\ntune: {workers: {to: 5}}\n")), Options{Profile: Quick}, nil)
	for name, want := range map[string]spec.Search{"taken": {Name: "workers", Of: "e"}, "own": {Name: "workers", From: 1,
		To: 2, Maximize: "throughput", Probes: 3,
		Patience: 2, Effect: 0.05, Points: 3, Budget: 30 * time.Second}} {
		e, _ := p.Find(name)
		if got := e.Trials[0].Tune; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
