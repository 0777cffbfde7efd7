// Package forecast says what a run would do: what is fresh, stale or missing, what is pending, and how long it takes.
package forecast

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/images"
)

// The words for states that status prints and promises; unavailable is that of a trial that cannot be measured.
var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

const unavailable = "unavailable"

// disturbed is the state of a trial whose repetitions are all there, too few of them valid, as the machine was busy
// with something else.
const disturbed = "disturbed"

// undecided is the state of a trial that goes on after a look, as a claim about it is.
const undecided = "undecided"

// A TrialState is what is known of a trial before it is measured.
type TrialState struct {
	state   dataset.State
	run     string
	records []*record.Record // of that run
	// of this host that are nearest to it: of the experiment under any profile, or else of the article
	nearby    []*record.Record
	same      []*record.Record // of the experiment: of this host under any profile, or else of other hosts
	elsewhere bool             // same is of other hosts
	ToMeasure int              // repetitions that a run would do at least; 1 for a search for a capacity
	More      int              // that it would do beyond them, if claims stay undecided
	again     bool             // ToMeasure are in the place of some that the machine disturbed
	searched  bool             // the values that it searches for are known already
	why       []string         // it is not fresh: a sentence for each reason

	unavailable bool // it cannot be measured, and why has the reason
}

// word is the state of the trial as status prints it.
func (k *TrialState) word() string {
	if k.unavailable {
		return unavailable
	}
	if k.state == dataset.Fresh && k.ToMeasure > 0 {
		if !k.again {
			return undecided
		}
		return disturbed
	}
	return stateWords[k.state]
}

// An inspection lays the records of a host over a plan.
type inspection struct {
	slug    string
	plan    *plan.Plan
	host    string
	present *images.Present
	all     []*record.Record // of this host, under any profile
	others  []*record.Record // of other hosts
	records []*record.Record // of all, those that count for the plan
	stopped []*record.Record // searches that were stopped
}

// Inspect lays the records of a host over a plan, trial by trial. Of plans that run on this machine alone it compares
// what they were measured with to what is present.
func Inspect(ctx context.Context, a *lab.Session, project *article.Project, c *lab.Article, p *plan.Plan, host string,
	present *images.Present) (map[*plan.Trial]*TrialState, error) {
	records, bad, err := a.Records(project, c)
	if err != nil {
		return nil, err
	}
	n := &inspection{slug: c.Slug, plan: p, host: host, present: present}
	n.all = selected(records, func(r *record.Record) bool { return r.Host == host })
	n.others = selected(records, func(r *record.Record) bool { return r.Host != host && r.Host != record.ImportedHost })
	n.records = selected(n.all, func(r *record.Record) bool {
		// which stands for one of quick
		return r.Profile == p.Profile || p.Profile == plan.Quick && r.Profile == plan.Full && r.Search != nil
	})
	d, err := dataset.New(c.Doc, n.records, dataset.Options{ThisHost: host, Bad: bad, Plan: func(string) (*plan.Plan,
		error) {
		return p, nil
	}})
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	if n.stopped, err = record.Dir(project.RecordsDir(c.Slug)).Unfinished(); err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	if p.UsesHosts() {
		n.present = nil
	}
	if err := n.present.Look(ctx, n.records); err != nil {
		return nil, err
	}
	options := runner.Options{Present: n.present, Open: OpenTrials(c.Doc, p, host)}
	todo := runner.NextOf(p, n.records, host, options).ByTrial()
	more := repetitionsBeyond(d, todo)
	out := map[*plan.Trial]*TrialState{}
	for _, e := range d.Experiments {
		of := func(r *record.Record) bool { return r.Experiment == e.Plan.Name }
		nearby := selected(n.all, of)
		same := nearby
		if len(nearby) == 0 {
			nearby, same = n.all, selected(n.others, of)
		}
		for _, cell := range e.AllCells() {
			k := &TrialState{state: cell.State, run: cell.Run, records: cell.Records, nearby: nearby, same: same,
				elsewhere: len(same) > 0 && same[0].Host != host, ToMeasure: todo[cell.Trial].Count,
				again: todo[cell.Trial].Again, More: more[cell.Trial]}
			n.judge(k, e, cell, todo[cell.Trial].UpTo)
			out[cell.Trial] = k
		}
	}
	return out, nil
}

