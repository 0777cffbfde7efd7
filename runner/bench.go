package runner

import (
	"context"
	"errors"
	"fmt"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/search"
)

// A bench is where one experiment is measured.
type bench struct {
	*session
	*Runner    // of the experiment
	experiment *plan.Experiment
	isCheck    bool  // its services are checked, and nothing is measured
	work       Group // what is left to do

	id      string             // of the run
	plans   map[string]string  // digests of the experiments that the run is to measure, by their names
	records []*record.Record   // that were there when the experiment began
	lists   map[string]bool    // digests of the lists that records of the run hold
	choices *search.Choices    // what searches found
	facts   map[string]string  // that hold for all trials
	rates   map[string]float64 // by experiment: the throughput that rates are a share of

	replaced  int  // repetitions that the run has measured again
	disturbed bool // the machine disturbed the last repetition
	failures  failures

	around   engine.Space // in which the spaces of repetitions are, if no services are shared; nil until the first
	waiting  *services    // of a repetition, for the next one; nil for none
	shared   *share       // nil while no shared services are up
	starts   int          // of the shared services so far
	unshared *shareError  // why there are no shared services; nil unless they failed
}

// layout returns which machine each service runs on.
func (b *bench) layout() layout {
	return layout{experiment: b.experiment, host: b.Host, machines: b.Machines}
}

func (b *bench) secrets() Secrets { return b.options.Secrets[b.experiment] }

