package loadgen

import (
	"math"
	"time"
)

// outcome is what became of one request.
type outcome struct {
	Slot       int32 // that of its connection
	Target     int32 // which of the config's it was for
	Start, End int64
	Sent       int64 // when it left, NeverSent if it never did
	Kind       Kind  // empty for a right answer
	Status     int   // 0 without a whole answer
	FirstByte  int64 // when it came, 0 if none did

	Connect     int64 // how long opening its connection took, negative if it opened none
	TLS         int64 // how long setting up TLS on it took, negative if it did not
	Stale       bool
	Unrequested bool
	Blocked     bool  // no connection was free when it was due
	Cut         bool  // the window was over before it ended: end is when it was cut
	BytesIn     int64 // in the window
	BytesOut    int64
}

// none stands for a time that something took that did not happen, NeverSent for when a request was sent that never was.
const (
	none      = -1
	NeverSent = math.MaxInt64
)

// tally counts outcomes. Each engine has its own; they are merged when all have ended.
type tally struct {
	window *window
	open   bool // the load is an open loop
	secure bool // there are https targets

	Found    Result      // what can be counted while the load runs
	status   [1000]int64 // answers by status
	overhang []outcome   // started before the window, and not over when it started; or cut

	latency, failedLatency, connect, firstByte *Histogram
	tls                                        *Histogram // nil unless secure
	cut                                        *Histogram // how long it was until then; nil unless some may be cut
	lag, service                               *Histogram // nil unless open

	LastStart, lastEnd int64 // of the requests started in the window
}

func newTally(w *window, config *Config) *tally {
	t := &tally{window: w, open: config.Open(), secure: config.Secure(), Found: NewResult()}
	t.Found.Overlap = new(Overlap)
	histograms := []**Histogram{&t.latency, &t.failedLatency, &t.connect, &t.firstByte}
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
		*h = newHistogram(config.Timeout)
	}
	return t
}

// Add counts an outcome. It must have ended.
func (t *tally) Add(o *outcome) {
	if !t.window.Begun(o.Start) {
		t.addWarmup(o)
		return
	}
	t.Found.BytesIn += o.BytesIn
	t.Found.BytesOut += o.BytesOut
	if o.Connect >= 0 {
		t.Found.Connects++
		t.connect.Add(o.Connect)
	}
	if o.TLS >= 0 {
		t.tls.Add(o.TLS)
	}
	if o.Cut {
		t.overhang = append(t.overhang, *o)
		return
	}
	t.Overlap(o, t.window.End())
	t.LastStart, t.lastEnd = max(t.LastStart, o.Start), max(t.lastEnd, o.End)
	t.second(o.Start).Attempted++
	if !t.window.Over(o.End) {
		t.Complete(o)
	}
	if o.Status != 0 {
		t.status[o.Status]++
	}
	if o.Stale {
		t.Found.Stale++
	}
	if o.Unrequested {
		t.Found.Unrequested++
	}
	if t.open {
		t.addScheduled(o)
	}
	if o.Kind != "" {
		t.Found.Failures[o.Kind]++
		t.failedLatency.Add(o.End - o.Start)
		return
	}
	t.Found.Answered++
	t.firstByte.Add(o.FirstByte - o.Start)
	t.latency.Add(o.End - o.Start)
}

// addWarmup counts an outcome that was started before the window.
func (t *tally) addWarmup(o *outcome) {
	if t.window.Begun(o.End) {
		t.overhang = append(t.overhang, *o)
	}
	if o.Cut {
		return
	}
	t.Found.Warmup.Attempted++
	if o.Kind == "" {
		t.Found.Warmup.Answered++
	} else {
		t.Found.Warmup.Failed++
	}
}

// addScheduled counts what there is to say of a request that left on schedule, or should have.
func (t *tally) addScheduled(o *outcome) {
	if o.Blocked {
		t.Found.Blocked++
	}
	if o.Sent == NeverSent {
		return
	}
	if o.Kind == "" {
		t.service.Add(o.End - o.Sent)
	}
	t.Found.Sent++
	t.lag.Add(o.Sent - o.Start)
}

// second is the one of the window that a time is in.
func (t *tally) second(at int64) *Second {
	second := int((at - t.window.Start.Load()) / int64(time.Second))
	t.grow(second + 1)
	return &t.Found.Seconds[second]
}

func (t *tally) grow(seconds int) {
	for len(t.Found.Seconds) < seconds {
		t.Found.Seconds = append(t.Found.Seconds, Second{})
	}
}

