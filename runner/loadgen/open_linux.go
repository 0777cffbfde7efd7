package loadgen

import (
	"math/rand/v2"
	"time"
)

// openLoop sends requests on schedule. One that finds no free connection waits for one and holds up those behind it.
type openLoop struct {
	engine     *engine
	schedule   *schedule
	nextDue    int64 // when the next request is due; never after the last
	nextTarget int

	free    [][]int32 // connections without a request, by server; the one used last comes last
	used    int       // connections that were ever used
	starved bool      // the next request is due, and no connection is free
	hungry  int64     // when starved was last set; -1 for never
}

func newOpenLoop(e *engine) *openLoop {
	l := &openLoop{engine: e, hungry: -1, free: make([][]int32, len(e.origins)),
		schedule: newSchedule(e.config, e.started, e.index, e.engines)}
	l.prepareNext()
	return l
}

func (l *openLoop) prepareNext() {
	due, ok := l.schedule.next()
	if !ok {
		l.nextDue = never
		return
	}
	l.nextDue = due
	l.nextTarget = l.engine.draw(mix(mix(l.engine.config.Seed) + l.schedule.number()))
}

func (l *openLoop) due(most int) {
	for e := l.engine; most > 0 && l.nextDue <= e.clock && e.err == nil; most-- {
		due := l.nextDue
		if e.isLate(due) {
			l.missed(due)
			continue
		}
		i, ok := l.acquire(e.targets[l.nextTarget].origin)
		if l.starved = !ok; l.starved {
			l.hungry = e.clock
			return
		}
		e.connections[i].blocked = due <= l.hungry
		e.clock = e.now()
		e.begin(i, l.nextTarget, due)
		e.meter.noteSent()
		l.prepareNext()
		e.clock = e.now()
	}
}

// missed counts a request that found no free connection before its timeout.
func (l *openLoop) missed(due int64) {
	l.engine.tally.add(&outcome{start: due, end: l.engine.clock, sent: NeverSent, kind: Timeout, connect: none, tls: none,
		blocked: true})
	l.starved = false
	l.prepareNext()
}

// acquire takes a connection for a request to a server: a free one to it, an unused one, or a free one to another
// server, which is closed.
func (l *openLoop) acquire(server int) (i int32, ok bool) {
	if len(l.free[server]) > 0 {
		return l.take(server), true
	}
	if l.used < len(l.engine.connections) {
		l.used++
		return int32(l.used - 1), true
	}
	for other := range l.free {
		if len(l.free[other]) > 0 {
			i = l.take(other)
			l.engine.sockets.close(&l.engine.connections[i].socket)
			return i, true
		}
	}
	return 0, false
}

// take removes and returns the free connection to a server that was used last.
func (l *openLoop) take(server int) int32 {
	last := len(l.free[server]) - 1
	i := l.free[server][last]
	l.free[server] = l.free[server][:last]
	return i
}

func (l *openLoop) freed(i int32) {
	server := l.engine.connections[i].origin
	l.free[server], l.starved = append(l.free[server], i), false
}

func (l *openLoop) turn() {}

func (l *openLoop) next() (at int64, polling bool) {
	switch clock := l.engine.clock; {
	case l.nextDue == never:
		return never, false
	case l.starved:
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

// schedule computes when the requests of one engine are due. Request k of the warm-up, and of the window, belongs to
// engine k mod engines.
type schedule struct {
	phases  [2]phase // warm-up and window
	phase   int
	k       uint64 // number of the next request of the phase
	engine  uint64
	engines uint64
	random  *rand.Rand // of Poisson arrivals, in the same state in all engines; nil for constant ones
	sum     float64    // of the distances drawn, in requests
}

type phase struct {
	start  int64
	length float64 // in nanoseconds
	rate   float64 // requests per nanosecond
}

// when returns the time of request y, counted from 0, since the start of the phase; ok is false at its end or later.
func (p phase) when(y float64) (t int64, ok bool) {
	const rounding = 1e-9 // a request at the very end is not in the phase, however its time is rounded
	if p.length <= 0 || y >= p.length*p.rate*(1-rounding) {
		return 0, false
	}
	return int64(min(y/p.rate, p.length)), true
}

func newSchedule(c *Config, base int64, engine, engines int) *schedule {
	rate := c.Rate / float64(time.Second)
	s := &schedule{engine: uint64(engine), engines: uint64(engines), phases: [2]phase{
		{base, float64(c.Warmup), rate}, {base + c.Warmup.Nanoseconds(), float64(c.Duration), rate}}}
	if c.Arrivals == PoissonArrivals {
		s.random = rand.New(rand.NewPCG(c.Seed, uint64(len(PoissonArrivals))))
	}
	return s
}

// next returns when the engine's next request is due; ok is false after the last. Distances of Poisson arrivals are
// exponential.
func (s *schedule) next() (due int64, ok bool) {
	for s.phase < len(s.phases) {
		y := float64(s.k)
		if s.random != nil {
			s.sum += s.random.ExpFloat64()
			y = s.sum
		}
		t, ok := s.phases[s.phase].when(y)
		if !ok {
			s.phase, s.k, s.sum = s.phase+1, 0, 0
			continue
		}
		mine := s.k%s.engines == s.engine
		if s.k++; mine {
			return s.phases[s.phase].start + t, true
		}
		if s.random == nil {
			s.k += (s.engine + s.engines - s.k%s.engines) % s.engines
		}
	}
	return 0, false
}

// number returns a number that is unique to the request that next has just returned.
func (s *schedule) number() uint64 { return s.k + uint64(s.phase)<<62 }
