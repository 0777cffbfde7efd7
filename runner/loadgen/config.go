package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/runner/config"
)

// Bounds far above anything sensible, so that a slip of the pen ends in a message. They also keep sums of times
// from overflowing.
const (
	maxTime        = 24 * time.Hour
	maxConnections = 100_000
	maxThreads     = 1024
	maxRate        = 10e6
	maxWeight      = 1e9
	maxTargets     = 10_000
)

// Config says what load to put on which targets. Nothing in it has a default beyond what is written here:
// a plan has filled in everything else.
//
// With a Rate the load is an open loop, else a closed one.
type Config struct {
	// Targets are what requests ask for, at least one. Of several, each request draws one by weight.
	Targets []Target `json:"targets"`

	// Seed starts every sequence of random numbers: the choice among targets, the numbers in requests, and Poisson
	// arrivals. The same seed draws the same sequence for the same number of threads.
	Seed uint64 `json:"seed,omitempty"`

	// Connections is the number of clients of a closed loop, and the most connections that an open loop has open at a
	// time; at least 1.
	Connections int `json:"connections"`

	// Threads is the number of threads that run the load at the same time, each with its share of the connections;
	// 0 means one per available core. There are never more than connections.
	Threads int `json:"threads,omitempty"`

	// Sharing says that services are to have the CPUs while there is nothing to do: no thread stays awake until the next
	// request is due.
	Sharing bool `json:"sharing,omitempty"`

	// Duration is the length of the window, Requests the number of requests that end it. One of them is needed; of both,
	// whichever ends first. An open loop has no Requests.
	Duration time.Duration `json:"duration_ns,omitempty"`
	Requests int64         `json:"requests,omitempty"`

	// Cut has clients go on until Requests of their requests have ended, and cuts what is then under way. Without it no
	// more than Requests are started, and each is followed to its end.
	Cut bool `json:"cut,omitempty"`

	// Staggered has the clients of a closed loop start one after another, startPace apart or, where these are very many,
	// so near that all have started after startTime. Without it they start as fast as connections can be opened.
	Staggered bool `json:"staggered,omitempty"`

	// Rate makes the load an open loop: so many requests per second are due, whatever the server does.
	Rate float64 `json:"rate,omitempty"`

	// Arrivals is how the requests of an open loop are spread; empty means ConstantArrivals.
	Arrivals Arrivals `json:"arrivals,omitempty"`

	// Warmup is how long the same load runs before the window; its requests come on top of Requests.
	Warmup time.Duration `json:"warmup_ns,omitempty"`

	// Think is the pause of a client of a closed loop between an answer, or a failure, and its next request.
	Think time.Duration `json:"think_ns,omitempty"`

	// Timeout is how long after its start a request must have its whole answer, connecting included. In an open loop
	// the start is when the request was due.
	Timeout time.Duration `json:"timeout_ns"`

	// KeepAlive lets a client send its next request over the connection of the last one, if the server does.
	// Without it every request opens a connection and announces that it is the only one.
	KeepAlive bool `json:"keepalive"`

	// Verify says what a right answer is, for all targets; nil means any whole answer with a status of 200 to 299,
	// without a check before timing.
	Verify *Verify `json:"verify,omitempty"`
}

// How clients that are staggered start.
const (
	startPace = 50 * time.Microsecond
	startTime = 100 * time.Millisecond
)

// Target is one kind of request.
//
// In the path and query of URL, in the values of Headers and in Body, ${{ random(1, 999999) }} stands for a whole
// number between the two, both included, that is drawn anew for every request.
type Target struct {
	// URL is an http or https URL with a host name or address, and a numeric port unless it is 80, or 443. If the name
	// has several addresses, the clients are dealt round those that accept a connection before the run, of IPv4 if
	// there are any, else of IPv6.
	//
	// Over https the certificate is not verified, since servers under test have home-made ones.
	URL string `json:"url"`

	// Method is the request's method, GET if empty.
	Method string `json:"method,omitempty"`

	// Headers are sent with every request, sorted by name, in addition to Host and User-Agent, which they may
	// replace. Connection, Content-Length and Transfer-Encoding are ours to set and refused here.
	Headers map[string]string `json:"headers,omitempty"`

	// Body is sent with every request; in JSON it is base64, so that any bytes survive.
	Body []byte `json:"body,omitempty"`

	// Weight is how often this target is asked, relative to the weights of the others; 0 means 1.
	Weight float64 `json:"weight,omitempty"`
}

