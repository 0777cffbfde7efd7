package show

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
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
	"benchbook/runner/machine"
)

// A TrialState is what is known about a trial before it is measured.
type TrialState struct {
	word         string           // fresh, stale, unfinished, missing, undecided, disturbed or unavailable
	records      []*record.Record // of the trial
	ofExperiment []*record.Record // of this host, under any profile
	ofArticle    []*record.Record // likewise
	ToMeasure    int              // repetitions that a run does at least; 1 for a search for a capacity
	More         int              // repetitions that it does beyond them if claims stay undecided
	searched     bool             // the values that it searches for are known
	why          []string         // reasons why it is not fresh
}

var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

// Inspect compares the records of a host with a plan, trial by trial, and the images that they were measured with with
// those that are present.
func Inspect(ctx context.Context, a *lab.Session, project *article.Project, c *lab.Article, p *plan.Plan,
	on machine.Host, present *images.Present) (map[*plan.Trial]*TrialState, error) {
	host := on.ID
	records, bad, err := a.Records(project, c)
	if err != nil {
		return nil, err
	}
	all := recordsOf(records, func(r *record.Record) bool { return r.Host == host })
	ofProfile := recordsOf(all, func(r *record.Record) bool { return r.Profile == p.Profile })
	d, err := dataset.New(c.Doc, ofProfile, dataset.Options{ThisHost: host, Bad: bad,
		Plan: func(string) (*plan.Plan, error) { return p, nil }})
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	if p.UsesHosts() {
		present = nil
	}
	if err := present.Look(ctx, ofProfile); err != nil {
		return nil, err
	}
	next := runner.NextOf(p, ofProfile, host, runner.Options{Present: present, Conditions: on.Facts,
		Open: OpenTrials(c.Doc, p, host)}).ByTrial()
	more := repetitionsBeyond(d, next)
	out := map[*plan.Trial]*TrialState{}
	for _, e := range d.Experiments {
		own := recordsOf(all, func(r *record.Record) bool { return r.Experiment == e.Plan.Name })
		for _, cell := range e.AllCells() {
			k := &TrialState{records: cell.Records, ofExperiment: own, ofArticle: all, ToMeasure: next[cell.Trial].Count,
				More: more[cell.Trial]}
			k.explain(p, cell, next[cell.Trial], outdated(cell, present, on.Facts))
			out[cell.Trial] = k
		}
	}
	return out, nil
}

// explain finds the state of a trial and the reasons for it.
func (k *TrialState) explain(p *plan.Plan, cell *dataset.Cell, next runner.Todo, replaced []string) {
	t, e := cell.Trial, cell.Experiment.Plan
	stale := cell.State == dataset.Stale || len(replaced) > 0
	k.word = stateWords[cell.State]
	if stale {
		k.word = stateWords[dataset.Stale]
	}
	k.searched = !stale && isSearched(cell)
	switch {
	case t.Unavailable != "":
		k.word, k.why = "unavailable", []string{t.Unavailable}
	case cell.State == dataset.Missing:
		k.why = []string{"no records of profile " + p.Profile + " on this host"}
	case cell.State == dataset.Stale:
		k.why = append(changes(t, cell.Records[0]), replaced...)
	case stale:
		k.why = replaced
	case cell.State == dataset.Partial:
		k.why = []string{fmt.Sprintf("%d of %s done", len(cell.Records), terminal.Count(e.Least(), "repetition"))}
	case next.Again:
		k.word = "disturbed"
		k.why = []string{"too few repetitions are valid, because other programs or virtual machines took CPU time: run " +
			"repeats them"}
	case k.ToMeasure > 0:
		k.word = "undecided"
		k.why = []string{fmt.Sprintf("a claim about it is undecided after %s: run goes on up to %d",
			terminal.Count(len(cell.Records), "repetition"), next.UpTo)}
	}
	for _, why := range cell.LeftOut {
		k.why = append(k.why, "a record was left out: "+why)
	}
}

// isSearched reports that the values that a trial searches for are known.
func isSearched(cell *dataset.Cell) bool {
	return !slices.ContainsFunc(cell.Trial.Tune, func(s spec.Search) bool {
		found := cell.Search(s.Name)
		return found == nil || found.Chosen == 0
	})
}

// outdated says what a cell was measured with, or under, that is or may be another one now.
func outdated(cell *dataset.Cell, present *images.Present, conditions map[string]string) []string {
	if cell.Experiment.Plan.Outside && len(cell.Records) > 0 {
		return []string{"its target ran already and may have changed: results are fresh for their run only"}
	}
	changes := present.Changes(cell.Records...)
	for _, r := range cell.Records {
		changes = slice.Add(changes, runner.ConditionsChanged(r, conditions)...)
	}
	return changes
}

