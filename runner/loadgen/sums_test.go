package loadgen

import (
	"testing"
	"time"
)

// checkSums checks what holds between the numbers of every result.
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
		if e.got != e.want {
			t.Errorf("%s: got %d, want %d", e.name, e.got, e.want)
		}
	}
	if whole := r.Answered + r.Failures[Wrong]; byStatus < whole {
		t.Errorf("%d answers by status, fewer than the %d whole ones", byStatus, whole)
	}
	for _, d := range []Distribution{r.Latency, r.FailedLatency, r.Connect, r.FirstByte} {
		if _, err := d.Histogram(); err != nil {
			t.Error(err)
		}
	}
}
