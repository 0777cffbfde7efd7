package render

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"benchbook/notebook/plan"
)

func TestLoadInWords(t *testing.T) {
	base := plan.Load{Target: "http://server:8080/", Method: "GET", Connections: 150, Timeout: 10 * time.Second}
	with := func(change func(*plan.Load)) *plan.Load {
		l := base
		change(&l)
		return &l
	}
	tests := []struct {
		name        string
		load        *plan.Load
		line, tools string
	}{
		{"so many requests", with(func(l *plan.Load) { l.Requests = 1000 }),
			"closed connections=150 requests=1000 keepalive=off timeout=10s GET http://server:8080/",
			"ab -c 150 -n 1000 http://server:8080/"},
		{"for a time, connections kept", with(func(l *plan.Load) {
			l.Duration, l.Warmup, l.Keepalive, l.Threads = time.Minute, 2*time.Second, true, 2
		}),
			"closed connections=150 for=1m warmup=2s keepalive=on timeout=10s GET http://server:8080/",
			"wrk -t 2 -c 150 -d 60s --latency http://server:8080/\nab -k -c 150 -t 60 -n 10000000 http://server:8080/"},
		{"what a shell would take apart", with(func(l *plan.Load) {
			l.Duration, l.Keepalive, l.Target, l.Headers = time.Second, true, "http://server:8080/?a=1&b=$(id)", map[string]string{"X": "it's"}
		}),
			"closed connections=150 for=1s keepalive=on timeout=10s GET http://server:8080/?a=1&b=$(id)",
			`wrk -t 1 -c 150 -d 1s --latency -H 'X: it'\''s' 'http://server:8080/?a=1&b=$(id)'` + "\n" +
				`ab -k -c 150 -t 1 -n 10000000 -H 'X: it'\''s' 'http://server:8080/?a=1&b=$(id)'`},
		{"what those tools cannot do", with(func(l *plan.Load) { l.Requests, l.Think = 10, time.Millisecond }),
			"closed connections=150 requests=10 think=1ms keepalive=off timeout=10s GET http://server:8080/", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := loadLine(test.load); got != test.line {
				t.Errorf("loadLine:\n got %s\nwant %s", got, test.line)
			}
			if got := equivalents(test.load); got != test.tools {
				t.Errorf("equivalents:\n got %s\nwant %s", got, test.tools)
			}
		})
	}
}

func TestWordsOfTime(t *testing.T) {
	tests := []struct {
		d              time.Duration
		words, written string
	}{
		{0, "0\u00a0s", "0s"},
		{48 * time.Second, "48\u00a0s", "48s"},
		{90 * time.Second, "2\u00a0min", "1m30s"},
		{time.Hour, "1\u00a0h", "1h"},
		{4*time.Hour + 10*time.Minute, "4\u00a0h\u00a010\u00a0min", "4h10m"},
		{time.Hour - time.Second, "60\u00a0min", "59m59s"},
	}
	for _, test := range tests {
		if got := inWords(test.d); got != test.words {
			t.Errorf("inWords(%v) = %q, want %q", test.d, got, test.words)
		}
		if got := duration(test.d); got != test.written {
			t.Errorf("duration(%v) = %q, want %q", test.d, got, test.written)
		}
	}
}

func TestShortDigest(t *testing.T) {
	const whole = "sha256:3c1f5d9e0b7a4c2d8e6f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d90ab"
	tests := []struct{ name, digest, want string }{
		{"a digest", whole, "sha256:3c1f5d9e…90ab"},
		{"no digest", "debian:bookworm-slim", "debian:bookworm-slim"},
		{"digests in a text", "debian:bookworm-slim " + whole, "debian:bookworm-slim sha256:3c1f5d9e…90ab"},
	}
	for _, test := range tests {
		if got := shortDigests(test.digest); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHighlight(t *testing.T) {
	tests := []struct{ name, language, code, want string }{
		{"keys of YAML", "yaml", "name: x # why", `<span class="y">name</span>: x <span class="c"># why</span>`},
		{"keys in a line", "yaml", "{a: 1, b: c, d: e}", `{<span class="y">a</span>: 1, <span class="y">b</span>: c, <span class="y">d</span>: e}`},
		{"Go", "go", `return "a<b"`, `<span class="k">return</span> <span class="s">&#34;a&lt;b&#34;</span>`},
		{"nobody knows it", "klingon", "a < b", "a &lt; b"},
		{"no language", "", "a & b", "a &amp; b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(highlight(test.language, test.code)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Whatever is highlighted, the reader sees what was written, and nothing of it is markup.
func FuzzHighlight(f *testing.F) {
	f.Add("yaml", "a: {b: c, d: \"e\"}\n# x")
	f.Add("python", "def f():\r\n\treturn '</code><script>'")
	f.Add("html", "<script>alert(1)</script>")
	f.Fuzz(func(t *testing.T, language, code string) {
		// A parser of HTML changes line ends, zero bytes and broken UTF-8.
		code = strings.ToValidUTF8(strings.NewReplacer("\r", "", "\x00", "").Replace(code), "?")
		nodes, err := html.ParseFragment(strings.NewReader("<pre>x"+string(highlight(language, code))+"</pre>"), nil)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		var read func(n *html.Node)
		read = func(n *html.Node) {
			if n.Type == html.TextNode {
				text.WriteString(n.Data)
			}
			for child := n.FirstChild; child != nil; child = child.NextSibling {
				read(child)
			}
		}
		for _, n := range nodes {
			read(n)
		}
		if text.String() != "x"+code {
			t.Errorf("%s: %q is shown as %q", language, code, text.String()[1:])
		}
	})
}
