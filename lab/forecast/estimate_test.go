package forecast

import (
	"fmt"
	"testing"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// The widths of docs/method.md#words-and-defaults: 2.3 c, 1.5 c and 0.94 c.
func TestHalfWidth(t *testing.T) {
	for n, want := range map[int]string{3: "2.27", 5: "1.46", 10: "0.94"} {
		if got := fmt.Sprintf("%.2f", halfWidth(n, 0.05, 1)); got != want {
			t.Errorf("%d repetitions: got %s, want %s", n, got, want)
		}
	}
}

func TestEstimateInWords(t *testing.T) {
	tests := []struct {
		name     string
		estimate plan.Estimate
		most     time.Duration
		want     string
	}{
		{"a load", plan.Estimate{Overhead: 6 * time.Second, Warmup: 8 * time.Second, Window: 40 * time.Second,
			Total: 54 * time.Second}, 54 * time.Second,
			"about 54s: 6s starting and stopping, 8s warm-up, 40s measuring"},
		{"until decided", plan.Estimate{Overhead: 6 * time.Second, Window: 54 * time.Second, Total: time.Minute},
			7 * time.Minute, "about 1m 0s to 7m 0s, at least: 6s starting and stopping, 54s measuring"},
		{"with records", plan.Estimate{Overhead: 12 * time.Second, Total: 12 * time.Second, Recorded: true}, 0,
			"about 12s: 12s starting and stopping; as earlier repetitions took"},
		{"with a search", plan.Estimate{Overhead: time.Second, Searches: 2 * time.Minute, Total: 121 * time.Second,
			Guesses: []string{"5s for a command"}}, 0,
			"about 2m 1s: 1s starting and stopping, 2m 0s searching; assumed: 5s for a command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := inWords(tt.estimate, tt.most); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Trials without records of their own take as long as the others; repetitions that failed tell nothing.
func TestExperience(t *testing.T) {
	took := func(start, measure, stop float64) []*record.Record {
		return []*record.Record{{Parts: map[string]float64{"start": start, "measure": measure, "stop": stop}},
			{Failure: "it ended"}}
	}
	measured, missing := &plan.Trial{}, &plan.Trial{}
	e := &plan.Experiment{Trials: []*plan.Trial{measured, missing}}
	got := Experience(e, map[*plan.Trial]*TrialState{measured: {records: took(2, 9, 1)}, missing: {ToMeasure: 4}})
	want := plan.Experience{Pending: 4, Recorded: true, Window: 9 * time.Second, Overhead: 3 * time.Second,
		Probe: 3 * time.Second}
	if got(missing) != want {
		t.Errorf("got %+v, want %+v", got(missing), want)
	}
}

// Records of the nearest kind are what a trial is expected to take: its own under another profile, then those of the
// experiment, then those of other hosts, for as many requests as it sends; those of other experiments only tell what it
// takes to start and to stop.
func TestExperienceOfOthers(t *testing.T) {
	took := func(trial string, measure float64, attempted int64) *record.Record {
		return &record.Record{Trial: trial, Parts: map[string]float64{"start": 1, "measure": measure},
			Load: &record.Load{Attempted: attempted}}
	}
	search := &record.Record{Trial: "a", Search: &record.Search{}, Started: time.Unix(0, 0), Ended: time.Unix(90, 0)}
	a := &plan.Trial{Name: "a", Load: &spec.Load{Requests: 1000}}
	e := &plan.Experiment{Trials: []*plan.Trial{a}}
	tests := []struct {
		name  string
		known TrialState
		want  plan.Experience
	}{
		{"its own under another profile, with its search",
			TrialState{same: []*record.Record{took("a", 2, 100), took("b", 9, 100), search}},
			plan.Experience{Recorded: true, Window: 20 * time.Second, Overhead: time.Second, Search: 90 * time.Second}},
		{"another trial's", TrialState{same: []*record.Record{took("b", 3, 3000)}}, plan.Experience{Recorded: true,
			Window: time.Second, Overhead: time.Second}},
		{"its own on another host", TrialState{same: []*record.Record{took("a", 2, 1000)}, elsewhere: true},
			plan.Experience{Recorded: true, Window: 2 * time.Second, Overhead: time.Second, Elsewhere: true}},
		{"its own here before that", TrialState{records: []*record.Record{took("a", 5, 1000)},
			same: []*record.Record{took("a", 2, 1000)}, elsewhere: true},
			plan.Experience{Recorded: true, Window: 5 * time.Second, Overhead: time.Second}},
		{"another experiment's", TrialState{nearby: []*record.Record{took("a", 2, 1000)}}, plan.Experience{Recorded: true,
			Overhead: time.Second}},
		{"nobody's", TrialState{}, plan.Experience{}},
	}
	for _, tt := range tests {
		tt.want.Probe = tt.want.Overhead // there are no blocks
		if got := Experience(e, map[*plan.Trial]*TrialState{a: &tt.known})(a); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// A repetition waits for the requests of fewer clients than one of another profile did, and one in a block seldom for
// its services.
func TestOverheadOfOthers(t *testing.T) {
	took := func(connections int, facts map[string]string) []*record.Record {
		return []*record.Record{{Load: &record.Load{Connections: connections}, Facts: facts,
			Parts: map[string]float64{"settle": 0.1, "start": 2, "load": 50, "stop": 1, "measure": 20}}}
	}
	closed, open := &plan.Trial{Load: &spec.Load{Connections: 4}}, &plan.Trial{Load: &spec.Load{Connections: 4, Rate: 9}}
	rounds, blocks := &plan.Experiment{Looks: []int{3}}, &plan.Experiment{Looks: []int{3}, Blocks: true}
	tests := []struct {
		name    string
		e       *plan.Experiment
		t       *plan.Trial
		records []*record.Record
		want    time.Duration
	}{
		{"fewer clients", rounds, closed, took(100, nil), 5100 * time.Millisecond},
		{"as many clients", rounds, closed, took(4, nil), 53100 * time.Millisecond},
		{"fewer clients than it has", rounds, closed, took(2, nil), 53100 * time.Millisecond},
		{"a number of requests", rounds, &plan.Trial{Load: &spec.Load{Connections: 100, Requests: 9}}, took(100, nil),
			3600 * time.Millisecond},
		{"a rate", rounds, open, took(100, nil), 53100 * time.Millisecond},
		{"a block, as rounds took", blocks, closed, took(100, nil), 3300 * time.Millisecond},
		{"a block, as blocks took", blocks, closed, took(100, map[string]string{record.FactStart: "x"}),
			5100 * time.Millisecond},
	}
	for _, tt := range tests {
		if got := overhead(tt.e, tt.t, tt.records, tt.e.Blocks); (got - tt.want).Abs() > time.Millisecond {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	blocks.Trials = []*plan.Trial{closed}
	got := Experience(blocks, map[*plan.Trial]*TrialState{closed: {records: took(100, nil)}})(closed)
	if got.Overhead >= got.Probe || got.Probe.Round(time.Millisecond) != 5100*time.Millisecond {
		t.Errorf("a repetition takes %v, and a probe of a search, which starts services, %v", got.Overhead, got.Probe)
	}
}
