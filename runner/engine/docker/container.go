package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

type container struct {
	space   *space
	service engine.Service
	library testcontainers.Container
	id      string
	output  *client.HijackedResponse // set while waiting for a text in it

	mu      sync.Mutex
	ip      netip.Addr
	network int            // prefix length of its network
	group   *machine.Group // nil until opened
	noGroup error          // why it cannot be opened
	ended   *engine.State  // final state; nil while running
}

func newContainer(s *space, service engine.Service) *container {
	if service.Ours {
		confine(&service)
	} else if service.Memory == 0 {
		service.Memory = defaultMemory(s.engine.info.MemTotal)
	}
	return &container{space: s, service: service}
}

func (c *container) Name() string { return c.service.Name }

func (c *container) client() *client.Client { return c.space.engine.client }

// address returns the container's address in the network of its space.
func (c *container) address(ctx context.Context) (netip.Addr, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ip.IsValid() {
		return c.ip, nil
	}
	inspected, err := c.library.Inspect(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	at, ok := inspected.NetworkSettings.Networks[c.space.name]
	if !ok || !at.IPAddress.IsValid() {
		return netip.Addr{}, errors.New("it has no address")
	}
	c.ip, c.network = at.IPAddress, at.IPPrefixLen
	return c.ip, nil
}

// Exec implements engine.Container. The library's Exec has no standard input and keeps all output.
func (c *container) Exec(ctx context.Context, command engine.Command) (exit engine.Exit, err error) {
	before := c.oomKills(ctx)
	id, stream, err := c.attach(ctx, command)
	if err == nil {
		defer stream.Close()
		exit, err = c.follow(ctx, id, stream, command)
	}
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, c.Name(), err)
	}
	exit.OutOfMemory = before >= 0 && c.oomKills(ctx) > before
	return exit, nil
}

func (c *container) attach(ctx context.Context, command engine.Command) (id string, stream client.HijackedResponse,
	err error) {
	created, err := c.client().ExecCreate(ctx, c.id, client.ExecCreateOptions{
		Cmd: command.Args, Env: command.Environment, WorkingDir: command.WorkingDir,
		AttachStdin: command.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return "", stream, err
	}
	attached, err := c.client().ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	return created.ID, attached.HijackedResponse, err
}

// follow sends a command its input, reads its output, and returns its exit.
func (c *container) follow(ctx context.Context, id string, stream client.HijackedResponse, command engine.Command) (
	exit engine.Exit, err error) {
	if command.Stdin != nil {
		go func() {
			// A command need not read its input.
			_, _ = io.Copy(stream.Conn, bytes.NewReader(command.Stdin))
			_ = stream.CloseWrite()
		}()
	}
	stdout := &engine.Head{Limit: engine.MaxStdout, Full: command.Full}
	stderr := &engine.Tail{Limit: engine.MaxStderr}
	ended := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(stdout, stderr, stream.Reader)
		ended <- err
	}()
	select {
	case <-ctx.Done():
		return exit, context.Cause(ctx)
	case err := <-ended:
		if err != nil {
			return exit, fmt.Errorf("reading its output: %w", err)
		}
	}
	// The engine closes the stream slightly before it records the exit.
	for {
		inspected, err := c.client().ExecInspect(ctx, id, client.ExecInspectOptions{})
		if err != nil {
			return exit, err
		}
		if !inspected.Running {
			return engine.Exit{Code: inspected.ExitCode, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
		}
		if err := engine.Sleep(ctx, time.Millisecond); err != nil {
			return exit, err
		}
	}
}

// nameServer is the address of the engine's DNS server, which listens in the namespace of each container.
var nameServer = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// Usage implements engine.Container. If the control group cannot be read here, it asks the engine.
func (c *container) Usage(ctx context.Context, detail engine.Detail) (usage engine.Usage, err error) {
	group, err := c.controlGroup(ctx)
	if err == nil {
		usage, err = group.Usage(detail)
	} else if errors.Is(err, errElsewhere) {
		if usage, err = c.stats(ctx); err == nil && detail.Listeners {
			usage.Listeners, err = machine.ListenersBy(ctx, c.Exec)
		}
	}
	if err != nil {
		return usage, fmt.Errorf("measuring %s: %w", c.Name(), err)
	}
	usage.Listeners = slices.DeleteFunc(usage.Listeners, func(l netip.AddrPort) bool { return l.Addr() == nameServer })
	return usage, nil
}

// oomKills returns how many processes of the container were killed for lack of memory, or -1 if unknown.
func (c *container) oomKills(ctx context.Context) int64 {
	group, err := c.controlGroup(ctx)
	if err != nil {
		return -1
	}
	return group.OOMKills()
}

// errElsewhere means that the container's control group is on another machine.
var errElsewhere = errors.New("it has the kernel of another machine")

// controlGroup returns the control group of the container. It opens it on first use.
func (c *container) controlGroup(ctx context.Context) (*machine.Group, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group != nil || c.noGroup != nil {
		return c.group, c.noGroup
	}
	if !c.space.engine.local() {
		c.noGroup = errElsewhere
		return nil, errElsewhere
	}
	inspected, err := c.library.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	if inspected.State.Pid == 0 {
		return nil, errors.New("it has ended")
	}
	if c.group, err = machine.OpenGroup("/", inspected.State.Pid, c.id); err != nil {
		c.noGroup = errElsewhere // this process may be in a container with its own process IDs
	}
	return c.group, c.noGroup
}

func (c *container) closeGroup() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group != nil {
		c.group.Close()
	}
	c.group, c.noGroup = nil, errors.New("it has ended")
}

