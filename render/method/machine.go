package method

import (
	"fmt"

	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// beforeLine describes the machine before repetitions, at its worst, and how often it was waited for; empty if not
// recorded.
func beforeLine(records []*record.Record) string {
	var worst record.Before
	looked, waits, restless, longest := 0, 0, 0, 0.0
	for _, r := range records {
		b := r.Before
		if b == nil {
			continue
		}
		looked++
		worst.Jitter, worst.Spin, worst.Foreign = max(worst.Jitter, b.Jitter), max(worst.Spin, b.Spin),
			max(worst.Foreign, b.Foreign)
		if len(b.For) > 0 {
			waits++
			longest = max(longest, b.Waited)
		}
		if !b.Settled {
			restless++
		}
	}
	if looked == 0 {
		return ""
	}
	share := func(x float64) string { return wording.PercentUnit.Quantity(x, 0) }
	seconds := func(x float64) string {
		u := wording.UnitFor("s", false, x)
		return u.Alone(x)
	}
	line := fmt.Sprintf("at worst before %s: timer late by %s, equal computations differing by %s, %s of the CPUs "+
		"wanted by other programs",
		wording.Count(looked, "repetition"), seconds(worst.Jitter), share(worst.Spin), share(worst.Foreign))
	if waits > 0 {
		line += fmt.Sprintf("; before %s it was given up to %s to settle", wording.Count(waits, "repetition"),
			seconds(longest))
	}
	if restless > 0 {
		line += fmt.Sprintf("; before %s it did not settle", wording.Count(restless, "repetition"))
	}
	return line
}
