package http

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
	start := w.start.Load()
	return w.duration > 0 && start != unopened && t >= start+w.duration
}

func (w *window) contains(t int64) bool { return w.begun(t) && !w.over(t) }

// outcome is what became of one request.
type outcome struct {
	slot       int32 // in engine.connections
	start, end int64
	sent       int64 // when it left, unopened if it never did
	kind       Kind  // empty for a right answer
	status     int   // 0 without a whole answer
	firstByte  int64 // when it came, 0 if none did

	connect     int64 // how long opening its connection took, negative if it opened none
	tls         int64 // how long setting up TLS on it took, negative if it did not
	stale       bool
	unrequested bool
	blocked     bool  // no connection was free when it was due
	bytesIn     int64 // in the window
	bytesOut    int64
}

// none stands for a time that something took that did not happen.
const none = -1

// tally counts outcomes. Each engine has its own; they are merged when all have ended.
type tally struct {
	window *window
	open   bool // the load is an open loop
	secure bool // there are https targets

	warmup            Warmup
	answered          int64
	failures          map[Kind]int64
	status            [1000]int64 // by status
	completed         Completed
	bytesIn, bytesOut int64
	connects          int64
	stale             int64
	unrequested       int64
	sent, blocked     int64
	seconds           []Second
	overhang          []outcome // started before the window, and not over when it started

	latency, failedLatency, connect, firstByte *histogram
	tls                                        *histogram // nil unless secure
	lag, service                               *histogram // nil unless open

	lastStart, lastEnd int64 // of the requests started in the window
}

func newTally(w *window, config *Config) *tally {
	t := &tally{
		window:        w,
		open:          config.Open(),
		secure:        config.secure(),
		failures:      make(map[Kind]int64),
		latency:       newHistogram(config.Timeout),
		failedLatency: newHistogram(config.Timeout),
		connect:       newHistogram(config.Timeout),
		firstByte:     newHistogram(config.Timeout),
	}
	if t.secure {
		t.tls = newHistogram(config.Timeout)
	}
	if t.open {
		t.lag, t.service = newHistogram(config.Timeout), newHistogram(config.Timeout)
	}
	return t
}

// add counts an outcome. It must have ended; the error is that of a histogram.
func (t *tally) add(o *outcome) error {
	if !t.window.begun(o.start) {
		if t.window.begun(o.end) {
			t.overhang = append(t.overhang, *o)
		}
		t.warmup.Attempted++
		if o.kind == "" {
			t.warmup.Answered++
		} else {
			t.warmup.Failed++
		}
		return nil
	}
	t.lastStart, t.lastEnd = max(t.lastStart, o.start), max(t.lastEnd, o.end)
	t.bytesIn += o.bytesIn
	t.bytesOut += o.bytesOut
	t.second(o.start).Attempted++
	if !t.window.over(o.end) {
		t.complete(o)
	}
	if o.status != 0 {
		t.status[o.status]++
	}
	if o.stale {
		t.stale++
	}
	if o.unrequested {
		t.unrequested++
	}
	if o.connect >= 0 {
		t.connects++
		if err := t.connect.add(o.connect); err != nil {
			return err
		}
	}
	if o.tls >= 0 {
		if err := t.tls.add(o.tls); err != nil {
			return err
		}
	}
	if t.open {
		if err := t.scheduled(o); err != nil {
			return err
		}
	}
	if o.kind != "" {
		t.failures[o.kind]++
		return t.failedLatency.add(o.end - o.start)
	}
	t.answered++
	if err := t.firstByte.add(o.firstByte - o.start); err != nil {
		return err
	}
	return t.latency.add(o.end - o.start)
}

// scheduled counts what there is to say of a request that left on schedule, or should have.
func (t *tally) scheduled(o *outcome) error {
	if o.blocked {
		t.blocked++
	}
	if o.sent == unopened {
		return nil
	}
	t.sent++
	if o.kind == "" {
		if err := t.service.add(o.end - o.sent); err != nil {
			return err
		}
	}
	return t.lag.add(o.sent - o.start)
}

// second is the one of the window that a time is in.
func (t *tally) second(at int64) *Second {
	second := int((at - t.window.start.Load()) / int64(time.Second))
	for len(t.seconds) <= second {
		t.seconds = append(t.seconds, Second{})
	}
	return &t.seconds[second]
}

// complete counts an outcome that ended in the window.
func (t *tally) complete(o *outcome) {
	s := t.second(o.end)
	if o.kind != "" {
		t.completed.Failed++
		s.Failed++
		if s.Failures == nil {
			s.Failures = make(map[Kind]int64)
		}
		s.Failures[o.kind]++
		return
	}
	t.completed.Right++
	s.Right++
	s.LatencySum += time.Duration(o.end - o.start)
}

