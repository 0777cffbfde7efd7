package kubernetes

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/readiness"
)

// running is a container of a space.
type running struct {
	engine    *Engine
	space     *space
	name      string
	place     place // empty: nothing was made
	address   string
	node      string
	ephemeral bool // it is in the pod of another one
	begun     bool
	grace     time.Duration
	signal    string // asks it to end; that of its image if the service names none
	cpus      string // those asked for
	token     string
	leave     string // empty for a service
	greeting  string
	files     []string

	mu    sync.Mutex
	meter *meter // nil until Usage is first asked for
}

var (
	_ engine.Threaded  = (*running)(nil)
	_ engine.Queued    = (*running)(nil)
	_ engine.Metered   = (*running)(nil)
	_ engine.Clocked   = (*running)(nil)
	_ engine.Placed    = (*running)(nil)
	_ engine.Listening = (*running)(nil)
)

func (r *running) Name() string { return r.name }

// awaitBegin waits until our program holds the container back.
func (r *running) awaitBegin(ctx context.Context) error {
	pod, err := r.engine.pods.wait(ctx, r.place.pod, func(s podState) (bool, error) {
		if err := trouble(r.name, s); err != nil {
			return false, err
		}
		if s.pod == nil {
			return false, nil
		}
		for _, c := range s.pod.Status.InitContainerStatuses {
			if ended := c.State.Terminated; ended != nil && ended.ExitCode != 0 {
				return false, fmt.Errorf("filling its volumes ended with status %d: %s", ended.ExitCode, ended.Message)
			}
		}
		if terminated(s.pod, r.place.container) != nil {
			return true, nil
		}
		return isRunning(s.pod, r.place.container) && s.pod.Status.PodIP != "", nil
	})
	if err != nil {
		return err
	}
	if refused := r.refused(); refused != nil {
		return refused
	}
	r.address, r.node = pod.Status.PodIP, pod.Spec.NodeName
	return nil
}

// refused is what our program could not start for a reason that lies in what was asked for.
func (r *running) refused() error {
	state, _ := r.engine.pods.get(r.place.pod)
	if ended := terminated(state.pod, r.place.container); ended != nil {
		if why := agent.RefusedIn(ended.Message); why != "" {
			return &engine.RejectedError{Name: r.name, Err: errors.New(why)}
		}
	}
	return nil
}

// exitOf is how a container has ended, if it has. What the cluster took away has not ended by itself: that is an error.
func (r *running) exitOf(s podState) (exit engine.Exit, ended bool, err error) {
	if err := trouble(r.name, s); err != nil {
		return exit, false, err
	}
	state := terminated(s.pod, r.place.container)
	if state == nil {
		return exit, false, nil
	}
	return engine.Exit{Code: int(state.ExitCode), OutOfMemory: state.Reason == "OOMKilled"}, true, nil
}

func (r *running) wait(ctx context.Context) (exit engine.Exit, err error) {
	_, err = r.engine.pods.wait(ctx, r.place.pod, func(s podState) (ended bool, err error) {
		exit, ended, err = r.exitOf(s)
		return ended, err
	})
	return exit, err
}

func (r *running) Ended(context.Context) (engine.Exit, bool, error) {
	state, err := r.engine.pods.get(r.place.pod)
	if err == nil && state.pod == nil {
		err = errors.New("it was removed")
	}
	if err == nil {
		var exit engine.Exit
		var ended bool
		if exit, ended, err = r.exitOf(state); err == nil {
			return exit, ended, nil
		}
	}
	return engine.Exit{}, false, fmt.Errorf("looking at %s: %w", r.name, err)
}

func (r *running) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	exit, err := r.engine.cluster.command(ctx, r.place, command)
	if err != nil {
		return exit, fmt.Errorf("running %q in %s: %w", command.Args, r.name, err)
	}
	return exit, nil
}

// Logs implements engine.Running. It is what the node still has: it begins a new file from time to time, by what its
// kubelet is set to.
func (r *running) Logs(ctx context.Context) ([]byte, error) {
	// The node counts lines, and makes several of a long one: so it is asked for more of them until there is enough.
	for lines := int64(200); ; lines *= 16 {
		options := &corev1.PodLogOptions{Container: r.place.container, TailLines: &lines}
		stream, err := r.engine.cluster.core.Get().Namespace(
			r.engine.cluster.namespace).Resource(podResource).Name(r.place.pod).SubResource("log").
			VersionedParams(options, parameters).Stream(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the log of %s: %w", r.name, r.engine.cluster.fault(err))
		}
		kept, count := &engine.Tail{Limit: engine.MaxLog}, &counter{}
		_, err = io.Copy(io.MultiWriter(kept, count), stream)
		stream.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the log of %s: %w", r.name, r.engine.cluster.fault(err))
		}
		if count.bytes >= engine.MaxLog || count.parts() < lines {
			return withoutGreeting(kept.Bytes(), r.greeting, r.leave), nil
		}
	}
}

