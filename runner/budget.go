package runner

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// errOutOfTime is that the budget of a run is over.
var errOutOfTime = errors.New("the budget has run out")

// outOfTime reports that the budget of the run is over.
func (r *run) outOfTime() bool {
	return !r.options.Deadline.IsZero() && time.Now().After(r.options.Deadline)
}

// schedule goes through the repetitions that are left of an experiment up to the next look.
type schedule struct {
	*run
	left    []plan.Step
	failing map[string]*GivenUp // trials whose last repetitions have failed alike, by name
}

// keeping says when the services of a repetition are kept: for somebody to look at if it fails, or in any case, or for
// the repetition after it.
type keeping struct{ failed, always, forNext bool }

// keeping is what holds for the services of the present repetition, which is of a trial.
func (r *schedule) keeping(t *plan.Trial) keeping {
	isLast := len(r.left) == 0
	return keeping{failed: r.options.Keep, always: r.options.KeepLast && isLast,
		forNext: r.experiment.Blocks && !isLast && r.left[0].Trial == t}
}

// maxAlike is after how many repetitions that fail alike, one after another, a trial is given up: the next would fail
// as well.
const maxAlike = 3

// GivenUp is a trial that failed alike again and again, so that the rest of its repetitions was left out of the run.
type GivenUp struct {
	Experiment *plan.Experiment
	Trial      string
	Failure    string
	Failed     int // repetitions, one after another
	Left       int // those that were left out
}

func (g *GivenUp) Error() string {
	return fmt.Sprintf("%s failed %d times in the same way; its other %d repetitions are left out of this run", g.Trial,
		g.Failed, g.Left)
}

// waited is how long a service was waited for, as a failure says it: it may be another time whenever the failure is the
// same.
var waited = regexp.MustCompile(` was not ready after [^:]*:`)

// WayOfFailing is the same for repetitions that failed in the same way.
func WayOfFailing(failure string) string { return waited.ReplaceAllString(failure, ":") }

// giveUpAlike gives a trial up that has failed alike often enough. What was not tried at all counts for nothing: it
// takes no time.
func (r *schedule) giveUpAlike(step plan.Step, rec *record.Record) {
	name := step.Trial.Name
	if r.failing == nil {
		r.failing = map[string]*GivenUp{}
	}
	g := r.failing[name]
	switch {
	case rec.Failure == "" || rec.Ended.Equal(rec.Started):
		delete(r.failing, name)
		return
	case g == nil || WayOfFailing(g.Failure) != WayOfFailing(rec.Failure):
		g = &GivenUp{Experiment: r.experiment, Trial: name, Failure: rec.Failure}
		r.failing[name] = g
	}
	if g.Failed++; g.Failed < maxAlike {
		return
	}
	before := len(r.left)
	r.left = slices.DeleteFunc(slices.Clone(r.left), func(s plan.Step) bool { return s.Trial.Name == name })
	r.options.come(r.experiment, worklist{steps: slice.Filter(r.experiment.Steps,
		func(s plan.Step) bool { return s.Trial == step.Trial })}) // those of later looks too
	if g.Left = before - len(r.left); g.Left > 0 {
		r.summary.GivenUp = append(r.summary.GivenUp, *g)
		r.Progress.Note(g.Error())
	}
}

// next gives the next repetition; false when there is none.
func (r *schedule) next() (plan.Step, bool) {
	if len(r.left) == 0 {
		return plan.Step{}, false
	}
	step := r.left[0]
	r.left = r.left[1:]
	return step, true
}
