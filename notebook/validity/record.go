package validity

import (
	"fmt"

	"benchbook/notebook/record"
)

// judgeRecord asks whether the record agrees with itself and with the others of its run.
//
// Source: docs/validity.md#records-that-contradict-themselves.
func judgeRecord(r *record.Record) finding {
	switch d := r.Doubts; {
	case len(d.Invalid) > 0:
		return finding{level: Invalid, words: "its record cannot be: " + firstOf(d.Invalid), size: float64(len(d.Invalid))}
	case len(d.Warnings) > 0:
		return finding{level: Warn, words: firstOf(d.Warnings), size: float64(len(d.Warnings))}
	}
	if r.Seal == nil {
		return finding{words: "agrees with itself, and is not sealed"}
	}
	return finding{words: "as it was sealed, and agrees with itself"}
}

// firstOf is the first of some reasons, and how many more there are.
func firstOf(reasons []string) string {
	if len(reasons) == 1 {
		return reasons[0]
	}
	return fmt.Sprintf("%s, and %d more", reasons[0], len(reasons)-1)
}
