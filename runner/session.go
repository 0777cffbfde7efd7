package runner

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/images"
	"benchbook/runner/search"
)

// A session measures a plan, one experiment at a time.
type session struct {
	*Runner
	plan    *plan.Plan
	store   RecordStore
	options Options
	present *images.Present
	scope   Scope
	summary Summary

	run    string                       // the new run; empty until its first experiment begins
	plans  map[string]string            // digests of the experiments planned for the new run, by name
	newest string                       // newest recorded run, ignoring those from the future
	known  map[string]map[string]string // plans of the recorded runs, by run

	open *bench // bench of the last experiment; its shared services stay up until another one begins
	left int    // repetitions and searches in the groups after the current one
}

// begin initializes the session and returns the missing repetitions and the records that are not outdated.
func (s *session) begin(ctx context.Context) ([]Group, []*record.Record, error) {
	all, _, err := s.store.Read()
	if err != nil {
		return nil, nil, err
	}
	if s.present = s.options.Present; s.present == nil {
		s.present = images.PresentOn(s.Engine, s.Agent)
	}
	if err := s.present.Look(ctx, all); err != nil {
		return nil, nil, err
	}
	s.options.Conditions = map[string]string{}
	maps.Copy(s.options.Conditions, s.Host.Facts)
	if s.Engine != nil && s.Outside == nil { // with Outside, engines differ between experiments
		facts, err := s.Engine.Facts(ctx)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(s.options.Conditions, facts)
	}
	scope, current := s.options.scope(s.present, all)
	s.scope, s.plans, s.known = scope, map[string]string{}, map[string]map[string]string{}
	latest := time.Now().Add(record.ClockError)
	for _, r := range s.plan.RecordsOf(nil, all, s.Host.ID) {
		s.known[r.Run] = r.Plans
		if !isAfter(r.Run, latest) {
			s.newest = max(s.newest, r.Run)
		}
	}
	return s.missing(current), current, nil
}

// scope returns what may be measured, and the records whose images and conditions are unchanged.
func (o *Options) scope(present *images.Present, records []*record.Record) (Scope, []*record.Record) {
	current, outdated := present.Current(records)
	current = slice.Filter(current, func(r *record.Record) bool {
		differ := len(record.OtherConditions(r.Facts, o.Conditions)) > 0
		if differ {
			outdated[r.Run] = true
		}
		return !differ
	})
	// A running target may have changed since the last run.
	anew := func(e *plan.Experiment) bool { return !o.Continue && (o.Force || e.Outside) }
	return Scope{Only: o.Only, Anew: anew, Outdated: outdated, Tried: map[Turn]bool{}}, current
}

// read returns the records that are not outdated.
func (s *session) read() ([]*record.Record, error) {
	all, _, err := s.store.Read()
	_, current := s.options.scope(s.present, all)
	return current, err
}

// missing returns the groups of all experiments in scope.
func (s *session) missing(records []*record.Record) []Group {
	groups := Missing(s.plan, s.plan.RecordsOf(nil, records, s.Host.ID), s.options.Open, s.scope)
	return slice.Filter(groups, func(g Group) bool { return s.scope.includes(g.Experiment) })
}

// measure measures missing repetitions until none is left, or services are kept. When all experiments have reached a
// look, it asks what is missing next.
func (s *session) measure(ctx context.Context) error {
	groups, records, err := s.begin(ctx)
	if err != nil {
		return err
	}
	isAnew := slices.ContainsFunc(groups, func(g Group) bool { return g.Len() > 0 && s.scope.Anew(g.Experiment) })
	s.join(groups, !isAnew && !s.scope.Outdated[s.newest])
	if err := s.makeImages(ctx, groups, records); err != nil {
		return err
	}
	announce := s.Progress.Experiment
	for {
		s.left = total(groups)
		isDone := s.left == 0
		for _, g := range groups {
			announce(g)
			if err := s.measureGroup(ctx, g, records); err != nil {
				return err
			}
			if s.summary.Kept != nil {
				s.summary.Kept.Left += s.left
				return nil
			}
		}
		if s.options.Once {
			return nil
		}
		if isDone {
			if s.summary.Measured > 0 {
				s.summary.Spared = s.spared(records)
			}
			return nil
		}
		s.scope.Anew = nil // later groups belong to the run that has begun
		if records, err = s.read(); err != nil {
			return err
		}
		groups = s.missing(records)
		s.join(groups, false)
		announce = func(g Group) {
			if g.Len() > 0 {
				s.Progress.Again(g)
			}
		}
	}
}

