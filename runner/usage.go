package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// sampleEvery is how often the usage of services is read while they are measured: it costs well under 1 % of a core, and
// a window of a tenth of a second still has its ends within.
const sampleEvery = 20 * time.Millisecond

// A sampler reads the usage of services beside a measurement.
type sampler struct {
	stop func()
	done sync.WaitGroup

	services map[string][]engine.Usage
	host     []hostUsage
	clocks   []clocks // at the beginning and at the end
	swapped  []int64  // bytes read from swap, likewise; -1 where the system does not tell
}

// clocks is one moment by the wall clock, which somebody may set, and by one that nobody can.
type clocks struct {
	wall   time.Time
	steady time.Duration
}

// epoch is where the steady clock begins.
var epoch = time.Now()

func bothClocks() clocks {
	now := time.Now()
	return clocks{now.Round(0), now.Sub(epoch)}
}

// stepped says by how much the wall clock was set between two moments. Keeping time over a network makes it run up to 0.05 % fast or
// slow, which is no step; neither is what 10 ms could hide.
func stepped(a, b clocks) (time.Duration, bool) {
	passed := b.steady - a.steady
	step := b.wall.Sub(a.wall) - passed
	return step, step.Abs() > 10*time.Millisecond+passed/1000
}

// hostUsage is the processor time of the whole machine, in seconds of all cores.
type hostUsage struct {
	at                 time.Time
	busy, total, steal float64
}

// watch begins to read, at once and then regularly until finish.
func watch(ctx context.Context, services []engine.Running) *sampler {
	ctx, cancel := context.WithCancel(ctx)
	s := &sampler{stop: cancel, services: map[string][]engine.Usage{}, clocks: []clocks{bothClocks()}, swapped: []int64{swappedIn()}}
	read := func(ctx context.Context) {
		for _, r := range services {
			if u, err := r.Usage(ctx); err == nil {
				s.services[r.Name()] = append(s.services[r.Name()], u)
			}
		}
		if times, err := cpu.Times(false); err == nil && len(times) == 1 {
			t := times[0]
			idle := t.Idle + t.Iowait
			total := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal + idle
			s.host = append(s.host, hostUsage{time.Now(), total - idle - t.Steal, total, t.Steal})
		}
	}
	read(ctx)
	s.done.Go(func() {
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				read(context.WithoutCancel(ctx)) // once more, so that the window's end lies within
				return
			case <-ticker.C:
				read(ctx)
			}
		}
	})
	return s
}

func (s *sampler) finish() {
	s.stop()
	s.done.Wait()
	s.clocks, s.swapped = append(s.clocks, bothClocks()), append(s.swapped, swappedIn())
}

// swappedIn is how much this machine has read from swap so far, in bytes, or -1. It is too dear to be asked all the time.
func swappedIn() int64 {
	swap, err := mem.SwapMemory()
	if err != nil {
		return -1
	}
	return int64(swap.Sin)
}

