package dataset

import (
	"fmt"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Looks says how the number of rounds of what is shown of an experiment came about, of the run that was looked at most often. Rounds were
// added to a run if its records were planned with several numbers of repetitions, or go beyond the number that was planned first. A run
// had a budget if one of its records says so; then the rounds are those that it planned, since each look was judged for all of them.
//
// Source: docs/method.md#number-of-looks.
func (e *Experiment) Looks() stats.Looks {
	var most stats.Looks
	for _, run := range runsOf(e.Cells) {
		if l := e.looksOf(run); l.Count() >= most.Count() {
			most = l
		}
	}
	return most
}

// looksOf are those of one run. Rounds are the experiment's: whoever adds one to a cell has seen the others.
func (e *Experiment) looksOf(run string) stats.Looks {
	e.once.Do(func() {
		e.looks = map[string]stats.Looks{}
		for _, run := range runsOf(e.Cells) {
			e.looks[run] = e.countLooks(run)
		}
	})
	return e.looks[run]
}

func (e *Experiment) countLooks(run string) stats.Looks {
	var l stats.Looks
	planned := 0
	look := func(r *record.Record) {
		if r.Run != run {
			return
		}
		if r.Order.Replaces > 0 {
			return // measured whatever the results were
		}
		l.Rounds = max(l.Rounds, r.Repetition)
		if r.Budget != nil {
			l.Budgeted, l.Rounds = true, max(l.Rounds, r.Planned)
		}
		switch {
		case planned == 0:
			planned = r.Planned
		case r.Planned != planned:
			l.Extended = true
			planned = min(planned, r.Planned)
		}
	}
	for _, c := range e.Cells {
		for _, r := range c.Records {
			look(r)
		}
	}
	if e.Calibration != nil {
		for _, r := range e.Calibration.Records {
			look(r)
		}
	}
	l.Extended = l.Extended || planned > 0 && l.Rounds > planned
	return l
}

// level is that at which the pairs of an experiment's cells are judged.
func (e *Experiment) level() float64 { return e.Looks().Level(stats.DefaultAlpha) }

// looksAt are those of the run behind some cells that was looked at most often.
func looksAt(cells []*Cell) stats.Looks {
	var most stats.Looks
	for _, c := range cells {
		if c.State == Missing {
			continue
		}
		if l := c.Experiment.looksOf(c.Run); l.Count() >= most.Count() {
			most = l
		}
	}
	return most
}

// cellsOf are the cells that a test is about; some may be there twice.
func cellsOf(t test) []*Cell {
	var out []*Cell
	for _, s := range sidesOf(t) {
		out = append(out, s.cells...)
	}
	return out
}

// judgeTest judges a claim at the level that the looks at its cells leave. Its intervals are those that are printed all the same.
//
// Source: docs/method.md#number-of-looks.
func (d *Dataset) judgeTest(t test) Judgement {
	printed := t.judge(stats.DefaultAlpha)
	printed.Level = stats.DefaultAlpha
	l := looksAt(cellsOf(t))
	looks := l.Count()
	if looks < 2 || isBySearches(t) {
		return printed
	}
	level := stats.DefaultAlpha / float64(looks)
	j := t.judge(level)
	j.print(&printed)
	j.Level = level
	j.Marks = append(j.Marks, markLooks(l))
	return j
}

// markLooks says that there were several looks at a run.
func markLooks(l stats.Looks) string {
	why := "rounds were added to a finished run"
	if l.Budgeted {
		why = "cells may have been stopped in a run with a budget"
	}
	return fmt.Sprintf("%s: judged at %.2g %%, for %d looks", why, 100*l.Level(stats.DefaultAlpha), l.Count())
}

// print gives a judgement, and its parts, the intervals of the one that is printed.
func (j *Judgement) print(printed *Judgement) {
	j.Effect = printed.Effect
	if j.Verdict == stats.Inconclusive && printed.Verdict != stats.Inconclusive {
		j.Reason = strings.Replace(j.Reason, "the interval reaches", "the interval at the stricter level reaches", 1)
	}
	for i := range j.Parts {
		j.Parts[i].print(&printed.Parts[i])
	}
}
