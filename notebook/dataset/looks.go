package dataset

import (
	"fmt"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Looks say how often the results behind some cells were judged, which claims about them are judged more strictly for.
//
// Source: docs/method.md#number-of-looks.
type Looks struct {
	Count int  // K: those that were planned, and one at least for rounds that were added afterwards
	Added bool // rounds were added after a finished plan
	Run   int  // the how-manieth whole run of unchanged cells this is, from 1
}

// Level is that at which claims, rank groups and A/A pairs are judged.
func (l Looks) Level() float64 { return stats.Level(stats.DefaultAlpha, l.Count, l.Run) }

// Mark says what nobody expects who has read the plan; it is empty if that is nothing.
func (l Looks) Mark() string {
	why := ""
	switch {
	case l.Added && l.Run > 1:
		why = fmt.Sprintf("rounds were added to run %d of the same cells", l.Run)
	case l.Added:
		why = "rounds were added to a finished run"
	case l.Run > 1:
		why = fmt.Sprintf("run %d of the same cells", l.Run)
	default:
		return ""
	}
	return why + ": judged " + l.Words()
}

// Words are the level and why it is no other: "at 1.25 % for 4 looks at the data".
func (l Looks) Words() string {
	words := fmt.Sprintf("at %.3g %%", 100*l.Level())
	if l.Count > 1 {
		words += fmt.Sprintf(" for %d looks at the data", l.Count)
	}
	return words
}

// LooksAt are the looks of the most often judged run behind some cells, and the largest number of a run.
func LooksAt(cells []*Cell) Looks {
	out := Looks{Count: 1, Run: 1}
	for _, c := range cells {
		if c.State == Missing {
			continue
		}
		if l := c.Experiment.looksOf(c.Run); l.Count > out.Count || l.Count == out.Count && l.Added {
			out.Count, out.Added = l.Count, l.Added
		}
		out.Run = max(out.Run, c.whole)
	}
	return out
}

// Looks are those of all cells of the experiment.
func (e *Experiment) Looks() Looks { return LooksAt(e.Cells) }

// level is that at which the pairs of an experiment's cells are judged.
func (e *Experiment) level() float64 { return e.Looks().Level() }

// looksOf are those of one run. Rounds are the experiment's: whoever adds one to a cell has seen the others.
func (e *Experiment) looksOf(run string) Looks {
	e.counting.Do(func() {
		e.looks = map[string]Looks{}
		for _, run := range RunsOf(e.Cells) {
			e.looks[run] = e.countLooks(run)
		}
	})
	return e.looks[run]
}

// countLooks counts those of a run: what was planned first, and what was added to it. Records that were planned with
// more repetitions than others of their run tell that rounds were added, and so do more rounds than were planned first.
func (e *Experiment) countLooks(run string) Looks {
	rounds := 0
	var first, last []int // the looks of the smallest and of the largest plan
	for _, c := range e.AllCells() {
		for _, r := range c.Records {
			if r.Run != run || r.Order.Replaces > 0 { // those in the place of others were measured whatever the results were
				continue
			}
			rounds = max(rounds, r.Repetition)
			looks := plannedLooks(r)
			if first == nil || end(looks) < end(first) {
				first = looks
			}
			if end(looks) > end(last) {
				last = looks
			}
		}
	}
	if end(last) > end(first) {
		rounds = max(rounds, end(first)+1)
	}
	return Looks{Count: max(stats.LookCount(first, rounds), len(last)), Added: rounds > end(first)}
}

// end is the last look of a plan.
func end(looks []int) int {
	if len(looks) == 0 {
		return 0
	}
	return looks[len(looks)-1]
}

// plannedLooks are the rounds after which the run of a record was to be judged. Older records have only the number of
// repetitions; those with a budget looked after 3, 5 and 10 rounds, and were judged for all
// of these.
func plannedLooks(r *record.Record) []int {
	switch {
	case len(r.Looks) > 0:
		return r.Looks
	case r.Budget != nil:
		return stats.Looks(max(r.Planned, 10))
	}
	return []int{r.Planned}
}
