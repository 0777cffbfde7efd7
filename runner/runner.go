// Package runner carries out a plan: it starts services, has a driver measure them, and saves one record after every
// repetition.
//
// A Runner decides nothing that the plan has not decided, the time to stop aside: order, trials and repetitions are the plan's.
// What is fresh is not measured again. Whatever happens, every repetition that ended has its record, and every container
// that was started is removed; a cancelled run goes on where it was when it is started again. Trials are never measured
// at the same time.
package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machines"
	"benchbook/runner/observe"
	"benchbook/runner/search"
)

// RecordStore is as much of a store as a Runner needs.
type RecordStore interface {
	Read() ([]*record.Record, []record.Bad, error)
	Save(*record.Record) error

	// Keep keeps a search that goes on as far as it is, in the place of what was kept of it before, until it is told to Drop it.
	// Unfinished gives what is kept.
	Keep(*record.Record) error
	Drop(*record.Record) error
	Unfinished() ([]*record.Record, error)
}

// Progress is told what happens. Its methods, and those of what it returns, are called one at a time.
type Progress interface {
	// Experiment begins: so many of its repetitions, or of its searches for capacities, are to be done, the others are fresh or
	// done already.
	Experiment(e *plan.Experiment, todo int)
	// Again begins repetitions in the place of those that the machine disturbed.
	Again(steps []plan.Step)
	// Preparing is called before an image is made available; what the builder says goes to what it returns, until that ends. Several may
	// be under way at once.
	Preparing(what string) images.Preparation
	// Note says something that is about several repetitions.
	Note(text string)
	// Begin and End enclose a repetition.
	Begin(step plan.Step)
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
	Agent    agent.Program          // reads our program, for origins and links
	Host     machines.Host
	Machines map[string]*machines.Machine // the others of Host, by their names in the project
	Progress Progress

	Settler *observe.Settler // lets the machine come to rest before each repetition; nil for none
	Cache   string           // folder where it is kept what images hold; empty for none

	store *images.Store
	lists map[string]map[string]bool // by run and experiment: digests of the lists that its records hold
}

// Options change what is measured.
type Options struct {
	// Force measures what is fresh as well, as a new run. Searches for tuned values are not repeated with repetitions.
	Force bool
	// Budget is how long a run may last, and Deadline when that is over; zero for as long as it takes. Judge says when to stop
	// cells before their last round; nil for never.
	Budget   time.Duration
	Deadline time.Time
	Judge    Judge
	// Only picks the trials whose repetitions are measured; nil: all.
	Only func(*plan.Experiment, *plan.Trial) bool
	// Keep leaves the services of a repetition up that fails, and measures no further, so that somebody can look at them; KeepLast
	// beside it also those of the last one.
	Keep, KeepLast bool
	// Present tells which of what was measured was measured with images and programs that are others now: it is measured again. Nil asks
	// the engine that measures; what is counted without one takes all records as they are.
	Present *images.Present
	// Revisions are what records have as record.FactRevision, by article; those that nobody knows are absent or empty.
	Revisions map[string]string

	outdated map[string]bool // runs that nothing goes on in, as Present has found
}

// look asks the engine that measures about what records were measured with, unless Options have somebody else to ask.
func (o *Options) look(ctx context.Context, e engine.Engine, records []*record.Record) error {
	if o.Present == nil {
		o.Present = images.PresentOn(e)
	}
	return o.Present.Look(ctx, records)
}

// current leaves out of records what is outdated, and notes the runs that this is of.
func (o Options) current(p *plan.Plan, records []*record.Record) (Options, []*record.Record) {
	records, o.outdated = o.Present.Current(p, records)
	return o, records
}

// chosen leaves out of what is to be done the trials that Options do not pick.
func (o Options) chosen(e *plan.Experiment, t todoList) todoList {
	if o.Only != nil {
		t.steps = slices.DeleteFunc(slices.Clone(t.steps), func(s plan.Step) bool { return !o.Only(e, s.Trial) })
		t.searches = slices.DeleteFunc(slices.Clone(t.searches), func(s *plan.Trial) bool { return !o.Only(e, s) })
	}
	return t
}

