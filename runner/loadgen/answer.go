package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// bufferSize is how many bytes of an answer are read at a time.
const bufferSize = 64 << 10

const (
	maxHead      = 64 << 10 // bytes of one head, or of one trailer
	maxChunkLine = 4 << 10  // bytes of the line before a chunk, extensions included
)

// part is the part of an answer that the next byte belongs to.
type part uint8

const (
	inStatusLine part = iota
	inHeader
	inBody
	inBodyUntilClose
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
)

// answerReader parses one answer, in pieces of any size.
//
// It is strict where a lax parser would count garbage as an answer, and lenient where servers differ without harm: lines
// may end in a bare line feed, a status line may lack its reason, equal lengths may be repeated.
//
// Source: RFC 9112, sections 2 to 7.
type answerReader struct {
	whole *whole // keeps the answer; nil if only its status and length count
	line  []byte // the incomplete line

	remaining int64 // bytes of the body or chunk still to come
	length    int64 // bytes of the body so far
	announced int64 // Content-Length, or -1
	status    int
	budget    int32 // bytes that the head, trailer or chunk line may still have
	part      part
	coding    coding

	folding bool // the next blanks continue a folded line

	head   bool // the answer to HEAD, which has no body in spite of its headers
	begun  bool // a first byte has come
	http10 bool
	closes bool // Connection: close
	keeps  bool // Connection: keep-alive
}

// coding is the last transfer coding of a body, which says where it ends.
type coding uint8

const (
	uncoded coding = iota
	chunked
	otherCoding
)

// reset prepares for the next answer.
func (r *answerReader) reset() {
	*r = answerReader{head: r.head, whole: r.whole, line: r.line[:0]}
	r.startHead()
}

func (r *answerReader) startHead() {
	r.part, r.budget = inStatusLine, maxHead
	r.status, r.announced, r.coding = 0, -1, uncoded
	r.http10, r.closes, r.keeps = false, false, false
}

// keepAlive reports whether the connection can take another request after this answer.
func (r *answerReader) keepAlive() bool {
	return !r.closes && (!r.http10 || r.keeps) && r.part != inBodyUntilClose
}

// feed parses the next bytes. done means that the answer ended with b[used-1], err that it is not HTTP. After either,
// reset the reader.
func (r *answerReader) feed(b []byte) (used int, done bool, err error) { return r.parse(b, false) }

// parse is feed, but stops after the head if headOnly is set.
func (r *answerReader) parse(b []byte, headOnly bool) (used int, done bool, err error) {
	r.begun = r.begun || len(b) > 0
	rest := b
	for len(rest) > 0 && !done && err == nil && !(headOnly && r.part > inHeader) {
		switch r.part {
		case inBody, inBodyUntilClose, inChunk:
			n := int(min(int64(len(rest)), r.skippable()))
			if r.whole != nil {
				r.whole.take(rest[:n])
			}
			rest, done = rest[n:], r.skip(int64(n))
		default:
			var line []byte
			var ended bool
			line, rest, ended, err = r.takeLine(rest)
			if ended && err == nil {
				done, err = r.endLine(line)
			}
		}
	}
	return len(b) - len(rest), done, err
}

// skippable returns how many of the next bytes are body and need no parsing.
func (r *answerReader) skippable() int64 {
	switch r.part {
	case inBody, inChunk:
		return r.remaining
	case inBodyUntilClose:
		return math.MaxInt64
	}
	return 0
}

// skip counts n skippable bytes. done means that the answer ended with the last of them.
func (r *answerReader) skip(n int64) (done bool) {
	r.length += n
	if r.part == inBodyUntilClose {
		return false
	}
	r.remaining -= n
	if r.part == inChunk && r.remaining == 0 {
		r.part, r.budget = inChunkEnd, 1
	}
	return r.part == inBody && r.remaining == 0
}

