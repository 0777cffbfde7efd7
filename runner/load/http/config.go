package http

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
	"benchbook/runner/http2"
	"benchbook/runner/httpsyntax"
)

// Bounds far above anything sensible, so that a slip of the pen ends in a message. They also keep sums of times
// from overflowing.
const (
	maxTime        = 24 * time.Hour
	maxConnections = 100_000
	maxStreams     = 1000
	maxThreads     = 1024
	maxParts       = 1024
	maxRate        = 10e6
	maxWeight      = 1e9
	maxTargets     = 10_000
	maxStages      = 10_000
)

// Config says what load to put on which targets. Nothing in it has a default beyond what is written here:
// a plan has filled in everything else.
//
// With a Rate, or with Stages that have rates, the load is an open loop, else a closed one.
type Config struct {
	// Targets are what requests ask for, at least one. Of several, each request draws one by weight.
	Targets []Target `json:"targets"`

	// Seed starts every sequence of random numbers: the choice among targets, the numbers in requests, and Poisson
	// arrivals. The same seed draws the same sequence for the same number of threads.
	Seed uint64 `json:"seed,omitempty"`

	// Connections is the number of clients of a closed loop, and the most connections that an open loop has open at a
	// time; at least 1. Where Stages have connections it is where the first of them starts, and 0 means 1.
	Connections int `json:"connections"`

	// Threads is the number of threads that run the load at the same time, each with its share of the connections;
	// 0 means one per available core. There are never more than connections.
	Threads int `json:"threads,omitempty"`

	// Sharing says that services are to have the CPUs while there is nothing to do: no thread stays awake until the next
	// request is due.
	Sharing bool `json:"sharing,omitempty"`

	// Duration is the length of the window, Requests the number of requests that end it. One of them is needed; of both,
	// whichever ends first. An open loop has no Requests. With Stages there is neither: the window is as long as they are.
	Duration time.Duration `json:"duration_ns,omitempty"`
	Requests int64         `json:"requests,omitempty"`

	// Cut has clients go on until Requests of their requests have ended, and cuts what is then under way. Without it no
	// more than Requests are started, and each is followed to its end.
	Cut bool `json:"cut,omitempty"`

	// Staggered has the clients of a closed loop start one after another, StartPace apart or, where these are very many,
	// so near that all have started after StartTime. Without it they start as fast as connections can be opened. Stages
	// say themselves when clients start.
	Staggered bool `json:"staggered,omitempty"`

	// Rate makes the load an open loop: so many requests per second are due, whatever the server does. With Stages
	// it is where the first of them starts.
	Rate float64 `json:"rate,omitempty"`

	// Arrivals is how the requests of an open loop are spread; empty means ConstantArrivals.
	Arrivals Arrivals `json:"arrivals,omitempty"`

	// Stages make the load change over time. They follow each other without a gap.
	Stages []Stage `json:"stages,omitempty"`

	// Warmup is how long the same load runs before the window; its requests come on top of Requests. Before Stages it
	// is the load that the first of them starts from.
	Warmup time.Duration `json:"warmup_ns,omitempty"`

	// Think is the pause of a client of a closed loop between an answer, or a failure, and its next request.
	Think time.Duration `json:"think_ns,omitempty"`

	// Timeout is how long after its start a request must have its whole answer, connecting included. In an open loop
	// the start is when the request was due.
	Timeout time.Duration `json:"timeout_ns"`

	// KeepAlive lets a client send its next request over the connection of the last one, if the server does.
	// Without it every request opens a connection and announces that it is the only one.
	KeepAlive bool `json:"keepalive"`

	// Protocol is what is spoken, HTTP/1.1 if empty. HTTP/2 keeps its connections, so it needs KeepAlive. HTTP2 needs
	// https targets, whose servers have to agree to it by ALPN; HTTP2Clear needs http ones, whose servers have to know.
	Protocol Protocol `json:"protocol,omitempty"`

	// Streams is how many requests each of the Connections of HTTP/2 may have under way at a time; 0 means 1. Each is
	// that of a client of its own, in a closed loop.
	Streams int `json:"streams,omitempty"`

	// Verify says what a right answer is, for all targets; nil means any whole answer with a status of 200 to 299,
	// without a check before timing.
	Verify *Verify `json:"verify,omitempty"`

	// Steps make each client go through the Targets in turn, in journeys: one step for each of them. A step that gets no
	// right answer is the last of its journey. Cookies that servers set are sent back to them until the journey ends.
	// Weights and Think are not used. A closed loop counts Requests, not journeys; what is due in an open loop are
	// journeys, and Connections are the clients that there are at most.
	Steps []Step `json:"steps,omitempty"`

	// Data are values for Steps; nil for none.
	Data *Data `json:"data,omitempty"`

	// Part says which part of the load is put on, where several generators do it together; zero means all of it.
	// Everything else in a config is that of the whole load, but Threads, which are those of this generator.
	Part Part `json:"part,omitzero"`

	// Begin is when the load, or its warm-up, begins by the wall clock of its machine. It begins late if what comes before
	// is not over by then, and as soon as it can if Begin is zero.
	Begin time.Time `json:"begin,omitzero"`
}