// samples says what services used in the window of a measurement. What the link before a service used is no metric of the service
// but a fact, link.cpu.SERVICE in cores. Where that window cannot be found among the readings, since the clock was set meanwhile,
// a fact says so.
func (s *sampler) samples(m *load.Measurement) []record.Sample {
	fact := func(name, value string) {
		m.Facts = maps.Clone(m.Facts) // it may be everybody's
		if m.Facts == nil {
			m.Facts = map[string]string{}
		}
		m.Facts[name] = value
	}
	if step, ok := s.stepped(); ok {
		fact("usage.left_out", fmt.Sprintf("the clock was set by %v meanwhile", step.Round(time.Millisecond)))
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	var names []string
	for name := range s.services {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []record.Sample
	add := func(metric string, value float64, unit string) {
		out = append(out, record.Sample{Metric: metric, Value: value, Unit: unit})
	}
	var cpuSeconds float64
	for _, name := range names {
		usage := s.services[name]
		if len(usage) < 2 || m.Length <= 0 {
			continue
		}
		used, ok := cpuIn(usage, begin, end)
		if ok {
			cpuSeconds += used
		}
		if service, isLink := strings.CutSuffix(name, linkSuffix); isLink {
			if ok {
				fact("link.cpu."+service, fmt.Sprintf("%.3f", used/m.Length.Seconds()))
			}
			continue
		}
		if ok {
			add("cpu."+name, used/m.Length.Seconds(), "cores")
		}
		first, last := around(usage, begin, end)
		if peak := peakMemory(usage[first : last+1]); peak >= 0 {
			add("memory."+name, float64(peak), "B")
		}
		if a, b := usage[first].ListenOverflows, usage[last].ListenOverflows; a >= 0 && b >= a {
			add("net.listen_overflows."+name, float64(b-a), "1")
		}
		if a, b := usage[first].Retransmits, usage[last].Retransmits; a >= 0 && b >= a {
			add("net.retransmits."+name, float64(b-a), "1")
		}
	}
	if m.GeneratorCPU >= 0 && m.Length >= time.Second {
		foreign := s.foreign(begin, end, cpuSeconds+m.GeneratorCPU.Seconds())
		if m.Load != nil {
			m.Load.ForeignCPU = foreign
		}
		if m.Command != nil {
			m.Command.ForeignCPU = foreign
		}
	}
	return out
}

// stepped reports by how much the wall clock was set while we read.
func (s *sampler) stepped() (time.Duration, bool) {
	if len(s.clocks) < 2 {
		return 0, false
	}
	return stepped(s.clocks[0], s.clocks[1])
}

// machine says what happened on the machine in the window of a measurement; nil where there is no window, or none that can be
// found. Limited tells whose processor time the article limits.
func (s *sampler) machine(m *load.Measurement, limited map[string]bool) *record.Machine {
	if _, ok := s.stepped(); ok || m.Length <= 0 {
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	out := &record.Machine{Steal: -1, SwappedIn: -1, Throttled: map[string]record.Throttling{}}
	// Shorter windows are shorter than the clocks can tell.
	if first, last, ok := s.aroundHost(begin, end); ok && m.Length >= time.Second {
		out.Steal = max(0, (last.steal-first.steal)/(last.total-first.total))
	}
	if len(s.swapped) == 2 && s.swapped[0] >= 0 && s.swapped[1] >= 0 {
		out.SwappedIn = s.swapped[1] - s.swapped[0]
	}
	for name, usage := range s.services {
		if len(usage) < 2 {
			continue
		}
		first, last := around(usage, begin, end)
		a, b := usage[first], usage[last]
		if a.Periods >= 0 && b.Periods >= a.Periods && a.Throttled >= 0 && b.Throttled >= a.Throttled {
			out.Throttled[name] = record.Throttling{Periods: b.Periods - a.Periods, Throttled: b.Throttled - a.Throttled, Limited: limited[name]}
		}
	}
	return out
}

// around finds the last reading before the window and the first one after it, so that nothing inside is missed.
func around(usage []engine.Usage, begin, end time.Time) (first, last int) {
	last = len(usage) - 1
	for i, u := range usage {
		if !u.At.After(begin) {
			first = i
		}
		if !u.At.Before(end) {
			last = i
			break
		}
	}
	return first, last
}

// cpuIn is the processor time used between two moments, in seconds, each read off the line between the readings beside it.
func cpuIn(usage []engine.Usage, begin, end time.Time) (float64, bool) {
	a, okA := cpuAt(usage, begin)
	b, okB := cpuAt(usage, end)
	return b - a, okA && okB && b >= a
}

func cpuAt(usage []engine.Usage, at time.Time) (float64, bool) {
	for i, u := range usage {
		if u.CPU < 0 {
			return 0, false
		}
		if u.At.Before(at) {
			continue
		}
		if i == 0 {
			return u.CPU.Seconds(), true
		}
		before := usage[i-1]
		part := at.Sub(before.At).Seconds() / u.At.Sub(before.At).Seconds()
		return before.CPU.Seconds() + part*(u.CPU-before.CPU).Seconds(), true
	}
	return usage[len(usage)-1].CPU.Seconds(), true
}

func peakMemory(usage []engine.Usage) int64 {
	peak := int64(-1)
	for _, u := range usage {
		peak = max(peak, u.Memory)
	}
	return peak
}

// foreign is the share of the machine's processor time that went to neither services nor load (METHOD.md 7), -1 where the
// readings do not cover the window.
func (s *sampler) foreign(begin, end time.Time, ours float64) float64 {
	first, last, ok := s.aroundHost(begin, end)
	if !ok {
		return -1
	}
	return max(0, (last.busy-first.busy-ours)/(last.total-first.total))
}

// aroundHost is around of the machine; false where the readings do not cover the window.
func (s *sampler) aroundHost(begin, end time.Time) (first, last hostUsage, ok bool) {
	for _, h := range s.host {
		if !h.at.After(begin) {
			first = h
		}
		if last.at.IsZero() && !h.at.Before(end) {
			last = h
		}
	}
	return first, last, !first.at.IsZero() && !last.at.IsZero() && last.total > first.total
}
