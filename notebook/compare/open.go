package compare

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
)

// Open returns, by experiment, the trials that need more repetitions after a look at two sides that are measured
// together: the cells for which a gate is undecided. Without a gate they are the cells whose change is neither shown
// nor within the smallest effect, in the metrics of the options or else in the first key metric that can be better or
// worse. Failures are never undecided: a cell without any says all that it ever will.
//
// The error is as of Compare.
//
// Source: docs/method.md#number-of-looks and docs/command.md#bench.
func Open(s Sides, o ChangeOptions, gate *Gate) (map[string][]string, error) {
	changes, err := Compare([]Sides{s}, o)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	add := func(a, b *dataset.Cell) {
		name := a.Experiment.Plan.Name
		out[name] = slice.Add(out[name], a.Planned.Name, b.Planned.Name)
	}
	proofs, err := Prove([]Sides{s}, changes, o, gate)
	if err != nil {
		return nil, err
	}
	for _, p := range slice.Filter(proofs, func(p Proof) bool { return p.Open }) {
		add(p.A, p.B)
	}
	if gate != nil {
		for _, c := range gate.Judge(changes) {
			if !c.Met && !c.Refuted {
				add(c.A, c.B)
			}
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
		if c.isUndecided() {
			add(c.A, c.B)
		}
	}
	return out, nil
}
