package machine

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/runner/engine"
)

// A Reading is the processor time of a whole machine since boot, in seconds, summed over all CPUs.
type Reading struct {
	At    time.Time `json:"at"`
	Busy  float64   `json:"busy"`
	Total float64   `json:"total"`
	Steal float64   `json:"steal"` // taken by the hypervisor for others
	Own   float64   `json:"own"`   // part of Busy used by the reading process

	// Containers has the usage of each container of another machine, by container ID.
	Containers map[string]engine.Usage `json:"containers,omitempty"`
}

// Read reads this machine. It returns the zero Reading if the system does not provide one.
func Read() Reading { return readBelow("/") }

func readBelow(root string) Reading {
	times, err := cpu.TimesWithContext(gopsutil(root), false)
	if err != nil || len(times) != 1 {
		return Reading{}
	}
	t := times[0]
	idle := t.Idle + t.Iowait
	total := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal + idle
	busy := total - idle - t.Steal
	if exact, ok := tasksTime(root); ok {
		busy = exact
	}
	return Reading{At: time.Now(), Busy: busy, Total: total, Steal: t.Steal, Own: processTime().Seconds()}
}

// groupsOfAll are the root control groups of version 1, which contain all tasks: on the machine, and in Watch's
// container.
var groupsOfAll = []string{"sys/fs/cgroup/cpuacct", watchedGroups + "/cpuacct"}

// tasksTime returns the processor time of all tasks, in seconds. It is not ok unless this process sees the root control
// group of version 1, which alone has a release agent.
//
// /proc/stat is less exact: it samples each CPU a hundred times a second. A generator that wakes up in step with the
// samples is seen in all of them or in none. 500 requests per second looked like 22 % of a machine, and so like another
// program.
func tasksTime(root string) (seconds float64, ok bool) {
	for _, group := range groupsOfAll {
		nanoseconds, err := strconv.ParseUint(text(root, group, "cpuacct.usage"), 10, 64)
		if err != nil {
			continue
		}
		if _, err = os.Stat(filepath.Join(root, group, "release_agent")); err == nil {
			return float64(nanoseconds) / 1e9, true
		}
	}
	return 0, false
}

// SwappedIn returns the bytes that this machine has read from swap since boot, or -1 if unknown. It is too slow for
// frequent calls.
func SwappedIn() int64 {
	swap, err := mem.SwapMemory()
	if err != nil {
		return -1
	}
	return int64(swap.Sin)
}

// Readings are the readings of one machine, in order of time.
type Readings []Reading

// A State describes how busy a machine is at one moment.
type State struct {
	Noise
	Steal             float64 // share of the processor time since boot that the hypervisor took; -1 if unknown
	Memory, Available uint64  // bytes; 0 if unknown
}

// ReadState reads the state of the machine with a root directory, and measures its noise.
func ReadState(ctx context.Context, root string, noise func(context.Context) Noise) State {
	s := State{Noise: noise(ctx), Steal: -1}
	if r := readBelow(root); r.Total > 0 {
		s.Steal = r.Steal / r.Total
	}
	if memory, err := mem.VirtualMemoryWithContext(gopsutil(root)); err == nil {
		s.Memory, s.Available = memory.Total, memory.Available
	}
	return s
}
