package runner

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Judge says of which trials a run knows enough.
type Judge interface {
	// Decided names the trials of an experiment that claims are about, of which every one has its verdict at a level by
	// the records so far.
	Decided(experiment string, records []*record.Record, level float64) ([]string, error)
}

// errOutOfTime is that the budget of a run is over.
var errOutOfTime = errors.New("the budget has run out")

// outOfTime says whether something that lasts so long would end after the budget of the run.
func (r *run) outOfTime(lasts time.Duration) bool {
	return !r.options.Deadline.IsZero() && time.Now().Add(lasts).After(r.options.Deadline)
}

// looks are the rounds after which a budgeted run looks at its results.
//
// Source: docs/method.md#number-of-looks.
var looks = [...]int{3, 5, 10}

// schedule goes through the repetitions that are left of an experiment, and leaves out those of trials that are
// decided.
type schedule struct {
	*run
	left    []plan.Step
	stopped []string      // trials
	longest time.Duration // of the repetitions so far
	begun   time.Time     // the present one

	failing map[string]*GivenUp // trials whose last repetitions have failed alike, by name
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
	if g.Left = before - len(r.left); g.Left > 0 {
		r.summary.GivenUp = append(r.summary.GivenUp, *g)
		r.Progress.Note(g.Error())
	}
}

// newSchedule begins with what earlier looks of a run that goes on have stopped.
func (r *run) newSchedule() *schedule {
	out := &schedule{run: r, left: r.work.steps}
	for _, rec := range r.plan.RecordsOf(r.experiment, r.records, r.Host.ID) {
		if rec.Run == r.id && rec.Budget != nil && rec.Budget.Look != nil {
			for _, trial := range rec.Budget.Look.Stopped {
				out.stop(trial)
			}
		}
	}
	return out
}

func (r *schedule) stop(trial string) {
	if !slices.Contains(r.stopped, trial) {
		r.stopped = append(r.stopped, trial)
	}
}

// next gives the next repetition; false when there is none.
func (r *schedule) next() (plan.Step, bool) {
	r.skipStopped()
	if len(r.left) == 0 {
		return plan.Step{}, false
	}
	step := r.left[0]
	r.left, r.begun = r.left[1:], time.Now()
	return step, true
}

// skipStopped leaves out the repetitions at the front that need not be done.
func (r *schedule) skipStopped() {
	for len(r.left) > 0 && slices.Contains(r.stopped, r.left[0].Trial.Name) {
		r.left = r.left[1:]
		r.summary.Stopped++
	}
}

// noteRepetition notes in the record of a repetition that the run has a budget and, if it is the last of a round at
// which a budgeted run looks, what that look came to: before it is saved, so that a run that is killed has taken the
// look or has not.
//
// Trials measured one after another have no rounds that could be looked at together, and the last round needs no look:
// nothing follows that could be stopped, and what is measured again is so whatever the results are.
func (r *schedule) noteRepetition(step plan.Step, rec *record.Record) error {
	r.longest = max(r.longest, time.Since(r.begun))
	if r.options.Budget <= 0 {
		return nil
	}
	rec.Budget = &record.Budget{Seconds: r.options.Budget.Seconds()}
	r.skipStopped()
	last := len(r.left) == 0 || r.left[0].Round > step.Round
	if r.options.Judge == nil || step.Replaces > 0 || !r.experiment.Interleaved || !last ||
		!slices.Contains(looks[:], step.Round) || step.Round >= r.experiment.Repetitions {
		return nil
	}
	records, err := r.readRecords()
	if err != nil {
		return err
	}
	level := stats.InterimAnalyses{Rounds: r.experiment.Repetitions, Budgeted: true}.Level(stats.DefaultAlpha)
	// An earlier run that is complete tells nothing about this one.
	records = slices.DeleteFunc(r.plan.RecordsOf(nil, records, r.Host.ID), func(o *record.Record) bool {
		return o.Experiment == r.experiment.Name && o.Run != r.id
	})
	decided, err := r.options.Judge.Decided(r.experiment.Name, append(records, rec), level)
	if err != nil {
		return err
	}
	for _, t := range r.experiment.Trials {
		if slices.Contains(decided, r.experiment.Original(t).Name) { // the A/A pair stays together
			r.stop(t.Name)
		}
	}
	rec.Budget.Look = &record.Look{Rounds: step.Round, Level: level, Stopped: slices.Clone(r.stopped)}
	return nil
}