// counter counts lines as a node does, at least.
type counter struct{ bytes, lines int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	c.lines += int64(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

// parts are as many lines as there can be: a node makes parts of 16 KiB of long ones, each of which counts.
func (c *counter) parts() int64 { return c.lines + c.bytes/(16<<10) + 1 }

// meter is a connection to our program in a container, which answers questions about it.
type meter struct {
	questions io.WriteCloser
	answers   *bufio.Reader
	cancel    context.CancelFunc
	ahead     time.Duration // of the clock there, before ours, from the answer that came fastest
	fastest   time.Duration
}

func (r *running) ask(ctx context.Context, question string) (reading agent.Reading, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.meter == nil {
		r.meter = r.newMeter(ctx)
	}
	m := r.meter
	stop := context.AfterFunc(ctx, m.cancel)
	defer stop()
	asked := time.Now()
	_, err = fmt.Fprintln(m.questions, question)
	var line []byte
	if err == nil {
		line, err = m.answers.ReadBytes('\n')
	}
	took := time.Since(asked)
	if err == nil {
		err = json.Unmarshal(line, &reading)
	}
	if err == nil && reading.Error != "" {
		return reading, fmt.Errorf("measuring %s: %s", r.name, reading.Error)
	}
	if err != nil {
		m.cancel()
		r.meter = nil // it may be asked again
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return reading, fmt.Errorf("measuring %s: %w", r.name, err)
	}
	if m.fastest == 0 || took < m.fastest {
		m.fastest, m.ahead = took, reading.At.Sub(asked.Add(took/2))
	}
	reading.At = reading.At.Add(-m.ahead)
	return reading, nil
}

func (r *running) newMeter(ctx context.Context) *meter {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	in, questions := io.Pipe()
	answers, out := io.Pipe()
	go func() {
		var said strings.Builder
		status, err := r.engine.cluster.run(ctx, r.place, act(agent.Meter, nil), in, out, &said)
		if err == nil {
			err = fmt.Errorf("the meter ended with status %d: %s", status, strings.TrimSpace(said.String()))
		}
		_ = out.CloseWithError(err)
		_ = in.CloseWithError(err)
	}()
	return &meter{questions: questions, answers: bufio.NewReader(answers), cancel: cancel}
}

// release ends measuring.
func (r *running) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.meter != nil {
		_ = r.meter.questions.Close() // a pipe
		r.meter.cancel()
		r.meter = nil
	}
}

func (r *running) Usage(ctx context.Context) (engine.Usage, error) {
	u, err := r.ask(ctx, agent.AskUsage)
	return engine.Usage{At: u.At, CPU: u.CPU, Memory: u.Memory, Periods: u.Periods, Throttled: u.Throttled,
		ListenOverflows: u.ListenOverflows, Retransmits: u.Retransmits}, err
}

func (r *running) CPU(ctx context.Context) (time.Duration, error) {
	u, err := r.ask(ctx, agent.AskCPU)
	return u.CPU, err
}

func (r *running) Waits(ctx context.Context) (map[int]time.Duration, error) {
	u, err := r.ask(ctx, agent.AskWaits)
	return u.Threads, err
}

func (r *running) Threads(ctx context.Context, _ ...int) (map[int]time.Duration, error) {
	u, err := r.ask(ctx, agent.AskThreads)
	return u.Threads, err
}

// Listeners implements engine.Listening where the image has the program cat.
func (r *running) Listeners(ctx context.Context) ([]netip.AddrPort, error) {
	return kernel.ListenersBy(ctx, r.Exec)
}

// CPUs implements engine.Placed: they are those that the node gave.
func (r *running) CPUs(ctx context.Context) (string, error) {
	u, err := r.ask(ctx, agent.AskCPUs)
	return u.CPUs, err
}

// checkCPUs reads back which CPUs a container may use that asked for some of its own.
func (r *running) checkCPUs(ctx context.Context) error {
	got, err := r.ask(ctx, agent.AskCPUs)
	if err != nil {
		return err
	}
	return notOwn(r.name, r.node, r.cpus, got.CPUs, got.AllCPUs)
}

// notOwn says of the CPUs that a node gave to what asked for some of its own why they are not that, nil if they are:
// without a static CPU manager they are all of the node, which may be as many as were asked for. A static one keeps at
// least one for others.
func notOwn(name, node, asked, given, all string) error {
	counts := make([]int, 3)
	for i, list := range []string{asked, given, all} {
		cpus, err := kernel.ParseCPUs(list)
		if err != nil {
			return err
		}
		counts[i] = len(cpus)
	}
	if counts[1] == counts[0] && counts[1] < counts[2] {
		return nil
	}
	return &Fault{fmt.Sprintf("node %s gave %q the CPUs %s of its %s, and not %d that nobody else has", node, name, given,
		all, counts[0]),
		"set cpuManagerPolicy: static for the kubelets of nodes that are measured on, or leave out cpuset", nil}
}

// remove ends a container and removes it, with its files. It may be gone already. Grace is how long it may take to end
// by itself, and so is the context: then it is killed. Removing it is not cancelled.
func (r *running) remove(ctx context.Context, grace time.Duration) error {
	r.release()
	e := r.engine
	if r.place.pod != "" {
		if r.begun && !r.hasEnded() {
			if grace > 0 && !r.ephemeral {
				r.askToEnd(ctx, grace)
			}
			if !r.hasEnded() {
				killing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
				// The connection ends with what is killed; a container that cannot be killed so is by its node, a moment later.
				_ = e.cluster.tell(killing, r.place, act(agent.End, nil), nil)
				cancel()
			}
		}
		if !r.ephemeral {
			if err := e.cluster.remove(ctx, podResource, r.place.pod, 0); err != nil {
				return fmt.Errorf("removing %s: %w", r.name, e.cluster.fault(err))
			}
		}
		if r.begun {
			if err := r.awaitGone(ctx); err != nil {
				return err
			}
		}
	}
	for len(r.files) > 0 {
		if err := e.cluster.remove(ctx, fileResource, r.files[0], 0); err != nil {
			return fmt.Errorf("removing the files of %s: %w", r.name, e.cluster.fault(err))
		}
		r.files = r.files[1:]
	}
	address := r.address
	if r.ephemeral {
		address = ""
	}
	e.agent.leave(r.space.id, address, []string{r.token, r.leave})
	if !r.ephemeral {
		e.pods.forget(r.place.pod)
	}
	return nil
}

// hasEnded says whether the container is known to have ended.
func (r *running) hasEnded() bool {
	state, _ := r.engine.pods.get(r.place.pod)
	return ended(state, r.place.container)
}

// ended says whether a container has ended, or its node was lost with it: of that nothing more is heard.
func ended(s podState, container string) bool {
	if s.gone || s.pod == nil || terminated(s.pod, container) != nil {
		return true
	}
	return slices.ContainsFunc(s.pod.Status.Conditions, lostNode)
}

// askToEnd asks the container to end, and waits.
func (r *running) askToEnd(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	// What cannot be asked is killed.
	if err := r.engine.cluster.tell(ctx, r.place, act(agent.Signal, signalName(cmp.Or(r.signal, "SIGTERM"))),
		nil); err == nil {
		_ = r.awaitEnded(ctx)
	}
}

func (r *running) awaitEnded(ctx context.Context) error {
	_, err := r.engine.pods.wait(ctx, r.place.pod, func(s podState) (bool, error) {
		return ended(s, r.place.container), nil
	})
	return err
}

// awaitGone waits until the container has ended after it was killed.
func (r *running) awaitGone(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), leaving, errTimeout)
	defer cancel()
	if err := r.awaitEnded(ctx); err != nil {
		return fmt.Errorf("waiting for the end of %s: %w", r.name, err)
	}
	return nil
}

