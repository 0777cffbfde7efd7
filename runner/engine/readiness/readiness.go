// Package readiness waits until a service is ready, by the rules of engine.Ready, for whatever engine started it.
//
// A service is ready when its probe succeeds once, and is not probed again. Waiting ends at once when the service does.
package readiness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/output"
)

const (
	defaultTimeout = time.Minute
	probeInterval  = 15 * time.Millisecond
	maxSaid        = 500             // bytes of a healthcheck's output that its failure repeats
	probeTimeout   = 5 * time.Second // of a single probe, as one that was accepted early may never be answered
)

// Probed is as much of a service that was started as is needed to wait for it. Whatever its methods cannot do for a reason that says
// nothing about the service is a *FaultError.
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
}

// probe tries once whether a service is ready; the error says what is missing.
type probe func(ctx context.Context) error

// Wait returns when a service is ready. The error is an *engine.NotReadyError, a *FaultError, or that of the context.
func Wait(parent context.Context, service engine.Service, probed Probed) error {
	w := &waiter{service, probed}
	timeout := service.Ready.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	deadline := time.AfterFunc(timeout, func() { cancel(fmt.Errorf("its time of %v ran out", timeout)) })
	defer deadline.Stop()
	go w.watch(ctx, cancel)

	err := w.wait(ctx)
	if err == nil || parent.Err() != nil {
		return errors.Join(err, context.Cause(parent))
	}
	if cause := context.Cause(ctx); cause != nil {
		// The probe's last word tells more than that its time was over.
		err = joinReasons(cause, err)
	}
	if errors.As(err, new(*FaultError)) {
		return err
	}
	logContext, cancelLog := context.WithTimeout(context.WithoutCancel(parent), time.Minute)
	defer cancelLog()
	log, logErr := probed.Logs(logContext)
	if logErr != nil {
		log = []byte("(its log could not be read: " + logErr.Error() + ")")
	}
	return &engine.NotReadyError{Service: service.Name, Reason: err, Log: log}
}

// endedError is a service that has ended.
type endedError struct{ status int }

func (e *endedError) Error() string { return fmt.Sprintf("it ended with status %d", e.status) }

// joinReasons says why the waiting ended, and what the last probe had to say, if it was more than that. Of a service that
// has ended there is nothing more to say.
func joinReasons(cause, probe error) error {
	if probe == nil || errors.Is(probe, context.Canceled) || errors.As(cause, new(*endedError)) {
		return cause
	}
	return fmt.Errorf("%w; last, %w", cause, probe)
}

// watch cancels the waiting when the service ends.
func (w *waiter) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	status, err := w.probed.Wait(ctx)
	if err != nil {
		cancel(&FaultError{fmt.Errorf("watching it: %w", err)})
		return
	}
	cancel(&endedError{status})
}

// wait returns when the service is ready or the context is done.
func (w *waiter) wait(ctx context.Context) error {
	ready, expose := w.service.Ready, w.service.Expose
	switch {
	case ready.Log != "":
		return w.waitForLog(ctx)
	case len(ready.Command) > 0:
		return poll(ctx, w.command)
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
		return poll(ctx, httpProbe(w.service.Name, dial, expose[0], ready.HTTP))
	case ready.Port != 0:
		return poll(ctx, portProbe(dial, ready.Port))
	}
	for _, port := range expose {
		if err := poll(ctx, portProbe(dial, port)); err != nil {
			return err
		}
	}
	return nil
}

// poll probes until the answer is good or the context is done; it returns what was last found missing.
func poll(ctx context.Context, try probe) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	var missing error
	for {
		probeContext, cancel := context.WithTimeout(ctx, probeTimeout)
		err := try(probeContext)
		cancel()
		if err == nil {
			return nil
		}
		if missing == nil || ctx.Err() == nil {
			missing = err // once the context is done a probe only says that
		}
		select {
		case <-ctx.Done():
			return missing
		case <-ticker.C:
		}
	}
}

func portProbe(dial Dial, port int) probe {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, port)
		if err != nil {
			// The address is another one each time, and means nothing to anybody later.
			if failed := (*net.OpError)(nil); errors.As(err, &failed) {
				err = failed.Err
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
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		// Of much that it says, what it came to stands at the end.
		said := &output.Tail{Limit: maxSaid}
		said.Write(exit.Stdout)
		said.Write(exit.Stderr)
		return fmt.Errorf("its healthcheck %q ended with status %d: %s", w.service.Ready.Command, exit.Code, bytes.TrimSpace(said.Bytes()))
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
