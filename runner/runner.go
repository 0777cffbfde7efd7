// Package runner carries out a plan: it starts services, has a driver measure them, and saves one record after every
// repetition.
//
// A Runner decides nothing that the plan has not decided, the time to stop aside: order, trials and repetitions are the
// plan's. What is fresh is not measured again. Whatever happens, every repetition that ended has its record, and every
// container that was started is removed; a cancelled run goes on where it was when it is started again. Trials are
// never measured at the same time.
package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machines"
	"benchbook/runner/search"
	"benchbook/runner/sysinfo"
)

// RecordStore is as much of a store as a Runner needs.
type RecordStore interface {
	Read() ([]*record.Record, []record.Bad, error)
	Save(*record.Record) error
}

// Progress is told what happens. Its methods, and those of what it returns, are called one at a time.
type Progress interface {
	// Experiment begins: so many of its repetitions, or of its searches for capacities, are to be done, the others are
	// fresh or done already.
	Experiment(e *plan.Experiment, todo int)
	// Again begins more repetitions of an experiment: in the place of those that the machine disturbed, or after a look.
	Again(e *plan.Experiment, steps []plan.Step)
	// Preparing is called before an image is made available; what the builder says goes to what it returns, until that
	// ends. Several may be under way at once.
	Preparing(what string) images.Preparation
	// Note says something that is about several repetitions.
	Note(text string)
	// End is called after each repetition.
	End(step plan.Step, r *record.Record)
	// Search is called after each probe of a search, and once more when it has ended: then it says why, in Stop.
	Search(t *plan.Trial, s *record.Search)
}

// Runner carries out plans on one engine.
type Runner struct {
	Engine   engine.Engine
	Requests load.Driver
	Commands load.Driver
	Tools    map[string]load.Driver // of loads by other programs, by their names
	Programs load.Driver            // of loads by programs of articles
	Agent    agent.Program          // reads our program, for origins and links
	Host     sysinfo.Host
	Machines map[string]*machines.Machine // the others of Host, by their names in the project
	Progress Progress
	Outside  *Runner // carries out experiments whose targets run already; nil: this one does

	Settler *sysinfo.Settler                  // lets the machine come to rest before each repetition; nil for none
	Cache   string                            // folder where it is kept what images hold; empty for none
	Over    func(engine.Engine) engine.Engine // laid over the engine that images are made available on; nil for nothing

	store *images.Store
	lists map[string]map[string]bool // by run and experiment: digests of the lists that its records hold
}

// Options change what is measured.
type Options struct {
	// Force measures what is fresh as well, as a new run. Searches for tuned values are not repeated with repetitions.
	Force bool
	// Deadline is when the last repetition or search may begin; zero for no limit.
	Deadline time.Time
	// Open names, by experiment, the trials that claims are undecided about, given the records of an article so far: they
	// go on after a look. Nil: none does.
	Open func([]*record.Record) map[string][]string
	// Only picks the trials whose repetitions are measured; nil: all.
	Only func(*plan.Experiment, *plan.Trial) bool
	// Keep leaves the services of a repetition up that fails, and measures no further, so that somebody can look at
	// them; KeepLast beside it also those of the last one.
	Keep, KeepLast bool
	// Present tells which of what was measured was measured with images and programs that are others now: it is
	// measured again. Nil asks the engine that measures; what is counted without one takes all records as they are.
	Present *images.Present
	// Secrets are the values of those of experiments; an experiment without any needs none.
	Secrets map[*plan.Experiment]Secrets
	// Revision is what records have as record.FactRevision.
	Revision string

	outdated map[string]bool // runs that nothing goes on in, as Present has found
	tried    map[turn]bool   // what this run has come to
	begun    bool            // the first look is over: what follows is of the run that was begun
}

// anew says that an experiment is measured from its beginning, as a new run: what runs already may have become
// something else since the last one.
func (o Options) anew(e *plan.Experiment) bool { return !o.begun && (o.Force || e.Outside) }

// Kept are services that were left up.
type Kept struct {
	Article, Experiment, Trial string
	Failed                     bool // their repetition
	Services                   []engine.Kept
	Cleanup                    []spec.Hook // that are not run, so that all stays as it was
	Left                       int         // repetitions that were to be done after it
}

