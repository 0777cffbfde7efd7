package stats

import "slices"

// Sensitivity is whether a conclusion depends on the metric it is drawn by, or on other choices.
type Sensitivity string

const (
	OneMetric      Sensitivity = "one metric"      // fewer than two were measured
	OneAlternative Sensitivity = "one alternative" // fewer than two were measured, of choices that are not only of metrics
	Robust         Sensitivity = "robust"          // all of them say the same
	Weaker         Sensitivity = "weaker"          // some do not decide it
	Reversed       Sensitivity = "reversed"        // one supports what another contradicts
)

// Sensitive compares the verdicts on one claim under several metrics, each with its own direction. Those that were not
// measured do not count.
//
// Source: docs/claims.md#other-metrics.
func Sensitive(verdicts []Verdict) Sensitivity {
	measured := slices.DeleteFunc(slices.Clone(verdicts), func(v Verdict) bool { return v == NotMeasured })
	switch {
	case len(measured) < 2:
		return OneMetric
	case !slices.ContainsFunc(measured, func(v Verdict) bool { return v != measured[0] }):
		return Robust
	case slices.Contains(measured, Supported) && slices.Contains(measured, Contradicted):
		return Reversed
	}
	return Weaker
}

// OrderAgreement returns tau-b between the orders of the same cells by two metrics, each best first; nil below two
// cells, or where a metric is the same for all.
//
// Source: docs/claims.md#other-metrics.
func OrderAgreement(a []float64, better Direction, b []float64, betterB Direction) *Tau {
	return tauB(better.ascending(a), betterB.ascending(b))
}

// ascending returns values of which the larger is the better.
func (d Direction) ascending(values []float64) []float64 {
	out := slices.Clone(values)
	if d == LowerIsBetter {
		for i := range out {
			out[i] = -out[i]
		}
	}
	return out
}
