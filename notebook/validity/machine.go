package validity

import (
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// untold is why checks of the machine say nothing of records that were made before they were there.
const untold = "not recorded"

// judgeSwap asks whether the machine had to read memory back from swap.
//
// Source: docs/validity.md#checks.
func judgeSwap(r *record.Record) finding {
	switch {
	case r.Machine == nil:
		return notChecked(untold)
	case r.Machine.SwappedIn < 0:
		return notChecked("the host does not report it")
	case r.Machine.SwappedIn > 0:
		return finding{level: Warn, words: fmt.Sprintf("%d KiB were read from swap", r.Machine.SwappedIn>>10),
			size: float64(r.Machine.SwappedIn)}
	}
	return finding{words: "nothing was read from swap"}
}

// Limits of the share of scheduling periods that were cut short, and of CPU time that went to other virtual machines.
const (
	stolenOK   = 0.01
	stolenWarn = 0.05
)

// judgeSteal asks whether other virtual machines had the processor.
//
// Source: docs/validity.md#checks.
func judgeSteal(r *record.Record) finding {
	if r.Machine == nil {
		return notChecked(untold)
	}
	seconds, window := spanOf(r)
	if r.Machine.Steal < 0 || seconds < shortestChecked {
		return notChecked(tooShortToCheck(window, seconds))
	}
	return gradedByClock(r.Machine.Steal, seconds, stolenOK, stolenWarn, "", " of the CPU time was stolen")
}

// judgeThrottled asks whether services were held back by a limit of their CPU time. Where the article set the limit
// that is what it wanted to measure, but periods of 100 ms shape the tail of latencies, so that these are marked.
//
// Source: docs/validity.md#checks.
func judgeThrottled(r *record.Record) finding {
	if r.Machine == nil {
		return notChecked(untold)
	}
	worst := finding{words: "no service was throttled"}
	for _, name := range slices.Sorted(maps.Keys(r.Machine.Throttled)) {
		t := r.Machine.Throttled[name]
		if t.Throttled == 0 {
			continue
		}
		share := float64(t.Throttled) / float64(t.Periods)
		f := graded(share, stolenOK, stolenWarn, true, fmt.Sprintf("%s was throttled in %s of its periods", name,
			phrase.PercentBeside(share, stolenOK, stolenWarn)))
		if t.Limited {
			f.level, f.concerns, f.words = min(f.level, Warn), record.IsTime, f.words+", by the article's own limit"
		}
		if f.worse(worst) {
			worst = f
		}
	}
	return worst
}
