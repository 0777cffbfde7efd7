package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
)

// Every occurrence of a text in a log counts, however the log is split.
func TestCounter(t *testing.T) {
	const log = "ready to accept; not ready to; ready readready to"
	for size := 1; size <= len(log); size++ {
		c := &counter{text: []byte("ready to"), wanted: 100}
		for rest := log; rest != ""; {
			n := min(size, len(rest))
			must.Get(c.Write([]byte(rest[:n])))
			rest = rest[n:]
		}
		assert.Equal(t, c.found, strings.Count(log, "ready to"), "found in pieces of %d", size)
	}
	c := &counter{text: []byte("a"), wanted: 2}
	if _, err := c.Write([]byte("banana")); !errors.Is(err, errEnough) || c.found != 2 {
		t.Errorf("got %v after %d, want errEnough after 2", err, c.found)
	}
}

// probedFake is a service with scripted probes. Its times start when it is created.
type probedFake struct {
	Container
	began  time.Time
	exec   func(since time.Duration, probe int) (Exit, error)
	open   func(since time.Duration) []netip.AddrPort
	ends   time.Duration // 0: it does not
	status int

	mu     sync.Mutex
	probes []time.Duration // when they were made
}

func (p *probedFake) Wait(ctx context.Context) (int, error) {
	if p.ends == 0 {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	select {
	case <-time.After(p.ends):
		return p.status, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (p *probedFake) Reach(context.Context) (Probe, error) {
	return func(_ context.Context, port int, _ string) error {
		for _, o := range p.open(time.Since(p.began)) {
			if int(o.Port()) == port && !o.Addr().IsLoopback() {
				return nil
			}
		}
		return fmt.Errorf("port %d did not accept a connection: %w", port, syscall.ECONNREFUSED)
	}, nil
}

func (p *probedFake) Exec(ctx context.Context, _ Command) (Exit, error) {
	p.mu.Lock()
	p.probes = append(p.probes, time.Since(p.began))
	n := len(p.probes)
	p.mu.Unlock()
	exit, err := p.exec(time.Since(p.began), n)
	if err != nil {
		<-ctx.Done() // it hangs
		return Exit{}, ctx.Err()
	}
	return exit, nil
}

func (p *probedFake) Follow(ctx context.Context, _ io.Writer) error {
	<-ctx.Done()
	return ctx.Err()
}

func (p *probedFake) Logs(context.Context) ([]byte, error) { return []byte("its log"), nil }

func (p *probedFake) Usage(context.Context, Detail) (Usage, error) {
	usage := NoUsage()
	if p.open != nil {
		usage.Listeners = append([]netip.AddrPort{}, p.open(time.Since(p.began))...)
	}
	return usage, nil
}

// wait waits for a service in a bubble of fake time and returns how long that took.
func wait(t *testing.T, service Service, p *probedFake, want string, took time.Duration) *probedFake {
	t.Helper()
	service.Name = "s"
	p.began = time.Now()
	err := WaitReady(t.Context(), service, p)
	got := ""
	if err != nil {
		got = err.Error()
	}
	assert.Equal(t, got, want)
	if since := time.Since(p.began); since < took || since > took+time.Second {
		t.Errorf("took %v, want %v", since, took)
	}
	return p
}

// The keys of a healthcheck mean what they mean in Compose.
func TestHealthcheck(t *testing.T) {
	says := func(words string, until time.Duration) func(time.Duration, int) (Exit, error) {
		return func(since time.Duration, _ int) (Exit, error) {
			if since < until {
				return Exit{Code: 1, Stdout: []byte(words)}, nil
			}
			return Exit{}, nil
		}
	}
	fails := func(until time.Duration) func(time.Duration, int) (Exit, error) { return says("no", until) }
	lacks := func(until time.Duration) func(time.Duration, int) (Exit, error) {
		return says("/bin/sh: 1: curl: not found\n", until)
	}
	hangs := func(time.Duration, int) (Exit, error) { return Exit{}, errors.New("hangs") }
	const never = 24 * time.Hour
	const no = `its healthcheck ["check"] ended with status 1: no`
	failed := func(after, why, probes string) string {
		if probes != "" {
			probes = " (" + probes + ": if it only needs longer, set its start_period)"
		}
		return fmt.Sprintf("service %q was not ready after %s: %s%s", "s", after, why, probes)
	}
	const curl = "curl -f http://localhost"
	const absent = `its healthcheck runs "curl", which it does not have (install it, or write test: [HTTP, /] or [PORT, "80"], which need no program)`
	shell := func(words string) []string { return []string{"/bin/sh", "-c", words} }
	s := time.Second
	for _, tt := range []struct {
		name   string
		ready  spec.Ready // its command is check unless it says something else
		exec   func(time.Duration, int) (Exit, error)
		want   string
		took   time.Duration
		most   int // probes; 0 for as many as there are
		within time.Duration
	}{
		{"nothing is said, and it is soon ready", spec.Ready{}, fails(2 * s), "", 2 * s, 0, 0},
		{"nothing is said, and it is never ready", spec.Ready{}, fails(never), failed("1m", no, ""), 60 * s, 0, 0},
		{"three probes that fail", spec.Ready{Interval: 10 * s}, fails(never), failed("30s", no, "3 probes failed, 10s apart"),
			30 * s, 4, 0},
		{"ready at the third", spec.Ready{Interval: 10 * s}, fails(29 * s), "", 30 * s, 4, 0},
		{"so many retries", spec.Ready{Interval: s, Retries: 10}, fails(never), failed("10s", no, "10 probes failed, 1s apart"),
			10 * s, 11, 0},
		{"retries alone", spec.Ready{Retries: 2}, fails(never), failed("1m", no, "2 probes failed, 30s apart"), 60 * s, 0, 0},
		{"a timeout bounds one probe", spec.Ready{Interval: s, Timeout: 2 * s}, hangs,
			failed("8s", "a probe took longer than 2s", "3 probes failed, 1s apart"), 8 * s, 3, 0},
		{"a timeout alone is not the whole wait", spec.Ready{Timeout: 2 * s}, fails(20 * s), "", 20 * s, 0, 0},
		{"probes in the start period do not count", spec.Ready{Interval: s, Retries: 2, StartPeriod: 20 * s}, fails(19 * s),
			"", 19 * s, 20, 0},
		{"probes after it do", spec.Ready{Interval: s, Retries: 2, StartPeriod: 20 * s}, fails(never),
			failed("21s", no, "2 probes failed, 1s apart"), 21 * s, 22, 0},
		{"the pace of the start period", spec.Ready{Interval: 30 * s, StartPeriod: 60 * s, StartInterval: 2 * s},
			fails(7 * s), "", 8 * s, 5, 0},
		{"the pace of the start period is 5 s at most", spec.Ready{Interval: 30 * s, StartPeriod: 60 * s}, fails(7 * s), "",
			10 * s, 3, 0},
		{"it never lasts longer than it may", spec.Ready{Interval: 10 * s}, fails(never),
			failed("15s", no, ""), 15 * s, 2, 15 * s},
		{"its program is never there", spec.Ready{Command: shell(curl + " || exit 1")}, lacks(never),
			failed("5s", absent, ""), 5 * s, 0, 0},
		{"its program is never there, without exit", spec.Ready{Command: shell(curl)}, lacks(never),
			failed("5s", absent, ""), 5 * s, 0, 0},
		{"its program is installed at the start", spec.Ready{Command: shell(curl + " || exit 1"), StartPeriod: 20 * s},
			lacks(12 * s), "", 12 * s, 0, 0},
		{"another is tried in its place", spec.Ready{Command: shell(curl + " || wget -q http://localhost")}, lacks(12 * s), "",
			12 * s, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.ready.Command == nil {
					tt.ready.Command = []string{"check"}
				}
				p := wait(t, Service{Service: spec.Service{Ready: tt.ready}, Within: tt.within}, &probedFake{exec: tt.exec},
					tt.want, tt.took)
				if tt.most > 0 && len(p.probes) > tt.most {
					t.Errorf("%d probes, at %v, want %d at most", len(p.probes), p.probes, tt.most)
				}
			})
		})
	}
}

