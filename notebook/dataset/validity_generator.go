package dataset

import (
	"benchbook/notebook/record"
)

// lookAtGenerator asks whether the load generator had time to spare, and CPUs to itself.
//
// Source: METHOD.md 7.
func (in *definitions) lookAtGenerator(r *record.Record) finding {
	f := notChecked("the load generator does not tell")
	if r.Load.Busy >= 0 {
		f = graded(r.Load.Busy, 0.70, 0.90, false, "load generator busy "+percentBeside(r.Load.Busy, 0.70, 0.90))
	}
	if words := in.sharedCPUs(r); words != "" && (f.level == OK || f.level == NotChecked) {
		f.level, f.words = Warn, words
	}
	return f
}
