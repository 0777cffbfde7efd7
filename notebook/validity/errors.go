package validity

import (
	"math"
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
	if share <= l.FailuresMax {
		f.level = OK
		if share > 0 {
			f.words += ", which the article expects"
		}
	}
	return f
}

// isFailureMetric reports whether a metric counts failures or what servers answered, which errors are not a fault of.
func isFailureMetric(metric string) bool {
	return record.CountsFailures(metric) || strings.HasPrefix(metric, "status.")
}
