package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config describes a load and its targets. With a Rate the load is an open loop, otherwise a closed one.
type Config struct {
	// Targets lists what to request; at least one. Each request draws one by weight.
	Targets []Target `json:"targets"`

	// Seed seeds the draws of targets and Poisson arrivals. The same seed and number of threads give the same sequence.
	Seed uint64 `json:"seed,omitempty"`

	// Connections is the number of clients of a closed loop, and the most connections that an open loop opens.
	Connections int `json:"connections"`

	// Threads share the connections; 0 means one per available core. It is capped at Connections.
	Threads int `json:"threads,omitempty"`

	// Sharing is for a load that shares its cores with services: idle threads sleep instead of polling.
	Sharing bool `json:"sharing,omitempty"`

	// Duration and Requests end the window, whichever comes first; 0 is no bound. An open loop has no Requests.
	Duration time.Duration `json:"duration_ns,omitempty"`
	Requests int64         `json:"requests,omitempty"`

	// Cut keeps all clients busy until Requests requests have ended, then aborts those still under way. Without it only
	// Requests requests start, and all are followed to their end.
	Cut bool `json:"cut,omitempty"`

	// Staggered starts the clients of a closed loop one after another, startPace apart, all within startTime. Without it
	// they start as fast as connections can be opened.
	Staggered bool `json:"staggered,omitempty"`

	// Rate is how many requests are due per second.
	Rate float64 `json:"rate,omitempty"`

	// Arrivals spreads the requests of an open loop; empty means ConstantArrivals.
	Arrivals Arrivals `json:"arrivals,omitempty"`

	// Warmup is how long the same load runs before the window. Its requests are not part of Requests.
	Warmup time.Duration `json:"warmup_ns,omitempty"`

	// Think is the pause of a client of a closed loop before its next request.
	Think time.Duration `json:"think_ns,omitempty"`

	// Timeout bounds the time from the start of a request to the end of its answer, connecting included. In an open loop
	// the start is when the request is due.
	Timeout time.Duration `json:"timeout_ns"`

	// KeepAlive reuses connections. Without it each request opens one and sends "Connection: close".
	KeepAlive bool `json:"keepalive"`

	// Verify says which answers are right. Nil accepts any whole answer with a status of 200 to 299, and checks nothing
	// before timing.
	Verify *Verify `json:"verify,omitempty"`
}

// Pace of staggered clients.
const (
	startPace = 50 * time.Microsecond
	startTime = 100 * time.Millisecond
)

// Target is one kind of request.
type Target struct {
	// URL is an http or https URL. Connections are spread over the host's addresses that accept connections before the
	// run: the IPv4 ones, or the IPv6 ones if there are none. Certificates are not verified: servers under test have
	// self-signed ones.
	URL string `json:"url"`

	// Method is GET if empty.
	Method string `json:"method,omitempty"`

	// Headers may replace Host and User-Agent. Connection, Content-Length and Transfer-Encoding are refused.
	Headers map[string]string `json:"headers,omitempty"`

	// Body is any bytes, base64 in JSON.
	Body []byte `json:"body,omitempty"`

	// Weight is how often this target is drawn, relative to the others; 0 means 1.
	Weight float64 `json:"weight,omitempty"`
}

// Arrivals is how the requests of an open loop are spread over time.
type Arrivals string

const (
	ConstantArrivals Arrivals = "constant" // at equal distances
	PoissonArrivals  Arrivals = "poisson"  // at random, independent of each other
)

// Verify says which answers are right. Status and Length are checked on every answer, the rest on one answer before
// timing.
type Verify struct {
	// Before is whether to check one answer before timing; nil means true.
	Before *bool `json:"before,omitempty"`

	// Status lists the right statuses; empty means 200 to 299.
	Status []int `json:"status,omitempty"`

	// Length is the length of the body in bytes; nil means any.
	Length *int64 `json:"length,omitempty"`

	// Contains is text that the body must contain, Match a regular expression (RE2) that it must match.
	Contains string `json:"contains,omitempty"`
	Match    string `json:"match,omitempty"`
}

// Limits catch typing errors, and keep sums of times from overflowing.
const (
	maxTime        = 24 * time.Hour
	maxConnections = 100_000
	maxThreads     = 1024
	maxRate        = 10e6
	maxWeight      = 1e9
	maxTargets     = 10_000
)

