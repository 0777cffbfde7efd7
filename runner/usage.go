package runner

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

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
	for name, value := range s.facts {
		fact(name, value)
	}
	if step, ok := s.stepped(); ok {
		fact("usage.left_out", fmt.Sprintf("the clock was set by %v meanwhile", step.Round(time.Millisecond)))
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	if gap := s.gap(begin, end); gap > late*s.every {
		fact("usage.behind", fmt.Sprintf("readings of what services used lie up to %v apart, not %v: the machine was too busy for them",
			gap.Round(time.Millisecond), s.every))
	}
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
		often := s.often(name)
		used, ok := cpuIn(often, begin, end)
		if ok && !s.apart.services[name] {
			cpuSeconds += s.asHost(often, begin, end)
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
		if !s.apart.load {
			cpuSeconds += m.GeneratorCPU.Seconds()
		}
		foreign := s.mostForeign(begin, end, cpuSeconds)
		if m.Load != nil {
			m.Load.ForeignCPU = foreign
		}
		if m.Command != nil {
			m.Command.ForeignCPU = foreign
		}
		if first, last := 0, len(s.host)-1; foreign >= tellNeighboursAt && !s.apart.all && last > first {
			cpus := (s.host[last].total - s.host[first].total) / s.host[last].at.Sub(s.host[first].at).Seconds()
			if words := busiestBetween(s.around[0], s.around[1], cpus, os.Getpid(), inContainer); words != "" {
				fact(record.FactOthers, words)
			}
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
	if used, ok := s.hostIn(begin, end); ok && m.Length >= time.Second && !s.apart.all {
		out.Steal = max(0, used.steal/used.total)
	}
	for _, other := range s.apart.others {
		if m.Length >= time.Second {
			out.Steal = max(out.Steal, other.steal)
		}
	}
	out.Threads, out.Ports = s.busiest(begin, end), s.mostPorts(begin, end)
	if len(s.ticks) > 1 {
		out.Sampling = &record.Sampling{Cost: s.cost, Gap: s.gap(begin, end).Seconds()}
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

// foreign is the share of the machine's processor time that went to neither services nor load nor us
// (docs/method.md#quantities-checked), -1 where the readings do not cover the window.
func (s *sampler) foreign(begin, end time.Time, ours float64) float64 {
	used, ok := s.hostIn(begin, end)
	if !ok {
		return -1
	}
	return max(0, (used.busy-used.own-ours)/used.total)
}

// mostForeign is the foreign share of the machine that has the largest, of those that the experiment runs on; -1 where it is not known of
// all of them. Ours is what services and load of this machine used.
func (s *sampler) mostForeign(begin, end time.Time, ours float64) float64 {
	most := 0.0
	if !s.apart.all {
		if most = s.foreign(begin, end, ours); most < 0 {
			return -1
		}
	}
	for _, other := range s.apart.others {
		if other.foreign < 0 {
			return -1
		}
		most = max(most, other.foreign)
	}
	return most
}

// asHost is the processor time that a service used between two moments, read off the lines between readings of the whole machine: so
// both are wrong alike where a load begins or ends between two of these, and their difference is not.
func (s *sampler) asHost(usage []engine.Usage, begin, end time.Time) float64 {
	at := func(moment time.Time) float64 {
		i := slices.IndexFunc(s.host, func(h hostUsage) bool { return !h.at.Before(moment) })
		if i <= 0 || s.host[i].at.Equal(moment) {
			used, _ := cpuAt(usage, moment)
			return used
		}
		a, b := s.host[i-1].at, s.host[i].at
		before, _ := cpuAt(usage, a)
		after, _ := cpuAt(usage, b)
		return before + moment.Sub(a).Seconds()/b.Sub(a).Seconds()*(after-before)
	}
	return at(end) - at(begin)
}

// hostIn is what the whole machine used between two moments, each read off the line between the readings beside it; false where the
// readings do not cover them.
func (s *sampler) hostIn(begin, end time.Time) (hostUsage, bool) {
	a, okA := s.hostAt(begin)
	b, okB := s.hostAt(end)
	used := hostUsage{b.at, b.busy - a.busy, b.total - a.total, b.steal - a.steal, b.own - a.own}
	return used, okA && okB && used.total > 0
}

func (s *sampler) hostAt(at time.Time) (hostUsage, bool) {
	for i, h := range s.host {
		if h.at.Before(at) {
			continue
		}
		if h.at.Equal(at) {
			return h, true
		}
		if i == 0 {
			break
		}
		before := s.host[i-1]
		part := at.Sub(before.at).Seconds() / h.at.Sub(before.at).Seconds()
		between := func(a, b float64) float64 { return a + part*(b-a) }
		return hostUsage{at, between(before.busy, h.busy), between(before.total, h.total), between(before.steal, h.steal),
			between(before.own, h.own)}, true
	}
	return hostUsage{}, false
}

// shortestThreads is the shortest window of which it is told how busy single threads were.
const shortestThreads = 200 * time.Millisecond

// busiest is the share of the window that the busiest thread of each service was running.
func (s *sampler) busiest(begin, end time.Time) map[string]float64 {
	length := end.Sub(begin)
	out := map[string]float64{}
	for name, readings := range s.threads {
		if length < shortestThreads || len(readings) < 2 {
			continue
		}
		threads := map[int]bool{}
		for _, r := range readings {
			for thread := range r.times {
				threads[thread] = true
			}
		}
		most := time.Duration(0)
		for thread := range threads {
			most = max(most, threadAt(readings, thread, end)-threadAt(readings, thread, begin))
		}
		out[name] = min(1, most.Seconds()/length.Seconds())
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// threadAt is the processor time of a thread at a moment, read off the line between the readings beside it. Before it is there it has
// none, and after its end what it was last seen with.
func threadAt(readings []threadReading, thread int, at time.Time) time.Duration {
	var before threadReading
	var spent time.Duration // at that reading
	for _, r := range readings {
		if _, read := r.times[thread]; !read && r.few {
			continue // nobody has looked at it
		}
		now := max(spent, r.times[thread])
		if r.at.Before(at) {
			before, spent = r, now
			continue
		}
		if before.at.IsZero() { // it is the first
			return now
		}
		part := at.Sub(before.at).Seconds() / r.at.Sub(before.at).Seconds()
		return spent + time.Duration(part*float64(now-spent))
	}
	return spent
}

// mostPorts is the largest share of local ports that was seen in use in the window, by who opened connections.
func (s *sampler) mostPorts(begin, end time.Time) map[string]float64 {
	out := map[string]float64{}
	for name, readings := range s.ports {
		first, last := 0, len(readings)-1
		for i, r := range readings {
			if !r.at.After(begin) {
				first = i
			}
			if !r.at.Before(end) {
				last = i
				break
			}
		}
		for _, r := range readings[first : last+1] {
			out[name] = max(out[name], r.share)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// late is how many times as far apart as they should two readings have to lie for the window's ends to be uncertain.
const late = 10

// gap is the longest time between two readings in the window, and those around it.
func (s *sampler) gap(begin, end time.Time) time.Duration {
	longest := time.Duration(0)
	for i := 1; i < len(s.ticks); i++ {
		if s.ticks[i].After(begin) && s.ticks[i-1].Before(end) {
			longest = max(longest, s.ticks[i].Sub(s.ticks[i-1]))
		}
	}
	return longest
}
