package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// lookAtOffered asks whether the generator sent what the schedule of an open loop asked for.
//
// Source: docs/validity.md#checks.
func lookAtOffered(r *record.Record) finding {
	l := r.Load.Open
	if l.Due == 0 {
		return finding{level: Invalid, words: "nothing was due", size: math.Inf(1)}
	}
	short := float64(l.Due-l.Sent) / float64(l.Due)
	return graded(short, 0.01, 0.05, true, percentBeside(1-short, 0.99, 0.95)+" of the schedule was sent")
}

// lookAtLag asks whether the requests of an open loop left in time: the percentile 99 of their delay may be 5 % of that of the
// latency, or a millisecond.
//
// Source: docs/validity.md#checks.
func lookAtLag(r *record.Record) finding {
	p99, err := stats.ParsePercentile("99")
	if err != nil {
		panic(err) // it is one
	}
	at := func(family string) float64 {
		h, ok := r.Histograms[family]
		if !ok || h.Count == 0 {
			return -1
		}
		// Also of few requests: here it only sets a limit.
		x, missing := valueAt(decode, h, p99.Rank(h.Count))
		if missing != "" {
			return -1
		}
		return x
	}
	lag := at("lag")
	if lag < 0 {
		return notChecked("the load generator does not tell")
	}
	limit := max(time.Millisecond.Seconds(), 0.05*at("latency"))
	return graded(lag, limit, 2*limit, true, fmt.Sprintf("requests left %s late at the percentile 99 (ok up to %s)",
		duration(lag), duration(limit)))
}

// duration is a time in the words of a page: "4.29 ms".
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	unit, name := time.Nanosecond, "ns"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	case d >= time.Microsecond:
		unit, name = time.Microsecond, "µs"
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(float64(d)/float64(unit), 'f', 2, 64), "0"), ".") + " " + name
}

// RateGives reports whether the rate of an open loop gave the cell its value of a metric: its throughput, where it answered what was
// due. Such values differ by how requests fall into a window, so they make no cell better than another one.
func (c *Cell) RateGives(metric string) bool {
	if metric != "throughput" {
		return false
	}
	valid, given := c.assess(metric).valid, false
	for i, r := range c.Records {
		if !valid[i] {
			continue
		}
		if !isOpenLoop(r) || r.Load.Open.Due == 0 || float64(r.Load.Completed) < keepsUp*float64(r.Load.Open.Due) {
			return false
		}
		given = true
	}
	return given
}

// rateGivesAll is RateGives of all cells; false of none.
func rateGivesAll(cells []*Cell, metric string) bool {
	return len(cells) > 0 && !slices.ContainsFunc(cells, func(c *Cell) bool { return !c.RateGives(metric) })
}

// overloaded says in how many repetitions of an open loop the services did not keep up with what was sent, which is a result and
// no fault; empty if they did in all.
//
// Source: docs/validity.md#checks.
func (c *Cell) overloaded() string {
	n, worst := 0, 1.0
	for _, r := range c.Records {
		if r.Failure != "" || !isOpenLoop(r) || r.Load.Open.Sent == 0 {
			continue
		}
		if share := float64(r.Load.Completed) / float64(r.Load.Open.Sent); share < keepsUp {
			n, worst = n+1, min(worst, share)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("overloaded in %d of %d repetitions: %s of what was sent was answered in time", n, len(c.Records), percentBeside(worst, keepsUp))
}
