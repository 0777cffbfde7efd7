package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// agentFolder is where our layer of every image has its program.
const agentFolder = "/.benchbook"

var agentProgram = path.Join(agentFolder, agent.Name)

// act is a command line of our program. What is no text is given as JSON.
func act(word string, with any) []string {
	switch with := with.(type) {
	case nil:
		return []string{agentProgram, agent.Host, word}
	case string:
		return []string{agentProgram, agent.Host, word, with}
	}
	text, err := json.Marshal(with)
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return []string{agentProgram, agent.Host, word, string(text)}
}

// place is a container.
type place struct{ pod, container string }

// stream connects to a container, for a new command in it or for its own first process, until that has ended. The error
// of a command that ended with another status than zero is an exec.ExitError.
func (c *clusterClient) stream(ctx context.Context, at place, resource string, options runtime.Object,
	streams remotecommand.StreamOptions) error {
	url := c.core.Post().Namespace(
		c.namespace).Resource(podResource).Name(at.pod).SubResource(resource).VersionedParams(options, parameters).URL()
	sockets, err := remotecommand.NewWebSocketExecutor(c.config, "GET", url.String())
	if err != nil {
		return err
	}
	older, err := remotecommand.NewSPDYExecutor(c.config, "POST", url)
	if err != nil {
		return err
	}
	// What lies between us and the cluster may know only the older way.
	executor, err := remotecommand.NewFallbackExecutor(sockets, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return err
	}
	err = executor.StreamWithContext(ctx, streams)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// run runs a command in a container until it ends.
func (c *clusterClient) run(ctx context.Context, at place, command []string, stdin io.Reader, stdout,
	stderr io.Writer) (status int, err error) {
	options := &corev1.PodExecOptions{Container: at.container, Command: command, Stdin: stdin != nil, Stdout: true,
		Stderr: true}
	err = c.stream(ctx, at, "exec", options, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: stderr})
	if ended := exec.ExitError(nil); errors.As(err, &ended) {
		return ended.ExitStatus(), nil
	}
	return 0, c.fault(err)
}

// tell runs our program in a container. The error is what it has to say if it fails.
func (c *clusterClient) tell(ctx context.Context, at place, command []string, stdin io.Reader) error {
	said := &engine.Tail{Limit: 1 << 10}
	status, err := c.run(ctx, at, command, stdin, said, said)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s ended with status %d: %s", command[1], status, bytes.TrimSpace(said.Bytes()))
	}
	return err
}

