package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	defaultWait = time.Minute           // limit if the healthcheck sets no times
	probePause  = 15 * time.Millisecond // between probes without an interval
	maxSaid     = 500                   // bytes of a healthcheck's output to quote in its failure

	// answerTimeout limits a probe over TCP or HTTP, because a connection that was accepted early may never be answered.
	answerTimeout = 5 * time.Second
	// lastingGrace is how long to wait for a lastingError to go away. A service that listens on other ports may still
	// open the right one, and gets elsewhereGrace.
	lastingGrace   = 5 * time.Second
	elsewhereGrace = 15 * time.Second
	lookPause      = 200 * time.Millisecond // between readings of a service's listeners
)

// Defaults of Compose.
//
// Source: Docker, daemon/health.go.
const (
	composeInterval      = 30 * time.Second
	composeTimeout       = 30 * time.Second
	composeRetries       = 3
	composeStartInterval = 5 * time.Second
)

// Probed is a started service that is not ready yet. Errors that are no fault of the service are *FaultError.
type Probed interface {
	Container
	// Wait waits for the end of the service and returns its status.
	Wait(ctx context.Context) (status int, err error)
	// Reach returns a Probe for the ports of the service. If the service has exited, it waits until the context is done.
	Reach(ctx context.Context) (Probe, error)
	// Follow copies the service's log from its beginning until the service exits or writing fails, and returns the
	// writer's error.
	Follow(ctx context.Context, to io.Writer) error
}

// Probe checks once whether a TCP port of a service accepts a connection or, with a path, answers an HTTP request with
// a status below 400. The error says what is missing.
type Probe func(ctx context.Context, port int, path string) error

// FaultError means that a service could not be probed. It is no fault of the service.
type FaultError struct{ Err error }

func (e *FaultError) Error() string { return e.Err.Error() }

func (e *FaultError) Unwrap() error { return e.Err }

// errTimeOver is the cancellation cause when waiter.limit has passed.
var errTimeOver = errors.New("its time ran out")

// endedError is the exit status of a service that exited before it was ready.
type endedError int

func (e endedError) Error() string { return fmt.Sprintf("it ended with status %d", int(e)) }

// lastingError is a defect that rarely goes away: a service listens only on loopback or on other ports, or lacks the
// program of its healthcheck.
type lastingError struct {
	words string
	grace time.Duration
}

func (e *lastingError) Error() string { return e.words }

