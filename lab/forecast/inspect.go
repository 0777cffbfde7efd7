// Package forecast says what a run would do: what is fresh, stale or missing, what is pending, and how long it takes.
package forecast

import (
	"context"
	"fmt"
	"slices"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
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

// disturbed is the state of a trial whose repetitions are all there, too few of them valid, as the machine was busy with something else.
const disturbed = "disturbed"

// A TrialState is what is known of a trial before it is measured.
type TrialState struct {
	state     dataset.State
	run       string
	records   []*record.Record // of that run
	nearby    []*record.Record // of this host that are nearest to it: of the experiment under any profile, or else of the article
	same      []*record.Record // of the experiment: of this host under any profile, or else of other hosts
	elsewhere bool             // same is of other hosts
	ToMeasure int              // repetitions that a run would do; 1 for a search for a capacity
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
		return disturbed
	}
	return stateWords[k.state]
}

// Inspect lays the records of a host over a plan, trial by trial. Of plans that run on this machine alone it compares what they were measured
// with to what is present.
func Inspect(ctx context.Context, a *lab.Session, project *article.Project, c *lab.Article, p *plan.Plan, host string, present *images.Present) (map[*plan.Trial]*TrialState, error) {
	records, bad, err := a.Records(project, c)
	if err != nil {
		return nil, err
	}
	type trial struct{ experiment, name string }
	elsewhere := map[trial]bool{} // this host has measured it under some profile
	all := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Host != host })
	others := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Host == host || r.Host == record.ImportedHost })
	records = slices.DeleteFunc(records, func(r *record.Record) bool {
		if r.Host == host {
			elsewhere[trial{r.Experiment, r.Trial}] = true
		}
		stands := p.Profile == plan.Quick && r.Profile == plan.Full && r.Search != nil // for a search of quick
		return r.Host != host || r.Profile != p.Profile && !stands
	})
	d, err := dataset.New(c.Doc, records, dataset.Options{ThisHost: host, Bad: bad, Plan: func(string) (*plan.Plan, error) { return p, nil }})
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	stopped, err := record.Dir(project.RecordsDir(c.Slug)).Unfinished()
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	if p.UsesHosts() {
		present = nil
	}
	if err := present.Look(ctx, records); err != nil {
		return nil, err
	}
	out := map[*plan.Trial]*TrialState{}
	for _, e := range d.Experiments {
		own := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		nearby := slices.DeleteFunc(slices.Clone(all), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		same := nearby
		if len(nearby) == 0 {
			nearby = all
			same = slices.DeleteFunc(slices.Clone(others), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		}
		cells := e.Cells
		if e.Calibration != nil {
			cells = append(slices.Clone(cells), e.Calibration)
		}
		for _, cell := range cells {
			k := &TrialState{state: cell.State, run: cell.Run, records: cell.Records, nearby: nearby, same: same, elsewhere: len(same) > 0 && same[0].Host != host, ToMeasure: pending(p, e.Plan, cell.Trial, own, host, present)}
			others := present.Changes(cell.Records...)
			if len(others) > 0 && k.state != dataset.Stale {
				k.state = dataset.Stale
			}
			k.searched = k.state != dataset.Stale && !slices.ContainsFunc(cell.Trial.Tune, func(s spec.Search) bool {
				found := cell.Search(s.Name)
				return found == nil || found.Chosen == 0
			})
			switch {
			case cell.Trial.Unavailable != "":
				k.unavailable, k.why = true, []string{cell.Trial.Unavailable}
			case cell.State == dataset.Missing:
				k.why = []string{"no records on this host"}
				if elsewhere[trial{e.Plan.Name, cell.Trial.Name}] {
					k.why = []string{"no records of profile " + p.Profile + " on this host"}
				}
			case k.state == dataset.Stale:
				k.why = others
				if cell.State == dataset.Stale {
					k.why = append(changes(cell.Trial, cell.Records[0]), others...)
					if moved := p.PlacedOtherwise(cell.Records[0]); moved != "" {
						k.why = append(k.why, moved)
					}
				}
			case cell.State == dataset.Partial:
				k.why = []string{fmt.Sprintf("%d of %s are there", len(cell.Records), terminal.Count(e.Plan.Repetitions, "repetition"))}
			case k.ToMeasure > 0:
				k.why = []string{"too few of its repetitions are valid, as the machine was busy with something else: run measures again"}
			}
			for _, why := range cell.LeftOut {
				k.why = append(k.why, "a record was left out: "+why)
			}
			if k.ToMeasure > 0 {
				k.why = append(k.why, stoppedSearches(stopped, c.Slug, p, e.Plan, cell.Trial, host)...)
			}
			out[cell.Trial] = k
		}
	}
	return out, nil
}

// stoppedSearches says which searches of a trial were stopped and go on.
func stoppedSearches(stopped []*record.Record, slug string, p *plan.Plan, e *plan.Experiment, t *plan.Trial, host string) []string {
	var words []string
	for _, r := range stopped {
		if r.Article != slug || r.Host != host || r.Profile != p.Profile || r.Experiment != e.Name || r.Trial != t.Name || r.Key != t.Key {
			continue
		}
		of := "the capacity"
		if r.Search.Name != "" {
			of = "tune." + r.Search.Name
		}
		words = append(words, fmt.Sprintf("a search for %s was stopped after %s, and goes on from there", of, terminal.Count(len(r.Search.Probes), "probe")))
	}
	return words
}

// pending counts the repetitions of one trial that a run would do.
func pending(p *plan.Plan, e *plan.Experiment, t *plan.Trial, records []*record.Record, host string, present *images.Present) int {
	one := *e
	one.Trials = []*plan.Trial{t}
	one.Steps = slices.DeleteFunc(slices.Clone(e.Steps), func(s plan.Step) bool { return s.Trial != t })
	of := &plan.Plan{Article: p.Article, Profile: p.Profile, Experiments: []*plan.Experiment{&one}}
	return runner.Pending(of, records, host, runner.Options{Present: present})
}
