package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds far above anything sensible, so that a slip of the pen ends in a message. They also keep sums of times
// from overflowing.
const (
	maxTime        = 24 * time.Hour
	maxConnections = 100_000
	maxThreads     = 1024
)

// Config says what load to put on which target. Nothing in it has a default beyond what is written here:
// a plan has filled in everything else.
type Config struct {
	// Target is an http URL with a host name or address, and a numeric port unless it is 80. If the name has
	// several addresses, the clients are dealt round those that accept a connection before the run, of IPv4 if
	// there are any, else of IPv6.
	Target string `json:"target"`

	// Method is the request's method, GET if empty.
	Method string `json:"method,omitempty"`

	// Headers are sent with every request, sorted by name, in addition to Host and User-Agent, which they may
	// replace. Connection, Content-Length and Transfer-Encoding are ours to set and refused here.
	Headers map[string]string `json:"headers,omitempty"`

	// Body is sent with every request; in JSON it is base64, so that any bytes survive.
	Body []byte `json:"body,omitempty"`

	// Connections is the number of clients, at least 1.
	Connections int `json:"connections"`

	// Threads is the number of threads that run the load at the same time; 0 means one per available core.
	Threads int `json:"threads,omitempty"`

	// Duration is the length of the window, Requests the number of requests that are started in it. One of
	// them is needed; of both, whichever ends first.
	Duration time.Duration `json:"duration_ns,omitempty"`
	Requests int64         `json:"requests,omitempty"`

	// Warmup is how long the same load runs before the window; its requests come on top of Requests.
	Warmup time.Duration `json:"warmup_ns,omitempty"`

	// Think is the pause of a client between an answer, or a failure, and its next request.
	Think time.Duration `json:"think_ns,omitempty"`

	// Timeout is how long after its start a request must have its whole answer, connecting included.
	Timeout time.Duration `json:"timeout_ns"`

	// KeepAlive lets a client send its next request over the connection of the last one, if the server does.
	// Without it every request opens a connection and announces that it is the only one.
	KeepAlive bool `json:"keepalive"`

	// Verify says what a right answer is; nil means any whole answer with a status of 200 to 299, without a
	// check before timing.
	Verify *Verify `json:"verify,omitempty"`
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
func ReadConfig(r io.Reader) (Config, error) {
	var cfg Config
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("reading config: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("reading config: more than one JSON document")
	}
	return cfg, cfg.Validate()
}

// Validate reports the first thing in the config that rules out a run, in words that name the field.
func (c *Config) Validate() error {
	if _, err := c.url(); err != nil {
		return err
	}
	if c.Method != "" && !isToken(c.Method) {
		return fmt.Errorf("method %q is not an HTTP method", c.Method)
	}
	if c.Method == "CONNECT" {
		return errors.New("method CONNECT opens a tunnel, which has no answer to measure; use another method")
	}
	names := make(map[string]string) // as the config writes them, by lower case
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if err := validateField(name, c.Headers[name]); err != nil {
			return err
		}
		if other, ok := names[strings.ToLower(name)]; ok {
			return fmt.Errorf("headers: %q and %q are the same header; keep one", other, name)
		}
		names[strings.ToLower(name)] = name
	}
	if c.Connections < 1 || c.Connections > maxConnections {
		return fmt.Errorf("connections is %d; it must lie between 1 and %d", c.Connections, maxConnections)
	}
	if c.Threads < 0 || c.Threads > maxThreads {
		return fmt.Errorf("threads is %d; it must lie between 1 and %d, or be 0 for one per core", c.Threads, maxThreads)
	}
	if c.Requests < 0 {
		return fmt.Errorf("requests is %d; use 0 for no limit, or more", c.Requests)
	}
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
	return c.Verify.validate()
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
		if !isToken(name) {
			return fmt.Errorf("verify: headers: %q is not the name of a header", name)
		}
	}
	return nil
}

func validateField(name, value string) error {
	if !isToken(name) {
		return fmt.Errorf("headers: %q is not the name of a header", name)
	}
	if !isFieldValue([]byte(value)) {
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

// url parses the target and refuses whatever we could not honour.
func (c *Config) url() (*url.URL, error) {
	u, err := url.Parse(c.Target)
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err // without the URL, which may have a password in it
	}
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("target has a user name in it; send credentials in headers")
	case u.Scheme == "https":
		return nil, fmt.Errorf("target %q: https is not supported; give an http URL", c.Target)
	case u.Scheme != "http":
		return nil, fmt.Errorf("target %q is not an http URL; write http://host:port/path", c.Target)
	case u.Hostname() == "":
		return nil, fmt.Errorf("target %q has no host; write http://host:port/path", c.Target)
	}
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fmt.Errorf("target %q: write the host name in ASCII", c.Target)
	}
	if _, err := portOf(u); err != nil {
		return nil, err
	}
	return u, nil
}

// portOf is the port to connect to; url.Parse has seen to it that it is made of digits.
func portOf(u *url.URL) (uint16, error) {
	if u.Port() == "" {
		return 80, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("target: port %s does not exist; it must lie between 1 and 65535", u.Port())
	}
	return uint16(port), nil
}

// hostField is the value of Host: without the default port, and without the zone of an IPv6 address, which means
// something on this machine only (RFC 6874).
func hostField(u *url.URL) string {
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String()
	}
	if u.Port() != "" && u.Port() != "80" {
		return net.JoinHostPort(host, u.Port())
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func (c *Config) method() string {
	if c.Method == "" {
		return "GET"
	}
	return c.Method
}

// request is the text of the request, which is the same for every one. The config must be valid.
func (c *Config) request() ([]byte, error) {
	u, err := c.url()
	if err != nil {
		return nil, err
	}
	fields := map[string]string{"Host": hostField(u), "User-Agent": "benchbook"}
	for name, value := range c.Headers {
		for _, ours := range []string{"Host", "User-Agent"} {
			if strings.EqualFold(name, ours) {
				name = ours
			}
		}
		fields[name] = value
	}
	if !c.KeepAlive {
		fields["Connection"] = "close"
	}
	if method := c.method(); len(c.Body) > 0 || method == "POST" || method == "PUT" || method == "PATCH" {
		fields["Content-Length"] = strconv.Itoa(len(c.Body))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", c.method(), u.RequestURI(), fields["Host"])
	delete(fields, "Host")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, fields[name])
	}
	b.WriteString("\r\n")
	b.Write(c.Body)
	return []byte(b.String()), nil
}
