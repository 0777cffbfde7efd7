package runner

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/record"
)

// runNames says under which names one call of Run measures: all that it begins is one run.
type runNames struct {
	run   string            // its name; empty until the first experiment is prepared
	plans map[string]string // digests of the experiments that it is to measure, by their names

	newest string                       // run there is, of those that are not from the future
	known  map[string]map[string]string // plans of the runs that there are
}

// newRunNames begins one beside the records of an article on one host and in one profile.
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

// resume takes up the newest run in place of a new one, if it was to measure all that is to be begun, as that is
// planned now: it was stopped between two experiments.
func (m *runNames) resume() {
	before := m.known[m.newest]
	for name, digest := range m.plans {
		if before[name] != digest {
			return
		}
	}
	if len(m.plans) > 0 {
		m.run, m.plans = m.newest, before
	}
}

// runOf names the run that an experiment is measured in, the one that it goes on in or else the new one, and gives the
// plans of all that this run was to measure; of older runs they are not known.
func (m *runNames) runOf(goesOn string) (run string, plans map[string]string) {
	if goesOn != "" {
		return goesOn, m.known[goesOn]
	}
	if m.run == "" {
		m.run = newRunID(time.Now(), m.newest)
		m.known[m.run] = m.plans
	}
	return m.run, m.plans
}

// runStamp is the first part of a run's name.
const runStamp = "20060102T150405Z"

// isAfter says whether a run is named after a later time.
func isAfter(run string, at time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	begin, err := time.Parse(runStamp, stamp)
	return err == nil && begin.After(at)
}

// FromTheFuture names the runs that a wrong clock has named, in order: they are later than now, so that new runs do not
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