// eof reports whether the end of the connection completes the answer, or else the kind of failure.
func (r *answerReader) eof() (done bool, kind Kind) {
	switch {
	case r.part == inBodyUntilClose:
		return true, ""
	case !r.begun:
		return false, Closed
	}
	return false, Short
}

// takeLine takes a line, without its end, or the first part of one off b. It is valid until the next call. A header
// line that begins with white space continues the one before, after a single space (RFC 9112, 5.2).
func (r *answerReader) takeLine(b []byte) (line, rest []byte, ended bool, err error) {
	if n := len(r.line); n > 0 && r.line[n-1] == '\n' {
		line = bytes.TrimSuffix(r.line[:n-1], []byte("\r"))
		if !isBlank(b[0]) {
			r.line = r.line[:0]
			r.budget -= int32(n)
			return line, b, true, nil
		}
		r.line, r.folding = append(bytes.TrimRight(line, " \t"), ' '), true
	}
	if r.folding {
		if b = bytes.TrimLeft(b, " \t"); len(b) == 0 {
			return nil, nil, false, nil
		}
		r.folding = false
	}
	line, rest, ended = bytes.Cut(b, []byte("\n"))
	if len(r.line)+len(line) > int(r.budget) {
		return nil, b, false, errors.New("a line or head is too long")
	}
	if !ended {
		r.line = append(r.line, b...)
		if r.part == inStatusLine && !startsLikeStatus(r.line) {
			err = fmt.Errorf("the answer starts with %q, which is not a status line", excerpt(r.line))
		}
		return nil, nil, false, err
	}
	if r.mayBeFolded(line, rest) {
		r.line = append(append(r.line, line...), '\n')
		return nil, rest, false, nil
	}
	if len(r.line) > 0 {
		r.line = append(r.line, line...)
		line = r.line
	}
	r.line = r.line[:0]
	r.budget -= int32(len(line) + 1)
	return bytes.TrimSuffix(line, []byte("\r")), rest, true, nil
}

// mayBeFolded reports whether the next line may continue this one.
func (r *answerReader) mayBeFolded(line, rest []byte) bool {
	return (r.part == inHeader || r.part == inTrailer) && !r.endsFields(line) && (len(rest) == 0 || isBlank(rest[0]))
}

// endsFields reports whether the line that ends with these bytes is the empty one after the fields.
func (r *answerReader) endsFields(last []byte) bool {
	return len(r.line) == 0 && (len(last) == 0 || string(last) == "\r") || string(r.line) == "\r" && len(last) == 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func (r *answerReader) endLine(line []byte) (done bool, err error) {
	switch r.part {
	case inStatusLine:
		r.part = inHeader
		return false, r.readStatus(line)
	case inHeader:
		if len(line) == 0 {
			return r.endHead()
		}
		return false, r.readField(line)
	case inChunkSize:
		return false, r.readChunkSize(line)
	case inChunkEnd:
		if len(line) > 0 {
			return false, errors.New("a chunk is longer than its size")
		}
		r.part, r.budget = inChunkSize, maxChunkLine
		return false, nil
	default: // inTrailer
		if len(line) == 0 {
			return true, nil
		}
		_, _, err := splitField(line)
		return false, err
	}
}

const statusStart = "HTTP/1."

func startsLikeStatus(line []byte) bool {
	n := min(len(line), len(statusStart))
	return string(line[:n]) == statusStart[:n]
}

// readStatus reads "HTTP/1.1 200 OK", with or without the reason.
func (r *answerReader) readStatus(line []byte) error {
	bad := func() error { return fmt.Errorf("the status line is %q", excerpt(line)) }
	const version, code = len(statusStart), len(statusStart) + 2 // their positions
	if len(line) < code+3 || !startsLikeStatus(line) || !isDigit(line[version]) || line[version+1] != ' ' {
		return bad()
	}
	for _, c := range line[code : code+3] {
		if !isDigit(c) {
			return bad()
		}
		r.status = r.status*10 + int(c-'0')
	}
	if r.status < 100 || len(line) > code+3 && line[code+3] != ' ' {
		return bad()
	}
	r.http10 = line[version] == '0'
	if r.whole != nil {
		r.whole.statusLine, r.whole.status = string(line), r.status
	}
	return nil
}

// readField parses a header line and keeps what determines where the answer ends.
func (r *answerReader) readField(line []byte) error {
	name, value, err := splitField(line)
	if err != nil {
		return err
	}
	switch len(name) { // cheaper than folding the case of every name
	case len("Connection"):
		if bytes.EqualFold(name, []byte("Connection")) {
			for more := true; more; {
				var option []byte
				option, value, more = bytes.Cut(value, []byte(","))
				option = bytes.TrimSpace(option)
				r.closes = r.closes || bytes.EqualFold(option, []byte("close"))
				r.keeps = r.keeps || bytes.EqualFold(option, []byte("keep-alive"))
			}
		}
	case len("Content-Length"):
		if bytes.EqualFold(name, []byte("Content-Length")) {
			return r.readLength(value)
		}
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			for more := true; more; {
				var coding []byte
				coding, value, more = bytes.Cut(value, []byte(","))
				if r.coding == chunked {
					return fmt.Errorf("a transfer coding follows chunked: %q", excerpt(line))
				}
				if r.coding = otherCoding; bytes.EqualFold(bytes.TrimSpace(coding), []byte("chunked")) {
					r.coding = chunked
				}
			}
		}
	}
	return nil
}

