package loadgen

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// meter watches over one thread of the load: what it uses, what keeps it from its work, and how late it wakes up.
type meter struct {
	delays   *os.File // what the kernel knows of the thread's waiting, nil where it does not tell
	readings [2]consumption
	taken    int   // readings
	polled   int64 // time spent polling, so far
	longest  int64 // the longest time in which it stood still since the window started
	lateness int64 // how late a sleeping thread mostly wakes up at most
	slept    bool  // since the last request left
	polls    bool  // there is a core for polling
	at       [2]int64
}

// consumption is what a thread has used up to a moment.
type consumption struct {
	at                 int64
	cpu, delay, polled int64
}

// Bounds of how long before its time a thread gets up. Less would not be worth the sleep, and what wakes up later than
// that is not lateness but another program.
const (
	leastEarly = 40_000
	mostEarly  = 250_000
)

// longestPoll is what a look at the connections takes at most. One that took longer had lost its core meanwhile.
const longestPoll = 5_000

func (m *meter) prepare() {
	m.delays, _ = proc.OpenThread(unix.Gettid())
	m.lateness = 60_000
	m.at = [2]int64{never, never}
}

// mark takes a reading when the window starts and when it ends.
func (m *meter) mark(e *engine) {
	switch m.taken {
	case len(m.readings):
		return
	case 0:
		m.at[0] = e.warm
	default:
		m.at[1] = e.window.End()
	}
	if e.clock >= m.at[m.taken] {
		m.take(e.now())
	}
}

func (m *meter) take(now int64) {
	m.readings[m.taken] = consumption{now, threadTime(), m.runDelay(), m.polled}
	m.taken++
}

// stop takes the last reading, if the load has ended before the window.
func (m *meter) stop(now int64) {
	if m.taken == 1 {
		m.take(now)
	}
	if m.delays != nil {
		m.delays.Close()
	}
}

// next is when the next reading is due.
func (m *meter) next() int64 {
	if m.taken == len(m.readings) {
		return never
	}
	return m.at[m.taken]
}

// stood notes a time in which the thread saw nothing of what happened. Time before the window does not count; time
// after it does, since requests of the window may still be under way.
func (m *meter) stood(from, to int64) { m.longest = max(m.longest, to-max(from, m.at[0])) }

// waited notes a wait in which nothing came.
func (m *meter) waited(timeout, took int64, polling bool) {
	switch {
	case polling:
		m.polled += min(took, longestPoll)
	case timeout > 0 && took > timeout:
		m.slept = true
		// An estimate of a high quantile: it follows what is above it at once and what is below it slowly.
		late := min(took-timeout, mostEarly)
		if late > m.lateness {
			m.lateness += (late - m.lateness) / 2
		} else {
			m.lateness -= (m.lateness - late) / 256
		}
	}
}

// left notes that a request has left on schedule. A thread that had no time to sleep before it cannot have learnt how
// late it would have woken up, and is to try again some day.
func (m *meter) left() {
	if !m.slept {
		m.lateness -= m.lateness / 1024
	}
	m.slept = false
}

// early is how long before its time the thread is to wake up.
func (m *meter) early() int64 {
	if !m.polls {
		return 0
	}
	return min(max(leastEarly, m.lateness+m.lateness/4), mostEarly)
}

func threadTime() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return none
	}
	return t.Nano()
}

// runDelay is how long the thread could have run and had no core.
func (m *meter) runDelay() int64 {
	if m.delays == nil {
		return none
	}
	delay, err := proc.Waited(m.delays)
	if err != nil {
		return none
	}
	return delay.Nanoseconds()
}

// health is what kept the threads from their work; nil if the window has never started.
func health(engines []*engine) *Health {
	h := Health{Waiting: new(0.0)}
	for _, e := range engines {
		if e.meter.taken < len(e.meter.readings) {
			return nil
		}
		h.Standstill = max(h.Standstill, time.Duration(e.meter.longest))
		from, to := e.meter.readings[0], e.meter.readings[1]
		if from.delay == none || to.delay == none || to.at-from.at < shortest.Nanoseconds() {
			h.Waiting = nil
		}
		if h.Waiting != nil {
			*h.Waiting = min(1, max(*h.Waiting, float64(to.delay-from.delay)/float64(to.at-from.at)))
		}
	}
	return &h
}

// addThreads adds what the threads of the load used to what the process did.
func addThreads(c *CPU, engines []*engine) {
	share := 0.0 // of the busiest
	for _, e := range engines {
		from, to := e.meter.readings[0], e.meter.readings[1]
		if e.meter.taken < 2 || from.cpu == none || to.cpu == none {
			c.Threads = nil
			return
		}
		t := ThreadCPU{Time: time.Duration(to.cpu - from.cpu), Polling: time.Duration(to.polled - from.polled)}
		t.Polling = min(t.Polling, t.Time)
		c.Threads = append(c.Threads, t)
		if length := to.at - from.at; length > 0 {
			share = max(share, float64(t.Time-t.Polling)/float64(length))
		}
	}
	c.Busiest = busiest(c, share)
}
