package dataset

import (
	"fmt"
	"math"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Percentiles is how the times of a cell are distributed: those of all valid repetitions together, and how far the repetitions
// agree.
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

// Percentiles gives the distribution of a family of times, such as "latency", or the reason why there is none: the cell was
// not measured, is not valid, or what drove it tells single percentiles only. It goes from the first percentile to the last
// of which ten attempts lie beyond.
//
// Source: docs/method.md#histogram, docs/method.md#percentiles, docs/method.md#across-repetitions and
// docs/method.md#one-cell.
func (c *Cell) Percentiles(family string) (Percentiles, string) {
	if r := c.Metric(family + ".p50"); len(c.Records) == 0 || r.Level == Invalid || strings.HasPrefix(r.Missing, "failed") ||
		strings.HasPrefix(r.Missing, "unavailable") {
		return Percentiles{}, r.Missing
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	valid := c.assess(family + ".p50").valid
	var each []repetitionTimes
	var records []*record.Record
	for i, r := range c.Records {
		if !valid[i] {
			continue
		}
		h, ok := r.Histograms[family]
		switch {
		case !ok && r.Load != nil && r.Load.Tool != "":
			return Percentiles{}, "no histogram: " + r.Load.Tool + " tells single percentiles only"
		case !ok:
			return Percentiles{}, "no histogram of " + family + " was recorded"
		case h.Count == 0:
			return Percentiles{}, "no answers"
		}
		decoded, err := c.decode(h)
		if err != nil {
			return Percentiles{}, fmt.Sprintf("the histogram of repetition %d cannot be read: %v", r.Repetition, err)
		}
		each = append(each, repetitionTimes{decoded, h, max(attemptsOf(r, family), h.Count)})
		records = append(records, r)
	}
	decoded, all, attempts, ok := c.merged(records, family)
	if !ok {
		return Percentiles{}, "no histogram of " + family + " was recorded"
	}
	pooled := repetitionTimes{decoded, all, max(attempts, all.Count)}
	return pooled.percentiles(each), ""
}

// repetitionTimes is the distribution of one repetition, or of all together.
type repetitionTimes struct {
	*bars
	histogram record.Histogram
	attempts  int64
}

// percentiles makes the points of a cell out of those of its repetitions.
func (t repetitionTimes) percentiles(each []repetitionTimes) Percentiles {
	out := Percentiles{N: len(each), Attempts: t.attempts}
	walks := make([]walk, len(each))
	for i, one := range each {
		walks[i].repetitionTimes = one
	}
	whole := walk{repetitionTimes: t}
	const half = .5
	for i, tail := 0, 1.0; ; i++ {
		before := tail
		tail = math.Pow(10, -float64(i)/perNine) // the share of slower attempts
		if before > half && tail < half && !out.add(&whole, walks, half) || !out.add(&whole, walks, tail) {
			return out
		}
	}
}

// add adds the percentile that a share of attempts exceeds. It reports false if there is none, nor any further one.
func (p *Percentiles) add(whole *walk, walks []walk, tail float64) bool {
	if !whole.admits(tail) {
		if tail > .5 {
			return true // there are too few below it
		}
		p.End = fmt.Sprintf("needs more than %d answers", p.Attempts)
		return false
	}
	seconds, missing := whole.at(tail)
	if missing != "" {
		p.End = missing
		return false
	}
	point := PercentilePoint{Percent: 100 * (1 - tail), Pooled: seconds}
	var values []float64
	for k := range walks {
		if v, missing := walks[k].at(tail); walks[k].admits(tail) && missing == "" {
			values = append(values, v)
		}
	}
	if len(values) == len(walks) {
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
func (w *walk) admits(tail float64) bool {
	const beyond = 10
	return float64(w.attempts)*min(tail, 1-tail) >= beyond*(1-1e-12)
}

// walk goes through a distribution once, from small to large.
type walk struct {
	repetitionTimes
	next int   // bar
	seen int64 // values in the bars before it
}

// at is the time that a share of attempts exceeds; shares descend from call to call.
func (w *walk) at(tail float64) (seconds float64, missing string) {
	rank := min(w.attempts, max(1, w.attempts-int64(math.Ceil(tail*float64(w.attempts)-0.5))))
	if rank > w.histogram.Count {
		return 0, "among failures"
	}
	for w.next < len(w.list) && w.seen+w.list[w.next].count < rank {
		w.seen += w.list[w.next].count
		w.next++
	}
	if w.next == len(w.list) {
		return 0, fmt.Sprintf("> %g s", float64(w.highest)/1e9)
	}
	return min(max(float64(w.list[w.next].to)/1e9, w.histogram.Min), w.histogram.Max), ""
}
