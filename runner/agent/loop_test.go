//go:build linux

package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// log is a buffer that can be read while it is written.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// serve runs the server until the test ends, and returns its log.
func serve(t testing.TB, s interface {
	Serve(context.Context, io.Writer) error
}) *log {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done, written := make(chan error, 1), &log{}
	go func() { done <- s.Serve(ctx, written) }()
	t.Cleanup(func() {
		cancel()
		must.Do(<-done)
	})
	return written
}

// waitForLateness returns the last report in a log, once it counts enough.
func waitForLateness(t *testing.T, written *log, count int64) LatenessReport {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if late, ok := ReadLateness(written.Bytes()); ok && late.Count >= count {
			return late
		}
		if time.Now().After(deadline) {
			t.Fatalf("want a report of %d, got the log %q", count, written.Bytes())
		}
	}
}

// Timers fire in the order of their times, not too early, and closer to them than Go's own timers, which are up to a
// millisecond late.
func TestTimers(t *testing.T) {
	l := must.Get(newLoop())
	const n = 300
	random := rand.New(rand.NewPCG(1, 2))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var fired []int64
	best := int64(time.Hour)
	var never timer
	never.fire = func() { t.Error("a timer fired that was unset") }
	for range n {
		tm := &timer{}
		tm.fire = func() {
			late := l.now() - tm.due
			if late < 0 {
				t.Errorf("fired %d ns too early", -late)
			}
			best = min(best, late)
			if fired = append(fired, tm.due); len(fired) == n {
				cancel()
			}
		}
		l.set(tm, l.now()+int64(time.Hour))
		l.set(tm, l.now()+random.Int64N(int64(50*time.Millisecond)))
		l.set(&never, l.now()+random.Int64N(int64(50*time.Millisecond)))
	}
	l.unset(&never)
	must.Do(l.run(ctx))
	if len(fired) != n || !slices.IsSorted(fired) {
		t.Errorf("%d of %d timers fired, sorted %v", len(fired), n, slices.IsSorted(fired))
	}
	if best > int64(300*time.Microsecond) {
		t.Errorf("the best was %d ns late", best)
	}
}

func TestLogThatIsFull(t *testing.T) {
	l := must.Get(newLoop())
	l.late.add(1)
	full := must.Get(os.OpenFile("/dev/full", os.O_WRONLY, 0))
	defer full.Close()
	assert.Is(t, l.Serve(t.Context(), full), syscall.ENOSPC)
}

func TestLateness(t *testing.T) {
	late := newLateness()
	for i := range int64(1000) {
		late.add(i * 1000)
	}
	late.add(-5)
	if r := late.report(); r.Count != 1001 || r.P50 < 490*time.Microsecond || r.P50 > 510*time.Microsecond ||
		r.P99 < 980*time.Microsecond || r.Max < r.P99 {
		t.Errorf("got %+v", r)
	}
	line := func(count int) string {
		return fmt.Sprintf(`lateness {"count":%d,"p50_ns":30000,"p99_ns":90400,"max_ns":1}`, count)
	}
	for _, tt := range []struct{ name, log, want, rest string }{
		{"none", "listening\n", "", "listening\n"},
		{"one", "listening\n" + line(5) + "\n", "p50 30µs, p99 90µs, max 0s of 5", "listening\n"},
		{"the last counts", line(5) + "\n" + line(6) + "\nx\n", "p50 30µs, p99 90µs, max 0s of 6", "x\n"},
		{"cut off", line(5) + "\nx\n" + line(6)[:30], "p50 30µs, p99 90µs, max 0s of 5", "x\n"},
		{"of another program", "lateness 12 ms\nlateness {\n", "", "lateness 12 ms\nlateness {\n"},
	} {
		got, ok := ReadLateness([]byte(tt.log))
		if text := got.String(); ok != (tt.want != "") || ok && text != tt.want {
			t.Errorf("%s: got %s, %v, want %q", tt.name, text, ok, tt.want)
		}
		assert.Equal(t, string(WithoutLateness([]byte(tt.log))), tt.rest, "%s: without reports", tt.name)
	}
}
