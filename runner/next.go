package runner

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/images"
)

// Next describes what a run of a plan would measure up to its next look.
type Next struct {
	plan    *plan.Plan
	present *images.Present
	scope   Scope

	conditions map[string]string // of Options
	records    []*record.Record  // of the plan on its host
	current    []*record.Record  // records without outdated ones
	groups     []Group
}

// NextOf returns what is missing of a plan on a host. Records are all records of the article.
func NextOf(p *plan.Plan, records []*record.Record, host string, o Options) *Next {
	n := &Next{plan: p, present: o.Present, conditions: o.Conditions, records: p.RecordsOf(nil, records, host)}
	n.scope, records = o.scope(o.Present, records)
	n.current = p.RecordsOf(nil, records, host)
	n.groups = Missing(p, n.current, o.Open, n.scope)
	return n
}

// Len counts repetitions and searches for capacities.
func (n *Next) Len() int { return total(n.groups) }

// Searches counts the searches for capacities.
func (n *Next) Searches() int {
	sum := 0
	for _, g := range n.groups {
		sum += len(g.Searches)
	}
	return sum
}

// Trials counts the trials of an experiment with missing measurements, the A/A pair once.
func (n *Next) Trials(e *plan.Experiment) int { return len(n.trials(e)) }

func (n *Next) trials(e *plan.Experiment) []*plan.Trial {
	if g, ok := slice.Find(n.groups, func(g Group) bool { return g.Experiment == e }); ok {
		return g.Trials()
	}
	return nil
}

// Todo counts the missing repetitions of one trial.
type Todo struct {
	Count int  // repetitions, or one search for a capacity
	Again bool // they replace disturbed repetitions
	UpTo  int  // largest repetition number; 0 for a search
}

// ByTrial returns the missing repetitions of each trial.
func (n *Next) ByTrial() map[*plan.Trial]Todo {
	out := map[*plan.Trial]Todo{}
	for _, g := range n.groups {
		for _, s := range g.Steps {
			t := out[s.Trial]
			out[s.Trial] = Todo{t.Count + 1, s.Replaces > 0, max(t.UpTo, s.Repetition)}
		}
		for _, t := range g.Searches {
			out[t] = Todo{Count: 1}
		}
	}
	return out
}

// Fruitless is an experiment whose repetitions have all failed.
type Fruitless struct {
	Experiment *plan.Experiment
	Failed     int    // number of repetitions
	Failure    string // failure of the last one
}

func (f *Fruitless) Error() string {
	all := fmt.Sprintf("all %d repetitions failed", f.Failed)
	if f.Failed == 1 {
		all = "its repetition failed"
	}
	return all + ": " + strings.ReplaceAll(f.Failure, "\n", " ")
}

// AllFailed returns the complete experiments whose repetitions have all failed.
func (n *Next) AllFailed() []Fruitless {
	var out []Fruitless
	for _, g := range n.groups {
		e := g.Experiment
		if g.Len() > 0 || !n.scope.includes(e) {
			continue
		}
		own := slice.Filter(ofExperiment(e, n.current), func(r *record.Record) bool {
			return slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool {
				return t.Name == r.Trial && t.Key == r.Key && (n.scope.Only == nil || n.scope.Only(e, t))
			})
		})
		if len(own) > 0 && !slices.ContainsFunc(own, func(r *record.Record) bool { return r.Failure == "" }) {
			last := slices.MaxFunc(own, func(a, b *record.Record) int { return a.Ended.Compare(b.Ended) })
			out = append(out, Fruitless{e, len(own), last.Failure})
		}
	}
	return out
}

func ofExperiment(e *plan.Experiment, records []*record.Record) []*record.Record {
	return slice.Filter(records, func(r *record.Record) bool { return r.Experiment == e.Name })
}

// Outdated returns the reasons, as "EXPERIMENT: REASON", for measuring trials again after a change of images, programs,
// CPUs or machine conditions.
func (n *Next) Outdated() []string {
	var out []string
	for _, e := range n.plan.Experiments {
		own, pending := ofExperiment(e, n.current), n.trials(e)
		for _, r := range ofExperiment(e, n.records) {
			isPending := func(t *plan.Trial) bool { return t.Name == r.Trial && t.Key == r.Key }
			isNewer := func(o *record.Record) bool { return o.Trial == r.Trial && o.Key == r.Key }
			if !slices.ContainsFunc(pending, isPending) || slices.ContainsFunc(own, isNewer) {
				continue
			}
			for _, change := range append(n.present.Changes(r), ConditionsChanged(r, n.conditions)...) {
				out = slice.Add(out, e.Name+": "+change)
			}
		}
	}
	return out
}

// ConditionsChanged returns a sentence for each condition of the machine that differs from when r was measured.
//
// Source: docs/method.md#hosts.
func ConditionsChanged(r *record.Record, now map[string]string) []string {
	return slice.Map(record.OtherConditions(r.Facts, now), func(fact string) string {
		return record.ConditionName(fact) + " of the machine changed, so this is another session"
	})
}
