package measure

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/stats"
)

func TestWindowFor(t *testing.T) {
	p := must.Get(stats.ParsePercentile("99"))
	for rate, want := range map[float64]time.Duration{math.Inf(1): 5 * time.Second, 1000: 5 * time.Second,
		150: 10 * time.Second, 10: 20 * time.Second} {
		if got := windowFor(p, rate); got != want {
			t.Errorf("at %g/s: %v, want %v", rate, got, want)
		}
	}
}

// The window is chosen by the slowest server, which gets the requests of the load.
func TestChooseDuration(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("X-A") != "b" {
			t.Errorf("the server got %s with %v", r.Method, r.Header)
		}
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(w, "ok")
	}))
	defer slow.Close()
	for _, test := range []struct {
		connections int
		rate, url   string
		least, most time.Duration
		isMissing   bool
	}{
		{10, "", slow.URL, 7 * time.Second, 20 * time.Second, false},
		{1, "", slow.URL, 20 * time.Second, 20 * time.Second, true},
		{10, "100/s", slow.URL, 15 * time.Second, 15 * time.Second, false},
		{10, "", "http://127.0.0.1:1/", 5 * time.Second, 5 * time.Second, false}, // nobody answers
	} {
		var said bytes.Buffer
		l := Load{URLs: []string{test.url}, Connections: test.connections, Rate: test.rate, Headers: []string{"X-A: b"}, Body: "x"}
		l.chooseDuration(context.Background(), &lab.Session{Stderr: &said})
		if l.Duration < test.least || l.Duration > test.most || strings.Contains(said.String(), "missing") != test.isMissing {
			t.Errorf("%+v: %v, and %q", test, l.Duration, &said)
		}
	}
}