// The missing program of a healthcheck is found in messages of shells and engines.
func TestAbsentProgram(t *testing.T) {
	for _, tt := range []struct {
		name, said string
		code       int
		want       string
	}{
		{"dash", "/bin/sh: 1: curl: not found\n", 1, "curl"},
		{"busybox", "sh: curl: not found\r\n", 127, "curl"},
		{"bash", "bash: line 1: pg_isready: command not found\n", 127, "pg_isready"},
		{"Docker, without a shell", `OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown`, 126, "curl"},
		{"Docker, by its path", `OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown`, 126, "/bin/sh"},
		{"crun", "Error: crun: executable file `wget` not found in $PATH: No such file or directory\n", 127, "wget"},
		{"an answer that was not found", "curl: (22) The requested URL returned error: 404 Not Found\n", 22, ""},
		{"a key that was not found", "leader: not found\n", 1, ""},
		{"found after all", "/bin/sh: 1: curl: not found\n", 0, ""},
	} {
		assert.Equal(t, absentProgram(Exit{Code: tt.code, Stderr: []byte(tt.said)}, nil), tt.want, "%s", tt.name)
	}
	begun := errors.New(`running ["curl"]: exec: "curl": executable file not found in $PATH`)
	assert.Equal(t, absentProgram(Exit{}, begun), "curl", "of a command that was not begun")
}

