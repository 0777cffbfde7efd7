package generator

import (
	"math"
	"time"

	"benchbook/runner/load/http"
)

// outcome is what became of one request.
type outcome struct {
	slot       int32 // in engine.connections
	start, end int64
	sent       int64     // when it left, unopened if it never did
	kind       http.Kind // empty for a right answer
	status     int       // 0 without a whole answer
	firstByte  int64     // when it came, 0 if none did

	connect     int64 // how long opening its connection took, negative if it opened none
	tls         int64 // how long setting up TLS on it took, negative if it did not
	stale       bool
	unrequested bool
	blocked     bool  // no connection was free when it was due
	cut         bool  // the window was over before it ended: end is when it was cut
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

	found    http.Result // what can be counted while the load runs
	status   [1000]int64 // answers by status
	overhang []outcome   // started before the window, and not over when it started

	latency, failedLatency, connect, firstByte *http.Histogram
	tls                                        *http.Histogram // nil unless secure
	cut                                        *http.Histogram // how long it was until then; nil unless some may be cut
	lag, service                               *http.Histogram // nil unless open

	lastStart, lastEnd int64 // of the requests started in the window
}

func newTally(w *window, config *http.Config) *tally {
	t := &tally{window: w, open: config.Open(), secure: config.Secure(), found: http.NewResult()}
	t.found.Overlap = new(http.Overlap)
	histograms := []**http.Histogram{&t.latency, &t.failedLatency, &t.connect, &t.firstByte}
	if t.secure {
		histograms = append(histograms, &t.tls)
	}
	if t.open {
		histograms = append(histograms, &t.lag, &t.service)
	}
	if config.Cut {
		histograms = append(histograms, &t.cut)
	}
	for _, h := range histograms {
		*h = http.NewHistogram(config.Timeout)
	}
	return t
}

// add counts an outcome. It must have ended.
func (t *tally) add(o *outcome) {
	if !t.window.begun(o.start) {
		t.addWarmup(o)
		return
	}
	t.found.BytesIn += o.bytesIn
	t.found.BytesOut += o.bytesOut
	if o.connect >= 0 {
		t.found.Connects++
		t.connect.Add(o.connect)
	}
	if o.tls >= 0 {
		t.tls.Add(o.tls)
	}
	t.overlap(o, t.window.end())
	if o.cut {
		t.cut.Add(max(0, o.end-o.start)) // another engine may have ended the window while this one started it
		return
	}
	t.lastStart, t.lastEnd = max(t.lastStart, o.start), max(t.lastEnd, o.end)
	t.second(o.start).Attempted++
	if !t.window.over(o.end) {
		t.complete(o)
	}
	if o.status != 0 {
		t.status[o.status]++
	}
	if o.stale {
		t.found.Stale++
	}
	if o.unrequested {
		t.found.Unrequested++
	}
	if t.open {
		t.addScheduled(o)
	}
	if o.kind != "" {
		t.found.Failures[o.kind]++
		t.failedLatency.Add(o.end - o.start)
		return
	}
	t.found.Answered++
	t.firstByte.Add(o.firstByte - o.start)
	t.latency.Add(o.end - o.start)
}

// addWarmup counts an outcome that was started before the window.
func (t *tally) addWarmup(o *outcome) {
	if t.window.begun(o.end) {
		t.overhang = append(t.overhang, *o)
	}
	if o.cut {
		return
	}
	t.found.Warmup.Attempted++
	if o.kind == "" {
		t.found.Warmup.Answered++
	} else {
		t.found.Warmup.Failed++
	}
}

// addScheduled counts what there is to say of a request that left on schedule, or should have.
func (t *tally) addScheduled(o *outcome) {
	if o.blocked {
		t.found.Blocked++
	}
	if o.sent == unopened {
		return
	}
	t.found.Sent++
	if o.kind == "" {
		t.service.Add(o.end - o.sent)
	}
	t.lag.Add(o.sent - o.start)
}

// second is the one of the window that a time is in.
func (t *tally) second(at int64) *http.Second {
	second := int((at - t.window.start.Load()) / int64(time.Second))
	t.grow(second + 1)
	return &t.found.Seconds[second]
}

func (t *tally) grow(seconds int) {
	for len(t.found.Seconds) < seconds {
		t.found.Seconds = append(t.found.Seconds, http.Second{})
	}
}

