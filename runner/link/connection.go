//go:build linux

package link

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connection is a connection of a client with its connection to the service.
type connection struct {
	relay           *Relay
	client, service end
	forward, back   flow
	opens           time.Duration // when the client would be connected
}

// lost ends a socket that was reset or never opened: it takes nothing any more, and the other end hears of it a trip
// later.
func (c *connection) lost(e *end) {
	r := c.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.gone {
		return
	}
	e.close()
	e.out.finishLocked()
	e.in.pushLocked(mark{due: max(r.server.Now()+r.tripLocked(), c.opens), event: broken})
}

// end tells a receiver that its stream has ended. After both directions the connection is closed.
func (c *connection) end(f *flow) {
	if err := f.to.socket.CloseWrite(); err != nil {
		c.lost(f.to)
		return
	}
	c.relay.mu.Lock()
	f.ended = true
	both := c.forward.ended && c.back.ended
	c.relay.mu.Unlock()
	if both {
		c.close()
	}
}

// abort resets a socket, as its other end was.
func (c *connection) abort(e *end) {
	if e.socket != nil {
		_ = e.socket.SetLinger(0) // fails if the socket is closed
	}
	c.close()
}

// close closes both sockets and drops what is in transit.
func (c *connection) close() {
	r := c.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	c.client.close()
	c.service.close()
	c.forward.finishLocked()
	c.back.finishLocked()
}

// maxDelay is for how long the kernel may put off the last segment of a handshake, with some time to spare: its bound
// is 200 ms.
//
// Source: Linux, net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process, which waits for TCP_DELACK_MAX where TCP_QUICKACK
// is off, since data would save that segment.
const maxDelay = 150 * time.Millisecond

// relay relays a connection of a client until both directions have ended.
func (r *Relay) relay(ctx context.Context, client *net.TCPConn, target netip.AddrPort) {
	c := &connection{relay: r}
	c.client = end{in: &c.forward, out: &c.back}
	c.service = end{in: &c.back, out: &c.forward}
	if err := c.client.connect(client); err != nil {
		return
	}
	c.forward = flow{relay: r, conn: c, line: r.lines[0], from: &c.client, to: &c.service}
	c.back = flow{relay: r, conn: c, line: r.lines[1], from: &c.service, to: &c.client}
	c.forward.changed.L, c.back.changed.L = &r.mu, &r.mu
	r.mu.Lock()
	now := r.server.Now()
	syn, synAck, ack := r.tripLocked(), r.tripLocked(), r.tripLocked()
	c.opens = now + syn + synAck
	c.forward.pushLocked(mark{due: c.opens + ack, event: opened})
	r.mu.Unlock()

	defer context.AfterFunc(ctx, c.close)()
	var senders, receivers sync.WaitGroup
	senders.Go(c.back.send)
	receivers.Go(c.forward.receive)
	if r.server.SleepUntil(max(now+syn, c.opens+ack-maxDelay)) && c.dial(ctx, target) {
		receivers.Go(c.back.receive)
		c.forward.ready = r.server.Now()
		c.forward.send()
	}
	senders.Wait()
	c.close()
	receivers.Wait()
}

// dial connects to the service. It tells the client if that fails.
func (c *connection) dial(ctx context.Context, target netip.AddrPort) bool {
	d := net.Dialer{KeepAlive: -1, Control: func(_, _ string, raw syscall.RawConn) error {
		if c.relay.config.RTT == 0 {
			return nil
		}
		// The service gets the last segment of the handshake, and so the connection, when the client's would reach it.
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) // it is a socket of TCP
		})
	}}
	socket, err := d.DialContext(ctx, "tcp", target.String())
	if err == nil {
		c.relay.mu.Lock()
		err = c.service.connect(socket.(*net.TCPConn))
		c.relay.mu.Unlock()
	}
	if err != nil {
		if ctx.Err() == nil {
			c.relay.logRefused(err)
		}
		c.lost(&c.service)
		return false
	}
	return true
}