// A log is waited for as long as probes would be.
func TestLogThatLacksItsText(t *testing.T) {
	for _, tt := range []struct {
		ready        spec.Ready
		within, took time.Duration
	}{
		{spec.Ready{}, 0, time.Minute},
		{spec.Ready{StartPeriod: time.Minute, Interval: 2 * time.Second}, 0, 66 * time.Second},
		{spec.Ready{}, 3 * time.Second, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			tt.ready.Log = "up"
			p := &probedFake{began: time.Now()}
			err := WaitReady(t.Context(), Service{Service: spec.Service{Name: "s", Ready: tt.ready}, Within: tt.within}, p)
			if took := time.Since(p.began); took != tt.took || err == nil || !strings.Contains(err.Error(),
				`"up" stood 0 of 1 times in its log`) {
				t.Errorf("%+v: %v after %v, want %v", tt.ready, err, took, tt.took)
			}
		})
	}
}

// A service that must complete is ready when it has exited with status 0.
func TestCompleted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		ends   time.Duration
		within time.Duration
		want   string
		took   time.Duration
	}{
		{"well, however late", 0, 10 * time.Minute, 0, "", 10 * time.Minute},
		{"not well", 3, time.Second, 0, `service "s" was not ready: it ended with status 3`, time.Second},
		{"not in time", 0, time.Hour, time.Minute, `service "s" was not ready after 1m: it has not ended`, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wait(t, Service{Service: spec.Service{Completes: true}, Within: tt.within},
					&probedFake{ends: tt.ends, status: tt.status}, tt.want, tt.took)
			})
		})
	}
}

// The listeners of a service explain why it is not reached. If it listens only on loopback, the wait ends early.
func TestListensElsewhere(t *testing.T) {
	at := func(list ...string) []netip.AddrPort { return slice.Map(list, netip.MustParseAddrPort) }
	always := func(open ...string) func(time.Duration) []netip.AddrPort {
		return func(time.Duration) []netip.AddrPort { return at(open...) }
	}
	from := func(since time.Duration, before, after []netip.AddrPort) func(time.Duration) []netip.AddrPort {
		return func(now time.Duration) []netip.AddrPort {
			if now < since {
				return before
			}
			return after
		}
	}
	deaf := func(after, elsewhere string) string {
		return fmt.Sprintf("service %q was not ready after %s: nothing listens on port 8080 (%s)", "s", after, elsewhere)
	}
	s := time.Second
	for _, tt := range []struct {
		name  string
		ready spec.Ready
		open  func(time.Duration) []netip.AddrPort
		want  string
		took  time.Duration
	}{
		{"on the loopback only", spec.Ready{}, always("127.0.0.1:8080"),
			deaf("5s", "it listens on 127.0.0.1:8080 only: bind to 0.0.0.0"), 5 * s},
		{"on both loopbacks, asked over HTTP", spec.Ready{HTTP: "/"}, always("127.0.0.1:8080", "[::1]:8080"),
			deaf("5s", "it listens on 127.0.0.1:8080 and [::1]:8080 only: bind to 0.0.0.0"), 5 * s},
		{"on the loopback at first", spec.Ready{}, from(3*s, at("127.0.0.1:8080"), at("0.0.0.0:8080")), "", 3 * s},
		{"on the loopback, and it may take long to start", spec.Ready{StartPeriod: 20 * s}, from(15*s, at("127.0.0.1:8080"),
			at("0.0.0.0:8080")), "", 15 * s},
		{"on the loopback after a while", spec.Ready{}, from(10*s, at("0.0.0.0:9000"), at("0.0.0.0:9000", "127.0.0.1:8080")),
			deaf("15s", "it listens on 127.0.0.1:8080 only: bind to 0.0.0.0"), 15 * s},
		{"on another port", spec.Ready{}, always("0.0.0.0:9000"),
			deaf("15s", "it listens on 0.0.0.0:9000: correct the port"), 15 * s},
		{"on another port at first", spec.Ready{}, from(14*s, at("0.0.0.0:9000"), at("0.0.0.0:9000", "0.0.0.0:8080")), "",
			14 * s},
		{"on one port after another", spec.Ready{}, from(10*s, at("0.0.0.0:9000"), at("0.0.0.0:9000", "0.0.0.0:9001")),
			deaf("25s", "it listens on 0.0.0.0:9000, 0.0.0.0:9001: correct the port"), 25 * s},
		{"on another port, and it may take long to start", spec.Ready{StartPeriod: 20 * s}, from(19*s, at("0.0.0.0:9000"),
			at("0.0.0.0:8080")), "", 19 * s},
		{"on another port, with times of its own", spec.Ready{Interval: 10 * s, Retries: 4}, always("0.0.0.0:9000"),
			deaf("40s", "it listens on 0.0.0.0:9000: correct the port"), 40 * s},
		{"nowhere", spec.Ready{}, always(), `service "s" was not ready after 1m: nothing listens on port 8080`, 60 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wait(t, Service{Service: spec.Service{Ready: tt.ready, Expose: []int{8080}}}, &probedFake{open: tt.open},
					tt.want, tt.took)
			})
		})
	}
}