// Arrivals is how the requests of an open loop are spread over time.
type Arrivals string

const (
	ConstantArrivals Arrivals = "constant" // equally far apart
	PoissonArrivals  Arrivals = "poisson"  // at random, each independent of all others
)

// Verify says what a right answer is. Status and Length are checked on every answer, all of it on one answer
// before timing starts.
type Verify struct {
	// Before set to false leaves out the check before timing; nil means true.
	Before *bool `json:"before,omitempty"`

	// Status lists the right statuses; empty means 200 to 299.
	Status []int `json:"status,omitempty"`

	// Length is the number of bytes of the body, after chunks are put together; nil means any.
	Length *int64 `json:"length,omitempty"`

	// Contains is a text in the body, Match a regular expression (RE2) that matches somewhere in it.
	Contains string `json:"contains,omitempty"`
	Match    string `json:"match,omitempty"`

	// JSON has values of a JSON body by their dotted path, in which a number is an index: items.0.id. They are
	// compared as text, or numbers by their value in double precision.
	JSON map[string]string `json:"json,omitempty"`

	// Headers has values of header fields by their name, of whatever case.
	Headers map[string]string `json:"headers,omitempty"`
}

// ReadConfig reads one Config in JSON and validates it. Unknown fields and anything after it are errors.
func ReadConfig(r io.Reader) (Config, error) { return config.Read[Config](r) }

// Validate reports the first thing in the config that rules out a run, in words that name the field.
func (c *Config) Validate() error {
	return cmp.Or(c.validateTargets(), c.validateArrivals(), c.validateCounts(), c.validateTimes(), c.Verify.validate())
}

func (c *Config) validateTargets() error {
	if len(c.Targets) == 0 {
		return errors.New("there is no target; name at least one URL")
	}
	if len(c.Targets) > maxTargets {
		return fmt.Errorf("there are %d targets; use at most %d", len(c.Targets), maxTargets)
	}
	for i := range c.Targets {
		if err := c.Targets[i].validate(); err != nil {
			if len(c.Targets) > 1 {
				return fmt.Errorf("target %d of %d: %w", i+1, len(c.Targets), err)
			}
			return err
		}
	}
	return nil
}

func (c *Config) validateCounts() error {
	if c.Connections < 1 || c.Connections > maxConnections {
		return fmt.Errorf("connections is %d; it must lie between 1 and %d", c.Connections, maxConnections)
	}
	if c.Threads < 0 || c.Threads > maxThreads {
		return fmt.Errorf("threads is %d; it must lie between 1 and %d, or be 0 for one per core", c.Threads, maxThreads)
	}
	if c.Requests < 0 {
		return fmt.Errorf("requests is %d; use 0 for no limit, or more", c.Requests)
	}
	if c.Cut && c.Requests == 0 {
		return errors.New("cut is set without requests; nothing would end the run")
	}
	return nil
}

func (c *Config) validateTimes() error {
	if c.Requests == 0 && c.Duration == 0 {
		return errors.New("neither duration nor requests is set; one is needed to end the run")
	}
	if c.Timeout == 0 {
		return errors.New("timeout is not set; it bounds the wait for every answer")
	}
	for _, t := range []struct {
		name string
		d    time.Duration
	}{{"duration", c.Duration}, {"warmup", c.Warmup}, {"think", c.Think}, {"timeout", c.Timeout}} {
		if t.d < 0 || t.d > maxTime {
			return fmt.Errorf("%s is %v; it must lie between 0 and %v", t.name, t.d, maxTime)
		}
	}
	return nil
}

// Open reports whether the load is an open loop: whether requests leave on schedule.
func (c *Config) Open() bool { return c.Rate > 0 }

// Secure reports whether there are https targets. The config must be valid.
func (c *Config) Secure() bool {
	return slices.ContainsFunc(c.Targets, func(t Target) bool {
		return strings.EqualFold(t.URL[:min(len(t.URL), 6)], "https:")
	})
}

