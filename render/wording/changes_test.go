package wording_test

import (
	"testing"

	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/render/wording"
)

// A cell that is not valid has its reason in a note, once for all metrics.
func TestVerdict(t *testing.T) {
	tests := []struct {
		name   string
		change compare.Change
		want   string
	}{
		{"shown", compare.Change{Verdict: "better"}, "better"},
		{"not shown", compare.Change{Verdict: "no difference shown", Reason: "the same within 5 %"},
			"no difference shown: the same within 5 %"},
		{"one side is not valid", compare.Change{Verdict: "not comparable", Reason: "A: invalid: errors 6 %",
			ResultA: dataset.Result{Missing: "invalid: errors 6 %"}}, "not comparable: A not valid"},
		{"neither side is", compare.Change{Verdict: "not comparable",
			Reason:  "A: invalid: errors 6 %; B: invalid: errors 7 %",
			ResultA: dataset.Result{Missing: "invalid: errors 6 %"}, ResultB: dataset.Result{Missing: "invalid: errors 7 %"}},
			"not comparable: A and B not valid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := wording.Verdict(&tt.change); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}
