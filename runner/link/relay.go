//go:build linux

package link

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/config"
	"benchbook/runner/eventloop"
)

// Relay is a link. Make one with Listen.
type Relay struct {
	loop      *eventloop.Loop
	config    Config
	addresses []net.Addr
	lines     [2]line // to the service, and back
	turns     [2]eventloop.Timer
	memory    memory
	starved   []*flow // wait for memory, in the order in which they came
	jitter    *rand.Rand
	lateness  *eventloop.Lateness
	log       io.Writer
	said      int // lines about connections that could not be opened
	buffer    []byte
	parts     [][]byte
}

// lookupTimeout bounds how long the name of the service is looked up.
const lookupTimeout = 10 * time.Second

// Listen makes a relay that accepts connections; they wait until Serve.
func Listen(ctx context.Context, config Config) (*Relay, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	loop, err := eventloop.New()
	if err != nil {
		return nil, err
	}
	r := &Relay{loop: loop, config: config, jitter: rand.New(rand.NewPCG(config.Seed, 0)),
		lateness: eventloop.NewLateness(), log: io.Discard, buffer: make([]byte, maxRead), memory: memory{limit: maxAll}}
	for i := range r.lines {
		r.lines[i].rate = config.Rate
		r.turns[i].Fire = func() { r.giveTurns(i) }
	}
	for _, route := range config.Routes {
		targets, err := lookup(ctx, route.Target)
		if err != nil {
			loop.Close()
			return nil, err
		}
		next := 0 // of a service that is scaled, connections go round its containers
		address, err := loop.Listen(route.Listen, func(fd int) {
			r.accepted(fd, targets[next])
			next = (next + 1) % len(targets)
		})
		if err != nil {
			loop.Close()
			return nil, err
		}
		r.addresses = append(r.addresses, address)
	}
	return r, nil
}

// Addresses is where it listens, in the order of the routes.
func (r *Relay) Addresses() []net.Addr { return r.addresses }

// Serve relays until the context is done, and then drops all connections. The log gets how late bytes were sent on, and
// which connections could not be opened.
func (r *Relay) Serve(ctx context.Context, log io.Writer) error {
	defer r.loop.Close()
	r.log = log
	r.lateness.Watch(r.loop, log)
	return r.loop.Run(ctx)
}

// lookup finds the addresses of a service, those of IPv4 if there are any, in order.
func lookup(ctx context.Context, target string) ([]unix.Sockaddr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	host, name, err := net.SplitHostPort(target)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	port, err := strconv.ParseUint(name, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("target %q: invalid port %q", target, name)
	}
	all, err := config.Lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, netip.Addr.Compare) // of IPv4 first
	var found []unix.Sockaddr
	for _, ip := range slices.Compact(all) {
		switch {
		case ip.Is4():
			found = append(found, &unix.SockaddrInet4{Port: int(port), Addr: ip.As4()})
		case !all[0].Is4():
			found = append(found, &unix.SockaddrInet6{Port: int(port), Addr: ip.As16()})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("target %q: its name has no address", target)
	}
	return found, nil
}

// trip draws how long something takes over the link, in one direction.
func (r *Relay) trip() int64 {
	half := int64(r.config.RTT / 2)
	if r.config.Jitter == 0 {
		return half
	}
	return half + int64((2*r.jitter.Float64()-1)*float64(r.config.Jitter))
}

// conn is a connection of a client with that to the service.
type conn struct {
	relay           *Relay
	target          unix.Sockaddr
	client, service end
	forward, back   flow
	dial, open      eventloop.Timer
	opens           int64 // when the client would be connected
	handshake       int   // steps towards the service that are done: it has answered SYN, and would get ACK
}

// end is one of the two sockets of a connection.
type end struct {
	conn      *conn
	fd        int // -1: not yet, or no longer
	connected bool
	eof       bool   // nothing more comes from it
	shut      bool   // it was told that nothing more comes
	in, out   *flow  // from it and to it
	events    uint32 // that are waited for
}

