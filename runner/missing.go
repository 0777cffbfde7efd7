package runner

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/runner/search"
)

// Group holds the missing repetitions of one experiment up to the next look.
type Group struct {
	Experiment *plan.Experiment
	Run        string        // run to resume; empty for a new one
	Steps      []plan.Step   // in the order to measure
	Searches   []*plan.Trial // trials whose capacity to search for
	Replaced   int           // number of replacement repetitions in Run so far
}

// Len counts repetitions and searches for capacities.
func (g *Group) Len() int { return len(g.Steps) + len(g.Searches) }

// Trials returns the trials of g in plan order. The A/A pair appears as its first half only, because both halves share
// the values that searches find.
func (g *Group) Trials() []*plan.Trial {
	return slice.Filter(g.Experiment.Trials, func(t *plan.Trial) bool {
		isHalf := func(o *plan.Trial) bool { return g.Experiment.Original(o) == t }
		return slices.ContainsFunc(g.Searches, isHalf) ||
			slices.ContainsFunc(g.Steps, func(s plan.Step) bool { return isHalf(s.Trial) })
	})
}

func total(groups []Group) (n int) {
	for _, g := range groups {
		n += g.Len()
	}
	return n
}

// Undecided returns the names of the trials that undecided claims need, by experiment.
type Undecided func([]*record.Record) map[string][]string

// Scope narrows what Missing returns.
type Scope struct {
	Only     func(*plan.Experiment, *plan.Trial) bool // nil: all trials
	Anew     func(*plan.Experiment) bool              // measure from the start, as a new run; nil: none
	Outdated map[string]bool                          // runs that cannot be resumed
	Tried    map[Turn]bool                            // started or given up in this session
}

// Turn is a repetition of a trial, or the search for its capacity.
type Turn struct {
	Experiment, Trial string
	Repetition        int // 0 for a search
}

// Missing returns what to measure next, one group for each experiment of the plan, in measuring order. Records must
// belong to the plan and its host, without outdated ones.
//
// First come the planned repetitions up to the first look and the capacity searches that have no record. An experiment
// that has all of these gets one repetition for each trial that background load left with too few valid ones. When no
// experiment needs either, the trials of undecided claims get the repetitions up to their next look. All experiments
// reach a look together: a claim may compare several, and the noise floor comes from the A/A pairs of all.
//
// A stopped run of exactly this plan is resumed. A plan with another fixed number of repetitions begins a new run.
//
// Source: docs/records.md#freshness, docs/method.md#number-of-looks.
func Missing(p *plan.Plan, records []*record.Record, undecided Undecided, s Scope) []Group {
	var states []*state
	for _, e := range search.InOrder(p.Experiments) {
		states = append(states, newState(e, records, s.resumable(e, records)))
	}
	groups := slice.Map(states, s.firstLook)
	if undecided == nil || total(groups) > 0 {
		return groups
	}
	return s.nextLook(states, records, undecided)
}

// firstLook returns the repetitions and searches missing up to the first look, or else the retries.
func (s Scope) firstLook(e *state) Group {
	if s.Anew != nil && s.Anew(e.Experiment) {
		steps := slice.Filter(e.Steps, func(step plan.Step) bool { return step.Round <= e.Least() })
		return s.pick(Group{Experiment: e.Experiment, Steps: steps, Searches: capacities(e.Experiment)})
	}
	g := e.group()
	g.Steps = e.steps(func(t *progress) int {
		if e.done(t) < e.Least() {
			return e.Least()
		}
		return 0
	})
	g.Searches = slice.Filter(capacities(e.Experiment), func(t *plan.Trial) bool { return !e.progressOf(t).searched })
	if g = s.pick(g); len(g.Steps) == 0 {
		g.Steps = e.retries()
	}
	return s.pick(g)
}

// nextLook returns the repetitions of the trials furthest behind, up to their next look. A run that was stopped between
// two looks continues with the trials that were undecided at the earlier one, judged by the records of that time.
func (s Scope) nextLook(states []*state, records []*record.Record, undecided Undecided) []Group {
	if !slices.ContainsFunc(states, func(e *state) bool { return e.Most() > e.Least() }) {
		return slice.Map(states, (*state).group)
	}
	if look, ok := stoppedAfter(states); ok {
		open := undecided(slice.Filter(records, func(r *record.Record) bool { return wasSeen(r, states, look) }))
		groups := slice.Map(states, func(e *state) Group { return s.afterLook(e, look, open[e.Name], true) })
		if total(groups) > 0 {
			return groups
		}
	}
	open := undecided(records)
	var looks []int
	for _, e := range states {
		for _, t := range e.trials {
			if slices.Contains(open[e.Name], t.trial.Name) && e.done(t) < e.Most() {
				looks = slice.Add(looks, e.look(t))
			}
		}
	}
	slices.Sort(looks)
	for _, look := range looks { // the trials at an earlier look may all be given up, or excluded by Only
		groups := slice.Map(states, func(e *state) Group { return s.afterLook(e, look, open[e.Name], false) })
		if total(groups) > 0 {
			return groups
		}
	}
	return slice.Map(states, (*state).group)
}

