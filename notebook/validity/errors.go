package validity

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// judgeErrors asks how many requests failed that the article does not expect to.
//
// Source: docs/validity.md#checks.
func judgeErrors(r *record.Record) finding {
	l := r.Load
	if l.Attempted < 0 || l.Failed < 0 {
		return notChecked(l.Tool + " does not report it")
	}
	if l.Attempted == 0 {
		return finding{level: Invalid, words: "nothing was attempted", size: math.Inf(1)}
	}
	share := float64(l.Failed) / float64(l.Attempted)
	f := graded(share, 0.001, 0.01, true, "errors "+phrase.PercentBeside(share, 0.001, 0.01, l.FailuresMax))
	f.words += inStep(l)
	if share <= l.FailuresMax {
		f.level = OK
		if share > 0 {
			f.words += ", which the article expects"
		}
	}
	return f
}

// inStep names the step of journeys that most failures are of.
func inStep(l *record.Load) string {
	if l.Journeys == nil || len(l.Journeys.Steps) == 0 {
		return ""
	}
	most := slices.MaxFunc(l.Journeys.Steps, func(a, b record.Step) int { return cmp.Compare(a.Failed(), b.Failed()) })
	if most.Failed() == 0 {
		return ""
	}
	kinds := slices.SortedFunc(maps.Keys(most.Failures), func(a, b string) int {
		return cmp.Or(cmp.Compare(most.Failures[b], most.Failures[a]), cmp.Compare(a, b))
	})
	words := fmt.Sprintf(", most in step %s (%s)", most.Name, kinds[0])
	if most.Failed() == l.Failed {
		words = strings.Replace(words, "most", "all", 1)
	}
	return words
}

// isFailureMetric reports whether a metric counts failures or what servers answered, which errors are not a fault of.
func isFailureMetric(metric string) bool {
	return record.CountsFailures(metric) || strings.HasPrefix(metric, "status.")
}
