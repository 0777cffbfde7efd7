package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// load is what the clients of a run share.
type load struct {
	config  *Config
	target  *Target
	request []byte
	window  *window
	base    time.Time      // the run's clock starts here
	retired sync.WaitGroup // connections that wait for the server to close them
}

// now is the run's clock, in nanoseconds.
func (l *load) now() int64 { return time.Since(l.base).Nanoseconds() }

// client sends one request at a time, over one connection at a time.
type client struct {
	*load
	address string
	conn    *net.TCPConn // nil between connections
	raw     syscall.RawConn
	unwatch func() bool // takes back that a cancelled context closes conn
	answer  answerReader
	buffer  []byte
}

// bufferSize is how many bytes of an answer are read at a time.
const bufferSize = 32 << 10

func newClient(l *load, address netip.AddrPort) *client {
	return &client{
		load:    l,
		address: address.String(),
		answer:  answerReader{head: l.target.method() == "HEAD"},
		buffer:  make([]byte, bufferSize),
	}
}

// errNoResources is what the generator, and not the server, has run out of.
var errNoResources = errors.New("the generator is out of files or memory for connections; " +
	"raise its limits or lower connections")

// attempt sends a request that starts now, or that started a moment ago, and follows it to its end.
//
// The error is errNoResources or that of the context, in which case there is no outcome; whatever else happens is
// the outcome.
func (c *client) attempt(ctx context.Context, start int64) (outcome, error) {
	o := outcome{start: start}
	reused := c.conn != nil
	if !reused {
		if err := c.open(ctx, &o, start); err != nil || o.kind != "" {
			return o, err
		}
	}
	c.exchange(&o)
	// Between two requests a server may close a connection at any moment, so this is no failure of its own.
	if stale := reused && !c.answer.begun && (o.kind == Closed || o.kind == Reset); stale {
		o = outcome{start: start, stale: true, bytesOut: o.bytesOut}
		if err := c.open(ctx, &o, c.now()); err != nil || o.kind != "" {
			return o, err
		}
		c.exchange(&o)
	}
	return o, ctx.Err()
}

func (c *client) deadline(o *outcome) time.Time {
	return c.base.Add(time.Duration(o.start)).Add(c.config.Timeout)
}

// open opens a connection for a request, from the given time on.
func (c *client) open(ctx context.Context, o *outcome, from int64) error {
	// Probes of idle connections would be traffic that nobody asked for. Dialer.DialTCP would bind the socket to
	// a port of its own first, so that ports could no longer be shared between addresses and ran out sooner.
	dialer := net.Dialer{Deadline: c.deadline(o), KeepAlive: -1}
	opened, err := dialer.DialContext(ctx, "tcp", c.address)
	end := c.now()
	conn, _ := opened.(*net.TCPConn)
	if err == nil {
		if c.raw, err = conn.SyscallConn(); err != nil {
			conn.Close()
		}
	}
	if err != nil {
		kind, err := refusal(err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case kind == "":
			return err
		}
		o.fail(end, kind, err)
		return nil
	}
	c.conn = conn
	c.unwatch = context.AfterFunc(ctx, func() { conn.Close() })
	o.connects[o.connected] = end - from
	o.connected++
	return nil
}

// refusal is the kind of failure that an error in opening a connection amounts to, or none if the generator is to
// blame, not the server.
func refusal(err error) (Kind, error) {
	for _, ours := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, ours) {
			return "", fmt.Errorf("%w: %w", errNoResources, err)
		}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return Ports, err
	}
	return Connect, err
}

// close gives the connection up.
func (c *client) close() {
	if c.conn != nil {
		c.unwatch()
		c.conn.Close()
		c.conn = nil
	}
}

// patience is how long a server that has announced the end of a connection may take to close it.
const patience = 100 * time.Millisecond

// retire closes a connection whose end the server has announced, but lets the server close it first: the local
// port of the side that closes first stays blocked for a minute, and a load without keep-alive needs many.
func (c *client) retire(o *outcome) {
	if err := c.idle(); err != nil {
		o.unrequested = errors.Is(err, errUnrequested)
		c.close()
		return
	}
	conn, unwatch := c.conn, c.unwatch
	c.conn = nil
	c.retired.Go(func() {
		defer unwatch()
		defer conn.Close()
		if conn.SetReadDeadline(time.Now().Add(patience)) == nil {
			conn.Read(make([]byte, 1)) // whatever ends the wait, the connection is done with
		}
	})
}

