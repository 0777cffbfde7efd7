package observe

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"benchbook/runner/sysinfo"
)

// threadReading is the processor time of each thread of a service, or of a few of them.
type threadReading struct {
	at    time.Time
	times map[int]time.Duration
	few   bool
	took  time.Duration // processor time of reading it
}

// threads is the processor time of each thread of all containers of a service, or of a few of them, if their engine
// tells it.
func (w watched) threads(ctx context.Context, few map[int]bool) (threadReading, bool) {
	r := threadReading{at: time.Now(), times: map[int]time.Duration{}, few: len(few) > 0}
	began := sysinfo.ThreadTime()
	for i, c := range w.containers {
		if c.threaded == nil {
			return r, false
		}
		var only []int
		for thread := range few {
			if thread>>32 == i { // numbers tell apart those of one container
				only = append(only, thread-i<<32)
			}
		}
		if r.few && len(only) == 0 {
			continue
		}
		times, err := c.threaded.Threads(ctx, only...)
		if err != nil {
			return r, false
		}
		for thread, time := range times {
			r.times[i<<32|thread] = time
		}
	}
	r.took = time.Since(r.at)
	if ended := sysinfo.ThreadTime(); began >= 0 && ended >= 0 {
		r.took = ended - began
	}
	return r, true
}

// How often all threads of a service are read. A service may have thousands, of which only the busiest is asked for: in
// between it is the busiest ones that are read.
const (
	wholeFirst  = 3   // readings, in which those that work show themselves before a window begins
	wholePause  = 300 // times what a reading took, before the next
	busyThreads = 16  // that are read in between
)

// fewThreads are those to be read now; nil for all of them, which is what it is of services that have few.
func fewThreads(readings []threadReading, now time.Time) map[int]bool {
	var last, before *threadReading // whole ones
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

// shortestThreads is the shortest window of which it is told how busy single threads were.
const shortestThreads = 200 * time.Millisecond

// busiest is the share of the window that the busiest thread of each service was running.
func (s *Sampler) busiest(begin, end time.Time) map[string]float64 {
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

// threadAt is the processor time of a thread at a moment, read off the line between the readings beside it. Before it
// is there it has none, and after its end what it was last seen with.
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