// WaitReady calls service.Begun and returns when the service is ready, which means that the probe described by its
// spec.Ready has succeeded once. It fails at once if the service exits. The error is a *NotReadyError, a *FaultError,
// or the cause of the context.
func WaitReady(parent context.Context, service Service, probed Probed) error {
	w := &waiter{service: service, probed: probed, began: time.Now()}
	if service.Begun != nil {
		service.Begun()
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	if limit := w.limit(); limit > 0 {
		defer time.AfterFunc(limit, func() { cancel(errTimeOver) }).Stop()
	}
	if !service.Completes {
		go func() { cancel(w.ended(ctx)) }()
	}
	err := w.wait(ctx)
	after := time.Since(w.began)
	if err == nil || parent.Err() != nil {
		return errors.Join(err, context.Cause(parent))
	}
	// The last failed probe tells more than a timeout, but less than an exit.
	if cause := context.Cause(ctx); cause != nil && (!errors.Is(cause, errTimeOver) || errors.Is(err, context.Canceled)) {
		err = cause
	}
	if errors.As(err, new(*FaultError)) {
		return err
	}
	if errors.As(err, new(endedError)) {
		after = 0
	}
	logContext, cancelLog := context.WithTimeout(context.WithoutCancel(parent), time.Minute)
	defer cancelLog()
	log, logErr := probed.Logs(logContext)
	if logErr != nil {
		log = []byte("(its log could not be read: " + logErr.Error() + ")")
	}
	return &NotReadyError{Service: service.Name, After: after, Reason: err, Log: log}
}

type waiter struct {
	service Service
	probed  Probed
	began   time.Time

	looked time.Time        // time at which open was read
	open   []netip.AddrPort // listeners of the service; nil if unknown

	defect string    // words of the current lastingError; empty without one
	since  time.Time // when defect was first seen
}

// limit returns how long to wait for all probes; 0: without limit.
func (w *waiter) limit() time.Duration {
	var own time.Duration
	switch r := w.service.Ready; {
	case w.service.Completes:
	case !r.IsTimed():
		own = defaultWait
	case r.Log != "":
		own = r.StartPeriod + time.Duration(w.retries())*cmp.Or(r.Interval, composeInterval)
	}
	if within := w.service.Within; own == 0 || within > 0 && within < own {
		return within
	}
	return own
}

func (w *waiter) retries() int { return cmp.Or(w.service.Ready.Retries, composeRetries) }

// ended waits until the service exits, which is an error unless the service completes with status 0.
func (w *waiter) ended(ctx context.Context) error {
	status, err := w.probed.Wait(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.New("it has not ended")
	case err != nil:
		return &FaultError{fmt.Errorf("watching it: %w", err)}
	case w.service.Completes && status == 0:
		return nil
	}
	return endedError(status)
}

func (w *waiter) wait(ctx context.Context) error {
	ready, expose := w.service.Ready, w.service.Expose
	switch {
	case w.service.Completes:
		return w.ended(ctx)
	case ready.Log != "":
		return w.waitForLog(ctx)
	case len(ready.Command) > 0:
		return w.poll(ctx, 0, composeTimeout, w.command)
	case ready.HTTP == "" && ready.Port == 0 && len(expose) == 0:
		return nil
	}
	probe, err := w.probed.Reach(ctx)
	if err != nil {
		return err
	}
	ports, path := expose, ""
	switch {
	case ready.HTTP != "" && len(expose) == 0:
		return errors.New("it exposes no port that could answer over HTTP: add one to expose")
	case ready.HTTP != "":
		ports, path = expose[:1], "/"+strings.TrimPrefix(ready.HTTP, "/")
	case ready.Port != 0:
		ports = []int{ready.Port}
	}
	for _, port := range ports {
		try := func(ctx context.Context) error { return probe(ctx, port, path) }
		if err := w.poll(ctx, port, answerTimeout, try); err != nil {
			return err
		}
	}
	return nil
}

// poll calls try until it succeeds, too many attempts have failed, or the context is done, and returns the last
// failure. Port is the port that try probes; 0 for none. As in Compose, failures count at most once per interval and
// not in the start period. The first interval begins with the service.
func (w *waiter) poll(ctx context.Context, port int, timeout time.Duration, try func(context.Context) error) error {
	r := w.service.Ready
	interval, started := cmp.Or(r.Interval, composeInterval), w.began.Add(r.StartPeriod)
	var missing error
	for failed, counted := 0, w.began; ; {
		err := probeWithin(ctx, cmp.Or(r.Timeout, timeout), try)
		if err == nil {
			return nil
		}
		if missing == nil || ctx.Err() == nil { // a probe cut short by the context tells nothing
			missing = w.explain(ctx, port, err)
		}
		now := time.Now()
		lasts := w.lasts(missing, now)
		switch {
		case now.Before(started):
			counted = now
		case now.Sub(counted) >= interval:
			failed, counted = failed+1, now
		}
		if ctx.Err() != nil || lasts && now.After(started) {
			return missing
		}
		if r.IsTimed() && failed >= w.retries() {
			if port != 0 { // missing says where the service listens
				return missing
			}
			return fmt.Errorf("%w (%d probes failed, %v apart: if it only needs longer, set its start_period)", missing,
				w.retries(), interval)
		}
		if Sleep(ctx, w.pause(now.Before(started))) != nil {
			return missing
		}
	}
}

// lasts reports whether a lastingError has outlasted its grace.
func (w *waiter) lasts(missing error, now time.Time) bool {
	var lasting *lastingError
	if !errors.As(missing, &lasting) {
		w.defect = ""
		return false
	}
	if w.defect != lasting.words { // a service that opens further ports is still starting
		w.since, w.defect = now, lasting.words
	}
	return now.Sub(w.since) >= lasting.grace
}

func probeWithin(ctx context.Context, timeout time.Duration, try func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := try(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("a probe took longer than %v", timeout)
	}
	return err
}

func (w *waiter) pause(starting bool) time.Duration {
	r := w.service.Ready
	switch {
	case starting && r.StartInterval > 0:
		return r.StartInterval
	case r.Interval == 0:
		return probePause
	case starting:
		return min(r.Interval, composeStartInterval)
	}
	return r.Interval
}

// explain replaces the error of a refused connection by where the service listens instead, if known.
func (w *waiter) explain(ctx context.Context, port int, err error) error {
	// Errors from our agent arrive as text.
	if port == 0 || !errors.Is(err, syscall.ECONNREFUSED) && !strings.Contains(err.Error(), "connection refused") {
		return err
	}
	if w.looked.IsZero() || time.Since(w.looked) >= lookPause {
		usage, usageErr := w.probed.Usage(ctx, Detail{Listeners: true})
		if ctx.Err() == nil {
			w.looked, w.open = time.Now(), nil
			if usageErr == nil {
				w.open = usage.Listeners
			}
		}
	}
	words, loopback := Unreached(w.open, port)
	switch {
	case w.open == nil || words == "":
		return err
	case loopback:
		return &lastingError{words, lastingGrace}
	case len(w.open) > 0 && !w.service.Ready.IsTimed():
		return &lastingError{words, elsewhereGrace}
	}
	return errors.New(words)
}

// Unreached says why a port cannot be reached from other containers, given the service's listeners; words is empty if
// it can. Loopback reports that the service listens on this port, but on loopback only.
func Unreached(open []netip.AddrPort, port int) (words string, loopback bool) {
	const shown = 5
	var here, elsewhere []string
	for _, o := range open {
		switch {
		case int(o.Port()) != port:
			elsewhere = append(elsewhere, o.String())
		case o.Addr().IsLoopback():
			here = append(here, o.String())
		default:
			return "", false
		}
	}
	words = fmt.Sprintf("nothing listens on port %d", port)
	switch {
	case len(here) > 0:
		return words + " (it listens on " + strings.Join(here, " and ") + " only: bind to 0.0.0.0)", true
	case len(elsewhere) > shown:
		elsewhere = append(elsewhere[:shown], fmt.Sprintf("%d more", len(elsewhere)-shown))
	}
	if len(elsewhere) > 0 {
		words += " (it listens on " + strings.Join(elsewhere, ", ") + ": correct the port)"
	}
	return words, false
}

// ProbeAt returns a Probe that connects from this process to the address of a service.
func ProbeAt(address, service string) Probe {
	return func(ctx context.Context, port int, path string) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			// Strip the address, which differs each time and means nothing to a reader.
			if failed := (*net.OpError)(nil); errors.As(err, &failed) {
				err = failed.Err
			}
			if syscallError := (*os.SyscallError)(nil); errors.As(err, &syscallError) {
				err = syscallError.Err
			}
			return fmt.Errorf("port %d did not accept a connection: %w", port, err)
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		defer conn.Close()
		if path == "" {
			return nil
		}
		host := net.JoinHostPort(service, strconv.Itoa(port))
		status, err := get(conn, host, path)
		switch {
		case err != nil:
			return fmt.Errorf("http://%s%s was not answered: %w", host, path, err)
		case status >= "400":
			return fmt.Errorf("http://%s%s was answered with %s", host, path, status)
		}
		return nil
	}
}

