package loadgen

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/slice"
)

// engine drives its share of the connections on one thread. Engines share only the run.
type engine struct {
	*run
	index, engines int // its index, and how many there are

	context     context.Context
	pacing      pacing
	sockets     sockets
	handshakes  handshakes
	meter       meter
	tally       *tally
	uncounted   []outcome  // not yet in the tally
	presences   []presence // by client, if a number of requests ends a closed loop; nil otherwise
	connections []connection
	perClient   int   // connections: a client of a closed loop has one for each server
	clock       int64 // the run's clock when it was last read
	heard       int64 // when an event last came
	broken      bool  // the connection that was read last is broken
	err         error // why this engine cannot measure

	buffer, plain []byte
	heads         []headCache // by target
	addresses     [][]address // by origin

	// freeSince is when the connection that has been free for longest became free: 0 for one that was never used, never if
	// none is free. Other engines of an open loop read it.
	freeSince atomic.Int64

	flight connectionList // connections with a request under way, the oldest first
	ready  []int32        // connections whose clients continue in the next turn
}

// pacing decides when requests start.
type pacing interface {
	due(most int)                   // starts requests that are due on a schedule, at most this many
	turn()                          // does everything else that is due by the clock
	freed(connection int32)         // the request on a connection has ended
	next() (at int64, polling bool) // when something is next due by the clock, and whether the engine polls until then
	finished() bool                 // no more requests will start, if none is under way
}

func newEngine(ctx context.Context, r *run, index, engines int) (*engine, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	e := &engine{
		run: r, index: index, engines: engines, context: ctx, sockets: sockets{poller: p},
		handshakes: handshakes{negotiated: make(map[TLS]bool)},
		tally:      newTally(r.window, r.config),
		uncounted:  make([]outcome, 0, mostEvents),
		buffer:     make([]byte, bufferSize),
		heads:      make([]headCache, len(r.targets)),
		flight:     newQueue(),
		perClient:  1,
	}
	if r.config.secure() {
		e.plain = make([]byte, bufferSize)
	}
	for _, o := range r.origins {
		e.addresses = append(e.addresses, slice.Map(o.addresses, newAddress))
	}
	// This engine has the connections index, index + engines, and so on, so that rounding loses none.
	clients := (r.config.Connections - index + engines - 1) / engines
	if !r.config.Open() {
		e.perClient = len(r.origins)
		if r.config.Requests > 0 && !r.config.Cut {
			e.presences = make([]presence, clients)
		}
	}
	e.connections = make([]connection, clients*e.perClient)
	return e, nil
}

// work runs the engine's share of the load until every request has ended.
func (e *engine) work() error {
	// Without an unlock the thread, whose timers are now exact, ends with this goroutine.
	runtime.LockOSThread()
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	if e.config.Sharing {
		requestShortSlice()
	}
	defer e.handshakes.running.Wait()
	defer func() { e.sockets.closeAll(e.connections) }()
	e.meter.prepare(e.warm)
	e.clock = e.now()
	if e.config.Open() {
		e.pacing = newOpenLoop(e)
	} else {
		e.pacing = newClosedLoop(e)
	}
	back := e.clock
	for {
		e.clock = e.now()
		if e.clock >= e.meter.next(e.window) {
			e.meter.take(e.now())
		}
		e.turn()
		e.count()
		if e.err != nil || e.cancelled.Load() || e.finished() {
			e.meter.stop(e.now())
			return e.err
		}
		e.meter.noteStall(back, e.clock)
		timeout, polling := e.untilNext()
		n, limit := e.sockets.poller.wait(timeout)
		now := e.now()
		e.meter.noteStall(e.clock+limit, now)
		if n == 0 {
			e.meter.noteWait(limit, now-e.clock, polling)
		} else {
			e.heard = now
		}
		back, e.clock = now, now
		for k := range n {
			e.handle(&e.sockets.poller.events[k])
			e.pacing.due(mostAfterEvent)
		}
	}
}

// requestShortSlice asks the kernel for its shortest time slice: a thread that wakes up preempts one with a longer
// slice, and otherwise may wait milliseconds for the end of that slice. Kernels before 6.12 ignore the request, which
// does no harm.
func requestShortSlice() {
	const shortSlice = 100 * time.Microsecond
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_NORMAL, Runtime: uint64(shortSlice)}, 0)
}

// Limits of requests that leave on schedule before the engine looks for answers again. Without them, an overloaded
// engine would see no answers until all connections are taken.
const (
	mostInTurn     = 16
	mostAfterEvent = 2
)

// turn does everything that is due by the clock.
func (e *engine) turn() {
	e.pacing.due(mostInTurn)
	if n := len(e.ready); n > 0 {
		for k := 0; k < n && e.err == nil; k++ {
			e.pacing.freed(e.ready[k])
		}
		e.ready = e.ready[:copy(e.ready, e.ready[n:])]
	}
	for e.flight.first != none && e.isLate(e.connections[e.flight.first].start) {
		e.expire(e.flight.first)
	}
	if at := e.cutAt.Load(); at != never {
		for e.flight.first != none {
			e.cut(e.flight.first, at)
		}
	}
	if e.sockets.departing > 0 {
		e.sockets.endDepartures(e.clock)
	}
	e.pacing.turn()
}

