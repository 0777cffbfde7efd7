package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// busy is a store that marks some repetitions as disturbed by other programs. The kernel's clock needs windows of a
// second to show that: docs/validity.md#short-windows.
type busy struct {
	memory
	stolen func(*record.Record) bool
}

func (b *busy) Save(r *record.Record) error {
	if b.stolen(r) {
		r.Machine = &record.Machine{Steal: 0.2}
	}
	return b.memory.Save(r)
}

// A disturbed repetition is measured again after all planned ones, as long as its cell would otherwise be invalid.
// TestMissing tests the rule.
func TestMeasuresAgain(t *testing.T) {
	isStolen := func(r *record.Record) bool {
		return r.Trial == "async" && (r.Repetition == 1 || r.Repetition == 4)
	}
	p, store, r := socketsPlan(t), &busy{stolen: isStolen}, newRunner(fake.New(scriptIn(time.Second)), &quiet{})
	sum := must.Get(r.Run(t.Context(), p, store, Options{}))
	var again []string
	for i, r := range store.records[6:] {
		again = append(again, fmt.Sprintf("%s-%d for %d", r.Trial, r.Repetition, r.Order.Replaces))
		if r.Order.Position != 7+i || r.Run != store.records[0].Run {
			t.Errorf("%s-%d has position %d in run %s", r.Trial, r.Repetition, r.Order.Position, r.Run)
		}
	}
	assert.Slice(t, again, []string{"async-4 for 1", "async-5 for 4"}, "again")
	assert.Equal(t, sum.Again, 2, "counted")
	sum = must.Get(r.Run(t.Context(), p, store, Options{}))
	assert.Equal(t, sum.Measured, 0, "measured by a second run")
}

// A trial that fails in the same way three times is given up for this run, and the others continue. The next run tries
// it again. Different failures do not end a trial.
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
		words := fmt.Sprintf("async failed 3 times in the same way; %d other repetitions are left out of this run", left)
		assert.Slice(t, said.notes, []string{words}, "run %d: notes", run)
		assert.Equal(t, sum.GivenUp, left, "run %d: given up", run)
		assert.None(t, NextOf(p, store.records, "c2-abcdef", Options{}).AllFailed())
	}
}
