package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/pkg/stdcopy"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// start starts the container and returns when it is ready, by our own rules: the library's probe published ports.
func (c *container) start(ctx context.Context) error {
	defer c.closeOutput() // else what is not read would hold the service back
	if err := c.library.Start(ctx); err != nil {
		return rejected(c.Name(), err)
	}
	return engine.WaitReady(ctx, c.service, c)
}

// Wait implements engine.Probed.
func (c *container) Wait(ctx context.Context) (status int, err error) {
	ended := c.client().ContainerWait(ctx, c.id,
		client.ContainerWaitOptions{Condition: api.WaitConditionNotRunning})
	select {
	case result := <-ended.Result:
		if result.Error == nil {
			return int(result.StatusCode), nil
		}
		err = errors.New(result.Error.Message) // of the engine, which could not wait
	case err = <-ended.Error:
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return 0, err
}

// attachOutput attaches to a service that is about to start, if a text in its log says that it is ready. The engine keeps
// only the end of a log, and the library's consumers of logs begin there.
func (c *container) attachOutput(ctx context.Context) error {
	attached, err := c.client().ContainerAttach(ctx, c.id, client.ContainerAttachOptions{Stream: true, Stdout: true,
		Stderr: true})
	if err == nil {
		c.output = &attached.HijackedResponse
	}
	return err
}

func (c *container) closeOutput() {
	if c.output != nil {
		c.output.Close()
	}
}

// Follow implements engine.Probed.
func (c *container) Follow(ctx context.Context, to io.Writer) error {
	defer context.AfterFunc(ctx, c.closeOutput)()
	_, err := stdcopy.StdCopy(to, to, c.output.Reader)
	return err
}

// Reach implements engine.Probed. Where this process cannot connect to the container, our agent does it from another
// container of the space.
func (c *container) Reach(ctx context.Context) (engine.Probe, error) {
	address, err := c.address(ctx)
	if err != nil {
		// It has ended: Wait says so better.
		<-ctx.Done()
		return nil, ctx.Err()
	}
	reached, err := isOurs(netip.PrefixFrom(address, c.network))
	if err != nil {
		return nil, &engine.FaultError{Err: err}
	}
	if reached && !c.space.engine.Elsewhere() { // which may have a network of the same addresses
		return engine.ProbeAt(address.String(), c.Name()), nil
	}
	from, err := c.space.prober(ctx)
	if err != nil {
		return nil, &engine.FaultError{Err: fmt.Errorf("starting %s, which probes it: %w", agent.Name, err)}
	}
	return func(ctx context.Context, port int, path string) error {
		exit, err := from.Exec(ctx, engine.Command{Args: []string{"/" + agent.Name, agent.Host, agent.Probe,
			address.String(), c.Name(), strconv.Itoa(port), path}})
		if err == nil && exit.Code != 0 {
			err = errors.New(string(bytes.TrimSpace(exit.Stderr)))
		}
		return err
	}, nil
}

// isOurs reports whether this machine has an address in a network: not where the engine is on another machine or in a
// virtual one, nor from within a container.
func isOurs(network netip.Prefix) (bool, error) {
	ours, err := net.InterfaceAddrs()
	return slices.ContainsFunc(ours, func(our net.Addr) bool {
		prefix, err := netip.ParsePrefix(our.String())
		return err == nil && network.Contains(prefix.Addr())
	}), err
}
