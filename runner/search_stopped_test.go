package runner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/slowtest"
)

// stopAfter begins to carry out a plan and stops when so many probes were made, of which some were disturbed.
func stopAfter(t *testing.T, b *simulation, p *plan.Plan, store *memory, probes int, disturbed ...int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := newRunner(fake.New(b.script(t)), &quiet{atProbe: func(n int) {
		if n == probes {
			cancel()
		}
	}})
	if len(disturbed) > 0 {
		r.Requests = &disturbing{Driver: r.Requests, skip: disturbed[0], left: disturbed[1]}
	}
	if _, err := r.Run(ctx, p, store, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("after %d probes it ended with %v", probes, err)
	}
}

// timeless is a search without what differs each time that it is made.
func timeless(s *record.Search) record.Search {
	out := *s
	out.Probes = slices.Clone(s.Probes)
	for i := range out.Probes {
		out.Probes[i].Started, out.Probes[i].Seconds = time.Time{}, 0
	}
	return out
}

// inShort is a search in a few words.
func inShort(s *record.Search) string {
	var tried []float64
	for _, p := range s.Probes {
		tried = append(tried, p.Candidate)
	}
	return fmt.Sprintf("%d, %v to %v (%s %s, busy %v) by %v, %d of them disturbed", s.Chosen, s.Lo, s.Hi, s.Stop, s.Reason,
		s.Busy, tried, s.Disturbed())
}

// searchOf plans the last experiment of an article.
func searchOf(text string) func(*testing.T) *plan.Plan {
	return func(t *testing.T) *plan.Plan {
		p := newPlan(t, text)
		p.Experiments = p.Experiments[len(p.Experiments)-1:]
		return p
	}
}

var searchesOfOne = []struct {
	name string
	plan func(*testing.T) *plan.Plan
}{
	{"tune", searchOf(pool("[sync, async]", "[sync]"))},
	{"capacity", searchOf(ceiling("[sync, async]", "[sync]"))},
}

// When a search is stopped, it goes on from there: no probe is made twice, and what is found is what would have been
// found at once.
func TestStoppedSearchGoesOn(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range searchesOfOne {
		for name, disturbed := range map[string][2]int{"quiet": {}, "disturbed": {1, 2}, "given up": {1, 4}} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				whole, wanted, p := &memory{}, &simulation{throughput: curve, limit: 730}, tt.plan(t)
				r := newRunner(fake.New(wanted.script(t)), &quiet{})
				r.Requests = &disturbing{Driver: r.Requests, skip: disturbed[0], left: disturbed[1]}
				if _, err := r.Run(t.Context(), p, whole, Options{}); err != nil {
					t.Fatal(err)
				}
				want := timeless(whole.records[0].Search)
				for _, n := range []int{1 + disturbed[0] + disturbed[1], len(want.Probes) / 2, len(want.Probes) - 1} {
					store, b := &memory{}, &simulation{throughput: curve, limit: 730}
					stopAfter(t, b, p, store, n, disturbed[0], disturbed[1])
					if len(store.records) != 0 || len(store.unfinished) != 1 || len(store.unfinished[0].Search.Probes) != n {
						t.Fatalf("after %d probes %d records are there, and what is kept is %+v", n, len(store.records), store.unfinished)
					}
					sum := carryOut(t, b, p, store, Options{})
					if got := timeless(store.records[0].Search); !reflect.DeepEqual(got, want) {
						t.Errorf("stopped after %d probes it found %s, want %s", n, inShort(&got), inShort(&want))
					}
					if b.loads != wanted.loads || len(store.unfinished) != 0 || sum.ProbesAgain != 0 {
						t.Errorf("stopped after %d probes %d loads were put on, want %d; %d are kept, %d made again", n, b.loads,
							wanted.loads,
							len(store.unfinished), sum.ProbesAgain)
					}
				}
			})
		}
	}
}

// A search may be stopped time and again.
func TestSearchStoppedTwice(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range searchesOfOne {
		t.Run(tt.name, func(t *testing.T) {
			whole, store, p := &memory{}, &memory{}, tt.plan(t)
			once, b := &simulation{throughput: curve, limit: 730}, &simulation{throughput: curve, limit: 730}
			carryOut(t, once, p, whole, Options{})
			stopAfter(t, b, p, store, 4)
			stopAfter(t, b, p, store, 3)
			if len(store.unfinished) != 1 || len(store.unfinished[0].Search.Probes) != 7 {
				t.Fatalf("%d are kept: %+v", len(store.unfinished), store.unfinished)
			}
			if carryOut(t, b, p, store, Options{}); b.loads != once.loads {
				t.Errorf("%d loads were put on, want %d", b.loads, once.loads)
			}
		})
	}
}

// The time of probes that an earlier run made counts for the budget of a search, but for those that were disturbed.
func TestBudgetOfAStoppedSearch(t *testing.T) {
	p := newPlan(t, pool("[sync, async]", "[sync]", "{to: 8}", "{to: 8, budget: 30m}"))
	for name, kept := range map[string]struct {
		disturbed string
		want      string
	}{"counts": {"", record.StopBudget}, "disturbed": {"others used 42 % of the CPU", record.StopLimit}} {
		t.Run(name, func(t *testing.T) {
			store, b := &memory{}, &simulation{throughput: curve}
			stopAfter(t, b, p, store, 4, 1, 1)
			for i := range store.unfinished[0].Search.Probes {
				if probe := &store.unfinished[0].Search.Probes[i]; probe.Disturbed == kept.disturbed {
					probe.Seconds = 3600
				}
			}
			carryOut(t, b, p, store, Options{})
			if got := store.records[0].Search.Stop; got != kept.want {
				t.Errorf("it stopped for %q, want %q", got, kept.want)
			}
		})
	}
}
