package runner

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/search"
)

// A worklist is what is left of an experiment.
type worklist struct {
	run      string // goes on under this name; empty where it is begun
	steps    []plan.Step
	searches []*plan.Trial // whose capacity is to be searched for

	replaced int // repetitions that this run has measured again already
}

// len is how many repetitions and searches for capacities are left.
func (l worklist) len() int { return len(l.steps) + len(l.searches) }

// trials are those of which something is left to do, those of the A/A pair once: it shares what is found.
func (l *worklist) trials(e *plan.Experiment) []*plan.Trial {
	var out []*plan.Trial
	add := func(t *plan.Trial) {
		if t = e.Original(t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, t := range l.searches {
		add(t)
	}
	for _, s := range l.steps {
		add(s.Trial)
	}
	slices.SortStableFunc(out, func(a, b *plan.Trial) int {
		return cmp.Compare(slices.Index(e.Trials, a), slices.Index(e.Trials, b))
	})
	return out
}

// chosen leaves out of what is to be done the trials that Options do not pick.
func (o Options) chosen(e *plan.Experiment, t worklist) worklist {
	if o.Only != nil {
		t.steps = slices.DeleteFunc(slices.Clone(t.steps), func(s plan.Step) bool { return !o.Only(e, s.Trial) })
		t.searches = slices.DeleteFunc(slices.Clone(t.searches), func(s *plan.Trial) bool { return !o.Only(e, s) })
	}
	return t
}

// countOf is how many repetitions of an experiment Options pick.
func (o Options) countOf(e *plan.Experiment) int {
	return len(o.chosen(e, worklist{steps: e.Steps}).steps)
}

// experiments are those of a plan that are measured if something of them is pending, in order.
func (o Options) experiments(p *plan.Plan) []*plan.Experiment {
	return slices.DeleteFunc(search.InOrder(p.Experiments), func(e *plan.Experiment) bool {
		return e.Skipped != "" || o.Only != nil && o.chosen(e,
			worklist{steps: e.Steps, searches: capacities(e)}).len() == 0
	})
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

// A currentStore is a store without what is not current of a plan.
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

// A cell is a trial as one run has measured it, under a key.
type cell struct{ run, trial, key string }

// history is what the records of an experiment tell about what there is already.
type history struct {
	repetitions map[cell]map[int]bool
	searched    map[cell]bool // without a run: capacities that were found
	stopped     record.Stops
	newest      string // run of this very plan, which goes on if it was stopped
	replaced    int    // repetitions that the newest run has measured again already
}

func (o Options) historyOf(e *plan.Experiment, records []*record.Record) history {
	h := history{repetitions: map[cell]map[int]bool{}, searched: map[cell]bool{}, stopped: record.StoppedIn(records)}
	for _, r := range records {
		if r.Plan == e.Digest && r.Run > h.newest && !o.outdated[r.Run] {
			h.newest = r.Run
		}
		if r.Search != nil {
			if r.Search.Kind == record.SearchCapacity && !r.Search.Busy {
				h.searched[cell{"", r.Trial, r.Key}] = true
			}
			continue
		}
		c := cell{r.Run, r.Trial, r.Key}
		if h.repetitions[c] == nil {
			h.repetitions[c] = map[int]bool{}
		}
		h.repetitions[c][r.Repetition] = true
	}
	for _, r := range records {
		if r.Run == h.newest && r.Order.Replaces > 0 {
			h.replaced++
		}
	}
	return h
}

// isFresh says whether one run has all repetitions of a trial, or those up to the look that found it decided.
func (h *history) isFresh(e *plan.Experiment, t *plan.Trial) bool {
	for c, repetitions := range h.repetitions {
		has := func(k int) bool { return repetitions[k] }
		if c.trial == t.Name && c.key == t.Key && h.stopped.Complete(c.run, e.Name, t.Name, e.Repetitions, has) {
			return true
		}
	}
	return false
}

// pending finds what is not there yet of the trials that Options pick. A trial is fresh if one run has all its
// repetitions under its present name and key, or those up to the look that found it decided, or if its search for a
// capacity is recorded under them. A run of this very plan that was stopped goes on. A plan of more repetitions is
// another one, and its run is new: rounds are never added to a run that was finished, which would be one more look at
// its results.
//
// Source: docs/records.md#freshness; docs/method.md#number-of-looks.
func (o Options) pending(e *plan.Experiment, records []*record.Record) worklist {
	if o.Force {
		return o.chosen(e, worklist{steps: e.Steps, searches: capacities(e)})
	}
	h := o.historyOf(e, records)
	isFresh := map[*plan.Trial]bool{}
	for _, t := range e.Trials {
		isFresh[t] = h.isFresh(e, t)
	}
	out := worklist{run: h.newest, replaced: h.replaced}
	for _, s := range e.Steps {
		if !isFresh[s.Trial] && !h.repetitions[cell{h.newest, s.Trial.Name, s.Trial.Key}][s.Repetition] {
			out.steps = append(out.steps, s)
		}
	}
	for _, t := range capacities(e) {
		if !h.searched[cell{"", t.Name, t.Key}] {
			out.searches = append(out.searches, t)
		}
	}
	out = o.chosen(e, out)
	if len(out.steps) == 0 && h.newest != "" { // what others lack does not keep these from being measured again
		out.steps = retries(e, records, h.newest)
		out = o.chosen(e, out)
	}
	return out
}

// capacities are the trials of an experiment whose capacity is searched for.
func capacities(e *plan.Experiment) []*plan.Trial {
	return slices.DeleteFunc(slices.Clone(e.Trials), func(t *plan.Trial) bool {
		return t.Capacity == nil ||
			t.Unavailable != ""
	})
}

// retries are the repetitions to measure in the place of those that the machine disturbed, one of each trial that has
// too few valid ones otherwise, in an order drawn like that of a round. They are rounds after the planned ones. Of no
// trial more repetitions are measured than twice the planned ones, so that a run on a machine that is never quiet ends.
//
// What a repetition came to does not enter, only whether the machine was busy with something else; records say what
// they replace.
//
// Source: docs/method.md#valid-cells: fewer than three valid repetitions of three or more are no result, and a value is
// never a reason to leave one out.
func retries(e *plan.Experiment, records []*record.Record, run string) []plan.Step {
	if e.Repetitions < stats.MinRepetitions {
		return nil // nothing is decided by so few, disturbed or not
	}
	var steps []plan.Step
	for _, t := range e.Trials {
		if !slices.ContainsFunc(e.Steps, func(s plan.Step) bool { return s.Trial == t }) {
			continue // unavailable, or not asked for
		}
		var have []*record.Record
		for _, r := range records {
			if r.Run == run && r.Trial == t.Name && r.Key == t.Key && r.Search == nil {
				have = append(have, r)
			}
		}
		slices.SortFunc(have, func(a, b *record.Record) int { return cmp.Compare(a.Repetition, b.Repetition) })
		if n := len(have); n >= e.Repetitions && n < 2*e.Repetitions && validity.NeedsAgain(have) {
			next := have[n-1].Repetition + 1 // one in between may be gone, and records are never written twice
			steps = append(steps, plan.Step{Trial: t, Round: next, Repetition: next, Replaces: replaced(have)})
		}
	}
	if len(steps) > 0 {
		draw := rand.New(rand.NewPCG(uint64(e.Seed), uint64(steps[0].Round)))
		draw.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	}
	return steps
}

// replaced is the first disturbed repetition that none takes the place of yet.
func replaced(records []*record.Record) int {
	taken := map[int]bool{}
	for _, r := range records {
		taken[r.Order.Replaces] = true
	}
	for _, r := range records {
		if _, bad := validity.Disturbed(r); bad && !taken[r.Repetition] {
			return r.Repetition
		}
	}
	return 0
}
