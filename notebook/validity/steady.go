package validity

import (
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// steadyState is the name of the check.
const steadyState = "steady state"

// A drift is how far what a load found changed over the window of one repetition.
type drift struct {
	of string // what was looked at; empty where no load was put on
	stats.Drift
}

// driftOf compares the end of a window with its beginning: by completions per second in a closed loop, and by the
// mean latency of each second in an open one, whose rate is given.
//
// Source: docs/method.md#steady-state.
func driftOf(r *record.Record) drift {
	if r.Failure != "" || r.Load == nil {
		return drift{}
	}
	d := drift{of: "completions"}
	var values []float64
	if r.IsOpenLoop() {
		d.of, values = "latencies", slices.DeleteFunc(r.Load.LatenciesBySecond(), math.IsNaN)
	} else {
		values = r.Load.CompletionsBySecond()
	}
	if whole := int(r.Load.Window); len(values) > whole {
		values = values[:whole] // the last second is shorter than the others
	}
	var err error
	if d.Drift, err = stats.Steadiness(values, stats.DefaultSmallestEffect); err != nil {
		d.Trend = stats.NotTested
	}
	return d
}

func (d drift) isDrifting() bool { return d.Trend == stats.Rising || d.Trend == stats.Falling }

const tooShort = "the window has fewer than 10 whole seconds"

// steadiness asks whether a load found the same services at the end of its windows as at their beginning. It is about
// the valid repetitions together, and without a name where no load was put on.
//
// Source: docs/method.md#steady-state.
func steadiness(drifts []drift, valid []bool) CheckResult {
	var trends []stats.Trend
	what, farthest, drifting := "", 0.0, map[stats.Trend]int{}
	for i, d := range drifts {
		if d.of == "" || !valid[i] {
			continue
		}
		what = d.of
		trends = append(trends, d.Trend)
		if drifting[d.Trend]++; math.Abs(d.Share) > math.Abs(farthest) && d.isDrifting() {
			farthest = d.Share
		}
	}
	if len(trends) == 0 {
		return CheckResult{}
	}
	c := CheckResult{Name: steadyState}
	switch trend := stats.Unsteady(trends); trend {
	case stats.Rising, stats.Falling:
		c.Level = Warn
		c.Words = fmt.Sprintf("%d of %d repetitions: %s were %s, by up to %s over the window", drifting[trend], len(trends),
			what, trend,
			phrase.PercentBeside(math.Abs(farthest)))
	case stats.NotTested:
		c.Level, c.Words = NotChecked, tooShort
	default:
		c.Words = what + " were steady"
	}
	return c
}
