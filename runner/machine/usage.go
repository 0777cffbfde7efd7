package machine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"
)

// A Reading is the processor time of a whole machine since it was started, in seconds of all CPUs.
type Reading struct {
	At    time.Time `json:"at"`
	Busy  float64   `json:"busy"`
	Total float64   `json:"total"`
	Steal float64   `json:"steal"` // what the hypervisor gave to others
	Own   float64   `json:"own"`   // what the reading process took of Busy
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
	return Reading{time.Now(), busy, total, t.Steal, processTime().Seconds()}
}

// groupOfAll is the version 1 control group that all tasks of a machine are in.
const groupOfAll = "sys/fs/cgroup/cpuacct"

// tasksTime returns the processor time of all tasks, in seconds. It is not ok if control groups are not of version 1, or
// if this process sees those of its container only: the root alone has a release agent.
//
// The clock of /proc/stat looks at a CPU a hundred times a second, and counts all the time since the last look for what
// it then sees. A generator that wakes up on a schedule is seen in each look or in none if its schedule falls in with
// the looks: 500 requests per second looked like 22 % of a machine, and so like another program.
func tasksTime(root string) (seconds float64, ok bool) {
	nanoseconds, err := strconv.ParseUint(text(root, groupOfAll, "cpuacct.usage"), 10, 64)
	if err != nil {
		return 0, false
	}
	_, err = os.Stat(filepath.Join(root, groupOfAll, "release_agent"))
	return float64(nanoseconds) / 1e9, err == nil
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

// Readings are those of one machine, in order.
type Readings []Reading

// between returns what the machine used between two moments, interpolated between readings; it is not ok if the readings
// do not cover them.
func (r Readings) between(begin, end time.Time) (used Reading, ok bool) {
	a, okA := r.at(begin)
	b, okB := r.at(end)
	used = Reading{b.At, b.Busy - a.Busy, b.Total - a.Total, b.Steal - a.Steal, b.Own - a.Own}
	return used, okA && okB && used.Total > 0
}

func (r Readings) at(at time.Time) (Reading, bool) {
	i := slices.IndexFunc(r, func(r Reading) bool { return !r.At.Before(at) })
	switch {
	case i < 0:
		return Reading{}, false
	case r[i].At.Equal(at):
		return r[i], true
	case i == 0:
		return Reading{}, false
	}
	a, b := r[i-1], r[i]
	part := at.Sub(a.At).Seconds() / b.At.Sub(a.At).Seconds()
	mix := func(a, b float64) float64 { return a + part*(b-a) }
	return Reading{at, mix(a.Busy, b.Busy), mix(a.Total, b.Total), mix(a.Steal, b.Steal), mix(a.Own, b.Own)}, true
}

// Foreign returns the share of the machine's processor time that neither services, the load nor the reading process
// used, -1 if the readings do not cover the window. ours is what services and load used, in seconds.
//
// Source: docs/method.md#quantities-checked.
func (r Readings) Foreign(begin, end time.Time, ours float64) float64 {
	used, ok := r.between(begin, end)
	if !ok {
		return -1
	}
	return max(0, (used.Busy-used.Own-ours)/used.Total)
}

// Steal returns the share of the machine's processor time that its hypervisor gave to others, -1 if the readings do not
// cover the window.
func (r Readings) Steal(begin, end time.Time) float64 {
	used, ok := r.between(begin, end)
	if !ok {
		return -1
	}
	return max(0, used.Steal/used.Total)
}

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
