package runner

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// undecided judges by numbers of repetitions alone: trials are open until they have so many.
func undecided(until map[string]int) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		have := map[string]map[string]int{}
		for _, r := range records {
			if have[r.Experiment] == nil {
				have[r.Experiment] = map[string]int{}
			}
			have[r.Experiment][r.Trial] = max(have[r.Experiment][r.Trial], r.Repetition)
		}
		out := map[string][]string{}
		for experiment, trials := range have {
			for trial, n := range trials {
				if n < until[trial] {
					out[experiment] = append(out[experiment], trial)
				}
			}
		}
		return out
	}
}

// never is more repetitions than any plan has.
const never = 1000

// After each look the trials go on that are undecided, and the A/A pair with them. TestMissing has the rule.
func TestLooks(t *testing.T) {
	for _, tt := range []struct {
		name, repetitions, calibrate string
		until                        map[string]int
		want                         map[string]int
		spared                       int
	}{
		{"one decided later, which the pair follows", "up to 20", "true", map[string]int{"async": 5},
			map[string]int{"sync": 5, "sync again": 5, "async": 5}, 45},
		{"one decided later, without a pair", "up to 20", "false",
			map[string]int{"async": 10, "sync": 4}, map[string]int{"sync": 5, "async": 10}, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := socketsPlan(t, "repetitions: 3", "repetitions: "+tt.repetitions,
				"calibrate: false", "calibrate: "+tt.calibrate)
			store := &memory{}
			sum := carryOut(t, &simulation{}, p, store, Options{Open: undecided(tt.until)})
			got := map[string]int{}
			for _, r := range store.records {
				got[r.Trial]++
			}
			if !maps.Equal(got, tt.want) || sum.Spared != tt.spared {
				t.Errorf("measured %v, want %v; spared %d, want %d", got, tt.want, sum.Spared, tt.spared)
			}
			e := p.Experiments[0]
			for _, r := range store.records {
				if !slices.Equal(r.Looks, e.Looks) || r.Planned != e.Most() || r.Run != store.records[0].Run {
					t.Fatalf("%s-%d has looks %v, %d planned, run %s", r.Trial, r.Repetition, r.Looks, r.Planned, r.Run)
				}
			}
			assert.Equal(t, Pending(p, store.records, "c2-abcdef", Options{Open: undecided(tt.until)}), 0, "pending")
		})
	}
}

// Wherever a run is killed, it goes on as if it had not been: what a look decided is found again from what it had seen.
func TestLooksGoOn(t *testing.T) {
	slowtest.Skip(t)
	p := socketsPlan(t, "repetitions: 3", "repetitions: up to 10", "calibrate: false", "calibrate: true")
	judge := Options{Open: undecided(map[string]int{"async": 5})}
	whole := &memory{}
	carryOut(t, &simulation{}, p, whole, judge)
	names := func(records []*record.Record) (out []string) {
		for _, r := range records {
			out = append(out, fmt.Sprintf("%s-%d at %d", r.Trial, r.Repetition, r.Order.Position))
		}
		return out
	}
	for killed := range whole.records {
		store := &memory{records: slices.Clone(whole.records[:killed])}
		left := Pending(p, store.records, "c2-abcdef", judge)
		upTo := 9 // all up to the first look
		if killed >= 9 {
			upTo = 15
		}
		assert.Equal(t, left, upTo-killed, "killed after %d: pending", killed)
		carryOut(t, &simulation{}, p, store, judge)
		if got, want := names(store.records), names(whole.records); !slices.Equal(got, want) {
			t.Errorf("killed after %d it went on to\n%s, want\n%s", killed, got, want)
		}
	}
}

// A budget changes no look: when its time is over the run ends with what it has, and the next one goes on.
func TestBudget(t *testing.T) {
	p, store := socketsPlan(t, "repetitions: 3", "repetitions: up to 5"), &memory{}
	judge := undecided(map[string]int{"sync": never, "async": never})
	over := Options{Open: judge, Deadline: time.Now().Add(-time.Second)}
	if sum := carryOut(t, &simulation{}, p, store, over); !sum.OutOfTime || len(store.records) != 0 || sum.Spared != 0 {
		t.Errorf("%+v with %d records", sum, len(store.records))
	}
	inTime := Options{Open: judge, Deadline: time.Now().Add(time.Hour)}
	if sum := carryOut(t, &simulation{}, p, store, inTime); sum.OutOfTime || len(store.records) != 10 {
		t.Errorf("%+v with %d records", sum, len(store.records))
	}
	for _, r := range store.records {
		assert.Slice(t, r.Looks, []int{3, 5}, "%s-%d has looks", r.Trial, r.Repetition)
	}
}
