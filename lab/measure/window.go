package measure

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"benchbook/lab"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
	"benchbook/runner/loadgen"
)

// Without --duration, the window is as long as its percentiles need, within these bounds.
const (
	shortestWindow = 5 * time.Second
	longestWindow  = 20 * time.Second
	windowMargin   = 1.5 // factor on the answers that a percentile needs, because rates vary
)

// asked is the number of requests from which the rate of a server is estimated.
const asked = 3

// chooseDuration sets the duration of a load without one, from its rate or from how fast each server answers a single
// client. It prints a warning if the longest window is too short for p99.
func (l *Load) chooseDuration(ctx context.Context, a *lab.Session) {
	l.Duration = shortestWindow
	if l.Requests > 0 {
		return
	}
	rate := math.Inf(1)
	if q, err := expr.ParseQuantity(l.Rate); err == nil {
		rate = q.Value
	} else {
		for _, url := range l.URLs {
			if took := l.fastest(ctx, url); took > 0 {
				rate = min(rate, float64(l.Connections)/took.Seconds())
			}
		}
	}
	p, _ := stats.ParsePercentile("99") // always valid
	l.Duration = windowFor(p, rate)
	if answers := rate * l.Duration.Seconds(); answers < float64(p.Need()) {
		fmt.Fprintf(a.Stderr, "p99 needs %d answers a repetition, and about %s are expected in %v: it will be missing; give more "+
			"time with -d, or more connections with -c\n", p.Need(), wording.Plain.Number(answers, 0), l.Duration)
	}
}

// windowFor returns the window that gives a percentile enough answers at a rate per second.
func windowFor(p stats.Percentile, rate float64) time.Duration {
	need := time.Duration(windowMargin * float64(p.Need()) / rate * float64(time.Second)).Round(time.Second)
	return min(max(need, shortestWindow), longestWindow)
}

// fastest sends a few requests like those of the load and returns the shortest time, including the connection. It
// returns 0 if a request fails.
func (l *Load) fastest(ctx context.Context, url string) (shortest time.Duration) {
	headers := map[string]string{}
	for _, h := range l.headers() {
		headers[h.name] = h.value
	}
	config := loadgen.Config{Connections: 1, Requests: 1, KeepAlive: true, Timeout: cmp.Or(l.Timeout, 10*time.Second),
		Targets: []loadgen.Target{{URL: url, Method: l.method(), Headers: headers, Body: []byte(l.Body)}}}
	for range asked {
		answers, err := loadgen.Check(ctx, config)
		if err != nil {
			return 0 // the measurement will give the reason
		}
		for _, a := range answers {
			if a.Status == 0 {
				return 0
			}
			if shortest == 0 || a.Took < shortest {
				shortest = a.Took
			}
		}
	}
	return shortest
}