// begin finds what the experiment takes from others, prepares it and makes its searches.
func (b *bench) begin(ctx context.Context) (err error) {
	if !b.isCheck {
		if b.records, _, err = b.recordStore.Read(); err != nil {
			return err
		}
	}
	if err := b.recall(); err != nil {
		return err
	}
	if !b.isCheck {
		if b.rates, err = search.Rates(b.plan, b.experiment, b.records, b.Host.ID, b.work.Run); err != nil {
			return err
		}
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.replaced = b.work.Replaced
	b.id, b.plans = b.names.runOf(b.work.Run)
	return b.search(ctx)
}

// resume takes up another group of the experiment: its searches may not have been made, nor its images.
func (b *bench) resume(ctx context.Context, g Group, records []*record.Record) error {
	b.work, b.records = g, records
	if err := b.recall(); err != nil {
		return err
	}
	if err := b.preparePending(ctx); err != nil {
		return err
	}
	return b.search(ctx)
}

// finish takes down what the experiment has left, given what ended it. An error that concerns it alone goes into the
// summary.
func (b *bench) finish(ctx context.Context, err error) error {
	if b.summary.Kept == nil { // services that are kept stay as they are
		if failed := b.cleanup(ctx, err != nil && !errors.Is(err, errOutOfTime)); failed != nil {
			b.summary.NoCleanup = append(b.summary.NoCleanup, *failed)
		}
	}
	err = errors.Join(err, b.unshare(ctx))
	err = errors.Join(err, b.endWaiting(ctx))
	if aroundErr := b.closeAround(ctx); !errors.As(err, new(*engine.LeftError)) { // which has said why
		err = errors.Join(err, aroundErr)
	}
	var noImage *images.NoImageError
	var noRate *search.NoRateError
	var noTune *search.NoTuneError
	switch {
	case errors.As(err, new(*engine.LeftError)):
		return err // nothing can be measured beside containers that are left
	case errors.As(err, &noTune):
		b.summary.NoTune = append(b.summary.NoTune, *noTune)
		return nil
	case errors.As(err, &noRate):
		b.summary.NoRate = append(b.summary.NoRate, *noRate)
		return nil
	case errors.As(err, &noImage) && ctx.Err() == nil:
		b.summary.NoImage = append(b.summary.NoImage, noImage)
		if !b.isCheck { // a check lists all missing images at its end
			b.Progress.Note("left out: an image that it needs is missing")
		}
		return nil
	}
	return err
}

// repetitions measures the steps of the group, and then as many again as the machine disturbed, until services are kept.
func (b *bench) repetitions(ctx context.Context) error {
	for b.failures = (failures{}); len(b.work.Steps) > 0; {
		for len(b.work.Steps) > 0 {
			step := b.work.Steps[0]
			b.work.Steps = b.work.Steps[1:]
			if err := b.step(ctx, step); err != nil {
				return err
			}
			if kept := b.summary.Kept; kept != nil {
				kept.Left = len(b.work.Steps)
				return nil
			}
		}
		records, _, err := b.recordStore.Read()
		if err != nil {
			return err
		}
		again := b.again(records)
		if len(again.Steps) > 0 {
			if err := b.resume(ctx, again, records); err != nil {
				return err
			}
			b.Progress.Again(b.experiment, b.work.Steps)
		}
	}
	return ctx.Err()
}

// again returns the repetitions that the machine disturbed.
func (b *bench) again(records []*record.Record) Group {
	e := newState(b.experiment, b.plan.RecordsOf(b.experiment, records, b.Host.ID), b.id)
	return b.scope.pick(Group{Experiment: b.experiment, Run: b.id, Replaced: b.replaced, Steps: e.retries()})
}

// tuned returns a step with the values that searches found for its trial, prepared. If they found none, it returns the
// record of the repetition, which is not run.
func (b *bench) tuned(ctx context.Context, step plan.Step) (plan.Step, *record.Record, error) {
	if reason := b.choices.Of(step.Trial).Reason; reason != "" {
		rec := b.NewRecord(step)
		rec.Failure, rec.Ended = reason, rec.Started
		return step, b.finished(rec), nil
	}
	tuned, err := b.choices.Tuned(step.Trial)
	if err != nil {
		return step, nil, err
	}
	step.Trial = tuned
	return step, nil, b.PrepareTrial(ctx, tuned)
}

// step measures one repetition and saves its record.
func (b *bench) step(ctx context.Context, step plan.Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.outOfTime() {
		return errOutOfTime
	}
	if err := b.Share(ctx, step.Trial); err != nil {
		return err
	}
	quietly := b.unshared != nil // the reason was shown once
	tuned, rec, err := b.tuned(ctx, step)
	if rec == nil && err == nil {
		if rec, err = b.repeat(ctx, tuned, b.keepAfter(step), (*repetition).observeLoad); rec != nil {
			b.choices.AddTo(rec, step.Trial)
		}
	}
	if rec == nil {
		return err
	}
	// What was measured is saved, also if nothing more can be measured.
	if saveErr := b.save(rec); saveErr != nil {
		saveErr = fmt.Errorf("repetition %d of %s was measured but could not be saved: %w; once records can be saved, the "+
			"same command measures it again", step.Repetition, step.Trial.Name, saveErr)
		return errors.Join(saveErr, err)
	}
	b.count(step, rec)
	if !quietly {
		b.Progress.End(step, rec)
	}
	if failed := b.failures.add(step.Trial, rec); failed >= maxAlike {
		b.giveUp(step.Trial, rec, failed)
	}
	return err
}

// count adds a repetition to the summary.
func (b *bench) count(step plan.Step, rec *record.Record) {
	b.summary.Measured++
	if rec.Failure != "" {
		b.summary.Failed++
	}
	if step.Replaces > 0 {
		b.summary.Again++
		b.replaced++
	}
	b.summary.Spent.addRepetition(rec)
	if kept := b.summary.Kept; kept != nil {
		kept.Failed = rec.Failure != ""
	}
}

// save saves a record. A list among its facts, such as that of installed packages, is kept once in a run.
func (b *bench) save(rec *record.Record) error {
	if b.lists == nil {
		b.lists = map[string]bool{}
		for _, other := range b.records {
			if other.Run == rec.Run && other.Experiment == rec.Experiment {
				for digest := range other.Lists {
					b.lists[digest] = true
				}
			}
		}
	}
	rec.Condense(b.lists)
	return b.recordStore.Save(rec)
}
