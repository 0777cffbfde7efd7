package plan

import (
	"slices"
	"testing"
)

// Every entry of the list of what cannot be run yet can be earned, and nothing else earns one.
func TestUnsupported(t *testing.T) {
	load := func(keys string) string {
		return "services: {s: {image: x}}\nload: {target: http://s/, " + keys + "}\n"
	}
	tests := []struct{ what, body string }{
		{"", load("connections: 3") + "shared: [s]\nsetup: {service: s, run: x}\nprepare: {service: s, run: x}\n" +
			"conclude: {service: s, run: x}\ncleanup: {service: s, run: x}\nmetrics: [{name: tail, value: latency.p99}]\n"},
		{"", "services: {s: {image: x, expose: [\"80\"]}}\nload: {target: http://s/}\nhosts: {s: big}\n"},
		{"a load by oha, vegeta, k6 or fortio", load("tool: '${{ matrix.tool }}'") + "matrix: {tool: [benchbook, ab, k6]}\n"},
		{"", load("tool: '${{ matrix.tool }}'") + "matrix: {tool: [benchbook, ab]}\n"},
		{"", "services: {s: {image: x, scale: 2, volumes: [/data], hostname: y, cpus: 0.5, ulimits: {nofile: 9}, sysctls: " +
			"{a: 1}, " +
			"cap_add: [KILL], cap_drop: [KILL], security_opt: [x]}}\nload: {target: http://s/}\n"},
		{"", load("tool: benchbook")},
		{"", "services: {s: {image: 'x${{ tune.n }}'}}\nload: {target: http://s/}\ntune: {n: {to: 3}}\n"},
		{"", load("connections: 3") + "capacity: {slo: failed < 1%, from: 1/s, to: 2/s}\n"},
		{"", "services: {s: {origin: {}, link: {rtt: 1ms}}}\nload: {target: http://s/}\n"},
		{"", load("rate: 5/s, body: '${{ random(1, 2) }}'")},
		{"", "services: {s: {image: x}}\nload: {target: [https://s/a, http://s/b], stages: [{duration: 1s, connections: " +
			"5}]}\n"},
	}
	earned := map[string]bool{}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			e := mustPlan(t, text(block("name: e\n"+test.body)), Options{},
				map[string]string{"benchbook.yaml": "allow: [cap_add, security_opt, sysctls]\nhosts: {big: ssh://big}\n"})
			var got []string
			for _, u := range e.Unsupported {
				got = append(got, u.What)
				if u.Pos.Source == nil {
					t.Errorf("%s has no place", u.What)
				}
			}
			if test.what == "" && len(got) > 0 || test.what != "" && !slices.Contains(got, test.what) {
				t.Errorf("got %q, want %q", got, test.what)
			}
			earned[test.what] = true
		})
	}
	for _, entry := range notYet {
		if !earned[entry.what] {
			t.Errorf("no test earns %q", entry.what)
		}
	}
}
