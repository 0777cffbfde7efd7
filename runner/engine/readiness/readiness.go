// Package readiness waits until a service is ready, by the rules of spec.Ready, for whatever engine started it.
//
// A service is ready when its probe succeeds once, and is not probed again. Waiting ends at once when the service does.
package readiness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"benchbook/runner/engine"
)

const (
	defaultWait = time.Minute           // where nobody says anything else
	probePause  = 15 * time.Millisecond // likewise, between two probes
	maxSaid     = 500                   // bytes of a healthcheck's output that its failure repeats

	// answerTimeout is how long a probe of ours may take, as one that was accepted early may never be answered.
	answerTimeout = 5 * time.Second
	// lastingGrace is how long something may be missing that seldom comes by itself: see lastingError. A service that
	// listens on other ports may still open the one that is asked for, and gets longer.
	lastingGrace   = 5 * time.Second
	elsewhereGrace = 15 * time.Second
	lookPause      = 200 * time.Millisecond // between two looks at where a service listens
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

// Probed is as much of a service that was started as is needed to wait for it. Whatever its methods cannot do for a
// reason that says nothing about the service is a *FaultError.
type Probed interface {
	// Wait returns the status with which the service ended, when it has.
	Wait(ctx context.Context) (status int, err error)
	// Reach finds out how the ports of the service are reached. It waits for the end of the context where it has ended.
	Reach(ctx context.Context) (Dial, error)
	// Exec runs a command in the service.
	Exec(ctx context.Context, command engine.Command) (engine.Exit, error)
	// Follow copies what the service writes, from its beginning, until it ends or a writer has enough.
	Follow(ctx context.Context, stdout, stderr io.Writer) error
	// Logs is what it wrote so far.
	Logs(ctx context.Context) ([]byte, error)
}

// Dial connects to a TCP port of a service.
type Dial func(ctx context.Context, port int) (net.Conn, error)

// FaultError is a probe that could not be made. It says nothing about the service.
type FaultError struct{ Err error }

func (e *FaultError) Error() string { return e.Err.Error() }

func (e *FaultError) Unwrap() error { return e.Err }

// waiter waits for one service.
type waiter struct {
	service engine.Service
	probed  Probed
	began   time.Time

	looked time.Time        // when it was last found out where the service listens
	open   []netip.AddrPort // what was found then; nil where nothing tells

	lasting time.Time // since when something is missing that lasts
	words   string    // what that is; empty while nothing is
}

// probe tries once whether a service is ready; the error says what is missing.
type probe func(ctx context.Context) error

// Wait returns when a service is ready. The error is an *engine.NotReadyError, a *FaultError, or that of the context.
func Wait(parent context.Context, service engine.Service, probed Probed) error {
	w := &waiter{service: service, probed: probed, began: time.Now()}
	if service.Begun != nil {
		service.Begun()
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	if limit := w.limit(); limit > 0 {
		deadline := time.AfterFunc(limit, func() { cancel(errTimeOver) })
		defer deadline.Stop()
	}
	go w.watch(ctx, cancel)

	err := w.wait(ctx)
	after := time.Since(w.began)
	if err == nil || parent.Err() != nil {
		return errors.Join(err, context.Cause(parent))
	}
	if cause := context.Cause(ctx); cause != nil {
		err = reason(cause, err)
	}
	if errors.As(err, new(*FaultError)) {
		return err
	}
	if errors.As(err, new(*endedError)) {
		after = 0
	}
	logContext, cancelLog := context.WithTimeout(context.WithoutCancel(parent), time.Minute)
	defer cancelLog()
	log, logErr := probed.Logs(logContext)
	if logErr != nil {
		log = []byte("(its log could not be read: " + logErr.Error() + ")")
	}
	return &engine.NotReadyError{Service: service.Name, After: after, Reason: err, Log: log}
}

// limit is how long the service is waited for at most, whatever its probes say; 0 for as long as they do.
func (w *waiter) limit() time.Duration {
	r := w.service.Ready
	limit := w.service.Within
	add := func(d time.Duration) {
		if limit == 0 || d < limit {
			limit = d
		}
	}
	switch {
	case w.service.Completes:
	case !r.IsTimed():
		add(defaultWait)
	case r.Log != "":
		add(r.StartPeriod + time.Duration(w.retries())*cmp.Or(r.Interval, composeInterval))
	}
	return limit
}

func (w *waiter) retries() int { return cmp.Or(w.service.Ready.Retries, composeRetries) }

// errTimeOver is that the service was waited for as long as it may be.
var errTimeOver = errors.New("its time ran out")

// endedError is a service that has ended.
type endedError struct{ status int }

func (e *endedError) Error() string { return fmt.Sprintf("it ended with status %d", e.status) }

// lastingError is something missing that few services make good once they run, and hardly one after so long: they
// listen on their loopback or on other ports alone, or lack the program of their healthcheck.
type lastingError struct {
	words string
	grace time.Duration
}

func (e *lastingError) Error() string { return e.words }

// reason says why the service was not ready, after the waiting was ended: what the last probe missed tells more than
// that the time was over. Of a service that has ended there is nothing more to say.
func reason(cause, missing error) error {
	if missing == nil || errors.Is(missing, context.Canceled) || !errors.Is(cause, errTimeOver) {
		return cause
	}
	return missing
}

// watch cancels the waiting when the service ends.
func (w *waiter) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	status, err := w.probed.Wait(ctx)
	if err != nil {
		cancel(&FaultError{fmt.Errorf("watching it: %w", err)})
		return
	}
	if w.service.Completes && status == 0 {
		cancel(errCompleted)
		return
	}
	cancel(&endedError{status})
}

// errCompleted is that a service has ended as it was to.
var errCompleted = errors.New("it has completed")

func (w *waiter) wait(ctx context.Context) error {
	ready, expose := w.service.Ready, w.service.Expose
	switch {
	case w.service.Completes:
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), errCompleted) {
			return nil
		}
		return errors.New("it has not ended")
	case ready.Log != "":
		return w.waitForLog(ctx)
	case len(ready.Command) > 0:
		return w.poll(ctx, 0, composeTimeout, w.command)
	case ready.HTTP == "" && ready.Port == 0 && len(expose) == 0:
		return nil
	}
	dial, err := w.probed.Reach(ctx)
	if err != nil {
		return err
	}
	switch {
	case ready.HTTP != "" && len(expose) == 0:
		return errors.New("it exposes no port that could answer over HTTP: add one to expose")
	case ready.HTTP != "":
		return w.poll(ctx, expose[0], answerTimeout, httpProbe(w.service.Name, dial, expose[0], ready.HTTP))
	case ready.Port != 0:
		return w.poll(ctx, ready.Port, answerTimeout, portProbe(dial, ready.Port))
	}
	for _, port := range expose {
		if err := w.poll(ctx, port, answerTimeout, portProbe(dial, port)); err != nil {
			return err
		}
	}
	return nil
}

