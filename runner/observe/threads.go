package observe

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// threadReading is the processor time of each thread of a service, or of a few of them.
type threadReading struct {
	at    time.Time
	times map[int]time.Duration // by threadOf
	few   bool
	took  time.Duration // processor time of reading it
}

// threadOf identifies a thread of one container of a service: containers may number theirs alike.
func threadOf(container, id int) int { return container<<32 | id }

// threadsOf returns the threads of one container by their IDs.
func threadsOf(threads map[int]bool, container int) (ids []int) {
	for thread := range threads {
		if thread>>32 == container {
			ids = append(ids, thread-container<<32)
		}
	}
	return ids
}

// How often all threads of a service are read. A service may have thousands; only its busiest one counts, so that only
// the busiest are read in between.
const (
	wholeFirst  = 3   // readings of all threads, in which the busy ones show before a window begins
	wholePause  = 300 // times what a reading took, before the next
	busyThreads = 16  // that are read in between
)

// fewThreads returns the threads to read now; nil for all of them.
func fewThreads(readings []threadReading, now time.Time) map[int]bool {
	var last, before *threadReading // of all threads
	whole := 0
	for i := range readings {
		if r := &readings[i]; !r.few {
			last, before = r, last
			whole++
		}
	}
	if whole < wholeFirst || now.Sub(last.at) >= wholePause*last.took {
		return nil
	}
	threads := slices.SortedFunc(maps.Keys(last.times), func(a, b int) int {
		return cmp.Or(cmp.Compare(last.times[b]-before.times[b], last.times[a]-before.times[a]), cmp.Compare(a, b))
	})
	if len(threads) <= busyThreads {
		return nil
	}
	few := map[int]bool{}
	for _, thread := range threads[:busyThreads] {
		few[thread] = true
	}
	return few
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
		if _, read := r.times[thread]; !read && r.few {
			continue
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
