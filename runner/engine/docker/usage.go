package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
)

// Usage is told by the engine where the kernel's files cannot be read.
func (r *running) Usage(ctx context.Context) (engine.Usage, error) {
	usage, err := r.Meter.Usage(ctx)
	if !errors.Is(err, kernel.ErrElsewhere) {
		return usage, err
	}
	if usage, err = r.engine.usage(ctx, r.id); err != nil {
		return usage, fmt.Errorf("measuring %s: %w", r.name, err)
	}
	return usage, nil
}

// nameServer is where an engine answers for names in a container: it listens there itself.
var nameServer = netip.AddrFrom4([4]byte{127, 0, 0, 11})

func (r *running) Listeners(ctx context.Context) (open []netip.AddrPort, err error) {
	open, err = r.Meter.Listeners(ctx)
	if errors.Is(err, kernel.ErrElsewhere) {
		open, err = kernel.ListenersBy(ctx, r.Exec)
	}
	return slices.DeleteFunc(open, func(l netip.AddrPort) bool { return l.Addr() == nameServer }), err
}

func (w *waiting) Listeners(ctx context.Context) ([]netip.AddrPort, error) {
	return w.running.Listeners(ctx)
}

// files are those by which the kernel of this machine tells of a container, if it runs under it.
func (e *Engine) files(ctx context.Context, id string) (*kernel.Files, error) {
	inspected, err := e.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	pid := inspected.Container.State.Pid
	if pid == 0 {
		return nil, errors.New("it has ended")
	}
	if e.local() {
		if files, err := kernel.New("/", pid, id); err == nil {
			return files, nil
		}
		// We may be in a container ourselves, where processes have other numbers.
	}
	return nil, kernel.ErrElsewhere
}

// usage is what the engine itself knows of a container, which is nothing of its network.
func (e *Engine) usage(ctx context.Context, id string) (engine.Usage, error) {
	answer, err := e.client.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return engine.Usage{}, err
	}
	defer answer.Body.Close()
	var stats container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return engine.Usage{}, fmt.Errorf("reading what the engine tells of it: %w", err)
	}
	if stats.CPUStats.CPUUsage.TotalUsage == 0 { // engines answer with zeros
		return engine.Usage{}, errors.New("it has ended")
	}
	return usageOf(stats), nil
}

func usageOf(stats container.StatsResponse) engine.Usage {
	memory := int64(-1)
	for _, names := range [][]string{{"anon", "shmem"}, {"total_rss", "total_shmem"}} {
		own, hasOwn := stats.MemoryStats.Stats[names[0]]
		shared, hasShared := stats.MemoryStats.Stats[names[1]]
		if hasOwn && (hasShared || names[0] == "total_rss") { // some engines leave shared memory out
			memory = int64(own + shared)
			break
		}
	}
	return engine.Usage{
		At:              stats.Read,
		CPU:             time.Duration(stats.CPUStats.CPUUsage.TotalUsage),
		Memory:          memory,
		Periods:         int64(stats.CPUStats.ThrottlingData.Periods),
		Throttled:       int64(stats.CPUStats.ThrottlingData.ThrottledPeriods),
		ListenOverflows: -1,
		Retransmits:     -1,
	}
}
