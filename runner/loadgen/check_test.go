package loadgen

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Check asks for every target once, and says of each what came.
func TestCheck(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(503)
		case "/posted":
			w.WriteHeader(201)
		}
		_, _ = w.Write([]byte("hello " + r.Method))
	}))
	defer server.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	before := false
	answers, err := Check(t.Context(), Config{
		Targets: []Target{{URL: server.URL + "/"}, {URL: server.URL + "/posted", Method: "POST"},
			{URL: server.URL + "/busy"},
			{URL: gone.URL + "/"}, {URL: "http://no-such-host.invalid/"}},
		Connections: 1, Requests: 1, Timeout: 5 * time.Second,
		Verify: &Verify{Before: &before, Contains: "hello"}, // it is asked all the same
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		method  string
		status  int
		length  int64
		failure string // the beginning
	}{
		{"GET", 200, 9, ""}, {"POST", 201, 10, ""},
		{"GET", 503, 9, "wanted a status of 200 to 299, got 503 (verify: {status: 503} accepts it); the answer was"},
		{"GET", 0, 0, "no connection: "}, {"GET", 0, 0, "resolving the target's host: "},
	}
	if len(answers) != len(want) {
		t.Fatalf("%d answers: %+v", len(answers), answers)
	}
	for i, w := range want {
		a := answers[i]
		if a.Method != w.method || a.Status != w.status || a.Length != w.length || (a.Failure == "") != (w.failure == "") ||
			!strings.HasPrefix(a.Failure, w.failure) || a.Took < 0 {
			t.Errorf("got %+v, want %+v", a, w)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("the server was asked %d times, want 3", n)
	}
}

func TestCheckOfWhatIsNoConfig(t *testing.T) {
	if answers, err := Check(t.Context(), Config{}); err == nil {
		t.Errorf("got %+v, want an error", answers)
	}
}
