//go:build linux

package agent

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// maxLatency bounds the draws of a lognormal distribution.
const maxLatency = 24 * time.Hour

// quantile returns the latency that a share of p of all latencies is shorter than, 0 ≤ p < 1.
func (c *OriginConfig) quantile(p float64) time.Duration {
	switch c.Distribution {
	case "constant":
		return c.Value
	case "lognormal":
		z := math.Sqrt2 * math.Erfinv(2*p-1) // of the normal distribution
		return time.Duration(min(float64(c.Median)*math.Exp(c.Sigma*z), float64(maxLatency)))
	}
	return 0
}

// OriginServer is an origin. Make one with ListenOrigin.
type OriginServer struct {
	*loop
	config  OriginConfig
	times   *rand.Rand
	buffer  []byte             // for what is read
	filler  []byte             // what bodies consist of
	heads   map[string]request // clients repeat them
	answers map[answerKind]answer
	second  int64 // of answers
}

const (
	maxHead    = 64 << 10 // bytes
	maxHeads   = 100
	lineLength = 64 // of bodies, so that people can read them
	bodyPart   = 1 << 10 * lineLength
)

// ListenOrigin returns an origin that accepts connections; they wait until Serve.
func ListenOrigin(config OriginConfig) (*OriginServer, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	s := &OriginServer{loop: l, config: config, buffer: make([]byte, maxHead), heads: map[string]request{},
		filler: bytes.Repeat([]byte(letters[:lineLength-1]+"\n"), bodyPart/lineLength),
		times:  rand.New(rand.NewPCG(config.Seed, 0))}
	return s, l.listen(cmp.Or(config.Listen, ":80"), s.accepted)
}

// client is the connection of a client.
type client struct {
	server   *OriginServer
	fd       int
	state    state
	readable bool
	ended    bool // the client sends nothing more
	timer    timer

	unread []byte // what was read and not yet looked at
	request
	inBody  bool
	left    int  // bytes of the body, or of its chunk and the line end after it
	trailer bool // the last chunk was read

	out  []byte // what is to be written,
	body int64  // and bytes of a body after it
}

type state int

const (
	reading  state = iota
	waiting        // for the time of the answer
	writing        // the answer
	draining       // until the client has read the last answer
	closed
)

func (s *OriginServer) accepted(fd int) {
	c := &client{server: s, fd: fd}
	if s.add(fd, c.ready) != nil {
		unix.Close(fd)
	}
}

func (c *client) ready(events uint32) {
	c.readable = c.readable || events&canRead != 0
	c.ended = c.ended || events&noMore != 0
	c.proceed()
}

// proceed does what can be done without waiting.
func (c *client) proceed() {
	for {
		proceeds := false
		switch c.state {
		case reading:
			complete, err := c.parse()
			switch {
			case err != nil:
				c.refuse(err)
				proceeds = true
			case complete:
				proceeds = c.arrived()
			default:
				proceeds = c.read()
			}
		case writing:
			proceeds = c.write()
		case draining:
			c.unread = nil
			proceeds = c.read()
		}
		if !proceeds {
			return
		}
	}
}

func (c *client) read() (proceeds bool) {
	if !c.readable {
		return false
	}
	n, err := unix.Read(c.fd, c.server.buffer)
	switch {
	case err == unix.EAGAIN:
		c.readable = false
		return false
	case err != nil && err != unix.EINTR, n == 0:
		c.close()
		return false
	}
	c.unread = append(c.unread, c.server.buffer[:max(n, 0)]...)
	c.readable = n == len(c.server.buffer) || c.ended
	return true
}

func (c *client) close() {
	c.state = closed
	c.server.unset(&c.timer)
	c.server.close(c.fd)
}

// arrived is called when the last byte of a request was read.
func (c *client) arrived() (proceeds bool) {
	s := c.server
	latency := s.config.quantile(s.times.Float64())
	if latency <= 0 {
		c.answer()
		return true
	}
	c.state = waiting
	c.timer.fire = func() {
		c.answer()
		due := c.timer.due // before it is set again
		c.write()
		s.late.add(s.now() - due)
		c.proceed()
	}
	s.set(&c.timer, s.now()+int64(latency))
	return false
}

func (c *client) answer() {
	a := c.server.render(answerKind{c.keep, c.old})
	c.state, c.out, c.body = writing, a.begin, a.left
	if c.isHead {
		c.out, c.body = a.begin[:a.head], 0
	}
}

// lingerTime is how long a client may take to read the last answer of a connection.
const lingerTime = time.Second

// write writes as much of the answer as the kernel takes.
func (c *client) write() (proceeds bool) {
	s := c.server
	for len(c.out) > 0 || c.body > 0 {
		if len(c.out) == 0 {
			c.out = s.filler[:min(c.body, bodyPart)]
			c.body -= int64(len(c.out))
		}
		n, err := unix.Write(c.fd, c.out)
		switch err {
		case nil:
			c.out = c.out[n:]
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			c.close()
			return false
		}
	}
	c.state = reading
	if !c.keep {
		// To close a socket that has unread bytes is a reset, which can overtake the answer.
		c.state = draining
		c.timer.fire = c.close
		s.set(&c.timer, s.now()+int64(lingerTime))
		_ = unix.Shutdown(c.fd, unix.SHUT_WR) // fails if the client has reset it, as reading will
	}
	return true
}

// answerKind is what the head of an answer depends on.
type answerKind struct{ keep, old bool } // as in a request

type answer struct {
	begin []byte // the head and the first bodyPart bytes of the body
	head  int    // bytes of begin
	left  int64  // bytes of the body after begin
}

// render returns an answer of a kind. It renders each kind once a second, because of the date (RFC 9110, 6.6.1).
func (s *OriginServer) render(kind answerKind) answer {
	if now := time.Now().Unix(); now != s.second {
		s.second, s.answers = now, map[answerKind]answer{}
	}
	if a, ok := s.answers[kind]; ok {
		return a
	}
	h := []byte("HTTP/1.1 200 OK\r\n")
	switch {
	case !kind.keep:
		h = append(h, "Connection: close\r\n"...)
	case kind.old:
		h = append(h, "Connection: keep-alive\r\n"...)
	}
	h = fmt.Appendf(h, "Content-Length: %d\r\nContent-Type: text/plain\r\n%s\r\n", s.config.Body, commonFields())
	first := min(s.config.Body, bodyPart)
	a := answer{append(h, s.filler[:first]...), len(h), s.config.Body - first}
	s.answers[kind] = a
	return a
}

// commonFields returns the lines that all answers have in their heads.
func commonFields() string {
	return "Date: " + time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + "\r\nServer: benchbook-origin\r\n"
}

// refuse answers an invalid request, and ends the connection. Nothing is drawn for it.
func (c *client) refuse(err error) {
	status := "400 Bad Request"
	if errors.Is(err, errTooLarge) {
		status = "431 Request Header Fields Too Large"
	}
	c.out = fmt.Appendf(nil, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n", status, commonFields())
	c.state, c.body, c.keep = writing, 0, false
}
