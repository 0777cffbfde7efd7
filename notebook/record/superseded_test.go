package record

import (
	"fmt"
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
				out = append(out, &Record{Run: run, Host: host, Profile: profile, Experiment: "e", Trial: trial, Key: key, Repetition: k + 1, Planned: 2,
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
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, "quick", "k", "a", "b"), measured("20260903-c", "c8-000000", full, "k", "a", "b"),
		}, "k", nil},
		{"what was imported stays", [][]*Record{
			measured("20260901-a", ImportedHost, full, "k", "a", "b"), measured("20260902-b", ImportedHost, full, "k", "a", "b"),
		}, "k", nil},
		// A run of what was stale stands beside the one before: each of the two has cells that nobody else has.
		{"parts that are shown together", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a"), measured("20260903-c", here, full, "k", "b"),
		}, "k", nil},
		{"a part that was measured again", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a"), measured("20260903-c", here, full, "k", "a"),
		}, "k", []string{"20260902-b"}},
		{"an unfinished run that another one followed", [][]*Record{
			measured("20260901-a", here, full, "k", "a", "b"), measured("20260902-b", here, full, "k", "a")[:1], measured("20260903-c", here, full, "k", "a", "b"),
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

// Whatever was measured, each trial keeps as many complete sets as it takes to show it.
func FuzzSuperseded(f *testing.F) {
	f.Add("a1x a1x b1x a2y a2y a3x a3x", "x")
	f.Fuzz(func(t *testing.T, text, present string) {
		var records []*Record
		for i, word := range strings.Fields(text) {
			if len(word) < 3 || i >= 100 { // more of them show nothing else
				continue
			}
			records = append(records, &Record{Run: fmt.Sprintf("2026090%d-abcd", word[1]%5), Trial: word[:1], Key: word[2:], Planned: 2,
				Repetition: 1 + i%2, Order: Order{Of: 2}})
		}
		has := func(records []*Record) map[string]bool {
			n, out := map[string]map[int]bool{}, map[string]bool{}
			for _, r := range records {
				set := r.Trial + " " + r.Run + " " + r.Key
				if n[set] == nil {
					n[set] = map[int]bool{}
				}
				n[set][r.Repetition] = true
				if r.Key == present && len(n[set]) == r.Planned {
					out[r.Trial] = true
				}
			}
			return out
		}
		gone := Superseded(records, func(r *Record) bool { return r.Key == present })
		kept := slices.DeleteFunc(slices.Clone(records), func(r *Record) bool { return slices.Contains(gone, r) })
		before, after := has(records), has(kept)
		for trial := range before {
			if !after[trial] {
				t.Errorf("trial %q was fresh and is not: %d of %d records are left", trial, len(kept), len(records))
			}
		}
	})
}
