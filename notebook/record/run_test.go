package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// One go is one run: by the name that its records have, and in older records by what followed what.
func TestRuns(t *testing.T) {
	const slow = 5 * time.Minute // that an experiment took
	of := func(run, experiment string, minutes int, changes ...func(*Record)) *Record {
		started := time.Date(2026, 11, 20, 10, minutes, 0, 0, time.UTC)
		r := &Record{Article: "a", Experiment: experiment, Run: run, Profile: "full", Host: "c2-39de7f", Started: started,
			Ended: started.Add(slow)}
		for _, change := range changes {
			change(r)
		}
		return r
	}
	planned := func(r *Record) { r.Plans = map[string]string{"one": "1", "two": "2"} }
	on := func(host string) func(*Record) { return func(r *Record) { r.Host = host } }
	in := func(profile string) func(*Record) { return func(r *Record) { r.Profile = profile } }
	tests := []struct {
		name    string
		records []*Record
		want    string // the newest first
	}{
		{"a run of two experiments", []*Record{of("1", "one", 0, planned), of("1", "two", 10, planned)}, "1: one two"},
		{"two runs, one after the other", []*Record{of("1", "one", 0, planned), of("2", "two", 10, planned)},
			"2: two; 1: one"},
		{"a run that went on a day later", []*Record{of("1", "one", 0, planned), of("1", "two", 1440, planned)},
			"1: one two"},
		{"older, one experiment after the other", []*Record{of("1", "one", 0), of("2", "two", 10), of("3", "three", 60)},
			"1 2 3: one three two"},
		{"older, in any order", []*Record{of("3", "three", 60), of("1", "one", 0), of("2", "two", 10)},
			"1 2 3: one three two"},
		{"older, that went on a day later", []*Record{of("1", "one", 0), of("1", "one", 1440), of("2", "two", 1450)},
			"1 2: one two"},
		{"older, the same experiment again", []*Record{of("1", "one", 0), of("2", "two", 10), of("3", "one", 20)},
			"3: one; 1 2: one two"},
		{"older, twice", []*Record{of("1", "one", 0), of("2", "two", 10), of("3", "one", 20), of("4", "two", 30)},
			"3 4: one two; 1 2: one two"},
		{"older, a part of it the next day", []*Record{of("1", "one", 0), of("2", "two", 10), of("3", "two", 1440)},
			"3: two; 1 2: one two"},
		{"older, the other part the next day", []*Record{of("1", "one", 0), of("2", "two", 1440)}, "2: two; 1: one"},
		{"older, an hour between", []*Record{of("1", "one", 0), of("2", "two", 65), of("3", "three", 131)},
			"3: three; 1 2: one two"},
		{"older, before a newer one", []*Record{of("1", "one", 0), of("2", "two", 10, planned), of("3", "three", 20)},
			"3: three; 2: two; 1: one"},
		{"older, of two hosts", []*Record{of("1", "one", 0), of("2", "two", 10, on("c4-000000"))}, "2: two; 1: one"},
		{"older, of two profiles", []*Record{of("1", "one", 0), of("2", "two", 10, in("quick")), of("3", "three", 20)},
			"1 3: one three; 2: two"},
		{"none", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			n := 0
			for _, r := range Runs(test.records) {
				got = append(got, fmt.Sprint(strings.Join(r.Names, " "), ": ", strings.Join(r.Experiments, " ")))
				n += len(r.Records)
				for _, rec := range r.Records {
					if rec.Run > r.Name() || rec.Started.Before(r.Started) || rec.Ended.After(r.Ended) {
						t.Errorf("a record of %s, from %v to %v, is in run %s, from %v to %v", rec.Run, rec.Started, rec.Ended, r.Name(),
							r.Started, r.Ended)
					}
				}
			}
			if words := strings.Join(got, "; "); words != test.want || n != len(test.records) {
				t.Errorf("%d records in runs %q, want %d in %q", n, words, len(test.records), test.want)
			}
		})
	}
	records := tests[6].records // the same experiment again
	for name, want := range map[string][]string{"1": {"1", "2"}, "2": {"1", "2"}, "3": {"3"}, "other": {"other"}} {
		if got := RunNames(records, name); !slices.Equal(got, want) {
			t.Errorf("in one go with %s are %q, want %q", name, got, want)
		}
	}
}
