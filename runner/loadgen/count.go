package loadgen

import (
	"math"
	"sync/atomic"
	"time"
)

// outcome is how one request ended. Times are in nanoseconds of the run's clock.
type outcome struct {
	slot       int32 // of its connection
	target     int32 // index in Config.Targets
	start, end int64 // it starts when it is sent or, in an open loop, due
	sent       int64 // NeverSent if it was not
	late       int64 // in an open loop, how long it was due and not sent although a connection was free
	kind       Kind  // empty for a right answer
	status     int   // 0 without a whole answer
	firstByte  int64 // 0 if none came

	connect     int64 // how long opening its connection took; none if it reused one
	tls         int64 // how long the handshake took; none without one
	stale       bool  // its kept connection had been closed, so it was sent again
	unrequested bool  // bytes came after an answer, so its connection was closed
	cut         bool  // it was under way when the window ended, and ended then
	bytesIn     int64 // in the window
	bytesOut    int64
}

const (
	// none is the length of something that did not happen, and the end of a list of connections.
	none = -1

	// NeverSent is the sending time of a request that was never sent.
	NeverSent = math.MaxInt64

	// never is a time that never comes.
	never = math.MaxInt64
)

// window is the time that is measured, in nanoseconds of the run's clock. What it says about a past time is final. It
// opens at a set time or, if a number of requests ends it, with the first of them.
type window struct {
	duration int64         // 0 if only the number of requests ends it
	start    atomic.Int64  // never until it is known
	opened   chan struct{} // closed when the start is known
}

func newWindow(duration time.Duration) *window {
	w := &window{duration: duration.Nanoseconds(), opened: make(chan struct{})}
	w.start.Store(never)
	return w
}

// openAt opens the window at t, unless it has a start already.
func (w *window) openAt(t int64) {
	if !w.isOpen() && w.start.CompareAndSwap(never, t) {
		close(w.opened)
	}
}

func (w *window) isOpen() bool          { return w.start.Load() != never }
func (w *window) hasBegun(t int64) bool { return t >= w.start.Load() }
func (w *window) isOver(t int64) bool   { return t >= w.end() }
func (w *window) contains(t int64) bool { return w.hasBegun(t) && !w.isOver(t) }

// end returns when the window ends; never if that is not known.
func (w *window) end() int64 {
	if start := w.start.Load(); start != never && w.duration > 0 {
		return start + w.duration
	}
	return never
}

// presence adds up how long a client had a request under way, or was thinking, in the window.
type presence struct {
	before   int64 // the sum up to the last request
	from, to int64 // from the start of the last request to the end of the thinking after it
}

// next adds a request and the thinking after it.
func (p *presence) next(w *window, o *outcome, think time.Duration) {
	p.before = p.until(w, o.start)
	p.from, p.to = o.start, o.end+think.Nanoseconds()
}

// until returns the sum up to t. All requests but the last have ended by then.
func (p *presence) until(w *window, t int64) int64 {
	return p.before + max(0, min(p.to, t)-max(p.from, w.start.Load()))
}

// tally counts outcomes. Each engine has one; they are merged when all have ended.
//
// Source: docs/method.md#definitions.
type tally struct {
	window *window
	open   bool // the load is an open loop

	found      Result
	status     [1000]int64               // answers by status
	overhang   []outcome                 // started before the window and ended after its start, or cut
	histograms [distributions]*histogram // nil if the load has none

	lastStart, lastEnd int64 // of the requests started in the window
}

// Indexes of tally.histograms.
const (
	latencies = iota
	failedLatencies
	connectTimes
	firstBytes
	handshakeTimes
	lags
	lates
	serviceTimes
	cutAges // how long requests were under way when they were cut
	distributions
)

func newTally(w *window, config *Config) *tally {
	t := &tally{window: w, open: config.Open(), found: Result{SchemaVersion: SchemaVersion, Semantics: Semantics,
		Failures: make(map[Kind]int64), Status: make(map[int]int64), Overlap: new(Overlap)}}
	for i, used := range [distributions]bool{true, true, true, true, config.secure(), t.open, t.open, t.open, config.Cut} {
		if used {
			t.histograms[i] = newHistogram(config.Timeout)
		}
	}
	return t
}

