package loadgen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// An answer may fill the buffer to its last byte and have unrequested bytes after it. A network cuts what is sent as it
// likes, so here all of it has arrived before the first read.
func TestBytesBehindAFullBuffer(t *testing.T) {
	for _, tt := range []struct{ name, field, behind string }{
		{"a byte", "", "y"},
		{"a byte, and the end announced", "Connection: close\r\n", "y"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := &Config{Targets: []Target{{URL: "http://127.0.0.1:1/"}}, Connections: 1, Requests: 1,
				Timeout: time.Minute, KeepAlive: true}
			l := must.Get(newLoad(config))
			r := &run{load: l}
			e := must.Get(newEngine(t.Context(), r, 0, 1))
			e.pacing = newClosedLoop(e)
			defer e.sockets.poller.close()
			defer e.sockets.closeAll(e.connections)
			pair := must.Get(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
			ours, server := pair[0], pair[1]
			defer unix.Close(server)

			const head = "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n"
			length := bufferSize - len(fmt.Sprintf(head, tt.field, bufferSize-100))
			answer := fmt.Sprintf(head, tt.field, length) + strings.Repeat("x", length)
			if len(answer) != bufferSize {
				t.Fatalf("the answer has %d bytes, the buffer %d", len(answer), bufferSize)
			}
			if n, err := unix.Write(server, []byte(answer+tt.behind)); err != nil || n != len(answer+tt.behind) {
				t.Fatalf("wrote %d of %d bytes: %v", n, len(answer+tt.behind), err)
			}

			r.issued.Store(1) // this request is the only one
			r.window.openAt(l.now())
			e.clock = l.now()
			c := &e.connections[0]
			c.fd, c.state, c.start, c.sent = int32(ours), waiting, e.clock, e.clock
			c.answer.reset()
			c.generation = e.sockets.add(ours, 0)
			e.flight.push(e.connections, 0)
			e.read(0, c, false)

			if len(e.uncounted) != 1 {
				t.Fatalf("%d requests have ended, want 1", len(e.uncounted))
			}
			if o := e.uncounted[0]; o.kind != "" || o.status != 200 || o.unrequested != (tt.behind != "") {
				t.Errorf("got kind %q, status %d, unrequested %v; want an answer 200, unrequested %v",
					o.kind, o.status, o.unrequested, tt.behind != "")
			}
		})
	}
}

// Clients start in groups: many enough that a fast server does not keep the first so busy that the last hardly take
// part, and few enough that the first do not wait for all others to start before their answers are read.
func TestClientsStartInGroups(t *testing.T) {
	const clients = 1000
	config := &Config{Targets: []Target{{URL: "http://127.0.0.1:1/"}}, Connections: clients, Duration: time.Minute,
		Timeout: time.Minute, KeepAlive: true}
	l := must.Get(newLoad(config))
	l.origins[0].addresses = append(l.origins[0].addresses, closed(t))
	r := &run{load: l}
	r.cutAt.Store(never)
	r.window.openAt(0)
	e := must.Get(newEngine(t.Context(), r, 0, 1))
	defer e.sockets.poller.close()
	defer e.sockets.closeAll(e.connections)
	loop := newClosedLoop(e)
	e.pacing = loop
	for before := 0; loop.admitted < clients; before = loop.admitted {
		e.clock = e.now()
		e.pacing.turn()
		if n := loop.admitted - before; n < min(32, clients-before) || n > 128 {
			t.Fatalf("%d clients started in a turn, after %d others; want 32 to 128", n, before)
		}
		if at, _ := e.pacing.next(); at > e.now() && loop.admitted < clients {
			t.Fatalf("after %d of %d clients the engine would wait", loop.admitted, clients)
		}
	}
}

