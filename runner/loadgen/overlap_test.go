package loadgen

import (
	"math"
	"testing"
	"time"
)

// throughputs are the estimator of docs/method.md#definitions for a closed loop, and the count that it replaces.
func throughputs(r *Result) (overlap, count float64) {
	seconds := r.Length.Seconds()
	return float64(r.Overlap.Right) / WholeRequest / seconds, float64(r.Completed.Right) / seconds
}

// fixed are the requests of clients in step, one after the other from a moment on.
func fixed(clients, requests int, from, took float64) (out []outcome) {
	for i := range requests {
		for range clients {
			out = append(out, ok(from+float64(i)*took, from+float64(i+1)*took))
		}
	}
	return out
}

func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		name        string
		length      time.Duration
		wanted      int64
		outcomes    []outcome
		want, count float64
	}{
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
		t.Run(tt.name, func(t *testing.T) {
			got, counted := throughputs(count(t, openWindow(tt.length), tt.wanted, tt.outcomes...))
			if math.Abs(got-tt.want) > 5e-8 || math.Abs(counted-tt.count) > 5e-8 {
				t.Errorf("%.7f per second (counted %.7f), want %.7f (%.7f)", got, counted, tt.want, tt.count)
			}
		})
	}
}

// The time in flight is that of connections with a request, up to both ends of the window.
func TestTimeInFlight(t *testing.T) {
	r := count(t, openWindow(5*time.Second), 0, ok(8, 10.5), failed(10.5, 13, Reset), ok(13, 20), ok(4, 9))
	want := Overlap{Right: 200_000_000 + 285_714_286, Failed: WholeRequest, Time: 5 * time.Second}
	if *r.Overlap != want {
		t.Errorf("got %+v, want %+v", r.Overlap, want)
	}
}
