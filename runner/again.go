package runner

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// again are the repetitions to measure in the place of those that the machine disturbed, one of each trial that has too few valid ones
// otherwise, in an order drawn like that of a round. They are rounds after the planned ones. Of no trial more repetitions are measured
// than twice the planned ones, so that a run on a machine that is never quiet ends.
//
// What a repetition came to does not enter, only whether the machine was busy with something else; records say what they replace.
//
// Source: docs/method.md#valid-cells: fewer than three valid repetitions of three or more are no result, and a value is
// never a reason to leave one out.
func again(e *plan.Experiment, records []*record.Record, run string) []plan.Step {
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
