package validity

import (
	"fmt"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// Limits of the share of its time that the busiest thread of a generator may work. Above busyHeadline no claim that the
// article leads with can rest on it; above busyForeseen the next run may come to that.
const (
	busyOK       = 0.50
	busyForeseen = 0.70
	busyHeadline = 0.80
	busyWarn     = 0.90
)

// judgeGenerator asks whether the load generator had time to spare, and CPUs to itself.
//
// Source: docs/validity.md#checks.
func (in *definitions) judgeGenerator(r *record.Record) finding {
	f := notChecked("the load generator does not report it")
	if r.Load.Busy >= 0 {
		f = graded(r.Load.Busy, busyOK, busyWarn, false,
			"load generator busy "+phrase.PercentBeside(r.Load.Busy, busyOK, busyHeadline, busyWarn))
	}
	// Where it goes before the services, whether it got its CPUs in time is what the checks of waits and stalls ask.
	first := in.definition(r).Load != nil && in.definition(r).Load.Priority != ""
	if words := in.sharedCPUs(r); words != "" && !first && (f.level == OK || f.level == NotChecked) {
		f.level, f.words = Warn, words
	}
	return f
}

// hasHealth reports whether a load generator, or the timer of a command, told what kept it from its work. Older
// records do not.
func hasHealth(r *record.Record) bool { return healthOf(r) != nil }

func healthOf(r *record.Record) *record.Health {
	switch {
	case r.Load != nil:
		return r.Load.Health
	case r.Command != nil:
		return r.Command.Health
	}
	return nil
}

// A generator may stand still for a hundredth of its window, which makes its numbers wrong by as much, but only
// within these bounds. A busy machine keeps any thread waiting for some milliseconds. And however long the window is,
// a long standstill looks like an outage of the server.
const (
	shortStandstill = 0.010 // seconds
	longStandstill  = 0.100
)

// judgeStandstill asks whether the generator, or the timer, ran all the time. What happens while it stands still, as
// it was stopped, its machine paused or its core given to others, is noted late, and counts as time of the service.
//
// Source: docs/validity.md.
func judgeStandstill(r *record.Record) finding {
	h, whose, window := healthOf(r), "the load generator", 0.0
	if r.Load != nil {
		window = r.Load.Window
	} else {
		whose, window = "the timer", r.Command.Real
	}
	if h.Standstill < 0 {
		return notChecked(whose + " does not report it")
	}
	limit := min(max(shortStandstill, 0.01*window), longStandstill)
	return graded(h.Standstill, limit, 5*limit, true, fmt.Sprintf("%s stood still for %s at most (ok up to %s)", whose,
		phrase.Duration(h.Standstill), phrase.Duration(limit)))
}

// Limits of the share of the window in which a thread of the generator may wait for a core. In a closed loop that is
// the share by which latencies are too long and throughput is too small, at most.
const (
	waitingOK   = 0.05
	waitingWarn = 0.15
)

// judgeWaiting asks whether the generator had a core when it needed one.
//
// Source: docs/validity.md.
func judgeWaiting(r *record.Record) finding {
	waiting := r.Load.Health.Waiting
	if waiting < 0 {
		return notChecked("the load generator does not report it")
	}
	return graded(waiting, waitingOK, waitingWarn, true, "the load generator waited for a core for "+
		phrase.PercentBeside(waiting, waitingOK, waitingWarn)+" of the window")
}
