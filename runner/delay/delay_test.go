//go:build linux

package delay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func newClock(t *testing.T) *Clock {
	t.Helper()
	c, err := NewClock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Sleepers wake in the order of their times, and none too early.
func TestSleepUntil(t *testing.T) {
	c := newClock(t)
	random := rand.New(rand.NewPCG(1, 2))
	var group sync.WaitGroup
	for range 500 {
		due := c.Now() + time.Duration(random.Int64N(int64(50*time.Millisecond)))
		group.Go(func() {
			for range 5 {
				if ok, now := c.SleepUntil(due), c.Now(); !ok || now < due {
					t.Errorf("woke at %v, due at %v, %v", now, due, ok)
				}
				due += 3 * time.Millisecond
			}
		})
	}
	group.Wait()
	if !c.SleepUntil(c.Now()-time.Second) || !c.SleepUntil(0) {
		t.Error("a time that is over is not slept until")
	}
}

// It wakes much closer to its time than Go's own timers, which are up to a millisecond late.
func TestWakesInTime(t *testing.T) {
	c := newClock(t)
	best := time.Hour
	for range 200 {
		due := c.Now() + 1500*time.Microsecond
		c.SleepUntil(due)
		best = min(best, c.Now()-due)
	}
	if best > 300*time.Microsecond {
		t.Errorf("woke %v late at best", best)
	}
}

func TestCloseWakesEveryone(t *testing.T) {
	c := newClock(t)
	woken := make(chan bool)
	for range 3 {
		go func() { woken <- c.SleepUntil(time.Hour) }()
	}
	time.Sleep(5 * time.Millisecond)
	c.Close()
	for range 3 {
		if <-woken {
			t.Error("slept until a time that has not come")
		}
	}
	if c.SleepUntil(0) {
		t.Error("a closed clock sleeps")
	}
}

// Connections are handled until the context is done, which closes them.
func TestServer(t *testing.T) {
	s, err := NewServer()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	address, err := s.Listen("127.0.0.1:0", func(_ context.Context, conn *net.TCPConn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(conn, first); err != nil {
			closed <- err
			return
		}
		_, _ = io.WriteString(conn, "hello")
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, io.Discard) }()
	for range 300 {
		conn, err := net.Dial("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(conn); err != nil || string(data) != "hello" {
			t.Fatalf("got %q, %v", data, err)
		}
	}
	conn, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	time.Sleep(20 * time.Millisecond) // until it is accepted
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-closed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a connection ended with %v", err)
	}
	if _, err := s.Listen("127.0.0.1:http:", nil); err == nil {
		t.Error("listens at no address")
	}
}

// A log that cannot be written ends the server.
func TestServerWithoutLog(t *testing.T) {
	s, err := NewServer()
	if err != nil {
		t.Fatal(err)
	}
	s.Lateness.Add(time.Millisecond)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := s.Serve(t.Context(), full); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("ended with %v", err)
	}
}

func TestReadLateness(t *testing.T) {
	late := NewLateness()
	for i := range 1000 {
		late.Add(time.Duration(i) * time.Microsecond)
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
	var log lines
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log.written = func() { time.AfterFunc(3*ReportEvery/2, cancel) } // in which it would be written again
	if err := late.watch(ctx, &log); err != nil {
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