// countOf is how many repetitions of an experiment Options pick.
func (o Options) countOf(e *plan.Experiment) int {
	return len(o.chosen(e, todoList{steps: e.Steps}).steps)
}

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
	Fresh    int // repetitions that needed no run
	// NoImage are images that could not be had; the experiments that need them were left out.
	NoImage []images.NoImageError
	// NoRate are experiments that were left out since the throughput that their rate is a share of is not known, NoTune those
	// that take over a value which was not chosen.
	NoRate []search.NoRateError
	NoTune []search.NoTuneError
	// NoCleanup are hooks that failed at the end of an experiment.
	NoCleanup []NoCleanupError
	// GivenUp are trials that failed alike again and again.
	GivenUp []GivenUp
	// Kept are the services that were left up; nil if none were.
	Kept *Kept
	// Searches are those that were made, ProbesAgain how many of their probes were made again, as the machine had disturbed them, and
	// Stopped how many repetitions were left out since what they are about is decided.
	Searches, ProbesAgain, Stopped int
	// Probes are those that are kept of a search which was stopped itself.
	Probes int
	// Unsearched are repetitions that were left out since the machine was too busy to find the values that they need.
	Unsearched int
	OutOfTime  bool // the budget was over before everything was measured
	Spent      Spent
}

// search is how long a search took, the mean of those that were made.
func (s *Summary) search() time.Duration {
	return s.Spent[Searching] / time.Duration(max(1, s.Searches))
}

// Run measures what is missing or stale. What of it is begun is one run, over all experiments; what an earlier one was stopped in goes
// on as that. On cancellation the error is the context's, and the summary tells what was done until then.
func (r *Runner) Run(ctx context.Context, p *plan.Plan, store RecordStore, o Options) (sum Summary, err error) {
	begin := time.Now()
	defer func() { sum.Spent.since(Other, begin, Spent{}) }()
	records, _, err := store.Read()
	if err != nil {
		return sum, err
	}
	if err := o.look(ctx, r.Engine, records); err != nil {
		return sum, err
	}
	together := newMeasurement(p.RecordsOf(nil, records, r.Host.ID))
	o, records = o.current(p, records)
	store = currentStore{store, o.Present, p}
	experiments := o.experiments(p)
	left := 0 // of the experiments that are still to come
	var pending []*run
	for _, e := range experiments {
		t := o.todo(e, p.RecordsOf(e, records, r.Host.ID))
		if left += t.len(); t.len() > 0 && t.run == "" {
			together.plans[e.Name] = e.Digest
		}
		if t.len() > 0 {
			pending = append(pending, &run{Runner: r, plan: p, experiment: e, todo: t, records: records})
		}
	}
	preparing := time.Now()
	_, err = r.prepareAll(ctx, pending) // each experiment says what of it is missing
	sum.Spent.since(Preparing, preparing, sum.Spent)
	if err != nil {
		return sum, err
	}
	if !o.Force && !o.outdated[together.newest] {
		together.goOn()
	}
	for _, e := range experiments {
		t := o.todo(e, p.RecordsOf(e, records, r.Host.ID))
		sum.Fresh += o.countOf(e) - len(t.steps)
		r.Progress.Experiment(e, t.len())
		if t.len() == 0 {
			continue
		}
		left -= t.len()
		run := &run{Runner: r, plan: p, experiment: e, todo: t, store: store, summary: &sum, options: o, together: together}
		run.options.KeepLast = o.KeepLast && left == 0
		err := run.measure(ctx)
		if errors.Is(err, errOutOfTime) {
			sum.OutOfTime = true
			break
		}
		if err != nil {
			return sum, err
		}
		if sum.Kept != nil {
			sum.Kept.Left += left
			break // nothing can be measured beside them
		}
	}
	return sum, nil
}

// experiments are those of a plan that are measured if something of them is pending, in order.
func (o Options) experiments(p *plan.Plan) []*plan.Experiment {
	return slices.DeleteFunc(search.InOrder(p.Experiments), func(e *plan.Experiment) bool {
		return e.Skipped != "" || o.Only != nil && o.chosen(e, todoList{steps: e.Steps, searches: capacities(e)}).len() == 0
	})
}

// Pending counts the repetitions and the searches for capacities of a plan that a run would do, together.
func Pending(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	o, records = o.current(p, records)
	for _, e := range p.Experiments {
		n += o.todo(e, p.RecordsOf(e, records, host)).len()
	}
	return n
}