// flow is one direction of a connection.
type flow struct {
	relay    *Relay
	line     int
	from, to *end
	queue    queue
	timer    eventloop.Timer // of what arrives next
	last     int64           // when the last of what is on its way arrives
	arrived  int             // bytes at the head of the queue that can be handed over
	event    event           // that has arrived behind them
	blocked  bool            // the receiver takes no more at present
	held     held            // why nothing is read at present
	done     bool            // the end of the stream was handed over
	over     bool            // nothing will be read or handed over any more
}

// held is why nothing is read from a sender.
type held int

const (
	notHeld  held = iota
	byFlow        // as much of it is on its way as may be
	byMemory      // as much of all is
	byLine        // others are before it
)

// maxDelay is for how long the kernel may put off the last segment of a handshake, with some time to spare: its bound
// is 200 ms.
//
// Source: Linux, net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process, which waits for TCP_DELACK_MAX where TCP_QUICKACK
// is off, since data would save that segment.
const maxDelay = int64(150 * time.Millisecond)

func (r *Relay) accepted(fd int, target unix.Sockaddr) {
	now := r.loop.Now()
	there, again, ack := r.trip(), r.trip(), r.trip()
	c := &conn{relay: r, target: target, opens: now + there + again}
	c.client = end{conn: c, fd: fd, connected: true, in: &c.forward, out: &c.back}
	c.service = end{conn: c, fd: -1, in: &c.back, out: &c.forward}
	c.forward = flow{relay: r, line: 0, from: &c.client, to: &c.service}
	c.back = flow{relay: r, line: 1, from: &c.service, to: &c.client}
	for _, f := range []*flow{&c.forward, &c.back} {
		f.timer.Fire = f.arrive
	}
	c.dial.Fire, c.open.Fire = c.connect, c.begin
	// Until it is open, all that matters is whether the client is still there.
	if err := r.loop.Add(fd, 0, c.client.ready); err != nil {
		unix.Close(fd)
		r.loop.Fail(err)
		return
	}
	c.forward.push(nil, c.opens+ack, opened)
	r.loop.Set(&c.dial, max(now+there, c.opens+ack-maxDelay))
	r.loop.Set(&c.open, c.opens)
}

// connect sends SYN to the service, at the time when the client's own would reach it.
func (c *conn) connect() {
	family := unix.AF_INET
	if _, ok := c.target.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.refused(err)
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // it is a socket of TCP
	if c.relay.config.RTT > 0 {
		// The service gets the last segment of the handshake, and so the connection, when the client's would reach it.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	}
	if err := unix.Connect(fd, c.target); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		c.refused(err)
		return
	}
	c.service.fd, c.service.events = fd, unix.EPOLLOUT
	if err := c.relay.loop.Add(fd, unix.EPOLLOUT, c.service.ready); err != nil {
		unix.Close(fd)
		c.relay.loop.Fail(err)
	}
}

// maxSaid bounds the lines about connections that could not be opened: one tells as much as thousands.
const maxSaid = 10

// refused tells the client that there is no connection to the service.
func (c *conn) refused(err error) {
	if c.relay.said++; c.relay.said <= maxSaid {
		fmt.Fprintf(c.relay.log, "benchbook-link: connecting to the service: %v\n", err)
	}
	c.service.lost()
}