// overlap adds how much of a request lies in a window that ends at a moment. It is asked of every request: only those
// that an end of the window cuts take a division.
//
// Source: docs/method.md#definitions.
func (t *tally) overlap(o *outcome, until int64) {
	inside, whole := min(o.end, until)-max(o.start, t.window.start.Load()), o.end-o.start
	share := int64(http.WholeRequest)
	switch {
	case inside == whole:
	case inside <= 0:
		return
	default:
		share = int64(math.Round(http.WholeRequest * (float64(inside) / float64(whole))))
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

// complete counts an outcome that ended in the window.
func (t *tally) complete(o *outcome) {
	s := t.second(o.end)
	if o.kind == "" {
		t.found.Completed.Right++
		s.Right++
		s.LatencySum += time.Duration(o.end - o.start)
		return
	}
	t.found.Completed.Failed++
	s.Failed++
	if s.Failures == nil {
		s.Failures = make(map[http.Kind]int64)
	}
	s.Failures[o.kind]++
}

// merge adds what another tally of the same window has counted.
func (t *tally) merge(from *tally) {
	t.grow(len(from.found.Seconds))
	t.found.Add(&from.found)
	for status, n := range from.status {
		t.status[status] += n
	}
	t.overhang = append(t.overhang, from.overhang...)
	t.lastStart, t.lastEnd = max(t.lastStart, from.lastStart), max(t.lastEnd, from.lastEnd)
	for name, h := range t.histograms() {
		if h != nil {
			h.Merge(from.histograms()[name])
		}
	}
}

// histograms are those of Result.distributions.
func (t *tally) histograms() map[string]*http.Histogram {
	return map[string]*http.Histogram{
		"latency": t.latency, "failed latency": t.failedLatency, "connect": t.connect, "first byte": t.firstByte,
		"TLS setup": t.tls, "lag": t.lag, "service": t.service, "cut": t.cut,
	}
}

// result writes down what was counted, given how many requests were wanted, 0 for any number.
func (t *tally) result(wanted int64) (*http.Result, error) {
	r := &t.found
	for _, kind := range http.Kinds {
		n := r.Failures[kind]
		r.Failed, r.Failures[kind] = r.Failed+n, n
	}
	r.Attempted = r.Answered + r.Failed
	r.EndedBy, r.Length = http.EndedByDuration, time.Duration(t.window.duration)
	if wanted > 0 && r.Attempted == wanted && !t.window.over(t.lastEnd) {
		r.EndedBy, r.Length = http.EndedByRequests, time.Duration(t.lastEnd-t.window.start.Load())
	}
	t.addOverhang()
	if t.cut != nil && r.Attempted > 0 {
		right := float64(r.Answered) / float64(r.Attempted)
		r.Overlap.Right += int64(math.Round(http.WholeRequest * right * t.latency.SharesOf(t.cut)))
	}
	for status, n := range t.status {
		if n > 0 {
			r.Status[status] = n
		}
	}
	counted := r.Seconds
	r.Seconds = make([]http.Second, max(1, (r.Length+time.Second-1)/time.Second))
	r.AddSeconds(counted) // the completion that ends the window belongs to it, even on the stroke of a second
	if t.open {
		r.Due, r.Offered = r.Attempted, float64(r.Attempted)/r.Length.Seconds()
		r.Lag, r.Service = new(http.Distribution), new(http.Distribution)
	}
	if t.secure {
		r.TLSSetup = new(http.Distribution)
	}
	if t.cut != nil {
		r.Cut = new(http.Distribution)
	}
	var err error
	for name, d := range r.Distributions() {
		if d == nil {
			continue
		}
		if *d, err = t.histograms()[name].Distribution(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// addOverhang counts what was started before the window and ended in it or after it. Only now is it known where a
// window that is ended by its last request ends. What an overhanging request received is not known finely enough to be
// cut there, so it counts whole or not at all.
func (t *tally) addOverhang() {
	timed, until := t.found.EndedBy == http.EndedByDuration, t.window.end()
	if !timed {
		until = t.lastEnd
	}
	for i := range t.overhang {
		o := &t.overhang[i]
		t.overlap(o, until)
		inside := !o.cut && !t.window.over(o.end) && (timed || o.end <= t.lastEnd)
		if inside {
			t.complete(o)
		}
		if inside || timed {
			t.found.BytesIn += o.bytesIn
			t.found.BytesOut += o.bytesOut
		}
	}
}
