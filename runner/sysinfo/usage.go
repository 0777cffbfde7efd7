package sysinfo

import (
	"slices"
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
	return HostUsage{time.Now(), total - idle - t.Steal, total, t.Steal, processTime().Seconds()}
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
