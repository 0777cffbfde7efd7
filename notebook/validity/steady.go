package validity

import (
	"fmt"
	"math"
	"slices"

	"benchbook/internal/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A drift is how much a load changed over the window of one repetition.
type drift struct {
	of string // the quantity; empty without a load
	stats.Drift
}

// driftOf compares the end of a window with its beginning: by completions per second in a closed loop, and by the mean
// latency of each second in an open loop, whose rate is given.
//
// Source: docs/method.md#steady-state.
func driftOf(r *record.Record) drift {
	if r.Failure != "" || r.Load == nil {
		return drift{}
	}
	d, values := drift{of: "completions"}, r.Load.CompletionsBySecond()
	if r.IsOpenLoop() {
		d.of, values = "latencies", slices.DeleteFunc(r.Load.LatenciesBySecond(), math.IsNaN)
	}
	if whole := int(r.Load.Window); len(values) > whole {
		values = values[:whole] // the last second is shorter than the others
	}
	d.Drift, _ = stats.Steadiness(values, stats.DefaultSmallestEffect) // all values are finite
	return d
}

// steadyState checks whether services were the same at the end of windows as at their beginning, over all valid
// repetitions. The result has no name without a load.
//
// Source: docs/method.md#steady-state.
func steadyState(drifts []drift, valid []bool) CheckResult {
	var trends []stats.Trend
	what, farthest, drifting := "", 0.0, map[stats.Trend]int{}
	for i, d := range drifts {
		if d.of == "" || !valid[i] {
			continue
		}
		what = d.of
		trends = append(trends, d.Trend)
		drifting[d.Trend]++
		if d.Trend == stats.Rising || d.Trend == stats.Falling {
			farthest = max(farthest, math.Abs(d.Share))
		}
	}
	if len(trends) == 0 {
		return CheckResult{}
	}
	c := CheckResult{Name: "steady state", Words: what + " were steady"}
	switch trend := stats.Unsteady(trends); trend {
	case stats.Rising, stats.Falling:
		c.Level, c.Words = Warn, fmt.Sprintf("%d of %d repetitions: %s were %s, by up to %s over the window",
			drifting[trend], len(trends), what, trend, phrase.PercentBeside(farthest))
	case stats.NotTested:
		c.Level, c.Words = NotChecked, "the window has fewer than 10 whole seconds"
	}
	return c
}
