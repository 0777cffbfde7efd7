package validity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"benchbook/notebook/record"
)

// readLittle grades how far ρ, the share of connections with a request under way or a thinking client, is from 1. In a
// closed loop it is 1, up to what the ends of the observed time cut off.
//
// Source: docs/method.md#quantities-checked; Little 1961.
func readLittle(r repetition) finding {
	switch {
	case r.Load.Completed < 0:
		return notReported
	case ended(r.Load) == 0:
		return limits{}.find(math.Inf(1), "no completions")
	}
	shares, latency := inFlight(r.Record)
	if len(shares) == 0 {
		return notReported
	}
	share := slices.MaxFunc(shares, func(a, b float64) int { return cmp.Compare(math.Abs(a-1), math.Abs(b-1)) })
	e := cutOff(r.Load, latency)
	off, ok, digits := math.Abs(share-1), 0.05+e, 2
	for ; digits < 4 && off != ok && decimals(off, digits) == decimals(ok, digits); digits++ {
	}
	return limits{ok, 0.10 + e}.find(off, fmt.Sprintf("Little's law gives %s of the connections in use (ok within %s of "+
		"1)", decimals(share, digits), decimals(ok, digits)))
}

// ended returns how many requests ended in the window, right or failed.
func ended(l *record.Load) (n float64) {
	if l.Tool != "" {
		return float64(max(l.Attempted, l.Completed))
	}
	for _, second := range l.CompletionsBySecond() {
		n += second
	}
	if n == 0 {
		return float64(l.Completed) // the record has no series of completions
	}
	return n
}

// inFlight computes ρ in each way that the record allows, and the mean time of a request in seconds. It returns none if
// the law does not apply. The generator's own ρ is used only if requests were counted off, as nothing else says what
// was under way; the times of requests then bound it.
//
// Source: docs/method.md#quantities-checked.
func inFlight(r *record.Record) (shares []float64, latency float64) {
	l := r.Load
	answers, failures := r.Histograms["latency"], r.Histograms["latency.failed"]
	count, sum := float64(answers.Count+failures.Count), answers.Sum+failures.Sum
	if mean, ok := r.Sample("latency.mean"); ok && count == 0 && l.Tool != "" {
		count, sum = ended(l), mean.Value*ended(l) // the tool reports only the mean
	}
	if l.InFlight < 0 || l.Window <= 0 || l.Connections <= 0 || count <= 0 {
		return nil, 0
	}
	latency = sum / count
	clients := float64(l.Connections)
	switch over := l.InFlightOver; {
	case over > 0 && over < l.Window:
		most := sum + count*l.Think
		least := most - clients*(l.Window-over+l.Think)
		most += max(0, ended(l)-count) * (max(answers.Max, failures.Max) + l.Think) // begun in the warm-up
		return []float64{min(max(l.InFlight, least/over/clients), most/over/clients)}, latency
	case l.Overlap != nil:
		requests := l.Overlap.Right + l.Overlap.Failed
		return []float64{(l.Overlap.Time + requests*l.Think) / l.Window / clients,
			requests * (latency + l.Think) / l.Window / clients}, latency
	}
	return []float64{ended(l) * (latency + l.Think) / l.Window / clients}, latency
}

// cutOff returns the share of ρ that the ends of the observed time may cut off, for a mean latency in seconds.
func cutOff(l *record.Load, latency float64) float64 {
	if over := l.InFlightOver; over > 0 && over < l.Window && l.Attempted > 0 {
		// Requests were counted off, and ρ ends at the start of the last. Stalls of a request are mostly after that,
		// so a mean latency that includes them would let anything pass. This is the mean time that a request was
		// under way within the observed time, without the client's thinking.
		return max(0, l.InFlight*float64(l.Connections)/float64(l.Attempted)-l.Think/over)
	}
	return latency / l.Window
}

func decimals(x float64, n int) string { return strconv.FormatFloat(x, 'f', n, 64) }