// stats asks the engine for the container's usage, which lacks the network's numbers.
func (c *container) stats(ctx context.Context) (engine.Usage, error) {
	answer, err := c.client().ContainerStats(ctx, c.id, client.ContainerStatsOptions{})
	if err != nil {
		return engine.Usage{}, err
	}
	defer answer.Body.Close()
	var stats api.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return engine.Usage{}, fmt.Errorf("reading the engine's statistics: %w", err)
	}
	if stats.CPUStats.CPUUsage.TotalUsage == 0 { // engines return zeros for an ended container
		return engine.Usage{}, errors.New("it has ended")
	}
	return usageOf(stats), nil
}

func usageOf(stats api.StatsResponse) engine.Usage {
	usage := engine.NoUsage()
	usage.At, usage.CPU = stats.Read, time.Duration(stats.CPUStats.CPUUsage.TotalUsage)
	usage.Periods = int64(stats.CPUStats.ThrottlingData.Periods)
	usage.Throttled = int64(stats.CPUStats.ThrottlingData.ThrottledPeriods)
	memory := stats.MemoryStats.Stats
	if own, ok := memory["anon"]; ok {
		if shared, ok := memory["shmem"]; ok {
			usage.Memory = int64(own + shared)
		}
	} else if own, ok := memory["total_rss"]; ok { // some engines omit shared memory
		usage.Memory = int64(own + memory["total_shmem"])
	}
	return usage
}

func (c *container) Logs(ctx context.Context) ([]byte, error) {
	kept := &engine.Tail{Limit: engine.MaxLog}
	stream, err := c.library.Logs(ctx)
	if err == nil {
		defer stream.Close()
		_, err = io.Copy(kept, stream)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", c.Name(), err)
	}
	return kept.Bytes(), nil
}

// killed is the status of a process that SIGKILL ended, as the kernel's OOM killer does.
const killed = 137

// memoryPause and memoryLooks limit the wait for the engine to notice that a container ran out of memory.
const (
	memoryPause = 50 * time.Millisecond
	memoryLooks = 40
)

// State implements engine.Container. The engine may notice the exit before it notices that memory was the reason, so
// State waits up to two seconds, once, if the kernel may have killed the container.
func (c *container) State(ctx context.Context) (engine.State, error) {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if ended != nil {
		return *ended, nil
	}
	for looks := 1; ; looks++ {
		inspected, err := c.library.Inspect(ctx)
		if err != nil {
			return engine.State{}, fmt.Errorf("looking at %s: %w", c.Name(), err)
		}
		state := inspected.State
		if state.Running {
			if group, err := c.controlGroup(ctx); err == nil {
				return engine.State{CPUs: group.CPUs()}, nil
			} else if c.space.engine.Elsewhere() {
				return engine.State{ID: c.id}, nil
			}
			return engine.State{}, nil
		}
		if state.Status == api.StateRemoving || state.Status == api.StateDead {
			return engine.State{}, fmt.Errorf("looking at %s: somebody else removes it", c.Name())
		}
		out := engine.State{Ended: true, Exit: engine.Exit{Code: state.ExitCode, OutOfMemory: state.OOMKilled}}
		late := state.ExitCode == killed && !state.OOMKilled && inspected.HostConfig.Memory > 0
		switch {
		case !late || looks == memoryLooks:
			c.mu.Lock()
			c.ended = &out
			c.mu.Unlock()
			return out, nil
		case ctx.Err() != nil:
			return out, nil
		}
		time.Sleep(memoryPause)
	}
}

// remove removes a container, which may be gone already, and its anonymous volumes. If graceful, the container first
// gets its StopGrace, or less if the context ends. The removal is not cancelled.
func remove(ctx context.Context, c *container, graceful bool) error {
	c.closeGroup()
	if grace := c.service.StopGrace; graceful && grace > 0 {
		grace += time.Second - 1        // the library truncates to seconds
		_ = c.library.Stop(ctx, &grace) // even if it fails, the container is removed
	}
	// The library's Terminate would send the stop signal even without a grace period.
	if err := c.space.engine.removeContainer(ctx, c.id); err != nil {
		return fmt.Errorf("removing %s: %w", c.Name(), err)
	}
	return nil
}

// removed calls remove until the object is gone. Another client may be removing or starting it.
func removed(ctx context.Context, remove func() error) error {
	for {
		err := remove()
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if !strings.Contains(err.Error(), "already in progress") || engine.Sleep(ctx, sweepPause) != nil {
			return err
		}
	}
}

// start starts the container and waits until it is ready. The library's own waiting needs published ports.
func (c *container) start(ctx context.Context) error {
	defer c.closeOutput() // unread output would block the service
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
		err = errors.New(result.Error.Message) // the engine could not wait
	case err = <-ended.Error:
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return 0, err
}

// attachOutput attaches to the output of a service that is about to start, to find a text in it. The engine keeps only
// the end of a log, where the library's log consumers begin.
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

// Reach implements engine.Probed. If this process cannot connect to the container, our agent probes it from another
// container in the space.
func (c *container) Reach(ctx context.Context) (engine.Probe, error) {
	address, err := c.address(ctx)
	if err != nil {
		// It has ended: Wait returns the better error.
		<-ctx.Done()
		return nil, ctx.Err()
	}
	reached, err := isOurs(netip.PrefixFrom(address, c.network))
	if err != nil {
		return nil, &engine.FaultError{Err: err}
	}
	if reached && !c.space.engine.Elsewhere() { // another machine may use the same addresses
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

// isOurs reports whether this machine has an address in a network. It has none if the engine is on another or a virtual
// machine, or if this process is in a container.
func isOurs(network netip.Prefix) (bool, error) {
	ours, err := net.InterfaceAddrs()
	return slices.ContainsFunc(ours, func(our net.Addr) bool {
		prefix, err := netip.ParsePrefix(our.String())
		return err == nil && network.Contains(prefix.Addr())
	}), err
}
