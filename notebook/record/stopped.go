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

// Needed is how many repetitions a trial has to have in a run to be complete where so many are asked for: fewer, if a look has stopped
// it in a run that had planned as many.
func (s Stops) Needed(run, experiment, trial string, asked int) int {
	if stop, ok := s[stopped{run, experiment, trial}]; ok && stop.planned >= asked {
		return min(stop.rounds, asked)
	}
	return asked
}
