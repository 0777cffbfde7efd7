package http

import (
	"context"
	"math"
	"net/netip"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// worthSkipping is how much of a body has to come before it pays to have the kernel drop it.
	worthSkipping = 8 << 10
	// mostSkipped bounds what the kernel drops at a time, so that the clock is read now and then.
	mostSkipped = 1 << 24
	// mostReads bounds how long one connection keeps the others waiting.
	mostReads = 16
	// patience is how long a server that has announced the end of a connection may take to close it.
	patience = int64(100 * time.Millisecond)
	// never is a time that does not come.
	never = math.MaxInt64
)

// engine drives its share of the connections, on one thread, which it keeps. Engines share nothing but the run's clock,
// its window, and the count of requests where that is limited.
type engine struct {
	*run
	index, engines int // its number among those of all parts of the load, and how many there would be if all parts had as many
	context        context.Context
	poller         *poller
	tally          *tally
	uncounted      []outcome // that the tally is still to be told of
	connections    []connection
	owners         []owner // by file descriptor
	generation     uint32  // of the socket opened last
	clock          int64   // when it was last read
	err            error   // why this engine cannot measure

	buffer, plain, text []byte
	heads               []headCache // by target
	addresses           [][]unix.Sockaddr
	families            [][]int
	negotiated          map[TLS]bool

	flight     queue       // connections with a request, by its start
	thinking   queue       // connections whose client pauses, by the end of that
	ready      []int32     // connections whose clients go on in the next turn
	departures []departure // by their end
	departed   int         // the first of them that are over and still there
	departing  int         // how many are not over

	mu         sync.Mutex
	arrived    []handshaken // what handshakes have come to
	handshakes sync.WaitGroup

	closedLoop
	openLoop
	meter
}

func newEngine(ctx context.Context, r *run, index, engines int) (*engine, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	e := &engine{
		run: r, index: index, engines: engines, context: ctx, poller: p,
		tally:     newTally(r.window, r.config),
		uncounted: make([]outcome, 0, mostEvents),
		buffer:    make([]byte, bufferSize),
		heads:     make([]headCache, len(r.targets)),
		flight:    newQueue(), thinking: newQueue(),
		negotiated: make(map[TLS]bool),
	}
	if r.config.secure() {
		e.plain = make([]byte, bufferSize)
	}
	for _, o := range r.origins {
		var addresses []unix.Sockaddr
		var families []int
		for _, a := range o.addresses {
			address, err := sockaddr(a)
			if err != nil {
				p.close()
				return nil, err
			}
			addresses, families = append(addresses, address), append(families, family(a))
		}
		e.addresses, e.families = append(e.addresses, addresses), append(e.families, families)
	}
	// The places of this engine are those with the numbers index, index + engines, ..., so none is lost to rounding.
	places := (r.config.mostConnections() - index + engines - 1) / engines
	if r.config.Open() {
		e.connections = make([]connection, places)
		e.free = make([][]int32, len(r.origins))
	} else {
		e.connections = make([]connection, places*len(r.origins))
		e.clients = make([]client, places)
		if r.config.Requests > 0 {
			e.presences = make([]presence, places)
		}
	}
	e.nextAdmission, e.nextDue = never, never
	return e, nil
}

