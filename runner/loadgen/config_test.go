package loadgen

import (
	"math"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// valid returns a valid config, changed by change.
func valid(change func(*Config)) Config {
	c := Config{Targets: []Target{{URL: "http://server:8080/"}}, Connections: 1, Requests: 1, Timeout: time.Second,
		KeepAlive: true}
	if change != nil {
		change(&c)
	}
	return c
}

// toURL changes the URL.
func toURL(url string) func(*Config) { return func(c *Config) { c.Targets[0].URL = url } }

func TestValidate(t *testing.T) {
	verify := func(v Verify) func(*Config) { return func(c *Config) { c.Verify = &v } }
	headers := func(h map[string]string) func(*Config) { return func(c *Config) { c.Targets[0].Headers = h } }
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // in the error; empty for none
	}{
		{"the least", nil, ""},
		{"a duration only", func(c *Config) { c.Requests, c.Duration = 0, time.Second }, ""},
		{"requests and a duration", func(c *Config) { c.Duration = time.Second }, ""},
		{"everything verified", verify(Verify{Status: []int{200, 404}, Length: new(int64(0)), Contains: "a", Match: "b+"}), ""},

		{"https", toURL("https://server/"), ""},
		{"an open loop", func(c *Config) {
			c.Rate, c.Requests, c.Duration, c.Arrivals = 1000, 0, time.Second,
				PoissonArrivals
		}, ""},
		{"an IPv6 address with a zone", toURL("http://[fe80::1%25eth0]:80/"), "has the zone of an IPv6 address"},
		{"no target", func(c *Config) { c.Targets = nil }, "targets is 0; it must lie between 1 and 10000"},
		{"the second of two targets", func(c *Config) { c.Targets = append(c.Targets, Target{}) }, "target 2 of 2: target"},
		{"a weight that is not a number", func(c *Config) { c.Targets[0].Weight = math.NaN() }, "weight is NaN"},
		{"a rate and requests", func(c *Config) { c.Rate = 1 }, "an open loop has a duration"},
		{"a rate and think", func(c *Config) { c.Rate, c.Requests, c.Duration, c.Think = 1, 0, time.Second, 1 },
			"an open loop has a duration"},
		{"arrivals in a closed loop", func(c *Config) { c.Arrivals = PoissonArrivals }, "with a rate"},
		{"arrivals of another kind", func(c *Config) { c.Rate, c.Arrivals = 1, "bursts" }, `arrivals is "bursts"`},
		{"another scheme", toURL("ftp://server/"), "not an http URL"},
		{"no scheme", toURL("server:8080/"), "not an http URL"},
		{"no host", toURL("http:///path"), "not an http URL with a host"},
		{"a named port", toURL("http://server:http/"), "invalid port"},
		{"port 0", toURL("http://server:0/"), "port 0 is not between"},
		{"a port too high", toURL("http://server:65536/"), "port 65536 is not between"},
		{"a password", toURL("http://me:secret@server/"), "send credentials in headers"},
		{"a password and no URL", toURL("http://me:secret@[::1"), "target: missing ']' in host"},
		{"a host that is not ASCII", toURL("http://sërver/"), "in ASCII"},
		{"a method that is none", func(c *Config) { c.Targets[0].Method = "GET /" }, `method "GET /"`},
		{"CONNECT", func(c *Config) { c.Targets[0].Method = "CONNECT" }, `method "CONNECT" cannot be measured`},
		{"a header that is none", headers(map[string]string{"a b": "c"}), `"a b" is not the name of a header`},
		{"a line feed in a header", headers(map[string]string{"A": "b\r\nC: d"}), "control character"},
		{"Connection", headers(map[string]string{"connection": "close"}), "set from keepalive and the body"},
		{"Content-Length", headers(map[string]string{"Content-Length": "5"}), "set from keepalive and the body"},
		{"a header twice", headers(map[string]string{"A": "b", "a": "c"}), `"a" is there twice`},
		{"no connections", func(c *Config) { c.Connections = 0 }, "connections is 0"},
		{"no end", func(c *Config) { c.Requests = 0 }, "neither duration nor requests"},
		{"no timeout", func(c *Config) { c.Timeout = 0 }, "timeout is 0s; it must lie between 1ns and 24h0m0s"},
		{"a think time too long", func(c *Config) { c.Think = 25 * time.Hour }, "think is 25h0m0s"},
		{"a pattern that is none", verify(Verify{Match: "("}), "verify: match: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := valid(tt.change)
			err := c.Validate()
			checkError(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error gives a password away: %v", err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	const head = "User-Agent: benchbook\r\n\r\n"
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"the least", nil, "GET / HTTP/1.1\r\nHost: server:8080\r\n" + head},
		{"the default port", toURL("http://server:80"), "GET / HTTP/1.1\r\nHost: server\r\n" + head},
		{"the default port of https", toURL("https://server:443"), "GET / HTTP/1.1\r\nHost: server\r\n" + head},
		{"the port of another", toURL("https://server:80"), "GET / HTTP/1.1\r\nHost: server:80\r\n" + head},
		{"path and query", toURL("http://server/a%20b/ä?q=1&r=%2F#part"),
			"GET /a%20b/%C3%A4?q=1&r=%2F HTTP/1.1\r\nHost: server\r\n" + head},
		{"a query that is not encoded", toURL("http://server/?q=a b&r=ä"),
			"GET /?q=a%20b&r=%C3%A4 HTTP/1.1\r\nHost: server\r\n" + head},
		{"IPv6", toURL("http://[::1]:8080/"), "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n" + head},
		{"IPv6 and the default port", toURL("http://[::1]/"), "GET / HTTP/1.1\r\nHost: [::1]\r\n" + head},
		{"without keep-alive", func(c *Config) { c.KeepAlive = false },
			"GET / HTTP/1.1\r\nHost: server:8080\r\nConnection: close\r\n" + head},
		{"a body", func(c *Config) { c.Targets[0].Method, c.Targets[0].Body = "PUT", []byte("a\x00b") },
			"PUT / HTTP/1.1\r\nHost: server:8080\r\nContent-Length: 3\r\n" + head + "a\x00b"},
		{"a method that wants a body, without one", func(c *Config) { c.Targets[0].Method = "POST" },
			"POST / HTTP/1.1\r\nHost: server:8080\r\nContent-Length: 0\r\n" + head},
		{"headers", func(c *Config) {
			c.Targets[0].Headers = map[string]string{"host": "other", "user-agent": "me", "X": "1", "Accept": "*/*"}
		}, "GET / HTTP/1.1\r\nHost: other\r\nAccept: */*\r\nUser-Agent: me\r\nX: 1\r\n\r\n"},
	} {
		c := valid(tt.change)
		must.Do(c.Validate())
		assert.Equal(t, string(must.Get(c.Targets[0].compile(c.KeepAlive)).text), tt.want, "%s", tt.name)
	}
}
