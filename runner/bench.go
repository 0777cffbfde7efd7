package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/search"
)

// A bench measures or checks one experiment.
type bench struct {
	*session
	*Runner    // the session's, or its Outside
	experiment *plan.Experiment
	isCheck    bool  // check the services only, measure nothing
	work       Group // what is left to do

	id      string             // run ID
	plans   map[string]string  // digests of the run's planned experiments, by name
	records []*record.Record   // read before the group began
	lists   map[string]bool    // digests of the lists already saved in the run
	choices *search.Choices    // values that searches found
	facts   map[string]string  // common to all trials
	rates   map[string]float64 // from search.Rates

	replaced  int  // number of replacement repetitions in the run
	disturbed bool // background load disturbed the last repetition
	alike     map[*plan.Trial]alike

	around   engine.Space // parent of the repetitions' spaces without shared services; nil until needed
	*variant              // shared services of the current trial
	variants map[string]*variant
}

// layout returns the layout of the experiment on the connected machines.
func (b *bench) layout() layout {
	return layout{experiment: b.experiment, host: b.Host, machines: b.Machines}
}

func (b *bench) secrets() Secrets { return b.options.Secrets[b.experiment] }

// driver returns what measures a trial; nil for an unknown tool.
func (b *bench) driver(t *plan.Trial) load.Driver {
	r := b.Runner
	switch {
	case t.Command != nil:
		return r.Commands
	case b.isCheck:
		return r.Requests // a check sends single requests, whatever the tool
	case t.Load.Tool != "":
		return r.Tools[t.Load.Tool]
	case t.Load.Driver != nil:
		return r.Programs
	}
	return r.Requests
}

