package runner

import (
	"context"
	"fmt"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/search"
)

// recall fills in what earlier searches have found for the trials of the group; for a check, what they would try first.
func (b *bench) recall() error {
	if b.isCheck {
		return b.choices.TakeFirst(b.work.Trials())
	}
	return b.choices.Recall(b.records, b.work.Trials(), b.work.Run)
}

// search searches for the values that repetitions need, and for capacities. Each search is saved when it has ended; one
// that was stopped begins anew.
func (b *bench) search(ctx context.Context) error {
	searcher := &search.Searcher{Bench: b, Progress: b.Progress, Plan: b.plan, Experiment: b.experiment, Host: b.Host.ID,
		Records: b.records, Choices: b.choices, Cores: b.layout().serviceCores}
	for _, t := range b.work.Trials() {
		c := b.choices.Of(t)
		for _, s := range t.Tune {
			if _, ok := c.Values[s.Name]; ok {
				continue
			}
			if b.outOfTime() {
				return errOutOfTime
			}
			rec, err := b.searched(t, func() (*record.Record, error) { return searcher.Tune(ctx, t, s, c.Values) })
			if err != nil {
				return err
			}
			if rec.Search.Chosen == 0 {
				c.Reason, c.Busy = fmt.Sprintf("no value of tune.%s was chosen: %s", s.Name, rec.Search.Reason), rec.Search.Busy
				break
			}
			c.Values[s.Name] = rec.Search.Chosen
		}
	}
	b.leaveOut()
	for _, t := range b.work.Searches {
		if b.outOfTime() {
			return errOutOfTime
		}
		if _, err := b.searched(t, func() (*record.Record, error) { return searcher.Capacity(ctx, t) }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leaveOut leaves out the trials whose values were not found because the machine was busy. Another run measures them.
func (b *bench) leaveOut() {
	before := len(b.work.Steps)
	b.work.Steps = slice.Filter(b.work.Steps, func(s plan.Step) bool { return !b.choices.Of(s.Trial).Busy })
	b.summary.Unsearched += before - len(b.work.Steps)
}

// searched makes a search and saves it.
func (b *bench) searched(t *plan.Trial, search func() (*record.Record, error)) (*record.Record, error) {
	begin := time.Now()
	rec, err := search()
	b.summary.Spent.Searching += time.Since(begin)
	if err != nil {
		return nil, err
	}
	if err := b.save(rec); err != nil {
		return nil, err
	}
	b.summary.Searches++
	for _, p := range rec.Search.Probes {
		if p.Disturbed != "" {
			b.summary.ProbesAgain++
		}
	}
	b.Progress.Search(t, rec.Search)
	return rec, nil
}
