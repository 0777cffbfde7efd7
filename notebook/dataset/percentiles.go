package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// decoded is a histogram, or why it cannot be read.
type decoded struct {
	bars *record.Bars
	err  error
}

// decode decodes each histogram of the cell once.
func (c *Cell) decode(h record.Histogram) (*record.Bars, error) {
	d := c.decoded.Get(h.HDR, func() decoded {
		bars, err := h.Decode()
		return decoded{bars, err}
	})
	return d.bars, d.err
}

// distribution holds the times of one repetition, or of several pooled.
type distribution struct {
	bars      *record.Bars
	histogram record.Histogram
	attempts  int64 // answers and requests without one, which rank above all answers
}

// distributionOf pools the histograms of repetitions.
func distributionOf(family string, decode func(record.Histogram) (*record.Bars, error), records ...*record.Record) (
	d distribution, err error) {
	var all, cut []*record.Bars
	sum := &d.histogram
	sum.Min = math.Inf(1)
	for _, r := range records {
		h, ages := r.Histograms[family], r.Histograms[family+".cut"]
		bars, err := decode(h)
		if err != nil {
			return d, err
		}
		all = append(all, bars)
		if ages.Count > 0 {
			if bars, err = decode(ages); err != nil {
				return d, err
			}
			cut = append(cut, bars)
		}
		d.attempts += attemptsOf(r, family)
		sum.Count, sum.Overflow, sum.Sum = sum.Count+h.Count, sum.Overflow+h.Overflow, sum.Sum+h.Sum
		sum.Min, sum.Max = min(sum.Min, h.Min), max(sum.Max, h.Max)
	}
	if d.bars = record.SumBars(all); len(cut) > 0 {
		d.bars = d.bars.WithCut(record.SumBars(cut), d.attempts)
	}
	return d, nil
}

// markTail marks a percentile that the pooled repetitions do not confirm.
const markTail = "repetitions disagree in the tail"

// compareTail marks a percentile if that of all repetitions pooled lies outside its interval: a few repetitions then
// have most of the slow answers.
//
// Source: docs/method.md#across-repetitions.
func (c *Cell) compareTail(r *Result) {
	if !record.IsTime(r.Metric.Name) || len(r.Values) < stats.MinRepetitions {
		return
	}
	family, last := familyOf(r.Metric.Name)
	p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
	if err != nil {
		return // a mean
	}
	records := c.Validity().ValidFor(r.Metric.Name)
	if slices.ContainsFunc(records, func(r *record.Record) bool { return r.Histograms[family].Count == 0 }) {
		return
	}
	d, _ := distributionOf(family, c.decode, records...) // each can be read
	pooled, missing := d.bars.At(d.histogram, p.Rank(d.attempts))
	if missing == "" && !r.Estimate.Interval.Contains(pooled) {
		r.mark(markTail)
	}
}

// Percentiles is the distribution of a cell's times over all valid repetitions pooled, and how far they agree.
type Percentiles struct {
	Points   []PercentilePoint // ascending, from the smallest admissible time to the largest
	N        int               // repetitions
	Attempts int64             // behind all points: answers and requests without one, which rank above all answers
	End      string            // why Points end there: "needs …", "among failures"
}

// PercentilePoint is one percentile of a cell.
type PercentilePoint struct {
	Percent float64 // from 0 to below 100
	Pooled  float64 // of the answers of all repetitions pooled, in seconds

	// Estimate is over the percentiles of single repetitions, in seconds; its N is 0 if a repetition has none.
	Estimate stats.Estimate
}

// perNine is the number of points from one nine to the next, as from 99 % to 99.9 %.
const perNine = 16

