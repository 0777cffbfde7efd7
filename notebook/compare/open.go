package compare

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// Open names, by experiment, the trials that go on after a look at two sides that are measured together: those of
// cells of which it is undecided whether a condition is met. Without one they are the cells whose change is neither
// shown nor within the smallest effect: that of the metrics that are asked for, and where none is, of the first key
// metric that can be better or worse. Failures keep no cell going: one without any is as decided as it will ever be.
//
// The error is that of Compare.
//
// Source: docs/method.md#number-of-looks and docs/command.md#bench.
func Open(s Sides, o ChangeOptions, gate *Gate) (map[string][]string, error) {
	changes, err := Compare([]Sides{s}, o)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	add := func(cells ...*dataset.Cell) {
		for _, c := range cells {
			name := c.Experiment.Plan.Name
			out[name] = slice.Add(out[name], c.Trial.Name)
		}
	}
	if gate != nil {
		for _, c := range gate.Judge(changes) {
			if !c.Met && !c.Refuted {
				add(c.A, c.B)
			}
		}
		return out, nil
	}
	decisive := map[*dataset.Cell]bool{} // cells of A whose decisive metric was seen
	for i := range changes {
		c := &changes[i]
		if !c.mayCompare || c.Points || len(o.Metrics) == 0 && (c.Metric.Better == "" || decisive[c.A]) {
			continue
		}
		decisive[c.A] = true
		if c.isUndecided() {
			add(c.A, c.B)
		}
	}
	return out, nil
}

// isUndecided reports whether more repetitions could tell more.
func (c *Change) isUndecided() bool {
	if c.Verdict != stats.NotShown || c.Effect == nil || c.Effect.Interval == nil {
		return c.Verdict == stats.NotComparable
	}
	ratio := stats.Interval{Lo: c.Effect.Interval.Lo + 1, Hi: c.Effect.Interval.Hi + 1}
	return stats.Judge(ratio, stats.Within(stats.DefaultSmallestEffect)) != stats.Supported
}
