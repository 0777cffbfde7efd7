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

// A session measures one plan, one experiment after another.
type session struct {
	*Runner
	plan    *plan.Plan
	store   RecordStore
	options Options
	present *images.Present
	scope   Scope
	summary Summary

	run    string                       // the new run; empty until its first experiment is prepared
	plans  map[string]string            // digests of the experiments that the new run is to measure, by their names
	newest string                       // recorded run, apart from those named by a clock that was ahead
	known  map[string]map[string]string // plans of the recorded runs

	open *bench // of the experiment measured last; shared services stay up until another one begins
	left int    // repetitions and searches of the groups after the present one
}

// begin returns the missing repetitions, and the records that are not outdated.
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
	if s.Engine != nil && s.Outside == nil { // otherwise experiments have different engines
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

// scope returns what may be measured, and the records that are not outdated by other images or other conditions.
func (o *Options) scope(present *images.Present, records []*record.Record) (Scope, []*record.Record) {
	current, outdated := present.Current(records)
	current = slice.Filter(current, func(r *record.Record) bool {
		differ := len(record.OtherConditions(r.Facts, o.Conditions)) > 0
		if differ {
			outdated[r.Run] = true
		}
		return !differ
	})
	// A running target may have become something else since the last run.
	anew := func(e *plan.Experiment) bool { return !o.Continue && (o.Force || e.Outside) }
	return Scope{Only: o.Only, Anew: anew, Outdated: outdated, Tried: map[Turn]bool{}}, current
}

// read returns the records that are not outdated.
func (s *session) read() ([]*record.Record, error) {
	all, _, err := s.store.Read()
	_, current := s.options.scope(s.present, all)
	return current, err
}

// missing returns the missing repetitions of the experiments that are measured at all.
func (s *session) missing(records []*record.Record) []Group {
	groups := Missing(s.plan, s.plan.RecordsOf(nil, records, s.Host.ID), s.options.Open, s.scope)
	return slice.Filter(groups, func(g Group) bool { return s.scope.includes(g.Experiment) })
}

// measure measures missing repetitions until none is left, or services are kept. It asks again when all experiments have
// come to a look.
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
		s.scope.Anew = nil // what follows belongs to the run that was begun
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

// makeImages makes available what all groups need. The deadline does not count the time that it takes.
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

// measureGroup measures one experiment. An error that concerns it alone is in the summary.
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

// close ends the experiment that is open, given what ended it.
func (s *session) close(ctx context.Context, err error) error {
	open := s.open
	s.open = nil
	return open.finish(ctx, err)
}

// try keeps a group from being tried again in this session.
func (s *session) try(g Group) {
	for _, step := range g.Steps {
		s.scope.Tried[Turn{g.Experiment.Name, step.Trial.Name, step.Repetition}] = true
	}
	for _, t := range g.Searches {
		s.scope.Tried[Turn{g.Experiment.Name, t.Name, 0}] = true
	}
}

// spared counts the repetitions that trials could have got if claims about them were undecided.
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
				sum += max(0, e.Most()-of.done(t)) // it may have been measured again
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

// join puts all groups that resume no run into one. With resume that may be the newest recorded run, if it was to
// measure all of them as they are planned now: it was stopped between two experiments.
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

// runOf returns the run that an experiment is measured in, which is the resumed one, or the new one if that is empty,
// with the plans of the run.
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

// runStamp is the first part of a run's name.
const runStamp = "20060102T150405Z"

// isAfter reports whether the time in the name of a run is later than at.
func isAfter(run string, at time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	begin, err := time.Parse(runStamp, stamp)
	return err == nil && begin.After(at)
}

// FromTheFuture returns, in order, the runs whose names are later than now because a clock was ahead. New runs do not
// follow them.
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

// newRunID names a run: its start in UTC and four letters, which tell runs of several machines apart. Names sort by
// time, so a run that starts in the same second as the newest one is named a second later.
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
