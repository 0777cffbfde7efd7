package loadgen

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Requests leave on schedule whatever the server does, and all of them are counted.
func TestOpenLoop(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serve(t, after(20*time.Millisecond))
	for _, threads := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			r := s.run(t, Config{Connections: 60, Threads: threads, Rate: 400, Duration: 500 * time.Millisecond,
				Warmup: 50 * time.Millisecond, KeepAlive: true})
			if r.Due != 200 || r.Attempted != 200 || r.Sent != 200 || r.Answered != 200 || r.Offered != 400 ||
				r.Warmup.Attempted != 20 {
				t.Errorf("%d due, %d attempted, %d sent, %d answered, %v/s offered, %d in warm-up; want 200, 400/s and 20",
					r.Due, r.Attempted, r.Sent, r.Answered, r.Offered, r.Warmup.Attempted)
			}
			if r.Lag == nil || r.Lag.Count != 200 || r.Lag.Min < 0 || r.Service.Count != 200 || r.Service.Min < sec(0.02) {
				t.Errorf("lag %+v, service %+v", r.Lag, r.Service)
			}
			assert.Equal(t, r.Service.Sum+r.Lag.Sum, r.Latency.Sum, "ns of service times and lags, and of latencies")
			var attempted int64
			for _, second := range r.Seconds {
				attempted += second.Attempted
			}
			assert.Equal(t, attempted, 200, "attempted by second")
		})
	}
}

// A request that finds no free connection waits for one, and its latency includes the wait.
func TestBlocked(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serve(t, func(c *conn) bool {
		if c.request == 0 {
			// so that all others are due meanwhile, even if this process gets no core for a while
			time.Sleep(450 * time.Millisecond)
		}
		return after(50 * time.Millisecond)(c)
	})
	r := s.run(t, Config{Connections: 1, Threads: 1, Rate: 100, Duration: 200 * time.Millisecond, KeepAlive: true})
	// 20 requests, 10 ms apart, one after the other, the first for 500 ms and each of the others for 50 ms: the last one,
	// due at 190 ms, leaves at 1.4 s.
	if r.Due != 20 || r.Answered != 20 || r.Blocked != 19 || r.Connects != 1 || s.connections.Load() != 1 {
		t.Errorf("%d due, %d answered, %d blocked, %d connections; want 20, 20, 19 and 1", r.Due, r.Answered, r.Blocked,
			r.Connects)
	}
	if r.Lag.Max < sec(1.21) || r.Latency.Max < sec(1.26) || r.Service.Sum+r.Lag.Sum != r.Latency.Sum {
		t.Errorf("longest latency %d, service %d, lag %d ns", r.Latency.Max, r.Service.Max, r.Lag.Max)
	}
	// The request due after 10·i ms takes 500 + 40·i ms, so half of all take 860 ms or more.
	if p50 := must.Get(r.Latency.Histogram()).ValueAtPercentile(50); p50 < sec(0.85) {
		t.Errorf("the median hides what was held back: it is %d ns", p50)
	}
	if r.Length != 200*time.Millisecond || r.Completed.Right != 0 {
		t.Errorf("%d completed in %v, want none in 200ms", r.Completed.Right, r.Length)
	}
}

// A request that waits for longer than its timeout was due and never sent.
func TestBlockedForever(t *testing.T) {
	t.Parallel()
	s := serve(t, silent)
	for threads := 1; threads <= 2; threads++ {
		start := time.Now()
		r := s.run(t, Config{Connections: 2, Threads: threads, Rate: 50, Duration: 100 * time.Millisecond,
			Timeout: 200 * time.Millisecond, KeepAlive: true})
		// The two that are sent time out after 200 ms, and then the third has been due for 160 ms.
		if r.Due != 5 || r.Failures[Timeout] != 5 || r.Sent < 2 || r.Blocked != 3 || r.Lag.Count != r.Sent ||
			r.Late.Count != 5 || r.Service.Count != 0 {
			t.Errorf("%d threads: %d due, %v, %d sent, %d blocked, %d lags, %d late", threads, r.Due, r.Failures, r.Sent,
				r.Blocked, r.Lag.Count, r.Late.Count)
		}
		if r.FailedLatency.Min < sec(0.2) {
			t.Errorf("given up after %d ns, before the timeout", r.FailedLatency.Min)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("ended only after %v", d)
		}
	}
}

