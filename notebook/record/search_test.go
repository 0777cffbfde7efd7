package record

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// searched is a search of a tuned value as a record.
func searched() *Record {
	r := sample()
	r.Repetition, r.Samples = 0, nil
	r.Search = &Search{Kind: SearchTune, Name: "workers", Metric: "throughput", Unit: "1/s", Better: "higher",
		Effect: 0.05, Chosen: 2, Stop: StopLimit,
		Matters: 1.9, Lo: 2, Hi: 3, Probes: []Probe{
			{Candidate: 2, Phase: PhaseProbe, Value: 190, Started: time.Unix(1e9, 0).UTC(), Seconds: 4.5,
				Samples: []Sample{{Metric: "throughput", Value: 190, Unit: "1/s"}}},
			{Candidate: 1, Phase: PhaseProbe, Value: 100, Started: time.Unix(1e9, 0).UTC(), Seconds: 4},
			{Candidate: 2, Phase: PhaseProbe, Value: 180, Invalid: "errors 6 %", Started: time.Unix(1e9, 0).UTC(), Seconds: 4},
			{Candidate: 3, Phase: PhaseProbe, Failure: "service s is gone", Started: time.Unix(1e9, 0).UTC(), Seconds: 1},
		}}
	return r
}

// A search is read as it was saved.
func TestSaveSearch(t *testing.T) {
	dir := Dir(t.TempDir())
	capacity := searched()
	capacity.Search = &Search{Kind: SearchCapacity, Metric: "latency.p99", Unit: "s", Better: "lower",
		Objective: "latency.p99 < 100ms", Stop: StopLimit, Lo: 800}
	save(dir, capacity, searched())
	records, bad, err := dir.Read()
	if err != nil || len(bad) > 0 || len(records) != 2 {
		t.Fatalf("%d records, %v, %v", len(records), bad, err)
	}
	for i, want := range []*Record{capacity, searched()} {
		if !reflect.DeepEqual(records[i].Search, want.Search) {
			t.Errorf("got %+v, want %+v", records[i].Search, want.Search)
		}
	}
	data, err := capacity.Line()
	if err != nil || strings.Contains(string(data), `"hi"`) {
		t.Errorf("a capacity of at least so much has an upper end: %s, %v", data, err)
	}
}

func TestCandidates(t *testing.T) {
	candidates := searched().Search.Candidates()
	var values, counts []float64
	for _, c := range candidates {
		values = append(values, c.Value)
		for _, p := range c.Probes {
			counts = append(counts, p.Counts())
		}
	}
	if !reflect.DeepEqual(values, []float64{1, 2, 3}) || !reflect.DeepEqual(counts, []float64{100, 190, 0, 0}) {
		t.Errorf("candidates %v, which count %v", values, counts)
	}
}

// What a run needs at least is what there is at its first look; older runs with a budget looked after three rounds.
func TestLeast(t *testing.T) {
	for _, test := range []struct {
		name string
		r    Record
		want int
	}{
		{"one look", Record{Planned: 5}, 5},
		{"one look, noted", Record{Planned: 5, Looks: []int{5}}, 5},
		{"several", Record{Planned: 20, Looks: []int{3, 5, 10, 20}}, 3},
	} {
		if got := test.r.Least(); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestHasLeast(t *testing.T) {
	for _, test := range []struct {
		name  string
		least int
		have  []int
		want  bool
	}{
		{"none", 3, nil, false},
		{"all", 3, []int{1, 2, 3}, true},
		{"all in another order", 3, []int{3, 1, 2}, true},
		{"one missing", 3, []int{1, 3}, false},
		{"one missing, and one that was measured again", 3, []int{1, 3, 4}, false},
		{"more", 3, []int{1, 2, 3, 4}, true},
		{"nothing asked for", 0, nil, true},
	} {
		has := func(k int) bool { return slices.Contains(test.have, k) }
		if got := HasFirst(test.least, has); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// A probe in which too few requests were answered for a percentile has none, and not one of no time at all.
func TestProbeHas(t *testing.T) {
	throughput := []Sample{{Metric: "throughput", Value: 190, Unit: "1/s"}}
	for name, test := range map[string]struct {
		probe Probe
		want  bool
	}{
		"measured":             {Probe{Value: 0.2, Samples: throughput}, true},
		"among failures":       {Probe{Samples: throughput}, false},
		"nothing at all":       {Probe{Samples: []Sample{{Metric: "latency.p99"}}}, true},
		"without what it read": {Probe{}, true},
		"failed":               {Probe{Failure: "service s is gone"}, false},
	} {
		if got := test.probe.Has("latency.p99"); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
