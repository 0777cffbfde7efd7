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

// A Reading is the processor time of a whole machine since it was started, in seconds of all CPUs.
type Reading struct {
	At    time.Time `json:"at"`
	Busy  float64   `json:"busy"`
	Total float64   `json:"total"`
	Steal float64   `json:"steal"` // what the hypervisor gave to others
	Own   float64   `json:"own"`   // what the reading process took of Busy

	// Containers has what each container of another machine has used, by the name of its control group.
	Containers map[string]engine.Usage `json:"containers,omitempty"`
}

// Read reads this machine. The zero Reading means that the system does not tell.
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

// groupsOfAll are the version 1 control groups that all tasks of a machine are in: here, and where Watch sees them.
var groupsOfAll = []string{"sys/fs/cgroup/cpuacct", watchedGroups + "/cpuacct"}

// tasksTime returns the processor time of all tasks, in seconds. It is not ok if control groups are not of version 1, or
// if this process sees only its own container's: the root alone has a release agent.
//
// The clock of /proc/stat looks at a CPU a hundred times a second, and counts all the time since the last look for what
// it then sees. A generator that wakes up on a schedule is seen in each look or in none if its schedule falls in with
// the looks: 500 requests per second looked like 22 % of a machine, and so like another program.
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

// SwappedIn returns how much this machine has read from swap since it was started, in bytes, -1 if unknown. It is too
// slow to be called all the time.
func SwappedIn() int64 {
	swap, err := mem.SwapMemory()
	if err != nil {
		return -1
	}
	return int64(swap.Sin)
}

// Readings are of one machine, in order.
type Readings []Reading

// A State is how busy a machine is at one moment.
type State struct {
	Noise
	Steal             float64 // share of the processor time since it was started that its hypervisor gave to others
	Memory, Available uint64  // bytes; 0 unknown
}

// ReadState reads the machine whose root directory is root, and measures its noise.
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
