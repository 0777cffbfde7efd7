package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// asked is what a driver reads on its standard input: one JSON document, with all keys. Times are in seconds, rates
// are per second, and 0 means none.
//
// Source: docs/drivers.md#what-it-reads.
type asked struct {
	Version     int           `json:"version"`
	Targets     []askedTarget `json:"targets"`
	Connections int           `json:"connections"`
	Threads     int           `json:"threads"`
	Keepalive   bool          `json:"keepalive"`
	Timeout     float64       `json:"timeout"`
	Warmup      float64       `json:"warmup"`
	Duration    float64       `json:"duration"`
	Requests    int           `json:"requests"`
	Drain       bool          `json:"drain"` // no more than Requests are sent
	Rate        float64       `json:"rate"`
	Arrivals    string        `json:"arrivals"`
	Think       float64       `json:"think"`
	Seed        uint64        `json:"seed"`
}

type askedTarget struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Weight  float64           `json:"weight"`
}

const (
	askedVersion = 1
	exactSeeds   = 1<<53 - 1 // larger ones are not exact where every number is a float
)

// ask is what a driver is asked for.
func ask(l *spec.Load, at Place) ([]byte, error) {
	target := func(t spec.Target) askedTarget {
		if l.Driver.Image.OnMachine() {
			t.URL = onThisMachine(t.URL)
		}
		if t.Headers == nil {
			t.Headers = map[string]string{}
		}
		return askedTarget(t)
	}
	a := asked{Version: askedVersion, Targets: slice.Map(targetsOf(l), target), Connections: l.Connections,
		Threads: cmp.Or(l.Threads, at.Cores), Keepalive: l.Keepalive, Timeout: l.Timeout.Seconds(),
		Warmup: l.Warmup.Seconds(), Duration: l.Duration.Seconds(), Requests: l.Requests, Drain: l.Requests > 0 && !l.Cut,
		Rate: l.Rate, Arrivals: l.Arrivals, Think: l.Think.Seconds(), Seed: at.Seed & exactSeeds}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // for people who look at it
	err := e.Encode(a)
	return out.Bytes(), err
}

// onThisMachine is a URL whose host is a service that is a process of this machine: only our own programs find these by
// their names.
//
// Source: docs/engines.md#without-containers.
func onThisMachine(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	name := "localhost"
	if port := u.Port(); port != "" {
		name += ":" + port
	}
	u.Host = name
	return u.String()
}

// overHTTP says that answers of all targets can be checked.
func overHTTP(l *spec.Load) bool {
	for _, url := range l.URLs() {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			return false
		}
	}
	return true
}
