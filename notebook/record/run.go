package record

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A Run is what was measured of an article in one go, on one host and in one profile. One that was stopped and went on
// later is one.
//
// Records name their run. In those without Plans each experiment was a run of its own: such runs make up one Run if
// they follow each other, measure no experiment twice, and no more than an hour lies between two of them.
type Run struct {
	Article, Host, Profile string
	Names                  []string  // in order; of records with Plans there is one
	Experiments            []string  // that were measured, by name
	Started                time.Time // of the first repetition
	Ended                  time.Time // of the last one
	Records                []*Record

	older bool // they have no Plans
}

// betweenExperiments is how long after the end of one experiment the next may have begun in one go: images were built
// in between, and services were loaded.
const betweenExperiments = time.Hour

// Name is what the run is known by: the last of its names, so that no record of it is of a later one.
func (r *Run) Name() string { return r.Names[len(r.Names)-1] }

// Has reports whether this is one of its names.
func (r *Run) Has(name string) bool { return slices.Contains(r.Names, name) }

// Runs finds the runs that records are of, the newest first.
func Runs(records []*Record) []*Run {
	type id struct{ article, host, profile, name string }
	byName := map[id]*Run{}
	for _, r := range records {
		at := id{r.Article, r.Host, r.Profile, r.Run}
		if byName[at] == nil {
			byName[at] = &Run{Article: r.Article, Host: r.Host, Profile: r.Profile, Names: []string{r.Run}, older: true}
		}
		byName[at].add(r)
	}
	var out []*Run
	for _, at := range slices.SortedFunc(maps.Keys(byName), func(a, b id) int {
		return cmp.Or(cmp.Compare(a.article, b.article), cmp.Compare(a.host, b.host), cmp.Compare(a.profile, b.profile),
			cmp.Compare(a.name, b.name))
	}) {
		next := byName[at]
		if n := len(out); n > 0 && out[n-1].goesOnWith(next) {
			out[n-1].join(next)
			continue
		}
		out = append(out, next)
	}
	slices.SortStableFunc(out, func(a, b *Run) int { return cmp.Compare(b.Name(), a.Name()) })
	return out
}

func (r *Run) add(rec *Record) {
	r.Records = append(r.Records, rec)
	r.older = r.older && rec.Plans == nil
	if i, found := slices.BinarySearch(r.Experiments, rec.Experiment); !found {
		r.Experiments = slices.Insert(r.Experiments, i, rec.Experiment)
	}
	if r.Started.IsZero() || rec.Started.Before(r.Started) {
		r.Started = rec.Started
	}
	if rec.Ended.After(r.Ended) {
		r.Ended = rec.Ended
	}
}

// goesOnWith reports whether next, the run that follows in order, was measured in one go with r.
func (r *Run) goesOnWith(next *Run) bool {
	return r.older && next.older && r.Article == next.Article && r.Host == next.Host && r.Profile == next.Profile &&
		next.Started.Sub(r.Ended) <= betweenExperiments &&
		!slices.ContainsFunc(next.Experiments, func(e string) bool { return slices.Contains(r.Experiments, e) })
}

func (r *Run) join(next *Run) {
	r.Names = append(r.Names, next.Names...)
	for _, rec := range next.Records {
		r.add(rec)
	}
}

// RunNames lists the names of the run that has this one, with those of the experiments that were measured in one go
// with it. A name that no record has stands alone.
func RunNames(records []*Record, name string) []string {
	for _, r := range Runs(records) {
		if r.Has(name) {
			return r.Names
		}
	}
	return []string{name}
}

// Least is how many repetitions of the trial make a run whole, if no claim asks for more: those up to its first look.
// Repetitions beyond them may be missing, if what they are about was decided.
//
// Source: docs/method.md#number-of-looks.
func (r *Record) Least() int {
	if len(r.Looks) > 0 {
		return r.Looks[0]
	}
	return r.Planned
}

// HasLeast reports whether a run has all the repetitions of a trial that it has to have at least.
func HasLeast(least int, has func(repetition int) bool) bool {
	for k := 1; k <= least; k++ {
		if !has(k) {
			return false
		}
	}
	return true
}