func TestBusiest(t *testing.T) {
	ms, one := time.Millisecond, make([]ThreadCPU, 1)
	for _, tt := range []struct {
		name  string
		cpu   CPU
		share float64
		want  float64 // negative for none
	}{
		{"one busy thread", CPU{User: 1000 * ms, System: 500 * ms, Length: 2000 * ms, Threads: make([]ThreadCPU, 2)}, 0.7, 0.7},
		{"work of other threads", CPU{User: 1000 * ms, System: 800 * ms, Length: 2000 * ms, Threads: one}, 0.2, 0.9},
		{"polling is no work", CPU{User: 1000 * ms, System: 800 * ms, Length: 2000 * ms,
			Threads: []ThreadCPU{{Time: 1800 * ms, Polling: 1600 * ms}}}, 0.1, 0.1},
		{"rounded up beyond the time", CPU{User: 2010 * ms, Length: 2000 * ms, Threads: one}, 0.9, 1},
		{"threads not told apart", CPU{User: 1000 * ms, Length: 2000 * ms}, 0, -1},
		{"too short a time", CPU{User: 5 * ms, Length: 5 * ms, Threads: one}, 1, -1},
	} {
		got := -1.
		if share := busiest(&tt.cpu, tt.share); share != nil {
			got = *share
		}
		assert.Equal(t, got, tt.want, "%s", tt.name)
	}
}

// A thread learns how early to wake up: early enough for all but a few wake-ups, no earlier than a limit, and later
// again when it has no time to find out.
func TestEarly(t *testing.T) {
	wakes := func(m *meter, n int, late func(int) int64) (missed int) {
		for i := range n {
			l := late(i)
			if l > m.early() {
				missed++
			}
			m.noteWait(1000, 1000+l, false)
			m.noteSent()
		}
		return missed
	}
	new := func() *meter { return &meter{polls: true, lateness: 60_000} }
	for _, tt := range []struct {
		name     string
		late     func(int) int64
		from, to int64 // early afterwards
	}{
		{"always 25 µs", func(int) int64 { return 25_000 }, leastEarly, leastEarly},
		{"25 µs, and 120 µs once in a hundred", func(i int) int64 {
			if i%100 == 99 {
				return 120_000
			}
			return 25_000
		}, 60_000, 130_000},
		{"always a millisecond", func(int) int64 { return 1_000_000 }, mostEarly, mostEarly},
	} {
		m := new()
		wakes(m, 5000, tt.late)
		if got := m.early(); got < tt.from || got > tt.to {
			t.Errorf("%s: %d ns early, want %d to %d", tt.name, got, tt.from, tt.to)
		}
		if missed := wakes(m, 5000, tt.late); tt.to < mostEarly && missed > 75 {
			t.Errorf("%s: %d of 5000 wakes were too late", tt.name, missed)
		}
	}
	m := new()
	wakes(m, 100, func(int) int64 { return 1_000_000 })
	for range 3000 {
		m.noteSent()
	}
	assert.Equal(t, m.early(), leastEarly, "early after a long time without sleep, in ns")
	m.polls = false
	if m.early() != 0 {
		t.Error("a thread without a core to spare wakes up early")
	}
}

func TestSpares(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		threads, allowed, online int
		quota                    float64
		want                     bool
	}{
		{"a core of our own", 1, 1, 2, 0, true},
		{"two threads on a core of our own", 2, 1, 4, 0, false},
		{"one core that all share", 1, 1, 1, 0, false},
		{"one of two cores that all share", 1, 2, 2, 0, true},
		{"both of two cores that all share", 2, 2, 2, 0, false},
		{"a quota that polling would eat up", 1, 4, 8, 0.5, false},
		{"a quota that leaves room", 2, 4, 8, 2, true},
		{"a machine that does not say", 1, 1, 0, 0, false},
	} {
		assert.Equal(t, spares(tt.threads, tt.allowed, tt.online, tt.quota), tt.want, "%s", tt.name)
	}
}

func TestParseQuota(t *testing.T) {
	for limit, want := range map[string]float64{"max 100000\n": 0, "150000 100000\n": 1.5, "": 0, "1 0\n": 0} {
		assert.Equal(t, parseQuota([]byte(limit)), want, "%q", limit)
	}
}
