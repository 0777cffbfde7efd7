//go:build linux

package eventloop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newLoop(t *testing.T) *Loop {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// Timers fire in the order of their times, none too early, those that were unset never.
func TestTimers(t *testing.T) {
	l := newLoop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	random := rand.New(rand.NewPCG(1, 2))
	var fired []int64
	var all []*Timer
	for range 500 {
		timer := &Timer{}
		timer.Fire = func() {
			if now := l.Now(); now < timer.Due() {
				t.Errorf("fired at %d, due at %d", now, timer.Due())
			}
			fired = append(fired, timer.Due())
		}
		all = append(all, timer)
		l.Set(timer, l.Now()+random.Int64N(int64(20*time.Millisecond)))
	}
	for i, timer := range all {
		switch i % 5 {
		case 0:
			l.Unset(timer)
			l.Unset(timer) // and again is nothing
		case 1: // another time
			l.Set(timer, l.Now()+random.Int64N(int64(30*time.Millisecond)))
		}
	}
	end := &Timer{Fire: cancel}
	l.Set(end, l.Now()+int64(50*time.Millisecond))
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(fired) != 400 || !slices.IsSorted(fired) {
		t.Errorf("%d fired, sorted %v; want 400 in order", len(fired), slices.IsSorted(fired))
	}
}

// A timer may set itself again, and others.
func TestTimerSetsItself(t *testing.T) {
	l := newLoop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := 0
	timer := &Timer{}
	timer.Fire = func() {
		if n++; n == 100 {
			cancel()
			return
		}
		l.Set(timer, timer.Due()+int64(100*time.Microsecond))
	}
	begin := l.Now()
	l.Set(timer, begin)
	if err := l.Run(ctx); err != nil || n != 100 {
		t.Fatalf("fired %d times, %v", n, err)
	}
	if took := time.Duration(l.Now() - begin); took < 9900*time.Microsecond {
		t.Errorf("99 periods of 100 µs took %v", took)
	}
}

// A file that was closed by an earlier event of the same batch gets no event, nor does the next one that has its
// number.
func TestEventsOfAClosedFile(t *testing.T) {
	l := newLoop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var pairs [2][2]int
	for i := range pairs {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		pairs[i] = pair
		if _, err := unix.Write(pair[1], []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	calls, stale := 0, 0
	for i := range pairs {
		other := pairs[1-i][0]
		if err := l.Add(pairs[i][0], unix.EPOLLIN, func(uint32) {
			calls++
			l.CloseFile(other)
			fresh, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			if err != nil || fresh[0] != other && fresh[1] != other {
				t.Errorf("got files %v, want %d among them, %v", fresh, other, err)
			}
			if err := l.Add(other, unix.EPOLLIN, func(uint32) { stale++ }); err != nil {
				t.Error(err)
			}
			end := &Timer{Fire: cancel}
			l.Set(end, l.Now()+int64(5*time.Millisecond))
			l.CloseFile(pairs[i][0])
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Run(ctx); err != nil || calls != 1 || stale != 0 {
		t.Errorf("%d calls, %d of them stale, %v; want 1, none", calls, stale, err)
	}
}

func TestFailureEndsTheLoop(t *testing.T) {
	l := newLoop(t)
	broken := errors.New("broken")
	timer := &Timer{Fire: func() { l.Fail(broken); l.Fail(errors.New("later")) }}
	l.Set(timer, 0)
	if err := l.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := l.Add(5000, unix.EPOLLIN, nil); err == nil {
		t.Error("waits for a file that is not there")
	}
}

// Connections are handed over as files, and what is in them arrives.
func TestListen(t *testing.T) {
	l := newLoop(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, err := l.Listen("127.0.0.1:0", func(fd int) {
		if _, err := unix.Write(fd, []byte("hello")); err != nil {
			t.Error(err)
		}
		if value, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil || value == 0 {
			t.Errorf("TCP_NODELAY is %d, %v", value, err)
		}
		unix.Close(fd)
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for range 300 {
		conn, err := net.Dial("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(conn); err != nil || string(data) != "hello" {
			t.Fatalf("got %q, %v", data, err)
		}
		conn.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := l.Listen("127.0.0.1:http:", nil); err == nil {
		t.Error("listens at no address")
	}
}

func TestReadLateness(t *testing.T) {
	late := NewLateness()
	for i := range 1000 {
		late.Add(int64(i) * 1000)
	}
	late.Add(-5)
	r := late.Report()
	if r.Count != 1001 || r.P50 < 490*time.Microsecond || r.P50 > 510*time.Microsecond || r.P99 < 980*time.Microsecond ||
		r.Max < r.P99 {
		t.Errorf("got %+v", r)
	}
	line := func(count int) string {
		return fmt.Sprintf(`lateness {"count":%d,"p50_ns":30000,"p99_ns":90400,"max_ns":1}`, count)
	}
	tests := []struct {
		name, log, want string
	}{
		{"none", "listening\n", ""},
		{"one", "listening\n" + line(5) + "\n", "p50 30µs, p99 90µs, max 0s of 5"},
		{"the last", line(5) + "\n" + line(6) + "\n", "p50 30µs, p99 90µs, max 0s of 6"},
		{"one that is cut off", line(5) + "\n" + line(6), "p50 30µs, p99 90µs, max 0s of 5"},
		{"one that is none", line(5) + "\nlateness {\n", "p50 30µs, p99 90µs, max 0s of 5"},
	}
	for _, tt := range tests {
		got, ok := ReadLateness([]byte(tt.log))
		if text := got.String(); ok != (tt.want != "") || ok && text != tt.want {
			t.Errorf("%s: got %s, %v, want %q", tt.name, text, ok, tt.want)
		}
	}
	l := newLoop(t)
	var log lines
	late.Watch(l, &log)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log.written = func() { time.AfterFunc(3*ReportEvery/2, cancel) } // in which it would be written again
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if left := WithoutLateness([]byte("a\n" + log.String() + "b\n" + line(1))); string(left) != "a\nb\n" {
		t.Errorf("without reports it is %q", left)
	}
	if left := WithoutLateness([]byte("lateness 12 ms\nlateness {\"co")); string(left) != "lateness 12 ms\n" {
		t.Errorf("of what another program writes %q is left", left)
	}
	if strings.Count(log.String(), "\n") != 1 {
		t.Errorf("wrote %q, want one line, as nothing was added since", log.String())
	}
}

// lines is a text, and what is done after its first line was written.
type lines struct {
	strings.Builder
	written func()
}

func (l *lines) Write(p []byte) (int, error) {
	if l.Len() == 0 {
		l.written()
	}
	return l.Builder.Write(p)
}
