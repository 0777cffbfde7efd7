package compare

import (
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Changes of what searches found are shown where the intervals lie apart.
func TestSearchedChanges(t *testing.T) {
	before, after := searched(t).dataset(dataset.Options{}), searched(t)
	for _, r := range after.Records {
		if r.Experiment == "ceiling" && r.Trial == "a" {
			r.Search, r.Run = &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: 800, Hi: 840}, "2"
		}
		if r.Experiment == "ceiling" && r.Trial == "b" {
			r.Search, r.Run = &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: 910, Hi: 950}, "2"
		}
	}
	changes := must.Get(Compare([]Sides{{A: before, B: after.dataset(dataset.Options{}), Experiments: []string{"ceiling"}}},
		ChangeOptions{}))
	got := map[string]stats.Shift{}
	for _, c := range changes {
		got[c.A.Trial.Name] = c.Verdict
	}
	if got["a"] != stats.Better || got["b"] != stats.NotShown {
		t.Errorf("%v", got)
	}
}
