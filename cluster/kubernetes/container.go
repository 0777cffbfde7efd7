package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"benchbook/cluster/inpod"
	"benchbook/runner/engine"
)

// mainContainer is the name of a pod's main container.
const mainContainer = "main"

// removeTimeout is how long a killed container may take to end.
const removeTimeout = 30 * time.Second

// container is a container of a space, which is a pod.
type container struct {
	space   *space
	service string // its name in the space
	pod     string // name of the pod; empty before it is created
	address string // IP address of the pod
	node    string
	names   []string // DNS names
	signal  string   // stop signal; empty: the kubelet's default
	grace   time.Duration
	files   []string // names of its ConfigMaps

	looking sync.Mutex
	seen    podState // last state from the API server

	mu       sync.Mutex
	meter    *meter // nil until the first question
	oomKills int64  // number noticed so far
}

func (c *container) Name() string { return c.service }

// awaitBegin waits until the container runs or has ended. It calls begun when the pod has an address, which is just
// before the container starts but is noticed up to a second late.
func (c *container) awaitBegin(ctx context.Context, begun func()) error {
	pod, err := c.awaitPod(ctx, func(s podState) (bool, error) {
		if err := trouble(c.service, s); err != nil || s.pod == nil {
			return false, err
		}
		if begun != nil && s.pod.Status.PodIP != "" {
			begun()
			begun = nil
		}
		for _, status := range s.pod.Status.InitContainerStatuses {
			if ended := status.State.Terminated; ended != nil && ended.ExitCode != 0 {
				return false, fmt.Errorf("filling its volumes ended with status %d: %s", ended.ExitCode, ended.Message)
			}
		}
		state := stateOf(s.pod)
		return state.Terminated != nil || state.Running != nil && s.pod.Status.PodIP != "", nil
	})
	if err == nil {
		c.address, c.node = pod.Status.PodIP, pod.Spec.NodeName
	}
	return err
}

// exitOf returns how the container has ended, if it has. The error means that the cluster took the pod away.
func (c *container) exitOf(s podState) (exit engine.Exit, ended bool, err error) {
	if err := trouble(c.service, s); err != nil {
		return exit, false, err
	}
	state := stateOf(s.pod).Terminated
	if state == nil {
		return exit, false, nil
	}
	return engine.Exit{Code: int(state.ExitCode), OutOfMemory: state.Reason == "OOMKilled"}, true, nil
}

// State implements engine.Container. The CPUs are those that the node assigned.
func (c *container) State(ctx context.Context) (state engine.State, err error) {
	seen, _ := c.look(ctx) // on failure, the last state
	if seen.pod == nil {
		err = errors.New("it was removed")
	} else {
		state.Node = c.node
		state.Exit, state.Ended, err = c.exitOf(seen)
	}
	if err == nil && !state.Ended {
		var reading inpod.Reading
		if reading, err = c.ask(ctx, inpod.Question{CPUs: true}); err == nil {
			state.CPUs = reading.CPUs
		} else if _, endErr := c.awaitEnd(ctx, time.Second); endErr == nil {
			return c.State(ctx)
		}
	}
	if err != nil {
		err = fmt.Errorf("looking at %s: %w", c.service, err)
	}
	return state, err
}

// Logs implements engine.Container. It returns the part of the log that is still on the node, where the kubelet rotates
// logs.
func (c *container) Logs(ctx context.Context) ([]byte, error) {
	log, err := c.readLog(ctx, &corev1.PodLogOptions{Container: mainContainer})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	kept := &engine.Tail{Limit: engine.MaxLog}
	if _, err := io.Copy(kept, log); err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", c.service, c.space.engine.fault(err))
	}
	return kept.Bytes(), nil
}

func (c *container) readLog(ctx context.Context, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	log, err := c.space.engine.client.CoreV1().Pods(c.space.namespace).GetLogs(c.pod, options).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", c.service, c.space.engine.fault(err))
	}
	return log, nil
}

// meter is a connection to our program in a container, which answers questions about the container.
type meter struct {
	questions io.WriteCloser
	answers   *bufio.Reader
	cancel    context.CancelFunc
	ahead     time.Duration // lead of the node's clock, from the fastest answer
	fastest   time.Duration
}

