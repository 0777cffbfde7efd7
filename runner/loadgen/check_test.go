package loadgen

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Check asks for every target once, and describes each answer.
func TestCheck(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(503)
		case "/posted":
			w.WriteHeader(201)
		case "/gone":
			w.WriteHeader(404)
		}
		_, _ = w.Write([]byte("hello " + r.Method))
	}))
	defer server.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	before := false
	answers := must.Get(Check(t.Context(), Config{
		Targets: []Target{{URL: server.URL + "/"}, {URL: server.URL + "/posted", Method: "POST"},
			{URL: server.URL + "/busy"}, {URL: server.URL + "/gone"},
			{URL: gone.URL + "/"}, {URL: "http://no-such-host.invalid/"}},
		Connections: 1, Requests: 1, Timeout: 5 * time.Second,
		Verify: &Verify{Before: &before, Contains: "hello"}, // it is asked all the same
	}))
	want := []struct {
		method  string
		status  int
		length  int64
		failure string // the beginning
	}{
		{"GET", 200, 9, ""}, {"POST", 201, 10, ""},
		{"GET", 503, 9, "wanted a status of 200 to 299, got 503 (verify: {status: 503} accepts it); the answer was"},
		{"GET", 404, 9, "wanted a status of 200 to 299, got 404 (correct the path of the target, or verify: {status: 404} accepts it)"},
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
	assert.Equal(t, asked.Load(), 4, "how often the server was asked")
}

func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		verify *Verify
		status int // 200 if 0
		body   string
		want   string // in the error; empty for none
	}{
		{"nothing asked, 200", nil, 200, "hello", ""},
		{"nothing asked, 299", &Verify{}, 299, "hello", ""},
		{"nothing asked, 304", nil, 304, "", "wanted a status of 200 to 299, got 304"},
		{"listed", &Verify{Status: []int{200, 503}}, 503, "", ""},
		{"not listed", &Verify{Status: []int{200, 503}}, 204, "", "wanted status 200 or 503, got 204"},
		{"right length", &Verify{Length: new(int64(0))}, 200, "", ""},
		{"wrong length", &Verify{Length: new(int64(5))}, 200, "hello!", "wanted a body of 5 bytes, got 6"},
		{"contained", &Verify{Contains: "Hello"}, 0, "<h1>Hello</h1>", ""},
		{"not contained", &Verify{Contains: "Hello"}, 0, "hello", `wanted a body that contains "Hello"`},
		{"matching", &Verify{Match: `(?m)^l+o$`}, 0, "he\nllo\n", ""},
		{"not matching", &Verify{Match: `^l`}, 0, "hello", `wanted a body that matches "^l"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &whole{status: cmp.Or(tt.status, 200)}
			a.take([]byte(tt.body))
			checkError(t, tt.verify.check(a), tt.want)
		})
	}
}

// checkError wants an error with some text in it, or none if the text is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}
