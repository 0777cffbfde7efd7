package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// question is a request outside of the load, with what its answer is to be.
type question struct {
	text   []byte
	toHEAD bool
	verify *Verify
}

func (l *load) questionFor(r *Request) *question {
	return &question{text: r.Append(nil, mix(l.config.Seed)), toHEAD: r.Method == "HEAD", verify: l.config.Verify}
}

// probe opens one connection outside the load and, if there is a question, reads and checks its answer. Refusal says
// why no connection came about, err what was wrong with the answer, or that the context ended. Answer has what came in
// any case.
func (l *load) probe(ctx context.Context, o *origin, address netip.AddrPort, q *question) (answer whole,
	refusal, err error) {
	var verify *Verify
	if q != nil {
		verify = q.verify
	}
	if answer.body, err = newBody(verify); err != nil {
		return answer, nil, err
	}
	defer answer.body.end()
	deadline := time.Now().Add(l.config.Timeout)
	dialer := net.Dialer{Deadline: deadline, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		return answer, err, ctx.Err()
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if q == nil {
		return answer, nil, nil
	}
	err = conn.SetDeadline(deadline)
	if err == nil && o.secure != nil {
		secured := tls.Client(conn, o.secure)
		if err = secured.HandshakeContext(ctx); err != nil {
			err = fmt.Errorf("setting up TLS: %w", err)
		}
		conn = secured
	}
	if err == nil {
		err = l.exchange(conn, q, &answer)
	}
	if ctx.Err() != nil {
		return answer, nil, ctx.Err()
	}
	return answer, nil, err
}

// exchange sends a request and reads its answer, which passes all checks or is an error.
func (l *load) exchange(conn net.Conn, q *question, answer *whole) error {
	status, length, err := l.read(conn, q, answer)
	if err != nil {
		return err
	}
	if err := verifyEach(q.verify, status, length); err != nil || q.verify == nil {
		return err
	}
	answer.body.end()
	return verifyAll(q.verify, answer)
}

func (l *load) read(conn net.Conn, q *question, answer *whole) (status int, length int64, err error) {
	// That a server does not read all of a request can wait: it may have answered it all the same.
	_, sendErr := conn.Write(q.text)
	r := answerReader{head: q.toHEAD, whole: answer}
	r.reset()
	buffer := make([]byte, bufferSize)
	for done := false; !done; {
		n, err := conn.Read(buffer)
		var malformed error
		if _, done, malformed = r.feed(buffer[:n]); malformed != nil {
			return 0, 0, malformed
		}
		if done || err == nil {
			continue
		}
		complete, _ := r.eof()
		switch {
		case errors.Is(err, io.EOF) && complete:
			done = true
		case sendErr != nil:
			return 0, 0, l.broken(sendErr)
		default:
			return 0, 0, l.broken(err)
		}
	}
	return r.status, r.length, nil
}

// broken says in words why no whole answer came.
func (l *load) broken(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the server closed the connection")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("the server reset the connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no whole answer within %v", l.config.Timeout)
	}
	return err
}

// negotiated is how a connection is encrypted.
func negotiated(conn *tls.Conn) TLS {
	state := conn.ConnectionState()
	return TLS{Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite),
		Protocol: state.NegotiatedProtocol}
}
