package plan

import "testing"

// What contradicts a driver, or what it cannot tell, is said before anything runs.
func TestDrivers(t *testing.T) {
	const with = "driver: {image: y, command: [run]}, "
	const summary = "driver: {image: y, command: [run], prints: summary}, "
	for _, tt := range []struct{ name, load, want string }{
		{"an image alone", "driver: {image: y}", "the driver has no command [missing-key]"},
		{"everything", "driver: {image: y, command: run it, environment: {A: b}, prints: requests}, connections: 5, " +
			"threads: 2, rate: 5/s, duration: 3s, warmup: 1s, timeout: 2s, keepalive: false, method: POST, headers: {A: b}, " +
			"body: x, verify: {status: 201}, failures: expected, cpuset: '0', network: shared, arrivals: poisson", ""},
		{"several targets", with + "target: [http://s/a, {url: https://s/b, weight: 3}]", ""},
		{"another scheme", with + "target: grpc://s:5/", ""},
		{"no scheme", with + "target: s:5", `invalid target URL "s:5" [wrong-value]`},
		{"another service", with + "target: grpc://other:5/",
			`the load goes to "other", which is not a service of the experiment [unknown-service]`},
		{"another scheme, verified", with + "target: grpc://s:5/, verify: {contains: x}",
			"answers are checked over HTTP, and a target has another scheme [contradiction]"},
		{"no image", "driver: {command: run}", "the driver has neither an image nor a build [image-or-build]"},
		{"image and build", "driver: {image: y, build: .}", "the driver has both an image and a build [image-or-build]"},
		{"a tool", with + "tool: ab", "a load is put on by a tool or by a driver, not by both [contradiction]"},
		{"args", with + "args: {ab: [-l]}", "a driver has no args [contradiction]"},
		{"random", with + "body: '${{ random(1, 2) }}'",
			"random is drawn by our own generator for each request, and a driver puts the load on [contradiction]"},
		{"an unknown word", "driver: {image: y, command: [run], prints: lines}", `prints cannot be "lines" [wrong-value]`},
		{"a summary", summary + "think: 5ms, requests: 100", ""},
		{"a summary at a rate", summary + "rate: 5/s",
			"a summary does not tell when requests were due, as rate needs it [contradiction]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {"+toS(tt.load)+"}\n")), Options{},
				nil)
			wantProblems(t, problems, tt.want)
		})
	}
}

// A search for a capacity needs lines; one for the best setting is content with a summary.
func TestSearchesWithSummaries(t *testing.T) {
	for _, tt := range []struct{ command, search, want string }{
		{"run", "capacity: {slo: latency.p50 < 1s, from: 1/s, to: 9/s}",
			"a summary does not tell when requests were due, as a search for a capacity needs it [contradiction]"},
		{"run ${{ tune.workers }}", "tune: {workers: {to: 4}}", ""},
	} {
		_, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x, command: '"+tt.command+"'}}\n"+
			"load: {target: http://s/, driver: {image: y, command: [run], prints: summary}}\n"+tt.search+"\n")), Options{}, nil)
		wantProblems(t, problems, tt.want)
	}
}

// The key of a trial has the program of its driver in it, what it is built from, and how it is called.
func TestKeyOfDriver(t *testing.T) {
	key := func(driver, file string) string {
		t.Helper()
		article := text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/, driver: {"+driver+"}}\n")) +
			"\n```python file=load.py\n" + file + "\n```\n\n```dockerfile file=Dockerfile\nFROM y\nCOPY load.py /\n```\n"
		p, problems := newPlan(t, article, Options{}, nil)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return p.Experiments[0].Trials[0].Key
	}
	base := key("build: ., command: [run]", "a")
	for what, other := range map[string]string{
		"another file in the image": key("build: ., command: [run]", "b"),
		"another command":           key("build: ., command: [run, fast]", "a"),
		"a variable":                key("build: ., command: [run], environment: {A: b}", "a"),
		"a config":                  key("build: ., command: [run], configs: [{source: load.py, target: /x}]", "a"),
		"another image":             key("image: z, command: [run]", "a"),
		"another output":            key("build: ., command: [run], prints: summary", "a"),
	} {
		if other == base {
			t.Errorf("%s leaves the key as it is", what)
		}
	}
	if same := key("build: ., command: [run], prints: requests", "a"); same != base {
		t.Error("the default, written out, changes the key")
	}
}
