package dataset

import (
	"benchbook/notebook/record"
)

// lookAtGenerator asks whether the load generator had time to spare.
//
// Source: METHOD.md 7.
func lookAtGenerator(r *record.Record) finding {
	if r.Load.Busy < 0 {
		return notChecked("the load generator does not tell")
	}
	return graded(r.Load.Busy, 0.70, 0.90, false, "load generator busy "+percentBeside(r.Load.Busy, 0.70, 0.90))
}
