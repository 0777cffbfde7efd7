package record

import (
	"cmp"
	"strings"
)

// Superseded picks the records of an article that nothing needs any more: those of older runs, but for what is kept in
// any case. Of every host, profile and experiment that is
//
//   - the newest run, whether it is finished or goes on another time;
//   - the last complete run of each month, which is its history; of runs that search for capacities, which do not say
//     how many trials they have, the last one of those that found the most;
//   - of each trial the newest complete set of repetitions, and the newest of those that present says are of the trial
//     as it is planned now: a run that measured what was stale measured nothing else;
//   - likewise of each search the newest that has a result, and the newest for every set of repetitions that stays:
//     searches are not made again with the repetitions that were measured with what they found, so they may stand in an
//     older run;
//   - of a run that something stays of the lists, in whichever records they are, and the A/A pair, which is the noise
//     floor of what stays;
//   - what was imported, since nobody here can measure it again.
//
// Source: docs/command.md#gc.
func Superseded(records []*Record, present func(*Record) bool) []*Record {
	k := newKeeper(records, present)
	measured := map[version]bool{} // of repetitions that stay
	for _, r := range records {
		if r.Search == nil && k.stays(r) {
			measured[versionOf(r)] = true
		}
	}
	kept, left := make([]bool, len(records)), map[runOf]bool{} // left: runs that something stays of
	for i, r := range records {
		own, v := partOf(r), versionOf(r)
		run := runOf{v.place, r.Run}
		kept[i] = k.stays(r) || r.Search != nil && measured[v] && own == k.found[searchedFor{v, own.search}]
		left[run] = left[run] || kept[i]
	}
	pairs := pairsIn(records)
	var out []*Record
	for i, r := range records {
		run := runOf{placeOf(r), r.Run}
		needed := len(r.Lists) > 0 || r.Search == nil && pairs[trialOf{run, parameters(r)}]
		if !kept[i] && !(needed && left[run]) {
			out = append(out, r)
		}
	}
	return out
}

// A keeper knows which records stay for what they are, whatever others need of them.
type keeper struct {
	newest   map[place]string
	history  map[runOf]bool
	complete map[set]part         // the newest complete ones
	found    map[searchedFor]part // the newest searches that have a result
}

type (
	// A set is all repetitions of a trial, or a search of one.
	set struct {
		place
		trial, search string
		fresh         bool // of the trial as it is planned now
	}
	version struct {
		place
		trial, key string
	}
	searchedFor struct {
		version
		search string
	}
)

func versionOf(r *Record) version { return version{placeOf(r), r.Trial, r.Key} }

func newKeeper(records []*Record, present func(*Record) bool) keeper {
	k := keeper{map[place]string{}, lastOfMonths(records), map[set]part{}, map[searchedFor]part{}}
	repetitions := map[part]map[int]bool{}
	for _, r := range records {
		p, own := placeOf(r), partOf(r)
		k.newest[p] = max(k.newest[p], r.Run)
		if repetitions[own] == nil {
			repetitions[own] = map[int]bool{}
		}
		repetitions[own][r.Repetition] = true
	}
	for _, r := range records {
		own := partOf(r)
		isComplete := r.Search != nil && r.Search.hasResult() || r.Search == nil &&
			HasLeast(r.Least(), func(n int) bool { return repetitions[own][n] })
		if !isComplete {
			continue
		}
		for _, s := range setsOf(r) {
			if (!s.fresh || present(r)) && r.Run >= k.complete[s].run {
				k.complete[s] = own
			}
		}
		if s := (searchedFor{versionOf(r), own.search}); r.Search != nil && r.Run >= k.found[s].run {
			k.found[s] = own
		}
	}
	return k
}

func setsOf(r *Record) [2]set {
	s := set{placeOf(r), r.Trial, partOf(r).search, false}
	fresh := s
	fresh.fresh = true
	return [2]set{s, fresh}
}

