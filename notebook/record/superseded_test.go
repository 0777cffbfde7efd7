package record

import (
	"slices"
	"strings"
	"testing"
)

func TestSuperseded(t *testing.T) {
	// measured is a run of trials with two repetitions each of an experiment that has the trials a and b.
	measured := func(run, host, profile, key string, trials ...string) []*Record {
		var out []*Record
		for _, trial := range trials {
			for k := range 2 {
				out = append(out, &Record{Run: run, Host: host, Profile: profile, Experiment: "e", Trial: trial, Key: key,
					Repetition: k + 1, Planned: 2,
					Order: Order{Of: 4}})
			}
		}
		return out
	}
	const here, full = "c2-1f3a9b", "full"
	tests := []struct {
		name    string
		records [][]*Record
		present string // the key of the trials as they are planned now
		want    []string
	}{
		{"one run", [][]*Record{measured("20260901-a", here, full, "k", "a", "b")}, "k", nil},
		{"the last of each month stays", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a", "b"),
			measured("20261001-c", here, full, "k", "a", "b"), measured("20261002-d", here, full, "k", "a", "b"),
		}, "k", []string{"20260901-a", "20261001-c"}},
		{"hosts and profiles are apart", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, "quick", "k", "a", "b"),
			measured("20260903-c", "c8-000000", full, "k", "a", "b"),
		}, "k", nil},
		{"what was imported stays", [][]*Record{
			measured("20260901-a", ImportedHost, full, "k", "a", "b"), measured("20260902-b", ImportedHost, full, "k", "a", "b"),
		}, "k", nil},
		// A run of what was stale stands beside the one before: each of the two has cells that nobody else has.
		{"parts that are shown together", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a"),
			measured("20260903-c", here, full, "k", "b"),
		}, "k", nil},
		{"a part that was measured again", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a"),
			measured("20260903-c", here, full, "k", "a"),
		}, "k", []string{"20260902-b"}},
		{"an unfinished run that another one followed", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a")[:1],
			measured("20260903-c", here, full, "k", "a", "b"),
		}, "k", []string{"20260901-a", "20260902-b"}},
		{"an unfinished run that may go on", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a")[:1],
		}, "k", nil},
		{"what was measured before an article was changed, and changed back", [][]*Record{
			measured("20260901-a", here, full, "old", "a", "b"), measured("20260902-b", here, full, "new", "a", "b"),
		}, "old", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range Superseded(slices.Concat(tt.records...), func(r *Record) bool { return r.Key == tt.present }) {
				got = append(got, r.Run)
			}
			if got = slices.Compact(got); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Searches are no repetitions, and are not made again with them: what was found stays with the newest repetitions that
// were measured with it.
func TestSupersededSearches(t *testing.T) {
	const here, full = "c2-1f3a9b", "full"
	// repetitions are those of one trial of an experiment that has the trials a and b, with three each.
	repetitions := func(run, trial, key string, n int) []*Record {
		var out []*Record
		for k := range n {
			out = append(out, &Record{Run: run, Host: here, Profile: full, Experiment: "e", Trial: trial, Key: key,
				Repetition: k + 1, Planned: 3,
				Order: Order{Of: 6}})
		}
		return out
	}
	search := func(run, trial, key string, s Search) []*Record {
		return []*Record{{Run: run, Host: here, Profile: full, Experiment: "e", Trial: trial, Key: key, Search: &s}}
	}
	tune := func(chosen int) Search { return Search{Kind: SearchTune, Name: "workers", Chosen: chosen} }
	capacity := func(busy bool) Search { return Search{Kind: SearchCapacity, Busy: busy} }
	tests := []struct {
		name    string
		records [][]*Record
		present string
		want    []string // runs, each with what goes: its search, or the trial with its repetitions
	}{
		{"repetitions alone were measured again", [][]*Record{
			search("20260901-a", "a", "k", tune(4)), repetitions("20260901-a", "a", "k", 3), repetitions("20260901-a", "b", "k",
				3),
			repetitions("20260902-b", "a", "k", 3), repetitions("20260902-b", "b", "k", 3),
		}, "k", []string{"20260901-a a", "20260901-a b"}},
		{"a search does not stand for a repetition", [][]*Record{
			repetitions("20260801-a", "a", "k", 3), repetitions("20260801-a", "b", "k", 3),
			repetitions("20260901-b", "a", "k", 3), repetitions("20260901-b", "b", "k", 3),
			search("20260902-c", "a", "l", tune(4)), search("20260902-c", "b", "l", tune(4)),
			repetitions("20260902-c", "a", "l", 2), repetitions("20260902-c", "b", "l", 2),
			repetitions("20261001-d", "a", "l", 1),
		}, "l", []string{"20260902-c a", "20260902-c b"}},
		{"what found nothing goes", [][]*Record{
			search("20260901-a", "a", "k", tune(4)), repetitions("20260901-a", "a", "k", 3), repetitions("20260901-a", "b", "k",
				3),
			search("20260902-b", "a", "k", tune(0)), repetitions("20260903-c", "a", "l", 1),
		}, "k", []string{"20260902-b search"}},
		{"of what is shown as older", [][]*Record{
			search("20260901-a", "a", "k", tune(4)), repetitions("20260901-a", "a", "k", 3),
			search("20260902-b", "a", "l", tune(6)), search("20260903-c", "a", "m", tune(8)),
		}, "m", []string{"20260902-b search"}},
		{"capacities have a history", [][]*Record{
			search("20260801-a", "a", "k", capacity(false)), search("20260801-a", "b", "k", capacity(false)),
			search("20260802-b", "a", "k", capacity(false)),
			search("20260901-c", "a", "k", capacity(false)), search("20260901-c", "b", "k", capacity(false)),
			search("20261001-d", "a", "k", capacity(false)), search("20261001-d", "b", "k", capacity(false)),
		}, "k", []string{"20260802-b search"}},
		{"a capacity that could not be found anew", [][]*Record{
			search("20260901-a", "a", "k", capacity(false)), search("20260902-b", "b", "k", capacity(false)),
			search("20260903-c", "a", "k", capacity(true)),
		}, "k", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range Superseded(slices.Concat(tt.records...), func(r *Record) bool { return r.Key == tt.present }) {
				what := r.Trial
				if r.Search != nil {
					what = "search"
				}
				got = append(got, r.Run+" "+what)
			}
			if got = slices.Compact(got); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A trial that ended at its first look has all the repetitions that it needs; and lists stay with those who have their
// digests.
func TestSupersededOfLooks(t *testing.T) {
	const here, full = "c2-1f3a9b", "full"
	measured := func(run, trial, key string, n int) []*Record {
		var out []*Record
		for k := range n {
			out = append(out, &Record{Run: run, Host: here, Profile: full, Experiment: "e", Trial: trial, Key: key,
				Repetition: k + 1, Planned: 5, Looks: []int{3, 5},
				Order: Order{Of: 10}})
		}
		return out
	}
	a, b := measured("20260901-a", "a", "k", 3), measured("20260901-a", "b", "k", 5)
	b[0].Lists = map[string]string{"sha256:0": "bash 5.2"}
	again := measured("20260902-b", "b", "k", 5)
	last := measured("20260903-c", "b", "k", 1)

	// The first run is complete, and so the last of its month.
	records := slices.Concat(a, b, again, last)
	if gone := Superseded(records, func(*Record) bool { return true }); len(gone) != 0 {
		t.Errorf("%d records go, the first of run %s", len(gone), gone[0].Run)
	}
	// Without being that, it keeps the trial that is as planned now, and the list.
	whole := measured("20260902-b", "b", "l", 5)
	whole = append(whole, measured("20260902-b", "a", "l", 5)...)
	records = slices.Concat(a, b, whole, measured("20260903-c", "b", "l", 1))
	present := func(r *Record) bool { return r.Trial == "a" && r.Key == "k" || r.Trial == "b" && r.Key == "l" }
	gone := Superseded(records, present)
	for _, r := range gone {
		if r.Trial == "a" || r.Run != "20260901-a" || r == b[0] {
			t.Errorf("%s-%d of run %s goes", r.Trial, r.Repetition, r.Run)
		}
	}
	if len(gone) != 4 {
		t.Errorf("%d records go, want the four of b that nothing needs", len(gone))
	}
}

// What stays of a run stays with the A/A pair of that run.
func TestSupersededPair(t *testing.T) {
	measured := func(run, trial, key string, twin bool) []*Record {
		var out []*Record
		for k := range 3 {
			parameters := []Parameter{{Name: "server", Value: strings.TrimSuffix(trial, " again")}}
			out = append(out, &Record{Run: run, Host: "c2-1f3a9b", Profile: "full", Experiment: "e", Trial: trial, Key: key,
				Repetition: k + 1, Planned: 3,
				Calibration: twin, Parameters: parameters, Order: Order{Of: 12}})
		}
		return out
	}
	run := func(run, a, c string) []*Record {
		return slices.Concat(measured(run, "a", a, false), measured(run, "a again", a+"2", true),
			measured(run, "b", "k", false), measured(run, "c", c, false))
	}
	records := slices.Concat(run("20260901-a", "k", "k"), run("20260902-b", "l", "l"), measured("20260903-c", "a", "l",
		false))
	var gone []string
	present := func(r *Record) bool {
		return r.Trial == "c" && r.Key == "k" || r.Trial != "c" && strings.HasPrefix(r.Key, "l")
	}
	for _, r := range Superseded(records, present) {
		gone = append(gone, r.Run+" "+r.Trial)
	}
	if got, want := slices.Compact(gone), []string{"20260901-a b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
