// Package runner carries out a plan: it starts services, has a driver measure them, and saves a record after every
// repetition.
//
// Missing derives what to measure from the plan and the records. A session calls it, measures one experiment after
// another, and calls it again until nothing is missing. The plan decides order, trials and repetitions; the claims
// decide when to stop. Two trials are never measured at the same time.
//
// However a run ends, every finished repetition has its record, and every container that was started is removed. A
// cancelled run is resumed when it is started again.
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

// Progress shows what a run does. Its methods, and those of the values it returns, are called one at a time.
type Progress interface {
	// Experiment begins an experiment with its missing repetitions and capacity searches.
	Experiment(g Group)
	// Again begins further repetitions of an experiment: after a look, or to replace disturbed ones.
	Again(g Group)
	// Preparing is called before an image is built or pulled, and returns a writer for the output. Several may be
	// prepared at once.
	Preparing(what string) images.Preparation
	// Note shows a sentence that concerns more than one repetition.
	Note(text string)
	// End is called after each repetition.
	End(step plan.Step, r *record.Record)
	// Search is called after each probe of a search, and at its end, when Stop says why it ended.
	Search(t *plan.Trial, s *record.Search)
}

// Runner carries out plans on one engine.
type Runner struct {
	Engine   engine.Engine
	Agent    agent.Program // benchbook's own program, which runs in containers
	Requests load.Driver
	Commands *load.Commands
	Tools    map[string]load.Driver // third-party load generators, by name
	Programs load.Driver            // drivers that articles bring
	Host     machine.Host
	Machines map[string]*machine.Machine // other machines of Host by their names in the project; "" is a remote engine's
	Progress Progress
	Outside  *Runner // runs experiments whose target is already running; nil: this Runner does

	Settler *machine.Settler                  // waits for a quiet machine before each repetition; nil: no waiting
	Cache   string                            // folder that caches the contents of images; empty: no cache
	Over    func(engine.Engine) engine.Engine // wraps the engine that builds images; nil: no wrapper

	imageStore *images.Store
}

// Options select what to measure.
type Options struct {
	// Force measures fresh trials too, in a new run, and repeats their searches.
	Force bool
	// Deadline is the latest start of a repetition or search, extended by the time spent on images; zero: no limit.
	Deadline time.Time
	// Continue resumes the newest run even where Force or a running target would begin another.
	Continue bool
	// Once ends the run at the next look.
	Once bool
	// Open selects the trials to measure further after a look; nil: none.
	Open Undecided
	// Only selects the trials to measure; nil: all.
	Only func(*plan.Experiment, *plan.Trial) bool
	// Keep ends the run at the first repetition that fails and leaves its services up for inspection. KeepLast leaves up
	// the services of the last repetition.
	Keep, KeepLast bool
	// Present finds records whose images or programs have changed since. If it is nil, a run asks the engine, and NextOf
	// uses all records.
	Present *images.Present
	// Conditions are facts of the machine and, if known, its engine. Records of other conditions do not count, see
	// record.OtherConditions. NextOf uses them; a run collects its own.
	Conditions map[string]string
	// Secrets holds the secrets of each experiment.
	Secrets map[*plan.Experiment]Secrets
	// Revision becomes the fact record.FactRevision.
	Revision string
	// Claims becomes the fact record.FactClaims, by article; articles that it lacks have no such fact.
	Claims map[string]string
	// Missing, unless nil, is called before anything is measured with the images that are not available.
	Missing func([]*images.NoImageError)
}

// Kept lists the services of a repetition that were left up for inspection.
type Kept struct {
	Article, Experiment, Trial string
	Failed                     bool // the repetition failed
	Services                   []engine.Kept
	Left                       int // repetitions that were not run
}

// Summary counts what a run did.
type Summary struct {
	Measured int // repetitions that were run
	Again    int // how many of them replaced a disturbed one
	Failed   int // how many of them failed
	// LeftOut has a *images.NoImageError or *search.MissingError for each experiment that was left out.
	LeftOut []error
	GivenUp int   // repetitions left out because others of their trial failed alike
	Kept    *Kept // nil if no services were left up
	// Searches counts the finished searches, ProbesAgain their disturbed probes.
	Searches, ProbesAgain int
	// Spared counts the repetitions up to the last look that no undecided claim needs.
	Spared int
	// Unsearched counts the repetitions left out because the machine was too busy for the searches they depend on.
	Unsearched int
	OutOfTime  bool          // the deadline passed before everything was measured
	Preparing  time.Duration // time spent on images, added to the deadline
	Spent      Spent
}

// Spent is how a run spent its time.
type Spent struct {
	Total     time.Duration
	Measuring time.Duration // windows and warm-ups of successful repetitions
	Searching time.Duration
}

// Efficiency returns Measuring as a share of Total without Searching, in [0, 1].
func (s *Spent) Efficiency() float64 {
	rest := s.Total - s.Searching
	if rest <= 0 {
		return 0
	}
	return min(1, s.Measuring.Seconds()/rest.Seconds()) // different clocks could give more than 1
}

// Add adds the times of another run.
func (s *Spent) Add(o Spent) {
	s.Total += o.Total
	s.Measuring += o.Measuring
	s.Searching += o.Searching
}

// Run measures the missing and stale trials of a plan: all of them up to the first look, then from look to look those
// of undecided claims. New experiments share one new run; a stopped run is resumed. If ctx is cancelled, Run returns
// the context's error and a summary of the work so far.
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

// Prepare pulls and builds everything that the pending repetitions and searches of a plan need, and measures nothing.
// It returns the images that are not available, with the places that ask for them.
func (r *Runner) Prepare(ctx context.Context, p *plan.Plan, store RecordStore, o Options) ([]*images.NoImageError, error) {
	s := &session{Runner: r, plan: p, store: store, options: o}
	groups, records, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	return s.prepareAll(ctx, groups, records)
}