// makeImages pulls and builds what all groups need, and moves the deadline by the time that takes.
func (s *session) makeImages(ctx context.Context, groups []Group, records []*record.Record) error {
	begin := time.Now()
	missing, err := s.prepareAll(ctx, groups, records)
	if err != nil {
		return err
	}
	s.summary.Preparing = time.Since(begin)
	if !s.options.Deadline.IsZero() {
		s.options.Deadline = s.options.Deadline.Add(s.summary.Preparing)
	}
	if s.options.Missing != nil {
		s.options.Missing(missing)
	}
	return nil
}

// measureGroup measures one group. An error that concerns only its experiment goes into the summary.
func (s *session) measureGroup(ctx context.Context, g Group, records []*record.Record) error {
	if g.Len() == 0 {
		return nil
	}
	s.left -= g.Len()
	s.try(g)
	if s.open != nil && s.open.experiment != g.Experiment {
		if err := s.close(ctx, nil); err != nil {
			return err
		}
	}
	var err error
	if s.open == nil {
		s.open = s.newBench(g, records)
		err = s.open.begin(ctx)
	} else {
		err = s.open.resume(ctx, g, records)
	}
	if err == nil {
		err = s.open.repetitions(ctx)
	}
	if err != nil {
		return s.close(ctx, err)
	}
	return nil
}

// close finishes the open experiment; err is what ended it.
func (s *session) close(ctx context.Context, err error) error {
	open := s.open
	s.open = nil
	return open.finish(ctx, err)
}

// try marks a group as tried, so that this session does not measure it again.
func (s *session) try(g Group) {
	for _, step := range g.Steps {
		s.scope.Tried[Turn{g.Experiment.Name, step.Trial.Name, step.Repetition}] = true
	}
	for _, t := range g.Searches {
		s.scope.Tried[Turn{g.Experiment.Name, t.Name, 0}] = true
	}
}

// spared counts the repetitions up to the last look that are not needed, because no claim about them is undecided.
func (s *session) spared(records []*record.Record) (sum int) {
	records = s.plan.RecordsOf(nil, records, s.Host.ID)
	var open map[string][]string
	if s.options.Open != nil {
		open = s.options.Open(records)
	}
	for _, e := range s.plan.Experiments {
		of := newState(e, records, s.scope.resumable(e, records))
		for _, t := range of.trials {
			isPicked := t.trial.Capacity == nil && (s.options.Only == nil || s.options.Only(e, t.trial))
			if isPicked && of.look(t) >= 0 && !slices.Contains(open[e.Name], t.trial.Name) {
				sum += max(0, e.Most()-of.done(t)) // retries can bring done above Most
			}
		}
	}
	return sum
}

func (s *session) newBench(g Group, records []*record.Record) *bench {
	by := s.Runner
	if g.Experiment.Outside && by.Outside != nil {
		by = by.Outside
	}
	return &bench{session: s, Runner: by, experiment: g.Experiment, work: g, records: records,
		variant: &variant{}, variants: map[string]*variant{},
		choices: &search.Choices{Plan: s.plan, Experiment: g.Experiment, Host: s.Host.ID, Anew: s.options.Force && !s.options.Continue}}
}

// join plans all groups without a run for one common run. With resume, that is the newest recorded run if it planned
// all of them with the same digests, which means it was stopped between two experiments.
func (s *session) join(groups []Group, resume bool) {
	before := s.known[s.newest]
	for _, g := range groups {
		if g.Len() > 0 && g.Run == "" {
			s.plans[g.Experiment.Name] = g.Experiment.Digest
			resume = resume && before[g.Experiment.Name] == g.Experiment.Digest
		}
	}
	if resume && len(s.plans) > 0 {
		s.run, s.plans = s.newest, before
	}
}

// runOf returns the run to measure an experiment in, and that run's plans: the resumed run, or the new run if resumed
// is empty.
func (s *session) runOf(resumed string) (run string, plans map[string]string) {
	if resumed != "" {
		return resumed, s.known[resumed]
	}
	if s.run == "" {
		s.run = newRunID(time.Now(), s.newest)
		s.known[s.run] = s.plans
	}
	return s.run, s.plans
}

// runStamp is the time format of the first part of a run's name.
const runStamp = "20060102T150405Z"

// isAfter reports whether the time in the name of a run is later than at.
func isAfter(run string, at time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	begin, err := time.Parse(runStamp, stamp)
	return err == nil && begin.After(at)
}

// FromTheFuture returns, sorted, the runs named later than now because a clock was ahead. New runs are not named after
// them.
func FromTheFuture(records []*record.Record, now time.Time) []string {
	var runs []string
	for _, r := range records {
		if isAfter(r.Run, now.Add(record.ClockError)) {
			runs = slice.Add(runs, r.Run)
		}
	}
	slices.Sort(runs)
	return runs
}

// newRunID names a run by its start in UTC and four random letters, which tell runs of several machines apart. Names
// sort by time, so a run that starts no later than the newest one is named a second after it.
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
