package dataset

import (
	"benchbook/notebook/record"
)

// lookAtForeign asks whether others used the processor meanwhile. Windows under a second are too short for the clocks
// that tell.
//
// Source: METHOD.md 7.
func lookAtForeign(r *record.Record) finding {
	switch l := r.Load; {
	case l.ForeignCPU < 0:
		return notChecked("the host does not tell")
	case l.Window < 1:
		return notChecked("the window is shorter than 1 s")
	default:
		words := "others used " + percentBeside(l.ForeignCPU, 0.05, 0.12) + " of the CPU"
		return graded(l.ForeignCPU, 0.05, 0.12, true, words)
	}
}