// add counts a request that has ended.
func (t *tally) add(o *outcome) {
	if !t.window.hasBegun(o.start) {
		t.addWarmup(o)
		return
	}
	r := &t.found
	r.BytesIn += o.bytesIn
	r.BytesOut += o.bytesOut
	if o.connect >= 0 {
		r.Connects++
		t.histograms[connectTimes].add(o.connect)
	}
	if o.tls >= 0 {
		t.histograms[handshakeTimes].add(o.tls)
	}
	if o.cut {
		t.overhang = append(t.overhang, *o)
		return
	}
	t.addOverlap(o, t.window.end())
	t.lastStart, t.lastEnd = max(t.lastStart, o.start), max(t.lastEnd, o.end)
	t.second(o.start).Attempted++
	if !t.window.isOver(o.end) {
		t.addCompleted(o)
	}
	t.status[o.status]++ // 0 is left out of the result
	if o.stale {
		r.Stale++
	}
	if o.unrequested {
		r.Unrequested++
	}
	if t.open {
		t.addScheduled(o)
	}
	if o.kind != "" {
		r.Failures[o.kind]++
		t.histograms[failedLatencies].add(o.end - o.start)
		return
	}
	r.Answered++
	t.histograms[firstBytes].add(o.firstByte - o.start)
	t.histograms[latencies].add(o.end - o.start)
}

func (t *tally) addWarmup(o *outcome) {
	if t.window.hasBegun(o.end) {
		t.overhang = append(t.overhang, *o)
	}
	if o.cut {
		return
	}
	if o.kind == "" {
		t.found.Warmup.Answered++
	} else {
		t.found.Warmup.Failed++
	}
}

// addScheduled counts what only requests of an open loop have.
func (t *tally) addScheduled(o *outcome) {
	t.histograms[lates].add(o.late)
	if min(o.sent, o.end)-o.start > o.late {
		t.found.Blocked++
	}
	if o.sent == NeverSent {
		return
	}
	if o.kind == "" {
		t.histograms[serviceTimes].add(o.end - o.sent)
	}
	t.found.Sent++
	t.histograms[lags].add(o.sent - o.start)
}

// second returns the second of the window that a time is in.
func (t *tally) second(at int64) *Second {
	second := int((at - t.window.start.Load()) / int64(time.Second))
	t.grow(second + 1)
	return &t.found.Seconds[second]
}

func (t *tally) grow(seconds int) {
	for len(t.found.Seconds) < seconds {
		t.found.Seconds = append(t.found.Seconds, Second{})
	}
}

// addOverlap adds the share of a request that lies in the window up to end. Only requests across a boundary need a
// division.
func (t *tally) addOverlap(o *outcome, end int64) {
	inside, whole := min(o.end, end)-max(o.start, t.window.start.Load()), o.end-o.start
	share := int64(WholeRequest)
	switch {
	case inside == whole:
	case inside <= 0:
		return
	default:
		share = int64(math.Round(WholeRequest * (float64(inside) / float64(whole))))
	}
	t.found.Overlap.Time += time.Duration(inside)
	switch {
	case o.cut: // its whole length is not known: see result
	case o.kind == "":
		t.found.Overlap.Right += share
	default:
		t.found.Overlap.Failed += share
	}
}

// addCompleted counts a request that ended in the window.
func (t *tally) addCompleted(o *outcome) {
	s := t.second(o.end)
	if o.kind == "" {
		s.Right++
		s.LatencySum += time.Duration(o.end - o.start)
		return
	}
	s.Failed++
	if s.Failures == nil {
		s.Failures = make(map[Kind]int64)
	}
	s.Failures[o.kind]++
}

// merge adds what another tally of the same window has counted.
func (t *tally) merge(from *tally) {
	t.grow(len(from.found.Seconds))
	t.found.add(&from.found)
	for status, n := range from.status {
		t.status[status] += n
	}
	t.overhang = append(t.overhang, from.overhang...)
	t.lastStart, t.lastEnd = max(t.lastStart, from.lastStart), max(t.lastEnd, from.lastEnd)
	for i, h := range t.histograms {
		if h != nil {
			h.merge(from.histograms[i])
		}
	}
}

