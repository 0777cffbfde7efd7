package loadgen

import (
	"encoding/json"
	"math"
	"net/netip"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
)

const testTimeout = time.Minute

// openWindow returns a window that opens at 10 s, and ends after duration unless that is 0.
func openWindow(duration time.Duration) *window {
	w := newWindow(duration)
	w.openAt(sec(10))
	return w
}

func ok(start, end float64) outcome {
	return outcome{start: sec(start), end: sec(end), status: 200, firstByte: sec(end), connect: none,
		tls: none}
}

func failed(start, end float64, kind Kind) outcome {
	return outcome{start: sec(start), end: sec(end), kind: kind, connect: none, tls: none}
}

// count tallies outcomes on two threads by turns.
func count(t *testing.T, w *window, wanted int64, outcomes ...outcome) *Result {
	t.Helper()
	config := &Config{Timeout: testTimeout}
	tallies := []*tally{newTally(w, config), newTally(w, config)}
	for i, o := range outcomes {
		tallies[i%2].add(&o)
	}
	tallies[0].merge(tallies[1])
	r := tallies[0].result(wanted)
	checkSums(t, r)
	return r
}

var methodExample = []outcome{ok(9.8, 10), failed(10, 15, Timeout), ok(15, 19.9), ok(19.9, 20.1)}

