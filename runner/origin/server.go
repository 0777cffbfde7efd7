//go:build linux

package origin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/eventloop"
)

// Server is an origin. Make one with Listen.
type Server struct {
	loop     *eventloop.Loop
	config   Config
	draws    *draws
	lateness *eventloop.Lateness
	address  net.Addr
	buffer   []byte // of what was read last
	filler   []byte // that bodies are made of
	parts    [][]byte
	heads    [8][]byte // of answers in this second, by their kind
	second   int64
}

// Listen makes an origin that accepts connections; they wait until Serve.
func Listen(config Config) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	loop, err := eventloop.New()
	if err != nil {
		return nil, err
	}
	s := &Server{loop: loop, config: config, draws: newDraws(&config), lateness: eventloop.NewLateness(),
		buffer: make([]byte, maxHead), filler: filler()}
	if s.address, err = loop.Listen(cmp.Or(config.Listen, ":80"), s.accepted); err != nil {
		loop.Close()
		return nil, err
	}
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() net.Addr { return s.address }

// Serve answers until the context is done, and then drops all connections. How late answers are is written to the log.
func (s *Server) Serve(ctx context.Context, log io.Writer) error {
	defer s.loop.Close()
	s.lateness.Watch(s.loop, log)
	return s.loop.Run(ctx)
}

// lineLength is that of the lines of a body, and bodyPart what is handed to the kernel at once of a long one.
const (
	lineLength = 64
	bodyPart   = 1 << 10 * lineLength
)

// filler is lines of letters and digits, so that people can look at an answer.
func filler() []byte {
	out := make([]byte, 0, bodyPart)
	for len(out) < bodyPart {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
		out = append(append(out, letters[:lineLength-1]...), '\n')
	}
	return out
}

// conn is a connection of a client.
type conn struct {
	server *Server
	fd     int
	state  state
	head   head
	body   body
	rest   []byte // read and not looked at yet
	eof    bool   // the client sends nothing more
	failed bool   // the answer to the present request is an error
	timer  eventloop.Timer

	out      []byte // of the answer's head, still to be written
	outBody  int64  // of its body
	position int64  // in the body
	events   uint32 // that are waited for
}

// state is what a connection is at.
type state int

const (
	readingHead state = iota
	readingBody
	waiting // for the time of the answer
	writing
	// nothing will be answered any more; what still comes is thrown away, so that the client can read the last answer
	draining
	closed
)

func (s *Server) accepted(fd int) {
	c := &conn{server: s, fd: fd, events: unix.EPOLLIN}
	c.timer.Fire = c.due
	if err := s.loop.Add(fd, c.events, c.ready); err != nil {
		unix.Close(fd)
		s.loop.Fail(err)
	}
}

func (c *conn) close() {
	c.state = closed
	c.server.loop.Unset(&c.timer)
	c.server.loop.CloseFile(c.fd)
}

// ready reads and writes what can be.
func (c *conn) ready(events uint32) {
	broken := events&(unix.EPOLLERR|unix.EPOLLHUP) != 0
	if events&unix.EPOLLOUT != 0 && c.state == writing {
		c.write()
		c.readAhead()
	}
	switch {
	case c.state == closed:
	case broken && c.eof:
		c.close()
	case broken || events&unix.EPOLLIN != 0:
		c.read()
	}
	c.wait()
}

// readAhead looks at what was sent ahead of an answer that is written now.
func (c *conn) readAhead() {
	if c.state == readingHead && (c.eof || len(c.rest) > 0) {
		c.consume(c.rest)
	}
}

// wait asks for the events that the connection is interested in now.
func (c *conn) wait() {
	if c.state == closed {
		return
	}
	events := uint32(0)
	if !c.eof && len(c.rest) < maxHead {
		events |= unix.EPOLLIN
	}
	if c.state == writing {
		events |= unix.EPOLLOUT
	}
	if events != c.events {
		c.events = events
		if err := c.server.loop.Modify(c.fd, events); err != nil {
			c.server.loop.Fail(err)
		}
	}
}

func (c *conn) read() {
	n, err := unix.Read(c.fd, c.server.buffer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil:
		c.close()
		return
	case n == 0:
		c.eof = true
		if c.state != waiting && c.state != writing {
			c.close() // a request that was cut off, or none
		}
		return
	case c.state == draining:
		return
	}
	data := c.server.buffer[:n]
	if len(c.rest) > 0 {
		data = append(c.rest, data...)
	}
	c.consume(data)
}

