package compare

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
)

// Open returns, by experiment, the trials that need more repetitions after a look at two sides that are measured
// together: the cells for which the gate or a proof is undecided. Without a gate they are the cells whose change is
// neither shown nor within the smallest effect, in the metrics of the options or else in the first key metric that can
// be better or worse. Failures are never undecided: a cell without any says all that it ever will.
//
// The error is as of Compare.
//
// Source: docs/method.md#number-of-looks and docs/command.md#bench.
func Open(s Sides, o ChangeOptions) (map[string][]string, error) {
	changes, proofs, err := Compare([]Sides{s}, o)
	if err != nil {
		return nil, err
	}
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
		return out, nil
	}
	seen := map[*dataset.Cell]bool{} // cells of A whose decisive metric was seen
	for i := range changes {
		c := &changes[i]
		if !c.mayCompare || c.Points || len(o.Metrics) == 0 && (c.Metric.Better == "" || seen[c.A]) {
			continue
		}
		seen[c.A] = true
		add(c.isUndecided(), c.A, c.B)
	}
	return out, nil
}
