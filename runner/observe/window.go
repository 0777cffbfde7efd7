package observe

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// A Window describes the time of a measurement and what ran where.
type Window struct {
	Start   time.Time // in our clock
	Length  time.Duration
	LoadCPU time.Duration   // processor time of the load or command, without services; -1 if unknown
	Limited map[string]bool // services with a CPU limit
	// Machines are the machines of the experiment; nil: this one only.
	Machines []OnMachine
}

// OnMachine says what an experiment runs on a machine.
type OnMachine struct {
	Here     bool             // it is this machine, which the sampler reads
	Readings machine.Readings // readings of another machine
	Services []string         // services that run there, and their links
	Load     bool             // the load runs there
}

// A Result is the usage of services and machines in a window.
type Result struct {
	Samples []record.Sample // usage of services
	Facts   map[string]string
	Machine *record.Machine // nil if the window is empty or the clock was set
	Foreign float64         // largest share of a machine's processor time that others took; -1 if unknown
}

// shortestShare is the shortest window for shares of processor time, because the kernel's clocks have steps of 10 ms.
//
// Source: docs/validity.md#short-windows.
const shortestShare = 200 * time.Millisecond

// In returns the usage in a window. The usage of a link is not a sample but a fact, link.cpu.SERVICE in cores. If the
// clock was set meanwhile, In returns only a fact that says so.
func (s *Sampler) In(w Window) Result {
	r := Result{Facts: maps.Clone(s.facts), Foreign: -1}
	if step, set := s.passed.step(); set {
		r.Facts[record.FactLeftOut] = fmt.Sprintf("the clock was set by %v meanwhile", step.Round(time.Millisecond))
		return r
	}
	begin, end := w.Start, w.Start.Add(w.Length)
	gap := s.gap(begin, end)
	if gap > late*s.every {
		r.Facts["usage.behind"] = fmt.Sprintf(
			"readings of what services used are up to %v apart, not %v: the machine was too busy for them",
			gap.Round(time.Millisecond), s.every)
	}
	if w.Length <= 0 {
		return r
	}
	r.Machine = &record.Machine{Steal: -1, SwappedIn: -1, Throttled: map[string]record.Throttling{},
		Threads: s.busiest(begin, end)}
	if len(s.ticks) > 1 {
		r.Machine.Sampling = &record.Sampling{Cost: s.cost, Gap: gap.Seconds()}
	}
	if len(s.swapped) == 2 && s.swapped[0] >= 0 && s.swapped[1] >= 0 {
		r.Machine.SwappedIn = s.swapped[1] - s.swapped[0]
	}
	s.fill(&w)
	for _, service := range slices.SortedFunc(slices.Values(s.services), byName) {
		r.add(service, w)
	}
	if w.Length >= shortestShare {
		s.addMachines(&r, w)
	}
	return r
}

// fill adds the agents' readings of containers on other machines, and sets w.LoadCPU from them if it is unknown.
func (s *Sampler) fill(w *Window) {
	for _, m := range w.Machines {
		for _, service := range s.services {
			if slices.Contains(m.Services, service.name) {
				service.fill(m.Readings)
			}
		}
		if m.Load {
			s.load.fill(m.Readings)
		}
	}
	if used, ok := s.load.used(w.Start, w.Start.Add(w.Length)); ok && w.LoadCPU < 0 {
		w.LoadCPU = time.Duration(used * float64(time.Second))
	}
}

func byName(a, b *service) int { return strings.Compare(a.name, b.name) }

