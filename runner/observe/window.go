package observe

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/sysinfo"
)

// Elsewhere says what other machines did in the window of an experiment that runs on them alone.
type Elsewhere struct {
	All      bool // nothing runs here
	Machines []MachineUsage
}

// MachineUsage is what another machine did in the window: shares of its processor time, -1 where its readings do not
// cover it.
type MachineUsage struct{ Foreign, Steal float64 }

// AddMachine adds what another machine did in the window of a measurement. Services are those that ran there, and load
// is the processor time of the load there.
func (s *Sampler) AddMachine(readings sysinfo.HostReadings, services []string, load time.Duration, begin,
	end time.Time) {
	ours := load.Seconds()
	for _, name := range services {
		if usage := s.cpuReadings(name); len(usage) > 1 {
			ours += cpuSeconds(readings, usage, begin, end)
		}
	}
	s.Elsewhere.Machines = append(s.Elsewhere.Machines,
		MachineUsage{readings.Foreign(begin, end, ours), readings.Steal(begin, end)})
}

// longestUntilRead is how long readings of the end of a window are waited for: it is over when they are asked for, by
// any clock that was not set meanwhile.
const longestUntilRead = time.Second

// AwaitReadings waits until other machines have been read after the end of a window. The error is the context's.
func AwaitReadings(ctx context.Context, end time.Time) error {
	wait := min(time.Until(end.Add(2*sysinfo.ReadingEvery)), longestUntilRead)
	if wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// Samples says what services used in the window of a measurement. What the link before a service used is no metric of
// the service but a fact, link.cpu.SERVICE in cores. Where that window cannot be found among the readings, since the
// clock was set meanwhile, a fact says so.
func (s *Sampler) Samples(m *load.Measurement) []record.Sample {
	facts := map[string]string{}
	maps.Copy(facts, m.Facts)
	maps.Copy(facts, s.facts)
	m.Facts = facts // those of before may be everybody's
	if step, ok := s.clockStep(); ok {
		m.Facts[record.FactLeftOut] = fmt.Sprintf("the clock was set by %v meanwhile", step.Round(time.Millisecond))
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	if gap := s.gap(begin, end); gap > late*s.every {
		m.Facts["usage.behind"] = fmt.Sprintf(
			"readings of what services used lie up to %v apart, not %v: the machine was too busy for them",
			gap.Round(time.Millisecond), s.every)
	}
	var out []record.Sample
	ours := 0.0 // processor time of services, in seconds
	for _, name := range slices.Sorted(maps.Keys(s.services)) {
		if len(s.services[name]) < 2 || m.Length <= 0 {
			continue
		}
		readings := s.cpuReadings(name)
		used, ok := cpuIn(readings, begin, end)
		if ok {
			ours += cpuSeconds(s.host, readings, begin, end)
		}
		service, isLink := strings.CutSuffix(name, LinkSuffix)
		switch cores := used / m.Length.Seconds(); {
		case isLink && ok:
			m.Facts["link.cpu."+service] = fmt.Sprintf("%.3f", cores)
		case ok:
			out = append(out, record.Sample{Metric: "cpu." + name, Value: cores, Unit: "cores"})
		}
		if !isLink {
			out = append(out, counterSamples(name, s.services[name], begin, end)...)
		}
	}
	s.noteForeign(m, begin, end, ours)
	return out
}

// counterSamples are what a service used beside the processor, as far as its engine tells.
func counterSamples(name string, usage []engine.Usage, begin, end time.Time) []record.Sample {
	var out []record.Sample
	read := around(usage, atOfUsage, begin, end)
	first, last, peak := read[0], read[len(read)-1], int64(-1)
	for _, u := range read {
		peak = max(peak, u.Memory)
	}
	if peak >= 0 {
		out = append(out, record.Sample{Metric: "memory." + name, Value: float64(peak), Unit: "B"})
	}
	grown := func(metric string, a, b int64) {
		if a >= 0 && b >= a {
			out = append(out, record.Sample{Metric: metric + name, Value: float64(b - a), Unit: "1"})
		}
	}
	grown("net.listen_overflows.", first.ListenOverflows, last.ListenOverflows)
	grown("net.retransmits.", first.Retransmits, last.Retransmits)
	return out
}

// shortestTold is the shortest window of which the clocks of the machine tell a share: they go in steps of 10 ms.
//
// Source: docs/validity.md#short-windows.
const shortestTold = 200 * time.Millisecond

// noteForeign notes the share of the processor time that others took, and who they were, given what services of this
// machine took. In the shortest windows it cannot be told.
func (s *Sampler) noteForeign(m *load.Measurement, begin, end time.Time, ours float64) {
	if m.GeneratorCPU < 0 || m.Length < shortestTold {
		return
	}
	foreign := s.mostForeign(begin, end, ours+m.GeneratorCPU.Seconds())
	if m.Load != nil {
		m.Load.ForeignCPU = foreign
	}
	if m.Command != nil {
		m.Command.ForeignCPU = foreign
	}
	if foreign < tellNeighboursAt || s.Elsewhere.All || len(s.host) < 2 {
		return
	}
	first, last := s.host[0], s.host[len(s.host)-1]
	cpus := (last.Total - first.Total) / last.At.Sub(first.At).Seconds()
	if words := busiestBetween(s.around[0], s.around[1], cpus, os.Getpid(), inContainer); words != "" {
		m.Facts[record.FactOthers] = words
	}
}

// clockStep says by how much the wall clock was set while we read.
func (s *Sampler) clockStep() (time.Duration, bool) {
	if len(s.clocks) < 2 {
		return 0, false
	}
	return clockStep(s.clocks[0], s.clocks[1])
}

// Machine says what happened on the machine in the window of a measurement; nil where there is no window, or none that
// can be found. Limited tells whose processor time the article limits.
func (s *Sampler) Machine(m *load.Measurement, limited map[string]bool) *record.Machine {
	if _, ok := s.clockStep(); ok || m.Length <= 0 {
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	out := &record.Machine{Steal: -1, SwappedIn: -1, Throttled: map[string]record.Throttling{},
		Threads: s.busiest(begin, end)}
	if m.Length >= shortestTold {
		if !s.Elsewhere.All {
			out.Steal = s.host.Steal(begin, end)
		}
		for _, other := range s.Elsewhere.Machines {
			out.Steal = max(out.Steal, other.Steal)
		}
	}
	if len(s.ticks) > 1 {
		out.Sampling = &record.Sampling{Cost: s.cost, Gap: s.gap(begin, end).Seconds()}
	}
	if len(s.swapped) == 2 && s.swapped[0] >= 0 && s.swapped[1] >= 0 {
		out.SwappedIn = s.swapped[1] - s.swapped[0]
	}
	for name, usage := range s.services {
		if t, ok := throttling(usage, begin, end); ok {
			t.Limited = limited[name]
			out.Throttled[name] = t
		}
	}
	return out
}

// throttling is how often a service was kept from running by a limit of its processor time; false where that is not
// known.
func throttling(usage []engine.Usage, begin, end time.Time) (record.Throttling, bool) {
	if len(usage) < 2 {
		return record.Throttling{}, false
	}
	read := around(usage, atOfUsage, begin, end)
	a, b := read[0], read[len(read)-1]
	known := a.Periods >= 0 && b.Periods >= a.Periods && a.Throttled >= 0 && b.Throttled >= a.Throttled
	return record.Throttling{Periods: b.Periods - a.Periods, Throttled: b.Throttled - a.Throttled}, known
}

// cpuReadings are the readings of the processor time of a service that lie closest together.
func (s *Sampler) cpuReadings(name string) []engine.Usage {
	if often := s.cpu[name]; len(often) > 1 {
		return often
	}
	return s.services[name]
}

// around has the readings from the last before the window to the first one after it, so that nothing inside is missed.
func around[T any](readings []T, at func(T) time.Time, begin, end time.Time) []T {
	first, last := 0, len(readings)-1
	for i, r := range readings {
		if !at(r).After(begin) {
			first = i
		}
		if !at(r).Before(end) {
			last = i
			break
		}
	}
	return readings[first : last+1]
}

func atOfUsage(u engine.Usage) time.Time { return u.At }

// cpuSeconds is the processor time that a service used between two moments, interpolated between readings of the whole
// machine: so both are wrong alike where a load begins or ends between two of these, and their difference is not.
func cpuSeconds(h sysinfo.HostReadings, usage []engine.Usage, begin, end time.Time) float64 {
	at := func(moment time.Time) float64 {
		i := slices.IndexFunc(h, func(r sysinfo.HostUsage) bool { return !r.At.Before(moment) })
		if i <= 0 || h[i].At.Equal(moment) {
			used, _ := cpuAt(usage, moment)
			return used
		}
		a, b := h[i-1].At, h[i].At
		before, _ := cpuAt(usage, a)
		after, _ := cpuAt(usage, b)
		return before + moment.Sub(a).Seconds()/b.Sub(a).Seconds()*(after-before)
	}
	return at(end) - at(begin)
}

// cpuIn is the processor time used between two moments, in seconds, each read off the line between the readings beside
// it.
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

// mostForeign is the foreign share of the machine that has the largest, of those that the experiment runs on; -1 where
// it is not known of all of them. Ours is what services and load of this machine used.
func (s *Sampler) mostForeign(begin, end time.Time, ours float64) float64 {
	most := 0.0
	if !s.Elsewhere.All {
		if most = s.host.Foreign(begin, end, ours); most < 0 {
			return -1
		}
	}
	for _, other := range s.Elsewhere.Machines {
		if other.Foreign < 0 {
			return -1
		}
		most = max(most, other.Foreign)
	}
	return most
}

// late is how many times as far apart as they should two readings have to lie for the window's ends to be uncertain.
const late = 10

// gap is the longest time between two readings in the window, and those around it.
func (s *Sampler) gap(begin, end time.Time) time.Duration {
	longest := time.Duration(0)
	for i := 1; i < len(s.ticks); i++ {
		if s.ticks[i].After(begin) && s.ticks[i-1].Before(end) {
			longest = max(longest, s.ticks[i].Sub(s.ticks[i-1]))
		}
	}
	return longest
}
