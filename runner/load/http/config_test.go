package http

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// valid is a config that nothing is wrong with, changed.
func valid(change func(*Config)) Config {
	c := Config{Target: "http://server:8080/", Connections: 1, Requests: 1, Timeout: time.Second, KeepAlive: true}
	if change != nil {
		change(&c)
	}
	return c
}

func TestValidate(t *testing.T) {
	verify := func(v Verify) func(*Config) { return func(c *Config) { c.Verify = &v } }
	target := func(s string) func(*Config) { return func(c *Config) { c.Target = s } }
	headers := func(h map[string]string) func(*Config) { return func(c *Config) { c.Headers = h } }
	tests := []struct {
		name   string
		change func(*Config)
		want   string // in the error; empty for none
	}{
		{"the least", nil, ""},
		{"a duration only", func(c *Config) { c.Requests, c.Duration = 0, time.Second }, ""},
		{"requests and a duration", func(c *Config) { c.Duration = time.Second }, ""},
		{"an IPv6 address with a zone", target("http://[fe80::1%25eth0]:80/"), ""},
		{"everything verified", verify(Verify{Status: []int{200, 404}, Length: new(int64(0)), Contains: "a", Match: "b+",
			JSON: map[string]string{"a.0": "1"}, Headers: map[string]string{"Server": "x"}}), ""},

		{"https", target("https://server/"), "https is not supported"},
		{"no scheme", target("server:8080/"), "not an http URL"},
		{"no host", target("http:///path"), "has no host"},
		{"no URL", target("http://[::1"), "target: "},
		{"a named port", target("http://server:http/"), "invalid port"},
		{"port 0", target("http://server:0/"), "port 0 does not exist"},
		{"a port too high", target("http://server:65536/"), "port 65536 does not exist"},
		{"a password", target("http://me:secret@server/"), "send credentials in headers"},
		{"a password and https", target("https://me:secret@server/"), "send credentials in headers"},
		{"a password and no URL", target("http://me:secret@[::1"), "target: missing ']' in host"},
		{"a host that is not ASCII", target("http://sërver/"), "in ASCII"},
		{"a method that is none", func(c *Config) { c.Method = "GET /" }, `method "GET /"`},
		{"CONNECT", func(c *Config) { c.Method = "CONNECT" }, "tunnel"},
		{"a header that is none", headers(map[string]string{"a b": "c"}), `"a b" is not the name of a header`},
		{"a line feed in a header", headers(map[string]string{"A": "b\r\nC: d"}), "control character"},
		{"Connection", headers(map[string]string{"connection": "close"}), "set by keepalive"},
		{"Content-Length", headers(map[string]string{"Content-Length": "5"}), "set from the body"},
		{"a header twice", headers(map[string]string{"A": "b", "a": "c"}), `"A" and "a" are the same header`},
		{"no connections", func(c *Config) { c.Connections = 0 }, "connections is 0"},
		{"connections by the billion", func(c *Config) { c.Connections = 1e9 }, "between 1 and 100000"},
		{"threads below 0", func(c *Config) { c.Threads = -1 }, "threads is -1"},
		{"requests below 0", func(c *Config) { c.Requests = -1 }, "requests is -1"},
		{"no end", func(c *Config) { c.Requests = 0 }, "neither duration nor requests"},
		{"no timeout", func(c *Config) { c.Timeout = 0 }, "timeout is not set"},
		{"a warm-up below 0", func(c *Config) { c.Warmup = -1 }, "warmup is -1ns"},
		{"a think time too long", func(c *Config) { c.Think = 25 * time.Hour }, "think is 25h0m0s"},
		{"a status that ends nothing", verify(Verify{Status: []int{103}}), "status 103 cannot end"},
		{"a length below 0", verify(Verify{Length: new(int64(-1))}), "length is -1"},
		{"a pattern that is none", verify(Verify{Match: "("}), "verify: match: "},
		{"a path with a hole", verify(Verify{JSON: map[string]string{"a..b": "1"}}), "empty step"},
		{"a verified header that is none", verify(Verify{Headers: map[string]string{"": "1"}}), "not the name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := valid(tt.change)
			err := c.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error gives a password away: %v", err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	const head = "User-Agent: benchbook\r\n\r\n"
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"the least", nil, "GET / HTTP/1.1\r\nHost: server:8080\r\n" + head},
		{"the default port", func(c *Config) { c.Target = "http://server:80" }, "GET / HTTP/1.1\r\nHost: server\r\n" + head},
		{"path and query", func(c *Config) { c.Target = "http://server/a%20b/ä?q=1&r=%2F#part" },
			"GET /a%20b/%C3%A4?q=1&r=%2F HTTP/1.1\r\nHost: server\r\n" + head},
		{"IPv6", func(c *Config) { c.Target = "http://[::1]:8080/" }, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n" + head},
		{"IPv6 and the default port", func(c *Config) { c.Target = "http://[::1]/" },
			"GET / HTTP/1.1\r\nHost: [::1]\r\n" + head},
		{"IPv6 with a zone", func(c *Config) { c.Target = "http://[fe80::1%25eth0]:81/" },
			"GET / HTTP/1.1\r\nHost: [fe80::1]:81\r\n" + head},
		{"without keep-alive", func(c *Config) { c.KeepAlive = false },
			"GET / HTTP/1.1\r\nHost: server:8080\r\nConnection: close\r\n" + head},
		{"a body", func(c *Config) { c.Method, c.Body = "PUT", []byte("a\x00b") },
			"PUT / HTTP/1.1\r\nHost: server:8080\r\nContent-Length: 3\r\n" + head + "a\x00b"},
		{"a method that wants a body, without one", func(c *Config) { c.Method = "POST" },
			"POST / HTTP/1.1\r\nHost: server:8080\r\nContent-Length: 0\r\n" + head},
		{"headers", func(c *Config) {
			c.Headers = map[string]string{"host": "other", "user-agent": "me", "X": "1", "Accept": "*/*"}
		}, "GET / HTTP/1.1\r\nHost: other\r\nAccept: */*\r\nUser-Agent: me\r\nX: 1\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := valid(tt.change)
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			got, err := c.request()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestReadConfig(t *testing.T) {
	want := valid(func(c *Config) {
		c.Body = []byte{0xff, 0}
		c.Verify = &Verify{Before: new(false), Status: []int{404}, Length: new(int64(0))}
	})
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadConfig(bytes.NewReader(text))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v, %v\nwant %+v", got, err, want)
	}
	for name, text := range map[string]string{
		"a misspelt key": strings.Replace(string(text), "connections", "conections", 1),
		"two documents":  string(text) + string(text),
		"nothing":        "",
		"invalid":        "{}",
	} {
		if _, err := ReadConfig(strings.NewReader(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
