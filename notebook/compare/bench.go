package compare

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Open returns, by experiment, the trials that need more repetitions after a look at two sides measured together: those
// for which the gate or a proof is undecided. Without a gate, a change is undecided if it is neither shown nor within
// the smallest effect; the metrics come from the options, or are the first key metric that can be better or worse.
// Failures never ask for more repetitions. The result is empty if a metric is unknown.
//
// Source: docs/method.md#number-of-looks and docs/command.md#bench.
func Open(s Sides, o ChangeOptions) map[string][]string {
	changes, proofs, _ := Compare([]Sides{s}, o)
	out := map[string][]string{}
	add := func(isOpen bool, a, b *dataset.Cell) {
		if name := a.Experiment.Plan.Name; isOpen {
			out[name] = slice.Add(out[name], a.Planned.Name, b.Planned.Name)
		}
	}
	for _, p := range proofs {
		add(p.Open, p.A, p.B)
	}
	if o.Gate != nil {
		for _, c := range o.Gate.Judge(changes) {
			add(!c.Met && !c.Refuted, c.A, c.B)
		}
		return out
	}
	seen := map[*dataset.Cell]bool{} // cells of A whose first such metric was handled
	for _, c := range changes {
		if !c.mayCompare || c.Points || len(o.Metrics) == 0 && (c.Metric.Better == "" || seen[c.A]) {
			continue
		}
		seen[c.A] = true
		add(c.isUndecided(), c.A, c.B)
	}
	return out
}

// A Proof says whether a slowdown of known size would have been seen. It compares the cell that is measured twice in
// each round with itself, after planting the slowdown in the second measurement.
//
// Source: docs/command.md#bench.
type Proof struct {
	*Change
	Open bool // more repetitions could show it
	Seen bool // the gate is met, or without a gate the verdict is worse
}

// planted compares the cell of an experiment that is measured twice, with a slowdown planted in the second measurement:
// values are o.Prove higher, or lower if higher is better. It is empty without such a cell or slowdown.
func (s *Sides) planted(e *dataset.Experiment, o ChangeOptions) []*Change {
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
	return []*Change{c}
}

// proofMetric returns the gate's metric, or else the first that can be better or worse and does not count failures.
func proofMetric(e *dataset.Experiment, o ChangeOptions) (record.Metric, bool) {
	if o.Gate != nil {
		return e.Metric(o.Gate.Metric)
	}
	return slice.Find(metricsOf(e, e, o), func(m record.Metric) bool {
		return m.Better != "" && !record.CountsFailures(m.Name)
	})
}

// newProof judges a planted change together with all other changes of its metric.
func newProof(planted *Change, others []*Change, gate *Gate) Proof {
	together := []*Change{planted}
	for _, c := range others {
		if c.A != planted.A {
			other := *c // a copy, which keeps the verdict of c
			together = append(together, &other)
		}
	}
	judgeTogether(together)
	if gate == nil {
		return Proof{Change: planted, Seen: planted.Verdict == stats.Worse, Open: planted.isUndecided()}
	}
	planted.Reason = "" // it concerns the smallest effect, not the gate
	verdict := gate.verdict(planted, stats.DefaultAlpha/float64(len(together)))
	return Proof{Change: planted, Seen: verdict == stats.Supported, Open: verdict == stats.Inconclusive}
}
