package record

// Stops says which trials were stopped by looks at budgeted runs.
type Stops map[stopped]stop

type stopped struct{ run, experiment, trial string }

type stop struct{ rounds, planned int }

// StoppedIn finds the trials that looks have stopped in the runs of some records, which are all of one article, host and profile. A look
// stands in the record of the last repetition of its round, whichever trial that is of.
func StoppedIn(records []*Record) Stops {
	out := Stops{}
	for _, r := range records {
		if r.Budget == nil || r.Budget.Look == nil {
			continue
		}
		for _, trial := range r.Budget.Look.Stopped {
			at := stopped{r.Run, r.Experiment, trial}
			if before, ok := out[at]; !ok || r.Budget.Look.Rounds < before.rounds {
				out[at] = stop{r.Budget.Look.Rounds, r.Planned}
			}
		}
	}
	return out
}

// Complete reports whether a run has all the repetitions of a trial that it has to have where so many are asked for: the first ones, and
// fewer of them if a look has stopped the trial in a run that had planned as many. Those beyond are in the place of some that the machine
// disturbed, and stand in for none.
func (s Stops) Complete(run, experiment, trial string, asked int, has func(repetition int) bool) bool {
	for k := 1; k <= s.needed(run, experiment, trial, asked); k++ {
		if !has(k) {
			return false
		}
	}
	return true
}

func (s Stops) needed(run, experiment, trial string, asked int) int {
	if stop, ok := s[stopped{run, experiment, trial}]; ok && stop.planned >= asked {
		return min(stop.rounds, asked)
	}
	return asked
}