// consume goes on with what was read, as far as the next answer.
func (c *conn) consume(data []byte) {
	for c.state == readingHead || c.state == readingBody {
		if c.state == readingHead {
			h, n, err := parseHead(data)
			if err != nil {
				c.refuse(err)
				return
			}
			if n == 0 {
				break
			}
			data = data[n:]
			c.head, c.body, c.state = h, newBody(h), readingBody
		}
		rest, done, err := c.body.skip(data)
		if err != nil {
			c.refuse(err)
			return
		}
		data = rest
		if !done {
			if c.head.expected {
				c.head.expected = false
				// It is short, and the client waits for it: if it does not fit, the client goes on after a while by itself.
				_, _ = unix.Write(c.fd, []byte("HTTP/1.1 100 Continue\r\n\r\n"))
			}
			break
		}
		c.arrived()
	}
	// The buffer is everybody's.
	c.rest = append(c.rest[:0:0], data...)
	if c.eof && c.state != waiting && c.state != writing && c.state != closed {
		c.close()
	}
}

// arrived draws what becomes of a request whose last byte was read.
func (c *conn) arrived() {
	latency, failed := c.server.draws.next()
	c.failed = failed
	c.state = waiting
	if latency == 0 {
		c.answer()
		return
	}
	c.server.loop.Set(&c.timer, c.server.loop.Now()+int64(latency))
}

// due is called at the time of the answer, or when a connection was drained for long enough.
func (c *conn) due() {
	if c.state == draining {
		c.close()
		return
	}
	due := c.timer.Due() // the timer is set anew where the answer ends the connection
	c.answer()
	c.server.lateness.Add(c.server.loop.Now() - due)
	c.readAhead()
	c.wait()
}

// answer begins to write the answer.
func (c *conn) answer() {
	c.out = c.server.answerHead(c.failed, c.head.keep, c.head.old)
	c.outBody, c.position = c.server.config.Body, 0
	if c.head.isHead || !c.failed && !hasBody(c.server.config.Status) {
		c.outBody = 0
	}
	c.state = writing
	c.write()
}

// maxParts bounds how many parts of a body are handed to the kernel at once.
const maxParts = 16

// write writes as much of the answer as the kernel takes.
func (c *conn) write() {
	s := c.server
	for len(c.out) > 0 || c.outBody > 0 {
		parts := s.parts[:0]
		if len(c.out) > 0 {
			parts = append(parts, c.out)
		}
		for left, at := c.outBody, c.position; left > 0 && len(parts) < maxParts; {
			part := s.filler[at%bodyPart:]
			part = part[:min(left, int64(len(part)))]
			parts = append(parts, part)
			left, at = left-int64(len(part)), at+int64(len(part))
		}
		s.parts = parts
		n, err := unix.Writev(c.fd, parts)
		if err == unix.EAGAIN {
			return
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			c.close()
			return
		}
		head := min(n, len(c.out))
		c.out = c.out[head:]
		c.position, c.outBody = c.position+int64(n-head), c.outBody-int64(n-head)
	}
	if !c.head.keep {
		c.finish()
		return
	}
	c.state = readingHead
}

// lingering is how long a client may take to read the last answer of a connection that was not read to its end.
const lingering = time.Second

// finish ends a connection after its last answer. Closing it with something unread in it would be a reset, which can
// overtake the answer.
func (c *conn) finish() {
	if err := unix.Shutdown(c.fd, unix.SHUT_WR); err != nil || c.eof {
		c.close()
		return
	}
	c.state, c.rest = draining, nil
	c.server.loop.Set(&c.timer, c.server.loop.Now()+int64(lingering))
}

// refuse answers what is no request, and ends the connection. It takes no draw.
func (c *conn) refuse(err error) {
	status := "400 Bad Request"
	if errors.Is(err, errTooLarge) {
		status = "431 Request Header Fields Too Large"
	}
	c.out = fmt.Appendf(nil, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\nDate: %s\r\nServer: %s\r\n\r\n",
		status, date(), serverName)
	c.outBody, c.rest, c.head.keep = 0, nil, false
	c.state = writing
	c.write()
}

const serverName = "benchbook-origin"

func date() string { return time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }

// answerHead is the head of an answer. It is made once a second, since it has the date in it (RFC 9110, 6.6.1).
func (s *Server) answerHead(failed, keep, old bool) []byte {
	if now := s.loop.Now() / int64(time.Second); now != s.second {
		s.second, s.heads = now, [8][]byte{}
	}
	kind := 0
	for i, is := range []bool{failed, keep, old} {
		if is {
			kind |= 1 << i
		}
	}
	if s.heads[kind] == nil {
		status, reason := s.config.Status, s.config.Reason
		if failed {
			status, reason = 500, "Internal Server Error"
		}
		h := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n", status, reason)
		switch {
		case !keep:
			h = append(h, "Connection: close\r\n"...)
		case old:
			h = append(h, "Connection: keep-alive\r\n"...)
		}
		if hasBody(status) {
			h = fmt.Appendf(h, "Content-Length: %d\r\nContent-Type: text/plain\r\n", s.config.Body)
		}
		s.heads[kind] = fmt.Appendf(h, "Date: %s\r\nServer: %s\r\n\r\n", date(), serverName)
	}
	return s.heads[kind]
}
