package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// measuredIn returns the records of an article by experiment. It fails the test if one has failed.
func measuredIn(t testing.TB, folder string) map[string][]*record.Record {
	t.Helper()
	out := map[string][]*record.Record{}
	for _, r := range recordsIn(t, folder) {
		assert.Equal(t, r.Failure, "", "failure of %s %s\n%s", r.Experiment, r.Trial, r.Log)
		out[r.Experiment] = append(out[r.Experiment], r)
	}
	return out
}

// Hooks, shared services, volumes and scaled services behave on an engine as in the manual.
func TestLifeCycleOnAnEngine(t *testing.T) {
	w := beside(t)
	dir, folder := project(t, "life", fixture(t, "life"))
	t.Log(mustRun(t, w, "-C", dir, "run"))
	records := measuredIn(t, folder)
	if planned(records["rows"]) != 2 || planned(records["scaled"]) != 1 {
		t.Fatalf("%d and %d records", len(records["rows"]), len(records["scaled"]))
	}
	value := func(r *record.Record, metric string) float64 {
		s, ok := r.Sample(metric)
		assert.Equal(t, ok, true, "%s has %s: %s", r.Experiment, metric, r.Missing[metric])
		return s.Value
	}
	slices.SortFunc(records["rows"], func(a, b *record.Record) int { return a.Repetition - b.Repetition })
	for i, r := range records["rows"] {
		if value(r, "repetitions.so.far") != float64(i+1) || value(r, "starts") != 1 {
			t.Errorf("repetition %d: %v so far, of %v starts", i+1, value(r, "repetitions.so.far"), value(r, "starts"))
		}
		if r.Facts["shared.start"] == "" || r.Facts["shared.start"] != records["rows"][0].Facts["shared.start"] {
			t.Errorf("start %q", r.Facts["shared.start"])
		}
		for _, metric := range []string{"cpu.db", "memory.client"} {
			value(r, metric)
		}
	}
	if l := records["scaled"][0].Load; l.Attempted != 300 || l.Failed != 0 {
		t.Errorf("the scaled service answered %d of %d", l.Attempted-l.Failed, l.Attempted)
	}

	// Behind a link connections go round the containers, so that the first of two has about half of the requests.
	var of int
	late := records["behind"][0].Facts["origin.late.server"]
	if _, err := fmt.Sscanf(late[strings.LastIndex(late, " of ")+1:], "of %d", &of); err != nil || of < 10 || of > 90 {
		t.Errorf("the first container behind a link answered %q, want about half of 100", late)
	}

	// Each of its containers is asked.
	said := mustRun(t, w, "-C", dir, "check", "--services", "life#scaled")
	assert.Equal(t, strings.Count(said, " answers 200 with 100 bytes"), 3, "answers of each container:\n%s", said)
}
