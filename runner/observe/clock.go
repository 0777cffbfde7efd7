package observe

import "time"

// clocks is one moment by the wall clock, which can be set, and by the steady one, which cannot.
type clocks struct {
	wall   time.Time
	steady time.Duration
}

// epoch is when the steady clock began.
var epoch = time.Now()

func readClocks() clocks {
	now := time.Now()
	return clocks{now.Round(0), now.Sub(epoch)}
}

// clockStep returns by how much the wall clock was set between two moments. Network time makes it run up to 0.05 % fast
// or slow, which is not a step; less than 10 ms cannot be told.
func clockStep(a, b clocks) (time.Duration, bool) {
	passed := b.steady - a.steady
	step := b.wall.Sub(a.wall) - passed
	return step, step.Abs() > 10*time.Millisecond+passed/1000
}
