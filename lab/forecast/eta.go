package forecast

import (
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// A forecast says how long a run still takes: by the plan's estimate, corrected by what has been seen of it.
type ETA struct {
	each     map[*plan.Trial]time.Duration // one repetition, as estimated
	left     map[*plan.Trial]int           // repetitions that are not finished
	searches map[*plan.Trial]*searching    // before them, or in their place

	Took map[*plan.Trial]time.Duration // finished repetitions in all
	done map[*plan.Trial]int

	again  int           // repetitions that were not expected: in the place of others, or after a look
	trials []*plan.Trial // of which they may be

	More int // repetitions that may come beyond these, if claims stay undecided
}

// searching is what the searches of a trial are likely to take, and took so far.
type searching struct {
	left   int           // searches that have not ended
	probes int           // of all of them, at most, as estimated
	each   time.Duration // one probe, as estimated
	made   int           // probes
	seen   int           // probes among them of the search that goes on
	took   time.Duration // by them
}

// NewETA is that of a run of nothing, to which plans are added.
func NewETA() *ETA {
	return &ETA{each: map[*plan.Trial]time.Duration{}, left: map[*plan.Trial]int{}, searches: map[*plan.Trial]*searching{},
		Took: map[*plan.Trial]time.Duration{}, done: map[*plan.Trial]int{}}
}

// Add adds what is pending of a plan, or all of it, where services and load are placed so and records know so much.
func (f *ETA) Add(p *plan.Plan, at plan.Placement, known map[*plan.Trial]*TrialState, all bool) {
	for _, e := range p.Experiments {
		if e.Skipped != "" {
			continue
		}
		about := Experience(e, known)
		steps := map[*plan.Trial]int{}
		for _, s := range e.Steps {
			steps[s.Trial]++
		}
		for _, t := range e.Trials {
			one := about(t)
			pending := one.Pending
			f.More += known[t].More
			if all {
				pending = min(steps[t], e.Least())
				f.More += steps[t] - pending - known[t].More
			}
			if pending == 0 || t.Unavailable != "" {
				continue
			}
			one.Pending = 1
			only := *e
			only.Trials = []*plan.Trial{t}
			estimate := only.Estimate(at, func(*plan.Trial) plan.Experience { return one })
			f.each[t], f.left[t] = estimate.Total-estimate.Searches, pending // of a search for a capacity nothing
			if n := estimate.Probes; n > 0 {
				f.searches[t] = &searching{left: max(1, len(t.Tune)), probes: n, each: estimate.Searches / time.Duration(n)}
			}
		}
	}
}

// Begin notes how many repetitions of an experiment are to be done: more than are left are in the place of others.
func (f *ETA) Begin(e *plan.Experiment, todo int) {
	for _, t := range e.Trials {
		todo -= f.left[t]
	}
	f.again, f.trials = max(0, todo), e.Trials
}

// Again begins more repetitions of an experiment: in the place of those that the machine disturbed, or after a look.
func (f *ETA) Again(e *plan.Experiment, steps []plan.Step) {
	for _, s := range steps {
		if s.Replaces == 0 {
			f.left[s.Trial]++
			f.More = max(0, f.More-1)
		}
	}
	f.Begin(e, len(steps))
}

// Finished notes a repetition that is over.
func (f *ETA) Finished(t *plan.Trial, took time.Duration) {
	if f.left[t] > 0 {
		f.left[t]--
	} else {
		f.again = max(0, f.again-1)
	}
	f.Took[t] += took
	f.done[t]++
}

// Searched notes what a search of a trial is at: after a probe, or when it has ended.
func (f *ETA) Searched(t *plan.Trial, s *record.Search) {
	of := f.searches[t]
	if of == nil { // nobody expected it
		return
	}
	for _, p := range s.Probes[of.seen:] { // the first ones at once, if an earlier run has made them
		of.made++
		of.took += time.Duration(p.Seconds * float64(time.Second))
	}
	if of.seen = len(s.Probes); s.Stop != "" {
		of.seen = 0
		of.left--
	}
}

// searching is how long the searches that have not ended still take: as long as probes took so far, and as many of them
// as those that have ended needed of what was estimated.
func (f *ETA) searching() time.Duration {
	var took, estimated time.Duration
	made, atMost := 0, 0
	for _, s := range f.searches {
		took, estimated = took+s.took, estimated+time.Duration(s.made)*s.each
		if s.left <= 0 {
			made, atMost = made+s.made, atMost+s.probes
		}
	}
	pace, needed := f.factor(), 1.0
	if estimated > 0 {
		pace = took.Seconds() / estimated.Seconds()
	}
	if atMost > 0 {
		needed = float64(made) / float64(atMost)
	}
	sum := 0.0
	for _, s := range f.searches {
		if s.left > 0 {
			sum += max(1, needed*float64(s.probes)-float64(s.made)) * s.each.Seconds() * pace
		}
	}
	return time.Duration(sum * float64(time.Second))
}

// One is how long a repetition of a trial is likely to take: as those of it that are finished took, or as estimated,
// times as much as the estimates of finished ones were wrong.
func (f *ETA) One(t *plan.Trial) time.Duration {
	if n := f.done[t]; n > 0 {
		return f.Took[t] / time.Duration(n)
	}
	return time.Duration(float64(f.each[t]) * f.factor())
}

func (f *ETA) factor() float64 {
	var took, estimated time.Duration
	for t, n := range f.done {
		if f.each[t] > 0 {
			took += f.Took[t]
			estimated += f.each[t] * time.Duration(n)
		}
	}
	if estimated == 0 {
		return 1
	}
	return took.Seconds() / estimated.Seconds()
}

// Remaining is how long everything that is left takes, if so much of one repetition of a trial is over; the trial may
// be nil.
func (f *ETA) Remaining(now *plan.Trial, over time.Duration) time.Duration {
	sum := f.searching()
	for t, n := range f.left {
		sum += time.Duration(n) * f.One(t)
	}
	for _, t := range f.trials { // nobody knows of which it will be
		sum += time.Duration(f.again) * f.One(t) / time.Duration(len(f.trials))
	}
	if now != nil {
		sum -= min(over, f.One(now), sum)
	}
	return sum
}

// Share is the part of all repetitions and searches that is over, by the time that they take.
func (f *ETA) Share(now *plan.Trial, over time.Duration) float64 {
	var done time.Duration
	for _, took := range f.Took {
		done += took
	}
	for _, s := range f.searches {
		done += s.took
	}
	if now != nil {
		done += min(over, f.One(now))
	}
	all := done + f.Remaining(now, over)
	if all <= 0 {
		return 1
	}
	return done.Seconds() / all.Seconds()
}