// get requests a path over HTTP and returns the status, such as "404 Not Found". It avoids net/http, which would double
// the size of our program in containers.
func get(conn net.Conn, host, path string) (status string, err error) {
	_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host) // reading fails too
	answer := textproto.NewReader(bufio.NewReader(conn))
	line, err := answer.ReadLine()
	if err != nil {
		return "", err
	}
	version, status, ok := strings.Cut(line, " ")
	if !ok || !strings.HasPrefix(version, "HTTP/1.") {
		return "", fmt.Errorf("%.40q is not HTTP", line)
	}
	header, err := answer.ReadMIMEHeader()
	length, _ := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	_, _ = io.CopyN(io.Discard, answer.R, length) // closing with unread data would send a reset
	return status, err
}

// command runs the service's healthcheck command once.
func (w *waiter) command(ctx context.Context) error {
	command := w.service.Ready.Command
	exit, err := w.probed.Exec(ctx, Command{Args: command})
	switch program := absentProgram(exit, err); {
	case program != "" && !slices.ContainsFunc(command, fallback.MatchString):
		return &lastingError{fmt.Sprintf("its healthcheck runs %q, which it does not have (install it, or write "+
			"test: [HTTP, /] or [PORT, \"80\"], which need no program)", program), lastingGrace}
	case err != nil:
		return err
	case exit.Code != 0:
		said := &Tail{Limit: maxSaid} // tools print the result last
		said.Write(exit.Stdout)
		said.Write(exit.Stderr)
		return fmt.Errorf("its healthcheck %q ended with status %d: %s", command, exit.Code, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// notFound matches the message of a shell or container runtime about a missing program, with the program's name.
var notFound = regexp.MustCompile(`(?m)^\S*sh: (?:(?:line )?\d+: )?(\S+): (?:command )?not found\s*$|` +
	"exec: \"([^\"]+)\": (?:executable file not found|stat |no such file)|executable file `([^`]+)` not found")

// fallback matches a shell command with an || that tries something else than to exit or return false.
var fallback = regexp.MustCompile(`\|\|\s*(?:[^ef\s]|e[^x]|ex[^i]|f[^a])`)

// absentProgram returns the missing program that made a command fail; empty if there was another reason.
func absentProgram(exit Exit, err error) string {
	words := append(slices.Concat(exit.Stdout, []byte("\n")), exit.Stderr...)
	if err != nil {
		words = []byte(err.Error())
	}
	if m := notFound.FindSubmatch(words); m != nil && (err != nil || exit.Code != 0) {
		return string(slices.Concat(m[1:]...))
	}
	return ""
}

// waitForLog follows the log until it contains the text often enough.
func (w *waiter) waitForLog(ctx context.Context) error {
	c := &counter{text: []byte(w.service.Ready.Log), wanted: max(1, w.service.Ready.Times)}
	err := w.probed.Follow(ctx, c)
	if c.found >= c.wanted {
		return nil
	}
	if errors.As(err, new(*FaultError)) {
		return err
	}
	if err == nil {
		<-ctx.Done() // the log ended, so the service has exited and its status will cancel ctx
	}
	return fmt.Errorf("%q stood %d of %d times in its log", c.text, c.found, c.wanted)
}

// errEnough stops Follow.
var errEnough = errors.New("found often enough")

// counter is a writer that counts occurrences of a text.
type counter struct {
	text          []byte
	wanted, found int
	rest          []byte // unmatched end, which may begin an occurrence
}

func (c *counter) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for at := bytes.Index(c.rest, c.text); at >= 0; at = bytes.Index(c.rest, c.text) {
		c.rest = c.rest[at+len(c.text):]
		if c.found++; c.found >= c.wanted {
			return len(p), errEnough
		}
	}
	c.rest = bytes.Clone(c.rest[max(0, len(c.rest)-len(c.text)+1):])
	return len(p), nil
}
