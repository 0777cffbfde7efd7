package loadgen

import (
	"context"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// never is a time that does not come.
const never = math.MaxInt64

// engine drives its share of the connections, on one thread, which it keeps. Engines share nothing but the run's clock,
// its window, and the count of requests where that is limited.
type engine struct {
	*run
	index, engines int // its number, and how many there are

	context     context.Context
	pacing      pacing
	sockets     sockets
	handshakes  handshakes
	meter       meter
	tally       *tally
	uncounted   []outcome // that the tally is still to be told of
	connections []connection
	perClient   int   // connections: those of a client of a closed loop are one for each server
	clock       int64 // when it was last read
	heard       int64 // when an event last came
	broken      bool  // the connection that was read last is
	err         error // why this engine cannot measure

	buffer, plain, text []byte
	heads               []headCache // by target
	addresses           [][]address // by origin

	flight queue   // connections with a request, by its start
	ready  []int32 // connections whose clients go on in the next turn
}

// pacing decides when requests start.
type pacing interface {
	// begin is called once, when the load begins.
	begin()
	// due starts requests that are due on a schedule, but no more than so many.
	due(most int)
	// turn does what else the clock asks for.
	turn()
	// freed is told that the request on a connection has ended, so that another one may follow.
	freed(connection int32)
	// counted is told of each request that has ended, before another one starts.
	counted(o *outcome)
	// next is when the clock will ask for something, and whether the engine is to stay awake until then.
	next() (at int64, polling bool)
	// finished reports whether no request will start any more, if none is on its way.
	finished() bool
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
	if r.config.Secure() {
		e.plain = make([]byte, bufferSize)
	}
	for _, o := range r.origins {
		var addresses []address
		for _, a := range o.addresses {
			address, err := newAddress(a)
			if err != nil {
				p.close()
				return nil, err
			}
			addresses = append(addresses, address)
		}
		e.addresses = append(e.addresses, addresses)
	}
	// The places of this engine are those with the numbers index, index + engines, ..., so none is lost to rounding.
	clients := (r.config.Connections - index + engines - 1) / engines
	if r.config.Open() {
		e.pacing = newOpenLoop(e)
	} else {
		e.perClient = len(r.origins)
		e.pacing = newClosedLoop(e, clients)
	}
	e.connections = make([]connection, clients*e.perClient)
	return e, nil
}

// shortSlice is the shortest that the kernel gives a thread.
const shortSlice = 100 * time.Microsecond

// hurry asks for the shortest slice: a thread with a shorter one than that of the thread on its core takes the core as
// soon as it wakes up, and else waits for the end of that slice, which may be milliseconds. Kernels before 6.12 know
// no slices of threads, and nothing is lost there.
func hurry() {
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_NORMAL, Runtime: uint64(shortSlice)}, 0)
}