// shake notes a step of the handshake. After the second one the service gets the connection, unless it came with the
// first bytes, and the kernel's acknowledgements are as usual.
func (c *conn) shake() {
	if c.handshake++; c.handshake == 2 && c.service.fd >= 0 {
		_ = unix.SetsockoptInt(c.service.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
}

// begin lets what is sent onto the link.
func (c *conn) begin() {
	c.forward.read()
	c.client.wait()
	c.service.wait()
}

// connect takes note that a socket is connected, or never will be.
func (e *end) connect(events uint32) {
	if code, err := unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		e.conn.refused(unix.Errno(code))
		return
	}
	if events&unix.EPOLLOUT == 0 {
		return
	}
	e.connected = true
	e.out.hand()
	e.conn.shake()
	e.wait()
}

// ready does what can be done with a socket.
func (e *end) ready(events uint32) {
	if !e.connected {
		e.connect(events)
		return
	}
	if events&unix.EPOLLOUT != 0 {
		e.out.blocked = false
		e.out.hand()
	}
	if e.fd < 0 {
		return
	}
	switch gone := events&(unix.EPOLLERR|unix.EPOLLHUP) != 0; {
	case gone && e.eof && e.shut && events&unix.EPOLLERR == 0:
		e.close() // it has said and heard all
	case gone && (e.eof || e.in.over):
		e.lost()
	case gone:
		e.in.take() // whatever holds it up otherwise: what comes next is the error
	case events&unix.EPOLLIN != 0:
		e.in.read()
	}
	e.wait()
}

// wait asks for the events that a socket is good for now.
func (e *end) wait() {
	if e.fd < 0 {
		return
	}
	events := uint32(0)
	if e.connected && !e.eof && e.in.held == notHeld && !e.in.over && e.conn.relay.loop.Now() >= e.conn.opens {
		events |= unix.EPOLLIN
	}
	if !e.connected || e.out.blocked {
		events |= unix.EPOLLOUT
	}
	if events != e.events {
		e.events = events
		if err := e.conn.relay.loop.Modify(e.fd, events); err != nil {
			e.conn.relay.loop.Fail(err)
		}
	}
}

// close lets go of a socket.
func (e *end) close() {
	if e.fd >= 0 {
		e.conn.relay.loop.CloseFile(e.fd)
	}
	e.fd, e.eof = -1, true
}

// lost notes that a socket was reset, or never opened: it takes nothing any more, and the other end will hear of it.
func (e *end) lost() {
	r := e.conn.relay
	e.close()
	e.out.finish()
	e.out.from.wait()
	if !e.in.over {
		e.in.push(nil, max(r.loop.Now()+r.trip(), e.conn.opens), broken)
	}
}

// read takes a piece of what was sent, if its turn has come.
func (f *flow) read() {
	if f.over || f.from.eof {
		return
	}
	l := &f.relay.lines[f.line]
	if l.rate > 0 && (len(l.waiting) > 0 || !l.open(f.relay.loop.Now())) {
		f.waitForLine()
		return
	}
	f.take()
	f.bound()
}

// take reads a piece of what was sent, and puts it on its way.
func (f *flow) take() {
	r := f.relay
	l := &r.lines[f.line]
	n, err := unix.Read(f.from.fd, r.buffer[:l.piece()])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		f.from.lost()
	case n == 0:
		f.from.eof = true
		f.push(nil, max(r.loop.Now(), l.free, f.from.conn.opens)+r.trip(), ended)
	default:
		left := l.put(max(r.loop.Now(), f.from.conn.opens), n)
		f.push(r.buffer[:n], left+r.trip(), noEvent)
	}
}

// push puts something on its way that arrives at a time, or with what is before it.
func (f *flow) push(data []byte, due int64, e event) {
	f.last = max(f.last, due)
	f.queue.add(&f.relay.memory, data, f.last, e)
	if len(f.queue.marks)-f.queue.first == 1 {
		f.relay.loop.Set(&f.timer, f.last)
	}
}

// bound keeps a flow from being read while it, all of them, or the line have enough.
func (f *flow) bound() {
	r := f.relay
	l := &r.lines[f.line]
	switch {
	case f.over || f.from.eof:
	case f.queue.size() >= maxFlow:
		f.hold(byFlow)
	case r.memory.used >= r.memory.limit && f.queue.size() >= reservedFlow:
		f.hold(byMemory)
		r.starved = append(r.starved, f)
	case l.rate > 0 && !l.open(r.loop.Now()):
		f.waitForLine()
	}
}

func (f *flow) hold(why held) {
	f.held = why
	f.from.wait()
}

