package runner

import (
	"slices"
	"testing"
	"time"

	"benchbook/notebook/record"
)

// settled is a Judge that knows when each trial is decided.
type settled struct {
	after  map[string]int // schedule, by trial
	levels []float64
}

func (s *settled) Decided(_ string, records []*record.Record, level float64) ([]string, error) {
	s.levels = append(s.levels, level)
	schedule := 0
	for _, r := range records {
		schedule = max(schedule, r.Repetition)
	}
	var out []string
	for trial, after := range s.after {
		if schedule >= after {
			out = append(out, trial)
		}
	}
	return out, nil
}

func budgeted(s *settled) Options {
	return Options{Budget: time.Hour, Deadline: time.Now().Add(time.Hour), Judge: s}
}

func repetitionsOf(records []*record.Record, trial string) (n int) {
	for _, r := range records {
		if r.Trial == trial && r.Search == nil {
			n++
		}
	}
	return n
}

// Cells that are decided stop at the next look, with the copy of theirs; the others go on, none gets more than planned.
func TestBudget(t *testing.T) {
	ten := []string{"repetitions: 3", "repetitions: 10", "calibrate: false\n", ""}
	p, store, b := socketsPlan(t, ten...), &memory{}, &simulation{}
	judge := &settled{after: map[string]int{"sync": 4}}
	sum := carryOut(t, b, p, store, budgeted(judge))
	for trial, want := range map[string]int{"sync": 5, "sync again": 5, "async": 10} {
		if n := repetitionsOf(store.records, trial); n != want {
			t.Errorf("%s was measured %d times, want %d", trial, n, want)
		}
	}
	if sum.Stopped != 10 || sum.OutOfTime || len(judge.levels) != 2 || judge.levels[0] != 0.05/3 {
		t.Errorf("%+v, judged at %v", sum, judge.levels)
	}
	var looks []record.Look
	for _, r := range store.records {
		if r.Budget == nil || r.Budget.Seconds != 3600 {
			t.Fatalf("%s-%d says of its budget %+v", r.Trial, r.Repetition, r.Budget)
		}
		if r.Budget.Look != nil {
			looks = append(looks, *r.Budget.Look)
		}
	}
	if len(looks) != 2 || looks[0].Rounds != 3 || len(looks[0].Stopped) != 0 || looks[1].Rounds != 5 ||
		!slices.Equal(looks[1].Stopped, []string{"sync", "sync again"}) {
		t.Errorf("looks %+v", looks)
	}
	// What was stopped is done, with a budget or without one; more repetitions are a new run, planned whole.
	if n := Pending(p, store.records, "c2-abcdef", Options{}); n != 0 {
		t.Errorf("%d pending", n)
	}
	ten[1] = "repetitions: 11"
	if n := Pending(socketsPlan(t, ten...), store.records, "c2-abcdef", Options{}); n != 33 {
		t.Errorf("%d pending of a larger plan, want all 33", n)
	}
}

// A look is saved with the last repetition of its round: a run that is killed before has not taken it, and takes it
// when it goes on.
func TestBudgetGoesOn(t *testing.T) {
	p, b := socketsPlan(t, "repetitions: 3", "repetitions: 5"), &simulation{}
	whole := &memory{}
	carryOut(t, b, p, whole, budgeted(&settled{after: map[string]int{"sync": 3}}))
	for killed := range whole.records {
		store := &memory{records: slices.Clone(whole.records[:killed])}
		carryOut(t, b, p, store, budgeted(&settled{after: map[string]int{"sync": 3}}))
		if sync, async := repetitionsOf(store.records, "sync"), repetitionsOf(store.records, "async"); sync != 3 ||
			async != 5 {
			t.Errorf("killed after %d repetitions it went on to %d of sync and %d of async", killed, sync, async)
		}
	}
	// Without a budget it goes on as well, and what was stopped stays so.
	store := &memory{records: slices.Clone(whole.records[:7])}
	carryOut(t, b, p, store, Options{})
	if sync, async := repetitionsOf(store.records, "sync"), repetitionsOf(store.records, "async"); sync != 3 ||
		async != 5 {
		t.Errorf("without a budget it went on to %d of sync and %d of async", sync, async)
	}
}

// When the time is over the run ends with what it has, and the next one goes on.
func TestOutOfTime(t *testing.T) {
	p, store, b := newPlan(t, pool()), &memory{}, &simulation{throughput: curve}
	over := Options{Budget: time.Second, Deadline: time.Now().Add(-time.Second)}
	if sum := carryOut(t, b, p, store, over); !sum.OutOfTime || len(store.records) != 0 {
		t.Errorf("%+v: %s", sum, store.trials())
	}
	if sum := carryOut(t, b, p, store, Options{}); sum.OutOfTime || sum.Measured != 6 {
		t.Errorf("%+v", sum)
	}
}

// Cells that are measured one after another have no schedule to look at.
func TestBudgetOfASequence(t *testing.T) {
	p, store := socketsPlan(t, "repetitions: 3", "repetitions: 5\norder: sequential"), &memory{}
	carryOut(t, &simulation{}, p, store, budgeted(&settled{after: map[string]int{"sync": 1}}))
	if n := repetitionsOf(store.records, "sync"); n != 5 || store.records[0].Budget == nil {
		t.Errorf("sync was measured %d times, with the budget %+v", n, store.records[0].Budget)
	}
}
