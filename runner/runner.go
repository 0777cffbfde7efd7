// Package runner carries out a plan: it starts services, has a driver measure them, and saves one record after every
// repetition.
//
// A Runner decides nothing that the plan has not decided, the time to stop aside: order, trials and repetitions are the plan's.
// What is fresh is not measured again. Whatever happens, every repetition that ended has its record, and every container
// that was started is removed; a cancelled run goes on where it was when it is started again. Trials are never measured
// at the same time.
package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// RecordStore is as much of a store as a Runner needs.
type RecordStore interface {
	Read() ([]*record.Record, []record.Bad, error)
	Save(*record.Record) error
}

// Progress is told what happens. Its methods are called one at a time.
type Progress interface {
	// Experiment begins: so many of its repetitions are to be done, the others are fresh or done already.
	Experiment(e *plan.Experiment, todo int)
	// Preparing is called before images are built; what the builder says goes to the writer.
	Preparing(what string) io.Writer
	// Begin and End enclose a repetition.
	Begin(step plan.Step)
	End(step plan.Step, r *record.Record)
}

// Runner carries out plans on one engine.
type Runner struct {
	Engine   engine.Engine
	Requests load.Driver
	Commands load.Driver
	Tools    map[string]load.Driver // of loads by other programs, by their names
	Programs load.Tool              // finds those of origins and links
	Host     Host
	Progress Progress

	packages map[string]string // of images, by their ids
}

// Options change what is measured.
type Options struct {
	Force bool // measure what is fresh as well, as a new run
}

// Summary is what a run came to.
type Summary struct {
	Measured int // repetitions that were run
	Failed   int // of them, those that ended in a failure
	Fresh    int // repetitions that needed no run
	// NoImage are images that could not be had; the experiments that need them were left out.
	NoImage []NoImageError
	// NoRate are experiments that were left out since the throughput that their rate is a share of is not known.
	NoRate []NoRateError
	// Took is the whole time, Preparing that of images, Measuring that of windows and warm-ups.
	Took, Preparing, Measuring time.Duration
}

// Run measures what is missing or stale. On cancellation the error is the context's, and the summary tells what was
// done until then.
func (r *Runner) Run(ctx context.Context, p *plan.Plan, store RecordStore, o Options) (Summary, error) {
	begin := time.Now()
	var sum Summary
	defer func() { sum.Took = time.Since(begin) }()
	records, _, err := store.Read()
	if err != nil {
		return sum, err
	}
	for _, e := range inOrder(p.Experiments) {
		if e.Skipped != "" {
			continue
		}
		t := todo(e, of(records, p, e, r.Host.ID), o.Force)
		sum.Fresh += len(e.Steps) - len(t.steps)
		r.Progress.Experiment(e, len(t.steps))
		if len(t.steps) == 0 {
			continue
		}
		run := &run{Runner: r, plan: p, experiment: e, todo: t, store: store, summary: &sum}
		if err := run.measure(ctx); err != nil {
			sum.Took = time.Since(begin)
			return sum, err
		}
	}
	sum.Took = time.Since(begin)
	return sum, nil
}

// of picks the records of one experiment of a plan on one host. Those of another article count for nothing, though they lie in
// its folder: it was copied from there.
func of(records []*record.Record, p *plan.Plan, e *plan.Experiment, host string) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		return r.Article != p.Article || r.Experiment != e.Name || r.Host != host || r.Profile != p.Profile
	})
}

// Pending counts the repetitions of a plan that a run would do.
func Pending(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	for _, e := range p.Experiments {
		n += len(todo(e, of(records, p, e, host), o.Force).steps)
	}
	return n
}

// A todoList is what is left of an experiment.
type todoList struct {
	run    string // goes on under this name; empty for a new run
	newest string // the newest run there is, of those that are not from the future
	steps  []plan.Step
}