// result returns what was counted. wanted is the number of requests that ends the window, 0 if none does.
func (t *tally) result(wanted int64) *Result {
	r := &t.found
	for _, kind := range Kinds {
		n := r.Failures[kind]
		r.Failed, r.Failures[kind] = r.Failed+n, n
	}
	r.Attempted, r.Warmup.Attempted = r.Answered+r.Failed, r.Warmup.Answered+r.Warmup.Failed
	r.EndedBy, r.Length = EndedByDuration, time.Duration(t.window.duration)
	if wanted > 0 && r.Attempted == wanted && !t.window.isOver(t.lastEnd) {
		r.EndedBy, r.Length = EndedByRequests, time.Duration(t.lastEnd-t.window.start.Load())
	}
	t.addOverhang()
	if cut := t.histograms[cutAges]; cut != nil && r.Attempted > 0 {
		right := float64(r.Answered) / float64(r.Attempted)
		r.Overlap.Right += int64(math.Round(WholeRequest * right * t.histograms[latencies].sharesOf(cut)))
	}
	for status, n := range t.status[1:] {
		if n > 0 {
			r.Status[status+1] = n
		}
	}
	counted := r.Seconds
	r.Seconds = make([]Second, max(1, (r.Length+time.Second-1)/time.Second))
	r.addSeconds(counted) // the answer that ends the window belongs to it, even on the stroke of a second
	for i := range r.Seconds {
		r.Completed.Right += r.Seconds[i].Right
		r.Completed.Failed += r.Seconds[i].Failed
	}
	if t.open {
		r.Due, r.Offered = r.Attempted, float64(r.Attempted)/r.Length.Seconds()
	}
	h := &t.histograms
	r.Latency, r.FailedLatency = *h[latencies].distribution(), *h[failedLatencies].distribution()
	r.Connect, r.FirstByte = *h[connectTimes].distribution(), *h[firstBytes].distribution()
	r.TLSSetup, r.Cut = h[handshakeTimes].distribution(), h[cutAges].distribution()
	r.Lag, r.Late, r.Service = h[lags].distribution(), h[lates].distribution(), h[serviceTimes].distribution()
	return r
}

// addOverhang counts requests that started before the window and ended after its start, and cut ones. Only now is the
// end of a window known that its last request ends. Bytes have no times, so those of a request count all or not at all.
func (t *tally) addOverhang() {
	timed, end := t.found.EndedBy == EndedByDuration, t.window.end()
	if !timed {
		end = t.lastEnd
	}
	for i := range t.overhang {
		o := &t.overhang[i]
		if o.cut {
			t.addCut(o, end)
			continue
		}
		t.addOverlap(o, end)
		inside := !t.window.isOver(o.end) && (timed || o.end <= t.lastEnd)
		if inside {
			t.addCompleted(o)
		}
		if inside || timed {
			t.found.BytesIn += o.bytesIn
			t.found.BytesOut += o.bytesOut
		}
	}
}

// addCut counts a request that was under way when the window ended. Engines learn of that end a little later, and may
// start requests after it.
func (t *tally) addCut(o *outcome, end int64) {
	if o.end = min(o.end, end); o.start >= o.end {
		return
	}
	t.addOverlap(o, end)
	if t.window.hasBegun(o.start) {
		t.histograms[cutAges].add(o.end - o.start)
	}
}

// add adds the counts of another engine.
func (r *Result) add(from *Result) {
	for kind, n := range from.Failures {
		r.Failures[kind] += n
	}
	for _, n := range []struct{ to, from *int64 }{
		{&r.Answered, &from.Answered}, {&r.Sent, &from.Sent}, {&r.Blocked, &from.Blocked},
		{&r.BytesIn, &from.BytesIn}, {&r.BytesOut, &from.BytesOut}, {&r.Connects, &from.Connects},
		{&r.Stale, &from.Stale}, {&r.Unrequested, &from.Unrequested},
		{&r.Warmup.Answered, &from.Warmup.Answered}, {&r.Warmup.Failed, &from.Warmup.Failed},
		{&r.Overlap.Right, &from.Overlap.Right}, {&r.Overlap.Failed, &from.Overlap.Failed},
		{(*int64)(&r.Overlap.Time), (*int64)(&from.Overlap.Time)},
	} {
		*n.to += *n.from
	}
	r.addSeconds(from.Seconds)
}

// addSeconds adds counts to the seconds of r, and those beyond its last to the last.
func (r *Result) addSeconds(seconds []Second) {
	for i, from := range seconds {
		s := &r.Seconds[min(i, len(r.Seconds)-1)]
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
}