// probed is a service that is waited for. It implements readiness.Probed.
type probed struct {
	*running
	attached       *attached // nil where its readiness does not depend on what it writes
	stdout, stderr *pipe
}

func (p *probed) Wait(ctx context.Context) (int, error) {
	exit, err := p.running.wait(ctx)
	return exit.Code, err
}

func (p *probed) Reach(context.Context) (readiness.Dial, error) {
	return func(ctx context.Context, port int) (net.Conn, error) {
		return p.engine.agent.dial(ctx, p.engine, p.address, port)
	}, nil
}

func (p *probed) Follow(ctx context.Context, stdout, stderr io.Writer) error {
	stop := context.AfterFunc(ctx, func() { p.stdout.stop(); p.stderr.stop() })
	defer stop()
	copied := make(chan error, 2)
	var one sync.Mutex // both streams count into one
	for _, c := range []struct {
		from *pipe
		to   io.Writer
	}{{p.stdout, stdout}, {p.stderr, stderr}} {
		go func() {
			_, err := io.Copy(locked{&one, c.to}, c.from)
			copied <- err
		}()
	}
	go func() {
		<-p.attached.done
		_ = p.stdout.w.Close() // pipes
		_ = p.stderr.w.Close()
	}()
	if err := <-copied; err != nil {
		return err
	}
	return <-copied
}

// locked is a writer that several goroutines may use.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// pipe is what a container writes, until somebody has enough of it: then the rest is not kept.
type pipe struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newPipe() *pipe {
	r, w := io.Pipe()
	return &pipe{r, w}
}

// Write never fails: whoever writes need not end when nobody reads any more.
func (p *pipe) Write(b []byte) (int, error) {
	_, _ = p.w.Write(b)
	return len(b), nil
}

func (p *pipe) stop() { _ = p.PipeReader.Close() }
