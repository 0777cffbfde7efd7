package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"benchbook/cluster/inpod"
	"benchbook/runner/engine"
)

// podFolder is where every container has our program.
const podFolder = "/.benchbook"

const podProgram = podFolder + "/" + inpod.Name

// act is a command line of our program. An argument that is not text is given as JSON.
func act(word string, argument any) []string {
	text, ok := argument.(string)
	if !ok && argument != nil {
		encoded, err := json.Marshal(argument)
		if err != nil {
			panic(err) // it is made of texts and numbers
		}
		text = string(encoded)
	}
	return []string{podProgram, word, text}
}

// run runs a command in the container until it ends.
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

// tell runs our program in the container. The error has what it said if it fails.
func (c *container) tell(ctx context.Context, word string, argument any) error {
	said := &engine.Tail{Limit: 1 << 10}
	status, err := c.run(ctx, act(word, argument), nil, said, said)
	if err == nil && status != 0 {
		err = errors.New(string(bytes.TrimSpace(said.Bytes())))
	}
	return err
}

// Exec implements engine.Container.
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
