//go:build linux

package agent

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxLatency is the upper bound of draws from a lognormal distribution.
const maxLatency = 24 * time.Hour

// quantile returns the latency that a share p of all latencies is below, 0 ≤ p < 1.
func (c *OriginConfig) quantile(p float64) time.Duration {
	switch c.Distribution {
	case "constant":
		return c.Value
	case "lognormal":
		z := math.Sqrt2 * math.Erfinv(2*p-1) // quantile of the standard normal distribution
		return time.Duration(min(float64(c.Median)*math.Exp(c.Sigma*z), float64(maxLatency)))
	}
	return 0
}

// OriginServer is a running origin. Make one with ListenOrigin.
type OriginServer struct {
	*loop
	config  OriginConfig
	times   *rand.Rand
	buffer  []byte             // for reading
	filler  []byte             // repeated to make bodies
	heads   map[string]request // parsed heads by their text, since clients repeat them
	answers map[answerKind]answer
	second  int64 // of answers
}

const (
	maxHead    = 64 << 10 // bytes
	maxHeads   = 100
	lineLength = 64 // of bodies, so that people can read them
	bodyPart   = 1 << 10 * lineLength
)

// ListenOrigin returns an origin that accepts connections. They wait until Serve is called.
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

// client is a connection of a client.
type client struct {
	server   *OriginServer
	fd       int
	state    state
	readable bool
	ended    bool // the client sends nothing more
	timer    timer

	unread []byte // read, not yet parsed
	request
	inBody  bool
	left    int  // bytes left of the body, or of its chunk and the line end after it
	trailer bool // the last chunk was read, and trailers follow

	out  []byte // to be written
	body int64  // bytes of filler to write after out
}

type state int

const (
	reading  state = iota
	waiting        // until the answer is due
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

// proceed advances the state as far as it can without waiting.
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

// arrived draws the latency of a request whose last byte was read, and answers now or sets the timer.
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
		// Closing a socket with unread bytes resets it, and the reset can overtake the answer.
		c.state = draining
		c.timer.fire = c.close
		s.set(&c.timer, s.now()+int64(lingerTime))
		_ = unix.Shutdown(c.fd, unix.SHUT_WR) // fails if the client has reset it, and so will reading
	}
	return true
}

// answerKind has what the head of an answer depends on.
type answerKind struct{ keep, old bool } // as in a request

type answer struct {
	begin []byte // the head and the first bodyPart bytes of the body
	head  int    // bytes of begin
	left  int64  // bytes of the body after begin
}

// render returns an answer of a kind. It renders each kind anew every second, because of the date (RFC 9110, 6.6.1).
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

// commonFields returns the header lines of all answers.
func commonFields() string {
	return "Date: " + time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + "\r\nServer: benchbook-origin\r\n"
}

// refuse answers an invalid request and then closes the connection. It draws no latency.
func (c *client) refuse(err error) {
	status := "400 Bad Request"
	if errors.Is(err, errTooLarge) {
		status = "431 Request Header Fields Too Large"
	}
	c.out = fmt.Appendf(nil, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n", status, commonFields())
	c.state, c.body, c.keep = writing, 0, false
}

var (
	errMalformed = errors.New("malformed request")
	errTooLarge  = errors.New("head too large")
)

// tooLarge returns an error if an incomplete head or line is already larger than a whole one may be.
func tooLarge(begin []byte) error {
	if len(begin) > maxHead {
		return errTooLarge
	}
	return nil
}

// request has what an origin needs of the head of a request.
type request struct {
	isHead   bool // the method is HEAD
	old      bool // HTTP/1.0
	keep     bool // the connection is kept after the answer
	expected bool // the client waits for 100 (Continue) before it sends the body
	chunked  bool
	length   int // bytes of a body that is not chunked
}

// parse takes a request off the unread bytes, and reports whether it was complete.
func (c *client) parse() (complete bool, err error) {
	if !c.inBody {
		c.unread = bytes.TrimLeft(c.unread, "\r\n") // empty lines before a request are skipped (RFC 9112, 2.2)
		head, rest, ok := bytes.Cut(c.unread, []byte("\r\n\r\n"))
		if !ok {
			return false, tooLarge(c.unread)
		}
		if c.request, err = c.server.parseHead(head); err != nil {
			return false, err
		}
		c.unread, c.inBody, c.left, c.trailer = rest, true, c.length, false
	}
	if complete, err = c.skipBody(); err != nil || complete {
		c.inBody = false
		if len(c.unread) == 0 {
			c.unread = nil
		}
		return complete, err
	}
	if c.expected {
		c.expected = false
		_, _ = unix.Write(c.fd, []byte("HTTP/1.1 100 Continue\r\n\r\n")) // or the client sends the body after a while
	}
	return false, nil
}

// parseHead reads the head of a request, without the empty line after it.
func (s *OriginServer) parseHead(head []byte) (r request, err error) {
	if r, ok := s.heads[string(head)]; ok {
		return r, nil
	}
	line, fields, _ := strings.Cut(string(head), "\r\n")
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields + "\r\n\r\n"))).ReadMIMEHeader()
	if err == nil {
		r, err = newRequest(line, header)
	}
	if err == nil && len(s.heads) < maxHeads {
		s.heads[string(head)] = r
	}
	return r, err
}

// newRequest reads a request line and a header.
//
// Source: RFC 9112, 2 to 6.
func newRequest(line string, header textproto.MIMEHeader) (r request, err error) {
	words := strings.Split(line, " ") // method, target, version
	if len(words) != 3 {
		return r, errMalformed
	}
	r.isHead, r.old = words[0] == "HEAD", words[2] == "HTTP/1.0"
	hosts := len(header["Host"])
	if !r.old && words[2] != "HTTP/1.1" || hosts > 1 || hosts == 0 && !r.old {
		return r, errMalformed
	}
	r.keep = !hasWord(header["Connection"], "close") && (!r.old || hasWord(header["Connection"], "keep-alive"))
	r.expected = !r.old && hasWord(header["Expect"], "100-continue")
	lengths, codings := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(lengths)+len(codings) == 0:
		return r, nil
	case len(lengths)+len(codings) > 1: // others could read it as two requests (6.3)
		return r, errMalformed
	case len(codings) == 1:
		if r.chunked = strings.EqualFold(codings[0], "chunked"); !r.chunked || r.old {
			return r, errMalformed
		}
		return r, nil
	}
	length, err := strconv.ParseUint(lengths[0], 10, 62)
	r.length = int(length)
	return r, err
}

// hasWord reports whether one of several comma-separated lists has a word, ignoring case.
func hasWord(lists []string, word string) bool {
	for _, list := range lists {
		for part := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(part, " \t"), word) {
				return true
			}
		}
	}
	return false
}

// skipBody takes the bytes of the body off the unread bytes, and reports whether the body is complete.
//
// Source: RFC 9112, 7.1.
func (c *client) skipBody() (ended bool, err error) {
	for {
		n := min(c.left, len(c.unread))
		c.unread, c.left = c.unread[n:], c.left-n
		if c.left > 0 || !c.chunked {
			return c.left == 0, nil
		}
		line, rest, ok := bytes.Cut(c.unread, []byte("\r\n"))
		if !ok {
			return false, tooLarge(c.unread)
		}
		c.unread = rest
		if c.trailer {
			if len(line) == 0 {
				return true, nil
			}
			continue
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 48)
		if err != nil {
			return false, errMalformed
		}
		c.left, c.trailer = int(size)+len("\r\n"), size == 0
		if c.trailer {
			c.left = 0
		}
	}
}