// Validate returns an error that names the first invalid setting.
func (c *Config) Validate() error {
	if err := cmp.Or(
		inRange("targets", len(c.Targets), 1, maxTargets),
		inRange("connections", c.Connections, 1, maxConnections),
		inRange("threads", c.Threads, 0, maxThreads),
		inRange("requests", c.Requests, 0, 1<<53),
		inRange("rate", c.Rate, 0, maxRate),
		inRange("duration", c.Duration, 0, maxTime),
		inRange("warmup", c.Warmup, 0, maxTime),
		inRange("think", c.Think, 0, maxTime),
		inRange("timeout", c.Timeout, 1, maxTime),
	); err != nil {
		return err
	}
	switch open := c.Open(); {
	case c.Requests == 0 && c.Duration == 0:
		return errors.New("neither duration nor requests is set; one of them ends the run")
	case c.Cut && c.Requests == 0:
		return errors.New("cut needs requests")
	case !slices.Contains([]Arrivals{"", ConstantArrivals, PoissonArrivals}, c.Arrivals) || !open && c.Arrivals != "":
		return fmt.Errorf("arrivals is %q; use %q or %q, with a rate", c.Arrivals, ConstantArrivals, PoissonArrivals)
	case open && (c.Requests > 0 || c.Think > 0):
		return errors.New("an open loop has a duration, and neither requests nor think")
	}
	if c.Verify != nil {
		if _, err := regexp.Compile(c.Verify.Match); err != nil {
			return fmt.Errorf("verify: match: %w", err)
		}
	}
	return c.validateTargets()
}

func (c *Config) validateTargets() error {
	for i := range c.Targets {
		t := &c.Targets[i]
		_, err := t.compile(c.KeepAlive)
		if err = cmp.Or(err, inRange("weight", t.Weight, 0, maxWeight)); err != nil && len(c.Targets) > 1 {
			err = fmt.Errorf("target %d of %d: %w", i+1, len(c.Targets), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inRange returns an error unless least ≤ value ≤ most, also for NaN.
func inRange[T cmp.Ordered](name string, value, least, most T) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %v; it must lie between %v and %v", name, value, least, most)
}

// Open reports whether the load is an open loop.
func (c *Config) Open() bool { return c.Rate > 0 }

// secure reports whether a target of a valid config is an https URL.
func (c *Config) secure() bool {
	return slices.ContainsFunc(c.Targets, func(t Target) bool {
		return strings.EqualFold(t.URL[:min(len(t.URL), 6)], "https:")
	})
}

// hasRightStatus reports whether a status is right. v may be nil.
func (v *Verify) hasRightStatus(status int) bool {
	if v == nil || len(v.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(v.Status, status)
}

// hasRightLength reports whether the length of a body is right. v may be nil.
func (v *Verify) hasRightLength(length int64) bool {
	return v == nil || v.Length == nil || length == *v.Length
}

// defaultPorts are the ports of URLs without one, by scheme.
var defaultPorts = map[string]uint16{"http": 80, "https": 443}

// parseURL parses and checks the URL of a target. Without a port in it, port is the scheme's default.
func parseURL(text string) (u *url.URL, port uint16, err error) {
	u, err = url.Parse(text)
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err // drop the URL, which may have a password in it
	}
	if err != nil {
		return nil, 0, fmt.Errorf("target: %w", err)
	}
	port = defaultPorts[u.Scheme]
	switch {
	case u.User != nil:
		return nil, 0, errors.New("target has a user name in it; send credentials in headers")
	case port == 0 || u.Hostname() == "":
		return nil, 0, fmt.Errorf("target %q is not an http URL with a host; write http://host:port/path", text)
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, 0, fmt.Errorf("target %q: write the host name in ASCII", text)
	case strings.Contains(u.Hostname(), "%"):
		return nil, 0, fmt.Errorf("target %q has the zone of an IPv6 address; write another address of the server", text)
	case u.Port() != "":
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if port = uint16(n); err != nil || port == 0 {
			return nil, 0, fmt.Errorf("target: port %s is not between 1 and 65535", u.Port())
		}
	}
	return u, port, nil
}

// hostField returns the value of the Host header, without the scheme's default port.
func hostField(u *url.URL, port uint16) string {
	if port == defaultPorts[u.Scheme] {
		return strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return u.Host
}
