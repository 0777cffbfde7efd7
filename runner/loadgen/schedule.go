package loadgen

import (
	"math/rand/v2"
	"time"
)

// phase is the warm-up or the window of an open loop.
type phase struct {
	length float64 // in nanoseconds
	rate   float64 // requests per nanosecond
}

// when is the time of request y, counted from 0, after the start of the phase. It is false for one that is due at the
// end or later.
func (p phase) when(y float64) (int64, bool) {
	const rounding = 1e-9 // a request on the very end belongs behind it, whichever way its last digit fell
	if p.length <= 0 || y >= p.length*p.rate*(1-rounding) {
		return 0, false
	}
	return int64(min(y/p.rate, p.length)), true
}

// schedule tells one engine of several when its requests are due. Together they tell every request of the schedule:
// of both warm-up and window the one with number k goes to engine k mod engines.
type schedule struct {
	phases  [2]phase
	starts  [2]int64 // when the phases start
	phase   int
	k       uint64 // number of the next request of the phase
	engine  uint64
	engines uint64
	random  *rand.Rand // of Poisson arrivals, in the same state in all engines; nil for constant ones
	sum     float64    // of the distances drawn, in requests
}

// newSchedule is what an engine is told, given its number and how many there are.
func newSchedule(c *Config, base int64, engine, engines int) *schedule {
	a := &schedule{starts: [2]int64{base, base + c.Warmup.Nanoseconds()}, engine: uint64(engine), engines: uint64(engines)}
	rate := c.Rate / float64(time.Second)
	a.phases = [2]phase{{float64(c.Warmup), rate}, {float64(c.Duration), rate}}
	if c.Arrivals == PoissonArrivals {
		a.random = rand.New(rand.NewPCG(c.Seed, uint64(len(PoissonArrivals))))
	}
	return a
}

// Next is when the engine's next request is due. It is false when there is none any more.
//
// The distances of a Poisson process are exponential.
func (a *schedule) Next() (due int64, ok bool) {
	for a.phase < len(a.phases) {
		y := float64(a.k)
		if a.random != nil {
			a.sum += a.random.ExpFloat64()
			y = a.sum
		}
		t, ok := a.phases[a.phase].when(y)
		if !ok {
			a.phase, a.k, a.sum = a.phase+1, 0, 0
			continue
		}
		mine := a.k%a.engines == a.engine
		if a.k++; mine {
			return a.starts[a.phase] + t, true
		}
		if a.random == nil {
			a.k += (a.engine + a.engines - a.k%a.engines) % a.engines
		}
	}
	return 0, false
}

// Number tells requests apart. It is another one after each call of Next.
func (a *schedule) Number() uint64 { return a.k + uint64(a.phase)<<62 }
