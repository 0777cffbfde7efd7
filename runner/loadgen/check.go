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

// CheckArgument makes "benchbook-agent load" check answers only.
const CheckArgument = "check"

// Answer is what one target answered at one address.
type Answer struct {
	Method  string         `json:"method"`
	URL     string         `json:"url"`
	Address netip.AddrPort `json:"address,omitzero"` // zero if the name has none
	Status  int            `json:"status,omitempty"` // 0 without an answer
	Length  int64          `json:"length"`           // of the body, in bytes
	Took    time.Duration  `json:"took_ns"`          // connecting included
	Failure string         `json:"failure,omitempty"`
}

// Check asks for every target once, at each address that the load would go to, and checks the answers even if the
// config does not. What is wrong with an answer is in it; an error means that the config is invalid or the context
// ended.
func Check(ctx context.Context, config Config) ([]Answer, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	l, err := newLoad(&config)
	if err != nil {
		return nil, err
	}
	var answers []Answer
	for i, t := range l.targets {
		found, err := l.checkTarget(ctx, l.origins[t.origin], t.request)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			a.Method, a.URL = t.request.method, config.Targets[i].URL
			answers = append(answers, a)
		}
	}
	return answers, nil
}

func (l *load) checkTarget(ctx context.Context, o *origin, r *request) ([]Answer, error) {
	addresses, err := o.resolve(ctx, l.config.Timeout)
	if err != nil && ctx.Err() == nil {
		return []Answer{{Failure: err.Error()}}, nil
	}
	var answers, refused []Answer
	err = cmp.Or(context.Cause(ctx), tryEach(addresses, func(address netip.AddrPort) (bool, error) {
		begin := time.Now()
		got, refusal, err := l.probe(ctx, o, address, r)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		a := Answer{Address: address, Took: time.Since(begin), Status: got.status, Length: got.body.length}
		if refusal != nil {
			a.Failure = fmt.Sprintf("no connection: %v", refusal)
			refused = append(refused, a)
			return false, nil
		}
		if err != nil {
			a.Failure = err.Error() + got.describe()
		}
		answers = append(answers, a)
		return true, nil
	}))
	if len(answers) == 0 {
		answers = refused
	}
	return answers, err
}

// probe opens one connection outside of the load and, unless r is nil, sends a request and checks the answer. Refusal
// says why there is no connection, err what is wrong with the answer. The context may have ended either way.
func (l *load) probe(ctx context.Context, o *origin, address netip.AddrPort, r *request) (a *whole, refusal, err error) {
	var verify *Verify
	if r != nil {
		verify = l.config.Verify
	}
	a = &whole{body: newBody(verify)}
	deadline := time.Now().Add(l.config.Timeout)
	dialer := net.Dialer{Deadline: deadline, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		return a, err, nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if r == nil {
		return a, nil, nil
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
		err = l.exchange(conn, r, a)
	}
	if err == nil {
		err = verify.check(a)
	}
	return a, nil, err
}

// exchange sends a request and reads the whole answer.
func (l *load) exchange(conn net.Conn, r *request, a *whole) error {
	// A server that does not read all of a request may have answered it all the same.
	_, sendErr := conn.Write(r.text)
	reader := answerReader{head: r.method == "HEAD", whole: a}
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

// whole is an answer that is checked.
type whole struct {
	statusLine string
	status     int
	body       *body
}

// describe adds to a message what the answer was.
func (a *whole) describe() string {
	switch {
	case a.statusLine == "":
		return ""
	case a.body.length == 0:
		return fmt.Sprintf("; the answer was %q without a body", a.statusLine)
	}
	return fmt.Sprintf("; the answer was %q with a body of %d bytes, %q", a.statusLine, a.body.length,
		excerpt(a.body.start))
}

// check returns the first fault of an answer. It works on nil as well.
func (v *Verify) check(a *whole) error {
	switch {
	case !v.hasRightStatus(a.status) && (v == nil || len(v.Status) == 0):
		return fmt.Errorf("wanted a status of 200 to 299, got %d (verify: {status: %d} accepts it)", a.status, a.status)
	case !v.hasRightStatus(a.status):
		return fmt.Errorf("wanted status %s, got %d", strings.Trim(strings.ReplaceAll(fmt.Sprint(v.Status), " ", " or "), "[]"),
			a.status)
	case !v.hasRightLength(a.body.length):
		return fmt.Errorf("wanted a body of %d bytes, got %d", *v.Length, a.body.length)
	case v == nil:
		return nil
	case !bytes.Contains(a.body.start, []byte(v.Contains)):
		return fmt.Errorf("wanted a body that contains %q%s", v.Contains, a.body.within())
	case v.Match != "" && !regexp.MustCompile(v.Match).Match(a.body.start): // it was validated
		return fmt.Errorf("wanted a body that matches %q%s", v.Match, a.body.within())
	}
	return nil
}

const (
	maxKept    = 1 << 20 // bytes of a body that are searched
	maxExcerpt = 80      // bytes of a body that messages show
)

// body reads a body in pieces and keeps its start.
type body struct {
	length int64
	start  []byte
	keeps  int // bytes of start at most
}

// within says in which part of a large body something was looked for.
func (b *body) within() string {
	if b.length > maxKept {
		return fmt.Sprintf(" in its first %d MiB", maxKept>>20)
	}
	return ""
}

// newBody prepares for the checks of v, which may be nil.
func newBody(v *Verify) *body {
	if v != nil && (v.Contains != "" || v.Match != "") {
		return &body{keeps: maxKept}
	}
	return &body{keeps: maxExcerpt + 1} // one more than fits, so that an excerpt shows that it is one
}

func (b *body) take(piece []byte) {
	b.length += int64(len(piece))
	b.start = append(b.start, piece[:min(len(piece), b.keeps-len(b.start))]...)
}
