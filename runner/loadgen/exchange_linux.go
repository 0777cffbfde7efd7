package loadgen

import (
	"crypto/tls"
	"time"

	"golang.org/x/sys/unix"
)

// How an engine carries out the request on one connection, from opening it to the last byte of the answer.

const (
	worthSkipping = 8 << 10                       // bytes of a body that are worth dropping in the kernel
	mostSkipped   = 1 << 24                       // bytes dropped at a time, so that the clock is still read now and then
	mostReads     = 16                            // reads of one connection while others wait
	patience      = int64(100 * time.Millisecond) // for a server to close a connection whose end it has announced
)

// open opens the connection of a request and sends the request.
func (e *engine) open(i int32, c *connection) {
	number := (e.index + int(i)/e.perClient*e.engines) % len(e.addresses[c.origin])
	c.opened = e.clock
	fd, errno := connect(&e.addresses[c.origin][number])
	if fd >= 0 {
		c.fd, c.generation, c.state = int32(fd), e.sockets.add(fd, i), connecting
	}
	if errno != 0 && errno != unix.EINPROGRESS {
		e.clock = e.now()
		e.refused(i, c, errno)
		return
	}
	if e.origins[c.origin].secure == nil {
		// To a server on the same machine the connection is open already, though connect returns EINPROGRESS. Otherwise
		// sending returns EAGAIN.
		e.clock = e.now()
		text := e.targets[c.target].text
		n, errno := send(fd, text)
		if errno == 0 {
			c.connect = e.clock - c.opened
			e.wrote(c, n, len(text))
			e.watch(&c.socket, unix.EPOLL_CTL_ADD, c.state == sending)
			return
		}
		if errno != unix.EAGAIN {
			e.openFailed(i, c, errno, unix.EPOLL_CTL_ADD)
			return
		}
	}
	e.watch(&c.socket, unix.EPOLL_CTL_ADD, true)
}

// openFailed handles an error in opening a connection. One that was reset had been open.
func (e *engine) openFailed(i int32, c *connection, errno unix.Errno, op int) {
	if errno != unix.ECONNRESET && errno != unix.EPIPE {
		e.refused(i, c, errno)
		return
	}
	c.connect = e.clock - c.opened
	c.sendFailed, c.state = true, waiting
	e.watch(&c.socket, op, false)
}

// refused ends a request whose connection did not open.
func (e *engine) refused(i int32, c *connection, err error) {
	kind, err := connectFailure(err)
	if kind == "" {
		e.err = err
		return
	}
	e.fail(i, c, kind)
}

// connected handles a connection that has opened, or failed to.
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
	secure := e.origins[c.origin].secure
	if secure == nil {
		e.send(i, c)
		return
	}
	e.secure(&c.socket, i, secure, c.start)
}

// secure starts the handshake on a connection; collect finishes it.
func (e *engine) secure(s *socket, slot int32, config *tls.Config, start int64) {
	s.state = securing
	sendAtOnce(int(s.fd)) // the request follows the end of the handshake
	if err := e.sockets.poller.control(unix.EPOLL_CTL_DEL, int(s.fd), 0, 0); err != nil {
		e.err = err
		return
	}
	// The handshake gets a duplicate, since this engine may close its own socket meanwhile.
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		_, e.err = connectFailure(err)
		return
	}
	generation, deadline := s.generation, e.base.Add(time.Duration(start)+e.config.Timeout)
	e.handshakes.running.Go(func() {
		s, err := handshake(e.context, fd, config, deadline)
		e.handshakes.add(handshaken{slot, generation, s, e.now(), err})
		e.sockets.poller.wake()
	})
}

