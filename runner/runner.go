// Package runner carries out a plan: it starts services, has a driver measure them, and saves a record after every
// repetition.
//
// Missing says what to measure, from the plan and the records alone. A session asks it, measures one experiment after
// another, and asks again, until nothing is missing. The plan decides order, trials and repetitions; the claims decide
// when to stop. Two trials are never measured at the same time.
//
// In any case, every repetition that ended has its record, and every container that was started is removed. A run
// that was cancelled is resumed when it is started again.
package runner

import (
	"context"
	"errors"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/machine"
)

// RecordStore keeps the records of an article.
type RecordStore interface {
	Read() ([]*record.Record, []record.Bad, error)
	Save(*record.Record) error
}

// Progress shows what happens. Its methods, and the methods of its results, are called one at a time.
type Progress interface {
	// Experiment begins an experiment, with the repetitions and searches for capacities that are missing.
	Experiment(g Group)
	// Again begins more repetitions of an experiment: after a look, or to replace disturbed ones.
	Again(g Group)
	// Preparing is called before an image is built or pulled, and returns where the output of that goes. Several may be
	// under way at once.
	Preparing(what string) images.Preparation
	// Note shows a sentence about several repetitions.
	Note(text string)
	// End is called after each repetition.
	End(step plan.Step, r *record.Record)
	// Search is called after each probe of a search, and when it has ended: then Stop says why.
	Search(t *plan.Trial, s *record.Search)
}

// Runner carries out plans on one engine.
type Runner struct {
	Engine   engine.Engine
	Agent    agent.Program // our program in containers
	Requests load.Driver
	Commands *load.Commands
	Tools    map[string]load.Driver // load generators of others, by name
	Programs load.Driver            // load generators of articles
	Host     machine.Host
	Machines map[string]*machine.Machine // the others of Host, by their names in the project; "" is an engine elsewhere
	Progress Progress
	Outside  *Runner // carries out experiments whose targets run already; nil: this one does

	Settler *machine.Settler                  // lets the machine come to rest before each repetition; nil for none
	Cache   string                            // folder that remembers the contents of images; empty for none
	Over    func(engine.Engine) engine.Engine // wraps the engine that images are built on; nil for nothing

	imageStore *images.Store
}

// Options select what to measure.
type Options struct {
	// Force also measures fresh trials, as a new run, with searches made again.
	Force bool
	// Deadline is when the last repetition or search may begin, if making images takes no time; zero for no limit.
	Deadline time.Time
	// Continue resumes the newest run where Force, or a running target, would begin another.
	Continue bool
	// Once ends the run after the repetitions up to the next look.
	Once bool
	// Open says which trials are measured further after a look; nil: none.
	Open Undecided
	// Only picks the trials whose repetitions are measured; nil: all.
	Only func(*plan.Experiment, *plan.Trial) bool
	// Keep ends the run at a repetition that fails, and leaves its services up for somebody to look at. KeepLast also
	// leaves the services of the last repetition.
	Keep, KeepLast bool
	// Present knows which records were measured with images and programs that have changed since. Nil: a run asks the
	// engine, and NextOf takes all records as they are.
	Present *images.Present
	// Conditions are facts of the machine, and of its engine if it is known: records of other conditions do not count, see
	// record.OtherConditions. A run asks its engine itself.
	Conditions map[string]string
	// Secrets are the values of the secrets of experiments.
	Secrets map[*plan.Experiment]Secrets
	// Revision is the record.FactRevision of records.
	Revision string
	// Claims are the record.FactClaims of records, by article; articles without one leave it out.
	Claims map[string]string
	// Missing is called before anything is measured, with the images that could not be had; it may be nil.
	Missing func([]*images.NoImageError)
}

// Kept are the services that were left up for somebody to look at.
type Kept struct {
	Article, Experiment, Trial string
	Failed                     bool // the repetition failed
	Services                   []engine.Kept
	Left                       int // repetitions that were not run
}

// Summary is what a run came to.
type Summary struct {
	Measured int // repetitions that were run
	Again    int // of them, those that replace a disturbed one
	Failed   int // of them, those that failed
	// LeftOut are why experiments were left out: a *images.NoImageError, or a *search.MissingError.
	LeftOut []error
	GivenUp int   // repetitions that were left out, as others of their trials failed alike
	Kept    *Kept // nil if no services were left up
	// Searches counts the searches that were made, ProbesAgain their probes that replace a disturbed one.
	Searches, ProbesAgain int
	// Spared counts the repetitions up to the last look that no undecided claim asks for.
	Spared int
	// Unsearched counts the repetitions that were left out because the machine was too busy to find values they need.
	Unsearched int
	OutOfTime  bool          // the budget was over before everything was measured
	Preparing  time.Duration // making images, by which the deadline was later
	Spent      Spent
}

// Spent is how a run spent its time.
type Spent struct {
	Total     time.Duration
	Measuring time.Duration // windows and warm-up of repetitions without a failure
	Searching time.Duration
}

// Efficiency returns Measuring as a share of the total without searches, at most 1; 0 without any time.
func (s *Spent) Efficiency() float64 {
	rest := s.Total - s.Searching
	if rest <= 0 {
		return 0
	}
	return min(1, s.Measuring.Seconds()/rest.Seconds()) // they are measured by different clocks
}

// Add adds what another run spent.
func (s *Spent) Add(o Spent) {
	s.Total += o.Total
	s.Measuring += o.Measuring
	s.Searching += o.Searching
}

// Run measures the missing and stale trials of a plan: all experiments up to the first look, and from look to look what
// claims are undecided about. New experiments share one new run; a run that was stopped is resumed. When ctx is
// cancelled the error is the context's, and the summary says what was done until then.
func (r *Runner) Run(ctx context.Context, p *plan.Plan, store RecordStore, o Options) (Summary, error) {
	begin := time.Now()
	s := &session{Runner: r, plan: p, store: store, options: o}
	err := s.measure(ctx)
	if s.open != nil {
		err = s.close(ctx, err)
	}
	if s.summary.OutOfTime = errors.Is(err, errOutOfTime); s.summary.OutOfTime {
		left, isLeft := errors.AsType[*engine.LeftError](err)
		if err = nil; isLeft {
			err = left
		}
	}
	s.summary.Spent.Total += time.Since(begin)
	return s.summary, err
}

// Prepare makes available what the pending repetitions and searches of a plan need, and measures nothing: images, our
// own programs, and what drivers of loads bring. It returns the images that could not be had, with the place of what
// asks for them.
func (r *Runner) Prepare(ctx context.Context, p *plan.Plan, store RecordStore, o Options) ([]*images.NoImageError, error) {
	s := &session{Runner: r, plan: p, store: store, options: o}
	groups, records, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	return s.prepareAll(ctx, groups, records)
}
