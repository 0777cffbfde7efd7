package runner

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/record"
)

// runNames names the runs of a session. All experiments that resume none are one new run.
type runNames struct {
	run   string            // the new one; empty until its first experiment is prepared
	plans map[string]string // digests of the experiments that it is to measure, by their names

	newest string                       // recorded run, apart from those named by a clock that was ahead
	known  map[string]map[string]string // plans of the recorded runs
}

// newRunNames takes the records of an article on one host and in one profile.
func newRunNames(records []*record.Record) *runNames {
	m := &runNames{plans: map[string]string{}, known: map[string]map[string]string{}}
	latest := time.Now().Add(record.ClockError)
	for _, r := range records {
		m.known[r.Run] = r.Plans
		if !isAfter(r.Run, latest) {
			m.newest = max(m.newest, r.Run)
		}
	}
	return m
}

// join puts all groups that resume none into one run. With resume that may be the newest recorded run, if it was to
// measure all of them as they are planned now: it was stopped between two experiments.
func (m *runNames) join(groups []Group, resume bool) {
	before := m.known[m.newest]
	for _, g := range groups {
		if g.Len() > 0 && g.Run == "" {
			m.plans[g.Experiment.Name] = g.Experiment.Digest
			resume = resume && before[g.Experiment.Name] == g.Experiment.Digest
		}
	}
	if resume && len(m.plans) > 0 {
		m.run, m.plans = m.newest, before
	}
}

// runOf returns the run that an experiment is measured in, which is the resumed one, or the new one if that is empty,
// with the plans of the run.
func (m *runNames) runOf(resumed string) (run string, plans map[string]string) {
	if resumed != "" {
		return resumed, m.known[resumed]
	}
	if m.run == "" {
		m.run = newRunID(time.Now(), m.newest)
		m.known[m.run] = m.plans
	}
	return m.run, m.plans
}

// runStamp is the first part of a run's name.
const runStamp = "20060102T150405Z"

// isAfter reports whether the time in the name of a run is later than at.
func isAfter(run string, at time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	begin, err := time.Parse(runStamp, stamp)
	return err == nil && begin.After(at)
}

// FromTheFuture returns, in order, the runs whose names are later than now because a clock was ahead. New runs do not
// follow them.
func FromTheFuture(records []*record.Record, now time.Time) []string {
	var runs []string
	for _, r := range records {
		if isAfter(r.Run, now.Add(record.ClockError)) {
			runs = append(runs, r.Run)
		}
	}
	slices.Sort(runs)
	return slices.Compact(runs)
}

// newRunID names a run: its start in UTC and four letters, which tell runs of several machines apart. Names sort by
// time, so a run that starts in the same second as the newest one is named a second later.
func newRunID(at time.Time, newest string) string {
	stamp, _, _ := strings.Cut(newest, "-")
	if last, err := time.Parse(runStamp, stamp); err == nil && !at.UTC().Truncate(time.Second).After(last) {
		at = last.Add(time.Second)
	}
	letters := make([]byte, 4)
	_, _ = rand.Read(letters) // it never fails
	for i := range letters {
		letters[i] = 'a' + letters[i]%26
	}
	return at.UTC().Format(runStamp) + "-" + string(letters)
}