func TestWindow(t *testing.T) {
	type numbers struct {
		attempted, answered, failed int64 // started in the window
		right, failures             int64 // completed in it
		warmup                      int64
	}
	const ten = 10 * time.Second
	for _, tt := range []struct {
		name     string
		duration time.Duration
		wanted   int64
		outcomes []outcome
		want     numbers
		length   time.Duration
		endedBy  Ending
	}{
		{"the example of docs/method.md#definitions", ten, 0, methodExample,
			numbers{attempted: 3, answered: 2, failed: 1, right: 2, failures: 1, warmup: 1}, ten, EndedByDuration},
		{"nothing at all", ten, 0, nil, numbers{}, ten, EndedByDuration},
		{"started and ended before", ten, 0, []outcome{ok(9, 9.9)}, numbers{warmup: 1}, ten, EndedByDuration},
		{"started before, ended after", ten, 0, []outcome{ok(9, 20)}, numbers{warmup: 1}, ten, EndedByDuration},
		{"started at the start", ten, 0, []outcome{ok(10, 11)}, numbers{attempted: 1, answered: 1, right: 1}, ten, EndedByDuration},
		{"ended at the end", ten, 0, []outcome{ok(19, 20)}, numbers{attempted: 1, answered: 1}, ten, EndedByDuration},
		{"failed in the drain", ten, 0, []outcome{failed(19, 29, Timeout)}, numbers{attempted: 1, failed: 1}, ten, EndedByDuration},
		{"failed in the window, started before", ten, 0, []outcome{failed(9, 12, Reset)}, numbers{failures: 1, warmup: 1}, ten,
			EndedByDuration},
		{"all requests done", 0, 3, []outcome{ok(10, 10.5), ok(10.1, 11.5), failed(10.5, 11, Short)},
			numbers{attempted: 3, answered: 2, failed: 1, right: 2, failures: 1}, 1500 * time.Millisecond, EndedByRequests},
		{"all requests done on the stroke of a second", 0, 1, []outcome{ok(10, 12)},
			numbers{attempted: 1, answered: 1, right: 1}, 2 * time.Second, EndedByRequests},
		{"all requests done before the time", ten, 1, []outcome{ok(10, 10.5)},
			numbers{attempted: 1, answered: 1, right: 1}, 500 * time.Millisecond, EndedByRequests},
		{"time over before all requests", ten, 3, []outcome{ok(10, 19), ok(19, 20.5)},
			numbers{attempted: 2, answered: 2, right: 1}, ten, EndedByDuration},
		{"time over while the last request is on its way", ten, 2, []outcome{ok(10, 19), ok(19, 20.5)},
			numbers{attempted: 2, answered: 2, right: 1}, ten, EndedByDuration},
		{"warm-up that ends after the last request", 0, 1, []outcome{ok(9, 10.2), ok(10, 10.5), ok(9, 40)},
			numbers{attempted: 1, answered: 1, right: 2, warmup: 2}, 500 * time.Millisecond, EndedByRequests},
	} {
		r := count(t, openWindow(tt.duration), tt.wanted, tt.outcomes...)
		got := numbers{r.Attempted, r.Answered, r.Failed, r.Completed.Right, r.Completed.Failed, r.Warmup.Attempted}
		if got != tt.want || r.Length != tt.length || r.EndedBy != tt.endedBy {
			t.Errorf("%s: %+v in %v, ended by %s; want %+v", tt.name, got, r.Length, r.EndedBy, tt.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	r := count(t, openWindow(2500*time.Millisecond), 0,
		ok(9, 10), ok(10, 10.5), ok(10.5, 11), failed(11, 11.5, Reset), ok(11.5, 12.4), ok(12.4, 12.5))
	want := []Second{
		{Attempted: 2, Completed: Completed{Right: 2}, LatencySum: 1500 * time.Millisecond},
		{Attempted: 2, Completed: Completed{Right: 1, Failed: 1}, Failures: map[Kind]int64{Reset: 1},
			LatencySum: 500 * time.Millisecond},
		{Attempted: 1, Completed: Completed{Right: 1}, LatencySum: 900 * time.Millisecond},
	}
	assert.Deep(t, r.Seconds, want)
}

func TestPresence(t *testing.T) {
	for _, tt := range []struct {
		name     string
		outcomes []outcome
		think    time.Duration
		until    float64
		want     time.Duration
	}{
		{"no request", nil, 0, 20, 0},
		{"one after the other", []outcome{ok(10, 12), ok(12.5, 14)}, 0, 20, 3500 * time.Millisecond},
		{"the last one cut", []outcome{ok(10, 12), ok(12.5, 14)}, 0, 13, 2500 * time.Millisecond},
		{"thinking", []outcome{ok(10, 11), ok(12, 13)}, time.Second, 20, 4 * time.Second},
		{"thinking cut by the next request", []outcome{ok(10, 11), ok(11.5, 13)}, time.Second, 12.5,
			2500 * time.Millisecond},
		{"on its way when the window opened", []outcome{ok(8, 9), ok(9.5, 11)}, 0, 20, time.Second},
		{"thinking when the window opened", []outcome{ok(8, 9), ok(10.5, 11)}, 1500 * time.Millisecond, 11,
			time.Second},
		{"over when the window opened", []outcome{ok(8, 9)}, 0, 20, 0},
	} {
		w, p := openWindow(0), presence{}
		for _, o := range tt.outcomes {
			p.next(w, &o, tt.think)
		}
		assert.Equal(t, time.Duration(p.until(w, sec(tt.until))), tt.want, "%s", tt.name)
	}
}

// The JSON of a result is read by other versions, so none of its names may change by accident.
func TestResultJSON(t *testing.T) {
	o := ok(11, 12)
	o.connect, o.bytesIn, o.bytesOut, o.stale, o.unrequested = sec(0.1), 300, 100, true, true
	r := count(t, openWindow(2*time.Second), 0, ok(9, 9.5), ok(9.5, 10.5), o, failed(10.5, 11, Reset))
	r.Addresses = []netip.AddrPort{netip.MustParseAddrPort("[::1]:8080")}
	r.Unreachable = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}
	r.Start = time.Date(2026, 11, 20, 9, 0, 0, 123456789, time.UTC)
	r.InFlight = &InFlight{Time: time.Second, Length: 2 * time.Second}
	r.CPU = &CPU{User: time.Second, System: time.Second, Length: 2 * time.Second, Busiest: new(0.75),
		Threads: []ThreadCPU{{Time: 2 * time.Second, Polling: 500 * time.Millisecond}}}
	r.Health = &Health{Standstill: 2 * time.Millisecond, Waiting: new(0.01)}
	r.Due, r.Sent, r.Blocked, r.Offered = 2, 2, 1, 1
	r.TLS = []TLS{{Version: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", Protocol: "http/1.1"}}
	r.TLSSetup, r.Lag, r.Service = new(r.Connect), new(r.Connect), new(r.Latency)
	for _, d := range []*Distribution{&r.Latency, &r.FailedLatency, &r.Connect, &r.FirstByte, r.TLSSetup, r.Lag,
		r.Service} {
		d.Encoded = "HIST" // what compression makes of it is another library's business
	}
	got := must.Get(json.MarshalIndent(r, "", "  "))
	golden.Equal(t, "testdata/result.json", string(got)+"\n")
	var back Result
	must.Do(json.Unmarshal(got, &back))
	assert.Deep(t, &back, r, "read back")
}

// fixed returns the requests of clients in step, one after another from a moment on.
func fixed(clients, requests int, from, took float64) (out []outcome) {
	for i := range requests {
		for range clients {
			out = append(out, ok(from+float64(i)*took, from+float64(i+1)*took))
		}
	}
	return out
}

// The estimator of docs/method.md#definitions for a closed loop, and the count that it replaces.
func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		name        string
		length      time.Duration
		wanted      int64
		outcomes    []outcome
		want, count float64
	}{
		{"the example of docs/method.md#definitions", 10 * time.Second, 0, methodExample, 0.15, 0.2},
		{"two clients out of step", 5 * time.Second, 0, []outcome{ok(8, 10.5), ok(10.5, 13), ok(13, 15.5), ok(9, 11.4),
			ok(11.4, 13.8), ok(13.8, 16.2)}, 0.8166667, 0.8},
		{"four clients in step", 5 * time.Second, 0, fixed(4, 5, 7.5, 2), 2, 1.6},
		{"longer than the window", 5 * time.Second, 0, []outcome{ok(5, 25)}, 0.05, 0},
		{"failed ones", 5 * time.Second, 0, []outcome{failed(8, 12, Reset), failed(12, 13, Short),
			failed(13, 43, Timeout)}, 0, 0},
		{"ended as it began", 5 * time.Second, 0, []outcome{ok(8, 10)}, 0, 0.2},
		{"ended on its end", 5 * time.Second, 0, []outcome{ok(14, 15)}, 0.2, 0},
		{"begun as it ended", 5 * time.Second, 0, []outcome{ok(9, 15), ok(15, 16)}, 1. / 6, 0},
		{"in no time", 5 * time.Second, 0, []outcome{ok(12, 12)}, 0.2, 0.2},
		{"counted off", 0, 3, fixed(1, 3, 10, 0.5), 2, 2},
		{"counted off after a warm-up", 0, 2, []outcome{ok(9, 10.25), ok(8, 12), ok(10, 10.5), ok(10.5, 11)},
			(0.25/1.25 + 1./4 + 2) / 1, 3},
	} {
		r := count(t, openWindow(tt.length), tt.wanted, tt.outcomes...)
		got, counted := float64(r.Overlap.Right)/WholeRequest/r.Length.Seconds(), float64(r.Completed.Right)/r.Length.Seconds()
		if math.Abs(got-tt.want) > 5e-8 || math.Abs(counted-tt.count) > 5e-8 {
			t.Errorf("%s: %.7f per second (counted %.7f), want %.7f (%.7f)", tt.name, got, counted, tt.want, tt.count)
		}
	}
}

// The time in flight is that of clients with a request under way, cut at both ends of the window.
func TestTimeInFlight(t *testing.T) {
	r := count(t, openWindow(5*time.Second), 0, ok(8, 10.5), failed(10.5, 13, Reset), ok(13, 20), ok(4, 9))
	want := Overlap{Right: 200_000_000 + 285_714_286, Failed: WholeRequest, Time: 5 * time.Second}
	assert.Equal(t, *r.Overlap, want)
}

// checkSums checks the relations between the numbers of any result.
func checkSums(t testing.TB, r *Result) {
	t.Helper()
	var byKind, byStatus, right, failed int64
	for _, n := range r.Failures {
		byKind += n
	}
	for _, n := range r.Status {
		byStatus += n
	}
	for _, s := range r.Seconds {
		right += s.Right
		failed += s.Failed
	}
	for _, e := range []struct {
		name      string
		got, want int64
	}{
		{"answered + failed", r.Answered + r.Failed, r.Attempted},
		{"failures by kind", byKind, r.Failed},
		{"kinds", int64(len(r.Failures)), int64(len(Kinds))},
		{"right answers by second", right, r.Completed.Right},
		{"failures by second", failed, r.Completed.Failed},
		{"seconds", int64(len(r.Seconds)), max(1, int64((r.Length+time.Second-1)/time.Second))},
		{"latencies", r.Latency.Count, r.Answered},
		{"first bytes", r.FirstByte.Count, r.Answered},
		{"latencies of failures", r.FailedLatency.Count, r.Failed},
		{"connect times", r.Connect.Count, r.Connects},
		{"warm-up", r.Warmup.Answered + r.Warmup.Failed, r.Warmup.Attempted},
	} {
		assert.Equal(t, e.got, e.want, "%s", e.name)
	}
	if whole := r.Answered + r.Failures[Wrong]; byStatus < whole {
		t.Errorf("%d answers by status, fewer than the %d whole ones", byStatus, whole)
	}
	for _, d := range []Distribution{r.Latency, r.FailedLatency, r.Connect, r.FirstByte} {
		must.Get(d.Histogram())
	}
}
