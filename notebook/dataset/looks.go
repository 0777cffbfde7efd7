package dataset

import (
	"fmt"

	"benchbook/notebook/stats"
)

// LookCount returns for how many planned looks claims about cells are judged: the most of any of their records.
//
// Source: docs/method.md#number-of-looks.
func LookCount(cells []*Cell) int {
	count := 1
	for _, c := range cells {
		for _, r := range c.Records {
			count = max(count, len(r.Looks))
		}
	}
	return count
}

// LookLevel returns the level at which claims, rank groups and A/A pairs are judged for a number of looks.
func LookLevel(count int) float64 { return stats.Level(stats.DefaultAlpha, count) }

// LookWords returns that level, and the looks that it is for.
func LookWords(count int) string {
	return fmt.Sprintf("at %.3g %% for %d looks at the data", 100*LookLevel(count), count)
}

// level returns the level at which the pairs of an experiment's cells are judged.
func (e *Experiment) level() float64 { return LookLevel(LookCount(e.Cells)) }
