package observe

import "time"

// passed is a time by the wall clock, which can be set, and by the steady one, which cannot.
type passed struct{ wall, steady time.Duration }

func since(began time.Time) passed {
	now := time.Now()
	return passed{now.Round(0).Sub(began.Round(0)), now.Sub(began)}
}

// step returns by how much the wall clock was set meanwhile. Network time makes it run up to 0.05 % fast or slow, which is
// not a step; less than 10 ms cannot be told.
func (p passed) step() (time.Duration, bool) {
	step := p.wall - p.steady
	return step, step.Abs() > 10*time.Millisecond+p.steady/1000
}