// poll probes until the answer is good, too many probes have failed, or the context is done; it returns what was last
// found missing. The port is the one that is asked, 0 for none. A probe that fails counts as in Compose: once in an
// interval, the first of which begins with the service, and not in its start period.
func (w *waiter) poll(ctx context.Context, port int, timeout time.Duration, try probe) error {
	r := w.service.Ready
	timeout = cmp.Or(r.Timeout, timeout)
	interval, endless := cmp.Or(r.Interval, composeInterval), !r.IsTimed()
	started := w.began.Add(r.StartPeriod)
	var missing error
	for failed, counted := 0, w.began; ; {
		err := probeWithin(ctx, timeout, try)
		if err == nil {
			return nil
		}
		if missing == nil || ctx.Err() == nil { // once the context is done a probe only says that
			missing = w.explain(ctx, port, err)
		}
		now := time.Now()
		lasts := w.hasLasted(missing, now)
		switch {
		case ctx.Err() != nil:
			return missing
		case now.Before(started):
			counted = now
		case now.Sub(counted) >= interval:
			failed, counted = failed+1, now
		}
		if !endless && failed >= w.retries() {
			return missing
		}
		if lasts && now.After(started) {
			return missing
		}
		select {
		case <-ctx.Done():
			return missing
		case <-time.After(w.pause(now.Before(started))):
		}
	}
}

// hasLasted says that something which lasts has been missing for so long that it is not waited for.
func (w *waiter) hasLasted(missing error, now time.Time) bool {
	var lasts *lastingError
	if !errors.As(missing, &lasts) {
		w.words = ""
		return false
	}
	if w.words != lasts.words { // a service that opens one port after another goes on starting
		w.lasting, w.words = now, lasts.words
	}
	return now.Sub(w.lasting) >= lasts.grace
}

// probeWithin probes once, for so long at most.
func probeWithin(ctx context.Context, timeout time.Duration, try probe) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := try(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("a probe took longer than %v", timeout)
	}
	return err
}

// pause is the time between two probes.
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

// explain says of a port that refused a connection where the service listens instead, as far as that can be found out.
func (w *waiter) explain(ctx context.Context, port int, err error) error {
	told, ok := w.probed.(engine.Listening)
	// as our agent says it
	if port == 0 || !ok || !errors.Is(err, syscall.ECONNREFUSED) && !strings.Contains(err.Error(), "connection refused") {
		return err
	}
	if w.looked.IsZero() || time.Since(w.looked) >= lookPause {
		open, lookErr := told.Listeners(ctx)
		if ctx.Err() == nil {
			w.looked, w.open = time.Now(), nil
			if lookErr == nil {
				w.open = append([]netip.AddrPort{}, open...)
			}
		}
	}
	if w.open == nil {
		return err
	}
	words, loopback := Unreached(w.open, port)
	switch {
	case words == "":
		return err // it does now
	case loopback:
		return &lastingError{words, lastingGrace}
	case len(w.open) > 0 && !w.service.Ready.IsTimed(): // else it has the time that was written
		return &lastingError{words, elsewhereGrace}
	}
	return errors.New(words)
}

