package loadgen

import (
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// tells returns a request of a closed loop, from and to in seconds after its load began.
func tells(from, to float64) Sample {
	return Sample{Start: sec(from), Sent: sec(from), End: sec(to), Status: 200}
}

// counted has the parts of a result that the cases check.
type counted struct {
	attempted, answered, failed, completed, warm int64
	overlap                                      float64
	opened, length                               time.Duration
}

// TestCountAsOwn covers the counts in the window. This covers what only samples of other generators have.
func TestCount(t *testing.T) {
	const second = time.Second
	closed := Config{Connections: 2, Warmup: second, Duration: 2 * second, Timeout: 5 * second}
	wanting := func(n int64) Config {
		return Config{Connections: 2, Warmup: second, Requests: n, Timeout: 5 * second}
	}
	cutting := func(n int64) Config {
		c := wanting(n)
		c.Cut = true
		return c
	}
	givenUp := func(r Sample) Sample { r.Cut = true; return r }
	withStatus := func(r Sample, status int) Sample { r.Status = status; return r }
	for _, tt := range []struct {
		name     string
		config   Config
		requests []Sample
		want     counted
		err      string
	}{
		{"later than its timeout", closed, []Sample{tells(1, 7)},
			counted{1, 0, 1, 0, 0, 1. / 3, second, 2 * second}, ""},
		{"with a status that is not right", closed, []Sample{withStatus(tells(1, 2), 500)},
			counted{1, 0, 1, 0, 0, 1, second, 2 * second}, ""},
		{"counted off", wanting(2), []Sample{tells(0.5, 1.5), tells(1.5, 2), tells(1.25, 1.75)},
			counted{2, 2, 0, 3, 1, 2.25, 1250 * time.Millisecond, 750 * time.Millisecond}, ""},
		{"fewer than wanted", wanting(3), []Sample{tells(1.5, 2)}, counted{},
			"after the warm-up it made 1 requests, and the load has 3"},
		{"more than wanted", wanting(1), []Sample{tells(1.5, 2), tells(1.5, 2)}, counted{},
			"after the warm-up it made 2 requests, and the load has 1"},
		{"cut by the driver", cutting(1), []Sample{tells(1, 2), givenUp(tells(1.5, 2.001))},
			counted{1, 1, 0, 1, 0, 1.5, second, second}, ""},
		{"cut here", cutting(2), []Sample{tells(1, 2), tells(1.5, 4), tells(2, 2.5), tells(2.5, 3)},
			counted{2, 2, 0, 2, 0, 2, second, 1500 * time.Millisecond}, ""},
		{"several at the end", cutting(2), []Sample{tells(1, 2), tells(1, 2), tells(1, 2)},
			counted{2, 2, 0, 2, 0, 2, second, second}, ""},
		{"in the warm-up, and cut", cutting(1), []Sample{tells(0.5, 3), tells(1, 2)},
			counted{1, 1, 0, 1, 0, 1, second, second}, ""},
		{"fewer than to be cut", cutting(2), []Sample{tells(1, 2)}, counted{},
			"after the warm-up it made 1 requests, and the load has 2"},
		{"cut without need", closed, []Sample{givenUp(tells(1, 2))}, counted{},
			"it gave a request up, and the load follows each to its end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, opened, err := Count(tt.config, tt.requests)
			if err != nil || tt.err != "" {
				assert.Error(t, err, tt.err)
				return
			}
			checkSums(t, r)
			got := counted{r.Attempted, r.Answered, r.Failed, r.Completed.Right, r.Warmup.Attempted,
				float64(r.Overlap.Right+r.Overlap.Failed) / WholeRequest, opened, r.Length}
			if off := got.overlap - tt.want.overlap; off > 1e-6 || off < -1e-6 {
				t.Errorf("overlap is %v, want %v", got.overlap, tt.want.overlap)
			}
			got.overlap = tt.want.overlap
			assert.Equal(t, got, tt.want)
		})
	}
}

// Samples of requests that our own engines counted give the same result again, also in an open loop.
func TestCountAsOwn(t *testing.T) {
	config := Config{Connections: 9, Warmup: 10 * time.Second, Duration: 10 * time.Second, Timeout: testTimeout}
	w := openWindow(config.Duration)
	own := newTally(w, &config)
	var requests []Sample
	for i := range 400 {
		from := float64(i) * 0.07
		o := ok(from, from+0.01*float64(i%90))
		if i%7 == 0 {
			o = failed(from, from+0.3, Short)
		}
		o.firstByte = o.start
		if !w.isOver(o.start) {
			own.add(&o)
		}
		requests = append(requests, Sample{Start: o.start, Sent: o.start, End: o.end, Kind: o.kind, Status: o.status})
	}
	want := own.result(0)
	got, _ := must.Two(Count(config, requests))
	assert.Deep(t, got, want)
}

func TestCountOpen(t *testing.T) {
	config := Config{Connections: 5, Rate: 4, Duration: 2 * time.Second, Timeout: time.Second}
	var requests []Sample
	for i := range 8 {
		at := float64(i) / 4
		requests = append(requests, Sample{Start: sec(at), Sent: sec(at + 0.01), End: sec(at + 0.1)})
	}
	requests[7] = Sample{Start: sec(1.75), Sent: NeverSent, End: sec(2.75), Kind: Timeout}
	r, _ := must.Two(Count(config, requests))
	if r.Due != 8 || r.Sent != 7 || r.Blocked != 1 || r.Offered != 4 || r.Lag.Count != 7 || r.Lag.Max != sec(0.01) ||
		r.Service.Count != 7 || r.Service.Max > sec(0.09)+1 || r.Latency.Max < sec(0.1)-1 {
		t.Errorf("%+v, lag %+v, service %+v, latency %+v", r, r.Lag, r.Service, r.Latency)
	}
	_, _, err := Count(config, requests[:4])
	if want := "4 of its requests were due in the window, and by the load 8 are"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	config.Arrivals = PoissonArrivals
	if _, _, err = Count(config, requests[:4]); err != nil {
		t.Errorf("by chance: %v", err)
	}
}
