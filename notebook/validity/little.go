package validity

import (
	"fmt"
	"math"
	"strconv"

	"benchbook/notebook/record"
)

// judgeLittle asks whether as many requests were under way, or clients thinking, as there are connections: ρ is 1 in
// a closed loop, up to what the ends of the time that it was taken over cut off. The generator computes ρ, since
// where requests are counted off only it knows what was under way.
//
// Source: docs/method.md#quantities-checked; Little 1961.
func judgeLittle(r *record.Record) finding {
	l := r.Load
	completions := l.Completed
	for _, n := range l.Completions {
		completions += n
	}
	answers, failures := r.Histograms["latency"], r.Histograms["latency.failed"]
	count, sum := answers.Count+failures.Count, answers.Sum+failures.Sum
	if mean, ok := r.Sample("latency.mean"); ok && count == 0 && l.Tool != "" {
		count, sum = 1, mean.Value // another tool than ours has told the mean and not what it is of
	}
	switch {
	case l.Completed < 0:
		return notChecked("the load generator does not report it")
	case completions == 0:
		return finding{level: Invalid, words: "no completions", size: math.Inf(1)}
	case l.InFlight < 0 || l.Window <= 0 || count == 0:
		return notChecked("the load generator does not report it")
	}
	e := cutOff(l, sum/float64(count))
	off, ok := math.Abs(l.InFlight-1), 0.05+e
	digits := 2
	for ; digits < 4 && off != ok && decimals(off, digits) == decimals(ok, digits); digits++ {
	}
	words := fmt.Sprintf("Little's law gives %s of the connections in use (ok within %s of 1)",
		decimals(l.InFlight, digits), decimals(ok, digits))
	return graded(off, ok, 0.10+e, true, words)
}

// cutOff is the share of ρ that the ends of the time that it is of may cut off, for a mean latency.
func cutOff(l *record.Load, latency float64) float64 {
	if over := l.InFlightOver; over > 0 && over < l.Window && l.Attempted > 0 {
		// Requests were counted off, and ρ is of the time up to the start of the last. A request that stalls mostly
		// does so after that: a mean latency with such stalls in it would let anything pass. So it is the mean time
		// that a request was under way within the time that ρ is of, and without the client's thinking.
		return max(0, l.InFlight*float64(l.Connections)/float64(l.Attempted)-l.Think/over)
	}
	return latency / l.Window
}

func decimals(x float64, n int) string { return strconv.FormatFloat(x, 'f', n, 64) }
