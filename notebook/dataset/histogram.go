package dataset

import (
	"math"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// decode reads each histogram of the cell once. The caller has locked the cell.
func (c *Cell) decode(h record.Histogram) (*record.Bars, error) {
	if d, ok := c.decoded[h.HDR]; ok {
		return d, nil
	}
	decoder, ok := c.Experiment.decoders.Get().(*record.Decoder)
	if !ok {
		decoder = &record.Decoder{}
	}
	d, err := decoder.Decode(h)
	c.Experiment.decoders.Put(decoder)
	if err == nil {
		if c.decoded == nil {
			c.decoded = map[string]*record.Bars{}
		}
		c.decoded[h.HDR] = d
	}
	return d, err
}

// tail compares a percentile with the answers that it is of. Of a single repetition it gives the interval within
// that, which says nothing of other repetitions and enters no claim. Of several it gives the percentile of all
// answers together, and a mark if that lies outside of the interval: then few repetitions have most of the slow
// answers.
//
// Source: docs/method.md#interval-within-one-repetition and docs/method.md#across-repetitions.
func (c *Cell) tail(r *Result) {
	if !record.IsTime(r.Metric.Name) || len(r.Values) == 2 {
		return
	}
	family, last := familyOf(r.Metric.Name)
	p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
	if err != nil {
		return // a mean
	}
	decoded, all, attempts, ok := c.merged(c.Validity().ValidFor(r.Metric.Name), family)
	if !ok {
		return
	}
	if len(r.Values) == 1 {
		ranks, err := p.RankInterval(attempts, stats.DefaultAlpha)
		if err != nil {
			return
		}
		within := stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
		if x, missing := decoded.At(all, ranks.Lo); ranks.Lo > 0 && missing == "" {
			within.Lo = x
		}
		if x, missing := decoded.At(all, ranks.Hi); ranks.Hi > 0 && missing == "" {
			within.Hi = x
		}
		r.Estimate.Interval, r.Estimate.Kind, r.Estimate.Coverage = within, stats.WithinRun, ranks.Coverage
		return
	}
	pooled, missing := decoded.At(all, p.Rank(attempts))
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

// merged adds up the histograms of repetitions, and counts the attempts behind them. It is false if one has none that
// can be read.
func (c *Cell) merged(records []*record.Record, family string) (together *record.Bars, all record.Histogram,
	attempts int64, ok bool) {
	all = record.Histogram{Min: math.Inf(1)}
	var decoded, cut []*record.Bars
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
		if ages := cutOf(r, family); ages.Count > 0 {
			if one, err = c.decode(ages); err != nil {
				return nil, all, 0, false
			}
			cut = append(cut, one)
		}
		attempts += attemptsOf(r, family)
		all.Count, all.Overflow, all.Sum = all.Count+h.Count, all.Overflow+h.Overflow, all.Sum+h.Sum
		all.Min, all.Max = min(all.Min, h.Min), max(all.Max, h.Max)
	}
	if together = record.SumBars(decoded); len(cut) > 0 {
		together = together.WithCut(record.SumBars(cut), attempts)
	}
	return together, all, attempts, len(records) > 0
}
