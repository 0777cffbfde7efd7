package dataset

import (
	"fmt"

	"benchbook/notebook/stats"
)

// InterimAnalyses says how the number of rounds of what is shown of an experiment came about, of the run that was
// analysed most often. Rounds were added to a run if its records were planned with several numbers of repetitions, or
// go beyond the number that was planned first. A run had a budget if one of its records says so; then the rounds are
// those that it planned, since each analysis was judged for all of them.
//
// Source: docs/method.md#number-of-looks.
func (e *Experiment) InterimAnalyses() stats.InterimAnalyses { return InterimAnalysesOf(e.Cells) }

// analysesOf are those of one run. Rounds are the experiment's: whoever adds one to a cell has seen the others.
func (e *Experiment) analysesOf(run string) stats.InterimAnalyses {
	e.counting.Do(func() {
		e.analyses = map[string]stats.InterimAnalyses{}
		for _, run := range RunsOf(e.Cells) {
			e.analyses[run] = e.countAnalyses(run)
		}
	})
	return e.analyses[run]
}

func (e *Experiment) countAnalyses(run string) stats.InterimAnalyses {
	var found stats.InterimAnalyses
	planned := 0
	for _, c := range e.AllCells() {
		for _, r := range c.Records {
			if r.Run != run || r.Order.Replaces > 0 { // those in the place of others were measured whatever the results were
				continue
			}
			found.Rounds = max(found.Rounds, r.Repetition)
			if r.Budget != nil {
				found.Budgeted, found.Rounds = true, max(found.Rounds, r.Planned)
			}
			found.Extended = found.Extended || planned > 0 && r.Planned != planned
			if planned == 0 || r.Planned < planned {
				planned = r.Planned
			}
		}
	}
	found.Extended = found.Extended || planned > 0 && found.Rounds > planned
	return found
}

// level is that at which the pairs of an experiment's cells are judged.
func (e *Experiment) level() float64 { return e.InterimAnalyses().Level(stats.DefaultAlpha) }

// InterimAnalysesOf are those of the run behind some cells that was analysed most often.
func InterimAnalysesOf(cells []*Cell) stats.InterimAnalyses {
	var most stats.InterimAnalyses
	for _, c := range cells {
		if c.State == Missing {
			continue
		}
		if a := c.Experiment.analysesOf(c.Run); a.Count() >= most.Count() {
			most = a
		}
	}
	return most
}

// InterimMark says that a run was analysed several times.
func InterimMark(a stats.InterimAnalyses) string {
	why := "rounds were added to a finished run"
	if a.Budgeted {
		why = "cells may have been stopped in a run with a budget"
	}
	return fmt.Sprintf("%s: judged at %.2g %%, for %d looks", why, 100*a.Level(stats.DefaultAlpha), a.Count())
}
