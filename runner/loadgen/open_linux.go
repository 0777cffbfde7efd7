package loadgen

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// openLoop sends requests on schedule. An engine takes the next request as soon as it has a connection for it, so one
// that finds no free connection in any engine waits for the first to be free, and holds up those behind it.
type openLoop struct {
	engine     *engine
	schedule   *schedule
	taken      bool  // the next request is this engine's
	nextDue    int64 // when the next request is due; never after the last
	nextTarget int   // of a taken request

	free      [][]int32 // connections without a request, by server; the one used last comes last
	used      int       // connections that were ever used
	freeSince int64     // as engine.freeSince
}

func newOpenLoop(e *engine) *openLoop {
	return &openLoop{engine: e, schedule: newSchedule(e.config, e.started), free: make([][]int32, len(e.origins))}
}

func (l *openLoop) due(most int) {
	for e := l.engine; l.take() && l.nextDue <= e.clock && most > 0 && e.err == nil; most-- {
		due := l.nextDue
		l.taken = false
		if e.isLate(due) {
			l.missed(due)
			continue
		}
		e.clock = e.now()
		late := l.lateness(due)
		i := l.acquire(e.targets[l.nextTarget].origin)
		l.noteFree()
		e.connections[i].late = late
		e.begin(i, l.nextTarget, due)
		e.meter.noteSent()
		e.clock = e.now()
	}
}

// take takes the first request that no engine has taken, and reports whether this engine now has one. It leaves it to
// others if no connection is free here, unless it is past its timeout, and then needs none.
func (l *openLoop) take() bool {
	for e := l.engine; !l.taken; {
		n := e.taken.Load()
		l.nextDue = l.schedule.at(n)
		if l.nextDue == never || l.freeSince == never && !e.isLate(l.nextDue) {
			return false
		}
		if l.taken = e.taken.CompareAndSwap(n, n+1); l.taken {
			l.nextTarget = e.draw(mix(mix(e.config.Seed) + l.schedule.number()))
		}
	}
	return true
}

// missed counts a request that was not sent before its timeout.
func (l *openLoop) missed(due int64) {
	l.engine.tally.add(&outcome{start: due, end: l.engine.clock, sent: NeverSent, kind: Timeout, connect: none, tls: none,
		late: l.lateness(due)})
}

// lateness returns how long a request that was due has waited although a connection was free.
func (l *openLoop) lateness(due int64) int64 {
	since := l.freeSince
	if since > due {
		for _, other := range l.engine.run.engines {
			since = min(since, other.freeSince.Load())
		}
	}
	return max(0, l.engine.clock-max(due, since))
}

// noteFree updates since when a connection has been free. A connection counts from when it would have been free if its
// last request had left in time, so that those that waited behind a late request are late too.
func (l *openLoop) noteFree() {
	e, since := l.engine, int64(0)
	if l.used == len(e.connections) {
		since = never
		for _, free := range l.free {
			if len(free) > 0 {
				c := &e.connections[free[0]]
				since = min(since, c.end-c.late)
			}
		}
	}
	if since != l.freeSince {
		l.freeSince = since
		e.freeSince.Store(since)
	}
}

// acquire takes a connection for a request to a server: a free one to it, an unused one, or a free one to another
// server, which is closed. One of these must exist.
func (l *openLoop) acquire(server int) int32 {
	if len(l.free[server]) > 0 {
		return l.pop(server)
	}
	if l.used < len(l.engine.connections) {
		l.used++
		return int32(l.used - 1)
	}
	i := l.pop(slices.IndexFunc(l.free, func(free []int32) bool { return len(free) > 0 }))
	l.engine.sockets.close(&l.engine.connections[i].socket)
	return i
}

// pop removes and returns the free connection to a server that was used last.
func (l *openLoop) pop(server int) int32 {
	last := len(l.free[server]) - 1
	i := l.free[server][last]
	l.free[server] = l.free[server][:last]
	return i
}

func (l *openLoop) freed(i int32) {
	server := l.engine.connections[i].origin
	l.free[server] = append(l.free[server], i)
	l.noteFree()
}

func (l *openLoop) turn() {}

func (l *openLoop) next() (at int64, polling bool) {
	taken, clock := l.take(), l.engine.clock
	switch {
	case l.nextDue == never:
		return never, false
	case !taken:
		return l.nextDue + l.engine.config.Timeout.Nanoseconds() + 1, false
	default:
		early := l.nextDue - l.engine.meter.early()
		return early, early <= clock && clock < l.nextDue
	}
}

// finished is false until the window ends, even if the last answer came long before: the meter reads at its end, and
// others observe the server until then.
func (l *openLoop) finished() bool {
	return l.nextDue == never && l.engine.window.isOver(l.engine.clock)
}

// schedule computes when the requests of the warm-up and then of the window are due.
type schedule struct {
	phases [2]phase // warm-up and window
	phase  int
	first  int64      // number of the phase's first request
	k      int64      // number in the phase of the request last looked at
	y      float64    // its time since the start of the phase, in mean distances of requests
	random *rand.Rand // of Poisson arrivals; nil for constant ones
}

type phase struct {
	start  int64
	length float64 // in nanoseconds
	rate   float64 // requests per nanosecond
	end    float64 // in mean distances of requests
}

func newSchedule(c *Config, base int64) *schedule {
	s := &schedule{phases: [2]phase{newPhase(c, base, c.Warmup), newPhase(c, base+c.Warmup.Nanoseconds(), c.Duration)}}
	if c.Arrivals == PoissonArrivals {
		s.random = rand.New(rand.NewPCG(c.Seed, uint64(len(PoissonArrivals))))
	}
	s.y = s.distance()
	return s
}

func newPhase(c *Config, start int64, length time.Duration) phase {
	const rounding = 1e-9 // a request at the very end is not in the phase, however its time is rounded
	rate := c.Rate / float64(time.Second)
	return phase{start, float64(length), rate, float64(length) * rate * (1 - rounding)}
}

// distance draws the distance of a request from the one before it, or of the first from the start. Those of Poisson
// arrivals are exponential.
func (s *schedule) distance() float64 {
	if s.random == nil {
		return 0 // at sets y by itself
	}
	return s.random.ExpFloat64()
}

// at returns when request n is due, counted from 0; never if there are not as many. n must not fall from call to call.
func (s *schedule) at(n int64) int64 {
	for ; s.phase < len(s.phases); s.phase++ {
		p := &s.phases[s.phase]
		for s.first+s.k < n && s.y < p.end {
			if s.random == nil {
				s.k = min(n-s.first, int64(math.Ceil(p.end)))
				s.y = float64(s.k)
			} else {
				s.k++
				s.y += s.distance()
			}
		}
		if s.y < p.end {
			return p.start + int64(min(s.y/p.rate, p.length))
		}
		s.first, s.k, s.y = s.first+s.k, 0, s.distance()
	}
	return never
}

// number returns a number that is unique to the request of the last call of at.
func (s *schedule) number() uint64 { return uint64(s.k) + 1 + uint64(s.phase)<<62 }