// How clients that are staggered start.
const (
	StartPace = 50 * time.Microsecond
	StartTime = 100 * time.Millisecond
)

// Part is one of the parts that a load is dealt out in. It has, of the clients or connections, of the requests that the
// schedule of an open loop has, and of Requests, those whose number leaves Number when it is divided by Of. So nothing
// is lost to rounding, and all parts together send what one generator would, at the same times in an open loop.
type Part struct {
	Number int `json:"number,omitempty"` // from 0
	Of     int `json:"of"`               // how many parts there are; 0 means 1
}

// Share is how many of n things are the part's.
func (p Part) Share(n int) int { return (n - p.Number + p.Count() - 1) / p.Count() }

// Count is how many parts there are.
func (p Part) Count() int { return max(p.Of, 1) }

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

// Protocol is what is spoken over connections.
type Protocol string

const (
	HTTP1      Protocol = ""    // HTTP/1.1
	HTTP2      Protocol = "h2"  // over TLS
	HTTP2Clear Protocol = "h2c" // without, and without asking first
)

// Arrivals is how the requests of an open loop are spread over time.
type Arrivals string

const (
	ConstantArrivals Arrivals = "constant" // equally far apart
	PoissonArrivals  Arrivals = "poisson"  // at random, each independent of all others
)

// Stage is a part of a load that changes: over its Duration the load moves linearly from that of the stage before to
// its own. The first stage starts from the config's Rate or Connections, so without any from rate 0 or one connection.
type Stage struct {
	Duration time.Duration `json:"duration_ns"`

	// Rate, in requests per second, or Connections is what the stage ends with: the same one of them in all stages.
	Rate        float64 `json:"rate,omitempty"`
	Connections int     `json:"connections,omitempty"`
}

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
	return cmp.Or(c.validateSteps(), c.validateTargets(), c.validateProtocol(), c.validateArrivals(), c.validateStages(),
		c.validateCounts(), c.validatePart(), c.validateTimes(), c.Verify.validate())
}

func (c *Config) validateTargets() error {
	if len(c.Targets) == 0 {
		return errors.New("there is no target; name at least one URL")
	}
	if len(c.Targets) > maxTargets {
		return fmt.Errorf("there are %d targets; use at most %d", len(c.Targets), maxTargets)
	}
	variables := c.Variables()
	for i := range c.Targets {
		if err := c.Targets[i].validate(variables); err != nil {
			if len(c.Steps) > 0 {
				return fmt.Errorf("step %q: %w", c.Steps[i].Name, err)
			}
			if len(c.Targets) > 1 {
				return fmt.Errorf("target %d of %d: %w", i+1, len(c.Targets), err)
			}
			return err
		}
	}
	return nil
}

// validateProtocol reports what the protocol does not have.
func (c *Config) validateProtocol() error {
	scheme := "https"
	switch c.Protocol {
	case HTTP1:
		if c.Streams > 1 {
			return fmt.Errorf("streams is %d; a connection of HTTP/1.1 has one request at a time", c.Streams)
		}
		return nil
	case HTTP2:
	case HTTP2Clear:
		scheme = "http"
	default:
		return fmt.Errorf("protocol is %q; use %q or %q, or none for HTTP/1.1", c.Protocol, HTTP2, HTTP2Clear)
	}
	if c.Streams < 0 || c.Streams > maxStreams {
		return fmt.Errorf("streams is %d; it must lie between 1 and %d", c.Streams, maxStreams)
	}
	if !c.KeepAlive {
		return fmt.Errorf("protocol %s keeps its connections, and keepalive is false", c.Protocol)
	}
	for _, t := range c.Targets {
		if !strings.EqualFold(t.URL[:min(len(t.URL), len(scheme)+1)], scheme+":") {
			return fmt.Errorf("target %q: protocol %s is for %s URLs", t.URL, c.Protocol, scheme)
		}
		for name, value := range t.Headers {
			if http2.IsConnectionField(strings.ToLower(name), value) {
				return fmt.Errorf("headers: %q does not exist in HTTP/2; remove it", name)
			}
		}
	}
	return nil
}

