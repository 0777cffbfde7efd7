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

// fill makes the readings of a service from readings of another machine, where its containers have control groups.
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

// sumOf adds what a container used to a sum, which is of the moment of the first.
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

// added adds two numbers, either of which is -1 if unknown.
func added[T ~int64](a, b T) T {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
