package claim

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// Decided names the trials of an experiment that claims are about, of which every one is supported or contradicted at
// a level.
//
// Source: docs/method.md#number-of-looks.
func Decided(d *dataset.Dataset, experiment string, level float64) []string {
	asked, open := map[*dataset.Cell]bool{}, map[*dataset.Cell]bool{}
	for _, claim := range d.Doc.Claims {
		t, err := newTest(d, claim)
		if err != nil {
			continue // which Check has reported
		}
		verdict := t.judge(level).Verdict
		for _, c := range cellsOf(t) {
			asked[c] = true
			open[c] = open[c] || verdict != stats.Supported && verdict != stats.Contradicted
		}
	}
	var out []string
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			if e.Plan.Name == experiment && asked[c] && !open[c] {
				out = append(out, c.Trial.Name)
			}
		}
	}
	return out
}