// Percentiles returns the distribution of a family of times, such as "latency", or why it is missing. It covers the
// percentiles with at least ten attempts on each side.
//
// Source: docs/method.md#histogram, docs/method.md#percentiles, docs/method.md#across-repetitions and
// docs/method.md#one-cell.
func (c *Cell) Percentiles(family string) (Percentiles, string) {
	if r := c.Metric(family + ".p50"); r.isUnreadable(c) {
		return Percentiles{}, r.Missing
	}
	var each []distribution
	records := c.Validity().ValidFor(family + ".p50")
	for _, r := range records {
		h, ok := r.Histograms[family]
		switch {
		case !ok && r.Load != nil && r.Load.Tool != "":
			return Percentiles{}, "no histogram: " + r.Load.Tool + " tells single percentiles only"
		case !ok:
			return Percentiles{}, "no histogram of " + family + " was recorded"
		case h.Count == 0:
			return Percentiles{}, "no answers"
		}
		one, err := distributionOf(family, c.decode, r)
		if err != nil {
			return Percentiles{}, fmt.Sprintf("the histogram of repetition %d cannot be read", r.Repetition)
		}
		each = append(each, one)
	}
	pooled, _ := distributionOf(family, c.decode, records...) // each can be read
	return pooled.percentiles(each), ""
}

// isUnreadable reports whether the cell has no records from which to read the metric.
func (r Result) isUnreadable(c *Cell) bool {
	return len(c.Records) == 0 || r.Level == validity.Invalid || strings.HasPrefix(r.Missing, "failed")
}

// percentiles returns the percentiles of d, the pool of each, with estimates over the single repetitions.
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

// add appends the percentile that a share of attempts exceeds. It returns false if neither it nor a larger one exists.
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
		point.Estimate, _ = stats.Summarize(stats.Cell{Values: values, NonNegative: true}, stats.DefaultAlpha)
	}
	p.Points = append(p.Points, point)
	return true
}

// admits reports whether a percentile has at least ten attempts on each side, and so may be shown.
//
// Source: docs/method.md#percentiles.
func (d distribution) admits(tail float64) bool {
	const beyond = 10
	return float64(d.attempts)*min(tail, 1-tail) >= beyond*(1-1e-12)
}

// at returns the time that a share of attempts exceeds, or why it is missing.
func (d distribution) at(tail float64) (seconds float64, missing string) {
	rank := min(d.attempts, max(1, d.attempts-int64(math.Ceil(tail*float64(d.attempts)-0.5))))
	return d.bars.At(d.histogram, rank)
}

// BySecond lists the metrics that are recorded second by second.
var BySecond = []string{"throughput", "latency.mean"}

// Seconds is a metric within the repetitions of a cell, second by second.
type Seconds struct {
	Metric      record.Metric // of each second
	Repetitions []int         // numbers of the valid ones
	Values      [][]float64   // by repetition and whole second, in the metric's unit; NaN for a second without any
}

// Seconds returns a metric second by second, or why it is missing: throughput as completions, failed ones included, or
// the mean latency of each second's right answers.
//
// Source: docs/method.md#steady-state, which judges the same series.
func (c *Cell) Seconds(metric string) (Seconds, string) {
	out := Seconds{Metric: record.Metric{Name: metric, Unit: "1/s", Better: "higher", Title: "Completions"}}
	series := (*record.Load).CompletionsBySecond
	switch {
	case metric == "latency.mean":
		out.Metric = record.Metric{Name: "latency.mean", Unit: "s", Better: "lower", Title: "Mean latency"}
		series = (*record.Load).LatenciesBySecond
	case metric != "throughput":
		return out, fmt.Sprintf("a timeline shows %s: %s is not recorded by second", strings.Join(BySecond, " or "), metric)
	}
	if r := c.Metric("throughput"); r.isUnreadable(c) {
		return out, r.Missing
	}
	records := c.Validity().ValidFor("throughput")
	out.Repetitions = slice.Map(records, func(r *record.Record) int { return r.Repetition })
	for _, r := range records {
		if r.Load == nil {
			return out, "a command has no timeline: nothing is recorded by second"
		}
		values := series(r.Load)
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
		out.Values = append(out.Values, values)
	}
	return out, ""
}
