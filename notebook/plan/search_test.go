package plan

import (
	"slices"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Tuned values are filled in wherever a template names them, in types and images, too. The identity of the trial stays.
func TestTuned(t *testing.T) {
	const body = "name: e\nservices: {s: {image: 'x:${{ tune.workers }}', command: 'run ${{ tune.workers }} ${{ " +
		"matrix.m }}', cpus: '${{ tune.workers }}'}}\n" +
		"matrix: {m: [a]}\ntune: {workers: {to: 8}, clients: {from: 10, to: 20}}\n" +
		"load: {target: 'http://s/${{ tune.clients }}', connections: '${{ tune.clients }}', duration: 10s}\n" +
		"prepare: {service: s, run: 'warm ${{ tune.workers }}'}\n"
	trial := mustPlan(t, text(block(body)), nil).Experiments[0].Trials[0]
	tuned := must.Get(trial.Tuned(map[string]int{"workers": 3, "clients": 15}))
	s := tuned.Services[0]
	if s.Image.Name != "x:3" || !slices.Equal(s.Command, []string{"run", "3", "a"}) || s.CPUs != 3 ||
		tuned.Load.Connections != 15 ||
		!slices.Equal(tuned.Prepare[0].Run, []string{"warm", "3"}) || tuned.Load.Target != "http://s/15" {
		t.Errorf("%+v with %+v after %+v", s, tuned.Load, tuned.Prepare)
	}
	if tuned.Key != trial.Key || tuned.Name != trial.Name || string(tuned.Definition) != string(trial.Definition) ||
		len(tuned.Deferred) != 0 {
		t.Errorf("it became %s with key %s", tuned.Name, tuned.Key)
	}
	if trial.Services[0].CPUs != 0 || len(trial.Deferred) == 0 {
		t.Errorf("the trial itself was changed: %+v", trial.Services[0])
	}
	if short := tuned.Short(); short.Load.Duration != 3*time.Second || tuned.Load.Duration != 10*time.Second {
		t.Errorf("a probe lasts %v, and a repetition %v", short.Load.Duration, tuned.Load.Duration)
	}
	_, err := trial.Tuned(map[string]int{"workers": 3, "clients": 1_000_000})
	assert.Error(t, err, `trial "a" with tune.clients 1000000 and tune.workers 3: `+
		`connections must be between 1 and 60000`)
}

// A probe of a capacity has its rate, and nothing that would end it sooner.
func TestAtRate(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/, arrivals: poisson}\n"+
		"capacity: {slo: latency.p99 < 100ms, from: 100/s, to: 2000/s}\n")), nil).Experiments[0]
	at := e.Trials[0].AtRate(250, 7*time.Second).Load
	if at.Rate != 250 || at.Duration != 7*time.Second || at.Arrivals != "poisson" || at.Requests != 0 {
		t.Errorf("%+v", at)
	}
	if closed := e.Trials[0].Short().Load; closed.Rate != 0 || closed.Arrivals != "" {
		t.Errorf("a probe of a value before it: %+v", closed)
	}
	if e.Digest == "" || e.Seed == 0 {
		t.Errorf("digest %q, seed %d", e.Digest, e.Seed)
	}
}

// A tuned value is taken from the cell whose parameters do not contradict those of the trial.
func TestTunedBy(t *testing.T) {
	p := mustPlan(t, text(block("name: e\nmatrix: {m: [a, b]}\nservices: {s: {image: 'x:${{ tune.workers }}'}}\n"+
		"tune: {workers: {to: 8}}\nload: {target: http://s/}\n"), "\n",
		block("name: f\nextends: e\nload: {rate: 5/s}\nmatrix: {n: [1, 2]}\n")), nil)
	for _, trial := range p.Experiments[1].Trials {
		e, by, own, err := p.TunedBy(p.Experiments[1], trial, trial.Tune[0])
		if err != nil || e.Name != "e" || own.To != 8 || by.Calibration || by.Parameters[0] != trial.Parameters[0] {
			t.Errorf("%s takes it from %v of %v: %v", trial.Name, by, e, err)
		}
	}
}
