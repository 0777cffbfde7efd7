//go:build linux

package timing

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// every is how long the watcher sleeps at a time: shorter sleeps would cost the program a noticeable share of a core.
const every = 100 * time.Millisecond

// watcher finds out how long this process stands still: a thread sleeps, again and again, and looks how late it wakes
// up. Waiting for a core is left out: a program with many threads keeps others waiting, and that is no error.
type watcher struct {
	mu      sync.Mutex
	waits   *os.File // what the kernel knows of the thread's waiting; nil where it does not tell
	slept   time.Time
	waited  time.Duration // for a core, up to then
	longest time.Duration
	ended   bool
}

// watch begins to watch this process.
func watch() *watcher {
	w := &watcher{}
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread() // it is the thread whose waits are known
		w.waits, _ = proc.OpenThread(unix.Gettid())
		w.look()
		close(ready)
		for {
			sleep := unix.NsecToTimespec(every.Nanoseconds())
			_ = unix.Nanosleep(&sleep, nil) // a signal that ends it early does no harm
			if !w.look() {
				return
			}
		}
	}()
	<-ready
	return w
}

// look notes how late it is, and says whether to go on.
func (w *watcher) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.waits == nil {
		return false
	}
	waited, err := proc.Waited(w.waits)
	if err != nil {
		w.waits.Close()
		w.waits = nil
		return false
	}
	now := time.Now()
	if !w.slept.IsZero() {
		w.longest = max(w.longest, now.Sub(w.slept)-every-(waited-w.waited))
	}
	w.slept, w.waited = now, waited
	return true
}

// end gives the longest standstill, which may go on to this moment; -1 if the kernel does not tell.
func (w *watcher) end() time.Duration {
	told := w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if !told {
		return -1
	}
	w.waits.Close()
	return w.longest
}
