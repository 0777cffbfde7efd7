package validity

import (
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// judgeForeign asks whether others used the processor while a load was put on or a command ran. Windows under a
// second are too short for the clocks that tell.
//
// Source: docs/validity.md#checks.
func judgeForeign(r *record.Record) finding {
	var share, seconds float64
	window := "the window"
	if r.Load != nil {
		share, seconds = r.Load.ForeignCPU, r.Load.Window
	} else {
		share, seconds, window = r.Command.ForeignCPU, r.Command.Real, "the command"
	}
	switch {
	case seconds < 1:
		return notChecked(window + " is shorter than 1 s")
	case share < 0:
		return notChecked("the host does not report it")
	default:
		words := "others used " + phrase.PercentBeside(share, 0.05, 0.12) + " of the CPU"
		if who := r.Facts[record.FactOthers]; who != "" {
			words += " (" + who + ")"
		}
		return graded(share, 0.05, 0.12, true, words)
	}
}