// waitForLine puts a flow behind the others that wait for the line.
func (f *flow) waitForLine() {
	r := f.relay
	l := &r.lines[f.line]
	l.waiting = append(l.waiting, f)
	f.hold(byLine)
	if len(l.waiting) == 1 {
		r.loop.Set(&r.turns[f.line], max(r.loop.Now(), l.free-maxQueued))
	}
}

// giveTurns lets the flows that wait for a line put a piece on it, one after the other.
func (r *Relay) giveTurns(i int) {
	l := &r.lines[i]
	for n := len(l.waiting); n > 0 && l.open(r.loop.Now()); n-- {
		f := l.waiting[0]
		l.waiting = append(l.waiting[:0], l.waiting[1:]...)
		f.held = notHeld
		if f.over || f.from.eof {
			continue
		}
		f.take()
		f.bound()
		f.from.wait()
	}
	if len(l.waiting) > 0 {
		r.loop.Set(&r.turns[i], max(r.loop.Now(), l.free-maxQueued))
	}
}

// resume goes on reading what was held for want of memory.
func (f *flow) resume() {
	r := f.relay
	if f.held == byFlow && f.queue.size() < maxFlow/2 {
		f.hold(notHeld)
	}
	for r.memory.used < r.memory.limit && len(r.starved) > 0 {
		next := r.starved[0]
		r.starved = append(r.starved[:0], r.starved[1:]...)
		next.hold(notHeld)
	}
}

// arrive is called when something has come to the end of its way.
func (f *flow) arrive() {
	r := f.relay
	due := f.timer.Due()
	before := f.blocked || !f.to.connected
	for now := r.loop.Now(); ; {
		m, ok := f.queue.next()
		if !ok || m.due > now {
			if ok {
				r.loop.Set(&f.timer, m.due)
			}
			break
		}
		f.queue.pop(&r.memory)
		f.arrived += m.bytes
		switch m.event {
		case opened:
			defer f.to.conn.shake() // bytes that came with it tell the service, too
		case ended, broken:
			f.event = m.event
		}
	}
	f.hand()
	if !before {
		r.lateness.Add(r.loop.Now() - due)
	}
}

// maxParts bounds how many chunks are handed to the kernel at once.
const maxParts = 64

// hand gives the receiver what has arrived.
func (f *flow) hand() {
	r := f.relay
	if f.over {
		return
	}
	if f.event == broken {
		f.to.abort()
		return
	}
	if !f.to.connected || f.to.fd < 0 {
		return
	}
	for f.arrived > 0 && !f.blocked {
		r.parts = f.queue.parts(f.arrived, maxParts, r.parts[:0])
		n, err := unix.Writev(f.to.fd, r.parts)
		switch {
		case err == unix.EAGAIN:
			f.blocked = true
			f.to.wait()
		case err == unix.EINTR:
		case err != nil:
			f.to.lost()
			return
		default:
			f.arrived -= n
			f.queue.drop(&r.memory, n)
			f.resume()
		}
	}
	if f.arrived > 0 || f.event != ended || f.done {
		return
	}
	f.done, f.to.shut = true, true
	if err := unix.Shutdown(f.to.fd, unix.SHUT_WR); err != nil {
		f.to.lost()
		return
	}
	if f.to.in.done { // both have said and heard all
		f.from.close()
		f.to.close()
	}
}

// finish drops what is on its way.
func (f *flow) finish() {
	f.over = true
	f.relay.loop.Unset(&f.timer)
	f.queue.clear(&f.relay.memory)
	f.arrived = 0
	f.resume()
}

// abort resets a socket, as its other end was.
func (e *end) abort() {
	c := e.conn
	r := c.relay
	for _, t := range []*eventloop.Timer{&c.dial, &c.open} {
		r.loop.Unset(t)
	}
	if e.fd >= 0 {
		_ = unix.SetsockoptLinger(e.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	e.close()
	c.forward.finish()
	c.back.finish()
}