// exchange sends the request over the open connection and reads the answer. Afterwards the connection is closed
// unless it can carry another request.
func (c *client) exchange(o *outcome) {
	intact := c.transfer(o)
	switch {
	case !intact:
		c.close()
	case !c.answer.keepAlive():
		c.retire(o)
	case !c.config.KeepAlive:
		c.close()
	}
}

// transfer does the work of exchange. It reports whether the connection is as the answer left it: open, with
// nothing waiting to be sent or read.
func (c *client) transfer(o *outcome) (intact bool) {
	c.answer.reset()
	if err := c.conn.SetDeadline(c.deadline(o)); err != nil {
		o.fail(c.now(), Reset, err)
		return false
	}
	sent, sendErr := c.conn.Write(c.request)
	o.end = c.now()
	if c.window.contains(o.end) {
		o.bytesOut += int64(sent)
	}
	if errors.Is(sendErr, os.ErrDeadlineExceeded) {
		o.fail(o.end, Timeout, sendErr)
		return false
	}
	// Any other error can wait: a server that does not read all of a request may have answered it all the same.
	for {
		n, err := c.conn.Read(c.buffer)
		o.end = c.now()
		if n > 0 && c.window.contains(o.end) {
			o.bytesIn += int64(n)
		}
		if n > 0 && o.firstByte == 0 {
			o.firstByte = o.end
		}
		used, done, malformed := c.answer.feed(c.buffer[:n])
		switch {
		case malformed != nil:
			o.fail(o.end, Malformed, malformed)
			return false
		case done:
			o.unrequested = used < n
			c.judge(o)
			return sendErr == nil && !o.unrequested
		case err != nil:
			c.breakOff(o, err, sendErr)
			return false
		}
	}
}

// breakOff decides what it means that reading ended with err, and sending with sendErr before.
func (c *client) breakOff(o *outcome, err, sendErr error) {
	switch {
	case errors.Is(err, io.EOF):
		complete, kind := c.answer.eof()
		switch {
		case complete:
			c.judge(o)
		case kind == Closed && sendErr != nil:
			o.fail(o.end, Reset, sendErr) // the reset was used up by telling the sender
		default:
			o.fail(o.end, kind, errors.New("the server closed the connection"))
		}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		o.fail(o.end, Timeout, err)
	default:
		o.fail(o.end, Reset, err)
	}
}

// judge decides whether a whole answer is a right one. An answer that we only got to see after its timeout came
// too late, even if the timer was later still.
func (c *client) judge(o *outcome) {
	o.status = c.answer.status
	if late := time.Duration(o.end-o.start) > c.config.Timeout; late {
		o.fail(o.end, Timeout, errors.New("the answer came too late"))
	} else if err := c.config.Verify.each(o.status, c.answer.length); err != nil {
		o.fail(o.end, Wrong, err)
	}
}

// inspect looks at the connection between two requests: a server may have closed it meanwhile, which makes it
// stale, or sent bytes that would pass for the start of the next answer. Either way it is given up.
func (c *client) inspect() (stale, unrequested bool) {
	if c.conn == nil {
		return false, false
	}
	err := c.idle()
	if err == nil {
		return false, false
	}
	c.close()
	unrequested = errors.Is(err, errUnrequested)
	return !unrequested, unrequested
}

var errUnrequested = errors.New("bytes came that nobody had asked for")

// idle returns nil while the connection is open and nothing waits to be read from it.
func (c *client) idle() error {
	var n int
	var peekErr error
	var peeked [1]byte
	err := c.raw.Control(func(fd uintptr) {
		for {
			n, _, peekErr = syscall.Recvfrom(int(fd), peeked[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if peekErr != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return err
	case peekErr == syscall.EAGAIN:
		return nil
	case peekErr != nil:
		return peekErr
	case n > 0:
		return errUnrequested
	}
	return io.EOF
}
