package generator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"benchbook/runner/load/http"
)

// probe opens one connection outside the load and, if there is a request, reads and checks its answer. Refusal says why
// no connection came about, err what was wrong with the answer, or that the context ended. Answer has what came in any
// case.
func (l *load) probe(ctx context.Context, o *origin, address netip.AddrPort, request *http.Request) (answer whole,
	refusal, err error) {
	if answer.body, err = newBody(l.config.Verify); err != nil {
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
	if request == nil {
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
		err = l.exchange(conn, request, &answer)
	}
	if ctx.Err() != nil {
		return answer, nil, ctx.Err()
	}
	return answer, nil, err
}

// exchange sends a request and reads its answer, which passes all checks or is an error.
func (l *load) exchange(conn net.Conn, request *http.Request, answer *whole) error {
	// That a server does not read all of a request can wait: it may have answered it all the same.
	_, sendErr := conn.Write(request.Append(nil, http.Mix(l.config.Seed)))
	r := answerReader{head: request.Method == "HEAD", whole: answer}
	r.reset()
	buffer := make([]byte, bufferSize)
	for done := false; !done; {
		n, err := conn.Read(buffer)
		var malformed error
		if _, done, malformed = r.feed(buffer[:n]); malformed != nil {
			return malformed
		}
		if done || err == nil {
			continue
		}
		complete, _ := r.eof()
		switch {
		case errors.Is(err, io.EOF) && complete:
			done = true
		case sendErr != nil:
			return sendErr
		case errors.Is(err, io.EOF):
			return errors.New("the server closed the connection")
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("no whole answer within %v", l.config.Timeout)
		default:
			return err
		}
	}
	if err := verifyEach(l.config.Verify, r.status, r.length); err != nil || l.config.Verify == nil {
		return err
	}
	answer.body.end()
	return verifyAll(l.config.Verify, answer)
}
