package loadgen

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
	"benchbook/notebook/spec"
)

// shortest is the shortest window in which a share of time says enough.
const shortest = 10 * time.Millisecond

// readUsage returns the processor time that this process has used so far, and the time since a moment as Length.
func readUsage(since time.Time) CPU {
	var all unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &all)
	return CPU{User: time.Duration(all.Utime.Nano()), System: time.Duration(all.Stime.Nano()), Length: time.Since(since)}
}

// meter measures what one thread of the load uses, and how late it wakes up.
type meter struct {
	delays   *os.File // the kernel's count of the thread's waiting; nil if unknown
	warm     int64    // the end of the warm-up
	readings [2]consumption
	taken    int   // readings
	polled   int64 // time spent polling, so far
	longest  int64 // the longest stall since the window started
	lateness int64 // a high quantile of how late a sleeping thread wakes up
	slept    bool  // since the last request left
	polls    bool  // there is a core for polling
}

// consumption is what a thread has used up to a time of the run's clock, in nanoseconds.
type consumption struct {
	at                 int64
	cpu, delay, polled int64
}

// Bounds of how long before its time a thread wakes up, in nanoseconds. For less, sleeping is not worth it. A thread
// that is later than mostEarly was held up by another program.
const (
	leastEarly = 40_000
	mostEarly  = 250_000
)

// longestPoll is the longest that one look at the connections takes, in nanoseconds. A longer one had lost its core.
const longestPoll = 5_000

func (m *meter) prepare(warm int64) {
	m.delays, _ = proc.OpenThread(unix.Gettid())
	m.lateness, m.warm = 60_000, warm
}

// next returns when the next reading is due: at the start of the window, and at its end.
func (m *meter) next(w *window) int64 {
	switch m.taken {
	case 0:
		return m.warm
	case 1:
		return w.end()
	}
	return never
}

func (m *meter) take(now int64) {
	var cpu unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &cpu)
	delay := int64(none) // unknown
	if m.delays != nil {
		if d, err := proc.Waited(m.delays); err == nil {
			delay = d.Nanoseconds()
		}
	}
	m.readings[m.taken] = consumption{now, cpu.Nano(), delay, m.polled}
	m.taken++
}

// stop takes the last reading if the load ended before the window.
func (m *meter) stop(now int64) {
	if m.taken == 1 {
		m.take(now)
	}
	if m.delays != nil {
		m.delays.Close()
	}
}

// noteStall notes a time in which the thread saw no events. Time before the window does not count; time after it does,
// since requests of the window may be under way.
func (m *meter) noteStall(from, to int64) { m.longest = max(m.longest, to-max(from, m.warm)) }

// noteWait notes a wait in which nothing came.
func (m *meter) noteWait(timeout, took int64, polling bool) {
	switch {
	case polling:
		m.polled += min(took, longestPoll)
	case timeout > 0 && took > timeout:
		m.slept = true
		// The estimate follows values above it at once and values below it slowly.
		late := min(took-timeout, mostEarly)
		if late > m.lateness {
			m.lateness += (late - m.lateness) / 2
		} else {
			m.lateness -= (m.lateness - late) / 256
		}
	}
}

// noteSent notes that a request has left on schedule. A thread that did not sleep before it learns nothing about its
// lateness, so the estimate sinks until the thread tries again.
func (m *meter) noteSent() {
	if !m.slept {
		m.lateness -= m.lateness / 1024
	}
	m.slept = false
}

// early returns how long before its time the thread is to wake up, in nanoseconds.
func (m *meter) early() int64 {
	if !m.polls {
		return 0
	}
	return min(max(leastEarly, m.lateness+m.lateness/4), mostEarly)
}

// health returns how much the threads were kept from their work; nil if the window never started.
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

// addThreads adds the processor time of each thread of the load; none if the window never started.
func addThreads(c *CPU, engines []*engine) {
	share := 0.0 // of the busiest
	for _, e := range engines {
		from, to := e.meter.readings[0], e.meter.readings[1]
		if e.meter.taken < 2 {
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

// busiest returns the share of the window in which the busiest thread ran, without polling. It is share, which is by
// the threads' own clocks, or the mean of the process if that is larger; nil if the window is too short.
func busiest(c *CPU, share float64) *float64 {
	if c.Length < shortest || len(c.Threads) == 0 {
		return nil
	}
	all := c.User + c.System
	for _, t := range c.Threads {
		all -= t.Polling
	}
	share = min(1, max(share, all.Seconds()/c.Length.Seconds()/float64(len(c.Threads))))
	return &share
}

// coreToSpare reports whether this many threads may poll: each has a core that only we may use, or there is one more
// core than threads if others may use them too, and no quota that polling would use up.
func coreToSpare(threads int) bool {
	var mask unix.CPUSet
	if unix.SchedGetaffinity(0, &mask) != nil {
		return false
	}
	online := 0
	if list, err := os.ReadFile("/sys/devices/system/cpu/online"); err == nil {
		cpus, _ := spec.ParseCPUSet(string(bytes.TrimSpace(list)))
		online = len(cpus)
	}
	quota := 0.0 // none
	if limit, err := os.ReadFile("/sys/fs/cgroup/cpu.max"); err == nil {
		quota = parseQuota(limit)
	}
	return spares(threads, mask.Count(), online, quota)
}

func spares(threads, allowed, online int, quota float64) bool {
	if quota > 0 && quota < float64(threads) {
		return false
	}
	if allowed < online {
		return allowed >= threads
	}
	return allowed > threads
}

// parseQuota returns how many cores a cpu.max allows; 0 for no limit.
func parseQuota(limit []byte) float64 {
	quota, period, _ := bytes.Cut(bytes.TrimSpace(limit), []byte(" "))
	q, err := strconv.ParseFloat(string(quota), 64)
	p, err2 := strconv.ParseFloat(string(period), 64)
	if err != nil || err2 != nil || p <= 0 {
		return 0 // such as "max"
	}
	return q / p
}
