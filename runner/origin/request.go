package origin

import (
	"bytes"
	"errors"
	"strconv"

	"benchbook/runner/loadgen"
)

// maxHead bounds the head of a request, and what is sent ahead of an answer.
const maxHead = 64 << 10

// head is what of a request's head decides how to go on.
type head struct {
	isHead   bool  // the method is HEAD
	old      bool  // HTTP/1.0
	keep     bool  // the connection is to be kept
	length   int64 // of the body, if it is not chunked
	chunked  bool
	expected bool // the client waits for 100 (Continue) before it sends the body
}

// fields are the headers of a request that decide how to go on.
type fields struct {
	length, coding               []byte // nil without one
	closed, kept, expected, host bool
}

var (
	errMalformed = errors.New("malformed request")
	errTooLarge  = errors.New("head too large")
)

// parseHead reads the head of a request from the beginning of data. It says how many bytes that took, 0 if some are
// missing yet.
//
// Source: RFC 9112, 2 to 6. Lines may end in a single LF (2.2).
func parseHead(data []byte) (h head, n int, err error) {
	rest := bytes.TrimLeft(data, "\r\n") // empty lines before a request are skipped (2.2)
	line, rest, ok := cutLine(rest)
	if !ok {
		return h, 0, tooLarge(data)
	}
	if err := h.requestLine(line); err != nil {
		return h, 0, err
	}
	var f fields
	for {
		if line, rest, ok = cutLine(rest); !ok {
			return h, 0, tooLarge(data)
		}
		if len(line) == 0 {
			break
		}
		if err := f.add(line); err != nil {
			return h, 0, err
		}
	}
	if err := h.decide(&f); err != nil {
		return h, 0, err
	}
	return h, len(data) - len(rest), nil
}

// add reads the line of a header. One that goes on the line before begins with a space, and is refused.
func (f *fields) add(line []byte) error {
	name, value, ok := loadgen.CutField(line)
	if !ok || !loadgen.IsValue(value) {
		return errMalformed
	}
	switch string(bytes.ToLower(name)) {
	case "content-length":
		if f.length != nil && !bytes.Equal(f.length, value) || len(value) == 0 {
			return errMalformed
		}
		f.length = value
	case "transfer-encoding":
		if f.coding != nil {
			return errMalformed
		}
		f.coding = value
	case "connection":
		f.closed = f.closed || hasWord(value, "close")
		f.kept = f.kept || hasWord(value, "keep-alive")
	case "expect":
		f.expected = bytes.EqualFold(value, []byte("100-continue"))
	case "host":
		if f.host {
			return errMalformed
		}
		f.host = true
	}
	return nil
}

// decide says what headers mean for a request. One with two lengths, or a length and a coding, is refused, since others
// could take it for two requests (RFC 9112, 6.3), as is one without its only host (3.2).
func (h *head) decide(f *fields) error {
	if !f.host && !h.old {
		return errMalformed
	}
	if f.length != nil {
		length, err := strconv.ParseUint(string(f.length), 10, 63) // no signs
		if err != nil || f.coding != nil {
			return errMalformed
		}
		h.length = int64(length)
	}
	h.chunked = bytes.EqualFold(f.coding, []byte("chunked"))
	if f.coding != nil && (h.old || !h.chunked) {
		return errMalformed
	}
	h.keep = !f.closed && (!h.old || f.kept)
	h.expected = f.expected && !h.old
	return nil
}

// requestLine reads METHOD TARGET HTTP/1.x.
func (h *head) requestLine(line []byte) error {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	target, version, okTarget := bytes.Cut(rest, []byte{' '})
	if !ok || !okTarget || !loadgen.IsToken(method) || len(target) == 0 {
		return errMalformed
	}
	if bytes.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errMalformed
	}
	h.isHead = string(method) == "HEAD"
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.old = true
	default:
		return errMalformed
	}
	return nil
}

// cutLine takes the first line, without its end.
func cutLine(data []byte) (line, rest []byte, ok bool) {
	line, rest, ok = bytes.Cut(data, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest, ok
}

func tooLarge(data []byte) error {
	if len(data) >= maxHead {
		return errTooLarge
	}
	return nil
}

// hasWord says whether a comma-separated list has a word, in whatever case.
func hasWord(list []byte, word string) bool {
	for part := range bytes.SplitSeq(list, []byte{','}) {
		if bytes.EqualFold(bytes.Trim(part, " \t"), []byte(word)) {
			return true
		}
	}
	return false
}

// body skips the body of a request as it comes.
type body struct {
	left    int64 // of the body, or of the chunk with the line end behind it
	chunked bool
	trailer bool   // the last chunk was there; its trailer ends with an empty line
	line    []byte // the beginning of a line that is not whole yet
	total   int    // of the trailer, to bound it
}

func newBody(h head) body { return body{left: h.length, chunked: h.chunked} }

// skip takes as much of data as belongs to the body, and says whether it has come to its end.
//
// Source: RFC 9112, 7.1.
func (b *body) skip(data []byte) (rest []byte, done bool, err error) {
	for {
		n := min(b.left, int64(len(data)))
		data, b.left = data[n:], b.left-n
		switch {
		case b.left > 0:
			return data, false, nil
		case !b.chunked:
			return data, true, nil
		}
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			b.line = append(b.line, data...)
			if len(b.line) > maxHead {
				return nil, false, errTooLarge
			}
			return nil, false, nil
		}
		line := bytes.TrimSuffix(append(b.line, data[:end]...), []byte{'\r'})
		data, b.line = data[end+1:], b.line[:0]
		if b.trailer {
			if len(line) == 0 {
				return data, true, nil
			}
			if b.total += len(line); b.total > maxHead {
				return nil, false, errTooLarge
			}
			continue
		}
		if b.left, err = chunkSize(line); err != nil {
			return nil, false, err
		}
		if b.left == 0 {
			b.trailer = true
		} else {
			b.left += 2 // CR LF
		}
	}
}

// chunkSize reads the line before a chunk: its size in hexadecimal digits, and extensions that mean nothing to us.
func chunkSize(line []byte) (int64, error) {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	digits = bytes.TrimRight(digits, " \t")
	size, err := strconv.ParseUint(string(digits), 16, 48)
	if err != nil {
		return 0, errMalformed
	}
	return int64(size), nil
}