// PendingSearches counts the searches for capacities among what is pending.
func PendingSearches(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	o, records = o.current(p, records)
	for _, e := range p.Experiments {
		n += len(o.todo(e, p.RecordsOf(e, records, host)).searches)
	}
	return n
}

// Fruitless is an experiment of which there are repetitions, and every one has failed.
type Fruitless struct {
	Experiment *plan.Experiment
	Failed     int    // repetitions
	Failure    string // that of the last one
}

func (f *Fruitless) Error() string {
	all := fmt.Sprintf("all %d repetitions failed", f.Failed)
	if f.Failed == 1 {
		all = "its repetition failed"
	}
	return all + ": " + strings.ReplaceAll(f.Failure, "\n", " ")
}

// AllFailed gives the experiments of a plan of which nothing is measured, though nothing is left to do: every repetition has failed.
func AllFailed(p *plan.Plan, records []*record.Record, host string, o Options) []Fruitless {
	var out []Fruitless
	o, records = o.current(p, records)
	for _, e := range o.experiments(p) {
		if o.todo(e, p.RecordsOf(e, records, host)).len() > 0 {
			continue
		}
		keys := map[string]string{}
		for _, t := range e.Trials {
			if o.Only == nil || o.Only(e, t) {
				keys[t.Name] = t.Key
			}
		}
		f := Fruitless{Experiment: e}
		measured := false
		var last *record.Record
		for _, r := range p.RecordsOf(e, records, host) {
			switch {
			case keys[r.Trial] != r.Key:
			case r.Failure == "":
				measured = true
			default:
				f.Failed++
				if last == nil || r.Ended.After(last.Ended) {
					last, f.Failure = r, r.Failure
				}
			}
		}
		if !measured && f.Failed > 0 {
			out = append(out, f)
		}
	}
	return out
}

// PendingTrials counts the trials of an experiment that a run would measure something of, the A/A pair once.
func PendingTrials(p *plan.Plan, e *plan.Experiment, records []*record.Record, host string, o Options) int {
	o, records = o.current(p, records)
	left := o.todo(e, p.RecordsOf(e, records, host))
	return len(left.pending(e))
}

// A todoList is what is left of an experiment.
type todoList struct {
	run      string // goes on under this name; empty where it is begun
	steps    []plan.Step
	searches []*plan.Trial // whose capacity is to be searched for

	replaced int // repetitions that this run has measured again already
}

// len is how many repetitions and searches for capacities are left.
func (l todoList) len() int { return len(l.steps) + len(l.searches) }

// todo finds what is not there yet of the trials that Options pick. A trial is fresh if one run has all its repetitions under its present
// name and key, or those up to the look that found it decided, or if its search for a capacity is recorded under them. A run of this
// very plan that was stopped goes on. A plan of more repetitions is another one, and its run is new: rounds are never added to a run that
// was finished, which would be one more look at its results.
//
// Source: docs/records.md#freshness; docs/method.md#number-of-looks.
func (o Options) todo(e *plan.Experiment, records []*record.Record) todoList {
	if o.Force {
		return o.chosen(e, todoList{steps: e.Steps, searches: capacities(e)})
	}
	type cell struct{ run, trial, key string }
	have := map[cell]map[int]bool{}
	last := ""
	searched := map[cell]bool{}
	for _, r := range records {
		if r.Plan == e.Digest && r.Run > last && !o.outdated[r.Run] {
			last = r.Run
		}
		if r.Search != nil {
			searched[cell{"", r.Trial, r.Key}] = searched[cell{"", r.Trial, r.Key}] || r.Search.Kind == record.SearchCapacity && !r.Search.Busy
			continue
		}
		c := cell{r.Run, r.Trial, r.Key}
		if have[c] == nil {
			have[c] = map[int]bool{}
		}
		have[c][r.Repetition] = true
	}
	stopped := record.StoppedIn(records)
	fresh := func(t *plan.Trial) bool {
		for c, repetitions := range have {
			has := func(k int) bool { return repetitions[k] }
			if c.trial == t.Name && c.key == t.Key && stopped.Complete(c.run, e.Name, t.Name, e.Repetitions, has) {
				return true
			}
		}
		return false
	}
	isFresh := map[*plan.Trial]bool{}
	for _, t := range e.Trials {
		isFresh[t] = fresh(t)
	}
	out := todoList{run: last}
	for _, r := range records {
		if r.Run == last && r.Order.Replaces > 0 {
			out.replaced++
		}
	}
	for _, s := range e.Steps {
		if !isFresh[s.Trial] && !have[cell{last, s.Trial.Name, s.Trial.Key}][s.Repetition] {
			out.steps = append(out.steps, s)
		}
	}
	for _, t := range capacities(e) {
		if !searched[cell{"", t.Name, t.Key}] {
			out.searches = append(out.searches, t)
		}
	}
	if out = o.chosen(e, out); len(out.steps) == 0 && last != "" { // what others lack does not keep these from being measured again
		out.steps = again(e, records, last)
		out = o.chosen(e, out)
	}
	return out
}

