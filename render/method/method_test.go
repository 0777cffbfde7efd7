package method

import (
	"testing"
	"time"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/render/wording"
)

func TestLoadInWords(t *testing.T) {
	base := spec.Load{Target: "http://server:8080/", Method: "GET", Connections: 150, Timeout: 10 * time.Second}
	with := func(change func(*spec.Load)) *spec.Load {
		l := base
		change(&l)
		return &l
	}
	tests := []struct {
		name        string
		load        *spec.Load
		line, tools string
	}{
		{"until so many have ended", with(func(l *spec.Load) { l.Requests, l.Cut = 1000, true }),
			"closed connections=150 requests=1000 keepalive=off timeout=10s GET http://server:8080/",
			"ab -c 150 -n 1000 http://localhost:8080/"},
		{"so many requests", with(func(l *spec.Load) { l.Requests = 1000 }),
			"closed connections=150 requests=1000 drain keepalive=off timeout=10s GET http://server:8080/",
			"ab -c 150 -n 1000 http://localhost:8080/"},
		{"for a time, connections kept", with(func(l *spec.Load) {
			l.Duration, l.Warmup, l.Keepalive, l.Threads = time.Minute, 2*time.Second, true, 2
		}),
			"closed connections=150 for=1m warmup=2s keepalive=on timeout=10s GET http://server:8080/",
			"wrk -t 2 -c 150 -d 60s --latency http://localhost:8080/\nab -k -c 150 -t 60 -n 10000000 http://localhost:8080/"},
		{"what a shell would take apart", with(func(l *spec.Load) {
			l.Duration, l.Keepalive, l.Target, l.Headers = time.Second, true, "http://server:8080/?a=1&b=$(id)",
				map[string]string{"X": "it's"}
		}),
			"closed connections=150 for=1s keepalive=on timeout=10s GET http://server:8080/?a=1&b=$(id)",
			`wrk -t 1 -c 150 -d 1s --latency -H 'X: it'\''s' 'http://localhost:8080/?a=1&b=$(id)'` + "\n" +
				`ab -k -c 150 -t 1 -n 10000000 -H 'X: it'\''s' 'http://localhost:8080/?a=1&b=$(id)'`},
		{"what those tools cannot do", with(func(l *spec.Load) { l.Requests, l.Think = 10, time.Millisecond }),
			"closed connections=150 requests=10 drain think=1ms keepalive=off timeout=10s GET http://server:8080/", ""},
		{"at a rate", with(func(l *spec.Load) { l.Duration, l.Rate, l.Arrivals = time.Second, 120.5, "poisson" }),
			"open rate=120.5/s arrivals=poisson connections=150 for=1s keepalive=off timeout=10s GET http://server:8080/", ""},
		{"at a share of what another experiment found",
			with(func(l *spec.Load) { l.Duration, l.RateShare, l.RateOf = time.Second, 0.8, "stacks" }),
			"open rate=80\u202f% of the slowest cell of stacks connections=150 for=1s keepalive=off timeout=10s GET " +
				"http://server:8080/", ""},
		{"several targets", with(func(l *spec.Load) {
			l.Requests, l.Targets = 10, []spec.Target{{URL: "http://a/", Method: "GET", Weight: 199},
				{URL: "http://b/", Method: "POST", Weight: 1}}
		}), "closed connections=150 requests=10 drain keepalive=off timeout=10s GET http://a/ weight=199 POST http://b/ " +
			"weight=1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := loadLine(test.load); got != test.line {
				t.Errorf("loadLine:\n got %s\nwant %s", got, test.line)
			}
			got, cannot := equivalents(test.load)
			if (cannot == "") != (test.tools != "") {
				t.Errorf("equivalents: no lines because %q", cannot)
			}
			if got != test.tools {
				t.Errorf("equivalents:\n got %s\nwant %s", got, test.tools)
			}
		})
	}
}

func TestWordsOfTime(t *testing.T) {
	tests := []struct {
		d     time.Duration
		words string
	}{
		{0, "0\u00a0s"},
		{48 * time.Second, "48\u00a0s"},
		{90 * time.Second, "2\u00a0min"},
		{time.Hour, "1\u00a0h"},
		{4*time.Hour + 10*time.Minute, "4\u00a0h\u00a010\u00a0min"},
		{time.Hour - time.Second, "60\u00a0min"},
	}
	for _, test := range tests {
		if got := wording.Lasting(test.d); got != test.words {
			t.Errorf("Lasting(%v) = %q, want %q", test.d, got, test.words)
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

// How much of the time was measuring is told of records that have their parts, and of repetitions alone.
func TestEfficiency(t *testing.T) {
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	of := func(seconds float64, parts map[string]float64) *record.Record {
		return &record.Record{Started: begin, Ended: begin.Add(time.Duration(seconds * float64(time.Second))), Parts: parts}
	}
	search := of(100, nil)
	search.Search = &record.Search{}
	for _, tt := range []struct {
		name    string
		records []*record.Record
		want    string
	}{
		{"two and a search", []*record.Record{of(10, map[string]float64{"measure": 6, "warmup": 3, "start": 1}),
			of(10, map[string]float64{"measure": 9, "stop": 1}), search},
			", 90\u202f% of it measuring or warm-up"},
		{"an older one", []*record.Record{of(10, nil)}, ""},
		{"nothing", nil, ""},
	} {
		if got := efficiency(tt.records); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A reader's tools reach a published port and not the name of a service.
func TestOnLocalhost(t *testing.T) {
	for target, want := range map[string]string{
		"http://server:8080/a?b=c": "http://localhost:8080/a?b=c", "https://server/": "https://localhost/",
		"http://[::1]:80/": "http://localhost:80/", "server": "server", "": "", "http://a b/": "http://a b/"} {
		if got := onLocalhost(target); got != want {
			t.Errorf("%q becomes %q, want %q", target, got, want)
		}
	}
}