// begin looks up what the experiment takes from other experiments, prepares its images and runs its searches.
func (b *bench) begin(ctx context.Context) (err error) {
	if !b.isCheck { // earlier experiments may have saved records since
		if b.records, err = b.read(); err != nil {
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
	if b.facts, err = b.environment(ctx); err != nil {
		return err
	}
	b.replaced = b.work.Replaced
	b.id, b.plans = b.runOf(b.work.Run)
	return b.prepareAndSearch(ctx)
}

// resume begins another group of the experiment, which may need more searches and images.
func (b *bench) resume(ctx context.Context, g Group, records []*record.Record) error {
	b.work, b.records = g, records
	if err := b.recall(); err != nil {
		return err
	}
	return b.prepareAndSearch(ctx)
}

func (b *bench) prepareAndSearch(ctx context.Context) error {
	needs, err := b.pendingNeeds()
	if err != nil {
		return err
	}
	if err := provide(ctx, needs); err != nil {
		return err
	}
	return b.search(ctx)
}

// finish removes the experiment's containers and networks. Err is what ended the experiment; if it concerns this
// experiment only, it goes into the summary and finish returns nil.
func (b *bench) finish(ctx context.Context, err error) error {
	sum := &b.summary
	for _, b.variant = range b.variants {
		err = errors.Join(err, b.unshare(ctx))
	}
	if b.around != nil && !errors.As(err, new(*engine.LeftError)) { // after a LeftError the space cannot be removed
		err = errors.Join(err, engine.CloseSpace(ctx, b.around, 0))
	}
	var noImage *images.NoImageError
	var noValue *search.MissingError
	switch {
	case errors.As(err, new(*engine.LeftError)): // left containers would disturb other experiments
	case errors.As(err, &noValue):
		sum.LeftOut = append(sum.LeftOut, noValue)
		return nil
	case errors.As(err, &noImage) && ctx.Err() == nil:
		sum.LeftOut = append(sum.LeftOut, noImage)
		if !b.isCheck { // a check lists all missing images at its end
			b.Progress.Note("left out: an image that it needs is missing")
		}
		return nil
	}
	return err
}

// repetitions measures the steps of the group, then replaces disturbed ones. It stops early when services are kept.
func (b *bench) repetitions(ctx context.Context) error {
	for b.alike = map[*plan.Trial]alike{}; len(b.work.Steps) > 0; {
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
		records, err := b.read()
		if err != nil {
			return err
		}
		e := newState(b.experiment, b.plan.RecordsOf(b.experiment, records, b.Host.ID), b.id)
		again := b.scope.pick(Group{Experiment: b.experiment, Run: b.id, Replaced: b.replaced, Steps: e.retries()})
		if len(again.Steps) > 0 {
			if err := b.resume(ctx, again, records); err != nil {
				return err
			}
			b.Progress.Again(b.work)
		}
	}
	return ctx.Err()
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
	isReported := b.unshared != nil // the reason was shown once
	next := b.work.Steps
	rec, err := b.attempt(ctx, step, keep{failed: b.options.Keep,
		always: b.options.KeepLast && len(next) == 0 && b.left == 0}, (*repetition).measureLoad)
	if rec == nil {
		return err
	}
	// Save the record even if attempt also returned an error.
	if saveErr := b.save(rec); saveErr != nil {
		saveErr = fmt.Errorf("repetition %d of %s was measured but could not be saved: %w; once records can be saved, the "+
			"same command measures it again", step.Repetition, step.Trial.Name, saveErr)
		return errors.Join(saveErr, err)
	}
	b.count(step, rec)
	if !isReported {
		b.Progress.End(step, rec)
	}
	b.giveUp(step.Trial, rec)
	return err
}

// attempt runs a repetition with the values that searches found for its trial. If a search found none, nothing runs and
// the record says why.
func (b *bench) attempt(ctx context.Context, step plan.Step, k keep, drive drive) (*record.Record, error) {
	original := step.Trial
	if reason := b.choices.Of(original).Reason; reason != "" {
		rec := b.NewRecord(step)
		rec.Failure, rec.Ended = reason, rec.Started
		return b.finished(rec), nil
	}
	var err error
	if step.Trial, err = b.choices.Tuned(original); err != nil {
		return nil, err
	}
	if err := b.PrepareTrial(ctx, step.Trial); err != nil {
		return nil, err
	}
	rec, err := b.repeat(ctx, step, k, drive)
	if rec != nil {
		b.choices.AddTo(rec, original)
	}
	return rec, err
}

func (b *bench) count(step plan.Step, rec *record.Record) {
	sum := &b.summary
	sum.Measured++
	if rec.Failure != "" {
		sum.Failed++
	} else {
		sum.Spent.Measuring += time.Duration((rec.Parts["measure"] + rec.Parts["warmup"]) * float64(time.Second))
	}
	if step.Replaces > 0 {
		sum.Again++
		b.replaced++
	}
	if sum.Kept != nil {
		sum.Kept.Failed = rec.Failure != ""
	}
}

// save saves a record. Long lists in its facts, such as installed packages, are saved once per run.
func (b *bench) save(rec *record.Record) error {
	if b.lists == nil {
		b.lists = map[string]bool{}
		for _, other := range b.records {
			if other.Run != rec.Run || other.Experiment != rec.Experiment {
				continue
			}
			for digest := range other.Lists {
				b.lists[digest] = true
			}
		}
	}
	rec.Condense(b.lists)
	return b.store.Save(rec)
}

// errOutOfTime ends a run whose deadline has passed.
var errOutOfTime = errors.New("the budget has run out")

func (b *bench) outOfTime() bool {
	return !b.options.Deadline.IsZero() && time.Now().After(b.options.Deadline)
}

// maxAlike is the number of consecutive repetitions of a trial that may fail alike before the trial is given up.
const maxAlike = 3

// waited matches the waiting time in a failure, which differs between repetitions.
var waited = regexp.MustCompile(` was not ready after [^:]*:`)

// WayOfFailing returns a failure without its waiting time, so that failures with the same cause compare equal.
func WayOfFailing(failure string) string { return waited.ReplaceAllString(failure, ":") }

// alike counts the most recent repetitions of a trial that failed in the same way.
type alike struct {
	way string
	n   int
}

// giveUp drops the remaining repetitions of t for this session, at later looks too, once maxAlike in a row have failed
// like r. A success resets the count, and so does a repetition that was never tried, which ends when it starts.
func (b *bench) giveUp(t *plan.Trial, r *record.Record) {
	if r.Failure == "" || r.Ended.Equal(r.Started) {
		delete(b.alike, t)
		return
	}
	last := b.alike[t]
	if way := WayOfFailing(r.Failure); last.way != way {
		last = alike{way: way}
	}
	last.n++
	b.alike[t] = last
	if last.n < maxAlike {
		return
	}
	isOwn := func(s plan.Step) bool { return s.Trial == t }
	left := slice.Count(b.work.Steps, isOwn)
	b.work.Steps = slices.DeleteFunc(slices.Clone(b.work.Steps), isOwn)
	b.try(Group{Experiment: b.experiment, Steps: slice.Filter(b.experiment.Steps, isOwn)})
	if left > 0 {
		b.summary.GivenUp += left
		b.Progress.Note(fmt.Sprintf("%s failed %d times in the same way; %s left out of this run", t.Name, last.n,
			phrase.Are(left, "other repetition")))
	}
}

// recall fills in the values that earlier searches found for the group's trials; for a check, the first candidates.
func (b *bench) recall() error {
	if b.isCheck {
		return b.choices.TakeFirst(b.work.Trials())
	}
	return b.choices.Recall(b.records, b.work.Trials(), b.work.Run)
}

// search runs the searches that are missing: for values of tune, and for capacities. A search is saved when it ends, so
// an interrupted one starts over. Trials whose search failed because the machine was busy are dropped.
func (b *bench) search(ctx context.Context) error {
	searcher := &search.Searcher{Bench: b, Progress: b.Progress, Plan: b.plan, Experiment: b.experiment, Host: b.Host.ID,
		Records: b.records, Choices: b.choices, Cores: b.layout().serviceCores}
	for _, t := range b.work.Trials() {
		c := b.choices.Of(t)
		for _, s := range t.Tune {
			if _, ok := c.Values[s.Name]; ok {
				continue
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
	before := len(b.work.Steps)
	b.work.Steps = slice.Filter(b.work.Steps, func(s plan.Step) bool { return !b.choices.Of(s.Trial).Busy })
	b.summary.Unsearched += before - len(b.work.Steps)
	for _, t := range b.work.Searches {
		if _, err := b.searched(t, func() (*record.Record, error) { return searcher.Capacity(ctx, t) }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (b *bench) searched(t *plan.Trial, search func() (*record.Record, error)) (*record.Record, error) {
	if b.outOfTime() {
		return nil, errOutOfTime
	}
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
	b.summary.ProbesAgain += slice.Count(rec.Search.Probes, func(p record.Probe) bool { return p.Disturbed != "" })
	b.Progress.Search(t, rec.Search)
	return rec, nil
}

// NewRecord returns the record of a repetition that is about to start. Its position in the order is 0 for a probe, and
// after all planned ones for a replacement.
func (b *bench) NewRecord(step plan.Step) *record.Record {
	t, e := step.Trial, b.experiment
	position := 1 + slices.IndexFunc(e.Steps, func(s plan.Step) bool {
		return s.Trial.Name == t.Name && s.Repetition == step.Repetition
	})
	if step.Replaces > 0 {
		position = len(e.Steps) + b.replaced + 1
	}
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: b.plan.Article, Experiment: e.Name, Trial: t.Name, Key: t.Key,
		Run: b.id, Plan: e.Digest, Plans: b.plans, Profile: b.plan.Profile, Host: b.Host.ID,
		Repetition: step.Repetition, Planned: e.Most(), Looks: e.Looks, Calibration: t.Calibration,
		Parameters: t.Parameters, Labels: t.Labels,
		Order: record.Order{Seed: e.Seed, Round: step.Round, Position: position, Of: len(e.Steps),
			Replaces: step.Replaces},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: t.Definition, Inputs: t.Inputs, Facts: maps.Clone(b.facts),
	}
	maps.Copy(rec.Facts, b.images().Facts(t))
	b.layout().addFacts(t, rec.Facts)
	rec.Facts[record.FactRevision] = cmp.Or(b.options.Revision, record.NoRevision+"not asked for")
	if claims := b.options.Claims[b.plan.Article]; claims != "" {
		rec.Facts[record.FactClaims] = claims
	}
	if e.Outside {
		rec.Facts[record.FactTarget] = record.RunningTarget
	}
	b.sharedFacts(rec)
	return rec
}

// Redact removes secrets and the names of package mirrors from a record.
func (b *bench) Redact(rec *record.Record) {
	values := slices.Concat(b.Host.Mirrors, b.secrets().values())
	for _, t := range b.experiment.Trials {
		values = append(values, t.Private...)
	}
	rec.Redact(values)
}

// finished redacts a record and cuts the middle out of a long failure: the beginning says what failed, the end why.
func (b *bench) finished(rec *record.Record) *record.Record {
	b.Redact(rec)
	rec.Failure = clip(rec.Failure, maxFailure) // after Redact, which would miss a secret that was cut in two
	return rec
}
