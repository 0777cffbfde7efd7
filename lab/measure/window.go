package measure

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Windows of load without --duration: as long as its percentiles need, within bounds.
const (
	shortestWindow = 5 * time.Second
	longestWindow  = 20 * time.Second
	windowMargin   = 1.5 // more answers than a percentile needs, as rates vary
)

// asked is how often a server is asked to estimate its rate.
const asked = 3

// chooseDuration sets the duration of a load without one, by how fast each server answers alone. It prints which
// percentile will be missing if the longest window is too short for it.
func (l *Load) chooseDuration(ctx context.Context, a *lab.Session) {
	l.Duration = shortestWindow
	if l.Requests > 0 {
		return
	}
	rate := math.Inf(1)
	if q, err := expr.ParseQuantity(l.Rate); err == nil {
		rate = q.Value
	}
	for _, url := range l.URLs {
		if took := l.fastest(ctx, url); took > 0 && l.Rate == "" {
			rate = min(rate, float64(l.Connections)/took.Seconds())
		}
	}
	p, _ := stats.ParsePercentile("99") // it is one
	l.Duration = windowFor(p, rate)
	if answers := rate * l.Duration.Seconds(); answers < float64(p.Need()) {
		fmt.Fprintf(a.Stderr, "p99 needs %d answers a repetition, and about %s are expected in %v: it will be missing; give more "+
			"time with -d, or more connections with -c\n", p.Need(), wording.Plain.Number(answers, 0), l.Duration)
	}
}

// windowFor returns the window in which a percentile has enough answers at a rate per second.
func windowFor(p stats.Percentile, rate float64) time.Duration {
	need := time.Duration(windowMargin * float64(p.Need()) / rate * float64(time.Second)).Round(time.Second)
	return min(max(need, shortestWindow), longestWindow)
}

// fastest asks a server a few times, one request after another, and returns the shortest time; 0 if it did not answer in
// the time for one answer.
func (l *Load) fastest(ctx context.Context, url string) (shortest time.Duration) {
	// As the load does, it uses no proxy and verifies no certificate.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true}
	defer transport.CloseIdleConnections() // a server with few workers may wait on each connection
	client := http.Client{Transport: transport, Timeout: cmp.Or(l.Timeout, 10*time.Second),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range asked {
		begin := time.Now()
		request, err := http.NewRequestWithContext(ctx, l.method(), url, strings.NewReader(l.Body))
		if err != nil {
			return 0
		}
		for _, h := range l.headers() {
			request.Header.Add(h.name, h.value)
		}
		request.Host = request.Header.Get("Host") // the client leaves it out of its headers
		answer, err := client.Do(request)
		if err != nil {
			return 0 // the load says why
		}
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<20))
		answer.Body.Close()
		if took := time.Since(begin); err == nil && (shortest == 0 || took < shortest) {
			shortest = took
		}
	}
	return shortest
}