// The pool opens no more connections than it needs.
func TestPoolGrowsAsNeeded(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serve(t, good)
	// Far enough apart for an answer on a busy machine.
	r := s.run(t, Config{Connections: 1000, Threads: 1, Rate: 5, Duration: 2 * time.Second, KeepAlive: true})
	if r.Answered != 10 || s.connections.Load() > 3 {
		t.Errorf("%d answers over %d connections, want 10 over one or so", r.Answered, s.connections.Load())
	}
	r = s.run(t, Config{Connections: 1000, Threads: 1, Rate: 20, Duration: 500 * time.Millisecond})
	assert.Equal(t, r.Connects, 10, "connections without keep-alive")
}

// Several targets get their shares, on the connections of their own servers.
func TestTargets(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	var mu sync.Mutex
	lines := make(map[string]int)
	note := func(c *conn) bool {
		mu.Lock()
		lines[strings.TrimRight(c.line, "0123456789")]++
		lines[c.line]++
		mu.Unlock()
		return good(c)
	}
	one, two := serve(t, note), serve(t, note)
	targets := []Target{
		{URL: one.url() + "a", Weight: 3},
		{URL: one.url() + "b"},
		{URL: two.url() + "c", Method: "POST", Body: []byte("x"), Weight: 2},
	}
	for _, open := range []bool{false, true} {
		t.Run(fmt.Sprintf("open %v", open), func(t *testing.T) {
			mu.Lock()
			clear(lines)
			mu.Unlock()
			config := Config{Targets: targets, Connections: 4, Threads: 2, Requests: 1200, Timeout: 5 * time.Second,
				KeepAlive: true, Seed: 3}
			if open {
				config.Requests, config.Rate, config.Duration = 0, 1200, time.Second
			}
			r := mustRun(t, config)
			if r.Answered != 1200 {
				t.Fatalf("%d answers, want 1200", r.Answered)
			}
			mu.Lock()
			defer mu.Unlock()
			for line, want := range map[string]int{"GET /a HTTP/1.": 600, "GET /b HTTP/1.": 200, "POST /c HTTP/1.": 400} {
				// A tenth is more than three standard deviations.
				if n := lines[line]; math.Abs(float64(n-want)) > 60 {
					t.Errorf("%s: %d times, want about %d", line, n, want)
				}
			}
		})
	}
	// Four clients, each with a connection to both; the pool of the open loop gives one up for another.
	if n := one.connections.Load(); n < 4 {
		t.Errorf("%d connections", n)
	}
}

// The world can be stopped while engines wait and while they work: without that, stopping it would take until the load
// ends.
func TestCollectGarbage(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range []struct {
		name   string
		answer func(*conn) bool
		config Config
	}{
		{"waiting", nil, Config{Connections: 4, Threads: 2}},
		{"working", good, Config{Connections: 4, Threads: 2}},
		{"polling", good, Config{Connections: 4, Threads: 1, Rate: 5000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const length, collections = time.Minute, 20
			ctx, cancel := context.WithCancel(t.Context())
			s := serve(t, func(c *conn) bool {
				if tt.answer == nil {
					<-ctx.Done()
					return false
				}
				return tt.answer(c)
			})
			tt.config.Targets, tt.config.Duration, tt.config.Timeout, tt.config.KeepAlive = []Target{{URL: s.url()}},
				length, 2*length, true
			go func() {
				defer cancel()
				for range collections {
					time.Sleep(20 * time.Millisecond)
					runtime.GC()
				}
			}()
			start := time.Now()
			if _, err := Run(ctx, tt.config); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want the end after %d collections", err, collections)
			}
			if d := time.Since(start); d > length/2 {
				t.Errorf("collected %d times in %v", collections, d)
			}
		})
	}
}

