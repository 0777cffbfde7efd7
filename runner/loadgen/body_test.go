package loadgen

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// streaming starts a server that answers with a beginning, so many MiB of x, and an end.
func streaming(t *testing.T, beginning string, mebibytes int, end string) string {
	chunk := []byte(strings.Repeat("x", 1<<20))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, beginning)
		for range mebibytes {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, end)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// check requests a target, and returns its answer and how many MiB that allocated.
func check(t *testing.T, config Config) (Answer, uint64) {
	t.Helper()
	config.Connections, config.Requests = 1, 1
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answers := must.Get(Check(t.Context(), config))
	runtime.ReadMemStats(&after)
	return answers[0], (after.TotalAlloc - before.TotalAlloc) >> 20
}

// Checking an answer of any size takes no more memory than its checks need.
func TestCheckOfLargeBody(t *testing.T) {
	size := 512 // MiB
	if testing.Short() {
		size = 128 // still more than may be allocated
	}
	long := int64(size<<20 + len("<<>>"))
	for _, tt := range []struct {
		name    string
		verify  Verify
		failure string // in the failure; empty for none
	}{
		{"nothing asked", Verify{}, ""},
		{"length", Verify{Length: &long}, ""},
		{"wrong length", Verify{Length: new(int64(5))}, fmt.Sprintf("wanted a body of 5 bytes, got %d", long)},
		{"contained at its end", Verify{Contains: "x>>"}, `wanted a body that contains "x>>" in its first 1 MiB; `},
		{"not contained", Verify{Contains: "x<<"},
			fmt.Sprintf(`wanted a body that contains "x<<" in its first 1 MiB; the answer was "HTTP/1.1 200 OK" with a body of %d bytes, "<<xxx`, long)},
		{"matching at its beginning", Verify{Match: `^<+x`}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, used := check(t, Config{Targets: []Target{{URL: streaming(t, "<<", size, ">>")}}, Timeout: time.Minute,
				Verify: &tt.verify})
			if a.Length != long || (a.Failure == "") != (tt.failure == "") || !strings.Contains(a.Failure, tt.failure) ||
				len(a.Failure) > 400 || used > 8 {
				t.Errorf("got %d bytes, failure %q, %d MiB allocated; want %d and %q", a.Length, a.Failure, used, long, tt.failure)
			}
		})
	}
}

// An answer that never ends fails at the timeout, and the message says so.
func TestCheckOfEndlessBody(t *testing.T) {
	slowtest.Skip(t)
	a, used := check(t, Config{Targets: []Target{{URL: streaming(t, "", math.MaxInt, "")}},
		Timeout: 500 * time.Millisecond, Verify: &Verify{Contains: "hello"}})
	if !strings.HasPrefix(a.Failure, `no whole answer within 500ms; the answer was "HTTP/1.1 200 OK" with a body of `) {
		t.Fatalf("got %+v", a)
	}
	if used > 8 {
		t.Errorf("%d MiB were allocated for an answer of %d MiB", used, a.Length>>20)
	}
}