// However output is split, a Head keeps its beginning and a Tail its end.
func TestHeadAndTail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		limit := 1 + random.IntN(20)
		full := 0
		h, last := &Head{Limit: limit, Full: func() { full++ }}, &Tail{Limit: limit}
		var all string
		for range random.IntN(8) {
			piece := strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(2*limit+2))
			all += piece
			for _, w := range []interface{ Write([]byte) (int, error) }{h, last} {
				if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Fatalf("Write = %d, %v, want %d", n, err, len(piece))
				}
			}
		}
		if want := all[:min(limit, len(all))]; string(h.Bytes()) != want {
			t.Fatalf("head %d of %q is %q", limit, all, h.Bytes())
		}
		if isFull := len(all) > limit; isFull != (full == 1) || full > 1 {
			t.Fatalf("head %d of %q was full %d times", limit, all, full)
		}
		if want := all[max(0, len(all)-limit):]; string(last.Bytes()) != want {
			t.Fatalf("tail %d of %q is %q, want %q", limit, all, last.Bytes(), want)
		}
	}
}

func TestLastLines(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"all", "one\ntwo\n", "one\ntwo\n"},
		{"whole lines", "the first\ntwo\nthree\n!", "three\n!"},
		{"one line", "one that is too long", "...s too long"},
		{"one line with its end", "one that is too long\n", "... too long\n"},
		{"a character", "one that is ü too long", "...\xbc too long"},
	} {
		assert.Equal(t, LastLines(test.text, 10), strings.ToValidUTF8(test.want, ""), "%s", test.name)
	}
}

func TestEndOf(t *testing.T) {
	assert.Equal(t, EndOf([]byte("a\nb\nc\n\n")), "    a\n    b\n    c", "the last lines")
	assert.Equal(t, strings.Count(EndOf([]byte(strings.Repeat("x\n", 30))), "x"), 20, "the last lines")
}

// A port is probed by connecting, and a path by the status of its answer.
func TestProbeAt(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	answers := map[string]string{"/up": "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nok", "/old": "HTTP/1.0 200 OK\r\n\r\n",
		"/down": "HTTP/1.1 503 Service Unavailable\r\n\r\n", "/other": "220 mail ready\r\n", "/cut": "HTTP/1.1 200 OK\r\nA:"}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			var method, path string
			_, _ = fmt.Fscan(conn, &method, &path) // nothing for a port
			fmt.Fprint(conn, answers[path])
			conn.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	probe := ProbeAt("127.0.0.1", "web")
	for path, want := range map[string]string{"": "", "/up": "", "/old": "", "/down": "was answered with 503 Service Unavailable",
		"/other": `was not answered: "220 mail ready" is not HTTP`, "/cut": "was not answered: EOF"} {
		err := probe(t.Context(), port, path)
		if want != "" {
			want = fmt.Sprintf("http://web:%d%s %s", port, path, want)
		}
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%q: got %v, want %q", path, err, want)
		}
	}
	listener.Close()
	assert.Is(t, probe(t.Context(), port, ""), syscall.ECONNREFUSED, "nobody listens")
}