func family(a netip.AddrPort) int {
	if a.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// work puts the load on until every request has ended.
func (e *engine) work() error {
	// The thread ends with this goroutine, since it is not like others any more: its timers are exact.
	runtime.LockOSThread()
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	defer e.handshakes.Wait()
	defer e.closeAll()
	e.meter.prepare()
	e.clock = e.now()
	if e.config.Open() {
		e.startOpen()
	} else {
		e.startClosed()
	}
	back := e.clock
	for {
		e.clock = e.now()
		e.meter.mark(e)
		if e.nextDue <= e.clock {
			e.pump(pumpedInTurn)
		}
		e.turn()
		e.count()
		if e.err != nil || e.cancelled.Load() || e.finished() {
			e.meter.stop(e)
			return e.err
		}
		e.meter.stood(back, e.clock)
		timeout, polling := e.untilNext()
		n, limit := e.poller.wait(timeout)
		now := e.now()
		e.meter.stood(e.clock+limit, now)
		if n == 0 {
			e.meter.waited(limit, now-e.clock, polling)
		}
		back, e.clock = now, now
		for k := range n {
			e.handle(&e.poller.events[k])
			if e.nextDue <= e.clock {
				e.pump(pumpedAfterEvent)
			}
		}
	}
}

// turn does what the clock asks for.
func (e *engine) turn() {
	if n := len(e.ready); n > 0 {
		for k := 0; k < n && e.err == nil; k++ {
			e.goOn(e.ready[k])
		}
		e.ready = e.ready[:copy(e.ready, e.ready[n:])]
	}
	for e.flight.first != none && e.late(e.connections[e.flight.first].start) {
		e.expire(e.flight.first)
	}
	if e.departing > 0 {
		e.endDepartures()
	}
	e.turnClosed()
}

func (e *engine) late(start int64) bool { return e.clock-start > e.config.Timeout.Nanoseconds() }

// untilNext is how long nothing is to be done unless an event comes, and whether the engine is to stay awake for what
// comes then.
func (e *engine) untilNext() (timeout int64, polling bool) {
	if len(e.ready) > 0 {
		return 0, false
	}
	next := min(e.clock+longestWait, e.meter.next(), e.nextAdmission)
	if e.flight.first != none {
		next = min(next, e.connections[e.flight.first].start+e.config.Timeout.Nanoseconds()+1)
	}
	if e.thinking.first != none {
		next = min(next, e.connections[e.thinking.first].wake, e.end())
	}
	if e.departing > 0 {
		next = min(next, e.departures[e.departed].until)
	}
	if e.nextDue != never {
		if e.starved {
			next = min(next, e.nextDue+e.config.Timeout.Nanoseconds()+1)
		} else if early := e.nextDue - e.meter.early(); early <= e.clock {
			return 0, e.nextDue > e.clock
		} else {
			next = min(next, early)
		}
	}
	return max(0, next-e.clock), false
}

// end is the end of the window if it is known.
func (e *engine) end() int64 {
	if start := e.window.start.Load(); start != unopened && e.window.duration > 0 {
		return start + e.window.duration
	}
	return never
}

func (e *engine) finished() bool {
	if e.flight.first != none || e.departing > 0 || len(e.ready) > 0 {
		return false
	}
	if e.config.Open() {
		return e.nextDue == never
	}
	return e.active == 0 && (e.nextAdmission == never || e.window.over(e.clock))
}

// handle takes note of an event.
func (e *engine) handle(event *unix.EpollEvent) {
	if int(event.Fd) == e.poller.event {
		e.poller.woken()
		e.collect()
		return
	}
	o := e.owners[event.Fd]
	if o.generation != uint32(event.Pad) || o.slot == nobody {
		return // it was closed after the event had come
	}
	if o.slot == leaving {
		e.disown(event.Fd)
		unix.Close(int(event.Fd))
		e.departing--
		return
	}
	c := &e.connections[o.slot]
	const trouble = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	switch c.state {
	case connecting:
		e.clock = e.now()
		e.connected(o.slot, c)
		return
	case sending:
		if event.Events&unix.EPOLLOUT != 0 {
			e.clock = e.now()
			e.send(o.slot, c)
		}
	}
	if event.Events&(unix.EPOLLIN|trouble) == 0 {
		return
	}
	switch c.state {
	case sending, waiting:
		e.read(o.slot, c, event.Events&trouble != 0)
	case idle:
		e.clock = e.now()
		e.inspect(c, event.Events&trouble != 0)
	}
}

// open opens a connection for the request on it and sends it.
func (e *engine) open(i int32, c *connection) {
	number := (e.index + int(i)/e.perClient()*e.engines) % len(e.addresses[c.origin])
	c.opened = e.clock
	fd, err := unix.Socket(e.families[c.origin][number], unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		e.refused(i, c, err)
		return
	}
	e.generation++
	c.fd, c.generation, c.state = int32(fd), e.generation, connecting
	for len(e.owners) <= fd {
		e.owners = append(e.owners, owner{slot: nobody})
	}
	e.owners[fd] = owner{i, c.generation}
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // or the last piece of a long request waits for the ones before
	if err := unix.Connect(fd, e.addresses[c.origin][number]); err != nil && err != unix.EINPROGRESS {
		e.clock = e.now()
		e.refused(i, c, err)
		return
	}
	if e.origins[c.origin].secure == nil {
		// To a server on the same machine the connection is open already, though connect says that it is under way.
		// Sending fails for now if it is not.
		e.clock = e.now()
		n, errno := send(fd, e.requestText(c))
		if errno == 0 {
			c.connect = e.clock - c.opened
			e.wrote(c, n)
			c.state = sending
			if c.written == len(e.requestText(c)) {
				c.state = waiting
			}
			e.watch(c, unix.EPOLL_CTL_ADD, c.state == sending)
			return
		}
		if errno != unix.EAGAIN {
			e.openFailed(i, c, errno, unix.EPOLL_CTL_ADD)
			return
		}
	}
	e.watch(c, unix.EPOLL_CTL_ADD, true)
}

// perClient is how many places a client has: one for each server.
func (e *engine) perClient() int {
	if e.config.Open() {
		return 1
	}
	return len(e.origins)
}

// openFailed takes note of what the kernel says of a connection that was to be opened. A connection that breaks off has
// been open.
func (e *engine) openFailed(i int32, c *connection, errno unix.Errno, op int) {
	if errno != unix.ECONNRESET && errno != unix.EPIPE {
		e.refused(i, c, errno)
		return
	}
	c.connect = e.clock - c.opened
	c.sendFailed, c.state = true, waiting
	e.watch(c, op, false)
}

// connected goes on with a connection that is open, or is known not to open.
func (e *engine) connected(i int32, c *connection) {
	code, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		e.refused(i, c, err)
		return
	}
	if code != 0 {
		e.openFailed(i, c, unix.Errno(code), unix.EPOLL_CTL_MOD)
		return
	}
	c.connect = e.clock - c.opened
	if e.origins[c.origin].secure == nil {
		e.send(i, c)
		return
	}
	c.state = securing
	if err := e.poller.control(unix.EPOLL_CTL_DEL, int(c.fd), 0, 0); err != nil {
		e.err = err
		return
	}
	// The handshake works on a duplicate, since this engine may close its own socket meanwhile.
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		e.refused(i, c, err)
		return
	}
	generation, secure := c.generation, e.origins[c.origin].secure
	deadline := e.base.Add(time.Duration(c.start) + e.config.Timeout)
	e.handshakes.Go(func() {
		s, err := handshake(e.context, fd, secure, deadline)
		h := handshaken{i, generation, s, e.now(), err}
		e.mu.Lock()
		e.arrived = append(e.arrived, h)
		e.mu.Unlock()
		e.poller.wake()
	})
}