func (c *Config) validateArrivals() error {
	if !(c.Rate >= 0 && c.Rate <= maxRate) {
		return fmt.Errorf("rate is %v; it must lie between 0 and %d per second", c.Rate, int(maxRate))
	}
	switch c.Arrivals {
	case "", ConstantArrivals, PoissonArrivals:
	default:
		return fmt.Errorf("arrivals is %q; use %q or %q", c.Arrivals, ConstantArrivals, PoissonArrivals)
	}
	switch {
	case !c.Open() && c.Arrivals != "":
		return errors.New("arrivals is set without a rate; in a closed loop clients send the next request when the answer " +
			"is there")
	case c.Open() && c.Requests != 0:
		return errors.New("requests is set beside a rate; an open loop lasts for a duration")
	case c.Open() && c.Think != 0:
		return errors.New("think is set beside a rate; in an open loop requests leave on schedule")
	}
	return nil
}

func (t *Target) validate() error {
	if _, err := t.Compile(false); err != nil {
		return err
	}
	if !(t.Weight >= 0 && t.Weight <= maxWeight) || math.IsNaN(t.Weight) {
		return fmt.Errorf("weight is %v; it must be more than 0 and at most %d", t.Weight, int(maxWeight))
	}
	return nil
}

func (t *Target) validateFields() error {
	if t.Method != "" && !IsToken(t.Method) {
		return fmt.Errorf("method %q is not an HTTP method", t.Method)
	}
	if t.Method == "CONNECT" {
		return errors.New("method CONNECT opens a tunnel, which has no answer to measure; use another method")
	}
	names := make(map[string]string) // as the config writes them, by lower case
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if err := validateField(name, t.Headers[name]); err != nil {
			return err
		}
		if other, ok := names[strings.ToLower(name)]; ok {
			return fmt.Errorf("headers: %q and %q are the same header; keep one", other, name)
		}
		names[strings.ToLower(name)] = name
	}
	return nil
}

// hasRightStatus reports whether a right answer may have that status.
func (v *Verify) hasRightStatus(status int) bool {
	if v == nil || len(v.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(v.Status, status)
}

func (v *Verify) validate() error {
	if v == nil {
		return nil
	}
	for _, status := range v.Status {
		if status < 200 || status > 999 {
			return fmt.Errorf("verify: status %d cannot end a request; it must lie between 200 and 999", status)
		}
	}
	if v.Length != nil && *v.Length < 0 {
		return fmt.Errorf("verify: length is %d; it must not be negative", *v.Length)
	}
	if _, err := regexp.Compile(v.Match); err != nil {
		return fmt.Errorf("verify: match: %w", err)
	}
	for path := range v.JSON {
		if slices.Contains(strings.Split(path, "."), "") {
			return fmt.Errorf("verify: json: path %q has an empty step; write names and indexes as in items.0.id", path)
		}
	}
	for name := range v.Headers {
		if !IsToken(name) {
			return fmt.Errorf("verify: headers: %q is not the name of a header", name)
		}
	}
	return nil
}

func validateField(name, value string) error {
	if !IsToken(name) {
		return fmt.Errorf("headers: %q is not the name of a header", name)
	}
	if !IsValue(value) {
		return fmt.Errorf("headers: the value of %q has a control character in it: %q", name, value)
	}
	switch strings.ToLower(name) {
	case "connection":
		return fmt.Errorf("headers: %q is set by keepalive; remove it", name)
	case "content-length", "transfer-encoding":
		return fmt.Errorf("headers: %q is set from the body; remove it", name)
	}
	return nil
}

// parseURL parses the URL of a target, without templates in it, and refuses whatever we could not honour.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err // without the URL, which may have a password in it
	}
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("target has a user name in it; send credentials in headers")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("target %q is not an http URL; write http://host:port/path", text)
	case u.Hostname() == "":
		return nil, fmt.Errorf("target %q has no host; write http://host:port/path", text)
	}
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fmt.Errorf("target %q: write the host name in ASCII", text)
	}
	if _, err := portOf(u); err != nil {
		return nil, err
	}
	return u, nil
}

// portOf is the port to connect to; url.Parse has seen to it that it is made of digits.
func portOf(u *url.URL) (uint16, error) {
	if u.Port() == "" {
		return defaultPort(u), nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("target: port %s does not exist; it must lie between 1 and 65535", u.Port())
	}
	return uint16(port), nil
}

func defaultPort(u *url.URL) uint16 {
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// hostField is the value of Host: without the default port, and without the zone of an IPv6 address, which means
// something on this machine only (RFC 6874).
func hostField(u *url.URL) string {
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String()
	}
	if port, err := portOf(u); err == nil && port != defaultPort(u) {
		return net.JoinHostPort(host, u.Port())
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
