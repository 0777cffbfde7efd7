package dataset

import (
	"fmt"
	"math"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// percentile gives the percentile of one repetition's times, in seconds, or the reason why there is none. Attempts
// is how many there could have been: those without a value in the histogram rank above all that have one.
//
// Source: METHOD.md 1.1 and 1.2.
func percentile(h record.Histogram, p stats.Percentile, attempts int64) (seconds float64, missing string) {
	attempts = max(attempts, h.Count)
	if h.Count == 0 {
		return 0, "no answers"
	}
	if need := p.Need(); attempts < need {
		return 0, fmt.Sprintf("needs %d answers, has %d", need, attempts)
	}
	return valueAt(h, p.Rank(attempts))
}

// valueAt is the value of a rank, counted from 1 for the smallest, and the reason if there is none.
func valueAt(h record.Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	decoded, err := hdrhistogram.Decode([]byte(h.HDR))
	if err != nil {
		return 0, fmt.Sprintf("the histogram cannot be read: %v", err)
	}
	return atRank(decoded, h, rank)
}

// atRank is valueAt of a histogram that is decoded already.
func atRank(decoded *hdrhistogram.Histogram, h record.Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	seen := int64(0)
	for _, bar := range decoded.Distribution() {
		if seen += bar.Count; seen >= rank {
			// Buckets reach beyond the values in them; the ends are known exactly.
			return min(max(float64(bar.To)/1e9, h.Min), h.Max), ""
		}
	}
	return 0, fmt.Sprintf("> %g s", float64(decoded.HighestTrackableValue())/1e9)
}

// tail compares a percentile with the answers that it is of. Of a single repetition it gives the interval within that, which says
// nothing of other repetitions and enters no claim. Of several it gives the percentile of all answers together, and a mark if that
// lies outside of the interval: then few repetitions have most of the slow answers.
//
// Source: METHOD.md 1.3 and 1.4.
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
	decoded, all, attempts, ok := merged(records, family)
	if !ok {
		return
	}
	if len(r.Values) == 1 {
		ranks, err := p.RankInterval(attempts, stats.DefaultAlpha)
		if err != nil {
			return
		}
		within := stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
		if x, missing := atRank(decoded, all, ranks.Lo); ranks.Lo > 0 && missing == "" {
			within.Lo = x
		}
		if x, missing := atRank(decoded, all, ranks.Hi); ranks.Hi > 0 && missing == "" {
			within.Hi = x
		}
		r.Estimate.Interval, r.Estimate.Kind, r.Estimate.Coverage = within, stats.WithinRun, ranks.Coverage
		return
	}
	pooled, missing := atRank(decoded, all, p.Rank(attempts))
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
func merged(records []*record.Record, family string) (decoded *hdrhistogram.Histogram, all record.Histogram, attempts int64, ok bool) {
	for _, r := range records {
		h, has := r.Histograms[family]
		if !has || h.Count == 0 {
			return nil, all, 0, false
		}
		one, err := hdrhistogram.Decode([]byte(h.HDR))
		if err != nil {
			return nil, all, 0, false
		}
		attempts += attemptsOf(r, family)
		if decoded == nil {
			decoded, all = one, h
			continue
		}
		if decoded.HighestTrackableValue() < one.HighestTrackableValue() { // a longer timeout
			decoded, one = one, decoded
		}
		if decoded.Merge(one) != 0 {
			return nil, all, 0, false
		}
		all.Count, all.Overflow, all.Sum = all.Count+h.Count, all.Overflow+h.Overflow, all.Sum+h.Sum
		all.Min, all.Max = min(all.Min, h.Min), max(all.Max, h.Max)
	}
	return decoded, all, attempts, decoded != nil
}
