package loadgen

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// simulation runs the engines of an open loop by turns, in the virtual time of synctest: work takes none, so its results
// do not depend on the machine. The server answers request n, counted as they arrive, after service(n).
type simulation struct {
	config  Config
	threads int
	service func(n uint64) time.Duration
	stalled func(engine int, at time.Duration) bool // the engine has no core; nil for never

	received uint64
	engines  []*simulated
}

type simulated struct {
	*engine
	servers []int   // the other ends of the engine's connections
	answer  []int64 // when each is answered; never without a request
	wake    int64
}

// run returns the result. It is called in a bubble of synctest.
func (s *simulation) run(t *testing.T) *Result {
	s.config.Targets, s.config.KeepAlive = []Target{{URL: "http://127.0.0.1:1/"}}, true
	l := must.Get(newLoad(&s.config))
	r := &run{load: l}
	r.cutAt.Store(never)
	r.window.openAt(s.config.Warmup.Nanoseconds())
	for i := range s.threads {
		e := &simulated{engine: must.Get(newEngine(t.Context(), r, i, s.threads))}
		defer e.sockets.poller.close()
		defer e.sockets.closeAll(e.connections)
		e.meter.taken = len(e.meter.readings)
		e.pacing = newOpenLoop(e.engine)
		for k := range e.connections {
			pair := must.Get(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
			defer unix.Close(pair[1])
			e.connections[k].fd, e.connections[k].state = int32(pair[0]), idle
			e.connections[k].generation = e.sockets.add(pair[0], int32(k))
			e.servers, e.answer = append(e.servers, pair[1]), append(e.answer, never)
		}
		r.engines, s.engines = append(r.engines, e.engine), append(s.engines, e)
	}
	for running := true; running; {
		running = false
		next := int64(never)
		for i, e := range s.engines {
			if s.stalled != nil && s.stalled(i, time.Duration(l.now())) {
				next, running = min(next, l.now()+time.Millisecond.Nanoseconds()), true
				continue
			}
			next = min(next, s.step(e))
			running = running || !e.finished()
		}
		time.Sleep(time.Duration(next - l.now()))
	}
	result := r.result()
	checkSums(t, result)
	return result
}

// step does what engine.work does after a wait if the wait is over, and returns when the next one will be.
func (s *simulation) step(e *simulated) int64 {
	over := e.wake <= e.now()
	for k, at := range e.answer {
		if at > e.now() {
			continue
		}
		over, e.answer[k] = true, never
		must.Get(unix.Read(e.servers[k], make([]byte, 1<<10)))
		must.Get(unix.Write(e.servers[k], []byte(hello)))
		e.clock = e.now()
		e.read(int32(k), &e.connections[k], false)
		e.pacing.due(mostAfterEvent)
	}
	if over {
		e.clock = e.now()
		e.turn()
		e.count()
		timeout, _ := e.untilNext()
		e.wake = e.clock + timeout
	}
	next := e.wake
	for k := range e.answer {
		if e.connections[k].state == waiting && e.answer[k] == never {
			s.received++
			e.answer[k] = e.now() + s.service(s.received).Nanoseconds()
		}
		next = min(next, e.answer[k])
	}
	return next
}

// mostlyFast answers in 2 ms, and one request of twenty in 60 ms.
func mostlyFast(n uint64) time.Duration {
	if mix(n)%20 == 0 {
		return 60 * time.Millisecond
	}
	return 2 * time.Millisecond
}

// How many threads send the requests of an open loop does not change when they leave, and so not their latencies.
func TestThreadsOfOpenLoop(t *testing.T) {
	for _, arrivals := range []Arrivals{ConstantArrivals, PoissonArrivals} {
		var want [4]float64
		for _, threads := range []int{1, 2, 8} {
			synctest.Test(t, func(t *testing.T) {
				s := &simulation{threads: threads, service: mostlyFast, config: Config{Connections: 8, Rate: 900, Seed: 3,
					Arrivals: arrivals, Warmup: time.Second, Duration: 20 * time.Second, Timeout: time.Minute}}
				latencies := must.Get(s.run(t).Latency.Histogram())
				for i, p := range []float64{50, 90, 95, 99} {
					got := float64(latencies.ValueAtPercentile(p)) / 1e6
					if threads == 1 {
						want[i] = got
					} else if math.Abs(got/want[i]-1) > 0.1 {
						t.Errorf("%s arrivals, p%v: %.2f ms with %d threads, and %.2f with one", arrivals, p, got, threads, want[i])
					}
				}
			})
		}
	}
}

// A request is late for as long as it could have left. Waiting for a server that keeps all connections busy does not
// count, and waiting behind late requests does.
func TestLate(t *testing.T) {
	const stall = 50 * time.Millisecond
	// every returns whether an engine stands still, for the first 50 ms of each 200.
	every := func(engine int) func(int, time.Duration) bool {
		return func(i int, at time.Duration) bool { return i == engine && at%(4*stall) < stall }
	}
	for _, tt := range []struct {
		name                 string
		connections, threads int
		rate                 float64
		stalled              func(int, time.Duration) bool
		late, blocked        float64 // shares: of requests a millisecond late or more, and of those that found no connection
	}{
		{"enough connections", 50, 2, 500, nil, 0, 0},
		{"too few connections", 4, 2, 500, nil, 0, 1},
		{"a generator that stands still", 50, 1, 500, every(0), 0.25, 0},
		{"it stands still again before its only connection has caught up", 1, 1, 90, every(0), 1, 0.96},
		{"one of two threads stands still, and the other has no connection left", 2, 2, 150, every(1), 0.25, 0.2},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &simulation{threads: tt.threads, stalled: tt.stalled,
				service: func(uint64) time.Duration { return 10 * time.Millisecond },
				config: Config{Connections: tt.connections, Rate: tt.rate, Duration: 4 * time.Second,
					Timeout: time.Minute}}
			r := s.run(t)
			late := int64(0)
			for _, bar := range must.Get(r.Late.Histogram()).Distribution() {
				if bar.From >= 1e6 {
					late += bar.Count
				}
			}
			assert.Near(t, float64(late)/float64(r.Due), tt.late, 0.01, "%s: share of late requests", tt.name)
			assert.Near(t, float64(r.Blocked)/float64(r.Due), tt.blocked, 0.01, "%s: share of blocked requests", tt.name)
		})
	}
}
