package observe

import "time"

// clocks is one moment by the wall clock, which somebody may set, and by one that nobody can.
type clocks struct {
	wall   time.Time
	steady time.Duration
}

// epoch is where the steady clock begins.
var epoch = time.Now()

func readClocks() clocks {
	now := time.Now()
	return clocks{now.Round(0), now.Sub(epoch)}
}

// clockStep says by how much the wall clock was set between two moments. Keeping time over a network makes it run up to
// 0.05 % fast or slow, which is no step; neither is what 10 ms could hide.
func clockStep(a, b clocks) (time.Duration, bool) {
	passed := b.steady - a.steady
	step := b.wall.Sub(a.wall) - passed
	return step, step.Abs() > 10*time.Millisecond+passed/1000
}
