//go:build linux

package origin

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"benchbook/runner/delay"
)

// maxHead is the maximum size of the head of a request in bytes.
const maxHead = 64 << 10

// Server is an origin. Make one with Listen.
type Server struct {
	*delay.Server
	config  Config
	address net.Addr
	filler  []byte // what bodies consist of

	mu      sync.Mutex // guards what follows
	draws   *draws
	answers map[answerKind]answer // of this second
	second  int64
}

// Listen returns an origin that accepts connections; they wait until Serve.
func Listen(config Config) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	server, err := delay.NewServer()
	if err != nil {
		return nil, err
	}
	s := &Server{Server: server, config: config, draws: newDraws(&config), filler: filler()}
	if s.address, err = server.Listen(cmp.Or(config.Listen, ":80"), s.handle); err != nil {
		server.Close()
		return nil, err
	}
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() net.Addr { return s.address }

// lineLength is the length of the lines of a body. A body is written in parts of bodyPart bytes.
const (
	lineLength = 64
	bodyPart   = 1 << 10 * lineLength
)

// filler returns lines of letters and digits, so that people can read an answer.
func filler() []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	return bytes.Repeat([]byte(letters[:lineLength-1]+"\n"), bodyPart/lineLength)
}

// handle answers the requests of a connection, one after another.
func (s *Server) handle(_ context.Context, conn *net.TCPConn) {
	limited := &io.LimitedReader{R: conn}
	in := bufio.NewReader(limited)
	for {
		limited.N = maxHead
		request, err := readHead(in)
		if err != nil && limited.N == 0 {
			err = errTooLarge
		}
		if err == nil {
			limited.N = math.MaxInt64
			err = readBody(in, request, conn)
		}
		if err != nil {
			refuse(conn, err)
			return
		}
		latency, failed := s.draw()
		if latency > 0 {
			due := s.Now() + latency
			if !s.SleepUntil(due) {
				return
			}
			s.Lateness.Add(s.Now() - due)
		}
		if err := s.answer(conn, request, failed); err != nil {
			return
		}
		if request.Close {
			linger(conn)
			return
		}
	}
}

var (
	errMalformed = errors.New("malformed request")
	errTooLarge  = errors.New("head too large")
)

// readHead reads the head of a request.
func readHead(in *bufio.Reader) (*http.Request, error) {
	for { // empty lines before a request are skipped (RFC 9112, 2.2)
		first, err := in.Peek(1)
		if err != nil {
			return nil, err
		}
		if first[0] != '\r' && first[0] != '\n' {
			break
		}
		if _, err := in.Discard(1); err != nil {
			return nil, err
		}
	}
	request, err := http.ReadRequest(in)
	if err != nil {
		return nil, err
	}
	if request.ProtoMajor != 1 || request.Host == "" && request.ProtoAtLeast(1, 1) { // RFC 9112, 3.2
		return nil, errMalformed
	}
	return request, nil
}

// readBody reads the body of a request, after telling a client that waits for it to go on.
func readBody(in *bufio.Reader, request *http.Request, conn *net.TCPConn) error {
	expected := request.ProtoAtLeast(1, 1) && strings.EqualFold(request.Header.Get("Expect"), "100-continue")
	if expected && request.ContentLength != 0 && in.Buffered() == 0 {
		if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, request.Body)
	return err
}

// refuse answers what is not a request, and ends the connection. Nothing is drawn for it.
func refuse(conn *net.TCPConn, err error) {
	status := "400 Bad Request"
	switch broken := (*net.OpError)(nil); {
	case errors.Is(err, errTooLarge):
		status = "431 Request Header Fields Too Large"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &broken):
		return // the client has ended the connection
	}
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\nDate: %s\r\nServer: %s\r\n\r\n",
		status, date(), serverName); err == nil {
		linger(conn)
	}
}

// lingerTime is how long a client may take to read the last answer of a connection.
const lingerTime = time.Second

// linger reads a connection after its last answer, until the client closes it. To close a socket that has unread bytes
// is a reset, which can overtake the answer.
func linger(conn *net.TCPConn) {
	if errors.Join(conn.CloseWrite(), conn.SetReadDeadline(time.Now().Add(lingerTime))) == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// draw draws for the request that has arrived now.
func (s *Server) draw() (latency time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draws.next()
}

// answer writes an answer.
func (s *Server) answer(conn *net.TCPConn, request *http.Request, failed bool) error {
	a := s.render(answerKind{failed: failed, keep: !request.Close, old: !request.ProtoAtLeast(1, 1)})
	if request.Method == http.MethodHead {
		_, err := conn.Write(a.begin[:a.head])
		return err
	}
	_, err := conn.Write(a.begin)
	for left := a.left; left > 0 && err == nil; left -= bodyPart {
		_, err = conn.Write(s.filler[:min(left, bodyPart)])
	}
	return err
}

// answerKind is what the head of an answer depends on.
type answerKind struct {
	failed bool
	keep   bool // the connection is kept
	old    bool // HTTP/1.0
}

// answer is a rendered answer.
type answer struct {
	begin []byte // the head and the first bodyPart bytes of the body
	head  int    // bytes of begin
	left  int64  // bytes of the body behind begin
}

const serverName = "benchbook-origin"

func date() string { return time.Now().UTC().Format(http.TimeFormat) }

// render returns an answer of a kind. It renders each kind once a second, because of the date (RFC 9110, 6.6.1).
func (s *Server) render(kind answerKind) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now().Unix(); now != s.second {
		s.second, s.answers = now, map[answerKind]answer{}
	}
	if a, ok := s.answers[kind]; ok {
		return a
	}
	status, reason := s.config.Status, s.config.Reason
	if kind.failed {
		status, reason = http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)
	}
	h := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n", status, reason)
	switch {
	case !kind.keep:
		h = append(h, "Connection: close\r\n"...)
	case kind.old:
		h = append(h, "Connection: keep-alive\r\n"...)
	}
	size := int64(0)
	if hasBody(status) {
		size = s.config.Body
		h = fmt.Appendf(h, "Content-Length: %d\r\nContent-Type: text/plain\r\n", size)
	}
	h = fmt.Appendf(h, "Date: %s\r\nServer: %s\r\n\r\n", date(), serverName)
	first := min(size, bodyPart)
	a := answer{begin: append(h, s.filler[:first]...), head: len(h), left: size - first}
	s.answers[kind] = a
	return a
}
