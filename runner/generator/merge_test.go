package generator

import (
	"context"
	"sync"
	"testing"
	"time"

	"benchbook/runner/load/http"
	"benchbook/runner/tally/tallytest"
	"benchbook/slowtest"
)

// runParts runs all parts of a load beside each other, which begin at one moment, and gives what each found.
func runParts(t *testing.T, config http.Config, parts int) []*http.Result {
	t.Helper()
	config.Begin = time.Now().Add(100 * time.Millisecond)
	results, failures := make([]*http.Result, parts), make([]error, parts)
	var running sync.WaitGroup
	for i := range parts {
		part := config
		part.Part, part.Threads = http.Part{Number: i, Of: parts}, i+1
		running.Go(func() { results[i], failures[i] = Run(t.Context(), part) })
	}
	running.Wait()
	for i, err := range failures {
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		// Both clocks are read one after the other.
		if early := config.Begin.Add(config.Warmup).Sub(results[i].Start); early > time.Millisecond {
			t.Errorf("the window of part %d begins %v early", i, early)
		}
	}
	return results
}

// Several generators send what one would: so many requests over so many connections, or so many on schedule.
func TestPartsOfALoad(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*http.Config)
		want   int64 // requests in the window
		warm   int64 // before it
		most   int64 // connections
	}{
		"requests":     {func(c *http.Config) { c.Requests = 100 }, 100, 0, 7},
		"few requests": {func(c *http.Config) { c.Requests = 3 }, 3, 0, 7},
		"a rate": {func(c *http.Config) {
			c.Connections, c.Rate, c.Duration, c.Warmup = 50, 400, 500*time.Millisecond, 50*time.Millisecond
		}, 200, 20, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, after(2*time.Millisecond))
			config := http.Config{Targets: []http.Target{{URL: s.url()}}, Connections: 7, Timeout: 5 * time.Second,
				KeepAlive: true}
			tt.change(&config)
			r, err := http.Merge(runParts(t, config, 3))
			if err != nil {
				t.Fatal(err)
			}
			tallytest.CheckSums(t, r)
			if r.Attempted != tt.want || r.Answered != tt.want || r.Warmup.Attempted != tt.warm ||
				s.requests.Load() != tt.want+tt.warm {
				t.Errorf("%d attempted, %d answered, %d before; the server got %d; want %d and %d", r.Attempted, r.Answered,
					r.Warmup.Attempted,
					s.requests.Load(), tt.want, tt.warm)
			}
			if n := s.connections.Load(); n > tt.most {
				t.Errorf("%d connections, want at most %d", n, tt.most)
			}
			if r.Latency.Count != tt.want || r.Latency.Min < sec(0.002) {
				t.Errorf("latencies %+v", r.Latency)
			}
			if config.Rate > 0 && (r.Offered != config.Rate || r.Sent != tt.want || r.Lag.Count != tt.want ||
				r.Length != config.Duration) {
				t.Errorf("offered %v/s, %d sent, lags %+v in %v", r.Offered, r.Sent, r.Lag, r.Length)
			}
		})
	}
}

// Clients of a closed loop are dealt out too, also where their number changes: at its end all are there.
func TestPartsOfStages(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serve(t, after(time.Millisecond))
	runParts(t, http.Config{
		Targets: []http.Target{{URL: s.url()}}, Connections: 1, Timeout: 5 * time.Second, KeepAlive: true,
		Stages: []http.Stage{{Duration: 200 * time.Millisecond, Connections: 10}, {Duration: 300 * time.Millisecond,
			Connections: 10}},
	}, 4)
	if n := s.connections.Load(); n != 10 {
		t.Errorf("the server got %d connections, want 10", n)
	}
}

// A load that is to begin later still ends at once when it is cancelled.
func TestCancelBeforeTheBeginning(t *testing.T) {
	t.Parallel()
	s := serve(t, good)
	for name, config := range map[string]http.Config{
		"closed": {Connections: 1, Requests: 5}, "open": {Connections: 1, Rate: 5, Duration: time.Second},
	} {
		config.Targets, config.Timeout, config.Begin = []http.Target{{URL: s.url()}}, time.Second, time.Now().Add(time.Hour)
		done := make(chan error, 1)
		cancel := runInBackground(t, config, done)
		time.Sleep(20 * time.Millisecond)
		cancel()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s: a load has ended well that never began", name)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: it goes on waiting", name)
		}
	}
	if n := s.requests.Load(); n > 0 {
		t.Errorf("the server got %d requests", n)
	}
}

// runInBackground runs a load until the function that comes back is called.
func runInBackground(t *testing.T, config http.Config, done chan<- error) context.CancelFunc {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := Run(ctx, config)
		done <- err
	}()
	return cancel
}