// Summary is what a run came to.
type Summary struct {
	Measured int // repetitions that were run
	Again    int // of them, those in the place of one that the machine disturbed
	Failed   int // of them, those that ended in a failure
	// NoImage are images that could not be had; the experiments that need them were left out.
	NoImage []*images.NoImageError
	// NoRate are experiments that were left out since the throughput that their rate is a share of is not known, NoTune
	// those that take over a value which was not chosen.
	NoRate []search.NoRateError
	NoTune []search.NoTuneError
	// NoCleanup are hooks that failed at the end of an experiment.
	NoCleanup []NoCleanupError
	// GivenUp are trials that failed alike again and again.
	GivenUp []GivenUp
	// Kept are the services that were left up; nil if none were.
	Kept *Kept
	// Searches are those that were made, and ProbesAgain how many of their probes were made again, as the machine had
	// disturbed them.
	Searches, ProbesAgain int
	// Spared are repetitions up to the last look that nothing undecided asks for.
	Spared int
	// Unsearched are repetitions that were left out since the machine was too busy to find the values that they need.
	Unsearched int
	OutOfTime  bool // the budget was over before everything was measured
	Spent      Spent
}

// Run measures what is missing or stale: up to the first look of all experiments, and from look to look what claims are
// undecided about. What of it is begun is one run, over all experiments; what an earlier one was stopped in goes on as
// that. On cancellation the error is the context's, and the summary tells what was done until then.
func (r *Runner) Run(ctx context.Context, p *plan.Plan, store RecordStore, o Options) (sum Summary, err error) {
	begin := time.Now()
	defer func() { sum.Spent.Total += time.Since(begin) }()
	records, _, err := store.Read()
	if err != nil {
		return sum, err
	}
	if err := o.look(ctx, r.Engine, records); err != nil {
		return sum, err
	}
	names := newRunNames(p.RecordsOf(nil, records, r.Host.ID))
	o, records = o.current(p, records)
	o.tried = map[turn]bool{}
	store = currentStore{store, o.Present, p}
	turns := &turns{Runner: r, plan: p, store: store, options: o, first: true, summary: &sum, names: names}
	if turns.left, err = turns.prepare(ctx, records); err != nil {
		return sum, err
	}
	if !o.outdated[names.newest] && !slices.ContainsFunc(turns.left, func(r *run) bool {
		return r.work.len() > 0 && o.anew(r.experiment)
	}) {
		names.resume()
	}
	var up *run // whose shared services run: if it goes on, they need not be started again
	for sum.Kept == nil && err == nil {
		var next *run
		if next, err = turns.next(); next == nil {
			break
		}
		if up, err = up.giveWay(ctx, next); err == nil {
			err = up.repetitions(ctx)
		}
		if err != nil {
			err, up = up.finish(ctx, err), nil // an experiment may be left out, and the others go on
		}
	}
	if up != nil {
		err = up.finish(ctx, err)
	}
	err = turns.conclude(err)
	return sum, err
}

// turns are the experiments of a plan in the order in which something of them is to be done: one after another up to a
// look, then those that go on up to the next.
type turns struct {
	*Runner
	plan    *plan.Plan
	store   RecordStore
	options Options
	summary *Summary
	names   *runNames

	left    []*run // up to the present look
	first   bool   // it is the first one
	any     bool   // something was to be done up to it
	records []*record.Record
}

// prepare makes available what the experiments need up to the first look.
func (t *turns) prepare(ctx context.Context, records []*record.Record) ([]*run, error) {
	all := t.runs(t.plan, t.options, records)
	joinRuns(all, t.store, t.names, t.summary)
	_, err := t.prepareAll(ctx, all) // each experiment says what of it is missing
	return all, err
}

// next gives the next one; nil if nothing is left.
func (t *turns) next() (*run, error) {
	for {
		for len(t.left) > 0 {
			next := t.left[0]
			t.left = t.left[1:]
			switch n := next.work.len(); {
			case t.first:
				t.Progress.Experiment(next.experiment, n)
			case n > 0:
				t.Progress.Again(next.experiment, next.work.steps)
			}
			if next.work.len() > 0 {
				t.any = true
				t.options.come(next.experiment, next.work)
				next.options.KeepLast = t.options.KeepLast && left(t.left) == 0
				return next, nil
			}
		}
		if !t.any {
			return nil, nil
		}
		var err error
		if t.records, _, err = t.store.Read(); err != nil {
			return nil, err
		}
		t.first, t.any = false, false
		t.options.begun = true
		t.left = t.runs(t.plan, t.options, t.records)
		joinRuns(t.left, t.store, t.names, t.summary)
	}
}

// conclude notes what the whole came to, given what ended it.
func (t *turns) conclude(err error) error {
	switch t.summary.OutOfTime = errors.Is(err, errOutOfTime); {
	case t.summary.OutOfTime:
		return nil
	case err != nil:
	case t.summary.Kept != nil:
		t.summary.Kept.Left += left(t.left)
	case t.summary.Measured > 0:
		t.summary.Spared = t.options.spared(t.plan, t.records, t.Host.ID)
	}
	return err
}