// If more is due than can be sent, answers are still read as they come.
func TestOverload(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serve(t, good)
	r := s.run(t, Config{Connections: 2000, Threads: 1, Rate: 5e6, Duration: 100 * time.Millisecond,
		Timeout: time.Second, KeepAlive: true})
	if r.Due != 500_000 || r.Failures[Timeout] == 0 || r.Answered == 0 {
		t.Errorf("%d due, %d answered, %v", r.Due, r.Answered, r.Failures)
	}
	// Answers free connections before 2000 are open, so there is more than one request for each.
	if r.Connects >= r.Sent {
		t.Errorf("%d connections for %d requests", r.Connects, r.Sent)
	}
}

// due returns when the requests of all engines together are due, in order.
func due(c *Config, base int64, engines int) []int64 {
	var all []int64
	for i := range engines {
		s := newSchedule(c, base)
		for n := int64(i); s.at(n) != never; n += int64(engines) {
			all = append(all, s.at(n))
		}
	}
	slices.Sort(all)
	return all
}

func TestArrivals(t *testing.T) {
	ms := func(list ...float64) []int64 {
		return slice.Map(list, func(x float64) int64 { return int64(math.Round(x * 1e6)) })
	}
	for _, tt := range []struct {
		name   string
		config Config
		want   []int64
	}{
		{"constant", Config{Rate: 1000, Duration: 4 * time.Millisecond}, ms(0, 1, 2, 3)},
		{"a rate that does not fit", Config{Rate: 400, Duration: 6 * time.Millisecond}, ms(0, 2.5, 5)},
		{"the window starts anew", Config{Rate: 400, Duration: 4 * time.Millisecond, Warmup: 4 * time.Millisecond},
			ms(0, 2.5, 4, 6.5)},
		{"slower than the window", Config{Rate: 1, Duration: time.Millisecond}, ms(0)},
	} {
		for engines := 1; engines <= 3; engines++ {
			got := due(&tt.config, 0, engines)
			if !slices.EqualFunc(got, tt.want, func(a, b int64) bool { return a-b <= 1 && b-a <= 1 }) {
				t.Errorf("%s, %d engines:\n got %v\nwant %v", tt.name, engines, got, tt.want)
			}
		}
	}
}

// A rate that fits into the window gives exactly as many requests, without one more at its end.
func TestWholeNumberOfArrivals(t *testing.T) {
	for _, rate := range []float64{1, 3, 10, 700, 1000, 9999, 10000, 50000} {
		for _, ms := range []int{1000, 2000, 7000} {
			c := &Config{Rate: rate, Duration: time.Duration(ms) * time.Millisecond}
			assert.Equal(t, len(due(c, 0, 2)), int(rate)*ms/1000, "requests at %v/s in %v", rate, c.Duration)
		}
	}
	assert.Equal(t, len(due(&Config{Rate: 10000, Duration: 700 * time.Millisecond}, 0, 1)), 7000,
		"requests at 10000/s in 700 ms")
}

// Poisson arrivals are the same for any number of engines, and others for another seed. Mean and variance of their
// number in equal parts of the time agree, and no part of the schedule has more than its share.
func TestPoissonArrivals(t *testing.T) {
	c := &Config{Rate: 10000, Duration: 10 * time.Second, Arrivals: PoissonArrivals, Seed: 7}
	one, three := due(c, 5, 1), due(c, 5, 3)
	assert.Slice(t, three, one, "what three engines are told, and one")
	other := *c
	other.Seed = 8
	if slices.Equal(one, due(&other, 5, 1)) {
		t.Error("another seed gives the same times")
	}
	const parts = 1000
	counts := make([]float64, parts)
	for _, t := range one {
		counts[(t-5)*parts/c.Duration.Nanoseconds()]++
	}
	mean, variance := float64(len(one))/parts, 0.0
	for _, n := range counts {
		variance += (n - mean) * (n - mean) / (parts - 1)
	}
	// Of 100 000 arrivals; the share of the variance has a standard deviation of √(2/1000).
	if mean < 98.5 || mean > 101.5 || variance/mean < 0.8 || variance/mean > 1.2 {
		t.Errorf("mean %v and variance %v of the numbers in %d parts, want 100 of both", mean, variance, parts)
	}
}
