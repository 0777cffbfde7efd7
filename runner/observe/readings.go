package observe

import (
	"slices"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// between returns what the machine used between two moments, interpolated between readings; it is not ok if the readings
// do not cover them.
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

// span returns the readings before and after a moment, and how far it lies between them, from 0 to 1. It is not ok if the
// readings do not cover the moment: then both are the first or the last.
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

// foreign returns the share of the machine's processor time that neither services, the load nor the reading process
// used, -1 if the readings do not cover the window. ours is what services and load used, in seconds.
//
// Source: docs/method.md#quantities-checked.
func foreign(r machine.Readings, begin, end time.Time, ours float64) float64 {
	used, ok := between(r, begin, end)
	if !ok {
		return -1
	}
	return max(0, (used.Busy-used.Own-ours)/used.Total)
}

// steal returns the share of the machine's processor time that its hypervisor gave to others, -1 if the readings do not
// cover the window.
func steal(r machine.Readings, begin, end time.Time) float64 {
	used, ok := between(r, begin, end)
	if !ok {
		return -1
	}
	return max(0, used.Steal/used.Total)
}

// fill makes the readings of a service from readings of another machine, where its containers have control groups.
func (s *service) fill(readings machine.Readings) {
	for _, r := range readings {
		sum := engine.Usage{At: r.At}
		for i, id := range s.groups {
			u, ok := r.Containers[id]
			if !ok {
				break
			}
			if sum = sumOf(sum, u, i == 0); i == len(s.groups)-1 {
				s.cpu, s.totals = append(s.cpu, sum), append(s.totals, sum)
			}
		}
	}
}

// sumOf adds what a container used to a sum, or begins one. The sum is of the moment of the first.
func sumOf(sum, u engine.Usage, first bool) engine.Usage {
	if first {
		if !sum.At.IsZero() {
			u.At = sum.At
		}
		return u
	}
	sum.CPU, sum.Memory = added(sum.CPU, u.CPU), added(sum.Memory, u.Memory)
	sum.Periods, sum.Throttled = added(sum.Periods, u.Periods), added(sum.Throttled, u.Throttled)
	sum.ListenOverflows = added(sum.ListenOverflows, u.ListenOverflows)
	sum.Retransmits = added(sum.Retransmits, u.Retransmits)
	return sum
}

// added adds two numbers, either of which is -1 if unknown.
func added[T ~int64](a, b T) T {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
