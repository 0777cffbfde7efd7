package loadgen

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const notFound = 404 // the status

// CheckArgument makes "benchbook-agent load" check answers only.
const CheckArgument = "check"

// Answer is what one target answered at one address.
type Answer struct {
	Method  string         `json:"method"`
	URL     string         `json:"url"`
	Address netip.AddrPort `json:"address,omitzero"` // zero if the host has none
	Status  int            `json:"status,omitempty"` // 0 without an answer
	Length  int64          `json:"length"`           // of the body, in bytes
	Took    time.Duration  `json:"took_ns"`          // connecting included
	Failure string         `json:"failure,omitempty"`
}

// Check asks for every target once, at each address that the load would go to, and checks the answers even if the
// config does not. A wrong answer has a Failure; an error means that the config is invalid or the context ended.
func Check(ctx context.Context, config Config) ([]Answer, error) {
	l, err := newLoad(&config)
	if err != nil {
		return nil, err
	}
	var answers []Answer
	for i := range l.targets {
		t := &l.targets[i]
		o := l.origins[t.origin]
		addresses, err := o.resolve(ctx, config.Timeout)
		found, refused := l.probeEach(ctx, o, addresses, t)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			found = []Answer{{Failure: err.Error()}}
		case len(found) == 0:
			for _, a := range refused {
				a.Failure = "no connection: " + a.Failure
				found = append(found, a)
			}
		}
		for _, a := range found {
			a.Method, a.URL = t.method, t.name
			answers = append(answers, a)
		}
	}
	return answers, nil
}

// probeEach probes addresses up to the end of the first IP family that has one that accepts connections: both families
// usually lead to the same server. refused has the addresses that accept none. It stops early if the context ends.
func (l *load) probeEach(ctx context.Context, o *origin, addresses []netip.AddrPort, t *target) (found, refused []Answer) {
	for _, address := range addresses {
		if ctx.Err() != nil || len(found) > 0 && found[0].Address.Addr().Is4() != address.Addr().Is4() {
			break
		}
		if a, connected := l.probe(ctx, o, address, t); connected {
			found = append(found, a)
		} else {
			refused = append(refused, a)
		}
	}
	return found, refused
}

// probe opens one connection outside of the load and, unless t is nil, sends its request and checks the answer.
func (l *load) probe(ctx context.Context, o *origin, address netip.AddrPort, t *target) (a Answer, connected bool) {
	begin := time.Now()
	a.Address = address
	dialer := net.Dialer{Deadline: begin.Add(l.config.Timeout), KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		a.Failure, a.Took = err.Error(), time.Since(begin)
		return a, false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if t == nil {
		return a, true
	}
	var got whole
	err = conn.SetDeadline(dialer.Deadline)
	if err == nil && o.secure != nil {
		secured := tls.Client(conn, o.secure)
		if err = secured.HandshakeContext(ctx); err != nil {
			err = fmt.Errorf("setting up TLS: %w", err)
		}
		conn = secured
	}
	if err == nil {
		err = l.exchange(conn, t, &got)
	}
	if err == nil {
		err = l.config.Verify.check(&got)
	}
	a.Status, a.Length, a.Took = got.status, got.length, time.Since(begin)
	if err != nil {
		a.Failure = err.Error() + got.describe()
	}
	return a, true
}

// exchange sends a request and reads the whole answer.
func (l *load) exchange(conn net.Conn, t *target, a *whole) error {
	// A server that does not read all of a request may have answered it all the same.
	_, sendErr := conn.Write(t.text)
	reader := answerReader{head: t.method == "HEAD", whole: a}
	reader.reset()
	buffer := make([]byte, bufferSize)
	for {
		n, err := conn.Read(buffer)
		_, done, malformed := reader.feed(buffer[:n])
		if done || malformed != nil {
			return malformed
		}
		if err == nil {
			continue
		}
		if complete, _ := reader.eof(); complete && errors.Is(err, io.EOF) {
			return nil
		}
		switch err = cmp.Or(sendErr, err); {
		case errors.Is(err, io.EOF):
			return errors.New("the server closed the connection")
		case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
			return errors.New("the server reset the connection")
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("no whole answer within %v", l.config.Timeout)
		}
		return err
	}
}

const (
	maxKept    = 1 << 20 // bytes of a body that are searched
	maxExcerpt = 80      // bytes of a body that messages show
)

// whole is an answer that is checked, with the start of its body.
type whole struct {
	statusLine string
	status     int
	length     int64
	start      []byte
}

// take takes the next piece of the body.
func (a *whole) take(piece []byte) {
	a.length += int64(len(piece))
	a.start = append(a.start, piece[:min(len(piece), maxKept-len(a.start))]...)
}

// describe returns what the answer was, to end a message with; empty without an answer.
func (a *whole) describe() string {
	switch {
	case a.statusLine == "":
		return ""
	case a.length == 0:
		return fmt.Sprintf("; the answer was %q without a body", a.statusLine)
	}
	return fmt.Sprintf("; the answer was %q with a body of %d bytes, %q", a.statusLine, a.length, excerpt(a.start))
}

// check returns the first fault of an answer. v may be nil.
func (v *Verify) check(a *whole) error {
	within := ""
	if a.length > maxKept {
		within = fmt.Sprintf(" in its first %d MiB", maxKept>>20)
	}
	switch {
	case !v.hasRightStatus(a.status) && (v == nil || len(v.Status) == 0):
		hint := ""
		if a.status == notFound {
			hint = "correct the path of the target, or "
		}
		return fmt.Errorf("wanted a status of 200 to 299, got %d (%sverify: {status: %d} accepts it)", a.status, hint, a.status)
	case !v.hasRightStatus(a.status):
		return fmt.Errorf("wanted status %s, got %d", strings.Trim(strings.ReplaceAll(fmt.Sprint(v.Status), " ", " or "), "[]"),
			a.status)
	case !v.hasRightLength(a.length):
		return fmt.Errorf("wanted a body of %d bytes, got %d", *v.Length, a.length)
	case v == nil:
		return nil
	case !bytes.Contains(a.start, []byte(v.Contains)):
		return fmt.Errorf("wanted a body that contains %q%s", v.Contains, within)
	case v.Match != "" && !regexp.MustCompile(v.Match).Match(a.start): // Validate has compiled it
		return fmt.Errorf("wanted a body that matches %q%s", v.Match, within)
	}
	return nil
}
