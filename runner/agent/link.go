//go:build linux

package agent

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
)

// Relay is a running link. Make one with ListenLink.
type Relay struct {
	*loop
	trip    int64            // delay of the link in one direction, in nanoseconds
	used    int              // bytes in transit
	limit   int              // of used; flows below reservedFlow may exceed it
	starved []*flow          // waiting until used is below limit
	refused int              // connections that the service has refused
	buffer  *[maxRead]byte   // for reading
	spare   []*[maxRead]byte // unused buffers of at most maxSpare bytes together
}

// ListenLink returns a link that accepts connections. They wait until Serve is called.
func ListenLink(ctx context.Context, config LinkConfig) (*Relay, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	r := &Relay{loop: l, trip: int64(config.RTT / 2), limit: maxAll, buffer: new([maxRead]byte)}
	for _, route := range config.Routes {
		targets, err := lookup(ctx, route.Target)
		if err != nil {
			return nil, err
		}
		next := 0 // connections take turns over the containers of a scaled service
		if err := l.listen(route.Listen, func(client int) {
			r.accepted(client, targets[next%len(targets)])
			next++
		}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// lookupTimeout is the longest that looking up the name of a service may take.
const lookupTimeout = 10 * time.Second

// lookup returns the sorted addresses of a service: the IPv4 ones, or the others if it has none.
func lookup(ctx context.Context, target string) (found []unix.Sockaddr, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	host, name, err := net.SplitHostPort(target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	port, err := strconv.ParseUint(name, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("target %q: invalid port %q", target, name)
	}
	all, err := proc.LookupHost(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, netip.Addr.Compare) // IPv4 first
	for _, ip := range slices.Compact(all) {
		switch {
		case ip.Is4():
			found = append(found, &unix.SockaddrInet4{Port: int(port), Addr: ip.As4()})
		case !all[0].Is4():
			found = append(found, &unix.SockaddrInet6{Port: int(port), Addr: ip.As16()})
		}
	}
	return found, nil
}

// maxRefused is how many refused connections are logged: one says as much as thousands.
const maxRefused = 10

func (r *Relay) logRefused(err error) {
	if r.refused++; r.refused <= maxRefused {
		fmt.Fprintf(r.log, "benchbook-link: connecting to the service: %v\n", err)
	}
}

// Bounds of data in transit, in bytes. Memory may be twice that plus maxSpare, as buffers that are more than half full
// are kept whole.
const (
	maxFlow      = 4 << 20   // of one direction of a connection
	maxAll       = 256 << 20 // of all flows,
	reservedFlow = 64 << 10  // but each flow may always have this much
	maxRead      = 64 << 10  // of one read
	markSize     = 64        // counted for a mark besides its data
	maxSpare     = 64 << 20  // of buffers that are kept for later
)

// connection is a connection of a client with its connection to the service.
type connection struct {
	relay  *Relay
	target unix.Sockaddr
	ends   [2]end  // the client, and the service
	flows  [2]flow // from the client, and from the service
	opens  int64   // when the client would be connected over a real network: a round trip after it was accepted
	dial   timer
	ended  int // flows whose end has arrived
}

// end is one of the two sockets of a connection.
type end struct {
	fd        int // not connected yet, or closed
	connected bool
	gone      bool // it was reset, never connected or closed
	readable  bool
	writable  bool
	noMore    bool // the peer sends nothing more
}

// flow is one direction of a connection.
type flow struct {
	conn   *connection
	from   int    // one of the ends
	queue  []mark // in transit, in the order of arrival
	size   int    // of the queue
	last   int64  // when the last mark arrives
	ended  bool   // the sender has closed its side
	over   bool   // it carries nothing any more
	queued bool   // it is in Relay.starved
	arrive timer  // of the first mark
	more   timer  // to read more after other flows had their turn
}

// mark is an item in transit: bytes from one read, or an event.
type mark struct {
	due    int64
	data   []byte
	buffer *[maxRead]byte // that holds data; nil if data has memory of its own
	event  event
}

type event int

const (
	noEvent event = iota
	ended         // the end of the stream
	broken        // a reset
)

func (r *Relay) accepted(client int, target unix.Sockaddr) {
	c := &connection{relay: r, target: target, ends: [2]end{{fd: client, connected: true}, {fd: -1}}}
	c.opens = r.now() + r.trip + r.trip
	for i := range c.flows {
		f := &c.flows[i]
		f.conn, f.from, f.arrive.fire, f.more.fire = c, i, f.arrived, f.receive
	}
	c.flows[0].last = c.opens + r.trip
	c.dial.fire = c.connect
	r.set(&c.dial, c.flows[0].last)
	if r.add(client, func(events uint32) { c.ready(0, events) }) != nil {
		c.close()
	}
}

// connect starts to connect to the service.
func (c *connection) connect() {
	family := unix.AF_INET
	if _, ok := c.target.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // cannot fail on a TCP socket
		if err = unix.Connect(fd, c.target); err == unix.EINPROGRESS {
			err = nil
		}
		c.ends[1].fd = fd
		if errAdd := c.relay.add(fd, func(events uint32) { c.ready(1, events) }); err == nil {
			err = errAdd
		}
	}
	if err != nil {
		c.relay.logRefused(err)
		c.lost(1)
	}
}

// ready handles events of one end: it reads and writes what it can.
func (c *connection) ready(i int, events uint32) {
	e := &c.ends[i]
	blocked := !e.connected || !e.writable
	e.readable = e.readable || events&canRead != 0
	e.writable = e.writable || events&canWrite != 0
	e.noMore = e.noMore || events&noMore != 0
	if !e.connected {
		code, err := unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			c.relay.logRefused(err)
			c.lost(i)
			return
		}
		e.connected = e.writable
	}
	if blocked {
		c.flows[1-i].deliver()
	}
	c.flows[i].receive()
}

// receive reads from the sender once, unless the flow is full or has to wait for memory.
func (f *flow) receive() {
	r := f.conn.relay
	switch {
	case f.over, f.queued, f.size >= maxFlow, !f.conn.ends[f.from].readable:
	case r.used >= r.limit && f.size >= reservedFlow:
		f.queued = true
		r.starved = append(r.starved, f)
	default:
		f.read()
	}
}

// read reads from the sender once and pushes what it read.
func (f *flow) read() {
	c, e := f.conn, &f.conn.ends[f.from]
	n, err := unix.Read(e.fd, c.relay.buffer[:])
	switch {
	case err == unix.EAGAIN:
		e.readable = false
		return
	case err == unix.EINTR:
		n = maxRead // read again
	case err != nil:
		c.lost(f.from)
		return
	case n == 0:
		e.readable = false // only a reset may follow
		if !f.ended {
			f.ended = true
			f.push(mark{due: max(c.relay.now(), c.opens) + c.relay.trip, event: ended})
		}
		return
	default:
		m := mark{due: max(c.relay.now(), c.opens) + c.relay.trip}
		if n > maxRead/2 {
			m.buffer, m.data = c.relay.buffer, c.relay.buffer[:n]
			c.relay.buffer = c.relay.spareBuffer()
		} else {
			m.data = bytes.Clone(c.relay.buffer[:n])
		}
		f.push(m)
	}
	if e.readable = n == maxRead || e.noMore; e.readable {
		c.relay.set(&f.more, c.relay.now())
	}
}

// spareBuffer returns an unused buffer. Reusing buffers costs less than allocating and collecting them.
func (r *Relay) spareBuffer() *[maxRead]byte {
	last := len(r.spare) - 1
	if last < 0 {
		return new([maxRead]byte)
	}
	buffer := r.spare[last]
	r.spare = r.spare[:last]
	return buffer
}

// push sends a mark on its way. It arrives when it is due, but not before the one ahead of it.
func (f *flow) push(m mark) {
	if f.over {
		return
	}
	f.last = max(f.last, m.due)
	m.due = f.last
	f.queue = append(f.queue, m)
	f.grow(markSize + len(m.data))
	if len(f.queue) == 1 {
		f.conn.relay.set(&f.arrive, m.due)
	}
}

func (f *flow) grow(bytes int) {
	r := f.conn.relay
	f.size += bytes
	r.used += bytes
	if len(r.starved) > 0 && r.used < r.limit {
		starved := r.starved
		r.starved = nil
		for _, s := range starved {
			s.queued = false
			s.receive()
		}
	}
}

// arrived delivers the first mark, which is due, and counts how late that is unless the receiver was not ready.
func (f *flow) arrived() {
	r, to, due := f.conn.relay, &f.conn.ends[1-f.from], f.arrive.due
	waits := !to.connected || !to.writable // for the receiver
	f.deliver()
	if !waits {
		r.late.add(r.now() - due)
	}
}

// deliver writes data that has arrived, until the receiver blocks.
func (f *flow) deliver() {
	c, to := f.conn, &f.conn.ends[1-f.from]
	for len(f.queue) > 0 && to.connected && to.writable {
		m := &f.queue[0]
		if m.due > c.relay.now() {
			c.relay.set(&f.arrive, m.due)
			break
		}
		if len(m.data) > 0 {
			n, err := unix.Write(to.fd, m.data)
			switch {
			case err == unix.EAGAIN:
				to.writable = false
			case err == unix.EINTR:
			case err != nil:
				c.lost(1 - f.from)
				return
			default:
				m.data = m.data[n:]
				f.grow(-n)
			}
			continue
		}
		event := m.event
		if m.buffer != nil && len(c.relay.spare) < maxSpare/maxRead {
			c.relay.spare = append(c.relay.spare, m.buffer)
		}
		f.queue[0] = mark{}
		f.queue = f.queue[1:]
		f.grow(-markSize)
		if event != noEvent {
			c.tell(1-f.from, event)
		}
	}
	f.receive() // there is room
}

// tell passes an event on to a socket: the end of the stream, or a reset. After the ends of both streams the connection
// is closed.
func (c *connection) tell(i int, e event) {
	switch {
	case e == broken:
		_ = unix.SetsockoptLinger(c.ends[i].fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		c.close()
	case unix.Shutdown(c.ends[i].fd, unix.SHUT_WR) != nil:
		c.lost(i)
	default:
		if c.ended++; c.ended == len(c.ends) {
			c.close()
		}
	}
}

// lost closes an end that was reset or never connected. The other end is reset a trip later.
func (c *connection) lost(i int) {
	if c.ends[i].gone {
		return
	}
	c.closeEnd(i)
	c.flows[i].push(mark{due: max(c.relay.now(), c.opens) + c.relay.trip, event: broken})
}

// close closes both sockets and drops the data in transit.
func (c *connection) close() {
	for i := range c.ends {
		c.closeEnd(i)
	}
	c.relay.unset(&c.dial)
}

// closeEnd closes a socket and drops the data in transit to it.
func (c *connection) closeEnd(i int) {
	e, f := &c.ends[i], &c.flows[1-i]
	if e.fd >= 0 {
		c.relay.close(e.fd)
	}
	e.fd, e.gone, e.readable = -1, true, false
	f.over, f.queue = true, nil
	f.grow(-f.size)
	c.relay.unset(&f.arrive)
	c.relay.unset(&f.more)
}
