package show

import (
	"testing"

	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
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
			if got := verdictWords(&tt.change); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFloorWords(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changes []compare.Change
		want    string
	}{
		{"measured", []compare.Change{{HasFloor: true}, {HasFloor: true, Floor: 0.012}}, "noise floor 1.20\u202f%"},
		{"measured to be nothing", []compare.Change{{HasFloor: true}}, "noise floor 0\u202f%"},
		{"not measured", []compare.Change{{NoFloor: "there is no A/A pair"}},
			"noise floor not measured: there is no A/A pair"},
		{"not asked for", []compare.Change{{}}, ""},
	} {
		if got := floorWords(tt.changes); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
