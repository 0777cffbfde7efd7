//go:build linux

package agent

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
)

// watchInterval is how long the watcher sleeps: shorter sleeps would cost the program a noticeable share of a core.
const watchInterval = 100 * time.Millisecond

// watcher measures for how long this process is stopped: a thread sleeps, again and again, and looks how late it wakes
// up. Time for which it waited for a core does not count, as a program with many threads keeps others waiting.
type watcher struct {
	mu      sync.Mutex
	waits   *os.File // what the kernel counts of the thread's waits
	slept   time.Time
	waited  time.Duration // for a core, until then
	longest time.Duration
	ended   bool
}

func watch() *watcher {
	w := &watcher{}
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread()                      // whose waits are counted
		w.waits, _ = proc.OpenThread(unix.Gettid()) // fails as reading would, which ends it
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

// look notes how late it is. It reports false if that is not known, or nobody wants to know it any more.
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
