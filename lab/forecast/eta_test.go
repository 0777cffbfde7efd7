package forecast

import (
	"math"
	"testing"
	"time"

	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// trials are two of a load, of which one repetition takes ten seconds as planned.
func trials() (*plan.Plan, map[*plan.Trial]*TrialState) {
	e := &plan.Experiment{Name: "e", Looks: []int{3}}
	known_ := map[*plan.Trial]*TrialState{}
	for _, name := range []string{"a", "b"} {
		t := &plan.Trial{Name: name, Load: &spec.Load{Warmup: time.Second, Duration: 6 * time.Second}}
		e.Trials = append(e.Trials, t)
		known_[t] = &TrialState{ToMeasure: 3}
		for k := range 3 {
			e.Steps = append(e.Steps, plan.Step{Trial: t, Round: k + 1, Repetition: k + 1})
		}
	}
	return &plan.Plan{Experiments: []*plan.Experiment{e}}, known_
}

func TestForecast(t *testing.T) {
	p, known := trials()
	a, b := p.Experiments[0].Trials[0], p.Experiments[0].Trials[1]
	f := NewETA()
	f.Add(p, plan.Placement{}, known, false)
	one := f.each[a]
	if one <= 7*time.Second || f.Remaining(nil, 0) != 6*one || f.Share(nil, 0) != 0 {
		t.Fatalf("one takes %v, all %v, share %v", one, f.Remaining(nil, 0), f.Share(nil, 0))
	}
	if got := f.Remaining(a, time.Second); got != 6*one-time.Second {
		t.Errorf("a second later %v", got)
	}
	if got := f.Remaining(a, time.Hour); got != 5*one {
		t.Errorf("much later %v: what is under way takes no less than no time", got)
	}
	// It takes twice as long: so will the trial that was not seen yet.
	f.Finished(a, 2*one)
	if got, want := f.Remaining(nil, 0), 10*one; (got - want).Abs() > time.Millisecond {
		t.Errorf("after one repetition %v, want %v", got, want)
	}
	if got := f.Share(nil, 0); got < 0.166 || got > 0.167 {
		t.Errorf("share %v", got)
	}
	f.Finished(b, one)
	if got, want := f.Remaining(nil, 0), 2*2*one+2*one; (got - want).Abs() > time.Millisecond {
		t.Errorf("after two repetitions %v, want %v", got, want)
	}
	for range 2 {
		f.Finished(a, one)
		f.Finished(b, one)
	}
	if f.Remaining(nil, 0) != 0 || f.Share(nil, 0) != 1 {
		t.Errorf("in the end %v, %v", f.Remaining(nil, 0), f.Share(nil, 0))
	}
	// Two of them are measured again, since the machine was disturbed.
	f.Begin(p.Experiments[0], 2)
	if got, want := f.Remaining(nil, 0), f.One(a)+f.One(b); got != want {
		t.Errorf("to be measured again %v, want %v", got, want)
	}
	f.Finished(a, one)
	f.Finished(a, one)
	if f.Remaining(nil, 0) != 0 {
		t.Errorf("after that %v", f.Remaining(nil, 0))
	}
	if got := terminal.HMS(3723 * time.Second); got != "1:02:03" {
		t.Errorf("hms %s", got)
	}
	forced := NewETA()
	for _, k := range known {
		k.ToMeasure = 0
	}
	if forced.Add(p, plan.Placement{}, known, true); forced.Remaining(nil, 0) != 6*one {
		t.Errorf("all again: %v", forced.Remaining(nil, 0))
	}
}

// Searches take as long as their probes took so far, and need as many of them as those that have ended did.
func TestForecastOfSearches(t *testing.T) {
	p, known := trials()
	e := p.Experiments[0]
	for _, trial := range e.Trials {
		trial.Tune = []spec.Search{{Name: "workers", From: 1, To: 8, Probes: 3}} // 1, 2, 3, 5 and 8
	}
	f := NewETA()
	f.Add(p, plan.Placement{}, known, false)
	a, b := e.Trials[0], e.Trials[1]
	repetitions, probe := 6*f.each[a], f.searches[a].each
	near := func(what string, want time.Duration) {
		t.Helper()
		if got := f.Remaining(nil, 0); (got - want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("as estimated", repetitions+30*probe)
	var s record.Search
	probed := func(t *plan.Trial, took time.Duration) {
		s.Probes = append(s.Probes, record.Probe{Seconds: took.Seconds()})
		f.Searched(t, &s)
	}
	probed(a, 2*probe)
	near("after one that took twice as long", repetitions+29*2*probe)
	for range 5 {
		probed(a, 2*probe)
	}
	s.Stop = record.StopWorse
	f.Searched(a, &s)
	near("after two of five candidates were enough", repetitions+6*2*probe)
	if got, want := f.Share(nil, 0), (12*probe).Seconds()/(24*probe+repetitions).Seconds(); math.Abs(got-want) > 1e-3 {
		t.Errorf("share %v, want %v", got, want)
	}
	s = record.Search{}
	for range 7 {
		probed(b, 2*probe)
	}
	near("of one that goes on longer", repetitions+2*probe)
	s.Stop = record.StopLimit
	f.Searched(b, &s)
	near("after both", repetitions)
}
