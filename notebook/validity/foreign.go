package validity

import (
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// The kernel counts the time of each CPU in steps, so that a share of a window is known to a step over its length. In
// windows shorter than shortestChecked that says nothing. Records of older versions say nothing of windows under
// longEnough, above which the step does not matter.
const (
	clockStep       = 0.010 // seconds
	shortestChecked = 0.2
	longEnough      = 1.0
)

// gradedByClock is graded for a share of the CPU time of a window. Of a short one only what is there for certain by the
// kernel's clock counts, and it is a warning at most.
func gradedByClock(share, seconds, ok, warn float64, before, behind string) finding {
	words := before + phrase.PercentBeside(share, ok, warn)
	if seconds >= longEnough {
		return graded(share, ok, warn, true, words+behind)
	}
	uncertain := clockStep / seconds
	f := graded(max(0, share-uncertain), ok, warn, true, words+" ± "+phrase.Percent(uncertain)+behind)
	f.level = min(f.level, Warn)
	return f
}

// tooShortToCheck is why shares of a window that were not recorded are not known.
func tooShortToCheck(window string, seconds float64) string {
	switch {
	case seconds < shortestChecked:
		return window + " is shorter than 0.2 s, too short for the kernel's clock"
	case seconds < longEnough:
		return window + " is shorter than 1 s"
	}
	return "the host does not report it"
}

// spanOf is how long a repetition was measured, in seconds, and what that is called.
func spanOf(r *record.Record) (seconds float64, window string) {
	if r.Load != nil {
		return r.Load.Window, "the window"
	}
	return r.Command.Real, "the command"
}

// judgeForeign asks whether others used the processor while a load was put on or a command ran.
//
// Source: docs/validity.md#checks.
func judgeForeign(r *record.Record) finding {
	share := foreignOf(r)
	seconds, window := spanOf(r)
	if r.Facts[record.FactTarget] != "" {
		return notChecked("what the running target used is not told from what others did")
	}
	if share < 0 || seconds < shortestChecked {
		return notChecked(tooShortToCheck(window, seconds))
	}
	behind := " of the CPU"
	if who := r.Facts[record.FactOthers]; who != "" {
		behind += " (" + who + ")"
	}
	return gradedByClock(share, seconds, foreignOK, foreignWarn, "others used ", behind)
}

// Limits of the share of the CPU that others may use.
const (
	foreignOK   = 0.05
	foreignWarn = 0.12
)

// foreignOf is the share of the CPU that others used; negative if it is not known.
func foreignOf(r *record.Record) float64 {
	if r.Load != nil {
		return r.Load.ForeignCPU
	}
	return r.Command.ForeignCPU
}
