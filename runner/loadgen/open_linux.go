package loadgen

import ()

// openLoop starts requests on schedule. One that finds all connections taken waits for one, and those behind it wait as
// well.
type openLoop struct {
	engine     *engine
	arrivals   *schedule
	nextDue    int64 // when the next request is due, never if there is none any more
	nextDraw   uint64
	nextTarget int

	free    [][]int32 // connections without a request, by server; the one that was used last comes last
	used    int       // connections that were ever used
	starved bool      // the next request is due, and no connection is free
	hungry  int64     // when that was so last
}

func newOpenLoop(e *engine) *openLoop {
	return &openLoop{engine: e, nextDue: never, hungry: -1, free: make([][]int32, len(e.origins))}
}

func (l *openLoop) begin() {
	l.arrivals = newSchedule(l.engine.config, l.engine.started, l.engine.index, l.engine.engines)
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
	l.nextDraw = mix(mix(l.engine.config.Seed) + l.arrivals.Number())
	l.nextTarget = l.engine.draw(l.nextDraw)
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
	l.engine.tally.Add(&outcome{Start: due, End: l.engine.clock, Sent: NeverSent, Kind: Timeout,
		Connect: none,
		TLS:     none, Blocked: true})
	l.starved = false
	l.prepareNext()
}

// acquire takes a connection for a request to a server: one to it, an unused one, or one to another server, which is
// given up.
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

// take takes the free connection to a server that was used last.
func (l *openLoop) take(server int) int32 {
	last := len(l.free[server]) - 1
	i := l.free[server][last]
	l.free[server] = l.free[server][:last]
	return i
}

// freed gives a connection back.
func (l *openLoop) freed(i int32) {
	server := l.engine.connections[i].origin
	l.free[server] = append(l.free[server], i)
}

func (l *openLoop) turn() {}

func (l *openLoop) counted(*outcome) {}

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

func (l *openLoop) finished() bool { return l.nextDue == never }
