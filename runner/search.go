package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/search"
)

func (r *run) searcher() *search.Searcher {
	return &search.Searcher{Bench: r, Progress: r.Progress, Plan: r.plan,
		Experiment: r.experiment, Host: r.Host.ID, Records: r.records, Choices: r.choices, Cores: r.layout().ServiceCores}
}

// recall fills in what earlier searches have found for the trials of which something is to be done.
func (r *run) recall(records []*record.Record) error {
	if r.choices == nil {
		r.choices = r.noChoices()
	}
	return r.choices.Recall(records, r.work.trials(r.experiment), r.work.run)
}

// takeFirst fills in what searches would try first.
func (r *run) takeFirst() error {
	r.choices = r.noChoices()
	return r.choices.TakeFirst(r.work.trials(r.experiment))
}

func (r *run) noChoices() *search.Choices {
	return &search.Choices{Plan: r.plan, Experiment: r.experiment, Host: r.Host.ID}
}

// Redact removes secrets and the names of package mirrors from a record.
func (r *run) Redact(rec *record.Record) {
	values := slices.Concat(r.Host.Mirrors, r.secrets().values())
	for _, t := range r.experiment.Trials {
		values = append(values, t.Private...)
	}
	rec.Redact(values)
}

// search makes the searches that have to come before the repetitions, and those that stand in their place. Each is
// saved when it has ended; one that was stopped begins anew.
func (r *run) search(ctx context.Context) error {
	searcher := r.searcher()
	for _, t := range r.work.trials(r.experiment) {
		c := r.choices.Of(t)
		for _, s := range t.Tune {
			if _, ok := c.Values[s.Name]; ok {
				continue
			}
			if r.outOfTime() {
				return errOutOfTime
			}
			rec, err := r.searched(t, func() (*record.Record, error) { return searcher.Tune(ctx, t, s, c.Values) })
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
	r.leaveOut()
	for _, t := range r.work.searches {
		if r.outOfTime() {
			return errOutOfTime
		}
		if _, err := r.searched(t, func() (*record.Record, error) { return searcher.Capacity(ctx, t) }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leaveOut leaves the repetitions of trials to another run whose values were not found as the machine was busy: that is
// no result of theirs.
func (r *run) leaveOut() {
	before := len(r.work.steps)
	r.work.steps = slices.DeleteFunc(slices.Clone(r.work.steps),
		func(s plan.Step) bool { return r.choices.Of(s.Trial).Busy })
	r.summary.Unsearched += before - len(r.work.steps)
}

// searched makes a search, and saves it.
func (r *run) searched(t *plan.Trial, search func() (*record.Record, error)) (*record.Record, error) {
	begin := time.Now()
	rec, err := search()
	r.summary.Spent.Searching += time.Since(begin)
	if err != nil {
		return nil, err
	}
	if err := r.save(rec); err != nil {
		return nil, err
	}
	r.summary.Searches++
	for _, p := range rec.Search.Probes {
		if p.Disturbed != "" && !p.Started.Before(begin) { // others were made before this run
			r.summary.ProbesAgain++
		}
	}
	r.Progress.Search(t, rec.Search)
	return rec, nil
}
