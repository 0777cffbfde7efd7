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
		return graded(l.ForeignCPU, 0.05, 0.12, true, "others used "+percent(l.ForeignCPU)+" of the CPU")
	}
}