// afterLook returns the repetitions between a look and the next, for open trials that are not past it. The A/A pair
// continues as long as a trial of its experiment does. Resumed means that some trials may have reached the next look.
func (s Scope) afterLook(e *state, look int, open []string, resumed bool) Group {
	steps := func(wanted func(*plan.Trial) bool) []plan.Step {
		return e.steps(func(t *progress) int {
			if !wanted(t.trial) || e.look(t) > look || e.done(t) >= e.Most() {
				return 0
			}
			return e.Looks[min(look+1, len(e.Looks)-1)]
		})
	}
	isOpen := func(t *plan.Trial) bool { return slices.Contains(open, t.Name) }
	g := e.group()
	g.Steps = steps(isOpen)
	if len(g.Steps) > 0 || resumed && len(open) > 0 {
		g.Steps = steps(func(t *plan.Trial) bool { return isOpen(t) || e.IsPaired(t) })
	}
	return s.pick(g)
}

// includes reports whether the scope leaves anything to measure in an experiment.
func (s Scope) includes(e *plan.Experiment) bool {
	all := s.pick(Group{Experiment: e, Steps: e.Steps, Searches: capacities(e)})
	return e.Skipped == "" && (s.Only == nil || all.Len() > 0)
}

// resumable returns the newest run that measured exactly this plan of e, or "".
func (s Scope) resumable(e *plan.Experiment, records []*record.Record) (run string) {
	for _, r := range records {
		if r.Experiment == e.Name && r.Plan == e.Digest && !s.Outdated[r.Run] {
			run = max(run, r.Run)
		}
	}
	return run
}

// pick drops trials that Only excludes, and repetitions and searches that were tried.
func (s Scope) pick(g Group) Group {
	wanted := func(t *plan.Trial, repetition int) bool {
		return (s.Only == nil || s.Only(g.Experiment, t)) && !s.Tried[Turn{g.Experiment.Name, t.Name, repetition}]
	}
	g.Steps = slice.Filter(g.Steps, func(step plan.Step) bool { return wanted(step.Trial, step.Repetition) })
	g.Searches = slice.Filter(g.Searches, func(t *plan.Trial) bool { return wanted(t, 0) })
	return g
}

// stoppedAfter returns the first look at which a trial has some, but not all, of the repetitions up to its next look.
func stoppedAfter(states []*state) (first int, ok bool) {
	for _, e := range states {
		for _, t := range e.trials {
			k := e.look(t)
			if isBetween := k >= 0 && k < len(e.Looks)-1 && t.last > e.Looks[k]; isBetween && (!ok || k < first) {
				first, ok = k, true
			}
		}
	}
	return first, ok
}

// wasSeen reports whether a record existed when a run came to a look.
func wasSeen(r *record.Record, states []*state, look int) bool {
	i := slices.IndexFunc(states, func(e *state) bool { return e.Name == r.Experiment })
	if i < 0 || len(states[i].Looks) == 0 || r.Order.Replaces > 0 {
		return true
	}
	looks := states[i].Looks
	return r.Repetition <= looks[min(look, len(looks)-1)]
}

// capacities returns the trials of an experiment whose capacity is searched for.
func capacities(e *plan.Experiment) []*plan.Trial {
	return slice.Filter(e.Trials, func(t *plan.Trial) bool { return t.Capacity != nil })
}

// state is an experiment with the progress of its trials.
type state struct {
	*plan.Experiment
	run      string // the run to resume; empty for a new one
	replaced int    // number of replacement repetitions in run
	trials   []*progress
}

// progress counts the repetitions of a trial under its present key.
type progress struct {
	trial     *plan.Trial
	records   []*record.Record // repetitions in the resumed run, in order
	own       map[int]bool     // repetition numbers of records
	gapless   int              // how many of them follow from 1 without a gap
	last      int              // largest of them that was planned
	elsewhere int              // gapless of another run that is complete up to the first look; 0 without one
	searched  bool             // a search has found its capacity
}