// repetitionsBeyond counts, by trial, those after what is next if claims about what is measured stay undecided.
func repetitionsBeyond(d *dataset.Dataset, todo map[*plan.Trial]runner.Todo) map[*plan.Trial]int {
	touched := claim.Touched(d, func(c *dataset.Cell) bool { return todo[c.Trial].Count > 0 && !todo[c.Trial].Again })
	isTouched := func(c *dataset.Cell) bool { return touched[c] }
	out := map[*plan.Trial]int{}
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			if isTouched(c) || e.Plan.IsPaired(c.Trial) && slices.ContainsFunc(e.Cells, isTouched) {
				out[c.Trial] = max(0, e.Plan.Most()-cmp.Or(todo[c.Trial].UpTo, len(c.Records)))
			}
		}
	}
	return out
}

// selected are the records that are wanted.
func selected(records []*record.Record, wanted func(*record.Record) bool) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return !wanted(r) })
}

// judge finds the state of a trial, with the reasons.
// replaced says what a cell was measured with and is, or may be, another one now.
func (n *inspection) replaced(e *dataset.Experiment, cell *dataset.Cell) []string {
	if e.Plan.Outside && len(cell.Records) > 0 {
		return []string{"its target ran already and may have changed: results are fresh for their run only"}
	}
	return n.present.Changes(cell.Records...)
}

func (n *inspection) judge(k *TrialState, e *dataset.Experiment, cell *dataset.Cell, upTo int) {
	t, replaced := cell.Trial, n.replaced(e, cell)
	if len(replaced) > 0 {
		k.state = dataset.Stale
	}
	k.searched = k.state != dataset.Stale && !slices.ContainsFunc(t.Tune, func(s spec.Search) bool {
		found := cell.Search(s.Name)
		return found == nil || found.Chosen == 0
	})
	switch {
	case t.Unavailable != "":
		k.unavailable, k.why = true, []string{t.Unavailable}
	case cell.State == dataset.Missing:
		k.why = []string{"no records on this host"}
		if slices.ContainsFunc(n.all, func(r *record.Record) bool {
			return r.Experiment == e.Plan.Name && r.Trial == t.Name
		}) {
			k.why = []string{"no records of profile " + n.plan.Profile + " on this host"}
		}
	case k.state == dataset.Stale:
		k.why = replaced
		if cell.State == dataset.Stale {
			k.why = append(changes(t, cell.Records[0]), replaced...)
			if moved := n.plan.PlacedOtherwise(cell.Records[0]); moved != "" {
				k.why = append(k.why, moved)
			}
		}
	case cell.State == dataset.Partial:
		k.why = []string{fmt.Sprintf("%d of %s done", len(cell.Records), terminal.Count(e.Plan.Least(), "repetition"))}
	case k.ToMeasure > 0:
		k.why = []string{k.whyMore(len(cell.Records), upTo)}
	}
	for _, why := range cell.LeftOut {
		k.why = append(k.why, "a record was left out: "+why)
	}
	if k.ToMeasure > 0 {
		k.why = append(k.why, n.stoppedSearches(e.Plan, t)...)
	}
}

// whyMore is why a trial that has so many repetitions is measured up to others.
func (k *TrialState) whyMore(have, upTo int) string {
	if k.again {
		return "too few repetitions are valid, because other programs or virtual machines took CPU time: run repeats them"
	}
	return fmt.Sprintf("a claim about it is undecided after %s: run goes on up to %d", terminal.Count(have, "repetition"),
		upTo)
}

// stoppedSearches says which searches of a trial were stopped and go on.
func (n *inspection) stoppedSearches(e *plan.Experiment, t *plan.Trial) []string {
	var words []string
	for _, r := range n.stopped {
		if r.Article != n.slug || r.Host != n.host || r.Profile != n.plan.Profile || r.Experiment != e.Name ||
			r.Trial != t.Name || r.Key != t.Key {
			continue
		}
		of := "the capacity"
		if r.Search.Name != "" {
			of = "tune." + r.Search.Name
		}
		words = append(words, fmt.Sprintf("a search for %s was stopped after %s and will resume from there", of,
			terminal.Count(len(r.Search.Probes), "probe")))
	}
	return words
}

// OpenTrials gives the trials of an article that go on after a look, as runner.Options wants it, for a host. A claim
// may also be about experiments that are left out of the plan.
func OpenTrials(doc *article.Document, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		d, err := dataset.OfPlan(doc, p, records, host)
		if err != nil { // there is a plan, and no host is asked for
			return nil
		}
		return claim.Open(d)
	}
}
