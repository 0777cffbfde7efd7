package dataset

import (
	"fmt"
	"math"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Percentiles is how the times of a cell are distributed: those of all valid repetitions together, and how far the
// repetitions agree.
type Percentiles struct {
	Points   []PercentilePoint // ascending, from the smallest time that is admissible to the largest
	N        int               // repetitions
	Attempts int64             // behind all points: answers and requests without one, which rank above all answers
	End      string            // why there is no larger percentile: "needs …", "among failures"
}

// PercentilePoint is one percentile of a cell.
type PercentilePoint struct {
	Percent float64 // from 0 to below 100
	Pooled  float64 // of the answers of all repetitions together, in seconds

	// Estimate is that of the percentiles of single repetitions, in seconds; its N is 0 where one of them has none.
	Estimate stats.Estimate
}

// perNine is how many percentiles are taken for each further nine.
const perNine = 16

// Percentiles gives the distribution of a family of times, such as "latency", or the reason why there is none: the
// cell was not measured, is not valid, or what drove it tells single percentiles only. It goes from the first
// percentile to the last of which ten attempts lie beyond.
//
// Source: docs/method.md#histogram, docs/method.md#percentiles, docs/method.md#across-repetitions and
// docs/method.md#one-cell.
func (c *Cell) Percentiles(family string) (Percentiles, string) {
	if r := c.Metric(family + ".p50"); r.isUnreadable(c) {
		return Percentiles{}, r.Missing
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var each []distribution
	var records []*record.Record
	for _, r := range c.Validity().ValidFor(family + ".p50") {
		h, ok := r.Histograms[family]
		switch {
		case !ok && r.Load != nil && r.Load.Tool != "":
			return Percentiles{}, "no histogram: " + r.Load.Tool + " tells single percentiles only"
		case !ok:
			return Percentiles{}, "no histogram of " + family + " was recorded"
		case h.Count == 0:
			return Percentiles{}, "no answers"
		}
		decoded, _, attempts, ok := c.merged([]*record.Record{r}, family)
		if !ok {
			return Percentiles{}, fmt.Sprintf("the histogram of repetition %d cannot be read", r.Repetition)
		}
		each = append(each, distribution{decoded, h, attempts})
		records = append(records, r)
	}
	decoded, all, attempts, ok := c.merged(records, family)
	if !ok {
		return Percentiles{}, "no histogram of " + family + " was recorded"
	}
	pooled := distribution{decoded, all, max(attempts, all.Count)}
	return pooled.percentiles(each), ""
}

// isUnreadable says that the cell has no records that the metric, or what it is made of, could be read from.
func (r Result) isUnreadable(c *Cell) bool {
	return len(c.Records) == 0 || r.Level == validity.Invalid || strings.HasPrefix(r.Missing, "failed") ||
		strings.HasPrefix(r.Missing, "unavailable")
}

// A distribution is that of the times of one repetition, or of all together.
type distribution struct {
	bars      *record.Bars
	histogram record.Histogram
	attempts  int64
}

// percentiles makes the points of a cell out of those of its repetitions.
func (d distribution) percentiles(each []distribution) Percentiles {
	out := Percentiles{N: len(each), Attempts: d.attempts}
	const half = .5
	for i, tail := 0, 1.0; ; i++ {
		before := tail
		tail = math.Pow(10, -float64(i)/perNine) // the share of slower attempts
		if before > half && tail < half && !out.add(d, each, half) || !out.add(d, each, tail) {
			return out
		}
	}
}

// add adds the percentile that a share of attempts exceeds. It reports false if there is none, nor any further one.
func (p *Percentiles) add(pooled distribution, each []distribution, tail float64) bool {
	if !pooled.admits(tail) {
		if tail > .5 {
			return true // there are too few below it
		}
		p.End = fmt.Sprintf("needs more than %d answers", p.Attempts)
		return false
	}
	seconds, missing := pooled.at(tail)
	if missing != "" {
		p.End = missing
		return false
	}
	point := PercentilePoint{Percent: 100 * (1 - tail), Pooled: seconds}
	var values []float64
	for _, one := range each {
		if v, missing := one.at(tail); one.admits(tail) && missing == "" {
			values = append(values, v)
		}
	}
	if len(values) == len(each) {
		if e, err := stats.Summarize(stats.Cell{Values: values, NonNegative: true}, stats.DefaultAlpha); err == nil {
			point.Estimate = e
		}
	}
	p.Points = append(p.Points, point)
	return true
}

// admits tells whether enough attempts lie beyond a percentile, on its nearer side, to show it.
//
// Source: docs/method.md#percentiles.
func (d distribution) admits(tail float64) bool {
	const beyond = 10
	return float64(d.attempts)*min(tail, 1-tail) >= beyond*(1-1e-12)
}

// at is the time that a share of attempts exceeds.
func (d distribution) at(tail float64) (seconds float64, missing string) {
	rank := min(d.attempts, max(1, d.attempts-int64(math.Ceil(tail*float64(d.attempts)-0.5))))
	return d.bars.At(d.histogram, rank)
}

// Seconds is what went on within the repetitions of a cell, second by second.
type Seconds struct {
	Metric      record.Metric // what is given of each second
	Repetitions []int         // by number, those that are valid
	Values      [][]float64   // by repetition and second of the window, in the metric's unit; NaN for a second without any
}

// Seconds gives the course of a metric within the repetitions of a cell, or the reason why there is none. Of
// throughput that is completions, right or failed, and of any latency the mean of each second's right answers. The
// last second is left out where it is not a whole one.
//
// Source: docs/method.md#steady-state, which judges the same series.
func (c *Cell) Seconds(metric string) (Seconds, string) {
	out := Seconds{Metric: record.Metric{Name: metric, Unit: "1/s", Better: "higher", Title: "Completions"}}
	mean := strings.HasPrefix(metric, "latency.")
	switch {
	case mean:
		out.Metric = record.Metric{Name: "latency.mean", Unit: "s", Better: "lower", Title: "Mean latency"}
	case metric != "throughput":
		return out, fmt.Sprintf("a timeline shows throughput or latency.mean: %s is not recorded by second", metric)
	}
	if r := c.Metric("throughput"); r.isUnreadable(c) {
		return out, r.Missing
	}
	for _, r := range c.Validity().ValidFor("throughput") {
		if r.Load == nil {
			return out, "a command has no timeline: nothing is recorded by second"
		}
		values := r.Load.CompletionsBySecond()
		if mean {
			values = r.Load.LatenciesBySecond()
		}
		switch whole := int(r.Load.Window); {
		case len(values) == 0 && r.Load.Tool != "":
			return out, "not recorded by second: " + r.Load.Tool + " does not report it"
		case len(values) == 0:
			return out, "not recorded by second"
		case whole == 0:
			return out, "the window is shorter than a second"
		case len(values) > whole:
			values = values[:whole]
		}
		out.Repetitions = append(out.Repetitions, r.Repetition)
		out.Values = append(out.Values, values)
	}
	return out, ""
}