func (s *Second) add(from Second) {
	s.Attempted += from.Attempted
	s.Right += from.Right
	s.Failed += from.Failed
	s.LatencySum += from.LatencySum
	for kind, n := range from.Failures {
		if s.Failures == nil {
			s.Failures = make(map[Kind]int64)
		}
		s.Failures[kind] += n
	}
}

// merge adds what another tally of the same window has counted.
func (t *tally) merge(from *tally) error {
	t.warmup.Attempted += from.warmup.Attempted
	t.warmup.Answered += from.warmup.Answered
	t.warmup.Failed += from.warmup.Failed
	t.answered += from.answered
	for kind, n := range from.failures {
		t.failures[kind] += n
	}
	for status, n := range from.status {
		t.status[status] += n
	}
	t.sent += from.sent
	t.blocked += from.blocked
	t.completed.Right += from.completed.Right
	t.completed.Failed += from.completed.Failed
	t.bytesIn += from.bytesIn
	t.bytesOut += from.bytesOut
	t.connects += from.connects
	t.stale += from.stale
	t.unrequested += from.unrequested
	for i, s := range from.seconds {
		if i == len(t.seconds) {
			t.seconds = append(t.seconds, Second{})
		}
		t.seconds[i].add(s)
	}
	t.overhang = append(t.overhang, from.overhang...)
	t.lastStart, t.lastEnd = max(t.lastStart, from.lastStart), max(t.lastEnd, from.lastEnd)
	for _, h := range []struct{ to, from *histogram }{
		{t.latency, from.latency}, {t.failedLatency, from.failedLatency},
		{t.connect, from.connect}, {t.firstByte, from.firstByte}, {t.tls, from.tls},
		{t.lag, from.lag}, {t.service, from.service},
	} {
		if h.to == nil {
			continue
		}
		if err := h.to.merge(h.from); err != nil {
			return err
		}
	}
	return nil
}

// result writes down what was counted, given how many requests were wanted, 0 for any number.
func (t *tally) result(wanted int64) (*Result, error) {
	attempted := t.latency.count + t.failedLatency.count
	ending, length := EndedByDuration, time.Duration(t.window.duration)
	if wanted > 0 && attempted == wanted && !t.window.over(t.lastEnd) {
		ending, length = EndedByRequests, time.Duration(t.lastEnd-t.window.start.Load())
	}
	// Only now is it known where a window that is ended by its last request ends. What an overhanging request
	// received is not known finely enough to be cut there, so it counts whole or not at all.
	for i := range t.overhang {
		o := &t.overhang[i]
		inside := !t.window.over(o.end) && (ending == EndedByDuration || o.end <= t.lastEnd)
		if inside {
			t.complete(o)
		}
		if inside || ending == EndedByDuration {
			t.bytesIn += o.bytesIn
			t.bytesOut += o.bytesOut
		}
	}
	r := &Result{
		SchemaVersion: SchemaVersion,
		Semantics:     Semantics,
		EndedBy:       ending,
		Length:        length,
		Attempted:     attempted,
		Answered:      t.answered,
		Failures:      make(map[Kind]int64),
		Status:        make(map[int]int64),
		Completed:     t.completed,
		BytesIn:       t.bytesIn,
		BytesOut:      t.bytesOut,
		Connects:      t.connects,
		Stale:         t.stale,
		Unrequested:   t.unrequested,
		Warmup:        t.warmup,
	}
	for _, kind := range kinds {
		r.Failures[kind] = t.failures[kind]
		r.Failed += t.failures[kind]
	}
	for status, n := range t.status {
		if n > 0 {
			r.Status[status] = n
		}
	}
	if t.open {
		r.Due, r.Sent, r.Blocked = attempted, t.sent, t.blocked
		r.Offered = float64(attempted) / length.Seconds()
		r.Lag, r.Service = new(Distribution), new(Distribution)
	}
	if t.secure {
		r.TLSSetup = new(Distribution)
	}
	r.Seconds = make([]Second, max(1, (length+time.Second-1)/time.Second))
	for i, s := range t.seconds {
		// The completion that ends the window belongs to it, even on the stroke of a second.
		r.Seconds[min(i, len(r.Seconds)-1)].add(s)
	}
	var err error
	for _, h := range []struct {
		to   *Distribution
		from *histogram
	}{
		{&r.Latency, t.latency}, {&r.FailedLatency, t.failedLatency},
		{&r.Connect, t.connect}, {&r.FirstByte, t.firstByte}, {r.TLSSetup, t.tls},
		{r.Lag, t.lag}, {r.Service, t.service},
	} {
		if h.to == nil {
			continue
		}
		if *h.to, err = h.from.distribution(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

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
