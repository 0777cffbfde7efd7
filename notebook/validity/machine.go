package validity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"benchbook/internal/phrase"
	"benchbook/notebook/record"
)

// The kernel counts the time of each CPU in steps, so the error of a share is up to one step over the window. Below
// shortestChecked a share says nothing; above longEnough the step does not matter. Older records have no shares for
// windows below longEnough.
const (
	clockStep       = 0.010 // seconds
	shortestChecked = 0.2
	longEnough      = 1.0
)

// seconds returns how long a repetition measured.
func (r repetition) seconds() float64 {
	if r.Load != nil {
		return r.Load.Window
	}
	return r.Command.Real
}

// cpuShare returns the finding for a share of CPU time, negative if it was not recorded. In a short window only what
// exceeds the step of the kernel's clock counts, and it is at most a warning.
func (r repetition) cpuShare(share float64, by limits, before, behind string) finding {
	seconds, window := r.seconds(), "the command"
	if r.Load != nil {
		window = "the window"
	}
	words := before + by.share(share)
	switch {
	case seconds < shortestChecked:
		return notChecked(window + " is shorter than 0.2 s, too short for the kernel's clock")
	case share < 0 && seconds < longEnough:
		return notChecked(window + " is shorter than 1 s")
	case share < 0:
		return notChecked("the host does not report it")
	case seconds < longEnough:
		uncertain := clockStep / seconds
		return by.find(max(0, share-uncertain), words+" ± "+phrase.Percent(uncertain)+behind).atMostWarn()
	}
	return by.find(share, words+behind)
}

// foreignLimits limit the share of the CPU that others used; stolenLimits the share of CPU time that other virtual
// machines took, and of scheduling periods that were cut short.
var (
	foreignLimits = limits{0.05, 0.12}
	stolenLimits  = limits{0.01, 0.05}
)

// readForeign grades the share of the CPU that others used during the load or the command.
//
// Source: docs/validity.md#checks.
func readForeign(r repetition) finding {
	if r.Facts[record.FactTarget] != "" {
		return notChecked("what the running target used cannot be told from what others used")
	}
	behind := " of the CPU"
	if programs := r.Facts[record.FactOthers]; programs != "" {
		behind += " (" + programs + ")"
	}
	return r.cpuShare(r.foreign(), foreignLimits, "others used ", behind)
}

// foreign returns the share of the CPU that others used; negative if unknown.
func (r repetition) foreign() float64 {
	if r.Load != nil {
		return r.Load.ForeignCPU
	}
	return r.Command.ForeignCPU
}

// readSteal grades the share of the CPU time that other virtual machines took.
//
// Source: docs/validity.md#checks.
func readSteal(r repetition) finding {
	if r.Machine == nil {
		return notChecked(notRecorded)
	}
	return r.cpuShare(r.Machine.Steal, stolenLimits, "", " of the CPU time was stolen")
}

// readSwap warns of bytes that the machine read back from swap.
//
// Source: docs/validity.md#checks.
func readSwap(r repetition) finding {
	switch {
	case r.Machine == nil:
		return notChecked(notRecorded)
	case r.Machine.SwappedIn < 0:
		return notChecked("the host does not report it")
	case r.Machine.SwappedIn > 0:
		return anyWarns.find(float64(r.Machine.SwappedIn),
			fmt.Sprintf("%d KiB were read from swap", r.Machine.SwappedIn>>10))
	}
	return finding{words: "nothing was read from swap"}
}

// readThrottled grades the largest share of its scheduling periods in which a CPU limit held a service back. The
// article's own limit is measured on purpose, but its periods of 100 ms shape the tail of latencies, so it warns about
// times.
//
// Source: docs/validity.md#checks.
func readThrottled(r repetition) finding {
	if r.Machine == nil {
		return notChecked(notRecorded)
	}
	worst := finding{words: "no service was throttled"}
	for _, name := range slices.Sorted(maps.Keys(r.Machine.Throttled)) {
		t := r.Machine.Throttled[name]
		if t.Throttled == 0 {
			continue
		}
		share := float64(t.Throttled) / float64(t.Periods)
		f := stolenLimits.find(share, fmt.Sprintf("%s was throttled in %s of its periods", name,
			stolenLimits.share(share)))
		if t.Limited {
			f = f.atMostWarn()
			f.concerns, f.words = record.IsTime, f.words+", by the article's own limit"
		}
		if cmp.Or(cmp.Compare(f.level, worst.level), cmp.Compare(f.size, worst.size)) > 0 {
			worst = f
		}
	}
	return worst
}