// newState returns the state of e for resuming run.
func newState(e *plan.Experiment, records []*record.Record, run string) *state {
	out := &state{Experiment: e, run: run}
	records = slice.Filter(records, func(r *record.Record) bool { return r.Experiment == e.Name })
	for _, r := range records {
		if r.Run == run && r.Order.Replaces > 0 {
			out.replaced++
		}
	}
	for _, t := range e.Trials {
		out.trials = append(out.trials, newProgress(e, t, records, run))
	}
	return out
}

func newProgress(e *plan.Experiment, t *plan.Trial, records []*record.Record, run string) *progress {
	out := &progress{trial: t, own: map[int]bool{}}
	others := map[string]map[int]bool{}
	for _, r := range records {
		switch {
		case r.Trial != t.Name || r.Key != t.Key:
		case r.Search != nil:
			out.searched = out.searched || r.Search.Kind == record.SearchCapacity && !r.Search.Busy
		case r.Run == run:
			out.records, out.own[r.Repetition] = append(out.records, r), true
			if r.Order.Replaces == 0 {
				out.last = max(out.last, r.Repetition)
			}
		default:
			if others[r.Run] == nil {
				others[r.Run] = map[int]bool{}
			}
			others[r.Run][r.Repetition] = true
		}
	}
	slices.SortFunc(out.records, func(a, b *record.Record) int { return cmp.Compare(a.Repetition, b.Repetition) })
	out.gapless = record.Gapless(out.own)
	for _, have := range others {
		if n := record.Gapless(have); n >= e.Least() {
			out.elsewhere = max(out.elsewhere, n)
		}
	}
	return out
}

// group returns an empty group that resumes the run of e.
func (e *state) group() Group {
	return Group{Experiment: e.Experiment, Run: e.run, Replaced: e.replaced}
}

func (e *state) progressOf(t *plan.Trial) *progress {
	return e.trials[slices.Index(e.Experiment.Trials, t)]
}

// done returns how many repetitions of t are measured: in the resumed run, or in another one that is complete up to the
// first look.
func (e *state) done(t *progress) int {
	if t.gapless < e.Least() {
		return max(t.gapless, t.elsewhere)
	}
	return t.gapless
}

// look returns the index of the last look that t has reached in the resumed run, or -1.
func (e *state) look(t *progress) int {
	return len(slice.Filter(e.Looks, func(look int) bool { return look <= t.gapless })) - 1
}

// steps returns the planned repetitions without a record in the resumed run, in plan order. UpTo returns the last round
// of a trial.
func (e *state) steps(upTo func(*progress) int) []plan.Step {
	rounds := map[*plan.Trial]int{}
	for _, t := range e.trials {
		rounds[t.trial] = upTo(t)
	}
	return slice.Filter(e.Steps, func(s plan.Step) bool {
		return s.Round <= rounds[s.Trial] && !e.progressOf(s.Trial).own[s.Repetition]
	})
}

// retries returns one repetition for each trial that background load left with too few valid ones, shuffled by the
// seed. They count as rounds after the planned ones. A trial's total is limited to twice the repetitions of the look
// that it has reached, so a run ends even on a machine that is never quiet.
//
// Which repetitions are replaced depends on background load only, never on the measured values.
//
// Source: docs/method.md#valid-cells.
func (e *state) retries() []plan.Step {
	var steps []plan.Step
	for _, t := range e.trials {
		if !slices.ContainsFunc(e.Steps, func(s plan.Step) bool { return s.Trial == t.trial }) {
			continue // measured by a capacity search
		}
		look := e.look(t)
		if look < 0 || e.Looks[look] < stats.MinRepetitions { // too few for a verdict in any case
			continue
		}
		if n := len(t.records); n < 2*e.Looks[look] && validity.NeedsRepeating(t.records) {
			// Numbers are not reused, even if a record was removed.
			next := max(e.Most(), t.records[n-1].Repetition) + 1
			steps = append(steps, plan.Step{Trial: t.trial, Round: next, Repetition: next, Replaces: disturbed(t.records)})
		}
	}
	if len(steps) > 0 {
		random := rand.New(rand.NewPCG(uint64(e.Seed), uint64(steps[0].Round)))
		random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	}
	return steps
}

// disturbed returns the first disturbed repetition that has no replacement, or 0.
func disturbed(records []*record.Record) int {
	replaced := map[int]bool{}
	for _, r := range records {
		replaced[r.Order.Replaces] = true
	}
	for _, r := range records {
		if _, bad := validity.Disturbed(r); bad && !replaced[r.Repetition] {
			return r.Repetition
		}
	}
	return 0
}
