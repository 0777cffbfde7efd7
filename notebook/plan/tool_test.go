package plan

import (
	"path/filepath"
	"testing"
)

// What a tool has no flag for, or cannot do, is said before anything runs; what only our own defaults ask for is not.
func TestLoadsByOtherTools(t *testing.T) {
	for _, tt := range []struct{ name, load, want string }{
		{"defaults", "tool: ab", ""},
		{"every key of ab", "tool: ab, connections: 5, requests: 10, duration: 3s, warmup: 1s, timeout: 2s, keepalive: " +
			"false, method: POST, headers: {A: b}, body: x", ""},
		{"every key of wrk", "tool: wrk, connections: 6, threads: 2, duration: 3s, warmup: 1s, timeout: 2s, keepalive: " +
			"false, method: POST, headers: {A: b}, body: x", ""},
		{"every key of hey", "tool: hey, connections: 5, threads: 2, requests: 10, timeout: 2s, keepalive: false, method: " +
			"POST, headers: {A: b}, body: x", ""},
		{"our own keys", "tool: ab, failures: expected, cpuset: '0'", ""},
		{"think", "tool: ab, think: 5ms", "ab has no flag for think [no-flag]"},
		{"threads of ab", "tool: ab, threads: 2", "ab has no flag for threads [no-flag]"},
		{"rate", "tool: wrk, rate: 5/s", "wrk has no flag for rate [no-flag]"},
		{"verify", "tool: hey, verify: {status: 201, contains: x}", ""},
		{"verify of failures", "tool: ab, verify: {status: [200, 404]}",
			"ab counts answers of status 404 as failed, and has no flag to change that [no-flag]"},
		{"requests of wrk", "tool: wrk, requests: 5", "wrk has no flag for requests [no-flag]"},
		{"parts of a second", "tool: wrk, duration: 1500ms", "wrk takes duration in whole seconds, not 1500ms [wrong-value]"},
		{"parts of a second where they can be had", "tool: hey, duration: 1500ms", ""},
		{"two ends", "tool: hey, duration: 5s, requests: 100",
			"hey ends after a time or after a number of requests, not at whichever comes first [contradiction]"},
		{"two ends of ab", "tool: ab, duration: 5s, requests: 100", ""},
		{"a rest of requests", "tool: hey, requests: 1000, connections: 150",
			"hey sends the same number of requests on every connection, and 1000 is not a multiple of 150 [contradiction]"},
		{"a rest of requests of ab", "tool: ab, requests: 1000, connections: 150", ""},
		{"a rest of connections", "tool: wrk, connections: 10, threads: 3",
			"wrk gives every thread the same number of connections, and 10 is not a multiple of 3 [contradiction]"},
		{"a flag twice", "tool: ab, requests: 5, args: [-l, -n, '7']",
			"ab has -n for requests, which the load has already [contradiction]"},
		{"a flag that a default has", "tool: ab, args: [-s, '7']",
			"ab has -s for timeout, which the load has already [contradiction]"},
		{"a flag of its own", "tool: ab, args: [-l, -r]", ""},
		{"further headers", "tool: ab, headers: {A: b}, args: [-H, 'C: d']", ""},
		{"several targets", "tool: ab, target: [http://s/a, http://s/b]", "ab has no flag for several targets [no-flag]"},
		{"a target that says more", "tool: wrk, target: {url: http://s/a, method: POST, body: x}", ""},
		{"values drawn for every request", "tool: hey, body: '${{ random(1, 2) }}'",
			"hey has no flag for values that are drawn for every request [no-flag]"},
		{"TLS", "tool: wrk, target: https://s/", ""},
		{"every key of pgbench", "tool: pgbench, target: postgres://u@s/d, duration: 5s, warmup: 1s, connections: 3, " +
			"threads: 2, keepalive: false, body: select 1", ""},
		{"every key of vegeta", "tool: vegeta, connections: 5, threads: 2, duration: 1500ms, warmup: 1s, timeout: 2s, " +
			"keepalive: false, method: POST, headers: {A: b}, body: x, rate: 50/s, arrivals: constant", ""},
		{"requests of vegeta", "tool: vegeta, requests: 5", "vegeta has no flag for requests [no-flag]"},
		{"every key of oha", "tool: oha, connections: 5, requests: 12, timeout: 2s, keepalive: false, method: POST, " +
			"headers: {A: b}, body: x", ""},
		{"a rate of oha", "tool: oha, rate: 50/s, duration: 2s", ""},
		{"every key of k6", "tool: k6, connections: 5, requests: 12, duration: 3s, timeout: 2s, keepalive: false, " +
			"method: POST, headers: {A: b}, body: x", ""},
		{"a rate of k6", "tool: k6, rate: 50/s", ""},
		{"threads of k6", "tool: k6, threads: 2", "k6 has no flag for threads [no-flag]"},
		{"every key of fortio", "tool: fortio, connections: 5, threads: 2, requests: 12, timeout: 2s, keepalive: false, " +
			"method: POST, headers: {A: b}, body: x", ""},
		{"two ends of fortio", "tool: fortio, duration: 5s, requests: 100",
			"fortio ends after a time or after a number of requests, not at whichever comes first [contradiction]"},
		{"a rate of fortio", "tool: fortio, rate: 50/s", ""},
		{"random arrivals", "tool: fortio, rate: 50/s, arrivals: poisson", "fortio has no flag for arrivals [no-flag]"},
		{"every key of h2load", "tool: h2load, connections: 5, threads: 2, requests: 12, keepalive: true, method: PUT, " +
			"headers: {A: b}, body: x", ""},
		{"a connection for each request of h2load", "tool: h2load, keepalive: false",
			"h2load has no flag for keepalive [no-flag]"},
		{"a rate of h2load", "tool: h2load, rate: 5/s", "h2load has no flag for rate [no-flag]"},
		{"further headers of vegeta", "tool: vegeta, headers: {A: b}, args: [-header, 'C: d']", ""},
		{"a script of k6", "tool: k6, script: load.js, connections: 5, duration: 3s, warmup: 1s, keepalive: false, " +
			"verify: {before: false}", ""},
		{"a script of wrk", "tool: wrk, script: load.lua, connections: 6, threads: 2, duration: 3s, timeout: 2s, keepalive: " +
			"false, headers: {A: b}", ""},
		{"a script of ours", "script: load.js",
			"a script is for k6 or wrk, and the load is put on by benchbook [contradiction]"},
		{"a script of ab", "tool: ab, script: load.js", "ab has no flag for script [no-flag]"},
		{"a script and a driver", "driver: {image: y, command: run}, script: load.js",
			"a script is for a tool, and a driver puts the load on [contradiction]"},
		{"a script and what is sent", "tool: k6, script: load.js, method: PUT, headers: {A: b}, body: x",
			"k6 has no method with a script of the article [contradiction]; k6 has no headers with a script of the article " +
				"[contradiction]; k6 has no body with a script of the article [contradiction]"},
		{"a script and a rate", "tool: k6, script: load.js, rate: 5/s",
			"k6 has no rate with a script of the article [contradiction]"},
		{"a script and requests", "tool: k6, script: load.js, requests: 5",
			"k6 has no requests with a script of the article [contradiction]"},
		{"a script and a body of wrk", "tool: wrk, script: load.lua, body: x",
			"wrk has no body with a script of the article [contradiction]"},
		{"a script and the flag for it", "tool: wrk, script: load.lua, args: [-s, x]",
			"wrk has -s for script, which the load has already [contradiction]"},
		{"a script that is missing", "tool: k6, script: none.js",
			"no file or listing \"none.js\" in the article's folder [no-such-file]"},
		{"a script above the folder", "tool: k6, script: ../load.js",
			"\"../load.js\" leaves the article's folder [outside-folder]"},
		{"a script that is a folder", "tool: k6, script: folder",
			"\"folder\" cannot be read: it is a folder, not a file [not-a-file]"},
		{"timeout of pgbench", "tool: pgbench, target: postgres://u@s/d, timeout: 5s",
			"pgbench has no flag for timeout [no-flag]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {"+toS(tt.load)+"}\n")), Options{},
				map[string]string{"load.js": "a", "load.lua": "b", "folder/x": "c"})
			wantProblems(t, problems, tt.want)
		})
	}
}

func TestLargeScript(t *testing.T) {
	_, problems := planIn(t, "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: large.js}\n",
		func(dir, _ string) { sparse(t, filepath.Join(dir, "large.js"), 6<<30) })
	if len(problems) != 1 || problems[0].Rule != "too-large" || problems[0].Pos.Source == nil {
		t.Errorf("the problems are %v", problems)
	}
}

// The key of a trial has what is in the script of its load, and not its name.
func TestKeyOfScript(t *testing.T) {
	trial := func(name, content string) *Trial {
		t.Helper()
		load := "target: http://s/, tool: k6"
		if name != "" {
			load += ", script: " + name
		}
		p, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {"+load+"}\n")), Options{},
			map[string]string{name: content})
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return p.Experiments[0].Trials[0]
	}
	base := trial("a.js", "1")
	if s := base.Load.Script; s == nil || s.Path != "/benchbook/script.js" || string(s.Data) != "1" {
		t.Errorf("the script is %+v", s)
	}
	if trial("b.js", "1").Key != base.Key {
		t.Error("another name changes the key")
	}
	if trial("a.js", "2").Key == base.Key || trial("", "").Key == base.Key {
		t.Error("another script, or none, leaves the key as it is")
	}
}
