package observe

import "time"

// threadReading is the processor time of each thread of a service.
type threadReading struct {
	at    time.Time
	times map[int]time.Duration // by threadOf
	took  time.Duration         // processor time of reading it
}

// threadOf identifies a thread of one container of a service: containers may number theirs alike.
func threadOf(container, id int) int { return container<<32 | id }

// threadsPause is how long the next reading of the threads waits, in times of what the last one took: a service may have
// thousands, each with a file of its own.
const threadsPause = 100

// threadsAreDue reports whether the threads of a service may be read again.
func (s *service) threadsAreDue(now time.Time) bool {
	if len(s.threads) == 0 {
		return true
	}
	last := s.threads[len(s.threads)-1]
	return now.Sub(last.at) >= threadsPause*last.took
}

// busiest returns the share of a window in which the busiest thread of each service was running; nil if unknown.
func (s *Sampler) busiest(begin, end time.Time) map[string]float64 {
	length := end.Sub(begin)
	var out map[string]float64
	for _, service := range s.services {
		readings := service.threads
		if length < shortestShare || len(readings) < 2 {
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
		if out == nil {
			out = map[string]float64{}
		}
		out[service.name] = min(1, most.Seconds()/length.Seconds())
	}
	return out
}

// threadAt returns the processor time of a thread at a moment, interpolated between readings: 0 before it is first seen,
// and what it was last seen with after its end.
func threadAt(readings []threadReading, thread int, at time.Time) time.Duration {
	var before threadReading
	var spent time.Duration // at that reading
	for _, r := range readings {
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
