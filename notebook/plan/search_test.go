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
