package http

// openLoop is what an engine needs to know of its schedule in an open loop.
type openLoop struct {
	arrivals   *arrivals
	nextDue    int64 // when the next request is due, never if there is none any more
	nextDraw   uint64
	nextTarget int

	free    [][]int32 // places without a request, by server; the one that was used last comes last
	used    int       // places that were ever used
	starved bool      // the next request is due, and no place is free
	hungry  int64     // when that was so last
}

func (e *engine) startOpen() {
	e.arrivals = newArrivals(e.config, e.started, e.index, e.engines)
	e.hungry = -1
	e.prepareNext()
}

// prepareNext finds out what is due next.
func (e *engine) prepareNext() {
	due, ok := e.arrivals.next()
	if !ok {
		e.nextDue = never
		return
	}
	e.nextDue = due
	e.nextDraw = mix(mix(e.config.Seed) + e.arrivals.k + uint64(e.arrivals.phase)<<62)
	e.nextTarget = e.draw(e.nextDraw)
}

// How many requests leave before answers are looked at again: where more are due than can be sent, answers would go
// unseen until all connections are taken.
const (
	pumpedInTurn     = 16
	pumpedAfterEvent = 2
)

// pump sends what is due, but no more than so many requests. One that finds all connections taken waits for one, and
// those behind it wait as well.
func (e *engine) pump(most int) {
	for ; most > 0 && e.nextDue <= e.clock && e.err == nil; most-- {
		due := e.nextDue
		if e.late(due) {
			e.missed(due)
			continue
		}
		server := e.targets[e.nextTarget].origin
		i, ok := e.acquire(server)
		if e.starved = !ok; e.starved {
			e.hungry = e.clock
			return
		}
		c := &e.connections[i]
		c.draw, c.target, c.origin, c.blocked = e.nextDraw, int32(e.nextTarget), int32(server), due <= e.hungry
		e.clock = e.now()
		e.begin(i, c, due)
		e.meter.left()
		e.prepareNext()
		e.clock = e.now()
	}
}

// missed counts a request that no connection was free for until its timeout.
func (e *engine) missed(due int64) {
	o := outcome{start: due, end: e.clock, sent: unopened, kind: Timeout, connect: none, tls: none, blocked: true}
	if err := e.tally.add(&o); err != nil {
		e.err = err
	}
	e.starved = false
	e.prepareNext()
}

// acquire takes a place for a request to a server: one with a connection to it, an unused one, or one whose connection
// to another server is given up.
func (e *engine) acquire(server int) (i int32, ok bool) {
	if n := len(e.free[server]); n > 0 {
		i = e.free[server][n-1]
		e.free[server] = e.free[server][:n-1]
		return i, true
	}
	if e.used < len(e.connections) {
		e.used++
		return int32(e.used - 1), true
	}
	for other := range e.free {
		if n := len(e.free[other]); n > 0 {
			i = e.free[other][n-1]
			e.free[other] = e.free[other][:n-1]
			e.close(&e.connections[i])
			return i, true
		}
	}
	return 0, false
}

// release gives a place back.
func (e *engine) release(i int32) {
	server := e.connections[i].origin
	e.free[server] = append(e.free[server], i)
}