// work puts the load on until every request has ended.
func (e *engine) work() error {
	// The thread ends with this goroutine, since it is not like others any more: its timers are exact.
	runtime.LockOSThread()
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	if e.config.Sharing {
		hurry()
	}
	defer e.handshakes.running.Wait()
	defer func() { e.sockets.closeAll(e.connections) }()
	e.meter.prepare()
	e.clock = e.now()
	e.pacing.begin()
	back := e.clock
	for {
		e.clock = e.now()
		e.meter.mark(e)
		e.turn()
		e.count()
		if e.err != nil || e.cancelled.Load() || e.finished() {
			e.meter.stop(e.now())
			return e.err
		}
		e.meter.stood(back, e.clock)
		timeout, polling := e.untilNext()
		n, limit := e.sockets.poller.wait(timeout)
		now := e.now()
		e.meter.stood(e.clock+limit, now)
		if n == 0 {
			e.meter.waited(limit, now-e.clock, polling)
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

// How many requests leave on schedule before answers are looked at again: where more are due than can be sent, answers
// would go unseen until all connections are taken.
const (
	mostInTurn     = 16
	mostAfterEvent = 2
)

// turn does what the clock asks for.
func (e *engine) turn() {
	e.pacing.due(mostInTurn)
	if n := len(e.ready); n > 0 {
		for k := 0; k < n && e.err == nil; k++ {
			e.pacing.freed(e.ready[k])
		}
		e.ready = e.ready[:copy(e.ready, e.ready[n:])]
	}
	for e.flight.first != none && e.late(e.connections[e.flight.first].start) {
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

func (e *engine) late(start int64) bool { return e.clock-start > e.config.Timeout.Nanoseconds() }

// untilNext is how long nothing is to be done unless an event comes, and whether the engine is to stay awake for what
// comes then.
func (e *engine) untilNext() (timeout int64, polling bool) {
	if len(e.ready) > 0 {
		return 0, false
	}
	next, polling := e.pacing.next()
	if polling {
		return 0, true
	}
	next = min(next, e.clock+longestWait, e.meter.next())
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

// handle takes note of an event.
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
func (e *engine) begin(i int32, target int, draw uint64, start int64) {
	c, t := &e.connections[i], &e.targets[target]
	c.target, c.origin, c.draw = int32(target), int32(t.origin), draw
	c.start, c.sent = start, e.clock
	c.firstByte, c.connect, c.tls, c.bytesIn, c.bytesOut, c.written = 0, none, none, 0, 0, 0
	c.retried, c.sendFailed = false, false
	c.answer.head = t.request.Method == "HEAD"
	c.answer.reset()
	e.flight.push(e.connections, i)
	if c.reused = c.state == idle; c.reused {
		e.send(i, c)
	} else {
		e.open(i, c)
	}
}

// judge decides whether a whole answer is a right one, and counts it. An answer that we only got to see after its
// timeout came too late, even if no turn has come to it since.
func (e *engine) judge(i int32, c *connection) {
	kind := kindOf(e.config.Verify, e.config.Timeout, e.clock-c.start, c.answer.status, c.answer.length)
	e.finish(i, c, kind, c.answer.status)
}

// kindOf is the kind of failure of a whole answer, none if it is right.
func kindOf(v *Verify, timeout time.Duration, took int64, status int, length int64) Kind {
	switch {
	case took > timeout.Nanoseconds():
		return Timeout
	case !isRight(v, status, length):
		return Wrong
	}
	return ""
}

// fail ends a request without an answer. Its client goes on in the next turn, so that one whose connections fail at
// once does not keep the others waiting.
func (e *engine) fail(i int32, c *connection, kind Kind) {
	if e.late(c.start) && kind != Connect && kind != Ports {
		kind = Timeout // whatever happened after it
	}
	e.sockets.close(&c.socket)
	e.finish(i, c, kind, 0)
	e.ready = append(e.ready, i)
}

// expire ends a request that has had its time.
func (e *engine) expire(i int32) {
	c, kind := &e.connections[i], Timeout
	if c.state == connecting || c.state == securing {
		kind = Connect
	}
	e.fail(i, c, kind)
}

// cut ends a request that was under way when the last of those wanted was done.
func (e *engine) cut(i int32, at int64) {
	c := &e.connections[i]
	if c.state != unconnected { // by a reset: nobody repeats what is lost once this machine is gone
		unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	e.sockets.close(&c.socket)
	e.note(i, c, outcome{End: at, Cut: true})
	e.ready = append(e.ready, i)
}

// finish notes what became of a request. It is counted once all that can be sent has been: its client waits for its
// next request, and the server for all of them, while counting can be done as well when there is nothing else to do.
func (e *engine) finish(i int32, c *connection, kind Kind, status int) {
	e.note(i, c, outcome{End: e.clock, Kind: kind, Status: status, Cut: e.isOneTooMany(c.start, e.clock)})
}

// note keeps the outcome of the request on a connection, from which the rest of it is, until it is counted.
func (e *engine) note(i int32, c *connection, o outcome) {
	e.flight.remove(e.connections, i)
	if len(e.uncounted) == cap(e.uncounted) {
		e.count()
	}
	o.Slot, o.Target = i, c.target
	o.Start, o.Sent, o.FirstByte, o.Connect, o.TLS = c.start, c.sent, c.firstByte, c.connect, c.tls
	o.Stale, o.Unrequested, o.Blocked, o.BytesIn, o.BytesOut = c.stale, c.unrequested, c.blocked, c.bytesIn, c.bytesOut
	e.uncounted = append(e.uncounted, o)
	c.stale, c.unrequested, c.blocked = false, false, false
}

// count tells the tally of the requests that have ended since it was told last.
func (e *engine) count() {
	for k := range e.uncounted {
		o := &e.uncounted[k]
		e.tally.Add(o)
		e.pacing.counted(o)
	}
	e.uncounted = e.uncounted[:0]
}
