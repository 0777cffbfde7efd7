package dataset

import (
	"fmt"
	"math"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// steadiness asks whether a load found the same services at the end of its windows as at their beginning: by completions per
// second in a closed loop, and by the mean latency of each second in an open one, whose rate is given. It is about the valid
// repetitions together, and without a name where no load was put on.
//
// Source: METHOD.md 7.
func steadiness(records []*record.Record, valid []bool) CheckResult {
	var trends []stats.Trend
	what, farthest, drifting := "completions", 0.0, map[stats.Trend]int{}
	for i, r := range records {
		if r.Failure != "" || r.Load == nil {
			continue
		}
		series := r.Load.Completions
		values := make([]float64, len(series))
		for i, n := range series {
			values[i] = float64(n)
		}
		if isOpenLoop(r) {
			what, values = "latencies", meansBySecond(r.Load)
		}
		if whole := int(r.Load.Window); len(values) > whole {
			values = values[:whole] // the last second is shorter than the others
		}
		if !valid[i] {
			continue
		}
		d, err := stats.Steadiness(values, stats.DefaultSmallestEffect)
		if err != nil {
			d.Trend = stats.NotTested
		}
		trends = append(trends, d.Trend)
		if drifting[d.Trend]++; math.Abs(d.Share) > math.Abs(farthest) && (d.Trend == stats.Rising || d.Trend == stats.Falling) {
			farthest = d.Share
		}
	}
	if len(trends) == 0 {
		return CheckResult{}
	}
	c := CheckResult{Name: "steady state"}
	switch trend := stats.Unsteady(trends); trend {
	case stats.Rising, stats.Falling:
		c.Level = Warn
		c.Words = fmt.Sprintf("%d of %d repetitions: %s were %s, by up to %s over the window", drifting[trend], len(trends), what, trend,
			percentBeside(math.Abs(farthest)))
	case stats.NotTested:
		c.Level, c.Words = NotChecked, "the window has fewer than 10 whole seconds"
	default:
		c.Words = what + " were steady"
	}
	return c
}

// meansBySecond are the mean latencies of the seconds that had right answers.
func meansBySecond(l *record.Load) []float64 {
	var means []float64
	for i, n := range l.Answers {
		if n > 0 && i < len(l.Latencies) {
			means = append(means, l.Latencies[i]/float64(n))
		}
	}
	return means
}

// outlying says which values of a metric lie far from the others; empty if none does. They stay in all numbers.
//
// Source: METHOD.md 7.
func (r Result) outlying() string {
	far, err := stats.Outliers(r.cell(), stats.DefaultSmallestEffect)
	switch {
	case err != nil: // it is what there is no estimate for either
		return ""
	case far.Wide:
		return "the repetitions lie more than 25 % apart"
	case len(far.At) == 1:
		return fmt.Sprintf("repetition %d lies far from the others", r.Repetition(far.At[0]))
	case len(far.At) > 1:
		return fmt.Sprintf("%d of %d repetitions lie far from the others", len(far.At), len(r.Values))
	}
	return ""
}