func (c *Config) validateCounts() error {
	least, most := 1, maxConnections*c.Part.Count()
	if len(c.Stages) > 0 && !c.Open() {
		least = 0
	}
	if c.Connections < least || c.Connections > most {
		return fmt.Errorf("connections is %d; it must lie between %d and %d", c.Connections, least, most)
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
	if c.Requests == 0 && c.Duration == 0 && len(c.Stages) == 0 {
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

// Compile turns the target with an index into the text of its requests. The variables are those of the config.
func (c *Config) Compile(target int, variables []string) (*Request, error) {
	return c.Targets[target].compile(c.KeepAlive, variables)
}

// Open reports whether the load is an open loop: whether requests leave on schedule.
func (c *Config) Open() bool { return c.Rate > 0 || len(c.Stages) > 0 && c.Stages[0].Rate > 0 }

// Secure reports whether there are https targets. The config must be valid.
func (c *Config) Secure() bool {
	return slices.ContainsFunc(c.Targets, func(t Target) bool {
		return strings.EqualFold(t.URL[:min(len(t.URL), 6)], "https:")
	})
}

// Window is how long the window is, 0 if only the number of requests ends it.
func (c *Config) Window() time.Duration {
	length := c.Duration
	for _, s := range c.Stages {
		length += s.Duration
	}
	return length
}

// StreamsEach is how many requests each connection may have under way at a time.
func (c *Config) StreamsEach() int { return max(c.Streams, 1) }

// MostConnections is how many connections of the whole load there are at most at a time.
func (c *Config) MostConnections() int {
	most := max(c.Connections, 1)
	for _, s := range c.Stages {
		most = max(most, s.Connections)
	}
	return most
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

// validatePart makes sure that there is something to do for each part.
func (c *Config) validatePart() error {
	p := c.Part
	switch {
	case p.Of < 0 || p.Of > maxParts:
		return fmt.Errorf("part: there are %d parts; use at most %d", p.Of, maxParts)
	case p.Number < 0 || p.Number >= p.Count():
		return fmt.Errorf("part: number is %d; it must lie between 0 and %d", p.Number, p.Count()-1)
	case c.MostConnections() < p.Count():
		return fmt.Errorf("part: %d connections are too few for %d parts; every part needs one", c.MostConnections(), p.Of)
	case c.Requests > 0 && c.Requests < int64(p.Count()):
		return fmt.Errorf("part: %d requests are too few for %d parts; every part needs one", c.Requests, p.Of)
	}
	return nil
}

func (c *Config) validateStages() error {
	if len(c.Stages) == 0 {
		return nil
	}
	if len(c.Stages) > maxStages {
		return fmt.Errorf("there are %d stages; use at most %d", len(c.Stages), maxStages)
	}
	if c.Duration != 0 || c.Requests != 0 {
		return errors.New("duration or requests is set beside stages; the stages say how long the load lasts")
	}
	var length time.Duration
	for i, s := range c.Stages {
		if err := c.validateStage(s); err != nil {
			return fmt.Errorf("stage %d: %w", i+1, err)
		}
		if length += s.Duration; length > maxTime {
			return fmt.Errorf("the stages last for more than %v", maxTime)
		}
	}
	return nil
}

func (c *Config) validateStage(s Stage) error {
	most := maxConnections * c.Part.Count()
	switch {
	case s.Duration <= 0 || s.Duration > maxTime:
		return fmt.Errorf("duration is %v; it must be more than 0 and at most %v", s.Duration, maxTime)
	case !(s.Rate >= 0 && s.Rate <= maxRate):
		return fmt.Errorf("rate is %v; it must lie between 0 and %d per second", s.Rate, int(maxRate))
	case s.Connections < 0 || s.Connections > most:
		return fmt.Errorf("connections is %d; it must lie between 1 and %d", s.Connections, most)
	case (s.Rate > 0) == (s.Connections > 0):
		return errors.New("set either rate or connections")
	case (s.Rate > 0) != (c.Stages[0].Rate > 0):
		return errors.New("all stages change the same, the rate or the connections")
	case s.Connections > 0 && c.Rate > 0:
		return errors.New("connections cannot change beside a rate, which opens them as needed")
	}
	return nil
}

func (t *Target) validate(variables names) error {
	if _, err := t.compile(false, variables); err != nil {
		return err
	}
	if !(t.Weight >= 0 && t.Weight <= maxWeight) || math.IsNaN(t.Weight) {
		return fmt.Errorf("weight is %v; it must be more than 0 and at most %d", t.Weight, int(maxWeight))
	}
	return nil
}

func (t *Target) validateFields() error {
	if t.Method != "" && !httpsyntax.IsToken(t.Method) {
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

// HasRightStatus reports whether a right answer may have that status.
func (v *Verify) HasRightStatus(status int) bool {
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
		if !httpsyntax.IsToken(name) {
			return fmt.Errorf("verify: headers: %q is not the name of a header", name)
		}
	}
	return nil
}

func validateField(name, value string) error {
	if !httpsyntax.IsToken(name) {
		return fmt.Errorf("headers: %q is not the name of a header", name)
	}
	if !httpsyntax.IsValue(value) {
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
	if _, err := PortOf(u); err != nil {
		return nil, err
	}
	return u, nil
}

// PortOf is the port to connect to; url.Parse has seen to it that it is made of digits.
func PortOf(u *url.URL) (uint16, error) {
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

// HostField is the value of Host: without the default port, and without the zone of an IPv6 address, which means
// something on this machine only (RFC 6874).
func HostField(u *url.URL) string {
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String()
	}
	if port, err := PortOf(u); err == nil && port != defaultPort(u) {
		return net.JoinHostPort(host, u.Port())
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
