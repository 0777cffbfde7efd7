package origin

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestConfigProblems(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"no JSON", `hello`, "reading config: invalid character 'h' looking for beginning of value"},
		{"two", `{"semantics": 1, "status": 200}{}`, "reading config: more than one JSON document"},
		{"unknown field", `{"delay": 1}`, `reading config: json: unknown field "delay"`},
		{"another version", `{"semantics": 999, "status": 200}`,
			"semantics is 999, and this program's is 1: build both with make build"},
		{"no status", `{"semantics": 1}`, "status is 0; it must lie between 200 and 599"},
		{"status", `{"semantics": 1, "status": 101}`, "status is 101; it must lie between 200 and 599"},
		{"reason", `{"semantics": 1, "status": 200, "reason": "a\r\nb"}`,
			`reason "a\r\nb" has a character that cannot be in it`},
		{"body", `{"semantics": 1, "status": 200, "body": -1}`, "body is -1 bytes; it must lie between 0 and 1099511627776"},
		{"a body where there is none", `{"semantics": 1, "status": 204, "body": 1}`,
			"body is 1 bytes, and an answer of status 204 has none"},
		{"errors", `{"semantics": 1, "status": 200, "errors": 1.5}`, "errors is 1.5; it must lie between 0 and 1"},
		{"distribution", `{"semantics": 1, "status": 200, "latency": {"distribution": "normal"}}`,
			`latency: unknown distribution "normal"; write constant, uniform, lognormal or empirical`},
		{"value", `{"semantics": 1, "status": 200, "latency": {"distribution": "constant", "value_ns": -5}}`,
			"latency: value is -5ns; it must lie between 0 and 24h0m0s"},
		{"from after to", `{"semantics": 1, "status": 200, "latency": {"distribution": "uniform", "from_ns": 2, "to_ns": 1}}`,
			"latency: from is 2ns and to is 1ns; from must not be the longer"},
		{"sigma", `{"semantics": 1, "status": 200, "latency": {"distribution": "lognormal", "median_ns": 1}}`,
			"latency: sigma is 0; it must be more than 0, and no more than 20"},
		{"values", `{"semantics": 1, "status": 200, "latency": {"distribution": "empirical"}}`,
			"latency: values is empty; an empirical latency is drawn from them"},
		{"one of values", `{"semantics": 1, "status": 200, "latency": {"distribution": "empirical", "values_ns": [1, -1]}}`,
			"latency: one of values is -1ns; it must lie between 0 and 24h0m0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadConfig(strings.NewReader(tt.config)); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Draws have the distribution that was asked for: half of them lie below the median, and so on.
func TestDistributions(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name          string
		latency       Latency
		p10, p50, p90 time.Duration
		least, most   time.Duration
	}{
		{"none", Latency{}, 0, 0, 0, 0, 0},
		{"constant", Latency{Distribution: "constant", Value: 5 * ms}, 5 * ms, 5 * ms, 5 * ms, 5 * ms, 5 * ms},
		{"uniform", Latency{Distribution: "uniform", From: 10 * ms, To: 20 * ms}, 11 * ms, 15 * ms, 19 * ms, 10 * ms,
			20 * ms},
		// The 90th percentile of a normal distribution lies 1.2816 standard deviations above its mean.
		{"lognormal", Latency{Distribution: "lognormal", Median: 100 * ms, Sigma: 0.5}, 52690 * time.Microsecond, 100 * ms,
			189790 * time.Microsecond, 0, maxTime},
		{"empirical", Latency{Distribution: "empirical", Values: []time.Duration{1 * ms, 1 * ms, 1 * ms, 9 * ms}}, 1 * ms,
			1 * ms, 9 * ms, 1 * ms, 9 * ms},
		{"lognormal without bound", Latency{Distribution: "lognormal", Median: time.Hour, Sigma: 20}, 27, time.Hour, maxTime,
			0, maxTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const n = 20_000
			d := newDraws(&Config{Seed: 1, Latency: tt.latency, Errors: 0.1})
			var below [3]int
			failures := 0
			for range n {
				latency, failed := d.next()
				if latency < tt.least || latency > tt.most {
					t.Fatalf("drew %v", latency)
				}
				for i, p := range []time.Duration{tt.p10, tt.p50, tt.p90} {
					if latency <= p {
						below[i]++
					}
				}
				if failed {
					failures++
				}
			}
			// Five standard errors; where a value has a mass of its own, more lie at or below it.
			for i, p := range []float64{0.1, 0.5, 0.9} {
				if least := p*n - 5*math.Sqrt(p*(1-p)*n); float64(below[i]) < least {
					t.Errorf("%d of %d lie below p%g, want %.0f or more", below[i], n, 100*p, least)
				}
				if tt.name == "uniform" || tt.name == "lognormal" {
					if most := p*n + 5*math.Sqrt(p*(1-p)*n); float64(below[i]) > most {
						t.Errorf("%d of %d lie below p%g, want %.0f or less", below[i], n, 100*p, most)
					}
				}
			}
			if math.Abs(float64(failures)-0.1*n) > 5*math.Sqrt(0.09*n) {
				t.Errorf("%d of %d failed, want about a tenth", failures, n)
			}
		})
	}
}

// Whether there are errors changes no latency, and what the longest latencies are in one distribution they are in
// another.
func TestDrawsAreCoupled(t *testing.T) {
	spread := Latency{Distribution: "uniform", To: time.Second}
	heavy := Latency{Distribution: "lognormal", Median: time.Second, Sigma: 1}
	plain, faulty, other := newDraws(&Config{Seed: 3, Latency: spread}),
		newDraws(&Config{Seed: 3, Latency: spread, Errors: 0.5}),
		newDraws(&Config{Seed: 3, Latency: heavy})
	again := newDraws(&Config{Seed: 4, Latency: spread})
	same := 0
	for range 100 {
		a, _ := plain.next()
		b, _ := faulty.next()
		c, _ := other.next()
		d, _ := again.next()
		if a != b || (a > 500*time.Millisecond) != (c > time.Second) {
			t.Errorf("drew %v, %v with errors, %v lognormal", a, b, c)
		}
		if a == d {
			same++
		}
	}
	if same > 1 {
		t.Errorf("another seed drew the same %d times", same)
	}
}
