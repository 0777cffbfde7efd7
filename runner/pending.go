package runner

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Pending counts the repetitions and the searches for capacities of a plan that a run would do, together.
func Pending(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	o, records = o.current(p, records)
	for _, e := range p.Experiments {
		n += o.pending(e, p.RecordsOf(e, records, host)).len()
	}
	return n
}

// PendingSearches counts the searches for capacities among what is pending.
func PendingSearches(p *plan.Plan, records []*record.Record, host string, o Options) int {
	n := 0
	o, records = o.current(p, records)
	for _, e := range p.Experiments {
		n += len(o.pending(e, p.RecordsOf(e, records, host)).searches)
	}
	return n
}

// PendingTrials counts the trials of an experiment that a run would measure something of, the A/A pair once.
func PendingTrials(p *plan.Plan, e *plan.Experiment, records []*record.Record, host string, o Options) int {
	o, records = o.current(p, records)
	left := o.pending(e, p.RecordsOf(e, records, host))
	return len(left.trials(e))
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

// AllFailed gives the experiments of a plan of which nothing is measured, though nothing is left to do: every
// repetition has failed.
func AllFailed(p *plan.Plan, records []*record.Record, host string, o Options) []Fruitless {
	var out []Fruitless
	o, records = o.current(p, records)
	for _, e := range o.experiments(p) {
		if o.pending(e, p.RecordsOf(e, records, host)).len() > 0 {
			continue
		}
		keys := map[string]string{}
		for _, t := range e.Trials {
			if o.Only == nil || o.Only(e, t) {
				keys[t.Name] = t.Key
			}
		}
		f := Fruitless{Experiment: e}
		measured := false
		var last *record.Record
		for _, r := range p.RecordsOf(e, records, host) {
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

// Outdated says for which experiments of a plan a run measures trials again since images, programs or CPUs are others
// now: "EXPERIMENT: REASON".
func Outdated(p *plan.Plan, records []*record.Record, host string, o Options) []string {
	var out []string
	o, current := o.current(p, records)
	for _, e := range p.Experiments {
		own := p.RecordsOf(e, current, host)
		pending := o.pending(e, own)
		for _, r := range p.RecordsOf(e, records, host) {
			isPending := func(t *plan.Trial) bool { return t.Name == r.Trial && t.Key == r.Key }
			isNewer := func(o *record.Record) bool { return o.Trial == r.Trial && o.Key == r.Key }
			if !slices.ContainsFunc(pending.trials(e), isPending) || slices.ContainsFunc(own, isNewer) {
				continue
			}
			changes := o.Present.Changes(r)
			if moved := p.PlacedOtherwise(r); moved != "" {
				changes = append(changes, moved)
			}
			for _, change := range changes {
				if words := e.Name + ": " + change; !slices.Contains(out, words) {
					out = append(out, words)
				}
			}
		}
	}
	return out
}
