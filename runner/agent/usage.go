//go:build linux

package agent

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
)

// usage is the processor time and memory that processes took.
type usage struct {
	user, system time.Duration
	peak         int64 // memory of the largest of them
}

func usageOf(r *syscall.Rusage) usage {
	return usage{time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano()), r.Maxrss << 10}
}

func (u *usage) add(v usage) {
	u.user += v.user
	u.system += v.system
	u.peak = max(u.peak, v.peak)
}

// ownTime returns the processor time of this process.
func ownTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // it cannot fail with these arguments
	own := usageOf(&r)
	return own.user + own.system
}

// peakOf returns the peak memory of a process, named as in /proc, in bytes; 0 if unknown.
func peakOf(process string) int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(proc.Status(process, "VmHWM"), " kB"), 10, 64)
	return kib << 10
}

// leftBehind returns the usage of processes that a program started and did not wait for, except others. It reaps those
// that have ended.
func leftBehind(others map[int]usage) (sum usage) {
	for {
		var r syscall.Rusage
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, &r)
		if pid <= 0 && err != syscall.EINTR {
			break // no child has ended
		}
		if _, other := others[pid]; pid > 0 && !other {
			sum.add(usageOf(&r))
		}
	}
	for pid, u := range descendants() {
		if _, other := others[pid]; !other {
			u.peak = peakOf(strconv.Itoa(pid))
			sum.add(u)
		}
	}
	return sum
}

// descendants returns the running descendants of this process by their ID, with the processor time of each and of the
// children that it waited for.
func descendants() map[int]usage {
	children, all := map[int][]int{}, map[int]usage{}
	for _, p := range proc.All() {
		children[p.Parent] = append(children[p.Parent], p.PID)
		all[p.PID] = usage{user: p.User + p.ChildUser, system: p.System + p.ChildSystem}
	}
	found := map[int]usage{}
	for todo := children[os.Getpid()]; len(todo) > 0; {
		pid := todo[0]
		found[pid] = all[pid]
		todo = append(todo[1:], children[pid]...)
	}
	return found
}

// watchInterval is how long the watcher sleeps: shorter sleeps would cost the program a noticeable share of a core.
const watchInterval = 100 * time.Millisecond

// watcher measures for how long this process is stopped: a thread sleeps repeatedly, and notes how late it wakes up.
// Time in which it waited for a core does not count, as a program with many threads keeps others waiting.
type watcher struct {
	mu      sync.Mutex
	waits   *os.File // the kernel's count of the thread's waits
	slept   time.Time
	waited  time.Duration // for a core, up to slept
	longest time.Duration
	ended   bool
}

func watch() *watcher {
	w := &watcher{}
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread()                      // waits are counted by thread
		w.waits, _ = proc.OpenThread(unix.Gettid()) // if it fails, so does the look, which ends the watcher
		w.look()
		close(ready)
		for more := true; more; more = w.look() {
			sleep := unix.NsecToTimespec(watchInterval.Nanoseconds())
			_ = unix.Nanosleep(&sleep, nil) // a signal may end it early
		}
	}()
	<-ready
	return w
}

// look notes how late the thread is. It reports false if that is unknown, or the watcher has ended.
func (w *watcher) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	waited, err := proc.Waited(w.waits)
	if err != nil {
		w.ended = true
		return false
	}
	now := time.Now()
	if !w.slept.IsZero() {
		w.longest = max(w.longest, now.Sub(w.slept)-watchInterval-(waited-w.waited))
	}
	w.slept, w.waited = now, waited
	return true
}

// end returns the longest standstill, which may last until now; -1 if unknown.
func (w *watcher) end() time.Duration {
	known := w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	_ = w.waits.Close() // it was only read
	if !known {
		return -1
	}
	return w.longest
}
