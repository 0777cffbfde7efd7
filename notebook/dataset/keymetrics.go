package dataset

import (
	"slices"
	"strings"

	"benchbook/notebook/record"
	"benchbook/slice"
)

// KeyMetrics are the metrics by which cells of an experiment are compared if nothing else is asked for: of loads
// those that conclusions are drawn from, of commands all, and those that the article adds.
//
// Source: docs/claims.md#other-metrics.
func (e *Experiment) KeyMetrics() []record.Metric {
	names := []string{"throughput", "latency.p50", "latency.p99", "throughput.per_core", "failed"}
	if m := e.Measured(); m.Command {
		names = []string{"time.real", "time.user", "time.sys", "memory.peak"}
		for _, c := range e.Cells {
			for _, r := range c.Records {
				for _, s := range r.Samples {
					if _, known := record.LookupMetric(s.Metric); !known && !slices.Contains(names, s.Metric) {
						names = append(names, s.Metric)
					}
				}
			}
		}
	}
	m := e.Measured()
	for _, added := range m.Added {
		names = slice.Add(names, added.Name)
	}
	if m.Capacity {
		names = []string{"capacity.rate"}
	}
	var out []record.Metric
	for _, name := range names {
		if metric, ok := e.Metric(name); ok {
			out = append(out, metric)
		}
	}
	return out
}

// AllMetrics are the metrics of the experiment that something measured, key metrics first. Failures of a kind that
// never occurred are left out; a percentile that has too few answers is not, for it has a reason.
func (e *Experiment) AllMetrics() []record.Metric {
	out := e.KeyMetrics()
	for _, name := range e.Measured().Names() {
		if m, ok := e.Metric(name); ok && !slices.ContainsFunc(out, func(o record.Metric) bool { return o.Name == name }) {
			out = append(out, m)
		}
	}
	return slices.DeleteFunc(out, func(m record.Metric) bool {
		never := strings.HasPrefix(m.Name, "errors.") && !slices.ContainsFunc(e.Cells, func(c *Cell) bool {
			return slices.ContainsFunc(c.Metric(m.Name).Values, func(v float64) bool { return v != 0 })
		})
		return never || IsUnmeasured(m.Name, e.Cells)
	})
}

// IsUnmeasured reports whether none of the cells that could tell of a metric does, and one could have. Cells that
// failed or are not valid tell of none.
func IsUnmeasured(metric string, cells []*Cell) bool {
	could := false
	for _, c := range cells {
		missing := c.Metric(metric).Missing
		switch {
		case len(c.Records) == 0 || strings.HasPrefix(missing, "failed: ") || strings.HasPrefix(missing, "invalid: "):
		case strings.HasPrefix(missing, "not measured"):
			could = true
		default:
			return false
		}
	}
	return could
}

// Has reports whether the experiment adds a metric, or a record of it has such a sample.
func (e *Experiment) Has(name string) bool {
	added := slices.ContainsFunc(e.Measured().Added, func(m record.Metric) bool { return m.Name == name })
	return added || slices.ContainsFunc(e.Cells, func(c *Cell) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool { _, ok := r.Sample(name); return ok })
	})
}
