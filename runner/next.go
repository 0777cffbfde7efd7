package runner

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Next is what a run of a plan would do up to its next look. What comes after that depends on what it finds.
type Next struct {
	plan    *plan.Plan
	options Options
	records []*record.Record // of the plan on its host
	current []*record.Record // likewise, without what is outdated
	work    map[*plan.Experiment]worklist
}

// NextOf finds what is next of a plan on a host, given all records of its article.
func NextOf(p *plan.Plan, records []*record.Record, host string, o Options) *Next {
	n := &Next{plan: p, records: p.RecordsOf(nil, records, host)}
	n.options, records = o.current(p, records)
	n.current = p.RecordsOf(nil, records, host)
	n.work = n.options.next(p, n.current)
	return n
}

// Len counts the repetitions and the searches for capacities, together.
func (n *Next) Len() int {
	sum := 0
	for _, w := range n.work {
		sum += w.len()
	}
	return sum
}

// Searches counts the searches for capacities.
func (n *Next) Searches() int {
	sum := 0
	for _, w := range n.work {
		sum += len(w.searches)
	}
	return sum
}

// Trials counts the trials of an experiment of which something is measured, the A/A pair once.
func (n *Next) Trials(e *plan.Experiment) int { w := n.work[e]; return len(w.trials(e)) }

// Todo is what is next of one trial.
type Todo struct {
	Count int  // repetitions, or one search for a capacity
	Again bool // they are in the place of some that the machine disturbed
	UpTo  int  // the largest repetition
}

// ByTrial is what is next of each trial.
func (n *Next) ByTrial() map[*plan.Trial]Todo {
	out := map[*plan.Trial]Todo{}
	for _, w := range n.work {
		for _, s := range w.steps {
			t := out[s.Trial]
			out[s.Trial] = Todo{t.Count + 1, s.Replaces > 0, max(t.UpTo, s.Repetition)}
		}
		for _, t := range w.searches {
			out[t] = Todo{Count: 1}
		}
	}
	return out
}

// next is the work up to the next look, by experiment, given the records of the plan on its host.
//
// All experiments of an article come to a look together: claims may be about several of them, and are widened by a
// noise floor that all of their A/A pairs show.
//
// Source: docs/method.md#number-of-looks.
func (o Options) next(p *plan.Plan, records []*record.Record) map[*plan.Experiment]worklist {
	work, left := map[*plan.Experiment]worklist{}, 0
	for _, e := range p.Experiments {
		work[e] = o.first(e, ofExperiment(e, records))
		left += work[e].len()
	}
	if left == 0 && o.Open != nil {
		o.goOn(p, records, work)
	}
	return work
}

func ofExperiment(e *plan.Experiment, records []*record.Record) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Experiment != e.Name })
}

// goOn adds the repetitions after a look. If the run was stopped on its way to the next one, they are those that claims
// were undecided about by what the look had seen.
func (o Options) goOn(p *plan.Plan, records []*record.Record, work map[*plan.Experiment]worklist) {
	known, looks := map[string]history{}, map[string][]int{}
	between, several := len(records), false
	for _, e := range p.Experiments {
		h := o.historyOf(e, ofExperiment(e, records))
		known[e.Name], looks[e.Name] = h, e.Looks
		several, between = several || e.Most() > e.Least(), min(between, h.between(e, len(records)))
	}
	if !several {
		return
	}
	if between < len(records) {
		seen := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
			own := looks[r.Experiment]
			return r.Order.Replaces == 0 && len(own) > 0 && r.Repetition > own[min(between, len(own)-1)]
		})
		if o.addOpen(p, known, o.Open(seen), between, true, work) > 0 {
			return
		}
	}
	open := o.Open(records)
	var at []int // looks of open trials
	for _, e := range p.Experiments {
		for _, t := range known[e.Name].trials {
			if slices.Contains(open[e.Name], t.trial.Name) && !t.isAtEnd(e) {
				at = slice.Add(at, t.look(e))
			}
		}
	}
	slices.Sort(at)
	for _, look := range at { // the first of them at which a trial may go on: one may have failed, or be left out
		if o.addOpen(p, known, open, look, false, work) > 0 {
			return
		}
	}
}

// between is the first look of an experiment after which a trial has more repetitions, and not all up to the next one;
// none if there is no such trial.
func (h history) between(e *plan.Experiment, none int) int {
	for _, t := range h.trials {
		if k := t.look(e); k >= 0 && k < len(e.Looks)-1 && t.last > e.Looks[k] {
			none = min(none, k)
		}
	}
	return none
}

// isAtEnd reports whether no look follows for a trial.
func (p progress) isAtEnd(e *plan.Experiment) bool { return p.done(e) >= e.Most() }

// addOpen adds the repetitions up to the look after the one at a place, of open trials that have come no further, and
// counts them. What another run has measured begins anew. The A/A pair goes on as long as a trial of its experiment
// does.
func (o Options) addOpen(p *plan.Plan, known map[string]history, open map[string][]string, at int,
	between bool, work map[*plan.Experiment]worklist) (added int) {
	for _, e := range p.Experiments {
		h := known[e.Name]
		w := worklist{run: h.newest, replaced: h.replaced}
		add := func(wanted func(*plan.Trial) bool) {
			for _, t := range h.trials {
				if t.look(e) <= at && !t.isAtEnd(e) && wanted(t.trial) {
					w.steps = append(w.steps, t.missing(e, e.Looks[min(at+1, len(e.Looks)-1)])...)
				}
			}
		}
		add(func(t *plan.Trial) bool { return slices.Contains(open[e.Name], t.Name) })
		// Others may have come to the next look already when a run was stopped.
		if len(w.steps) > 0 || between && len(open[e.Name]) > 0 {
			add(func(t *plan.Trial) bool { return e.IsPaired(t) && !slices.Contains(open[e.Name], t.Name) })
		}
		w.steps = inOrder(e, w.steps)
		work[e] = o.chosen(e, w)
		added += work[e].len()
	}
	return added
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

// AllFailed gives the experiments of which nothing is measured, though nothing is left to do: every repetition has
// failed.
func (n *Next) AllFailed() []Fruitless {
	var out []Fruitless
	for _, e := range n.options.experiments(n.plan) {
		if w := n.work[e]; w.len() > 0 {
			continue
		}
		keys := map[string]string{}
		for _, t := range e.Trials {
			if n.options.Only == nil || n.options.Only(e, t) {
				keys[t.Name] = t.Key
			}
		}
		f := Fruitless{Experiment: e}
		measured := false
		var last *record.Record
		for _, r := range ofExperiment(e, n.current) {
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

// Outdated says for which experiments trials are measured again since images, programs or CPUs are others now:
// "EXPERIMENT: REASON".
func (n *Next) Outdated() []string {
	var out []string
	for _, e := range n.plan.Experiments {
		own, pending := ofExperiment(e, n.current), n.work[e]
		for _, r := range ofExperiment(e, n.records) {
			isPending := func(t *plan.Trial) bool { return t.Name == r.Trial && t.Key == r.Key }
			isNewer := func(o *record.Record) bool { return o.Trial == r.Trial && o.Key == r.Key }
			if !slices.ContainsFunc(pending.trials(e), isPending) || slices.ContainsFunc(own, isNewer) {
				continue
			}
			changes := n.options.Present.Changes(r)
			if moved := n.plan.PlacedOtherwise(r); moved != "" {
				changes = append(changes, moved)
			}
			for _, change := range changes {
				out = slice.Add(out, e.Name+": "+change)
			}
		}
	}
	return out
}
