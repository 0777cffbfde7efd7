package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
)

// meter reads what a container uses.
type meter interface {
	Read(ctx context.Context) (engine.Usage, error)
	Close()
}

// newMeter finds out how a running container can be measured: from the files of this machine's kernel if it runs under
// it, else by what the engine tells.
func (e *Engine) newMeter(ctx context.Context, id string) (meter, error) {
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
	return told{e, id}, nil
}

// told is what the engine tells about a container whenever it is asked. It cannot tell what happened on the network.
type told struct {
	engine *Engine
	id     string
}

// Read implements meter.
func (t told) Read(ctx context.Context) (engine.Usage, error) {
	answer, err := t.engine.client.ContainerStats(ctx, t.id, client.ContainerStatsOptions{})
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
	usage := usageOf(stats)
	usage.At = usage.At.Add(-t.engine.ahead) // by our clock
	return usage, nil
}

// Close implements meter.
func (told) Close() {}

func usageOf(stats container.StatsResponse) engine.Usage {
	counters := make(map[string]int64)
	for name, value := range stats.MemoryStats.Stats {
		counters[name] = int64(value)
	}
	memory := kernel.Sum(counters, "anon", "shmem")
	if memory < 0 {
		memory = kernel.Sum(counters, "total_rss", "total_shmem")
	}
	if memory < 0 {
		memory = kernel.Counter(counters, "total_rss") // some engines leave shared memory out
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