// Overlap adds how much of a request lies in a window that ends at a moment. It is asked of every request: only those
// that an end of the window cuts take a division.
//
// Source: docs/method.md#definitions.
func (t *tally) Overlap(o *outcome, until int64) {
	inside, whole := min(o.End, until)-max(o.Start, t.window.Start.Load()), o.End-o.Start
	share := int64(WholeRequest)
	switch {
	case inside == whole:
	case inside <= 0:
		return
	default:
		share = int64(math.Round(WholeRequest * (float64(inside) / float64(whole))))
	}
	t.Found.Overlap.Time += time.Duration(inside)
	switch {
	case o.Cut: // its whole length is not known: see result
	case o.Kind == "":
		t.Found.Overlap.Right += share
	default:
		t.Found.Overlap.Failed += share
	}
}

// Complete counts an outcome that ended in the window.
func (t *tally) Complete(o *outcome) {
	s := t.second(o.End)
	if o.Kind == "" {
		t.Found.Completed.Right++
		s.Right++
		s.LatencySum += time.Duration(o.End - o.Start)
		return
	}
	t.Found.Completed.Failed++
	s.Failed++
	if s.Failures == nil {
		s.Failures = make(map[Kind]int64)
	}
	s.Failures[o.Kind]++
}

// Merge adds what another tally of the same window has counted.
func (t *tally) Merge(from *tally) {
	t.grow(len(from.Found.Seconds))
	t.Found.add(&from.Found)
	for status, n := range from.status {
		t.status[status] += n
	}
	t.overhang = append(t.overhang, from.overhang...)
	t.LastStart, t.lastEnd = max(t.LastStart, from.LastStart), max(t.lastEnd, from.lastEnd)
	for name, h := range t.histograms() {
		if h != nil {
			h.Merge(from.histograms()[name])
		}
	}
}

// histograms are those of Result.distributions.
func (t *tally) histograms() map[string]*Histogram {
	all := map[string]*Histogram{
		"latency": t.latency, "failed latency": t.failedLatency, "connect": t.connect, "first byte": t.firstByte,
		"TLS setup": t.tls, "lag": t.lag, "service": t.service, "cut": t.cut,
	}
	return all
}

// Result writes down what was counted, given how many requests were wanted, 0 for any number.
func (t *tally) Result(wanted int64) (*Result, error) {
	r := &t.Found
	for _, kind := range Kinds {
		n := r.Failures[kind]
		r.Failed, r.Failures[kind] = r.Failed+n, n
	}
	r.Attempted = r.Answered + r.Failed
	r.EndedBy, r.Length = EndedByDuration, time.Duration(t.window.Duration)
	if wanted > 0 && r.Attempted == wanted && !t.window.Over(t.lastEnd) {
		r.EndedBy, r.Length = EndedByRequests, time.Duration(t.lastEnd-t.window.Start.Load())
	}
	t.addOverhang()
	if t.cut != nil && r.Attempted > 0 {
		right := float64(r.Answered) / float64(r.Attempted)
		r.Overlap.Right += int64(math.Round(WholeRequest * right * t.latency.sharesOf(t.cut)))
	}
	for status, n := range t.status {
		if n > 0 {
			r.Status[status] = n
		}
	}
	counted := r.Seconds
	r.Seconds = make([]Second, max(1, (r.Length+time.Second-1)/time.Second))
	r.addSeconds(counted) // the completion that ends the window belongs to it, even on the stroke of a second
	if t.open {
		r.Due = t.Found.Attempted
		r.Offered = float64(r.Due) / r.Length.Seconds()
		r.Lag, r.Service = new(Distribution), new(Distribution)
	}
	if t.secure {
		r.TLSSetup = new(Distribution)
	}
	if t.cut != nil {
		r.Cut = new(Distribution)
	}
	var err error
	for name, d := range r.distributions() {
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
	timed, until := t.Found.EndedBy == EndedByDuration, t.window.End()
	if !timed {
		until = t.lastEnd
	}
	for i := range t.overhang {
		o := &t.overhang[i]
		if o.Cut {
			t.addCut(o, until)
			continue
		}
		t.Overlap(o, until)
		inside := !t.window.Over(o.End) && (timed || o.End <= t.lastEnd)
		if inside {
			t.Complete(o)
		}
		if inside || timed {
			t.Found.BytesIn += o.BytesIn
			t.Found.BytesOut += o.BytesOut
		}
	}
}

// addCut counts a request that was under way at the end of the window. Each engine has seen that end a little later,
// and may have started the request after it.
func (t *tally) addCut(o *outcome, end int64) {
	if o.End = min(o.End, end); o.Start >= o.End {
		return
	}
	t.Overlap(o, end)
	if t.window.Begun(o.Start) {
		t.cut.Add(o.End - o.Start)
	}
}
