package dataset

import (
	"fmt"
	"math"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// percentile gives the percentile of one repetition's times, in seconds, or the reason why there is none. Attempts
// is how many there could have been: those without a value in the histogram rank above all that have one.
//
// Source: docs/method.md#histogram and docs/method.md#percentiles.
func percentile(decode decoder, h record.Histogram, p stats.Percentile, attempts int64) (seconds float64, missing string) {
	attempts = max(attempts, h.Count)
	if h.Count == 0 {
		return 0, "no answers"
	}
	if need := p.Need(); attempts < need {
		return 0, fmt.Sprintf("needs %d answers, has %d", need, attempts)
	}
	return valueAt(decode, h, p.Rank(attempts))
}

// valueAt is the value of a rank, counted from 1 for the smallest, and the reason if there is none.
func valueAt(decode decoder, h record.Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	decoded, err := decode(h)
	if err != nil {
		return 0, fmt.Sprintf("the histogram cannot be read: %v", err)
	}
	return decoded.at(h, rank)
}

// at is valueAt of a histogram that is decoded already.
func (d *bars) at(h record.Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	seen := int64(0)
	for _, bar := range d.list {
		if seen += bar.count; seen >= rank {
			// Buckets reach beyond the values in them; the ends are known exactly.
			return min(max(float64(bar.to)/1e9, h.Min), h.Max), ""
		}
	}
	return 0, fmt.Sprintf("> %g s", float64(d.highest)/1e9)
}

// tail compares a percentile with the answers that it is of. Of a single repetition it gives the interval within that, which says
// nothing of other repetitions and enters no claim. Of several it gives the percentile of all answers together, and a mark if that
// lies outside of the interval: then few repetitions have most of the slow answers.
//
// Source: docs/method.md#interval-within-one-repetition and docs/method.md#across-repetitions.
func (c *Cell) tail(r *Result, valid []bool) {
	if !isTime(r.Metric.Name) || len(r.Values) == 2 {
		return
	}
	family, last := familyOf(r.Metric.Name)
	p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
	if err != nil {
		return // a mean
	}
	var records []*record.Record
	for i, rec := range c.Records {
		if valid[i] {
			records = append(records, rec)
		}
	}
	decoded, all, attempts, ok := c.merged(records, family)
	if !ok {
		return
	}
	if len(r.Values) == 1 {
		ranks, err := p.RankInterval(attempts, stats.DefaultAlpha)
		if err != nil {
			return
		}
		within := stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
		if x, missing := decoded.at(all, ranks.Lo); ranks.Lo > 0 && missing == "" {
			within.Lo = x
		}
		if x, missing := decoded.at(all, ranks.Hi); ranks.Hi > 0 && missing == "" {
			within.Hi = x
		}
		r.Estimate.Interval, r.Estimate.Kind, r.Estimate.Coverage = within, stats.WithinRun, ranks.Coverage
		return
	}
	pooled, missing := decoded.at(all, p.Rank(attempts))
	if missing != "" {
		return
	}
	r.Pooled = &pooled
	if !r.Estimate.Interval.Contains(pooled) {
		r.Marks = append(r.Marks, markTail)
	}
}

// markTail is said of percentiles that the answers of all repetitions together do not bear out.
const markTail = "repetitions disagree in the tail"

// merged adds up the histograms of repetitions, and counts the attempts behind them. It is false if one has none that can be read.
func (c *Cell) merged(records []*record.Record, family string) (together *bars, all record.Histogram, attempts int64, ok bool) {
	all = record.Histogram{Min: math.Inf(1)}
	var decoded []*bars
	for _, r := range records {
		h := r.Histograms[family]
		if h.Count == 0 {
			return nil, all, 0, false
		}
		one, err := c.decode(h)
		if err != nil {
			return nil, all, 0, false
		}
		decoded = append(decoded, one)
		attempts += attemptsOf(r, family)
		all.Count, all.Overflow, all.Sum = all.Count+h.Count, all.Overflow+h.Overflow, all.Sum+h.Sum
		all.Min, all.Max = min(all.Min, h.Min), max(all.Max, h.Max)
	}
	return sum(decoded), all, attempts, len(records) > 0
}