// giveWay takes down what an experiment has left, if another one is next, and begins that.
func (r *run) giveWay(ctx context.Context, next *run) (*run, error) {
	if r != nil && r.experiment == next.experiment {
		r.options.KeepLast = next.options.KeepLast
		return r, r.goOn(ctx, next.work)
	}
	if r != nil {
		if err := r.finish(ctx, nil); err != nil {
			return next, err
		}
	}
	return next, next.begin(ctx)
}

// left counts what there is to be done of some experiments.
func left(all []*run) (n int) {
	for _, run := range all {
		n += run.work.len()
	}
	return n
}

// joinRuns makes one run of several experiments.
func joinRuns(all []*run, store RecordStore, names *runNames, sum *Summary) {
	for _, run := range all {
		run.store, run.summary, run.names = store, sum, names
		if run.work.len() > 0 && run.work.run == "" {
			names.plans[run.experiment.Name] = run.experiment.Digest
		}
	}
}

// runs are the experiments of a plan that may be measured, in order, with what of each is to be done up to the next
// look.
func (r *Runner) runs(p *plan.Plan, o Options, records []*record.Record) []*run {
	var out []*run
	work := o.next(p, p.RecordsOf(nil, records, r.Host.ID))
	for _, e := range o.experiments(p) {
		out = append(out, &run{Runner: r.of(e), plan: p, experiment: e, work: work[e], options: o, records: records})
	}
	return out
}

// of is the Runner that carries out an experiment.
func (r *Runner) of(e *plan.Experiment) *Runner {
	if e.Outside && r.Outside != nil {
		return r.Outside
	}
	return r
}

// A run is one experiment being measured.
type run struct {
	*Runner
	plan       *plan.Plan
	experiment *plan.Experiment
	work       worklist
	store      RecordStore
	summary    *Summary
	options    Options
	names      *runNames // shared with other experiments

	id        string
	plans     map[string]string  // of the experiments that id is to measure, by their names
	records   []*record.Record   // that were there when the experiment began
	choices   *search.Choices    // what searches found
	facts     map[string]string  // that hold for all trials
	replaced  int                // repetitions that were measured again, in the place of others
	disturbed bool               // the machine disturbed the last repetition
	rates     map[string]float64 // by experiment: the throughput that rates are a share of

	bench *bench // nil until it is measured

	keeping keeping // of the repetition that goes on; nothing is kept of probes

	verifier *verifier // nil unless nothing is measured
}

func (r *run) layout() machines.Layout {
	return machines.Layout{Experiment: r.experiment, Host: r.Host, Machines: r.Machines}
}

func (r *run) newBench() *bench {
	return &bench{engine: r.Engine, experiment: r.experiment, layout: r.layout(), images: r.images(), driver: r.driver,
		run: r.id, note: r.Progress.Note, secrets: r.secrets()}
}

func (r *run) secrets() Secrets { return r.options.Secrets[r.experiment] }

// Share sees to it that the shared services run and are set up.
func (r *run) Share(ctx context.Context, t *plan.Trial) error {
	return r.bench.share(ctx, r.secrets().put(t))
}

func (r *run) begin(ctx context.Context) error {
	err := r.findInputs()
	if err == nil {
		err = r.prepare(ctx)
	}
	if err != nil {
		return err
	}
	r.replaced = r.work.replaced
	r.id, r.plans = r.names.runOf(r.work.run)
	r.bench = r.newBench()
	return r.search(ctx)
}

// goOn finds and prepares what more of the experiment needs than was begun.
func (r *run) goOn(ctx context.Context, work worklist) error {
	records, err := r.readRecords()
	if err != nil {
		return err
	}
	r.records, r.work = records, work
	if err := r.recall(records); err != nil {
		return err
	}
	if err := r.preparePending(ctx); err != nil {
		return err
	}
	return r.search(ctx)
}