// collect goes on with connections on which TLS is set up.
func (e *engine) collect() {
	e.mu.Lock()
	arrived := e.arrived
	e.arrived = nil
	e.mu.Unlock()
	for _, h := range arrived {
		e.clock = e.now()
		c := &e.connections[h.slot]
		if c.generation != h.generation || c.state != securing {
			continue // it was given up meanwhile
		}
		if h.err != nil {
			e.refused(h.slot, c, h.err)
			continue
		}
		e.negotiated[h.session.negotiated()] = true
		c.tls = h.end - (c.opened + c.connect)
		c.session = h.session
		e.watch(c, unix.EPOLL_CTL_ADD, false)
		e.send(h.slot, c)
	}
}

// watch has the poller tell of what comes, and of room to send if that is wanted.
func (e *engine) watch(c *connection, op int, writable bool) {
	if op == unix.EPOLL_CTL_MOD && writable == c.writable {
		return
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if writable {
		events |= unix.EPOLLOUT
	}
	c.writable = writable
	if err := e.poller.control(op, int(c.fd), c.generation, events); err != nil {
		e.err = err
	}
}

// requestText is what the request on a connection sends, good until the next call.
func (e *engine) requestText(c *connection) []byte {
	if c.session != nil {
		return c.session.wire.out
	}
	return e.plainText(c)
}

func (e *engine) plainText(c *connection) []byte {
	r := e.targets[c.target].request
	if r.static != nil {
		return r.static
	}
	e.text = r.append(e.text[:0], c.draw)
	return e.text
}

// send sends the request on a connection, or the rest of it.
func (e *engine) send(i int32, c *connection) {
	if s := c.session; s != nil && !s.sealed {
		if err := s.seal(e.plainText(c)); err != nil {
			e.breakOff(i, c, Reset)
			return
		}
	}
	text := e.requestText(c)
	n, errno := send(int(c.fd), text[c.written:])
	for errno == unix.EINTR {
		n, errno = send(int(c.fd), text[c.written:])
	}
	switch errno {
	case 0:
		e.wrote(c, n)
		if c.written == len(text) {
			if c.session != nil {
				c.session.wire.out, c.written = c.session.wire.out[:0], 0
			}
			c.state = waiting
			if c.writable {
				e.watch(c, unix.EPOLL_CTL_MOD, false)
			}
			return
		}
		fallthrough
	case unix.EAGAIN:
		c.state = sending
		e.watch(c, unix.EPOLL_CTL_MOD, true)
	case unix.ENOBUFS, unix.ENOMEM:
		_, e.err = refusal(errno)
	default:
		// A server that does not read all of a request may have answered it all the same. The poller will tell that the
		// connection is broken, and what has come over it is read first.
		c.state, c.sendFailed = waiting, true
		e.watch(c, unix.EPOLL_CTL_MOD, false)
	}
}

func (e *engine) wrote(c *connection, n int) {
	c.written += n
	if e.window.contains(e.clock) {
		c.bytesOut += int64(n)
	}
}

// read reads what has come of an answer. Broken says that the connection is, once that is read.
func (e *engine) read(i int32, c *connection, broken bool) {
	for range mostReads {
		var n int
		var errno unix.Errno
		skipping := c.session == nil && c.answer.skippable() >= worthSkipping
		if skipping {
			n, errno = discard(int(c.fd), min(c.answer.skippable(), mostSkipped))
		} else {
			n, errno = receive(int(c.fd), e.buffer)
		}
		if errno == unix.EAGAIN {
			return
		}
		if errno == unix.EINTR {
			continue
		}
		e.clock = e.now()
		if errno == unix.ETIMEDOUT {
			e.fail(i, c, Timeout)
			return
		}
		if errno != 0 {
			e.breakOff(i, c, Reset)
			return
		}
		if n == 0 {
			e.endOfStream(i, c, false)
			return
		}
		if e.window.contains(e.clock) {
			c.bytesIn += int64(n)
		}
		if c.firstByte == 0 {
			c.firstByte = e.clock
		}
		var used int
		var done bool
		var malformed error
		switch {
		case skipping:
			used, done = n, c.answer.skip(int64(n))
		case c.session == nil:
			used, done, malformed = e.heads[c.target].feed(&c.answer, e.buffer[:n])
		default:
			if e.readSecure(i, c, e.buffer[:n], broken || n == len(e.buffer)) {
				return
			}
		}
		if malformed != nil {
			e.fail(i, c, Malformed)
			return
		}
		if done {
			e.answered(i, c, used < n, broken || skipping || n == len(e.buffer))
			return
		}
		if !broken && !skipping && n < len(e.buffer) {
			return
		}
	}
}

// readSecure is read for what has come encrypted. It reports whether the request is over.
func (e *engine) readSecure(i int32, c *connection, b []byte, look bool) (over bool) {
	var done, extra bool
	var malformed error
	err := c.session.open(b, e.plain, func(plain []byte) {
		if done || malformed != nil {
			extra = true
			return
		}
		var used int
		used, done, malformed = e.heads[c.target].feed(&c.answer, plain)
		extra = used < len(plain)
	})
	switch {
	case malformed != nil:
		e.fail(i, c, Malformed)
	case done:
		e.answered(i, c, extra, look)
	case err != nil && isAlert(err):
		e.breakOff(i, c, Reset)
	case err != nil:
		e.fail(i, c, Malformed)
	case c.session.ended:
		e.endOfStream(i, c, true)
	case len(c.session.wire.out) > c.written && c.state == waiting:
		e.send(i, c) // what TLS itself had to answer
		return false
	default:
		return false
	}
	return true
}

// endOfStream takes note that the server sends no more. Said tells that it has announced so, where there is TLS.
//
// Over TLS a body that ends with the connection is whole only if that end was announced (RFC 9112, 9.8).
func (e *engine) endOfStream(i int32, c *connection, said bool) {
	complete, kind := c.answer.eof()
	switch {
	case complete && c.session != nil && !said:
		e.fail(i, c, Short)
	case complete:
		e.close(c)
		e.judge(i, c)
		e.goOn(i)
	case kind == Closed && c.sendFailed:
		e.breakOff(i, c, Reset) // the reset was used up by telling the sender
	default:
		e.breakOff(i, c, kind)
	}
}

// breakOff ends a request whose connection broke. Between two requests a server may close a connection at any moment,
// so a connection that was used before gets another try.
func (e *engine) breakOff(i int32, c *connection, kind Kind) {
	if !c.reused || c.retried || c.answer.begun || kind != Closed && kind != Reset || e.late(c.start) {
		e.fail(i, c, kind)
		return
	}
	e.close(c)
	c.retried, c.stale = true, true
	c.sendFailed, c.firstByte, c.bytesIn, c.written = false, 0, 0, 0
	c.answer.reset()
	e.open(i, c)
}

// answered ends a request with a whole answer. Extra says that more than that has come, look that more may have.
func (e *engine) answered(i int32, c *connection, extra, look bool) {
	gone := false
	intact := !extra && c.state == waiting && !c.sendFailed
	lasts := c.answer.keepAlive()
	if intact && (look || !lasts || c.session != nil && c.session.ended) {
		extra, gone = e.peek(c)
		intact = !extra
	}
	c.unrequested = c.unrequested || extra
	switch {
	case !intact || gone:
		e.close(c)
	case !lasts:
		e.retire(c)
	case !e.config.KeepAlive:
		e.close(c)
	default:
		c.state = idle
		if c.session != nil {
			c.session.sealed = false
		}
	}
	e.judge(i, c)
	c.stale = gone && lasts && e.config.KeepAlive // for the next request
	e.goOn(i)
}

// peek looks for what else has come over a connection: bytes that nobody asked for, or its end.
func (e *engine) peek(c *connection) (extra, gone bool) {
	if c.session != nil && c.session.ended {
		return false, true
	}
	n, errno := receive(int(c.fd), e.buffer)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return false, false
	case errno != 0 || n == 0:
		return false, true
	case c.session == nil:
		return true, false
	}
	err := c.session.open(e.buffer[:n], e.plain, func([]byte) { extra = true })
	return extra, err != nil || c.session.ended
}

