package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/images"
)

var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

// explain finds the state of a trial, and the reasons if it is not fresh.
func explain(cell *dataset.Cell, next runner.Todo, replaced []string) (state string, why []string) {
	t, e := cell.Planned, cell.Experiment.Plan
	state, why = stateWords[cell.State], []string{}
	switch {
	case cell.State == dataset.Missing:
	case cell.State == dataset.Stale || len(replaced) > 0:
		state, why = "stale", append(changes(t, cell.Records[0]), replaced...)
	case cell.State == dataset.Partial:
		why = []string{fmt.Sprintf("%d of %s done", len(cell.Records), phrase.Count(e.Least(), "repetition"))}
	case next.Again:
		state, why = "disturbed", []string{"too few repetitions are valid, because other programs or virtual machines took CPU " +
			"time: run repeats them"}
	case next.Count > 0:
		state, why = "undecided", []string{fmt.Sprintf("a claim about it is undecided after %s: run continues up to %d",
			phrase.Count(len(cell.Records), "repetition"), next.UpTo)}
	}
	for _, left := range cell.LeftOut {
		why = append(why, "a record was left out: "+left)
	}
	return state, why
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
			out = append(out, slice.Map(spec.Edits(t.Definition, r.Definition), spec.Edit.String)...)
		case !ok:
			out = append(out, in.Name+" is new")
		default:
			out = append(out, in.Name+" changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(then)) {
		out = append(out, name+" was removed")
	}
	if len(out) == 0 {
		out = []string{"the definition is the same: a value that is not recorded changed, or it is of another version of benchbook"}
	}
	return out
}

// repetitionsBeyond counts, by trial, the repetitions after the next ones if the claims they are for stay undecided.
func repetitionsBeyond(d *dataset.Dataset, next map[*plan.Trial]runner.Todo) map[*plan.Trial]int {
	touched := claim.ComparedWith(d, func(c *dataset.Cell) bool {
		return next[c.Planned].Count > 0 && !next[c.Planned].Again
	})
	isTouched := func(c *dataset.Cell) bool { return touched[c] }
	out := map[*plan.Trial]int{}
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			if isTouched(c) || e.Plan.IsPaired(c.Planned) && slices.ContainsFunc(e.Cells, isTouched) {
				out[c.Planned] = max(0, e.Plan.Most()-cmp.Or(next[c.Planned].UpTo, len(c.Records)))
			}
		}
	}
	return out
}

// OpenTrials returns a function that picks the trials that open finds, such as claim.Open, for runner.Options. A claim may
// also be about experiments that are left out of the plan.
func OpenTrials(doc *article.Document, p *plan.Plan, host string,
	open func(*dataset.Dataset) map[string][]string) runner.Undecided {
	return func(records []*record.Record) map[string][]string {
		d, err := dataset.OfPlan(doc, p, records, host)
		if err != nil { // cannot happen with a plan and a host
			return nil
		}
		return open(d)
	}
}

// overheadParts are the parts of a repetition besides warm-up and window.
var overheadParts = []string{"settle", "prepare", "start", "load", "stop"}

// Experience returns how long a trial takes, by the records of an article: the mean window of the trial, or else of the
// experiment, and the mean overhead of the experiment, or else of the article. Records of the host count, under any
// profile; those of others, such as the author's, where it has none of the experiment.
func Experience(e *plan.Experiment, t *plan.Trial, records []*record.Record, host string) plan.Experience {
	isOf := func(r *record.Record) bool { return r.Experiment == e.Name }
	own := slice.Filter(records, func(r *record.Record) bool { return r.Host == host })
	of := slice.Filter(own, isOf)
	if len(of) == 0 {
		of = slice.Filter(records, isOf)
	}
	ofTrial := slice.Filter(of, func(r *record.Record) bool { return r.Trial == t.Name })
	out := plan.Experience{Window: cmp.Or(mean(ofTrial, "measure"), mean(of, "measure")),
		Overhead: cmp.Or(mean(of, overheadParts...), mean(own, overheadParts...))}
	out.Searched = !slices.ContainsFunc(t.Tune, func(s spec.Search) bool {
		return s.Of == "" && !slices.ContainsFunc(own, func(r *record.Record) bool {
			return isOf(r) && r.Key == t.Key && r.Search != nil && r.Search.Name == s.Name && r.Search.Chosen > 0
		})
	})
	return out
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
