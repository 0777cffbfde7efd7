package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go/wait"

	"benchbook/runner/engine"
)

const (
	defaultReadyTimeout = time.Minute
	probeInterval       = 15 * time.Millisecond
	maxSaid             = 500             // bytes of a healthcheck's output that its failure repeats
	probeTimeout        = 5 * time.Second // of a single probe, as one that was accepted early may never be answered
)

// probeError is a probe that could not be made. It says nothing about the service.
type probeError struct{ error }

func (e *probeError) Unwrap() error { return e.error }

// readiness waits until a service is ready. It is a wait strategy of the library, which wants a pointer.
type readiness struct {
	space   *space
	service engine.Service
	id      string
}

var _ wait.Strategy = (*readiness)(nil)

// probe tries once whether a service is ready; the error says what is missing.
type probe func(ctx context.Context) error

// WaitUntilReady implements wait.Strategy. It ends at once when the container does. The error is an *engine.NotReadyError, a
// *probeError, or that of the context.
func (r *readiness) WaitUntilReady(parent context.Context, _ wait.StrategyTarget) error {
	timeout := r.service.Ready.Timeout
	if timeout == 0 {
		timeout = defaultReadyTimeout
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	deadline := time.AfterFunc(timeout, func() { cancel(fmt.Errorf("its time of %v ran out", timeout)) })
	defer deadline.Stop()
	go r.watch(ctx, cancel)

	err := r.wait(ctx)
	if err == nil || parent.Err() != nil {
		return errors.Join(err, context.Cause(parent))
	}
	if cause := context.Cause(ctx); cause != nil {
		// The probe's last word tells more than that its time was over.
		err = joinReasons(cause, err)
	}
	if errors.As(err, new(*probeError)) {
		return err
	}
	logContext, cancelLog := uncancelled(parent)
	defer cancelLog()
	log, logErr := r.space.engine.logs(logContext, r.id)
	if logErr != nil {
		log = []byte("(its log could not be read: " + logErr.Error() + ")")
	}
	return &engine.NotReadyError{Service: r.service.Name, Reason: err, Log: log}
}

// endedError is a service whose container has ended.
type endedError struct{ status int64 }

func (e *endedError) Error() string { return fmt.Sprintf("it ended with status %d", e.status) }

// joinReasons says why the waiting ended, and what the last probe had to say, if it was more than that. Of a service that
// has ended there is nothing more to say.
func joinReasons(cause, probe error) error {
	if probe == nil || errors.Is(probe, context.Canceled) || errors.As(cause, new(*endedError)) {
		return cause
	}
	return fmt.Errorf("%w; last, %w", cause, probe)
}

// watch cancels the waiting when the container ends.
func (r *readiness) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	ended := r.space.engine.client.ContainerWait(ctx, r.id,
		client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case result := <-ended.Result:
		cancel(&endedError{result.StatusCode})
	case err := <-ended.Error:
		cancel(&probeError{fmt.Errorf("watching it: %w", err)})
	}
}

// wait returns when the service is ready or the context is done.
func (r *readiness) wait(ctx context.Context) error {
	ready, expose := r.service.Ready, r.service.Expose
	switch {
	case ready.Log != "":
		return r.waitForLog(ctx)
	case len(ready.Command) > 0:
		return poll(ctx, r.command)
	case ready.HTTP == "" && ready.Port == 0 && len(expose) == 0:
		return nil
	}
	address, err := r.address(ctx)
	if err != nil {
		return err
	}
	switch {
	case ready.HTTP != "" && len(expose) == 0:
		return errors.New("it exposes no port that could answer over HTTP: add one to expose")
	case ready.HTTP != "":
		return poll(ctx, httpProbe(r.service.Name, address, expose[0], ready.HTTP))
	case ready.Port != 0:
		return poll(ctx, portProbe(address, ready.Port))
	}
	for _, port := range expose {
		if err := poll(ctx, portProbe(address, port)); err != nil {
			return err
		}
	}
	return nil
}

// address is where probes of this process find the service. This is the only place that decides how a service is
// reached from outside its network.
func (r *readiness) address(ctx context.Context) (netip.Addr, error) {
	if !r.space.reachable {
		return netip.Addr{}, &probeError{fmt.Errorf("containers of the engine at %s cannot be reached from here, so that "+
			"its ports cannot be probed: give it a healthcheck that is a command or a text in its log",
			r.space.engine.client.DaemonHost())}
	}
	inspected, err := r.space.engine.client.ContainerInspect(ctx, r.id, client.ContainerInspectOptions{})
	if err != nil {
		return netip.Addr{}, &probeError{err}
	}
	endpoint, ok := inspected.Container.NetworkSettings.Networks[r.space.name]
	if !ok || !endpoint.IPAddress.IsValid() {
		// It has ended: what watches it says so better.
		<-ctx.Done()
		return netip.Addr{}, ctx.Err()
	}
	return endpoint.IPAddress, nil
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

func portProbe(address netip.Addr, port int) probe {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(address, port))
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
func httpProbe(name string, address netip.Addr, port int, path string) probe {
	httpClient := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, hostPort(address, port))
			},
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

func hostPort(address netip.Addr, port int) string {
	return net.JoinHostPort(address.String(), strconv.Itoa(port))
}

// command is a probe by the service's own healthcheck.
func (r *readiness) command(ctx context.Context) error {
	exit, err := r.space.engine.exec(ctx, r.id, engine.Command{Args: r.service.Ready.Command})
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		// Of much that it says, what it came to stands at the end.
		said := &tail{limit: maxSaid}
		said.Write(exit.Stdout)
		said.Write(exit.Stderr)
		return fmt.Errorf("its healthcheck %q ended with status %d: %s", r.service.Ready.Command, exit.Code, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// waitForLog follows the log until the text has come up as often as wanted.
func (r *readiness) waitForLog(ctx context.Context) error {
	text, times := r.service.Ready.Log, max(1, r.service.Ready.Times)
	stream, err := r.space.engine.client.ContainerLogs(ctx, r.id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Follow: true,
	})
	if err != nil {
		return &probeError{err}
	}
	defer stream.Close()
	counter := &counter{wanted: times}
	_, err = stdcopy.StdCopy(counter.stream(text), counter.stream(text), stream)
	if counter.found >= times {
		return nil
	}
	if err == nil {
		// The log is at its end because the container is; what watches it knows the status.
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
