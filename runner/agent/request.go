//go:build linux

package agent

import (
	"bufio"
	"bytes"
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	errMalformed = errors.New("malformed request")
	errTooLarge  = errors.New("head too large")
)

// tooLarge returns an error if the beginning of a head or of a line is larger than a whole one may be.
func tooLarge(begin []byte) error {
	if len(begin) > maxHead {
		return errTooLarge
	}
	return nil
}

// request is what an origin needs of the head of a request.
type request struct {
	isHead   bool // the method is HEAD
	old      bool // HTTP/1.0
	keep     bool // the connection is kept after the answer
	expected bool // the client waits for 100 (Continue) before it sends the body
	chunked  bool
	length   int // bytes of a body that is not chunked
}

// parse takes a request from the unread bytes, and reports whether it was complete.
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
		_, _ = unix.Write(c.fd, []byte("HTTP/1.1 100 Continue\r\n\r\n")) // without it, the client sends the body after a while
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
	case len(lengths)+len(codings) > 1: // others could take it for two requests (6.3)
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

// hasWord reports whether comma-separated lists have a word, in any case.
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

// skipBody takes what belongs to the body, and reports whether that has come to its end.
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
