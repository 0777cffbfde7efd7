package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
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

// numbersOf counts the repetitions of trials.
func numbersOf(records []*record.Record) map[string]int {
	out := map[string]int{}
	for _, r := range records {
		if r.Search == nil {
			out[r.Trial]++
		}
	}
	return out
}

// After each look the trials go on that are undecided, and the A/A pair with them.
func TestLooks(t *testing.T) {
	for _, tt := range []struct {
		name, repetitions, calibrate string
		until                        map[string]int
		want                         map[string]int
		spared                       int
	}{
		{"all decided at the first look", "up to 20", "true", nil,
			map[string]int{"sync": 3, "sync again": 3, "async": 3}, 51},
		{"nothing ever decided", "up to 10", "true", map[string]int{"sync": never, "async": never},
			map[string]int{"sync": 10, "sync again": 10, "async": 10}, 0},
		{"one decided later, which the pair follows", "up to 20", "true", map[string]int{"async": 5},
			map[string]int{"sync": 5, "sync again": 5, "async": 5}, 45},
		{"one decided later, without a pair", "up to 20", "false",
			map[string]int{"async": 10, "sync": 4}, map[string]int{"sync": 5, "async": 10}, 25},
		{"looks of its own", "{looks: [2, 4, 9]}", "false", map[string]int{"async": 3, "sync": 5},
			map[string]int{"sync": 9, "async": 4}, 5},
		{"one look", "4", "false", map[string]int{"async": never}, map[string]int{"sync": 4, "async": 4}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := socketsPlan(t, "repetitions: 3", "repetitions: "+tt.repetitions,
				"calibrate: false", "calibrate: "+tt.calibrate)
			store := &memory{}
			sum := carryOut(t, &simulation{}, p, store, Options{Open: undecided(tt.until)})
			if got := numbersOf(store.records); !maps.Equal(got, tt.want) || sum.Spared != tt.spared {
				t.Errorf("measured %v, want %v; spared %d, want %d", got, tt.want, sum.Spared, tt.spared)
			}
			e := p.Experiments[0]
			for _, r := range store.records {
				if !slices.Equal(r.Looks, e.Looks) || r.Planned != e.Most() || r.Run != store.records[0].Run {
					t.Fatalf("%s-%d has looks %v, %d planned, run %s", r.Trial, r.Repetition, r.Looks, r.Planned, r.Run)
				}
			}
			if n := Pending(p, store.records, "c2-abcdef", Options{Open: undecided(tt.until)}); n != 0 {
				t.Errorf("%d pending", n)
			}
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
		if left != upTo-killed {
			t.Errorf("killed after %d: %d pending, want %d", killed, left, upTo-killed)
		}
		carryOut(t, &simulation{}, p, store, judge)
		if got, want := names(store.records), names(whole.records); !slices.Equal(got, want) {
			t.Errorf("killed after %d it went on to\n%s, want\n%s", killed, got, want)
		}
	}
}

// What is cancelled between two looks is no result, and goes on.
func TestLooksCancelled(t *testing.T) {
	p, store := socketsPlan(t, "repetitions: 3", "repetitions: up to 5"), &memory{}
	judge := Options{Open: undecided(map[string]int{"async": never, "sync": never})}
	ctx, cancel := context.WithCancel(t.Context())
	progress := &quiet{atEnd: func(done int) {
		if done == 7 {
			cancel()
		}
	}}
	r := newRunner(fake.New((&simulation{}).script(t)), progress)
	if _, err := r.Run(ctx, p, store, judge); !errors.Is(err, context.Canceled) || len(store.records) != 7 {
		t.Fatalf("%v with %d records", err, len(store.records))
	}
	carryOut(t, &simulation{}, p, store, judge)
	if got := numbersOf(store.records); got["sync"] != 5 || got["async"] != 5 {
		t.Errorf("measured %v", got)
	}
}

// More rounds of a plan with looks are added to its run, of the trials that are undecided; a plan of another plain
// number is another run.
func TestAddedRounds(t *testing.T) {
	planned := func(repetitions string) *plan.Plan {
		return socketsPlan(t, "repetitions: 3", "repetitions: "+repetitions, "calibrate: true", "calibrate: false")
	}
	judge := Options{Open: undecided(map[string]int{"async": never})}
	store := &memory{}
	carryOut(t, &simulation{}, planned("up to 5"), store, judge)
	carryOut(t, &simulation{}, planned("up to 10"), store, judge)
	last := store.records[len(store.records)-1]
	if got := numbersOf(store.records); got["sync"] != 3 || got["async"] != 10 || last.Run != store.records[0].Run ||
		!slices.Equal(last.Looks, []int{3, 5, 10}) {
		t.Errorf("measured %v, the last with looks %v in run %s", got, last.Looks, last.Run)
	}
	if n := Pending(planned("up to 3"), store.records, "c2-abcdef", judge); n != 0 {
		t.Errorf("%d pending of a smaller plan", n)
	}
	if n := Pending(planned("8"), store.records, "c2-abcdef", judge); n != 8 {
		t.Errorf("%d pending of eight, want all of the trial that has fewer", n)
	}

	fixed := &memory{}
	carryOut(t, &simulation{}, planned("3"), fixed, judge)
	if n := Pending(planned("4"), fixed.records, "c2-abcdef", judge); n != 8 {
		t.Errorf("%d pending of four instead of three, want all", n)
	}
	// What another plan measured and is undecided begins anew, beside what is decided.
	carryOut(t, &simulation{}, planned("up to 5"), fixed, judge)
	if got := numbersOf(fixed.records); got["sync"] != 3 || got["async"] != 3+5 {
		t.Errorf("measured %v", got)
	}
}

// A claim that becomes undecided makes its trials go on: those that are behind first.
func TestReopened(t *testing.T) {
	p, store := socketsPlan(t, "repetitions: 3", "repetitions: up to 20"), &memory{}
	carryOut(t, &simulation{}, p, store, Options{Open: undecided(map[string]int{"async": 10})})
	open := Options{Open: undecided(map[string]int{"async": never, "sync": never})}
	next := NextOf(p, store.records, "c2-abcdef", open).ByTrial()
	for trial, todo := range next {
		if trial.Name != "sync" || todo != (Todo{Count: 2, UpTo: 5}) {
			t.Errorf("next of %s: %+v", trial.Name, todo)
		}
	}
	carryOut(t, &simulation{}, p, store, open)
	if got := numbersOf(store.records); len(next) != 1 || got["sync"] != 20 || got["async"] != 20 {
		t.Errorf("%d at first, in the end %v", len(next), got)
	}
	if n := Pending(p, store.records, "c2-abcdef", Options{Open: undecided(nil)}); n != 0 {
		t.Errorf("%d pending once it is decided", n)
	}
}

// All experiments come to a look together, as claims may be about several of them.
func TestExperimentsLookTogether(t *testing.T) {
	one := strings.NewReplacer("repetitions: 3", "repetitions: up to 10", "calibrate: true", "calibrate: false").
		Replace(fmt.Sprintf(sockets, "```"))
	_, block, _ := strings.Cut(one, "```yaml experiment")
	block, _, _ = strings.Cut(block, "```")
	p := newPlan(t, one+"\n```yaml experiment"+strings.Replace(block, "name: sockets", "name: more", 1)+"```\n")
	store := &memory{}
	carryOut(t, &simulation{}, p, store, Options{Open: func(records []*record.Record) map[string][]string {
		if len(records) < 16 {
			return map[string][]string{"sockets": {"sync"}, "more": {"async"}}
		}
		return nil
	}})
	var got []string
	for _, r := range store.records {
		words := fmt.Sprint(r.Experiment, " ", map[bool]string{true: "up to 3", false: "up to 5"}[r.Repetition <= 3])
		if len(got) == 0 || got[len(got)-1] != words {
			got = append(got, words)
		}
	}
	if want := []string{"sockets up to 3", "more up to 3", "sockets up to 5", "more up to 5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What the machine disturbed is measured again before anything is judged.
func TestLooksAfterRetries(t *testing.T) {
	p := socketsPlan(t, "repetitions: 3", "repetitions: up to 5")
	store := &busy{stolen: func(r *record.Record) bool { return r.Trial == "sync" && r.Repetition == 2 }}
	var seen []int
	sum, err := newRunner(fake.New(longScript(t)), &quiet{}).Run(t.Context(), p, store,
		Options{Open: func(records []*record.Record) map[string][]string {
			seen = append(seen, len(records))
			if len(records) < 8 {
				return map[string][]string{"sockets": {"sync", "async"}}
			}
			return nil
		}})
	if err != nil || sum.Again != 1 || seen[0] != 7 {
		t.Errorf("%+v, %v; judged %v records", sum, err, seen)
	}
	again := store.records[6]
	if got := numbersOf(store.records); got["sync"] != 6 || got["async"] != 5 || again.Repetition != 6 ||
		again.Order.Replaces != 2 {
		t.Errorf("measured %v, %s-%d in the place of %d", got, again.Trial, again.Repetition, again.Order.Replaces)
	}
}

// A trial that cannot go on, since it was given up or not asked for, holds no other one back.
func TestLooksOfOthers(t *testing.T) {
	p := socketsPlan(t, "repetitions: 3", "repetitions: up to 20", "calibrate: true", "calibrate: false")
	judge := Options{Open: undecided(map[string]int{"sync": never, "async": never})}
	s, starts := script(t), 0
	s.Start = func(_ context.Context, service engine.Service) error {
		for _, f := range service.Configs {
			if strings.Contains(string(f.Data), "async") {
				if starts++; starts > 5 {
					return &engine.NotReadyError{Service: service.Name, Reason: errors.New("nothing listens on port 8080")}
				}
			}
		}
		return nil
	}
	store := &memory{}
	sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, judge)
	if got := numbersOf(store.records); err != nil || got["sync"] != 20 || got["async"] != 8 || sum.Spared != 0 {
		t.Errorf("one is given up: %v, measured %v, spared %d", err, got, sum.Spared)
	}
	store = &memory{}
	judge.Only = func(_ *plan.Experiment, t *plan.Trial) bool { return t.Name == "async" }
	sum = carryOut(t, &simulation{}, p, store, judge)
	if got := numbersOf(store.records); got["async"] != 20 || got["sync"] != 0 || sum.Spared != 0 {
		t.Errorf("one is left out: measured %v, spared %d", got, sum.Spared)
	}
	store = &memory{records: firstLook(t, p)}
	carryOut(t, &simulation{}, p, store, judge)
	if got := numbersOf(store.records); got["async"] != 20 || got["sync"] != 3 {
		t.Errorf("one is left out after the first look: measured %v", got)
	}
}

// firstLook are the records of a run whose claims are decided at the first look.
func firstLook(t *testing.T, p *plan.Plan) []*record.Record {
	t.Helper()
	store := &memory{}
	carryOut(t, &simulation{}, p, store, Options{Open: undecided(nil)})
	return store.records
}

// A forced run takes the same looks, in one run of its own.
func TestForcedLooks(t *testing.T) {
	p, store := socketsPlan(t, "repetitions: 3", "repetitions: up to 5"), &memory{}
	judge := undecided(map[string]int{"sync": never, "async": never})
	carryOut(t, &simulation{}, p, store, Options{Open: judge})
	first := len(store.records)
	carryOut(t, &simulation{}, p, store, Options{Open: judge, Force: true})
	runs := map[string]int{}
	for _, r := range store.records[first:] {
		runs[r.Run]++
	}
	if len(runs) != 1 || runs[store.records[0].Run] != 0 || len(store.records) != 2*first {
		t.Errorf("forced: %v after %d", runs, first)
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
		if !slices.Equal(r.Looks, []int{3, 5}) {
			t.Errorf("%s-%d has looks %v", r.Trial, r.Repetition, r.Looks)
		}
	}
}