// add adds the usage of a service to the result.
func (r *Result) add(s *service, w Window) {
	begin, end := w.Start, w.Start.Add(w.Length)
	service, isLink := strings.CutSuffix(s.name, LinkSuffix)
	if used, ok := s.used(begin, end); ok && len(s.cpu) > 1 {
		cores := used / w.Length.Seconds()
		if isLink {
			r.Facts["link.cpu."+service] = fmt.Sprintf("%.3f", cores)
		} else {
			r.Samples = append(r.Samples, record.Sample{Metric: "cpu." + service, Value: cores, Unit: "cores"})
		}
	}
	if len(s.totals) < 2 {
		return
	}
	read := around(s.totals, begin, end)
	first, last, peak := read[0], read[len(read)-1], int64(-1)
	for _, u := range read {
		peak = max(peak, u.Memory)
	}
	if first.Periods >= 0 && last.Periods >= first.Periods && first.Throttled >= 0 && last.Throttled >= first.Throttled {
		r.Machine.Throttled[s.name] = record.Throttling{Periods: last.Periods - first.Periods,
			Throttled: last.Throttled - first.Throttled, Limited: w.Limited[s.name]}
	}
	if isLink {
		return
	}
	if peak >= 0 {
		r.Samples = append(r.Samples, record.Sample{Metric: "memory." + service, Value: float64(peak), Unit: "B"})
	}
	grown := func(metric string, a, b int64) {
		if a >= 0 && b >= a {
			r.Samples = append(r.Samples, record.Sample{Metric: metric + service, Value: float64(b - a), Unit: "1"})
		}
	}
	grown("net.listen_overflows.", first.ListenOverflows, last.ListenOverflows)
	grown("net.retransmits.", first.Retransmits, last.Retransmits)
}

// addMachines adds the processor time that other programs and hypervisors took from the machines. If others took much
// of this machine, a fact names them.
func (s *Sampler) addMachines(r *Result, w Window) {
	begin, end := w.Start, w.Start.Add(w.Length)
	all := w.Machines
	if all == nil {
		all = []OnMachine{{Here: true, Load: true}}
		for _, service := range s.services {
			all[0].Services = append(all[0].Services, service.name)
		}
	}
	known, most := w.LoadCPU >= 0, 0.0
	for _, m := range all {
		if m.Here {
			m.Readings = s.host
		}
		used, ok := between(m.Readings, begin, end)
		if known = known && ok; !ok {
			continue
		}
		r.Machine.Steal = max(0, r.Machine.Steal, used.Steal/used.Total)
		ours := 0.0
		if m.Load {
			ours = w.LoadCPU.Seconds()
		}
		for _, service := range s.services {
			if slices.Contains(m.Services, service.name) {
				ours += service.usedAsRead(m.Readings, begin, end)
			}
		}
		others := (used.Busy - used.Own - ours) / used.Total // docs/method.md#quantities-checked
		most = max(most, others)
		if m.Here && known && others >= nameNeighboursAt {
			first, last := s.host[0], s.host[len(s.host)-1]
			cpus := (last.Total - first.Total) / last.At.Sub(first.At).Seconds()
			if words := busiestBetween(s.around[0], s.around[1], cpus, os.Getpid(), inContainer); words != "" {
				r.Facts[record.FactOthers] = words
			}
		}
	}
	if known {
		r.Foreign = most
	}
}

// around returns the readings from the last one before a window to the first one after it.
func around(readings []engine.Usage, begin, end time.Time) []engine.Usage {
	first, last := 0, len(readings)-1
	for i, r := range readings {
		if !r.At.After(begin) {
			first = i
		}
		if !r.At.Before(end) {
			last = i
			break
		}
	}
	return readings[first : last+1]
}

// usedAsRead returns the processor time of a service between two moments in seconds, interpolated between the machine's
// readings. When a load begins or ends between two of these, both are wrong by the same amount, so their difference is
// right.
func (s *service) usedAsRead(readings machine.Readings, begin, end time.Time) float64 {
	at := func(moment time.Time) float64 {
		a, b, part, _ := span(readings, func(r machine.Reading) time.Time { return r.At }, moment)
		before, _ := s.usedAt(a.At)
		after, _ := s.usedAt(b.At)
		return before + part*(after-before)
	}
	return at(end) - at(begin)
}

// used returns the processor time of a service between two moments in seconds, interpolated between its readings.
func (s *service) used(begin, end time.Time) (float64, bool) {
	a, okA := s.usedAt(begin)
	b, okB := s.usedAt(end)
	return b - a, okA && okB && b >= a
}

func (s *service) usedAt(at time.Time) (float64, bool) {
	a, b, part, _ := span(s.cpu, func(u engine.Usage) time.Time { return u.At }, at)
	known := len(s.cpu) > 0 && a.CPU >= 0 && b.CPU >= 0
	return a.CPU.Seconds() + part*(b.CPU-a.CPU).Seconds(), known
}