func (k keeper) stays(r *Record) bool {
	p, own := placeOf(r), partOf(r)
	sets := setsOf(r)
	return r.Host == ImportedHost || r.Run == k.newest[p] || k.history[runOf{p, r.Run}] || own == k.complete[sets[0]] ||
		own == k.complete[sets[1]]
}

// pairsIn are the trials that have a second half.
func pairsIn(records []*Record) map[trialOf]bool {
	pairs := map[trialOf]bool{}
	for _, r := range records {
		if r.Calibration {
			pairs[trialOf{runOf{placeOf(r), r.Run}, parameters(r)}] = true
		}
	}
	return pairs
}

// A trialOf is a trial of a run, both halves of the A/A pair alike.
type trialOf struct {
	runOf
	parameters string
}

func parameters(r *Record) string {
	var b strings.Builder
	for _, p := range r.Parameters {
		b.WriteString(p.Name + "\x00" + p.Value + "\x00")
	}
	return b.String()
}

type place struct{ host, profile, experiment string }

func placeOf(r *Record) place { return place{r.Host, r.Profile, r.Experiment} }

type runOf struct {
	place
	run string
}

// A part is what a run measured of a trial, or what it searched for.
type part struct {
	place
	run, trial, key string
	search          string // kind and name; empty for repetitions
}

func partOf(r *Record) part {
	own := part{place: placeOf(r), run: r.Run, trial: r.Trial, key: r.Key}
	if r.Search != nil {
		own.search = r.Search.Kind + " " + r.Search.Name
	}
	return own
}

// hasResult reports whether a search need not be made anew for its results.
func (s *Search) hasResult() bool {
	if s.Kind == SearchTune {
		return s.Chosen > 0
	}
	return !s.Busy
}

// lastOfMonths are the last complete runs of each month.
func lastOfMonths(records []*Record) map[runOf]bool {
	type month struct {
		place
		month string
	}
	// runs are named after their start
	of := func(run runOf) month { return month{run.place, run.run[:min(6, len(run.run))]} }
	last := map[month]string{}
	for run := range completeRuns(records) {
		last[of(run)] = max(last[of(run)], run.run)
	}
	capacities := map[runOf]int{}
	for _, r := range records {
		if r.Search != nil && r.Search.Kind == SearchCapacity && r.Search.hasResult() {
			capacities[runOf{placeOf(r), r.Run}]++
		}
	}
	most := map[month]runOf{}
	for run, n := range capacities {
		m := of(run)
		if before := most[m]; n > capacities[before] || n == capacities[before] && run.run > before.run {
			most[m] = run
		}
	}
	out := map[runOf]bool{}
	for m, run := range last {
		out[runOf{m.place, run}] = true
	}
	for _, run := range most {
		out[run] = true
	}
	return out
}

// completeRuns are those that have all repetitions of all trials that they were planned with, but for those after their
// first look, which may have made them needless.
func completeRuns(records []*Record) map[runOf]bool {
	type repetition struct {
		trial string
		n     int
	}
	seen, needless, planned := map[runOf]map[repetition]bool{}, map[runOf]map[string]int{}, map[runOf]int{}
	for _, r := range records {
		if r.Search != nil {
			continue // it stands beside the repetitions
		}
		run := runOf{placeOf(r), r.Run}
		if seen[run] == nil {
			seen[run], needless[run] = map[repetition]bool{}, map[string]int{}
		}
		needed := r.Least()
		needless[run][r.Trial] = r.Planned - needed
		if r.Repetition <= needed { // others are in the place of some that were disturbed
			seen[run][repetition{r.Trial, r.Repetition}] = true
		}
		planned[run] = cmp.Or(r.Order.Of, planned[run])
	}
	out := map[runOf]bool{}
	for run, list := range seen {
		have := len(list)
		for _, n := range needless[run] {
			have += n
		}
		if planned[run] > 0 && have >= planned[run] {
			out[run] = true
		}
	}
	return out
}
