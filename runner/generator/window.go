package generator

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// unopened is the start of a window that has not started yet.
const unopened = math.MaxInt64

// window decides what is measured. Times are in nanoseconds of the run's clock.
//
// With a duration alone it opens by the clock; with a number of requests it is opened by the first of them. Every
// answer it gives about a time that has passed is final.
type window struct {
	duration int64 // 0 if only the number of requests ends it
	start    atomic.Int64

	opening sync.Mutex
	opened  chan struct{} // closed when start is known
}

func newWindow(duration time.Duration) *window {
	w := &window{duration: duration.Nanoseconds(), opened: make(chan struct{})}
	w.start.Store(unopened)
	return w
}

// openAt sets when the window opens, or opened.
func (w *window) openAt(t int64) {
	w.start.Store(t)
	close(w.opened)
}

// open opens the window at t, unless it has a start already.
func (w *window) open(t int64) {
	if w.isOpen() {
		return
	}
	w.opening.Lock()
	defer w.opening.Unlock()
	if !w.isOpen() {
		w.openAt(t)
	}
}

// isOpen reports whether the start of the window is known.
func (w *window) isOpen() bool { return w.start.Load() != unopened }

// begun reports whether t is not before the window.
func (w *window) begun(t int64) bool { return t >= w.start.Load() }

// over reports whether t is past the window's duration.
func (w *window) over(t int64) bool {
	return t >= w.end()
}

// end is the end of the window if it is known, never otherwise.
func (w *window) end() int64 {
	if start := w.start.Load(); start != unopened && w.duration > 0 {
		return start + w.duration
	}
	return math.MaxInt64
}

func (w *window) contains(t int64) bool { return w.begun(t) && !w.over(t) }

// presence adds up how long a client had a request on its way or was thinking in the window.
type presence struct {
	before int64 // the sum up to the last request
	from   int64 // the start of the last request
	to     int64 // the end of it and of the thinking after it
}

// next notes a request and the thinking after it.
func (p *presence) next(w *window, o *outcome, think time.Duration) {
	p.before = p.until(w, o.start)
	p.from, p.to = o.start, o.end+think.Nanoseconds()
}

// until is the sum up to a time that no request but the last may have seen.
func (p *presence) until(w *window, t int64) int64 {
	return p.before + max(0, min(p.to, t)-max(p.from, w.start.Load()))
}
