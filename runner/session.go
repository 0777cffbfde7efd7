package runner

import (
	"context"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/images"
	"benchbook/runner/search"
)

// A session measures one plan, one experiment after another.
type session struct {
	*Runner
	plan        *plan.Plan
	recordStore RecordStore
	options     Options
	summary     *Summary
	names       *runNames
	scope       Scope

	open *bench // of the experiment measured last; shared services stay up until another one begins
	left int    // repetitions and searches of the groups after the present one
}

// measure measures what is missing until nothing is, or services are kept. It asks again when all experiments have come
// to a look.
func (s *session) measure(ctx context.Context, records []*record.Record) (err error) {
	groups := s.missing(records)
	s.names.join(groups, !s.scope.Outdated[s.names.newest] && !s.isAnew(groups))
	if _, err := s.prepareAll(ctx, s.benches(groups, records)); err != nil { // each experiment says what it lacks
		return err
	}
	announce := func(g Group) { s.Progress.Experiment(g.Experiment, g.Len()) }
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
		if isDone {
			if s.summary.Measured > 0 {
				s.summary.Spared = s.spared(records)
			}
			return nil
		}
		s.scope.Anew = nil // what follows belongs to the run that was begun
		if records, _, err = s.recordStore.Read(); err != nil {
			return err
		}
		groups = s.missing(records)
		s.names.join(groups, false)
		announce = func(g Group) {
			if g.Len() > 0 {
				s.Progress.Again(g.Experiment, g.Steps)
			}
		}
	}
}

// missing returns what is missing of the experiments that are measured at all.
func (s *session) missing(records []*record.Record) []Group {
	groups := Missing(s.plan, s.plan.RecordsOf(nil, records, s.Host.ID), s.options.Open, s.scope)
	return slice.Filter(groups, func(g Group) bool { return s.scope.includes(g.Experiment) })
}

// isAnew reports whether a group is measured from the beginning though it may be fresh.
func (s *session) isAnew(groups []Group) bool {
	return slices.ContainsFunc(groups, func(g Group) bool { return g.Len() > 0 && s.scope.Anew(g.Experiment) })
}

// measureGroup measures what is missing of one experiment. An error that concerns it alone is in the summary.
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
		s.open = s.newBench(g, nil)
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
			isPicked := t.trial.Unavailable == "" && t.trial.Capacity == nil && (s.options.Only == nil || s.options.Only(e, t.trial))
			if isPicked && of.look(t) >= 0 && !slices.Contains(open[e.Name], t.trial.Name) {
				sum += max(0, e.Most()-of.done(t)) // it may have been measured again
			}
		}
	}
	return sum
}

// benches returns a bench for each group, not begun.
func (s *session) benches(groups []Group, records []*record.Record) []*bench {
	return slice.Map(groups, func(g Group) *bench { return s.newBench(g, records) })
}

func (s *session) newBench(g Group, records []*record.Record) *bench {
	by := s.Runner
	if g.Experiment.Outside && by.Outside != nil {
		by = by.Outside
	}
	return &bench{session: s, Runner: by, experiment: g.Experiment, work: g, records: records,
		choices: &search.Choices{Plan: s.plan, Experiment: g.Experiment, Host: s.Host.ID}}
}

// A currentStore is a store without the records that are outdated.
type currentStore struct {
	RecordStore
	present *images.Present
	plan    *plan.Plan
}

func (s currentStore) Read() ([]*record.Record, []record.Bad, error) {
	records, bad, err := s.RecordStore.Read()
	records, _ = s.present.Current(s.plan, records)
	return records, bad, err
}
