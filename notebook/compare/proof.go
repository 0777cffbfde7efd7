package compare

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Proof says whether a slowdown of known size would have been seen: the cell that is measured a second time in each
// round, against itself with the slowdown planted in the numbers of the second.
//
// Source: docs/command.md#bench.
type Proof struct {
	Change
	Open bool // more repetitions could show it
	Seen bool // the gate is met, or without a gate the verdict is worse
}

// planted returns the cell of an experiment that is measured twice, with a slowdown in the second: times are longer by
// o.Prove, and everything of which more is better is smaller. It is empty without such a cell or a slowdown.
func (s *Sides) planted(e *dataset.Experiment, o ChangeOptions) []Change {
	a, again := e.Twins()
	if o.Prove == 0 || a == nil {
		return nil
	}
	m, ok := proofMetric(e, o)
	if !ok {
		return nil
	}
	c, factor := s.newChange(a, again, m, o), 1+o.Prove
	if c.Metric.Better == string(stats.HigherIsBetter) || c.Metric.Better == "" && o.Gate != nil && o.Gate.region.Hi <= 0 {
		factor = 1 - o.Prove
	}
	c.ResultB = c.ResultB.Times(factor)
	return []Change{c}
}

// proofMetric returns the metric of the gate, or else the first key metric that can be better or worse.
func proofMetric(e *dataset.Experiment, o ChangeOptions) (record.Metric, bool) {
	if o.Gate != nil {
		return e.Metric(o.Gate.Metric)
	}
	return slice.Find(metricsOf(e, e, o), func(m record.Metric) bool {
		return m.Better != "" && !record.CountsFailures(m.Name)
	})
}

// newProof judges a planted change with all others of its metric.
func newProof(planted Change, others []*Change, gate *Gate) Proof {
	together := []*Change{&planted}
	for _, c := range others {
		if c.A != planted.A {
			other := *c // whose own verdict stays
			together = append(together, &other)
		}
	}
	judgeTogether(together)
	if gate == nil {
		return Proof{Change: planted, Seen: planted.Verdict == stats.Worse, Open: planted.isUndecided()}
	}
	planted.Reason = "" // it is about the smallest effect
	verdict := gate.verdict(&planted, stats.DefaultAlpha/float64(len(together)))
	return Proof{Change: planted, Seen: verdict == stats.Supported, Open: verdict == stats.Inconclusive}
}