// collect continues with connections whose handshake has ended.
func (e *engine) collect() {
	for _, h := range e.handshakes.take() {
		e.clock = e.now()
		c := &e.connections[h.slot]
		if c.generation != h.generation || c.state != securing {
			continue // it was given up meanwhile
		}
		if h.err != nil {
			e.refused(h.slot, c, h.err)
			continue
		}
		e.handshakes.negotiated[h.session.negotiated()] = true
		c.tls = h.end - (c.opened + c.connect)
		c.session = h.session
		e.watch(&c.socket, unix.EPOLL_CTL_ADD, false)
		e.send(h.slot, c)
	}
}

// watch polls a connection for input, and for room to send if writable.
func (e *engine) watch(c *socket, op int, writable bool) {
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if writable {
		events |= unix.EPOLLOUT
	}
	c.writable = writable
	if err := e.sockets.poller.control(op, int(c.fd), c.generation, events); err != nil {
		e.err = err
	}
}

// send sends the request on a connection, or the rest of it.
func (e *engine) send(i int32, c *connection) {
	text := e.targets[c.target].text
	if s := c.session; s != nil {
		if !s.sealed {
			if err := s.seal(text); err != nil {
				e.breakOff(i, c, Reset)
				return
			}
		}
		text = s.wire.out
	}
	n, errno := send(int(c.fd), text[c.written:])
	for errno == unix.EINTR {
		n, errno = send(int(c.fd), text[c.written:])
	}
	switch errno {
	case 0:
		e.wrote(c, n, len(text))
		if c.state == waiting && c.session != nil {
			c.session.wire.out, c.written = c.session.wire.out[:0], 0
		}
	case unix.EAGAIN:
		c.state = sending
	case unix.ENOBUFS, unix.ENOMEM:
		_, e.err = connectFailure(errno)
		return
	default:
		// A server that does not read all of a request may have answered it. The poller reports the broken connection,
		// and what has come over it is read first.
		c.state, c.sendFailed = waiting, true
	}
	if writable := c.state == sending; writable != c.writable {
		e.watch(&c.socket, unix.EPOLL_CTL_MOD, writable)
	}
}

// wrote notes that another n of the length bytes of a request have left.
func (e *engine) wrote(c *connection, n, length int) {
	c.written += n
	if e.window.contains(e.clock) {
		c.bytesOut += int64(n)
	}
	c.state = waiting
	if c.written < length {
		c.state = sending
		sendAtOnce(int(c.fd)) // or the last piece waits until the earlier ones are acknowledged
	}
}

