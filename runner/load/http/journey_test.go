package http

import (
	"strings"
	"testing"
	"time"
)

// journeys is a valid config of two steps.
func journeys(change func(*Config)) Config {
	return valid(func(c *Config) {
		c.Targets = []Target{{URL: "http://server/a"}, {URL: "http://server/b"}}
		c.Steps = []Step{{Name: "a", Extract: map[string]string{"v": "json:v"}}, {Name: "b"}}
		c.Data = &Data{CSV: []byte("user\nann\n")}
		change(c)
	})
}

func TestSteps(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"valid", func(*Config) {}, ""},
		{"values", func(c *Config) {
			c.Targets[1] = Target{URL: "http://server${{ steps.v }}", Body: []byte("${{ data.user }}")}
		}, ""},
		{"data alone", func(c *Config) { c.Steps = nil }, "data is set without steps"},
		{"a step too few", func(c *Config) { c.Steps = c.Steps[:1] }, "there are 1 steps and 2 targets"},
		{"a name twice", func(c *Config) { c.Steps[1].Name = "a" }, "step 2 has no name of its own"},
		{"a rate", func(c *Config) { c.Rate, c.Requests, c.Duration = 5, 0, time.Second }, ""},
		{"no rows", func(c *Config) { c.Data.CSV = []byte("user\n") }, "data: it has no rows"},
		{"an unknown value", func(c *Config) { c.Targets[0].URL = "http://server/${{ data.name }}" },
			`step "a": target: ${{ data.name }} is not known to steps`},
		{"a bad pattern", func(c *Config) { c.Steps[1].Extract = map[string]string{"x": "regex:("} },
			`step "b": extract: x: the pattern cannot be read`},
		{"a bad check", func(c *Config) { c.Steps[1].Verify = &Verify{Match: "("} }, `step "b": verify: match`},
		{"a host", func(c *Config) { c.Targets[0].URL = "http://server${{ data.user }}.org/" },
			`step "a": target: ${{ }} can stand in the path and the query of a URL only`},
		{"a port", func(c *Config) { c.Targets[0].URL = "http://server:80${{ data.user }}/" }, ""},
		{"a pause", func(c *Config) { c.Steps[0].Think = -1 }, `step "a": think is -1ns`},
	} {
		c := journeys(tt.change)
		err := c.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Values are written as their place wants them, and the length of the body is that with them.
func TestValuesInRequests(t *testing.T) {
	for _, tt := range []struct{ name, url, header, body, value, want string }{
		{"as it is", "/${{ data.user }}", "", "", "ann", "POST /ann HTTP/1.1\r\n"},
		{"encoded", "/${{ data.user }}?q=${{data.user}}", "", "", "a/b ä",
			"POST /a%2Fb%20%C3%A4?q=a%2Fb%20%C3%A4 HTTP/1.1\r\n"},
		{"a path", "${{ data.user }}", "", "", "/items/3?x=a b", "POST /items/3?x=a%20b HTTP/1.1\r\n"},
		{"a URL", "${{ data.user }}", "", "", "https://other:81/items?x#y", "POST /items?x HTTP/1.1\r\n"},
		{"a URL without a path", "${{ data.user }}", "", "", "http://other", "POST / HTTP/1.1\r\n"},
		{"a URL in a query", "${{ data.user }}", "", "", "/a?u=http://x/y", "POST /a?u=http://x/y HTTP/1.1\r\n"},
		{"a field", "/", "<${{ data.user }}>", "", "a\r\nb", "X: <a  b>\r\n"},
		{"a body", "/", "", "u=${{ data.user }}&v=${{ data.user }}", "a\r\n", "Content-Length: 11\r\n"},
		{"a body, after it", "/", "", "u=${{ data.user }}!", "a\r\n", "\r\n\r\nu=a\r\n!"},
	} {
		c := journeys(func(c *Config) {
			c.Targets[1] = Target{URL: "http://server" + tt.url, Method: "POST", Body: []byte(tt.body)}
			if tt.header != "" {
				c.Targets[1].Headers = map[string]string{"X": tt.header}
			}
		})
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		r, err := c.Compile(1, c.Variables())
		if err != nil {
			t.Fatal(err)
		}
		got := string(r.AppendWith(nil, 1, &Values{Variables: [][]byte{[]byte(tt.value), nil}}))
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q in it", tt.name, got, tt.want)
		}
	}
}

// Cookies go into the head, unless the author has set them.
func TestCookieField(t *testing.T) {
	for own, want := range map[string]string{"": "\r\nCookie: a=1; b=2\r\n\r\n", "x=y": "\r\ncookie: x=y\r\n"} {
		c := journeys(func(c *Config) {
			if own != "" {
				c.Targets[0].Headers = map[string]string{"cookie": own}
			}
		})
		r, err := c.Compile(0, c.Variables())
		if err != nil {
			t.Fatal(err)
		}
		got := string(r.AppendWith(nil, 1, &Values{Variables: make([][]byte, 2), Cookies: []byte("a=1; b=2")}))
		if !strings.Contains(got, want) || strings.Count(strings.ToLower(got), "cookie") != 1 {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

// A config of any length comes through the environment, in pieces that the system takes.
func TestEnvironment(t *testing.T) {
	for _, n := range []int{1, longestVariable, longestVariable + 1, 5 * longestVariable, 800 << 10} {
		config := strings.Repeat("x", n-1) + "y"
		found := map[string]string{}
		for _, v := range Environment(config) {
			name, value, _ := strings.Cut(v, "=")
			if found[name] = value; len(v) >= 128<<10 {
				t.Errorf("%s has %d bytes", name, len(v))
			}
		}
		if got := FromEnvironment(func(name string) string { return found[name] }); got != config {
			t.Errorf("of %d bytes %d came back", n, len(got))
		}
	}
	if got := FromEnvironment(func(string) string { return "" }); got != "" {
		t.Errorf("got %q of nothing", got)
	}
}
