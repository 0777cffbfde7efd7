package runner

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// errOutOfTime means that the budget of a run is over.
var errOutOfTime = errors.New("the budget has run out")

func (b *bench) outOfTime() bool {
	return !b.options.Deadline.IsZero() && time.Now().After(b.options.Deadline)
}

// maxAlike is how many repetitions of a trial may fail alike, one after another, before it is given up.
const maxAlike = 3

// GivenUp is a trial whose repetitions failed alike, so that the rest of them was left out of the run.
type GivenUp struct {
	Experiment *plan.Experiment
	Trial      string
	Failure    string
	Failed     int // repetitions, one after another
	Left       int // repetitions that were left out
}

func (g *GivenUp) Error() string {
	return fmt.Sprintf("%s failed %d times in the same way; its other %d repetitions are left out of this run", g.Trial,
		g.Failed, g.Left)
}

// waited is the part of a failure that says how long a service was waited for, which differs from time to time.
var waited = regexp.MustCompile(` was not ready after [^:]*:`)

// WayOfFailing is the same for repetitions that failed in the same way.
func WayOfFailing(failure string) string { return waited.ReplaceAllString(failure, ":") }

// failures are the last repetitions of each trial that failed alike.
type failures map[*plan.Trial]alike

type alike struct {
	way string
	n   int // repetitions, one after another
}

// add returns how many repetitions of t have failed like r, one after another; 0 if it did not fail. A repetition that
// was not even tried took no time, and does not count.
func (f failures) add(t *plan.Trial, r *record.Record) int {
	if r.Failure == "" || r.Ended.Equal(r.Started) {
		delete(f, t)
		return 0
	}
	last := f[t]
	if way := WayOfFailing(r.Failure); last.way != way {
		last = alike{way: way}
	}
	last.n++
	f[t] = last
	return last.n
}

// giveUp leaves the other repetitions of t out of this session, also those of later looks.
func (b *bench) giveUp(t *plan.Trial, rec *record.Record, failed int) {
	isOf := func(s plan.Step) bool { return s.Trial == t }
	g := GivenUp{Experiment: b.experiment, Trial: t.Name, Failure: rec.Failure, Failed: failed,
		Left: slice.Count(b.work.Steps, isOf)}
	b.work.Steps = slice.Filter(b.work.Steps, func(s plan.Step) bool { return !isOf(s) })
	b.try(Group{Experiment: b.experiment, Steps: slice.Filter(b.experiment.Steps, isOf)})
	if g.Left > 0 {
		b.summary.GivenUp = append(b.summary.GivenUp, g)
		b.Progress.Note(g.Error())
	}
}
