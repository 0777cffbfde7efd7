package runner

import (
	"context"
	"testing"
	"testing/synctest"

	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/runner/machine"
)

// Records have what the machine was like before the repetition, and waiting is part of its time. After a disturbed
// repetition a run waits longer for rest.
func TestSettle(t *testing.T) {
	for _, tt := range []struct {
		name, profile      string
		foreign            float64
		disturbed, settled bool
		waited             float64
	}{
		{"at rest", plan.Full, 0, false, true, 0},
		{"a busy machine", plan.Full, 1, false, false, 3},
		{"after a disturbed repetition", plan.Full, 1, true, false, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRunner(newFake(), &quiet{})
				r.Settler = &machine.Settler{Noise: func(context.Context) machine.Noise {
					return machine.Noise{Foreign: tt.foreign}
				}}
				p := socketsPlan(t)
				p.Profile = tt.profile
				b := newTestBench(r, p, p.Experiments[0])
				b.disturbed, b.facts = tt.disturbed, map[string]string{}
				rec := must.Get(b.Measure(t.Context(), p.Experiments[0].Steps[0]))
				if rec.Before == nil || rec.Before.Settled != tt.settled || rec.Before.Waited != tt.waited ||
					rec.Parts["settle"] < tt.waited {
					t.Errorf("%+v, parts %v; want settled: %v after %v s", rec.Before, rec.Parts, tt.settled, tt.waited)
				}
			})
		})
	}
}
