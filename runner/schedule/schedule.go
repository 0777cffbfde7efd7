// Package schedule says when the requests of an open loop are due, and how many clients a closed one has at a time.
package schedule

import (
	"math"
	"math/rand/v2"
	"time"

	"benchbook/runner/load/http"
)

// Schedule is how a rate, or a number of connections, moves over time: in straight lines, one after the other.
type Schedule struct{ segments []segment }

// segment is one straight line. Times are in nanoseconds, counted from the start of the schedule.
type segment struct {
	start, length float64
	from, slope   float64 // the value at its start, in 1/ns if it is a rate, and its change per nanosecond
	before        float64 // the sum over all segments before: requests, if the value is a rate
}

// add goes on with a line from one value to another.
func (s *Schedule) add(length time.Duration, from, to float64) {
	if length <= 0 {
		return
	}
	next := segment{length: float64(length), from: from, slope: (to - from) / float64(length)}
	if n := len(s.segments); n > 0 {
		last := s.segments[n-1]
		next.start, next.before = last.start+last.length, last.before+last.sum(last.length)
	}
	s.segments = append(s.segments, next)
}

// sum is the area below the line up to x after its start.
func (g segment) sum(x float64) float64 { return x * (g.from + g.slope*x/2) }

// when is the time by which the area below the whole schedule has come to y. It is false if that never happens, or
// only at the end.
func (s *Schedule) when(y float64) (int64, bool) {
	for _, g := range s.segments {
		rest, area := y-g.before, g.sum(g.length)
		const rounding = 1e-9 // a request on the very end belongs behind it, whichever way its last digit fell
		if rest >= area-rounding*(g.before+area) {
			continue
		}
		x := 0.0
		if rest > 0 {
			// The root of slope/2 x² + from x = rest, in the form that does not cancel digits.
			x = 2 * rest / (g.from + math.Sqrt(max(0, g.from*g.from+2*g.slope*rest)))
		}
		return int64(g.start + min(x, g.length)), true
	}
	return 0, false
}

// Value is that of the schedule at a time; after its end the last one.
func (s *Schedule) Value(t int64) float64 {
	v := 0.0
	for _, g := range s.segments {
		if x := float64(t) - g.start; x >= 0 {
			v = g.from + g.slope*min(x, g.length)
		}
	}
	return v
}

// Reach is the first time from t on at which the value is at least v; false if it never is.
func (s *Schedule) Reach(v float64, t int64) (int64, bool) {
	for _, g := range s.segments {
		x := max(0, float64(t)-g.start)
		if x > g.length {
			continue
		}
		if g.from+g.slope*x >= v {
			return int64(g.start + x), true
		}
		if g.slope > 0 && g.from+g.slope*g.length >= v {
			return int64(math.Ceil(g.start + min((v-g.from)/g.slope, g.length))), true
		}
	}
	return 0, false
}

// rateSchedules are the schedules of an open loop, for the warm-up and for the window, each counted from its own start.
func rateSchedules(c *http.Config) (warmup, window *Schedule) {
	warmup, window = new(Schedule), new(Schedule)
	const second = float64(time.Second)
	warmup.add(c.Warmup, c.Rate/second, c.Rate/second)
	if len(c.Stages) == 0 {
		window.add(c.Duration, c.Rate/second, c.Rate/second)
	}
	from := c.Rate
	for _, s := range c.Stages {
		window.add(s.Duration, from/second, s.Rate/second)
		from = s.Rate
	}
	return warmup, window
}

// Clients is the number of clients of a closed loop over time, from the start of the warm-up; nil if it is
// constant.
func Clients(c *http.Config) *Schedule {
	if len(c.Stages) == 0 || c.Open() {
		return nil
	}
	s, from := new(Schedule), float64(max(c.Connections, 1))
	s.add(c.Warmup, from, from)
	for _, stage := range c.Stages {
		s.add(stage.Duration, from, float64(stage.Connections))
		from = float64(stage.Connections)
	}
	return s
}

// Arrivals tells one engine of several when its requests are due. Together they tell every request of the schedule:
// of both warm-up and window the one with number k goes to engine k mod engines.
type Arrivals struct {
	phases  [2]*Schedule
	starts  [2]int64 // when the phases start
	phase   int
	k       uint64 // number of the next request of the phase
	engine  uint64
	engines uint64
	random  *rand.Rand // of Poisson arrivals, in the same state in all engines; nil for constant ones
	sum     float64    // of the distances drawn, in requests
}

// NewArrivals is what an engine is told, given its number and how many there are.
func NewArrivals(c *http.Config, base int64, engine, engines int) *Arrivals {
	a := &Arrivals{starts: [2]int64{base, base + c.Warmup.Nanoseconds()}, engine: uint64(engine), engines: uint64(engines)}
	a.phases[0], a.phases[1] = rateSchedules(c)
	if c.Arrivals == http.PoissonArrivals {
		a.random = rand.New(rand.NewPCG(c.Seed, uint64(len(http.PoissonArrivals))))
	}
	return a
}

// Next is when the engine's next request is due. It is false when there is none any more.
//
// A Poisson process of rate 1, whose distances are exponential, becomes one of the schedule's rate when it is read at
// the times by which the schedule's area has come to it.
//
// Source: Lewis and Shedler, Simulation of Nonhomogeneous Poisson Processes by Thinning, 1979, section 1 (time-scale
// transformation).
func (a *Arrivals) Next() (due int64, ok bool) {
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
func (a *Arrivals) Number() uint64 { return a.k + uint64(a.phase)<<62 }
