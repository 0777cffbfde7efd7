package runner

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// undecided keeps trials open until they have given numbers of repetitions.
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

// After each look, undecided trials and the A/A pair continue. TestMissing tests the rule. A killed run continues as if
// it had not been killed, because the decision of a look can be derived again from the records of that time.
func TestLooks(t *testing.T) {
	slowtest.Skip(t)
	p := socketsPlan(t, "repetitions: 3", "repetitions: up to 10", "calibrate: false", "calibrate: true")
	judge := Options{Open: undecided(map[string]int{"async": 5})}
	whole := &memory{}
	sum := carryOut(t, &simulation{}, p, whole, judge)
	measured := map[string]int{}
	for _, r := range whole.records {
		measured[r.Trial]++
		if r.Run != whole.records[0].Run || r.Planned != 10 || !slices.Equal(r.Looks, p.Experiments[0].Looks) {
			t.Fatalf("%s-%d has looks %v, %d planned, run %s", r.Trial, r.Repetition, r.Looks, r.Planned, r.Run)
		}
	}
	assert.Map(t, measured, map[string]int{"sync": 5, "sync again": 5, "async": 5}, "measured")
	assert.Equal(t, sum.Spared, 15, "spared")
	assert.Equal(t, Pending(p, whole.records, "c2-abcdef", judge), 0, "pending")
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
		assert.Slice(t, names(store.records), names(whole.records), "killed after %d", killed)
	}
}

// A budget changes no look: when its time is over, the run ends, and the next run continues.
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