func (c *container) newMeter(ctx context.Context) *meter {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	in, questions := io.Pipe()
	answers, out := io.Pipe()
	go func() {
		var said strings.Builder
		status, err := c.run(ctx, act(inpod.Meter, nil), in, out, &said)
		if err == nil {
			err = fmt.Errorf("the meter ended with status %d: %s", status, strings.TrimSpace(said.String()))
		}
		_ = out.CloseWithError(err)
		_ = in.CloseWithError(err)
	}()
	return &meter{questions: questions, answers: bufio.NewReader(answers), cancel: cancel}
}

// ask asks the meter for a reading, and converts its time to our clock.
func (c *container) ask(ctx context.Context, question inpod.Question) (reading inpod.Reading, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.meter == nil {
		c.meter = c.newMeter(ctx)
	}
	m := c.meter
	stop := context.AfterFunc(ctx, m.cancel)
	defer stop()
	asked := time.Now()
	err = json.NewEncoder(m.questions).Encode(question)
	var line []byte
	if err == nil {
		line, err = m.answers.ReadBytes('\n')
	}
	took := time.Since(asked)
	if err == nil {
		err = json.Unmarshal(line, &reading)
	}
	if err == nil && reading.Error != "" {
		return reading, fmt.Errorf("measuring %s: %s", c.service, reading.Error)
	}
	if err != nil {
		m.cancel()
		c.meter = nil // the next question starts a new one
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return reading, fmt.Errorf("measuring %s: %w", c.service, err)
	}
	if m.fastest == 0 || took < m.fastest {
		m.fastest, m.ahead = took, reading.At.Sub(asked.Add(took/2))
	}
	reading.At = reading.At.Add(-m.ahead)
	return reading, nil
}

func (c *container) Usage(ctx context.Context, detail engine.Detail) (engine.Usage, error) {
	reading, err := c.ask(ctx, inpod.Question{Detail: detail})
	return reading.Usage, err
}

