package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

func (e *Engine) agentImage(ctx context.Context) (engine.Prepared, error) {
	if e.agent == nil {
		return engine.Prepared{}, fmt.Errorf("there is no %s to run at %s: build it with make build", agent.Name, e.endpoint)
	}
	data, err := e.agent()
	if err != nil {
		return engine.Prepared{}, err
	}
	return e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: data}}, io.Discard)
}

// startAgent starts our agent for as long as we are attached to it, which the engine sees to, also if this process is
// killed. Detach ends it.
func (e *Engine) startAgent(ctx context.Context, name, network string, labels map[string]string) (id string,
	detach func(), err error) {
	image, err := e.agentImage(ctx)
	if err != nil {
		return "", nil, err
	}
	created, err := e.client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{Image: image.ID, Labels: labels, Cmd: []string{agent.Host, agent.Hold},
			OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true},
		HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(network), AutoRemove: true},
	})
	if err != nil {
		return "", nil, err
	}
	stream, err := e.client.ContainerAttach(ctx, created.ID, client.ContainerAttachOptions{Stream: true, Stdin: true,
		Stdout: true})
	if err == nil {
		if _, err = e.client.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err == nil {
			return created.ID, stream.Close, nil
		}
		stream.Close()
	}
	return "", nil, errors.Join(err, e.client.removeContainer(context.WithoutCancel(ctx), created.ID))
}

// deploy starts our agent in the network of the service that is waited for.
func (w *waiting) deploy(ctx context.Context) (err error) {
	s := w.space
	w.agent, w.detach, err = s.engine.startAgent(ctx, s.containerName(w.service.Name)+"-probe", "container:"+w.id,
		s.engine.labels(s.run))
	if err != nil {
		return fmt.Errorf("starting %s, which probes it: %w", agent.Name, err)
	}
	return nil
}

// dialInside connects to an address from within a container with our agent.
func (e *Engine) dialInside(ctx context.Context, id, address string) (net.Conn, error) {
	created, err := e.client.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd: []string{"/" + agent.Name, agent.Host, agent.Connect, address}, AttachStdin: true, AttachStdout: true,
		AttachStderr: true,
	})
	if err != nil {
		return nil, err
	}
	stream, err := e.client.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, stream.Close) // reading knows no context
	defer stop()
	stdout, into := io.Pipe()
	var said strings.Builder
	go func() {
		_, err := stdcopy.StdCopy(into, &said, stream.Reader)
		if err == nil && said.Len() > 0 {
			err = errors.New(strings.TrimSpace(said.String()))
		}
		_ = into.CloseWithError(err)
	}()
	conn, err := agent.Conn(stream.Conn, stdout, stream.Close)
	if err != nil {
		stream.Close()
		return nil, errors.Join(context.Cause(ctx), err)
	}
	return conn, nil
}
