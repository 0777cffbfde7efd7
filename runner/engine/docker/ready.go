package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
	"benchbook/runner/engine/readiness"
)

// waiting waits until a service is ready.
type waiting struct {
	space   *space
	service engine.Service
	id      string
	running *running
	written *client.HijackedResponse // by the service, as it writes it; nil where its readiness does not depend on that

	agent  string // id of the container from which it is probed, if there is one
	detach func() // from that
}

var _ engine.Listening = (*waiting)(nil)

// listen attaches to a service that is about to start, if a text in what it writes says that it is ready. The engine
// keeps only the end of a log, so that the text may no longer stand there when somebody looks.
func (w *waiting) listen(ctx context.Context) error {
	if w.service.Ready.Log == "" {
		return nil
	}
	attached, err := w.space.engine.client.ContainerAttach(ctx, w.id, client.ContainerAttachOptions{Stream: true,
		Stdout: true, Stderr: true})
	if err != nil {
		return &readiness.FaultError{Err: err}
	}
	w.written = &attached.HijackedResponse
	return nil
}

// close ends listening. It may be called twice.
func (w *waiting) close() {
	if w.written != nil {
		w.written.Close()
	}
}

// untilReady waits until the service is ready. The error is that of readiness.Wait.
func (w *waiting) untilReady(ctx context.Context) error {
	err := readiness.Wait(ctx, w.service, w)
	if w.agent == "" {
		return err
	}
	w.detach() // nothing but the load may be beside a service that is measured
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	return errors.Join(err, w.space.engine.client.removeContainer(ctx, w.agent))
}

func (w *waiting) Wait(ctx context.Context) (int, error) {
	return awaitEnd(ctx, w.space.engine.client, w.id)
}

// Reach implements readiness.Probed: probes of this process find the service at its address, or those of our agent
// beside it do. This is the only place that decides how a service is reached from outside its network.
func (w *waiting) Reach(ctx context.Context) (readiness.Dial, error) {
	inspected, err := w.space.engine.client.ContainerInspect(ctx, w.id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, &readiness.FaultError{Err: err}
	}
	endpoint, ok := inspected.Container.NetworkSettings.Networks[w.space.name]
	if !ok || !endpoint.IPAddress.IsValid() {
		// It has ended: what watches it says so better.
		<-ctx.Done()
		return nil, ctx.Err()
	}
	reached, err := reaches(endpoint)
	if err == nil && !reached && w.space.engine.agent == nil {
		err = fmt.Errorf("containers of the engine at %s cannot be reached from here, so that its ports cannot be probed: "+
			"give it a healthcheck that is a command or a text in its log", w.space.engine.endpoint)
	}
	if err != nil {
		return nil, &readiness.FaultError{Err: err}
	}
	to := func(port int) string { return net.JoinHostPort(endpoint.IPAddress.String(), strconv.Itoa(port)) }
	if !reached {
		if err := w.deploy(ctx); err != nil {
			if _, ended, lookErr := w.space.engine.client.ended(ctx, w.id); lookErr == nil && ended {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, &readiness.FaultError{Err: err}
		}
		return func(ctx context.Context, port int) (net.Conn, error) {
			return w.space.engine.dialInside(ctx, w.agent, to(port))
		}, nil
	}
	return func(ctx context.Context, port int) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", to(port))
	}, nil
}

// reaches says whether this process can connect to an address in a network: whether the bridge has one of
// this machine's addresses. It has none where the engine is in a virtual machine or we are in a container.
func reaches(to *network.EndpointSettings) (bool, error) {
	ours, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	subnet := netip.PrefixFrom(to.IPAddress, to.IPPrefixLen)
	return slices.ContainsFunc(ours, func(our net.Addr) bool {
		prefix, err := netip.ParsePrefix(our.String())
		return err == nil && subnet.Contains(prefix.Addr())
	}), nil
}

func (w *waiting) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	return w.space.engine.client.exec(ctx, w.id, command)
}

func (w *waiting) Follow(ctx context.Context, stdout, stderr io.Writer) error {
	defer context.AfterFunc(ctx, w.close)()
	_, err := stdcopy.StdCopy(stdout, stderr, w.written.Reader)
	return err
}

func (w *waiting) Logs(ctx context.Context) ([]byte, error) {
	return w.space.engine.client.logs(ctx, w.id)
}
