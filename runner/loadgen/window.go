package loadgen

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
	Duration int64 // 0 if only the number of requests ends it
	Start    atomic.Int64

	opening sync.Mutex
	Opened  chan struct{} // closed when start is known
}

func newWindow(duration time.Duration) *window {
	w := &window{Duration: duration.Nanoseconds(), Opened: make(chan struct{})}
	w.Start.Store(unopened)
	return w
}

// OpenAt sets when the window opens, or opened.
func (w *window) OpenAt(t int64) {
	w.Start.Store(t)
	close(w.Opened)
}

// Open opens the window at t, unless it has a start already.
func (w *window) Open(t int64) {
	if w.IsOpen() {
		return
	}
	w.opening.Lock()
	defer w.opening.Unlock()
	if !w.IsOpen() {
		w.OpenAt(t)
	}
}

// IsOpen reports whether the start of the window is known.
func (w *window) IsOpen() bool { return w.Start.Load() != unopened }

// Begun reports whether t is not before the window.
func (w *window) Begun(t int64) bool { return t >= w.Start.Load() }

// Over reports whether t is past the window's duration.
func (w *window) Over(t int64) bool {
	return t >= w.End()
}

// End is the end of the window if it is known, never otherwise.
func (w *window) End() int64 {
	if start := w.Start.Load(); start != unopened && w.Duration > 0 {
		return start + w.Duration
	}
	return math.MaxInt64
}

func (w *window) Contains(t int64) bool { return w.Begun(t) && !w.Over(t) }

// presence adds up how long a client had a request on its way or was thinking in the window.
type presence struct {
	before int64 // the sum up to the last request
	from   int64 // the start of the last request
	to     int64 // the end of it and of the thinking after it
}

// Next notes a request and the thinking after it.
func (p *presence) Next(w *window, o *outcome, think time.Duration) {
	p.before = p.Until(w, o.Start)
	p.from, p.to = o.Start, o.End+think.Nanoseconds()
}

// Until is the sum up to a time that no request but the last may have seen.
func (p *presence) Until(w *window, t int64) int64 {
	return p.before + max(0, min(p.to, t)-max(p.from, w.Start.Load()))
}