// wasKilledForMemory reports whether a process was killed for lack of memory since the last call.
func (c *container) wasKilledForMemory(ctx context.Context) bool {
	reading, err := c.ask(ctx, inpod.Question{OOM: true})
	if err != nil { // on some clusters, the container ends with the first such process
		pod, endErr := c.awaitEnd(ctx, time.Second)
		return endErr == nil && pod != nil && stateOf(pod).Terminated != nil &&
			stateOf(pod).Terminated.Reason == "OOMKilled"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.oomKills
	c.oomKills = max(before, reading.OOMKills)
	return reading.OOMKills > before
}

// checkCPUs returns an error unless the container has as many exclusive CPUs as it asked for.
func (c *container) checkCPUs(ctx context.Context, asked string) error {
	got, err := c.ask(ctx, inpod.Question{CPUs: true})
	if err != nil {
		return err
	}
	return notExclusive(c.service, c.node, asked, got.CPUs, got.AllCPUs)
}

// notExclusive returns an error unless a node gave a container exactly as many exclusive CPUs as it asked for. Without
// a static CPU manager, a container gets all CPUs of the node; a static one keeps at least one back.
func notExclusive(name, node, asked, given, all string) error {
	counts := make([]int, 3)
	for i, list := range []string{asked, given, all} {
		cpus, ok := cpuSet(list)
		if !ok {
			return fmt.Errorf("node %s gave %q the CPUs %q of its %q", node, name, given, all)
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

// release stops the meter.
func (c *container) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.meter != nil {
		_ = c.meter.questions.Close() // closing a pipe cannot fail
		c.meter.cancel()
		c.meter = nil
	}
}

// remove removes a container and its files. If graceful, the container first gets its grace period, or less if the
// context ends. The removal is not cancelled.
func remove(ctx context.Context, c *container, graceful bool) error {
	c.release()
	e := c.space.engine
	if c.pod != "" {
		if graceful && c.grace > 0 && ctx.Err() == nil && c.askToEnd(ctx) == nil {
			_, _ = c.awaitEnd(ctx, c.grace)
		}
		ctx := context.WithoutCancel(ctx)
		err := c.delete(ctx, 0)
		if err == nil {
			_, err = c.awaitEnd(ctx, removeTimeout)
		}
		if err != nil {
			return fmt.Errorf("removing %s: %w", c.service, e.fault(err))
		}
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	for _, name := range c.files {
		err := unlessGone(e.client.CoreV1().ConfigMaps(c.space.namespace).Delete(ctx, name, metav1.DeleteOptions{}))
		if err != nil {
			return fmt.Errorf("removing the files of %s: %w", c.service, e.fault(err))
		}
	}
	c.files = nil
	c.space.forget(c)
	return nil
}

// askToEnd sends the container its stop signal.
func (c *container) askToEnd(ctx context.Context) error {
	if c.signal == "" {
		return c.delete(ctx, c.grace)
	}
	ctx, cancel := context.WithTimeout(ctx, c.grace)
	defer cancel()
	return c.tell(ctx, inpod.Signal, c.signal)
}

// delete deletes the pod, which may be gone already. The grace period is at least a second: with none, the API server
// forgets the pod while the node may still run it.
func (c *container) delete(ctx context.Context, grace time.Duration) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	seconds := max(1, int64((grace+time.Second-1)/time.Second))
	return unlessGone(c.space.engine.client.CoreV1().Pods(c.space.namespace).Delete(ctx, c.pod,
		metav1.DeleteOptions{GracePeriodSeconds: &seconds}))
}

// awaitEnd waits until the container has ended, for at most within.
func (c *container) awaitEnd(ctx context.Context, within time.Duration) (*corev1.Pod, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errors.New("it does not end"))
	defer cancel()
	return c.awaitPod(ctx, func(s podState) (bool, error) { return hasEnded(s), nil })
}

// podFolder is the folder of our program in every container.
const podFolder = "/.benchbook"

const podProgram = podFolder + "/" + inpod.Name

// act returns a command line of our program. An argument that is not a string is encoded as JSON.
func act(word string, argument any) []string {
	text, ok := argument.(string)
	if !ok && argument != nil {
		encoded, err := json.Marshal(argument)
		if err != nil {
			panic(err) // arguments are plain data
		}
		text = string(encoded)
	}
	return []string{podProgram, word, text}
}

// run runs a command in the container and returns its exit status.
func (c *container) run(ctx context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) (status int,
	err error) {
	e := c.space.engine
	options := &corev1.PodExecOptions{Container: mainContainer, Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}
	url := e.client.CoreV1().RESTClient().Post().Namespace(c.space.namespace).Resource("pods").Name(c.pod).
		SubResource("exec").VersionedParams(options, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewWebSocketExecutor(e.config, "GET", url.String())
	if err != nil {
		return 0, err
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: stderr})
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if ended := exec.ExitError(nil); errors.As(err, &ended) {
		return ended.ExitStatus(), nil
	}
	return 0, e.fault(err)
}

// tell runs our program in the container. If it fails, the error is its output.
func (c *container) tell(ctx context.Context, word string, argument any) error {
	said := &engine.Tail{Limit: 1 << 10}
	status, err := c.run(ctx, act(word, argument), nil, said, said)
	if err == nil && status != 0 {
		err = errors.New(string(bytes.TrimSpace(said.Bytes())))
	}
	return err
}

func (c *container) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	stdout := &engine.Head{Limit: engine.MaxStdout, Full: command.Full}
	stderr := &engine.Tail{Limit: engine.MaxStderr}
	var stdin io.Reader
	if len(command.Stdin) > 0 {
		stdin = bytes.NewReader(command.Stdin)
	}
	deed := inpod.Deed{Args: command.Args, Environment: command.Environment, WorkingDir: command.WorkingDir,
		Stdin: stdin != nil}
	status, err := c.run(ctx, act(inpod.Do, deed), stdin, stdout, stderr)
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, c.service, err)
	}
	exit := engine.Exit{Code: status, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	if status != 0 {
		exit.OutOfMemory = c.wasKilledForMemory(ctx)
	}
	return exit, nil
}
