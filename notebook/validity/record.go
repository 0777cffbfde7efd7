package validity

import (
	"fmt"

	"benchbook/notebook/record"
)

// judgeRecord checks that the record agrees with itself.
//
// Source: docs/validity.md#records-that-contradict-themselves.
func judgeRecord(r *record.Record) finding {
	if d := r.Doubts; len(d.Invalid) > 0 {
		return finding{level: Invalid, words: "its record cannot be: " + firstOf(d.Invalid), size: float64(len(d.Invalid))}
	}
	return finding{words: "agrees with itself"}
}

// firstOf is the first of some reasons, and how many more there are.
func firstOf(reasons []string) string {
	if len(reasons) == 1 {
		return reasons[0]
	}
	return fmt.Sprintf("%s, and %d more", reasons[0], len(reasons)-1)
}
