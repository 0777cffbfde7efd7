package dataset

import (
	"fmt"
	"strings"

	"benchbook/notebook/record"
)

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
		return out, fmt.Sprintf("a timeline is of throughput or of latency.mean: %s is not recorded by second", metric)
	}
	if r := c.Metric("throughput"); r.isUnreadable(c) {
		return out, r.Missing
	}
	for _, r := range c.Validity().ValidFor("throughput") {
		if r.Load == nil {
			return out, "a command has no course: nothing is recorded by second"
		}
		values := r.Load.CompletionsBySecond()
		if mean {
			values = r.Load.LatenciesBySecond()
		}
		switch whole := int(r.Load.Window); {
		case len(values) == 0 && r.Load.Tool != "":
			return out, "not recorded by second: " + r.Load.Tool + " does not tell"
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
