package sysinfo

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"
)

// HostUsage is the processor time of a whole machine so far, in seconds of all CPUs.
type HostUsage struct {
	At    time.Time `json:"at"`
	Busy  float64   `json:"busy"`
	Total float64   `json:"total"`
	Steal float64   `json:"steal"`
	Own   float64   `json:"own"` // what of it the process took that reads
}

// ReadHost is what this machine has used so far; zero where it does not tell.
func ReadHost() HostUsage { return readHostBelow("/") }

func readHostBelow(root string) HostUsage {
	times, err := cpu.TimesWithContext(Below(root), false)
	if err != nil || len(times) != 1 {
		return HostUsage{}
	}
	t := times[0]
	idle := t.Idle + t.Iowait
	total := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal + idle
	busy := total - idle - t.Steal
	if exact, ok := tasksTime(root); ok {
		busy = exact
	}
	return HostUsage{time.Now(), busy, total, t.Steal, processTime().Seconds()}
}

// groupOfAll is the control group, of version 1, that all tasks of a machine are in.
const groupOfAll = "sys/fs/cgroup/cpuacct"

// tasksTime is the processor time of all tasks so far, in seconds; false where control groups are not of version 1, or
// this process sees only those of its container: the root alone has a release agent.
//
// The clock of /proc/stat looks at a CPU some hundred times a second, and takes all the time since the last look for
// what it then sees. A generator that wakes up on a schedule is seen in each look or in none, if its schedule falls in
// with the looks: 500 requests per second looked like 22 % of a machine, and so like somebody else.
func tasksTime(root string) (seconds float64, ok bool) {
	text := Text(root, groupOfAll, "cpuacct.usage")
	nanoseconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false
	}
	_, err = os.Stat(filepath.Join(root, groupOfAll, "release_agent"))
	return float64(nanoseconds) / 1e9, err == nil
}

// ReadingEvery is how often other machines are read.
const ReadingEvery = 100 * time.Millisecond

// HostReadings are readings of one machine, in order.
type HostReadings []HostUsage

// between is what the machine used between two moments, each interpolated between the readings beside it; false where
// the readings do not cover them.
func (h HostReadings) between(begin, end time.Time) (HostUsage, bool) {
	a, okA := h.at(begin)
	b, okB := h.at(end)
	used := HostUsage{b.At, b.Busy - a.Busy, b.Total - a.Total, b.Steal - a.Steal, b.Own - a.Own}
	return used, okA && okB && used.Total > 0
}

func (h HostReadings) at(at time.Time) (HostUsage, bool) {
	i := slices.IndexFunc(h, func(r HostUsage) bool { return !r.At.Before(at) })
	switch {
	case i < 0:
		return HostUsage{}, false
	case h[i].At.Equal(at):
		return h[i], true
	case i == 0:
		return HostUsage{}, false
	}
	a, b := h[i-1], h[i]
	part := at.Sub(a.At).Seconds() / b.At.Sub(a.At).Seconds()
	mix := func(a, b float64) float64 { return a + part*(b-a) }
	return HostUsage{at, mix(a.Busy, b.Busy), mix(a.Total, b.Total), mix(a.Steal, b.Steal), mix(a.Own, b.Own)}, true
}

// Foreign is the share of the machine's processor time that went to neither services nor load nor the reader, -1 where
// the readings do not cover the window. Ours is what services and load used, in seconds.
//
// Source: docs/method.md#quantities-checked.
func (h HostReadings) Foreign(begin, end time.Time, ours float64) float64 {
	used, ok := h.between(begin, end)
	if !ok {
		return -1
	}
	return max(0, (used.Busy-used.Own-ours)/used.Total)
}

// Steal is the share of the machine's processor time that its hypervisor gave to others, -1 where that is not known.
func (h HostReadings) Steal(begin, end time.Time) float64 {
	used, ok := h.between(begin, end)
	if !ok {
		return -1
	}
	return max(0, used.Steal/used.Total)
}

// SwappedIn is how much this machine has read from swap so far, in bytes, or -1. It is too dear to be asked all the
// time.
func SwappedIn() int64 {
	swap, err := mem.SwapMemory()
	if err != nil {
		return -1
	}
	return int64(swap.Sin)
}