// late is the gap between readings, in ticks, above which the ends of a window are uncertain.
const late = 10

// gap returns the longest time between two readings in a window or across its ends.
func (s *Sampler) gap(begin, end time.Time) time.Duration {
	longest := time.Duration(0)
	for i := 1; i < len(s.ticks); i++ {
		if s.ticks[i].After(begin) && s.ticks[i-1].Before(end) {
			longest = max(longest, s.ticks[i].Sub(s.ticks[i-1]))
		}
	}
	return longest
}

// passed is an elapsed time by the wall clock, which can be set, and by the monotonic clock, which cannot.
type passed struct{ wall, steady time.Duration }

func since(began time.Time) passed {
	now := time.Now()
	return passed{now.Round(0).Sub(began.Round(0)), now.Sub(began)}
}

// step returns by how much the wall clock was set meanwhile, and whether it was set at all. NTP may make it run 0.05 %
// fast or slow, which is no step. Steps below 10 ms are not detected.
func (p passed) step() (time.Duration, bool) {
	step := p.wall - p.steady
	return step, step.Abs() > 10*time.Millisecond+p.steady/1000
}

// between returns the usage of a machine between two moments, interpolated between readings. It is not ok if the
// readings do not cover them.
func between(r machine.Readings, begin, end time.Time) (used machine.Reading, ok bool) {
	a, okA := at(r, begin)
	b, okB := at(r, end)
	used = machine.Reading{At: b.At, Busy: b.Busy - a.Busy, Total: b.Total - a.Total, Steal: b.Steal - a.Steal,
		Own: b.Own - a.Own}
	return used, okA && okB && used.Total > 0
}

func at(r machine.Readings, moment time.Time) (machine.Reading, bool) {
	a, b, part, ok := span(r, func(r machine.Reading) time.Time { return r.At }, moment)
	mix := func(a, b float64) float64 { return a + part*(b-a) }
	return machine.Reading{At: moment, Busy: mix(a.Busy, b.Busy), Total: mix(a.Total, b.Total), Steal: mix(a.Steal, b.Steal),
		Own: mix(a.Own, b.Own)}, ok
}

// span returns the readings before and after a moment, and its position between them, in [0, 1]. If the readings do not
// cover the moment, it is not ok and both are the first or the last.
func span[T any](readings []T, timeOf func(T) time.Time, moment time.Time) (a, b T, part float64, ok bool) {
	if len(readings) == 0 {
		return a, b, 0, false
	}
	i := slices.IndexFunc(readings, func(r T) bool { return !timeOf(r).Before(moment) })
	switch i {
	case -1:
		i = len(readings) - 1
		return readings[i], readings[i], 0, false
	case 0:
		return readings[0], readings[0], 0, timeOf(readings[0]).Equal(moment)
	}
	a, b = readings[i-1], readings[i]
	return a, b, moment.Sub(timeOf(a)).Seconds() / timeOf(b).Sub(timeOf(a)).Seconds(), true
}

// fill sets the readings of a service from readings of another machine that has control groups of its containers.
func (s *service) fill(readings machine.Readings) {
	for _, r := range readings {
		sum, known := engine.Usage{At: r.At}, len(s.groups) > 0
		for _, id := range s.groups {
			u, ok := r.Containers[id]
			sum, known = sumOf(sum, u), known && ok
		}
		if known {
			s.cpu, s.totals = append(s.cpu, sum), append(s.totals, sum)
		}
	}
}

// sumOf adds the usage of a container to a sum, which keeps the time of the first.
func sumOf(sum, u engine.Usage) engine.Usage {
	if sum.At.IsZero() {
		sum.At = u.At
	}
	sum.CPU, sum.Memory = added(sum.CPU, u.CPU), added(sum.Memory, u.Memory)
	sum.Periods, sum.Throttled = added(sum.Periods, u.Periods), added(sum.Throttled, u.Throttled)
	sum.ListenOverflows = added(sum.ListenOverflows, u.ListenOverflows)
	sum.Retransmits = added(sum.Retransmits, u.Retransmits)
	return sum
}

// added returns a + b, or -1 if one of them is negative, which means unknown.
func added[T ~int64](a, b T) T {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
