package record

import "cmp"

// Superseded picks the records of an article that nothing needs any more: those of older runs, but for what is kept in any case. Of
// every host, profile and experiment that is
//
//   - the newest run, whether it is finished or goes on another time;
//   - the last complete run of each month, which is its history;
//   - of each trial the newest complete set of repetitions, and the newest of those that present says are of the trial as it is
//     planned now: a run that measured what was stale measured nothing else;
//   - what was imported, since nobody here can measure it again.
//
// Source: FORMAT.md 10.
func Superseded(records []*Record, present func(*Record) bool) []*Record {
	type place struct{ host, profile, experiment string }
	type month struct {
		place
		month string
	}
	type set struct {
		place
		trial string
		fresh bool
	}
	type part struct { // what a run measured of a trial
		place
		run, trial, key string
	}
	newest, last := map[place]string{}, map[month]string{}
	complete, repetitions := map[set]part{}, map[part]map[int]bool{}
	of := func(r *Record) (place, part) {
		p := place{r.Host, r.Profile, r.Experiment}
		return p, part{p, r.Run, r.Trial, r.Key}
	}
	whole := completeRuns(records)
	for _, r := range records {
		p, c := of(r)
		newest[p] = max(newest[p], r.Run)
		if repetitions[c] == nil {
			repetitions[c] = map[int]bool{}
		}
		repetitions[c][r.Repetition] = true
		if whole[runOf{p.host, p.profile, p.experiment, r.Run}] {
			m := month{p, monthOf(r.Run)}
			last[m] = max(last[m], r.Run)
		}
	}
	for _, r := range records {
		p, c := of(r)
		if len(repetitions[c]) < r.Planned {
			continue
		}
		for _, s := range []set{{p, r.Trial, false}, {p, r.Trial, true}} {
			if (!s.fresh || present(r)) && r.Run >= complete[s].run {
				complete[s] = c
			}
		}
	}
	var out []*Record
	for _, r := range records {
		p, c := of(r)
		if r.Host != ImportedHost && r.Run != newest[p] && r.Run != last[month{p, monthOf(r.Run)}] &&
			c != complete[set{p, r.Trial, false}] && c != complete[set{p, r.Trial, true}] {
			out = append(out, r)
		}
	}
	return out
}

type runOf struct{ host, profile, experiment, run string }

// completeRuns are those that have all repetitions of all trials that they were planned with.
func completeRuns(records []*Record) map[runOf]bool {
	type repetition struct {
		trial string
		n     int
	}
	seen, planned := map[runOf]map[repetition]bool{}, map[runOf]int{}
	for _, r := range records {
		run := runOf{r.Host, r.Profile, r.Experiment, r.Run}
		if seen[run] == nil {
			seen[run] = map[repetition]bool{}
		}
		seen[run][repetition{r.Trial, r.Repetition}] = true
		planned[run] = cmp.Or(r.Order.Of, planned[run])
	}
	out := map[runOf]bool{}
	for run, list := range seen {
		out[run] = planned[run] > 0 && len(list) >= planned[run]
	}
	return out
}

// monthOf is the year and month that a run is named after.
func monthOf(run string) string { return run[:min(6, len(run))] }
