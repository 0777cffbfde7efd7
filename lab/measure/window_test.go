package measure

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/stats"
)

func TestWindowFor(t *testing.T) {
	p := must.Get(stats.ParsePercentile("99"))
	for rate, want := range map[float64]time.Duration{math.Inf(1): 5 * time.Second, 1000: 5 * time.Second,
		150: 10 * time.Second, 10: 20 * time.Second} {
		assert.Equal(t, windowFor(p, rate), want, "at %g/s", rate)
	}
}

// The slowest server decides the window. Its trial requests are those of the load, and their connections are closed.
func TestChooseDuration(t *testing.T) {
	var open atomic.Int32
	slow := func(start func(*httptest.Server)) string {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.Header.Get("X-A") != "b" || r.Host != "other.test" {
				t.Errorf("the server got %s for %s with %v", r.Method, r.Host, r.Header)
			}
			time.Sleep(50 * time.Millisecond)
			fmt.Fprint(w, "ok")
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}
		start(server)
		t.Cleanup(server.Close)
		return server.URL
	}
	plain, secure := slow((*httptest.Server).Start), slow((*httptest.Server).StartTLS)
	for _, test := range []struct {
		connections int
		rate, url   string
		least, most time.Duration
		isMissing   bool
	}{
		{10, "", plain, 7 * time.Second, 20 * time.Second, false},
		{10, "", secure, 7 * time.Second, 20 * time.Second, false}, // its certificate is its own
		{1, "", plain, 20 * time.Second, 20 * time.Second, true},
		{10, "100/s", plain, 15 * time.Second, 15 * time.Second, false},
		{10, "", "http://127.0.0.1:1/", 5 * time.Second, 5 * time.Second, false}, // nobody answers
	} {
		var said bytes.Buffer
		l := Load{URLs: []string{test.url}, Connections: test.connections, Rate: test.rate,
			Headers: []string{"X-A: b", "host: other.test"}, Body: "x"}
		l.chooseDuration(context.Background(), &lab.Session{Stderr: &said})
		if l.Duration < test.least || l.Duration > test.most || strings.Contains(said.String(), "missing") != test.isMissing {
			t.Errorf("%+v: %v, and %q", test, l.Duration, &said)
		}
		for end := time.Now().Add(5 * time.Second); open.Load() > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if n := open.Load(); n > 0 {
			t.Fatalf("%+v: %d connections are open", test, n)
		}
	}
}