// capacities are the trials of an experiment whose capacity is searched for.
func capacities(e *plan.Experiment) []*plan.Trial {
	return slices.DeleteFunc(slices.Clone(e.Trials), func(t *plan.Trial) bool { return t.Capacity == nil || t.Unavailable != "" })
}

// A measurement is what one call of Run begins: one run.
type measurement struct {
	run   string            // its name; empty until the first experiment is prepared
	plans map[string]string // digests of the experiments that it is to measure, by their names

	newest string                       // run there is, of those that are not from the future
	known  map[string]map[string]string // plans of the runs that there are
}

// newMeasurement begins one beside the records of an article on one host and in one profile.
func newMeasurement(records []*record.Record) *measurement {
	m := &measurement{plans: map[string]string{}, known: map[string]map[string]string{}}
	latest := time.Now().Add(clockError)
	for _, r := range records {
		m.known[r.Run] = r.Plans
		if !isAfter(r.Run, latest) {
			m.newest = max(m.newest, r.Run)
		}
	}
	return m
}

// goOn takes up the newest run in place of a new one, if it was to measure all that is to be begun, as that is planned now: it was stopped
// between two experiments.
func (m *measurement) goOn() {
	before := m.known[m.newest]
	for name, digest := range m.plans {
		if before[name] != digest {
			return
		}
	}
	if len(m.plans) > 0 {
		m.run, m.plans = m.newest, before
	}
}

// of names the run that an experiment is measured in, the one that it goes on in or else the new one, and gives the plans of all that this
// run was to measure; of older runs they are not known.
func (m *measurement) of(goesOn string) (run string, plans map[string]string) {
	if goesOn != "" {
		return goesOn, m.known[goesOn]
	}
	if m.run == "" {
		m.run = newRunID(time.Now(), m.newest)
	}
	return m.run, m.plans
}

// A run is one experiment being measured.
type run struct {
	*Runner
	plan       *plan.Plan
	experiment *plan.Experiment
	todo       todoList
	store      RecordStore
	summary    *Summary
	options    Options
	together   *measurement // with other experiments

	id        string
	plans     map[string]string  // of the experiments that id is to measure, by their names
	records   []*record.Record   // that were there when the experiment began
	choices   *search.Choices    // what searches found
	facts     map[string]string  // that hold for all trials
	replaced  int                // repetitions that were measured again, in the place of others
	disturbed bool               // the machine disturbed the last repetition
	rates     map[string]float64 // by experiment: the throughput that rates are a share of

	bench *bench // nil until it is measured

	// keeping says of the repetition that goes on whether its services are kept: if it fails, or in any case. Those of probes never are.
	keeping struct{ failed, always bool }

	verifier *verifier // nil unless nothing is measured
}

// layout says where the experiment runs.
func (r *run) layout() machines.Layout {
	return machines.Layout{Experiment: r.experiment, Host: r.Host, Machines: r.Machines}
}

func (r *run) newBench() *bench {
	return &bench{engine: r.Engine, experiment: r.experiment, layout: r.layout(), images: r.images(), driver: r.driver, run: r.id,
		note: r.Progress.Note}
}

// Share sees to it that the shared services run and are set up.
func (r *run) Share(ctx context.Context, t *plan.Trial) error {
	begin, spent := time.Now(), r.summary.Spent
	defer func() { r.summary.Spent.since(Sharing, begin, spent) }()
	return r.bench.share(ctx, t)
}

