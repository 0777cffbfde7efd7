package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// longEnough is a window in which the clock of the kernel tells for certain that others used the processor:
// docs/validity.md#short-windows.
const longEnough = time.Second

// longScript is script with such windows.
func longScript() fake.Script { return scriptIn(longEnough) }

// busy is a store whose machine was busy with something else in some repetitions.
type busy struct {
	memory
	stolen func(*record.Record) bool
}

func (b *busy) Save(r *record.Record) error {
	if b.stolen(r) {
		r.Machine = &record.Machine{Steal: 0.2}
		if r.Load != nil {
			r.Load.Window = 1 // the clocks of the kernel tell nothing of a shorter one
		}
	}
	return b.memory.Save(r)
}

// What the machine disturbed is measured again, after everything that was planned, as long as its cell would be invalid
// otherwise.
func TestMeasuresAgain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		stolen   func(*record.Record) bool
		again    []string // trial, and what each repetition beyond the plan replaces
		replaces []int
	}{
		{"nothing", func(*record.Record) bool { return false }, nil, nil},
		{"one repetition", func(r *record.Record) bool { return r.Trial == "sync" && r.Repetition == 2 }, []string{"sync-4"},
			[]int{2}},
		{"two of one trial", func(r *record.Record) bool { return r.Trial == "sync" && r.Repetition < 3 },
			[]string{"sync-4", "sync-5"}, []int{1, 2}},
		{"the one in its place too", func(r *record.Record) bool {
			return r.Trial == "async" && (r.Repetition == 1 ||
				r.Repetition == 4)
		},
			[]string{"async-4", "async-5"}, []int{1, 4}},
		{"all of a trial", func(r *record.Record) bool { return r.Trial == "async" }, []string{"async-4", "async-5",
			"async-6"}, []int{1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, store := socketsPlan(t), &busy{stolen: tt.stolen}
			r := newRunner(fake.New(longScript()), &quiet{})
			sum := must.Get(r.Run(context.Background(), p, store, Options{}))
			var again []string
			var replaces []int
			for i, r := range store.records[6:] {
				again, replaces = append(again, (&memory{records: []*record.Record{r}}).trials()),
					append(replaces, r.Order.Replaces)
				if r.Order.Position != 7+i || r.Run != store.records[0].Run {
					t.Errorf("%s-%d stands at %d in run %s", r.Trial, r.Repetition, r.Order.Position, r.Run)
				}
			}
			if !slices.Equal(again, tt.again) || !slices.Equal(replaces, tt.replaces) || sum.Again != len(tt.again) {
				t.Errorf("again %v in the place of %v, counted %d; want %v, %v", again, replaces, sum.Again, tt.again, tt.replaces)
			}
			before := len(store.records)
			if sum, err := r.Run(context.Background(), p, store, Options{}); err != nil || sum.Measured != 0 ||
				len(store.records) != before {
				t.Errorf("a second run: %+v, %v", sum, err)
			}
		})
	}
}

// A trial that fails alike three times is given up for this run, and the others go on. The next run tries it again;
// failures that differ are tried to the end.
func TestGivenUp(t *testing.T) {
	wide := []string{"repetitions: 3", "repetitions: 9", "[sync, async]", "[sync, async, fickle]",
		"```dockerfile", "```python file=fickle.py\nprint(\"fickle\")\n```\n\n```dockerfile"}
	p := socketsPlan(t, wide...)
	if n := len(p.Experiments[0].Trials); n != 3 {
		t.Fatalf("%d trials, want 3: the text of the article has changed", n)
	}
	s := script()
	tries := 0
	s.Start = func(_ context.Context, service engine.Service) error {
		for _, f := range service.Configs {
			switch {
			case strings.Contains(string(f.Data), "fickle"):
				tries++
				return &engine.NotReadyError{Service: service.Name, Reason: fmt.Errorf("it ended with status %d", tries%2+1)}
			case strings.Contains(string(f.Data), "async"):
				tries++
				return &engine.NotReadyError{Service: service.Name, After: time.Duration(tries) * time.Second,
					Reason: errors.New("nothing listens on port 8080")}
			}
		}
		return nil
	}
	store := &memory{}
	for run, want := range []map[string]int{{"sync": 9, "async": 3, "fickle": 9}, {"sync": 9, "async": 6, "fickle": 9}} {
		said := &quiet{}
		sum := must.Get(newRunner(fake.New(s), said).Run(t.Context(), p, store, Options{}))
		have := map[string]int{}
		for _, r := range store.records {
			have[r.Trial]++
		}
		assert.Map(t, have, want, "run %d: repetitions", run)
		left := 6 - 3*run
		if len(sum.GivenUp) != 1 || sum.GivenUp[0].Trial != "async" || sum.GivenUp[0].Failed != 3 ||
			sum.GivenUp[0].Left != left {
			t.Errorf("run %d: given up are %+v", run, sum.GivenUp)
		}
		if found := NextOf(p, store.records, "c2-abcdef", Options{}).AllFailed(); len(found) != 0 {
			t.Errorf("run %d: nothing is measured of %+v", run, found)
		}
	}
}

// An experiment of which every repetition failed is not measured, however complete it is.
func TestAllFailed(t *testing.T) {
	p := socketsPlan(t, "repetitions: 3", "repetitions: 2")
	s := script()
	s.Start = func(_ context.Context, service engine.Service) error {
		return &engine.NotReadyError{Service: service.Name, Reason: errors.New("it ended with status 3")}
	}
	store := &memory{}
	for range 2 {
		sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, Options{})
		if err != nil || len(sum.GivenUp) != 0 {
			t.Fatalf("%v, %+v", err, sum.GivenUp)
		}
		found := NextOf(p, store.records, "c2-abcdef", Options{}).AllFailed()
		if len(found) != 1 || found[0].Error() != `all 4 repetitions failed: service "server" was not ready: it ended with status 3` {
			t.Errorf("got %+v", found)
		}
	}
	store.records[1].Failure = ""
	if found := NextOf(p, store.records, "c2-abcdef", Options{}).AllFailed(); len(found) != 0 {
		t.Errorf("with one that did not fail: %+v", found)
	}
}