// Unreached says why a port of a service cannot be reached from elsewhere, by the addresses at which it listens: empty
// if it can be. Loopback says that the service listens at this port, and on its loopback only.
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

func portProbe(dial Dial, port int) probe {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, port)
		if err != nil {
			// The address is another one each time, and means nothing to anybody later.
			if failed := (*net.OpError)(nil); errors.As(err, &failed) {
				err = failed.Err
			}
			if syscallError := (*os.SyscallError)(nil); errors.As(err, &syscallError) {
				err = syscallError.Err
			}
			return fmt.Errorf("port %d did not accept a connection: %w", port, err)
		}
		return conn.Close()
	}
}

// httpProbe asks for a path over a connection of its own, so that none is left open to the service.
func httpProbe(name string, dial Dial, port int, path string) probe {
	httpClient := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, port) },
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	url := "http://" + net.JoinHostPort(name, strconv.Itoa(port)) + "/" + strings.TrimPrefix(path, "/")
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := httpClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode >= http.StatusBadRequest {
			return fmt.Errorf("%s was answered with %s", url, response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

// command is a probe by the service's own healthcheck.
func (w *waiter) command(ctx context.Context) error {
	exit, err := w.probed.Exec(ctx, engine.Command{Args: w.service.Ready.Command})
	switch program := absentProgram(exit, err); {
	case program != "" && !hasFallback(w.service.Ready.Command):
		return &lastingError{fmt.Sprintf("its healthcheck runs %q, which it does not have (install it, or write "+
			"test: [HTTP, /] or [PORT, \"80\"], which need no program)", program), lastingGrace}
	case err != nil:
		return err
	case exit.Code != 0:
		// Of much that it says, what it came to stands at the end.
		said := &engine.Tail{Limit: maxSaid}
		said.Write(exit.Stdout)
		said.Write(exit.Stderr)
		return fmt.Errorf("its healthcheck %q ended with status %d: %s", w.service.Ready.Command, exit.Code,
			bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// waitForLog follows the log until the text has come up as often as wanted.
func (w *waiter) waitForLog(ctx context.Context) error {
	text, times := w.service.Ready.Log, max(1, w.service.Ready.Times)
	counter := &counter{wanted: times}
	err := w.probed.Follow(ctx, counter.stream(text), counter.stream(text))
	if counter.found >= times {
		return nil
	}
	if errors.As(err, new(*FaultError)) {
		return err
	}
	if err == nil {
		// The log is at its end because the service is; what watches it knows the status.
		<-ctx.Done()
	}
	return fmt.Errorf("%q stood %d of %d times in its log", text, counter.found, times)
}

// errEnough stops the reading of a log.
var errEnough = errors.New("found often enough")

// counter counts a text in several streams.
type counter struct{ wanted, found int }

// stream returns a writer whose texts are counted.
func (c *counter) stream(text string) io.Writer { return &countingWriter{c, []byte(text), nil} }

type countingWriter struct {
	counter *counter
	text    []byte
	rest    []byte // what may be the beginning of the text
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		at := bytes.Index(w.rest, w.text)
		if at < 0 {
			break
		}
		w.rest = w.rest[at+len(w.text):]
		if w.counter.found++; w.counter.found >= w.counter.wanted {
			return len(p), errEnough
		}
	}
	w.rest = bytes.Clone(w.rest[max(0, len(w.rest)-len(w.text)+1):])
	return len(p), nil
}

// notFound are the words in which a shell or a container runtime names a program that is not there.
var notFound = regexp.MustCompile(`(?m)^\S*sh: (?:(?:line )?\d+: )?(\S+): (?:command )?not found\s*$|` +
	"exec: \"([^\"]+)\": (?:executable file not found|stat |no such file)|executable file `([^`]+)` not found")

// fallback matches what a shell runs if another command fails, other than to say that it has failed.
var fallback = regexp.MustCompile(`\|\|\s*(?:[^ef\s]|e[^x]|ex[^i]|f[^a])`)

// hasFallback reports whether a healthcheck tries another program where it lacks one.
func hasFallback(command []string) bool {
	return slices.ContainsFunc(command, fallback.MatchString)
}

// absentProgram names the program that a command could not find; empty if it failed for another reason.
func absentProgram(exit engine.Exit, err error) string {
	words := append(slices.Concat(exit.Stdout, []byte("\n")), exit.Stderr...)
	if err != nil {
		words = []byte(err.Error())
	}
	if m := notFound.FindSubmatch(words); m != nil && (err != nil || exit.Code != 0) {
		return string(slices.Concat(m[1:]...))
	}
	return ""
}