// inspect looks at a connection without a request: a server may close it at any moment, which makes it stale, or send
// bytes that would pass for the start of the next answer. Either way it is given up.
func (e *engine) inspect(c *connection, broken bool) {
	for range mostReads {
		extra, gone := e.peek(c)
		if extra || gone {
			c.unrequested, c.stale = c.unrequested || extra, c.stale || !extra
			e.close(c)
			return
		}
		if !broken {
			return
		}
	}
}

// judge decides whether a whole answer is a right one, and counts it. An answer that we only got to see after its
// timeout came too late, even if no turn has come to it since.
func (e *engine) judge(i int32, c *connection) {
	e.finish(i, c, e.config.judge(e.clock-c.start, c.answer.status, c.answer.length), c.answer.status)
}

// judge is the kind of failure of a whole answer, none if it is right.
func (c *Config) judge(took int64, status int, length int64) Kind {
	switch {
	case took > c.Timeout.Nanoseconds():
		return Timeout
	case !c.Verify.right(status, length):
		return Wrong
	}
	return ""
}

// refused ends a request whose connection did not open.
func (e *engine) refused(i int32, c *connection, err error) {
	kind, err := refusal(err)
	if kind == "" {
		e.err = err
		return
	}
	e.fail(i, c, kind)
}

// fail ends a request without an answer. Its client goes on in the next turn, so that one whose connections fail at once
// does not keep the others waiting.
func (e *engine) fail(i int32, c *connection, kind Kind) {
	if e.late(c.start) && kind != Connect && kind != Ports {
		kind = Timeout // whatever happened after it
	}
	e.close(c)
	e.finish(i, c, kind, 0)
	e.ready = append(e.ready, i)
}

