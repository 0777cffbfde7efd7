package generator

import (
	"benchbook/runner/load/http"
	"benchbook/runner/schedule"
	"benchbook/runner/tally"
)

// openLoop starts requests on schedule. One that finds all connections taken waits for one, and those behind it wait as
// well.
type openLoop struct {
	engine     *engine
	arrivals   *schedule.Arrivals
	nextDue    int64 // when the next request is due, never if there is none any more
	nextDraw   uint64
	nextTarget int

	// connections without a request, by server; the one that was used last comes last. If these are clients', the clients
	// without a request or journey, all in the first place.
	free    [][]int32
	clients bool // each has places for requests to each server: in a load with steps, or over HTTP/2
	used    int  // connections that were ever used, or clients
	pauses  pauses
	further uint64 // requests behind the first of their journeys
	starved bool   // the next request is due, and no connection is free
	hungry  int64  // when that was so last
}

func newOpenLoop(e *engine) *openLoop {
	return &openLoop{engine: e, nextDue: never, hungry: -1, free: make([][]int32, len(e.origins)), pauses: newPauses(e),
		clients: e.journeys != nil || e.config.Protocol != http.HTTP1}
}

func (l *openLoop) begin() {
	l.arrivals = schedule.NewArrivals(l.engine.config, l.engine.started, l.engine.index, l.engine.engines)
	l.prepareNext()
}

// prepareNext finds out what is due next.
func (l *openLoop) prepareNext() {
	due, ok := l.arrivals.Next()
	if !ok {
		l.nextDue = never
		return
	}
	l.nextDue = due
	l.nextDraw = http.Mix(http.Mix(l.engine.config.Seed) + l.arrivals.Number())
	if l.engine.journeys == nil {
		l.nextTarget = l.engine.draw(l.nextDraw)
	}
}

func (l *openLoop) due(most int) {
	for e := l.engine; most > 0 && l.nextDue <= e.clock && e.err == nil; most-- {
		due := l.nextDue
		if e.late(due) {
			l.missed(due)
			continue
		}
		i, ok := l.acquire(e.targets[l.nextTarget].origin)
		if l.starved = !ok; l.starved {
			l.hungry = e.clock
			return
		}
		if e.journeys != nil {
			_, i = e.journeys.next(int(i), due)
		} else if l.clients {
			i = i*int32(e.perClient) + int32(e.targets[l.nextTarget].origin)
		}
		e.connections[i].blocked = due <= l.hungry
		e.clock = e.now()
		e.begin(i, l.nextTarget, l.nextDraw, due)
		e.meter.left()
		l.prepareNext()
		e.clock = e.now()
	}
}

// missed counts a request that no connection was free for until its timeout.
func (l *openLoop) missed(due int64) {
	l.engine.tally.Add(&tally.Outcome{Start: due, End: l.engine.clock, Sent: tally.NeverSent, Kind: http.Timeout,
		Connect: none,
		TLS:     none, Blocked: true})
	if l.engine.journeys != nil {
		l.engine.tally.Journey(&tally.Outcome{Start: due, End: l.engine.clock, Kind: http.Timeout})
	}
	l.starved = false
	l.prepareNext()
}

// acquire takes a connection for a request to a server: one to it, an unused one, or one to another server, which is
// given up. If connections are clients' it takes a client.
func (l *openLoop) acquire(server int) (i int32, ok bool) {
	if l.clients {
		server = 0
	}
	if len(l.free[server]) > 0 {
		return l.take(server), true
	}
	if l.used < len(l.engine.connections)/l.engine.perClient {
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

// take takes the free connection to a server that was used last.
func (l *openLoop) take(server int) int32 {
	last := len(l.free[server]) - 1
	i := l.free[server][last]
	l.free[server] = l.free[server][:last]
	return i
}

// freed gives a connection back, or lets a client go on with its journey.
func (l *openLoop) freed(i int32) {
	if j := l.engine.journeys; j != nil {
		if n := j.clientOf(i); !j.isUnderWay(n) {
			l.free[0] = append(l.free[0], int32(n))
		} else if !l.pauses.begin(i) {
			l.goOn(n)
		}
		return
	}
	if l.clients {
		l.free[0] = append(l.free[0], i/int32(l.engine.perClient))
		return
	}
	server := l.engine.connections[i].origin
	l.free[server] = append(l.free[server], i)
}

// goOn sends the next request of a journey, if it is not to be cut.
func (l *openLoop) goOn(n int) {
	e := l.engine
	if e.window.Over(e.clock) {
		e.journeys.leave(n)
		l.free[0] = append(l.free[0], int32(n))
		return
	}
	l.further++
	draw := http.Mix(http.Mix(e.config.Seed+uint64(e.index)<<32) + l.further)
	target, i := e.journeys.next(n, e.clock)
	e.begin(i, target, draw, e.clock)
}

// turn lets journeys go on; others wait for their schedule alone.
func (l *openLoop) turn() {
	for i := l.pauses.over(); i != none; i = l.pauses.over() {
		l.goOn(l.engine.journeys.clientOf(i))
	}
}

func (l *openLoop) counted(*tally.Outcome) {}

func (l *openLoop) next() (at int64, polling bool) {
	goesOn := l.pauses.next()
	switch clock := l.engine.clock; {
	case l.nextDue == never:
		return goesOn, false
	case l.starved:
		return min(goesOn, l.nextDue+l.engine.config.Timeout.Nanoseconds()+1), false
	default:
		early := l.nextDue - l.engine.meter.early()
		return min(goesOn, early), early <= clock && clock < l.nextDue
	}
}

func (l *openLoop) finished() bool { return l.nextDue == never && l.pauses.next() == never }