func (r *run) measure(ctx context.Context) error {
	begin, spent := time.Now(), r.summary.Spent
	err := r.ready()
	if err == nil {
		err = r.prepare(ctx)
	}
	r.summary.Spent.since(Preparing, begin, spent)
	if err == nil {
		r.replaced = r.todo.replaced
		r.id, r.plans = r.together.of(r.todo.run)
		r.bench = r.newBench()
		if err = r.search(ctx); err == nil {
			err = r.repetitions(ctx)
		}
		begin, spent := time.Now(), r.summary.Spent
		if r.summary.Kept == nil { // what is kept is to stay as it was
			if failed := r.bench.cleanup(ctx, err != nil && !errors.Is(err, errOutOfTime)); failed != nil {
				r.summary.NoCleanup = append(r.summary.NoCleanup, *failed)
			}
		}
		err = errors.Join(err, r.bench.unshare(ctx))
		r.summary.Spent.since(Sharing, begin, spent)
		begin, spent = time.Now(), r.summary.Spent
		if aroundErr := r.bench.closeAround(ctx); !errors.As(err, new(*engine.LeftError)) { // which has said why
			err = errors.Join(err, aroundErr)
		}
		r.summary.Spent.since(Stopping, begin, spent)
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
		r.summary.NoImage = append(r.summary.NoImage, *noImage)
		if r.verifier == nil { // whoever asks for a verification says it with the others
			r.Progress.Note("left out: " + noImage.Error())
		}
		return nil
	}
	return err
}

// repetitions measures what is to be done, one after the other, and then what the machine disturbed, until something is kept.
func (r *run) repetitions(ctx context.Context) error {
	rounds := r.newRounds()
	for len(rounds.left) > 0 {
		for step, ok := rounds.next(); ok; step, ok = rounds.next() {
			if err := r.step(ctx, rounds, step); err != nil {
				return err
			}
			if kept := r.summary.Kept; kept != nil {
				kept.Left = len(rounds.left)
				return nil
			}
		}
		records, err := r.saved()
		if err != nil {
			return err
		}
		rounds.left = again(r.experiment, r.plan.RecordsOf(r.experiment, records, r.Host.ID), r.id)
		if rounds.left = r.options.chosen(r.experiment, todoList{steps: rounds.left}).steps; len(rounds.left) > 0 {
			r.todo.steps = rounds.left
			// Of a run that goes on these may be trials of which nothing was left to do, and which nobody has asked about.
			if err := r.recall(records); err != nil {
				return err
			}
			if err := r.preparePending(ctx); err != nil {
				return err
			}
			r.Progress.Again(rounds.left)
		}
	}
	return ctx.Err()
}

// tuned is a step with the values that searches found for its trial, made ready. Where they found none, it comes with a record
// that says so, and is not run.
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
func (r *run) step(ctx context.Context, rounds *rounds, step plan.Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.outOfTime(rounds.longest) {
		return errOutOfTime
	}
	if err := r.Share(ctx, step.Trial); err != nil {
		return err
	}
	quietly := r.bench.unshared != nil // it was said once for all
	if !quietly {
		r.Progress.Begin(step)
	}
	r.keeping.failed, r.keeping.always = r.options.Keep, r.options.KeepLast && len(rounds.left) == 0
	tuned, rec, err := r.tuned(ctx, step)
	if rec == nil && err == nil {
		if rec, err = r.Measure(ctx, tuned); rec != nil {
			r.choices.AddTo(rec, step.Trial)
		}
	}
	r.keeping.failed, r.keeping.always = false, false
	if rec == nil {
		return err
	}
	err = errors.Join(rounds.done(step, rec), err)
	// What was measured is kept, also if nothing more can be.
	if saveErr := r.save(rec); saveErr != nil {
		saveErr = fmt.Errorf("repetition %d of %s is measured, and lost: %w; once records can be saved, the same command measures it again",
			step.Repetition, step.Trial.Name, saveErr)
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
	r.summary.Spent.repetition(rec)
	if !quietly {
		r.Progress.End(step, rec)
	}
	rounds.failed(step, rec)
	if kept := r.summary.Kept; kept != nil {
		kept.Failed = rec.Failure != ""
	}
	return err
}

// ready finds out what the experiment takes from others that were measured before it.
func (r *run) ready() error {
	if r.verifier != nil {
		return r.takeFirst()
	}
	var err error
	if r.records, _, err = r.store.Read(); err != nil {
		return err
	}
	if err := r.recall(r.records); err != nil {
		return err
	}
	r.rates, err = search.Rates(r.plan, r.experiment, r.records, r.Host.ID, r.todo.run)
	return err
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