func (e *engine) isLate(start int64) bool { return e.clock-start > e.config.Timeout.Nanoseconds() }

// untilNext returns how long the engine can wait for an event, in nanoseconds, and whether it is to poll.
func (e *engine) untilNext() (timeout int64, polling bool) {
	if len(e.ready) > 0 {
		return 0, false
	}
	next, polling := e.pacing.next()
	if polling {
		return 0, true
	}
	next = min(next, e.clock+longestWait, e.meter.next(e.window))
	if e.flight.first != none {
		next = min(next, e.connections[e.flight.first].start+e.config.Timeout.Nanoseconds()+1)
	}
	if s := &e.sockets; s.departing > 0 {
		next = min(next, s.departures[s.departed].until)
	}
	return max(0, next-e.clock), false
}

func (e *engine) finished() bool {
	return e.flight.first == none && e.sockets.departing == 0 && len(e.ready) == 0 && e.pacing.finished()
}

func (e *engine) handle(event *unix.EpollEvent) {
	if int(event.Fd) == e.sockets.poller.event {
		e.sockets.poller.woken()
		e.collect()
		return
	}
	i := e.sockets.slotOf(event)
	if i == nobody {
		return
	}
	c := &e.connections[i]
	const trouble = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	switch c.state {
	case connecting:
		e.clock = e.now()
		e.connected(i, c)
		return
	case sending:
		if event.Events&unix.EPOLLOUT != 0 {
			e.clock = e.now()
			e.send(i, c)
		}
	}
	if event.Events&(unix.EPOLLIN|trouble) == 0 {
		return
	}
	switch c.state {
	case sending, waiting:
		e.read(i, c, event.Events&trouble != 0)
	case idle:
		e.clock = e.now()
		e.inspect(c, event.Events&trouble != 0)
	}
}

// begin puts a request for a target on a connection and sends it.
func (e *engine) begin(i int32, target int, start int64) {
	c, t := &e.connections[i], &e.targets[target]
	c.outcome = outcome{slot: i, target: int32(target), start: start, sent: e.clock, connect: none, tls: none,
		stale: c.stale, unrequested: c.unrequested, late: c.late}
	c.origin, c.written, c.retried, c.sendFailed = int32(t.origin), 0, false, false
	c.answer.head = t.method == "HEAD"
	c.answer.reset()
	e.flight.push(e.connections, i)
	if c.reused = c.state == idle; c.reused {
		e.send(i, c)
	} else {
		e.open(i, c)
	}
}

// judge ends a request whose answer is complete. An answer that was read after the timeout is a failure, even if no
// turn has expired the request yet.
func (e *engine) judge(i int32, c *connection) {
	kind, v := Kind(""), e.config.Verify
	switch {
	case e.isLate(c.start):
		kind = Timeout
	case !v.hasRightStatus(c.answer.status) || !v.hasRightLength(c.answer.length):
		kind = Wrong
	}
	e.finish(i, c, kind, c.answer.status)
}

// fail ends a request that has no complete answer. Its client continues in the next turn, so that a client whose
// connections fail at once does not block the others.
func (e *engine) fail(i int32, c *connection, kind Kind) {
	if e.isLate(c.start) && kind != Connect && kind != Ports {
		kind = Timeout // the timeout came first
	}
	e.sockets.close(&c.socket)
	e.finish(i, c, kind, 0)
	e.ready = append(e.ready, i)
}

// expire ends a request at its timeout.
func (e *engine) expire(i int32) {
	c, kind := &e.connections[i], Timeout
	if c.state == connecting || c.state == securing {
		kind = Connect
	}
	e.fail(i, c, kind)
}

// cut ends a request that was under way when the last wanted one ended.
func (e *engine) cut(i int32, at int64) {
	c := &e.connections[i]
	if c.state != unconnected { // close it by a reset: nobody would repeat lost bytes once this machine is gone
		unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	e.sockets.close(&c.socket)
	e.note(i, c, at, true)
	e.ready = append(e.ready, i)
}

// finish notes how a request ended. It is counted after everything that can be sent has been: clients and server wait
// for requests, counting can wait.
func (e *engine) finish(i int32, c *connection, kind Kind, status int) {
	c.kind, c.status = kind, status
	e.note(i, c, e.clock, e.countEnd(c.start, e.clock))
}

// note keeps the outcome of a request that has ended until it is counted.
func (e *engine) note(i int32, c *connection, end int64, cut bool) {
	e.flight.remove(e.connections, i)
	if len(e.uncounted) == cap(e.uncounted) {
		e.count()
	}
	c.end, c.cut = end, cut
	e.uncounted = append(e.uncounted, c.outcome)
	c.stale, c.unrequested = false, false
}

// count adds the noted outcomes to the tally.
func (e *engine) count() {
	for k := range e.uncounted {
		o := &e.uncounted[k]
		e.tally.add(o)
		if e.presences != nil {
			e.presences[int(o.slot)/e.perClient].next(e.window, o, e.config.Think)
		}
	}
	e.uncounted = e.uncounted[:0]
}