// expire ends a request that has had its time.
func (e *engine) expire(i int32) {
	c := &e.connections[i]
	if c.state == connecting || c.state == securing {
		e.fail(i, c, Connect)
		return
	}
	e.fail(i, c, Timeout)
}

// begin puts a request on a place and sends it.
func (e *engine) begin(i int32, c *connection, start int64) {
	t := &e.targets[c.target]
	c.start, c.sent = start, e.clock
	c.firstByte, c.connect, c.tls, c.bytesIn, c.bytesOut, c.written = 0, none, none, 0, 0, 0
	c.retried, c.sendFailed = false, false
	c.answer.head = t.request.method == "HEAD"
	c.answer.reset()
	e.flight.push(e.connections, i)
	if c.reused = c.state == idle; c.reused {
		e.send(i, c)
	} else {
		e.open(i, c)
	}
}

// finish notes what became of a request. It is counted once all that can be sent has been: its client waits for its next
// request, and the server for all of them, while counting can be done as well when there is nothing else to do.
func (e *engine) finish(i int32, c *connection, kind Kind, status int) {
	e.flight.remove(e.connections, i)
	if len(e.uncounted) == cap(e.uncounted) {
		e.count()
	}
	e.uncounted = append(e.uncounted, outcome{
		slot: i, start: c.start, end: e.clock, sent: c.sent, kind: kind, status: status, firstByte: c.firstByte,
		connect: c.connect, tls: c.tls, stale: c.stale, unrequested: c.unrequested, blocked: c.blocked,
		bytesIn: c.bytesIn, bytesOut: c.bytesOut,
	})
	c.stale, c.unrequested, c.blocked = false, false, false
}

