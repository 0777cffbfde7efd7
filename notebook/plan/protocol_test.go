package plan

import (
	"strings"
	"testing"
)

// What a protocol does not have is said before anything runs.
func TestProtocols(t *testing.T) {
	for _, tt := range []struct{ name, load, want string }{
		{"the default", "target: http://s/, protocol: http/1.1, streams: 1", ""},
		{"over TLS", "target: https://s/, protocol: h2, streams: 100", ""},
		{"without TLS", "target: http://s/, protocol: h2c, streams: 1000, rate: 50/s, generators: 2, " +
			"headers: {TE: trailers}", ""},
		{"with steps", "target: http://s, protocol: h2c, streams: 10, steps: [{name: a, url: /a}]", ""},
		{"an unknown one", "target: http://s/, protocol: h3", `protocol cannot be "h3" [wrong-value]`},
		{"no streams", "target: http://s/, protocol: h2c, streams: 0",
			"streams must be between 1 and 1000, not 0 [wrong-value]"},
		{"too many streams", "target: http://s/, protocol: h2c, streams: 1001",
			"streams must be between 1 and 1000, not 1001 [wrong-value]"},
		{"streams of HTTP/1.1", "target: http://s/, streams: 10",
			"a connection of HTTP/1.1 has one request under way at a time [contradiction]"},
		{"h2 without TLS", "target: http://s/, protocol: h2",
			"h2 is HTTP/2 over TLS, and the target has an http:// URL [contradiction]"},
		{"h2c over TLS", "target: [http://s/, {url: https://s/, weight: 2}], protocol: h2c",
			"h2c is HTTP/2 without TLS, and the target has an https:// URL [contradiction]"},
		{"a step over TLS", "target: http://s, protocol: h2c, steps: [{name: a, url: https://s/}]",
			"h2c is HTTP/2 without TLS, and the target has an https:// URL [contradiction]"},
		{"a connection for each request", "target: http://s/, protocol: h2c, keepalive: false",
			"HTTP/2 keeps its connections for all requests [contradiction]"},
		{"a header of HTTP/1.1", "target: http://s/, protocol: h2c, headers: {Upgrade: x, X-A: b}",
			"the header Upgrade does not exist in HTTP/2 [contradiction]"},
		{"another tool", "target: http://s/, protocol: h2c, streams: 5, tool: wrk",
			"wrk has no flag for protocol [no-flag]; wrk has no flag for streams [no-flag]"},
		{"another tool, and the default", "target: http://s/, protocol: http/1.1, streams: 1, tool: wrk", ""},
		{"a driver", "target: http://s/, protocol: h2c, driver: {image: y}",
			"our own generator speaks a protocol, and a driver puts the load on [contradiction]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {"+tt.load+"}\n")),
				Options{}, nil)
			var got []string
			for _, p := range problems {
				got = append(got, p.Message+" ["+p.Rule+"]")
				if p.Pos.Source == nil || p.Hint == "" && p.Rule != "wrong-value" {
					t.Errorf("%q has no place or no way out", p.Message)
				}
			}
			if all := strings.Join(got, "; "); all != tt.want {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}

// The default, written out, is the same trial; all else is another.
func TestKeyOfProtocol(t *testing.T) {
	key := func(keys string) string {
		t.Helper()
		p, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/"+keys+"}\n")),
			Options{}, nil)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return p.Experiments[0].Trials[0].Key
	}
	base := key("")
	if key(", protocol: http/1.1, streams: 1") != base {
		t.Error("the default, written out, changes the key")
	}
	if one, two := key(", protocol: h2c"), key(", protocol: h2c, streams: 2"); one == base || two == one {
		t.Error("protocol or streams leave the key as it is")
	}
}
