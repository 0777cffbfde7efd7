package loadgen

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
)

// streaming answers with so many MiB of x after a beginning, and then an end.
func streaming(t *testing.T, beginning string, mebibytes int, end string) string {
	chunk := []byte(strings.Repeat("x", 1<<20))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, beginning)
		for range mebibytes {
			_, _ = w.Write(chunk)
		}
		_, _ = io.WriteString(w, end)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// However large an answer is, checking it takes no more memory than what is asked of it needs.
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
		most    uint64 // MiB that are allocated at most
	}{
		{"nothing asked", Verify{}, "", 8},
		{"length", Verify{Length: &long}, "", 8},
		{"wrong length", Verify{Length: new(int64(5))}, fmt.Sprintf("wanted a body of 5 bytes, got %d", long), 8},
		{"contained at its end", Verify{Contains: "x>>"}, `wanted a body that contains "x>>" in its first 1 MiB; `, 8},
		{"not contained", Verify{Contains: "x<<"},
			fmt.Sprintf(`wanted a body that contains "x<<" in its first 1 MiB; the answer was "HTTP/1.1 200 OK" with a body of %d bytes, "<<xxx`, long),
			8},
		{"matching at its beginning", Verify{Match: `^<+x`}, "", 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := Config{Targets: []Target{{URL: streaming(t, "<<", size, ">>")}}, Connections: 1,
				Requests: 1, Timeout: time.Minute, Verify: &tt.verify}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answers, err := Check(t.Context(), config)
			runtime.ReadMemStats(&after)
			if err != nil || len(answers) != 1 {
				t.Fatalf("got %+v, %v", answers, err)
			}
			if a := answers[0]; a.Length != long || (a.Failure == "") != (tt.failure == "") ||
				!strings.Contains(a.Failure, tt.failure) || len(a.Failure) > 400 {
				t.Errorf("got %d bytes, failure %q; want %d and %q", a.Length, a.Failure, long, tt.failure)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > tt.most {
				t.Errorf("%d MiB were allocated, want at most %d", used, tt.most)
			}
		})
	}
}

// An answer that never ends is given up at the timeout, and the message says so.
func TestCheckOfEndlessBody(t *testing.T) {
	slowtest.Skip(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answers, err := Check(t.Context(), Config{Targets: []Target{{URL: server.URL}}, Connections: 1,
		Requests: 1, Timeout: 500 * time.Millisecond,
		Verify: &Verify{Contains: "hello"}})
	runtime.ReadMemStats(&after)
	if err != nil || len(answers) != 1 || !strings.HasPrefix(answers[0].Failure,
		`no whole answer within 500ms; the answer was "HTTP/1.1 200 OK" with a body of `) {
		t.Fatalf("got %+v, %v", answers, err)
	}
	// The server of this test allocates its pieces.
	if kept := (after.TotalAlloc - before.TotalAlloc) >> 20; kept > 16+uint64(answers[0].Length>>20)+8 {
		t.Errorf("%d MiB were allocated for an answer of %d MiB", kept, answers[0].Length>>20)
	}
}