// count tells the tally of the requests that have ended since it was told last.
func (e *engine) count() {
	for k := range e.uncounted {
		o := &e.uncounted[k]
		if err := e.tally.add(o); err != nil {
			e.err = err
		}
		if e.presences != nil {
			e.presences[int(o.slot)/e.perClient()].next(e.window, o, e.config.Think)
		}
	}
	e.uncounted = e.uncounted[:0]
}

// goOn lets whoever had a request on a place go on.
func (e *engine) goOn(i int32) {
	if e.config.Open() {
		e.release(i)
		return
	}
	e.think(i)
}

// disown forgets whose a file descriptor is.
func (e *engine) disown(fd int32) { e.owners[fd].slot = nobody }

// close gives a connection up.
func (e *engine) close(c *connection) {
	if c.state == unconnected {
		return
	}
	e.disown(c.fd)
	unix.Close(int(c.fd))
	c.state, c.session, c.writable = unconnected, nil, false
}

// retire gives up a connection whose end the server has announced, but lets the server close it first: the local port
// of the side that closes first stays blocked for a minute, and a load without keep-alive needs many.
func (e *engine) retire(c *connection) {
	e.owners[c.fd].slot = leaving
	e.departures = append(e.departures, departure{e.clock + patience, c.fd, c.generation})
	e.departing++
	c.state, c.session, c.writable = unconnected, nil, false
}

// endDepartures closes the connections that the server had long enough to close. Afterwards the first of the departures
// that are left is one that is waited for.
func (e *engine) endDepartures() {
	for ; e.departed < len(e.departures); e.departed++ {
		d := e.departures[e.departed]
		if o := e.owners[d.fd]; o.slot != leaving || o.generation != d.generation {
			continue
		}
		if d.until > e.clock {
			break
		}
		e.disown(d.fd)
		unix.Close(int(d.fd))
		e.departing--
	}
	if e.departed > len(e.departures)/2 { // so that each is moved once or so
		e.departures = e.departures[:copy(e.departures, e.departures[e.departed:])]
		e.departed = 0
	}
}

// closeAll gives up everything that is left.
func (e *engine) closeAll() {
	for i := range e.connections {
		e.close(&e.connections[i])
	}
	for _, d := range e.departures {
		if o := e.owners[d.fd]; o.slot == leaving && o.generation == d.generation {
			e.disown(d.fd)
			unix.Close(int(d.fd))
		}
	}
}

// sizeOfConnection is the memory of ours that each connection takes, its entry in owners included.
const sizeOfConnection = unsafe.Sizeof(connection{}) + unsafe.Sizeof(owner{})
