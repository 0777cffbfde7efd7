package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// session is the TLS session of a connection.
type session struct {
	conn   *tls.Conn
	wire   *wire
	sealed bool // the request is in wire.out
	ended  bool // the server has said that it sends no more
}

func (s *session) hasEnded() bool { return s != nil && s.ended }

// wire is the net.Conn below crypto/tls. During the handshake it is the socket, which a goroutine waits for; afterwards
// it is a pair of buffers that the engine fills and empties.
type wire struct {
	file    *os.File // nil after the handshake
	in, out []byte
}

// errNothingYet is temporary, so that crypto/tls continues where it stopped.
var errNothingYet net.Error = nothingYet{}

type nothingYet struct{}

func (nothingYet) Error() string   { return "nothing has come yet" }
func (nothingYet) Timeout() bool   { return false }
func (nothingYet) Temporary() bool { return true }

func (w *wire) Read(b []byte) (int, error) {
	if w.file != nil {
		return w.file.Read(b)
	}
	if len(w.in) == 0 {
		return 0, errNothingYet
	}
	n := copy(b, w.in)
	w.in = w.in[n:]
	return n, nil
}

func (w *wire) Write(b []byte) (int, error) {
	if w.file != nil {
		return w.file.Write(b)
	}
	w.out = append(w.out, b...)
	return len(b), nil
}

func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return nil }
func (w *wire) RemoteAddr() net.Addr             { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// handshaken is the result of a handshake.
type handshaken struct {
	slot       int32
	generation uint32
	session    *session
	end        int64
	err        error
}

// handshakes are the TLS handshakes of an engine, each in a goroutine of its own.
type handshakes struct {
	running    sync.WaitGroup
	mu         sync.Mutex
	arrived    []handshaken
	negotiated map[TLS]bool
}

func (h *handshakes) add(done handshaken) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arrived = append(h.arrived, done)
}

// take returns the handshakes that have ended since the last call.
func (h *handshakes) take() []handshaken {
	h.mu.Lock()
	defer h.mu.Unlock()
	arrived := h.arrived
	h.arrived = nil
	return arrived
}

// handshake sets up TLS on a socket, which it closes. It returns at the deadline at the latest.
func handshake(ctx context.Context, fd int, config *tls.Config, deadline time.Time) (*session, error) {
	file := os.NewFile(uintptr(fd), "connection") // Go's own poller watches it
	defer file.Close()
	if err := file.SetDeadline(deadline); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { file.SetDeadline(time.Unix(1, 0)) })()
	s := &session{wire: &wire{file: file}}
	s.conn = tls.Client(s.wire, config)
	if err := s.conn.Handshake(); err != nil {
		return nil, err
	}
	s.wire.file = nil
	return s, nil
}

func (s *session) negotiated() TLS {
	state := s.conn.ConnectionState()
	return TLS{Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite),
		Protocol: state.NegotiatedProtocol}
}

// seal encrypts a request into wire.out.
func (s *session) seal(text []byte) error {
	s.sealed = true
	_, err := s.conn.Write(text)
	return err
}

// open decrypts b and calls take with each piece of plain text. The end of the session sets ended and is not an error.
func (s *session) open(b, plain []byte, take func([]byte)) error {
	s.wire.in = b
	for {
		n, err := s.conn.Read(plain)
		if n > 0 {
			take(plain[:n])
		}
		switch {
		case err == nil:
		case errors.Is(err, errNothingYet):
			return nil
		case errors.Is(err, io.EOF):
			s.ended = true
			return nil
		default:
			return err
		}
	}
}

// isAlert reports whether an error is an alert from the server, rather than bytes that we cannot read.
func isAlert(err error) bool {
	alert, ok := errors.AsType[*net.OpError](err)
	return ok && alert.Op == "remote error" // alerts that we send are local errors
}
