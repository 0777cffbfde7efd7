package integrity

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
)

// Steps and journeys that contradict the requests of a load are found.
func TestJourneys(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*record.Journeys)
		want   string
	}{
		{"as they are", func(*record.Journeys) {}, ""},
		{"no steps", func(j *record.Journeys) { j.Steps = nil }, ""},
		{"requests", func(j *record.Journeys) { j.Steps[1].Attempted++ }, "steps have 21 requests, and attempted is 20"},
		{"failures", func(j *record.Journeys) { j.Steps[1].Failures["wrong"] = 2 }, "steps have 2 failures, and failed is 1"},
		{"right journeys", func(j *record.Journeys) { j.Failed = 0 },
			"load.journeys.attempted is 9, and 8 were right and 0 failed"},
		{"journeys without a request", func(j *record.Journeys) { j.Attempted, j.Failed = 12, 4 },
			"load.journeys.attempted is 12, and the first step has 11 requests"},
	} {
		r := &record.Record{Load: &record.Load{Attempted: 20, Failed: 1, Journeys: &record.Journeys{Attempted: 9, Failed: 1,
			Steps: []record.Step{{Name: "a", Attempted: 11},
				{Name: "b", Attempted: 9, Failures: map[string]int64{"wrong": 1}}}}},
			Histograms: map[string]record.Histogram{"journey": {Count: 8}}, Doubts: &record.Doubts{}}
		tt.change(r.Load.Journeys)
		checkJourneys(finder{r})
		got := r.Doubts.Invalid
		if tt.want == "" && len(got) > 0 ||
			tt.want != "" && !slices.ContainsFunc(got, func(words string) bool { return strings.Contains(words, tt.want) }) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
