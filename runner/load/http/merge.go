package http

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/slice"
)

// Merge puts the results of all parts of a load together, as if one generator had put all of it on. The parts stay as
// they are.
//
// Counts and sums are added, also those of each second, and histograms bucket by bucket, so that no percentile is a
// mean of others. Of what says how near a generator was to its limits, the worst counts. If all parts were ended by the
// duration, they are equally long: the window is that of the last one to begin. Otherwise it lasts from the first start
// to the last end.
//
// The error says that there is no part, or that they are not of one load.
func Merge(parts []*Result) (*Result, error) {
	if len(parts) == 0 {
		return nil, errors.New("there is no result to merge")
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	total := NewResult()
	total.Overlap = new(Overlap)
	total.SchemaVersion, total.Semantics = parts[0].SchemaVersion, parts[0].Semantics
	total.Start, total.Length, total.EndedBy = windowOf(parts)
	total.Seconds = make([]Second, max(1, (total.Length+time.Second-1)/time.Second))
	if of := parts[0].Journeys; of != nil {
		total.Journeys = NewJourneys(len(of.Steps))
	}
	for _, p := range parts {
		if (p.Journeys == nil) != (total.Journeys == nil) {
			return nil, errors.New("merging journeys: a part has none")
		}
		total.Add(p)
	}
	if total.Length > 0 {
		total.Offered = float64(total.Due) / total.Length.Seconds()
	}
	slices.SortFunc(total.TLS, TLS.Compare)
	total.InFlight, total.CPU, total.Health = inFlightOf(parts), cpuOf(parts), healthOf(parts)
	return &total, total.addDistributions(parts)
}

// Add adds what can be counted of another result.
func (r *Result) Add(p *Result) {
	r.Addresses = slice.Add(r.Addresses, p.Addresses...)
	r.Unreachable = slice.Add(r.Unreachable, p.Unreachable...)
	r.TLS = slice.Add(r.TLS, p.TLS...)
	for kind, n := range p.Failures {
		r.Failures[kind] += n
	}
	for status, n := range p.Status {
		r.Status[status] += n
	}
	for _, n := range []struct{ to, from *int64 }{
		{&r.Attempted, &p.Attempted}, {&r.Answered, &p.Answered}, {&r.Failed, &p.Failed},
		{&r.Completed.Right, &p.Completed.Right}, {&r.Completed.Failed, &p.Completed.Failed},
		{&r.BytesIn, &p.BytesIn}, {&r.BytesOut, &p.BytesOut}, {&r.Connects, &p.Connects},
		{&r.Due, &p.Due}, {&r.Sent, &p.Sent}, {&r.Blocked, &p.Blocked}, {&r.Stale, &p.Stale},
		{&r.Unrequested, &p.Unrequested},
		{&r.Warmup.Attempted, &p.Warmup.Attempted}, {&r.Warmup.Answered, &p.Warmup.Answered},
		{&r.Warmup.Failed, &p.Warmup.Failed},
	} {
		*n.to += *n.from
	}
	if r.Overlap != nil && p.Overlap != nil {
		r.Overlap.Right += p.Overlap.Right
		r.Overlap.Failed += p.Overlap.Failed
		r.Overlap.Time += p.Overlap.Time
	} else {
		r.Overlap = nil
	}
	if r.Journeys != nil {
		r.Journeys.Add(p.Journeys)
	}
	r.AddSeconds(p.Seconds)
}

// AddSeconds adds seconds to those of a result, and those behind the last one to that.
func (r *Result) AddSeconds(seconds []Second) {
	for i, s := range seconds {
		r.Seconds[min(i, len(r.Seconds)-1)].add(s)
	}
}

func (s *Second) add(from Second) {
	s.Attempted += from.Attempted
	s.Right += from.Right
	s.Failed += from.Failed
	s.LatencySum += from.LatencySum
	for kind, n := range from.Failures {
		if s.Failures == nil {
			s.Failures = make(map[Kind]int64)
		}
		s.Failures[kind] += n
	}
}

func windowOf(parts []*Result) (start time.Time, length time.Duration, by Ending) {
	by = EndedByRequests
	first, last, end := parts[0].Start, parts[0].Start, parts[0].Start
	equal := true
	for _, p := range parts {
		if p.EndedBy == EndedByDuration {
			by = EndedByDuration
		}
		equal = equal && p.EndedBy == EndedByDuration
		if p.Start.Before(first) {
			first = p.Start
		}
		if p.Start.After(last) {
			last = p.Start
		}
		if until := p.Start.Add(p.Length); until.After(end) {
			end = until
		}
	}
	if equal {
		return last, parts[0].Length, by
	}
	return first, end.Sub(first), by
}

// inFlightOf is how busy all clients were, each part over the time in which it started requests; nil unless all parts
// tell.
func inFlightOf(parts []*Result) *InFlight {
	var sum InFlight
	for _, p := range parts {
		if p.InFlight == nil {
			return nil
		}
		sum.Length = max(sum.Length, p.InFlight.Length)
	}
	for _, p := range parts {
		if p.InFlight.Length <= 0 { // its clients were too quick to tell
			return &InFlight{}
		}
		sum.Time += time.Duration(float64(p.InFlight.Time) * (float64(sum.Length) / float64(p.InFlight.Length)))
	}
	return &sum
}

// cpuOf is nil unless all parts tell what they used.
func cpuOf(parts []*Result) *CPU {
	var sum CPU
	for _, p := range parts {
		if p.CPU == nil {
			return nil
		}
		sum.User += p.CPU.User
		sum.System += p.CPU.System
		sum.Length = max(sum.Length, p.CPU.Length)
		sum.Threads = append(sum.Threads, p.CPU.Threads...)
		if busiest := p.CPU.Busiest; busiest != nil && (sum.Busiest == nil || *busiest > *sum.Busiest) {
			sum.Busiest = busiest
		}
	}
	return &sum
}

// healthOf is nil unless all parts tell.
func healthOf(parts []*Result) *Health {
	worst := Health{Waiting: new(0.0)}
	for _, p := range parts {
		if p.Health == nil {
			return nil
		}
		worst.Standstill = max(worst.Standstill, p.Health.Standstill)
		if worst.Waiting == nil || p.Health.Waiting == nil {
			worst.Waiting = nil
		} else {
			*worst.Waiting = max(*worst.Waiting, *p.Health.Waiting)
		}
	}
	return &worst
}

// Distributions are those of a result, by name; nil are those that its load does not have.
func (r *Result) Distributions() map[string]*Distribution {
	all := map[string]*Distribution{
		"latency": &r.Latency, "failed latency": &r.FailedLatency, "connect": &r.Connect, "first byte": &r.FirstByte,
		"TLS setup": r.TLSSetup, "lag": r.Lag, "service": r.Service, "cut": r.Cut,
	}
	r.Journeys.distributions(all)
	return all
}

func (r *Result) addDistributions(parts []*Result) error {
	for _, optional := range []struct {
		to   **Distribution
		from *Distribution
	}{{&r.TLSSetup, parts[0].TLSSetup}, {&r.Lag, parts[0].Lag}, {&r.Service, parts[0].Service},
		{&r.Cut, parts[0].Cut}} {
		if optional.from != nil {
			*optional.to = new(Distribution)
		}
	}
	to := r.Distributions()
	for _, name := range slices.Sorted(maps.Keys(to)) {
		var all []Distribution
		for i, p := range parts {
			from := p.Distributions()[name]
			if (from == nil) != (to[name] == nil) {
				return fmt.Errorf("merging %s: part %d of %d is of another load", name, i+1, len(parts))
			}
			if from != nil {
				all = append(all, *from)
			}
		}
		if to[name] == nil {
			continue
		}
		merged, err := mergeDistributions(all)
		if err != nil {
			return fmt.Errorf("merging %s: %w", name, err)
		}
		*to[name] = merged
	}
	return nil
}

// mergeDistributions adds up at least one distribution, as if all times had been counted in one.
func mergeDistributions(all []Distribution) (Distribution, error) {
	filled := slices.DeleteFunc(slices.Clone(all), func(d Distribution) bool { return d.Count == 0 })
	if len(filled) == 0 {
		return all[0], nil
	}
	sum := newHistogramUpTo(filled[0].Highest)
	for _, d := range filled {
		if d.Highest != sum.highest {
			return Distribution{}, fmt.Errorf("one histogram holds values up to %d, another one up to %d", sum.highest,
				d.Highest)
		}
		hdr, err := d.Histogram()
		if err != nil {
			return Distribution{}, err
		}
		sum.Merge(&Histogram{hdr: hdr, highest: d.Highest, count: d.Count, min: d.Min, max: d.Max, sum: d.Sum,
			overflowing: d.Overflow})
	}
	return sum.Distribution()
}