// command runs a command of a user in a container.
func (c *clusterClient) command(ctx context.Context, at place, command engine.Command) (engine.Exit, error) {
	stdout, stderr := &engine.Head{Limit: engine.MaxStdout}, &engine.Tail{Limit: engine.MaxStderr}
	var stdin io.Reader
	if len(command.Stdin) > 0 {
		stdin = bytes.NewReader(command.Stdin)
	}
	deed := agent.Deed{Args: command.Args, Environment: command.Environment, WorkingDir: command.WorkingDir}
	status, err := c.run(ctx, at, act(agent.Do, deed), stdin, stdout, stderr)
	return engine.Exit{Code: status, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, err
}

// attached is the first process of a container that is being read.
type attached struct {
	greeted chan struct{} // closed when it is certain that all that will be written is read
	whole   chan struct{} // closed when a program has said farewell: all that it wrote is read
	done    chan struct{} // closed when there is no more
	err     error         // of reading; to be looked at when done
	outputs []*greeted
}

// isWhole tells, when done, whether a program said farewell on both outputs, so that nothing it wrote before is lost.
func (a *attached) isWhole() bool {
	return !slices.ContainsFunc(a.outputs, func(o *greeted) bool { return !closed(o.left) })
}

// attach reads what the first process of a container writes. That writes a greeting to both of its outputs, again and
// again, until it is told that it may begin: by then we have seen it. If it leaves by a token, it says farewell behind
// all that it wrote.
func (c *clusterClient) attach(ctx context.Context, at place, greeting, leave string, stdin io.Reader, stdout,
	stderr io.Writer) *attached {
	a := &attached{greeted: make(chan struct{}), whole: make(chan struct{}), done: make(chan struct{})}
	for _, w := range []io.Writer{stdout, stderr} {
		a.outputs = append(a.outputs, newGreeted(greeting, leave, w))
	}
	streams := remotecommand.StreamOptions{Stdin: stdin, Stdout: a.outputs[0], Stderr: a.outputs[1]}
	options := &corev1.PodAttachOptions{Container: at.container, Stdin: stdin != nil, Stdout: true, Stderr: true}
	go func() {
		defer close(a.done)
		a.err = c.stream(ctx, at, "attach", options, streams)
		for _, o := range a.outputs {
			a.err = errors.Join(a.err, o.flush())
		}
	}()
	go func() {
		if a.both(func(o *greeted) chan struct{} { return o.seen }) {
			close(a.greeted)
		}
		if a.both(func(o *greeted) chan struct{} { return o.left }) {
			close(a.whole)
		}
	}()
	return a
}

// both waits until something has happened to both outputs. It does not if there is no more to read.
func (a *attached) both(what func(*greeted) chan struct{}) bool {
	for _, o := range a.outputs {
		select {
		case <-what(o):
		case <-a.done:
			return false
		}
	}
	return true
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// greeted passes on what is written behind a greeting, which comes once or more, and before a farewell, if there is
// one.
type greeted struct {
	greeting, farewell []byte
	seen, left         chan struct{} // closed by the first greeting, and by the farewell
	w                  io.Writer
	once               bool
	begun              bool // there are no more greetings
	line               []byte
	held               []byte // what may be the beginning of the farewell
}

func newGreeted(greeting, leave string, w io.Writer) *greeted {
	g := &greeted{greeting: []byte(greeting + "\n"), seen: make(chan struct{}), left: make(chan struct{}), w: w}
	if leave != "" {
		g.farewell = []byte(agent.Farewell(leave))
	}
	return g
}

func (g *greeted) Write(p []byte) (int, error) {
	if g.begun {
		return len(p), g.pass(p)
	}
	g.line = append(g.line, p...)
	for {
		rest, ok := bytes.CutPrefix(g.line, g.greeting)
		if !ok {
			break
		}
		g.line = rest
		if !g.once {
			g.once = true
			close(g.seen)
		}
	}
	if bytes.HasPrefix(g.greeting, g.line) {
		return len(p), nil // it may become one
	}
	g.begun = true
	line := g.line
	g.line = nil
	return len(p), g.pass(line)
}

// pass passes on what is no farewell.
func (g *greeted) pass(p []byte) error {
	if len(g.farewell) == 0 || closed(g.left) {
		_, err := g.w.Write(p)
		return err
	}
	g.held = append(g.held, p...)
	text, rest, found := bytes.Cut(g.held, g.farewell)
	if found {
		g.held = nil
		_, err := g.w.Write(slices.Concat(text, rest)) // of processes that it left behind
		close(g.left)
		return err
	}
	keep := min(len(g.farewell)-1, len(g.held))
	for !bytes.HasPrefix(g.farewell, g.held[len(g.held)-keep:]) {
		keep--
	}
	_, err := g.w.Write(g.held[:len(g.held)-keep])
	g.held = append(g.held[:0], g.held[len(g.held)-keep:]...)
	return err
}

// flush passes on what looked like the beginning of a greeting or of a farewell when the output ended.
func (g *greeted) flush() error {
	for _, rest := range [][]byte{g.line, g.held} {
		if _, err := g.w.Write(rest); err != nil {
			return err
		}
	}
	g.line, g.held = nil, nil
	return nil
}

// withoutGreeting is a log without what our program has written into it.
func withoutGreeting(log []byte, greeting, leave string) []byte {
	if greeting != "" {
		log = bytes.ReplaceAll(log, []byte(greeting+"\n"), nil)
	}
	if leave != "" {
		log = bytes.ReplaceAll(log, []byte(agent.Farewell(leave)), nil)
	}
	return log
}
