package compare

import (
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Proof says whether a slowdown of known size would have been seen: the cell that is measured a second time in each
// round, against itself with the slowdown planted in the numbers of the second.
type Proof struct {
	Change
	Slowdown float64 // such as 0.1
	Open     bool    // more repetitions could show it
	Seen     bool    // the gate is met, or without a gate the verdict is worse
}

// Prove plants a slowdown of o.Prove in each cell that is measured twice, and judges it with the changes that were found,
// in the metric of the gate, or else in the first key metric that can be better or worse. Times become longer by the
// slowdown, and everything of which more is better smaller. There is no proof without o.Prove.
//
// Source: docs/command.md#bench.
func Prove(sides []Sides, changes []Change, o ChangeOptions, gate *Gate) ([]Proof, error) {
	var out []Proof
	if o.Prove == 0 {
		return nil, nil
	}
	for i := range sides {
		s := &sides[i]
		for _, e := range s.A.Experiments {
			if len(s.Experiments) > 0 && !slices.Contains(s.Experiments, e.Plan.Name) {
				continue
			}
			a, again := e.Twins()
			m, ok := proofMetric(e, o, gate)
			if a == nil || !ok {
				continue
			}
			p, err := prove(plant(s.newChange(a, again, m, o), o.Prove, gate), changes, gate)
			if err != nil {
				return nil, err
			}
			p.Slowdown = o.Prove
			out = append(out, p)
		}
	}
	return out, nil
}

func proofMetric(e *dataset.Experiment, o ChangeOptions, gate *Gate) (record.Metric, bool) {
	if gate != nil {
		return e.Metric(gate.Metric)
	}
	for _, m := range metricsOf(e, e, o) {
		if m.Better != "" && !record.CountsFailures(m.Name) {
			return m, true
		}
	}
	return record.Metric{}, false
}

// plant makes side B slower.
func plant(c Change, slowdown float64, gate *Gate) Change {
	factor := 1 + slowdown
	if c.Metric.Better == string(stats.HigherIsBetter) || c.Metric.Better == "" && gate != nil && gate.region.Hi <= 0 {
		factor = 1 - slowdown
	}
	c.ResultB = c.ResultB.Times(factor)
	return c
}

// prove judges a planted change with all others of its metric.
func prove(planted Change, changes []Change, gate *Gate) (Proof, error) {
	together := []*Change{&planted}
	for _, c := range changes { // copies, whose own verdicts stay
		if c.Metric.Name == planted.Metric.Name && c.A != planted.A {
			together = append(together, &c)
		}
	}
	if err := judgeTogether(together); err != nil {
		return Proof{}, err
	}
	p := Proof{Change: planted}
	if gate == nil {
		p.Seen, p.Open = p.Verdict == stats.Worse, p.isUndecided()
		return p, nil
	}
	p.Reason = "" // it is about the smallest effect
	verdict := gate.verdict(&p.Change, stats.DefaultAlpha/float64(len(together)))
	p.Seen, p.Open = verdict == stats.Supported, verdict == stats.Inconclusive
	return p, nil
}