// todo finds the repetitions that are not there yet. A trial is fresh if one run has all its repetitions under its present
// name and key. A run of this very plan that was stopped goes on.
func todo(e *plan.Experiment, records []*record.Record, force bool) todoList {
	newest, latest := "", time.Now().Add(clockError)
	for _, r := range records {
		if !isAfter(r.Run, latest) {
			newest = max(newest, r.Run)
		}
	}
	if force {
		return todoList{newest: newest, steps: e.Steps}
	}
	type cell struct{ run, trial, key string }
	have := map[cell]map[int]bool{}
	last := ""
	for _, r := range records {
		c := cell{r.Run, r.Trial, r.Key}
		if have[c] == nil {
			have[c] = map[int]bool{}
		}
		have[c][r.Repetition] = true
		if r.Plan == e.Digest && r.Run > last {
			last = r.Run
		}
	}
	fresh := func(t *plan.Trial) bool {
		for c, repetitions := range have {
			complete := c.trial == t.Name && c.key == t.Key
			for k := 1; complete && k <= e.Repetitions; k++ {
				complete = repetitions[k]
			}
			if complete {
				return true
			}
		}
		return false
	}
	isFresh := map[*plan.Trial]bool{}
	for _, t := range e.Trials {
		isFresh[t] = fresh(t)
	}
	out := todoList{run: last, newest: newest}
	for _, s := range e.Steps {
		if !isFresh[s.Trial] && !have[cell{last, s.Trial.Name, s.Trial.Key}][s.Repetition] {
			out.steps = append(out.steps, s)
		}
	}
	return out
}

// A run is one experiment being measured.
type run struct {
	*Runner
	plan       *plan.Plan
	experiment *plan.Experiment
	todo       todoList
	store      RecordStore
	summary    *Summary

	id        string
	facts     map[string]string // that hold for all trials
	images    map[string]image  // by imageKey
	own       map[string]ownProgram
	placement plan.Placement
	rates     map[string]float64 // by experiment: the throughput that rates are a share of
}

func (r *run) measure(ctx context.Context) error {
	begin := time.Now()
	err := r.ready()
	if err == nil {
		err = r.prepare(ctx)
	}
	r.summary.Preparing += time.Since(begin)
	var noImage *NoImageError
	var noRate *NoRateError
	switch {
	case errors.As(err, &noRate):
		r.summary.NoRate = append(r.summary.NoRate, *noRate)
		return nil
	case errors.As(err, &noImage) && ctx.Err() == nil:
		r.summary.NoImage = append(r.summary.NoImage, *noImage)
		return nil
	case err != nil:
		return err
	}
	r.id = cmp.Or(r.todo.run, newRunID(time.Now(), r.todo.newest))
	for _, step := range r.todo.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.Progress.Begin(step)
		rec, err := r.repetition(ctx, step)
		if rec == nil {
			return err
		}
		// What was measured is kept, also if nothing more can be.
		if saveErr := r.store.Save(rec); saveErr != nil {
			return errors.Join(saveErr, err)
		}
		r.summary.Measured++
		if rec.Failure != "" {
			r.summary.Failed++
		}
		r.summary.Measuring += time.Duration((rec.Parts["warmup"] + rec.Parts["measure"]) * float64(time.Second))
		r.Progress.End(step, rec)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ready finds out what the experiment takes from others that were measured before it.
func (r *run) ready() error {
	if len(ratesOf(r.experiment)) == 0 {
		return nil
	}
	records, _, err := r.store.Read()
	if err != nil {
		return err
	}
	return r.findRates(records)
}

// runStamp is the first part of a run's name.
const runStamp = "20060102T150405Z"

// clockError is how far ahead of our clock that of another machine may be.
const clockError = time.Minute

// isAfter says whether a run is named after a later time.
func isAfter(run string, at time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	begin, err := time.Parse(runStamp, stamp)
	return err == nil && begin.After(at)
}

// FromTheFuture names the runs that a wrong clock has named, in order: they are later than now, so that new runs do not follow them.
func FromTheFuture(records []*record.Record, now time.Time) []string {
	var runs []string
	for _, r := range records {
		if isAfter(r.Run, now.Add(clockError)) {
			runs = append(runs, r.Run)
		}
	}
	slices.Sort(runs)
	return slices.Compact(runs)
}

// newRunID names a run: its start in UTC and four letters, which tell runs of several machines apart. Names sort by time, so a
// run that starts in the same second as the newest one is named a second later.
func newRunID(at time.Time, newest string) string {
	stamp, _, _ := strings.Cut(newest, "-")
	if last, err := time.Parse(runStamp, stamp); err == nil && !at.UTC().Truncate(time.Second).After(last) {
		at = last.Add(time.Second)
	}
	letters := make([]byte, 4)
	_, _ = rand.Read(letters) // it never fails
	for i := range letters {
		letters[i] = 'a' + letters[i]%26
	}
	return at.UTC().Format(runStamp) + "-" + string(letters)
}
