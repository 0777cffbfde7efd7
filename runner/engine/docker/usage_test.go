package docker

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"benchbook/runner/engine"
)

func TestUsageOfStats(t *testing.T) {
	var stats container.StatsResponse
	stats.Read = time.Unix(1, 0)
	stats.CPUStats.CPUUsage.TotalUsage = 1_500_000_000
	stats.CPUStats.ThrottlingData = container.ThrottlingData{Periods: 10, ThrottledPeriods: 4}
	tests := []struct {
		name   string
		memory map[string]uint64
		want   int64
	}{
		{"version 1", map[string]uint64{"total_rss": 3000, "total_shmem": 400}, 3400},
		{"version 1 without shared memory", map[string]uint64{"total_rss": 3000}, 3000},
		{"version 2", map[string]uint64{"anon": 3000, "shmem": 400}, 3400},
		{"unknown", nil, -1},
	}
	for _, tt := range tests {
		stats.MemoryStats.Stats = tt.memory
		want := engine.Usage{
			At: time.Unix(1, 0), CPU: 1500 * time.Millisecond, Memory: tt.want, Periods: 10, Throttled: 4,
			ListenOverflows: -1, Retransmits: -1,
		}
		if got := usageOf(stats); got != want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
	}
}
