package method

import (
	"fmt"
	"math"

	"benchbook/notebook/record"
	"benchbook/render/number"
)

// beforeLine says what the machine was like before repetitions, by the worst of them, and how often it was waited for. It is empty
// where records do not tell.
func beforeLine(records []*record.Record) string {
	var worst record.Before
	looked, waits, restless, longest := 0, 0, 0, 0.0
	for _, r := range records {
		b := r.Before
		if b == nil {
			continue
		}
		looked++
		worst.Jitter, worst.Spin, worst.Foreign = max(worst.Jitter, b.Jitter), max(worst.Spin, b.Spin), max(worst.Foreign, b.Foreign)
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
	share := func(x float64) string { return number.Percent.Quantity(x, 0) }
	seconds := func(x float64) string {
		u := number.For("s", false, x)
		return u.Quantity(x, u.Decimals(x, math.NaN(), math.NaN()))
	}
	line := fmt.Sprintf("before %s, at worst: a timer late by %s, equal computations different by %s, %s of the CPUs wanted by others",
		number.Count(looked, "repetition"), seconds(worst.Jitter), share(worst.Spin), share(worst.Foreign))
	if waits > 0 {
		line += fmt.Sprintf("; before %s it was given time to come to rest, up to %s", number.Count(waits, "repetition"), seconds(longest))
	}
	if restless > 0 {
		line += fmt.Sprintf("; before %s it did not come to rest", number.Count(restless, "repetition"))
	}
	return line
}
