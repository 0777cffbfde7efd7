package dataset

import (
	"fmt"
	"math"

	"benchbook/notebook/record"
)

// lookAtLittle asks whether as many requests were under way, or clients thinking, as there are connections: ρ is 1 in a
// closed loop, up to what the ends of the time that it was taken over cut off. The generator computes ρ, since where requests
// are counted off only it knows what was under way.
//
// Source: METHOD.md 7; Little 1961.
func lookAtLittle(r *record.Record) finding {
	l := r.Load
	completions := l.Completed
	for _, n := range l.Completions {
		completions += n
	}
	answers, failures := r.Histograms["latency"], r.Histograms["latency.failed"]
	count := answers.Count + failures.Count
	switch {
	case completions == 0:
		return finding{level: Invalid, words: "no completions", size: math.Inf(1)}
	case l.InFlight < 0 || l.Window <= 0 || count == 0:
		return notChecked("the load generator does not tell")
	}
	over := l.InFlightOver
	if over <= 0 {
		over = l.Window // where it was not cut short, as with requests
	}
	e := (answers.Sum + failures.Sum) / float64(count) / over
	words := fmt.Sprintf("Little's law gives %.2f of the connections in use", l.InFlight)
	return graded(math.Abs(l.InFlight-1), 0.05+e, 0.10+e, true, words)
}