// read reads the bytes of an answer that have arrived. broken means that the connection ends after them.
func (e *engine) read(i int32, c *connection, broken bool) {
	e.broken = broken
	for range mostReads {
		skips := c.session == nil && c.answer.skippable() >= worthSkipping
		var n int
		var errno unix.Errno
		if skips {
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
		if errno != 0 || n == 0 {
			e.endOfBytes(i, c, errno)
			return
		}
		if e.window.contains(e.clock) {
			c.bytesIn += int64(n)
		}
		if c.firstByte == 0 && c.session == nil { // TLS receives bytes of its own before the answer
			c.firstByte = e.clock
		}
		more := broken || skips || n == len(e.buffer) // may have come
		if e.take(i, c, n, skips, more) || !more {
			return
		}
	}
}

// endOfBytes handles the end of a connection, with an error or without.
func (e *engine) endOfBytes(i int32, c *connection, errno unix.Errno) {
	switch errno {
	case 0:
		e.endOfStream(i, c, false)
	case unix.ETIMEDOUT:
		e.fail(i, c, Timeout)
	default:
		e.breakOff(i, c, Reset)
	}
}

// take handles n bytes of an answer, which are in the buffer unless skipped, and reports whether the request is over.
func (e *engine) take(i int32, c *connection, n int, skipped, more bool) (over bool) {
	if c.session != nil {
		return e.takeSecure(i, c, e.buffer[:n], more)
	}
	used, done := n, false
	var malformed error
	if skipped {
		done = c.answer.skip(int64(n))
	} else {
		used, done, malformed = e.heads[c.target].feed(&c.answer, e.buffer[:n])
	}
	switch {
	case malformed != nil:
		e.fail(i, c, Malformed)
	case done:
		e.answered(i, c, used < n, more)
	default:
		return false
	}
	return true
}

// takeSecure is take for encrypted bytes.
func (e *engine) takeSecure(i int32, c *connection, b []byte, more bool) (over bool) {
	var done, extra bool
	var malformed error
	err := c.session.open(b, e.plain, func(plain []byte) {
		if c.firstByte == 0 {
			c.firstByte = e.clock
		}
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
		e.answered(i, c, extra, more)
	case err != nil && isAlert(err):
		e.breakOff(i, c, Reset)
	case err != nil:
		e.fail(i, c, Malformed)
	case c.session.ended:
		e.endOfStream(i, c, true)
	case len(c.session.wire.out) > c.written && c.state == waiting:
		e.send(i, c) // TLS has something to send
		return false
	default:
		return false
	}
	return true
}

// endOfStream handles the end of what the server sends. said means that TLS announced it: without that, a body that
// ends with the connection is incomplete (RFC 9112, 9.8).
func (e *engine) endOfStream(i int32, c *connection, said bool) {
	complete, kind := c.answer.eof()
	switch {
	case complete && c.session != nil && !said:
		e.fail(i, c, Short)
	case complete:
		e.sockets.close(&c.socket)
		e.judge(i, c)
		e.pacing.freed(i)
	case kind == Closed && c.sendFailed:
		e.breakOff(i, c, Reset) // the kernel has reported the reset to send
	default:
		e.breakOff(i, c, kind)
	}
}

// breakOff ends a request whose connection broke. A server may close a kept connection at any moment, so a request over
// one is sent again once.
func (e *engine) breakOff(i int32, c *connection, kind Kind) {
	if !c.reused || c.retried || c.answer.begun || kind != Closed && kind != Reset || e.isLate(c.start) {
		e.fail(i, c, kind)
		return
	}
	e.sockets.close(&c.socket)
	c.retried, c.stale = true, true
	c.sendFailed, c.firstByte, c.bytesIn, c.written = false, 0, 0, 0
	c.answer.reset()
	e.open(i, c)
}

// answered ends a request whose answer is complete. extra means that bytes followed it, more that some may be unread.
func (e *engine) answered(i int32, c *connection, extra, more bool) {
	lasts := c.answer.keepAlive()
	gone := e.broken && !lasts
	intact := !extra && c.state == waiting && !c.sendFailed
	if intact && !gone && (more || c.session.hasEnded()) {
		extra, gone = e.peek(c)
		intact = !extra
	}
	c.unrequested = c.unrequested || extra
	if intact && !gone {
		e.release(c, lasts)
	} else {
		e.sockets.close(&c.socket)
	}
	e.judge(i, c)
	c.stale = gone && lasts && e.config.KeepAlive // for the next request
	e.pacing.freed(i)
}

// release keeps a connection for the next request, or closes it.
func (e *engine) release(c *connection, lasts bool) {
	switch {
	case !lasts:
		e.sockets.retire(&c.socket, e.clock+patience)
	case !e.config.KeepAlive:
		e.sockets.close(&c.socket)
	default:
		c.state = idle
		if c.session != nil {
			c.session.sealed = false
		}
	}
}

// peek looks for extra bytes on a connection, and for its end.
func (e *engine) peek(c *connection) (extra, gone bool) {
	if c.session.hasEnded() {
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

// inspect handles an event of a connection without a request. It closes one that the server has closed, which is stale,
// and one with extra bytes, which would pass for the start of the next answer.
func (e *engine) inspect(c *connection, broken bool) {
	for range mostReads {
		extra, gone := e.peek(c)
		if extra || gone {
			c.unrequested, c.stale = c.unrequested || extra, c.stale || !extra
			e.sockets.close(&c.socket)
			return
		}
		if !broken {
			return
		}
	}
}
