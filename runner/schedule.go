package runner

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"benchbook/internal/slice"
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

// turn is a repetition, or the search for a capacity of a trial, that a run has come to.
type turn struct {
	experiment, trial string
	repetition        int // 0 for a search
}

// chosen leaves out of what is to be done the trials that Options do not pick, and what the run has come to before: it
// was given up then.
func (o Options) chosen(e *plan.Experiment, t worklist) worklist {
	wanted := func(trial *plan.Trial, repetition int) bool {
		return (o.Only == nil || o.Only(e, trial)) && !o.tried[turn{e.Name, trial.Name, repetition}]
	}
	t.steps = slice.Filter(t.steps, func(s plan.Step) bool { return wanted(s.Trial, s.Repetition) })
	t.searches = slice.Filter(t.searches, func(s *plan.Trial) bool { return wanted(s, 0) })
	return t
}

// experiments are those of a plan that are measured if something of them is pending, in order.
func (o Options) experiments(p *plan.Plan) []*plan.Experiment {
	return slices.DeleteFunc(search.InOrder(p.Experiments), func(e *plan.Experiment) bool {
		return e.Skipped != "" || o.Only != nil && o.chosen(e, worklist{steps: e.Steps, searches: capacities(e)}).len() == 0
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

// progress is what records tell of the repetitions of one trial.
type progress struct {
	trial     *plan.Trial
	own       map[int]bool // repetitions of the run that goes on
	elsewhere int          // repetitions without a gap of another run that has the least there must be; 0 if none has
	last      int          // repetition of own that was planned
}

// done is how many of the first repetitions are there: of the run that goes on, else of another one.
func (p progress) done(e *plan.Experiment) int {
	n := 0
	for p.own[n+1] {
		n++
	}
	if n < e.Least() {
		return max(n, p.elsewhere)
	}
	return n
}

// isOwn reports whether the run that goes on has the least of it.
func (p progress) isOwn(e *plan.Experiment) bool {
	return record.HasLeast(e.Least(), func(k int) bool { return p.own[k] })
}

// look is the place among the looks of the last one that the run that goes on has reached, and -1 if it has not reached
// the first.
func (p progress) look(e *plan.Experiment) int {
	if !p.isOwn(e) {
		return -1
	}
	return reached(e.Looks, p.done(e))
}

func reached(looks []int, n int) int {
	return slices.IndexFunc(append(slices.Clone(looks), n+1), func(look int) bool { return look > n }) - 1
}

// missing are the repetitions up to a number that are not there yet.
func (p progress) missing(e *plan.Experiment, upTo int) (out []plan.Step) {
	for _, s := range e.Steps {
		if s.Trial == p.trial && s.Round <= upTo && !p.own[s.Repetition] {
			out = append(out, s)
		}
	}
	return out
}

// history is what the records of an experiment tell about what there is already.
type history struct {
	trials   []progress
	searched map[*plan.Trial]bool // capacities that were found
	newest   string               // run of this very plan, which goes on
	replaced int                  // repetitions that the newest run has measured again already
}

// A version is a trial under one key.
type version struct{ trial, key string }

func (o Options) historyOf(e *plan.Experiment, records []*record.Record) history {
	h := history{searched: map[*plan.Trial]bool{}}
	for _, r := range records {
		if r.Plan == e.Digest && r.Run > h.newest && !o.outdated[r.Run] {
			h.newest = r.Run
		}
	}
	for _, r := range records {
		if r.Run == h.newest && r.Order.Replaces > 0 {
			h.replaced++
		}
	}
	runs, searched := byRun(records)
	for _, t := range e.Trials {
		v := version{t.Name, t.Key}
		own := progress{trial: t}
		if found := runs[v][h.newest]; found != nil {
			own.own, own.last = found.own, found.last
		}
		for run, other := range runs[v] {
			if run != h.newest && other.isOwn(e) {
				own.elsewhere = max(own.elsewhere, other.done(e))
			}
		}
		h.trials, h.searched[t] = append(h.trials, own), searched[v]
	}
	return h
}

// byRun finds what each run has measured of trials, and of which a capacity was found.
func byRun(records []*record.Record) (runs map[version]map[string]*progress, searched map[version]bool) {
	runs, searched = map[version]map[string]*progress{}, map[version]bool{}
	for _, r := range records {
		v := version{r.Trial, r.Key}
		if r.Search != nil {
			searched[v] = searched[v] || r.Search.Kind == record.SearchCapacity && !r.Search.Busy
			continue
		}
		if runs[v] == nil {
			runs[v] = map[string]*progress{}
		}
		of := runs[v][r.Run]
		if of == nil {
			of = &progress{own: map[int]bool{}}
			runs[v][r.Run] = of
		}
		if of.own[r.Repetition] = true; r.Order.Replaces == 0 {
			of.last = max(of.last, r.Repetition)
		}
	}
	return runs, searched
}

// first is what there must be of the trials that Options pick and is not: their repetitions up to the first look, and
// searches for capacities; or else what the machine disturbed. A run of this very plan that was stopped goes on. A plan
// of another plain number of repetitions is another one, and its run is new.
//
// Source: docs/records.md#freshness.
func (o Options) first(e *plan.Experiment, records []*record.Record) worklist {
	if o.anew(e) {
		steps := slices.DeleteFunc(slices.Clone(e.Steps), func(s plan.Step) bool { return s.Round > e.Least() })
		return o.chosen(e, worklist{steps: steps, searches: capacities(e)})
	}
	h := o.historyOf(e, records)
	out := worklist{run: h.newest, replaced: h.replaced}
	for _, p := range h.trials {
		if p.done(e) < e.Least() {
			out.steps = append(out.steps, p.missing(e, e.Least())...)
		}
	}
	out.steps = inOrder(e, out.steps)
	for _, t := range capacities(e) {
		if !h.searched[t] {
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

// inOrder puts steps of an experiment into the order of its plan.
func inOrder(e *plan.Experiment, steps []plan.Step) []plan.Step {
	at := make(map[plan.Step]bool, len(steps))
	for _, s := range steps {
		at[s] = true
	}
	return slices.DeleteFunc(slices.Clone(e.Steps), func(s plan.Step) bool { return !at[s] })
}

// come notes what a run has come to.
func (o Options) come(e *plan.Experiment, w worklist) {
	for _, s := range w.steps {
		o.tried[turn{e.Name, s.Trial.Name, s.Repetition}] = true
	}
	for _, t := range w.searches {
		o.tried[turn{e.Name, t.Name, 0}] = true
	}
}

// spared counts the repetitions after the look at which trials have ended that claims are decided about.
func (o Options) spared(p *plan.Plan, records []*record.Record, host string) (sum int) {
	var open map[string][]string
	if o.Open != nil {
		open = o.Open(p.RecordsOf(nil, records, host))
	}
	for _, e := range o.experiments(p) {
		for _, t := range o.historyOf(e, p.RecordsOf(e, records, host)).trials {
			isPicked := t.trial.Unavailable == "" && t.trial.Capacity == nil && (o.Only == nil || o.Only(e, t.trial))
			if isPicked && t.isOwn(e) && !slices.Contains(open[e.Name], t.trial.Name) {
				sum += max(0, e.Most()-t.done(e))
			}
		}
	}
	return sum
}

// capacities are the trials of an experiment whose capacity is searched for.
func capacities(e *plan.Experiment) []*plan.Trial {
	return slices.DeleteFunc(slices.Clone(e.Trials), func(t *plan.Trial) bool {
		return t.Capacity == nil || t.Unavailable != ""
	})
}

// retries are the repetitions to measure in the place of those that the machine disturbed, one of each trial that has
// too few valid ones otherwise, in an order drawn like that of a round. They are rounds after the planned ones. Of no
// trial more repetitions are measured than twice those up to the look that it has reached, so that a run on a machine
// that is never quiet ends.
//
// What a repetition came to does not enter, only whether the machine was busy with something else; records say what
// they replace.
//
// Source: docs/method.md#valid-cells: fewer than three valid repetitions of three or more are no result, and a value is
// never a reason to leave one out.
func retries(e *plan.Experiment, records []*record.Record, run string) []plan.Step {
	var steps []plan.Step
	for _, t := range e.Trials {
		if !slices.ContainsFunc(e.Steps, func(s plan.Step) bool { return s.Trial == t }) {
			continue // unavailable, or not asked for
		}
		var have []*record.Record
		own := progress{trial: t, own: map[int]bool{}}
		for _, r := range records {
			if r.Run == run && r.Trial == t.Name && r.Key == t.Key && r.Search == nil {
				have, own.own[r.Repetition] = append(have, r), true
			}
		}
		look := own.look(e)
		if look < 0 || e.Looks[look] < stats.MinRepetitions {
			continue // nothing is decided by so few, disturbed or not
		}
		slices.SortFunc(have, func(a, b *record.Record) int { return cmp.Compare(a.Repetition, b.Repetition) })
		if n := len(have); n < 2*e.Looks[look] && validity.NeedsAgain(have) {
			// One in between may be gone, and records are never written twice.
			next := max(e.Most(), have[n-1].Repetition) + 1
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