func (r *answerReader) readLength(value []byte) error {
	whole := value
	for more := true; more; {
		var text []byte
		text, value, more = bytes.Cut(value, []byte(","))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 62)
		if err != nil {
			return fmt.Errorf("the length is %q", excerpt(whole))
		}
		if r.announced >= 0 && r.announced != int64(n) {
			return fmt.Errorf("there are two lengths, %d and %d", r.announced, n)
		}
		r.announced = int64(n)
	}
	return nil
}

func (r *answerReader) endHead() (done bool, err error) {
	if r.status < 200 {
		if r.status == 101 {
			return false, errors.New("the server switched protocols, which nobody asked for")
		}
		r.startHead()
		return false, nil
	}
	if r.coding != uncoded && r.announced >= 0 {
		return false, errors.New("there are both a length and a transfer coding")
	}
	// The connection of an HTTP/1.0 server that sends chunks is not used again (RFC 9112, 6.1).
	r.closes = r.closes || r.http10 && r.coding != uncoded
	switch {
	case r.head || r.status == 204 || r.status == 304:
		return true, nil
	case r.coding == chunked:
		r.part, r.budget = inChunkSize, maxChunkLine
		return false, nil
	case r.coding != uncoded || r.announced < 0:
		r.part = inBodyUntilClose
		return false, nil
	}
	r.part, r.remaining = inBody, r.announced
	return r.remaining == 0, nil
}

// readChunkSize parses a hexadecimal size, which may have padding and extensions.
func (r *answerReader) readChunkSize(line []byte) error {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 62)
	if err != nil {
		return fmt.Errorf("the size of a chunk is %q", excerpt(line))
	}
	if r.part, r.remaining = inChunk, int64(n); n == 0 {
		r.part, r.budget = inTrailer, maxHead
	}
	return nil
}

// splitField splits a header line into name and value.
func splitField(line []byte) (name, value []byte, err error) {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found || !isToken(name) {
		return nil, nil, fmt.Errorf("a header line is %q", excerpt(line))
	}
	if value = bytes.Trim(value, " \t"); !isValue(value) {
		return nil, nil, fmt.Errorf("a header has a control character in it: %q", excerpt(line))
	}
	return name, value, nil
}

// excerpt shortens a text for a message.
func excerpt(text []byte) []byte {
	if len(text) > maxExcerpt {
		return append(bytes.Clone(text[:maxExcerpt]), "..."...)
	}
	return text
}