// finish takes down what the experiment has left, given what ended it. An error that concerns it alone goes into the
// summary.
func (r *run) finish(ctx context.Context, err error) error {
	if r.bench != nil {
		if r.summary.Kept == nil { // what is kept is to stay as it was
			if failed := r.bench.cleanup(ctx, err != nil && !errors.Is(err, errOutOfTime)); failed != nil {
				r.summary.NoCleanup = append(r.summary.NoCleanup, *failed)
			}
		}
		err = errors.Join(err, r.bench.unshare(ctx))
		err = errors.Join(err, r.bench.endBlock(ctx))
		if aroundErr := r.bench.closeAround(ctx); !errors.As(err, new(*engine.LeftError)) { // which has said why
			err = errors.Join(err, aroundErr)
		}
	}
	var noImage *images.NoImageError
	var noRate *search.NoRateError
	var noTune *search.NoTuneError
	switch {
	case errors.As(err, new(*engine.LeftError)):
		return err // whatever else there is: nothing can be measured beside them
	case errors.As(err, &noTune):
		r.summary.NoTune = append(r.summary.NoTune, *noTune)
		return nil
	case errors.As(err, &noRate):
		r.summary.NoRate = append(r.summary.NoRate, *noRate)
		return nil
	case errors.As(err, &noImage) && ctx.Err() == nil:
		r.summary.NoImage = append(r.summary.NoImage, noImage)
		if r.verifier == nil { // whoever asks for a verification says it with the others
			r.Progress.Note("left out: an image that it needs is missing")
		}
		return nil
	}
	return err
}

// repetitions measures what is to be done, one after the other, and then what the machine disturbed, until something is
// kept.
func (r *run) repetitions(ctx context.Context) error {
	schedule := &schedule{run: r, left: r.work.steps}
	for len(schedule.left) > 0 {
		for step, ok := schedule.next(); ok; step, ok = schedule.next() {
			if err := r.step(ctx, schedule, step); err != nil {
				return err
			}
			if kept := r.summary.Kept; kept != nil {
				kept.Left = len(schedule.left)
				return nil
			}
		}
		records, err := r.readRecords()
		if err != nil {
			return err
		}
		again := worklist{run: r.id, replaced: r.replaced,
			steps: retries(r.experiment, r.plan.RecordsOf(r.experiment, records, r.Host.ID), r.id)}
		again = r.options.chosen(r.experiment, again)
		if schedule.left = nil; len(again.steps) > 0 {
			// Of a run that goes on these may be trials of which nothing was left to do, and which nobody has asked
			// about.
			if err := r.goOn(ctx, again); err != nil {
				return err
			}
			schedule.left = r.work.steps
			r.Progress.Again(r.experiment, schedule.left)
		}
	}
	return ctx.Err()
}

// tuned is a step with the values that searches found for its trial, made ready. Where they found none, it comes with a
// record that says so, and is not run.
func (r *run) tuned(ctx context.Context, step plan.Step) (plan.Step, *record.Record, error) {
	if reason := r.choices.Of(step.Trial).Reason; reason != "" {
		rec := r.NewRecord(step)
		rec.Failure, rec.Ended = reason, rec.Started
		return step, r.finished(rec), nil
	}
	tuned, err := r.choices.Tuned(step.Trial)
	if err != nil {
		return step, nil, err
	}
	step.Trial = tuned
	return step, nil, r.PrepareTrial(ctx, tuned)
}

// step measures one repetition, and saves its record.
func (r *run) step(ctx context.Context, schedule *schedule, step plan.Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.outOfTime() {
		return errOutOfTime
	}
	if err := r.Share(ctx, step.Trial); err != nil {
		return err
	}
	quietly := r.bench.unshared != nil // it was said once for all
	r.keeping = schedule.keeping(step.Trial)
	tuned, rec, err := r.tuned(ctx, step)
	if rec == nil && err == nil {
		if rec, err = r.Measure(ctx, tuned); rec != nil {
			r.choices.AddTo(rec, step.Trial)
		}
	}
	r.keeping = keeping{}
	if rec == nil {
		return err
	}
	// What was measured is kept, also if nothing more can be.
	if saveErr := r.save(rec); saveErr != nil {
		saveErr = fmt.Errorf("repetition %d of %s was measured but could not be saved: %w; once records can be saved, the "+
			"same command measures it again", step.Repetition, step.Trial.Name, saveErr)
		return errors.Join(saveErr, err)
	}
	r.summary.Measured++
	if rec.Failure != "" {
		r.summary.Failed++
	}
	if step.Replaces > 0 {
		r.summary.Again++
		r.replaced++
	}
	r.summary.Spent.addRepetition(rec)
	if !quietly {
		r.Progress.End(step, rec)
	}
	schedule.giveUpAlike(step, rec)
	if kept := r.summary.Kept; kept != nil {
		kept.Failed = rec.Failure != ""
	}
	return err
}

// findInputs finds out what the experiment takes from others that were measured before it.
func (r *run) findInputs() error {
	if r.verifier != nil {
		return r.takeFirst()
	}
	var err error
	if r.records, _, err = r.store.Read(); err != nil {
		return err
	}
	r.choices = nil // what was foreseen may have been chosen meanwhile
	if err := r.recall(r.records); err != nil {
		return err
	}
	r.rates, err = search.Rates(r.plan, r.experiment, r.records, r.Host.ID, r.work.run)
	return err
}