// changes returns what differs between a record and what the article says now: inputs by name, and each changed value of
// the definition.
func changes(t *plan.Trial, r *record.Record) []string {
	if t.Key == r.Key {
		return nil
	}
	then := map[string]string{}
	for _, in := range r.Inputs {
		then[in.Name] = in.Digest
	}
	var out []string
	for _, in := range t.Inputs {
		was, ok := then[in.Name]
		delete(then, in.Name)
		switch {
		case was == in.Digest:
		case in.Name == "definition":
			out = append(out, redefined(t, r)...)
		case strings.HasPrefix(in.Name, "semantics"):
			out = append(out, fmt.Sprintf("%s: version %s, was %s", in.Name, in.Digest, cmp.Or(was, "none")))
		case !ok:
			out = append(out, in.Name+" is new")
		default:
			out = append(out, in.Name+" changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(then)) {
		out = append(out, name+" was removed")
	}
	if len(out) == 0 && bytes.Contains(t.Definition, []byte(record.Redacted)) {
		out = []string{"a variable of the environment changed (its value is not recorded)"}
	}
	if len(out) == 0 {
		out = []string{"the definition is the same, written by another version of benchbook"}
	}
	return out
}

// redefined returns the changed values of a definition.
func redefined(t *plan.Trial, r *record.Record) []string {
	return slice.Map(spec.Edits(t.Definition, r.Definition), spec.Edit.String)
}

// repetitionsBeyond counts, by trial, the repetitions after the next ones if the claims they are for stay undecided.
func repetitionsBeyond(d *dataset.Dataset, next map[*plan.Trial]runner.Todo) map[*plan.Trial]int {
	touched := claim.ComparedWith(d, func(c *dataset.Cell) bool { return next[c.Trial].Count > 0 && !next[c.Trial].Again })
	isTouched := func(c *dataset.Cell) bool { return touched[c] }
	out := map[*plan.Trial]int{}
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			if isTouched(c) || e.Plan.IsPaired(c.Trial) && slices.ContainsFunc(e.Cells, isTouched) {
				out[c.Trial] = max(0, e.Plan.Most()-cmp.Or(next[c.Trial].UpTo, len(c.Records)))
			}
		}
	}
	return out
}

func recordsOf(records []*record.Record, wanted func(*record.Record) bool) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return !wanted(r) })
}

// OpenTrials returns a function that picks the trials whose claims are undecided, for runner.Options. A claim may also
// be about experiments that are left out of the plan.
func OpenTrials(doc *article.Document, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		d, err := dataset.OfPlan(doc, p, records, host)
		if err != nil { // cannot happen with a plan and a host
			return nil
		}
		return claim.Open(d)
	}
}

// overheadParts are the parts of a repetition besides warm-up and window.
var overheadParts = []string{"settle", "prepare", "start", "load", "stop", "conclude"}

// Experience returns what records know about how long each trial of an experiment takes: the mean window of the trial,
// and the mean overhead of the experiment, or else of the article on this host.
func Experience(known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	return func(t *plan.Trial) plan.Experience {
		k := known[t]
		out := plan.Experience{Pending: k.ToMeasure, Searched: k.searched, Window: mean(k.records, "measure")}
		if out.Window == 0 {
			out.Window = mean(k.ofExperiment, "measure")
		}
		if out.Overhead = mean(k.ofExperiment, overheadParts...); out.Overhead == 0 {
			out.Overhead = mean(k.ofArticle, overheadParts...)
		}
		return out
	}
}

// ExperienceOf returns how long a trial takes by any records of its article, of this host or others: the mean window of
// the trial, or else of the experiment, and the mean overhead of the experiment.
func ExperienceOf(e *plan.Experiment, t *plan.Trial, records []*record.Record) plan.Experience {
	ofExperiment := recordsOf(records, func(r *record.Record) bool { return r.Experiment == e.Name })
	ofTrial := recordsOf(ofExperiment, func(r *record.Record) bool { return r.Trial == t.Name })
	return plan.Experience{Window: cmp.Or(mean(ofTrial, "measure"), mean(ofExperiment, "measure")),
		Overhead: mean(ofExperiment, overheadParts...)}
}

// atMost is Experience if claims stay undecided up to the last look.
func atMost(known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	least := Experience(known)
	return func(t *plan.Trial) plan.Experience {
		out := least(t)
		out.Pending += known[t].More
		return out
	}
}

// mean returns the mean time that repetitions without a failure spent in some of their parts; 0 if there are none.
func mean(records []*record.Record, parts ...string) time.Duration {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure != "" || r.Search != nil {
			continue
		}
		n++
		for _, p := range parts {
			sum += max(0, r.Parts[p]) // the remainder of a subtraction may be negative
		}
	}
	return time.Duration(sum / float64(max(1, n)) * float64(time.Second))
}
