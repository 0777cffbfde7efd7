package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// problem is a wrong part of a case, and how it is reported, in the form of inWords. A hint that another row has can be
// left out. Without a text there must be no problem: the part is nearly wrong.
type problem struct{ name, part, want string }

// inWords formats a problem: rule, text of its place, message and hint.
func inWords(p *source.Problem) string {
	at := p.Pos
	words := fmt.Sprintf("%s at %s: %s", p.Rule, at.Source.Data[at.Start:at.End], p.Message)
	if p.Hint != "" {
		words += " (" + p.Hint + ")"
	}
	if p.Severity != source.SeverityError {
		words = fmt.Sprintf("%s: %s", p.Severity, words)
	}
	if at.Source.Path != "article.md" {
		words = at.Source.Path + ": " + words
	}
	return words
}

// privateFiles have values that would be reported as secrets in the article.
const privateFiles = "-- compose.yaml --\nservices: {s: {image: x, expose: [\"80\"], environment: [DB_PASSWORD]}}\n" +
	"-- literal.yaml --\nservices: {s: {image: x, expose: [\"80\"], environment: {DB_PASSWORD: hunter23}}}\n" +
	"-- named.yaml --\nservices: {s: {image: x, expose: [\"80\"], env_file: private.env}}\n" +
	"-- private.env --\nAPI_TOKEN=hunter24\n"

// Each wrong part is reported at its place with a hint. Further problems are in testdata/broken.
func TestProblems(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, group := range []struct {
		name, before, files string // a case is before, a part, and files
		problems            []problem
	}{
		{"services", "name: e\nload: {target: http://s/}\nservices: ", "", []problem{
			{"context outside", "{s: {build: ../../../../other}}",
				`not-allowed at ../../../../other: the build context "../../../../other", outside the repository, is more than this project allows its articles (if you trust the article, add "contexts" to the list allow: in benchbook.yaml)`},
			{"config outside", "{s: {image: x, configs: [{source: ../../secret, target: /x}]}}",
				`outside-folder at ../../secret: "../../secret" leaves the article's folder (everything that an article uses is in its folder)`},
			{"config without a source", "{s: {image: x, configs: [{target: /x}]}}",
				"missing-key at {: the config has no source (write {source: FILE, target: /PATH/IN/THE/CONTAINER})"},
			{"config without a target", "{s: {image: x, configs: [{source: x}]}}", "missing-key at {: the config has no target"},
			{"config target", "{s: {image: x, configs: [{source: nope, target: x}]}}",
				`wrong-value at x: the target of a config must be the path of a file in the container, not "x" (begin it with /)`},
			{"no signal", "{s: {image: x, stop_signal: SIGFOO}}", `wrong-value at SIGFOO: invalid signal "SIGFOO" (write it as Linux does, such as SIGTERM)`},
			{"a signal beyond the last", "{s: {image: x, stop_signal: '65'}}", `wrong-value at '65': invalid signal "65"`},
			{"more memory than there is", "{s: {image: x, mem_limit: 99999999g}}",
				"wrong-value at 99999999g: mem_limit must be between 6m and 64t, not 99999999g (write a number with a unit, such as 256m)"},
			{"rows of include that fight over a cell", "{s: {image: x}}\nmatrix: {a: [1, 2], include: [{a: 1, x: 3}, {a: 1, x: 4}]}",
				`duplicate-cell at 4: the cell "1" has x "3" by the row in line 9 and "4" by this one (make x an axis, or give each row a value of an axis that no other row has)`},
			{"healthcheck that is none of something", "{s: {image: x, healthcheck: {test: [NONE, x]}}}",
				`wrong-value at NONE: the healthcheck of service "s" cannot be read (write NONE alone)`},
			{"interval that is no time", "{s: {image: x, healthcheck: {interval: often}}}",
				`wrong-value at often: interval must be a time, not "often" (write a number with a unit, such as 500ms, 10s or 2m)`},
			{"no interval", "{s: {image: x, healthcheck: {interval: 0s}}}", "wrong-value at 0s: interval must be more than 0 (write a time, such as 30s)"},
			{"no retries", "{s: {image: x, healthcheck: {retries: 0}}}",
				"wrong-value at 0: retries must be 1 or more (write how many probes in a row may fail, such as 3)"},
			{"negative start", "{s: {image: x, healthcheck: {start_period: -1s}}}", "wrong-value at -1s: start_period cannot be less than 0"},
			{"pace of no start", "{s: {image: x, healthcheck: {start_interval: 1s}}}",
				"missing-key at 1s: start_interval needs a start_period (add start_period: with the time that the service may take to start)"},
			{"probes of a log", "{s: {image: x, healthcheck: {test: [LOG, up], timeout: 1m}}}",
				"contradiction at 1m: a log is read continuously, so this time has no effect (remove it; start_period is the time that the service may take to start)"},
			{"path without a port", "{s: {image: x, healthcheck: {test: [HTTP, /]}}}",
				`missing-key at HTTP: service "s" exposes no port that could answer over HTTP (add expose: with the port)`},
			{"unknown condition", "{s: {image: x, depends_on: {t: {condition: service_helthy}}}, t: {image: x, expose: ['80']}}",
				`wrong-value at service_helthy: condition cannot be "service_helthy" (did you mean "service_healthy"?)`},
			{"dependency without a condition", "{s: {image: x, depends_on: {t: , u: {condition: service_started}}}, t: {image: x, expose: ['80']}, u: {image: x}}",
				`missing-key at t: the dependency "t" has no condition (add condition: service_healthy below it, or write depends_on as a list of names)`},
			{"healthy by nothing", "{s: {image: x, depends_on: {t: {condition: service_healthy}}}, t: {image: x, healthcheck: {disable: true}}}",
				`missing-key at service_healthy: service "t" has no healthcheck and exposes no port, so nothing tells when it is healthy (give it a healthcheck, or write condition: service_started)`},
			{"healthy and completed", "{s: {image: x, depends_on: {t: {condition: service_healthy}}}, u: {image: x, depends_on: {t: {condition: service_completed_successfully}}}, t: {image: x, expose: ['80']}}",
				`contradiction at service_healthy: service "s" waits until "t" is healthy, and another one until it has completed (write condition: service_completed_successfully in both)`},
			{"healthcheck of what completes", "{s: {image: x, depends_on: {t: {condition: service_completed_successfully}}}, t: {image: x, healthcheck: {test: 'true'}}}",
				`contradiction at t: service "t" has a healthcheck, and others wait until it has completed (remove the healthcheck, or write condition: service_healthy)`},
			{"variable in the environment", "{s: {image: x, environment: {A: $B}}}",
				"compose-variable at $B: $B is not replaced by a variable of this machine, as Compose does"},
			{"no processes", "{s: {image: x, pids_limit: 0}}",
				"wrong-value at 0: pids_limit must be more than 0 (write how many processes and threads there may be, or -1 for no limit)"},
		}},
		{"loads", "name: e\nservices: {s: {image: x}}\nload: ", "", []problem{
			{"foreign target", "{target: http://example.com/}",
				`unknown-service at http://example.com/: the load goes to "example.com", which is not a service of the experiment (known here: s)`},
			{"a running target beside services", "{target: http://localhost/, outside: true}",
				"contradiction at true: the experiment has services, and its load goes to what runs already (remove the services, or remove outside and name one of them in target)"},
			{"a driver without a command", "{target: http://s, driver: {image: y}}",
				"missing-key at {: the driver has no command (add command: with the program and its arguments)"},
			{"a driver with another scheme", "{driver: {image: y, command: [run]}, target: grpc://s:5/}", ""},
			{"answers over another scheme that are verified", "{driver: {image: y, command: [run]}, target: grpc://s:5/, verify: {contains: x}}",
				"contradiction at {: answers are checked over HTTP, and a target has another scheme (remove verify: the driver says which answers are right)"},
			{"a driver without an image", "{target: http://s, driver: {command: run}}",
				"image-or-build at run: the driver has neither an image nor a build (add build: with a folder next to the article, image: with a name, or remove driver)"},
			{"a driver with image and build", "{target: http://s, driver: {image: y, build: .}}",
				"missing-key at {: the driver has no command (add command: with the program and its arguments)\n" +
					"image-or-build at y: the driver has both an image and a build (keep one of them)"},
			{"a driver and a tool", "{target: http://s, driver: {image: y, command: [run]}, tool: ab}",
				"contradiction at tool: a load is put on by a tool or by a driver, not by both"},
			{"args of a driver", "{target: http://s, driver: {image: y, command: [run]}, args: {ab: [-l]}}",
				"contradiction at args: a driver has no args (write them after its command)"},
			{"another form of output", "{target: http://s, driver: {image: y, command: [run], prints: lines}}",
				`wrong-value at lines: prints cannot be "lines" (known here: requests, summary)`},
			{"a summary at a rate", "{target: http://s, driver: {image: y, command: [run], prints: summary}, rate: 5/s}",
				"contradiction at 5/s: a summary does not tell when requests were due, as rate needs it (remove prints, and print a line for each request)"},
		}},
		{"experiments", "name: e\n", "", []problem{
			{"a running target not here", "load: {target: http://example.com/, outside: true}",
				`not-allowed at http://example.com/: a load on "example.com" is more than this project allows its articles (if that host is yours to put load on, add allow: {targets: ["example.com"]} to benchbook.yaml)`},
			{"a running target that looks like here", "load: {target: 'http://127.0.0.1.example.com/', outside: true}",
				`not-allowed at 'http://127.0.0.1.example.com/': a load on "127.0.0.1.example.com" is more than this project allows its articles (if that host is yours to put load on, add allow: {targets: ["127.0.0.1.example.com"]} to benchbook.yaml)`},
			{"a running target by a wrong scheme", "load: {target: ftp://localhost/, outside: true}",
				`wrong-value at ftp://localhost/: invalid target URL "ftp://localhost/" (write http://SERVICE:PORT/path)`},
			{"a running target and a tool", "load: {target: http://localhost/, outside: true, tool: wrk}",
				"contradiction at wrk: wrk runs in a container, which does not reach a target that runs already (remove tool)"},
			{"a target that runs sometimes", "matrix: {o: [true, false]}\nload: {target: http://localhost/, outside: '${{ matrix.o }}'}",
				"unknown-service at http://localhost/: the load goes to \"localhost\", which is not a service of the experiment (add outside: true to the load if a server runs there already; otherwise name a service)\n" +
					"wrong-value at '${{ matrix.o }}': outside is the same for all trials of an experiment (write true or false, or make two experiments)"},
			{"this machine as a target", "load: {target: http://localhost/}",
				`unknown-service at http://localhost/: the load goes to "localhost", which is not a service of the experiment`},
			{"hook in what has completed", "services: {s: {image: x, depends_on: {t: {condition: service_completed_successfully}}}, t: {image: x}}\nload: {target: http://s/}\nprepare: {service: t, run: a}",
				`contradiction at t: prepare cannot run in service "t", which has completed before (name a service that keeps running)`},
			{"command in what has completed", "services: {s: {image: x, depends_on: {t: {condition: service_completed_successfully}}}, t: {image: x}}\ncommand: {service: t, run: a}",
				`contradiction at t: the command cannot run in service "t", which has completed before`},
			{"a misspelt matrix", "services: {s: {image: \"x:${{ matrix.n }}\"}}\nmatrx: {n: [1, 2]}\nload: {target: http://s/, connections: \"${{ matrix.n }}\"}",
				`unknown-key at matrx: unknown key "matrx" in experiment (did you mean "matrix"?)`},
			{"a matrix that is no mapping", "services: {s: {image: \"x:${{ matrix.n }}\"}}\nmatrix: [1, 2]\nload: {target: http://s/, connections: \"${{ matrix.n }}\"}",
				"wrong-shape at [: matrix must be a mapping, not a list (write matrix: {NAME: [value, value]})"},
			{"a capacity by a summary", "services: {s: {image: x, command: 'run'}}\nload: {target: http://s/, driver: {image: y, command: [run], prints: summary}}\ncapacity: {slo: latency.p50 < 1s, from: 1/s, to: 9/s}",
				"contradiction at {: a summary does not tell when requests were due, as a search for a capacity needs it"},
			{"a tuned value by a summary", "services: {s: {image: x, command: 'run ${{ tune.workers }}'}}\nload: {target: http://s/, driver: {image: y, command: [run], prints: summary}}\ntune: {workers: {to: 4}}",
				""},
			{"a tuned value that goes too far", "services: {s: {image: x}}\ntune: {clients: {to: 100000}}\nload: {target: http://s/, connections: '${{ tune.clients }}'}",
				"wrong-value at '${{ tune.clients }}': connections must be between 1 and 60000, not 100000"},
			{"values of the matrix in a circle", "services: {s: {image: x, expose: ['80']}}\ncommand: {service: s, run: 'run ${{ matrix.start.how }}'}\nmatrix: {n: [4], start: [{name: one, how: '${{ matrix.start.how }}!'}]}",
				"bad-expression at r: values of the matrix refer to each other in a cycle (write out one of them)"},
		}},
		{"searches of another experiment", "---\ntitle: x\n---\n\n```yaml experiment\nname: e\nmatrix: {m: [a, b]}\n" +
			"services: {s: {image: x, command: 'run ${{ tune.workers }}'}}\ntune: {workers: {to: 8}}\nload: {target: http://s/}\n```\n" +
			"```yaml experiment\nname: f\nextends: e\nload: {rate: 5/s}\nmatrix: ", "", []problem{
			{"a cell that no search is for", "{m: [a, c]}\n```",
				`no-cell at e: for cell "c" nothing is chosen: no cell of experiment "e" has the same parameters (give both experiments the same axes, or tune here as well)`},
			{"a cell that several searches are for", "{m: null, n: [1]}\n```",
				`no-cell at e: for cell "1" nothing is chosen: several cells of experiment "e" have the same parameters`},
		}},
		{"tools", "name: e\nservices: {s: {image: x}}\nload: ", "-- load.js --\na\n-- load.lua --\nb\n-- folder/x --\nc\n", []problem{
			{"our own keys", "{target: http://s, tool: ab, failures: expected, cpuset: '0'}", ""},
			{"verify", "{target: http://s, tool: hey, verify: {status: 201, contains: x}}", ""},
			{"parts of a second", "{target: http://s, tool: wrk, duration: 1500ms}",
				"wrong-value at 1500ms: wrk takes duration in whole seconds, not 1500ms (write 1s or 2s)"},
			{"parts of a second where they can be had", "{target: http://s, tool: hey, duration: 1500ms}", ""},
			{"two ends", "{target: http://s, tool: hey, duration: 5s, requests: 100}",
				"contradiction at 5s: hey ends after a time or after a number of requests, not at whichever comes first (remove duration or requests)"},
			{"two ends of ab", "{target: http://s, tool: ab, duration: 5s, requests: 100}", ""},
			{"a rest of requests", "{target: http://s, tool: hey, requests: 1000, connections: 150}",
				"contradiction at 1000: hey sends the same number of requests on every connection, and 1000 is not a multiple of 150 (write a multiple of connections)"},
			{"a rest of requests of ab", "{target: http://s, tool: ab, requests: 1000, connections: 150}", ""},
			{"a rest of connections", "{target: http://s, tool: wrk, connections: 10, threads: 3}", ""},
			{"a flag twice", "{target: http://s, tool: ab, requests: 5, args: [-l, -n, '7']}",
				"contradiction at -n: ab has -n for requests, which the load has already (remove it from args, and set it with requests:)"},
			{"a flag that a default has", "{target: http://s, tool: ab, args: [-s, '7']}",
				"contradiction at -s: ab has -s for timeout, which the load has already (remove it from args, and set it with timeout:)"},
			{"a flag of its own", "{target: http://s, tool: ab, args: [-l, -r]}", ""},
			{"further headers", "{target: http://s, tool: ab, headers: {A: b}, args: [-H, 'C: d']}", ""},
			{"several targets", "{tool: ab, target: [http://s/a, http://s/b]}",
				"no-flag at http://s/b: ab has no flag for several targets (leave one target, or use tool: benchbook)"},
			{"a target that says more", "{tool: wrk, target: {url: http://s/a, method: POST, body: x}}", ""},
			{"TLS", "{tool: wrk, target: https://s/}", ""},
			{"every key of pgbench", "{tool: pgbench, target: postgres://u@s/d, duration: 5s, warmup: 1s, connections: 3, threads: 2, keepalive: false, body: select 1}",
				""},
			{"a script of k6", "{target: http://s, tool: k6, script: load.js, connections: 5, duration: 3s, warmup: 1s, keepalive: false, verify: {before: false}}",
				""},
			{"a script of ours", "{target: http://s, script: load.js}",
				"contradiction at load.js: a script is for k6 or wrk, and the load is put on by benchbook (add tool: k6 or tool: wrk, or remove script)"},
			{"a script of ab", "{target: http://s, tool: ab, script: load.js}",
				"no-flag at load.js: ab has no flag for script (remove script, or use another tool; flags of its own go into args)"},
			{"a script and a driver", "{target: http://s, driver: {image: y, command: run}, script: load.js}",
				"contradiction at script: a script is for a tool, and a driver puts the load on (write the script into its configs)"},
			{"a script and what is sent", "{target: http://s, tool: k6, script: load.js, method: PUT, headers: {A: b}, body: x}",
				"contradiction at PUT: k6 has no method with a script of the article (remove method, and let the script say it)\n" +
					"contradiction at {: k6 has no headers with a script of the article (remove headers, and let the script say it)\n" +
					"contradiction at x: k6 has no body with a script of the article (remove body, and let the script say it)"},
			{"a script and a rate", "{target: http://s, tool: k6, script: load.js, rate: 5/s}",
				"contradiction at 5/s: k6 has no rate with a script of the article (remove rate, and let the script say it)"},
			{"a script and requests", "{target: http://s, tool: k6, script: load.js, requests: 5}",
				"contradiction at 5: k6 has no requests with a script of the article (remove requests, and let the script say it)"},
			{"a script and a body of wrk", "{target: http://s, tool: wrk, script: load.lua, body: x}",
				"contradiction at x: wrk has no body with a script of the article"},
			{"a script and the flag for it", "{target: http://s, tool: wrk, script: load.lua, args: [-s, x]}",
				"contradiction at -s: wrk has -s for script, which the load has already (remove it from args, and set it with script:)"},
			{"a script above the folder", "{target: http://s, tool: k6, script: ../load.js}",
				`outside-folder at ../load.js: "../load.js" leaves the article's folder`},
			{"a script that is a folder", "{target: http://s, tool: k6, script: folder}",
				`not-a-file at folder: "folder" cannot be read: it is a folder, not a file (name a regular file that you may read)`},
		}},
		{"processes of this machine", "name: e\n", "-- ../../benchbook.yaml --\nallow: [cap_add, security_opt, sysctls]\nengine: local\n-- Dockerfile --\nFROM debian\n", []problem{
			{"limits", "services: {s: {command: x, cpus: 0.5, mem_limit: 64m, cap_drop: [ALL], sysctls: {net.core.somaxconn: 9}, init: true, security_opt: ['no-new-privileges:true'], read_only: true, tmpfs: [/x], ulimits: {nofile: 9}}}\nload: {target: http://s/}",
				`needs-container at yaml experiment: service "s" has cap_drop, cpus, init, mem_limit, read_only, security_opt, sysctls, tmpfs, ulimits, and the engine local has no containers (remove what only a container can have, or use the engine docker)`},
			{"an origin behind a link", "services: {s: {origin: {}, link: {rtt: 1ms}}}\nload: {target: http://s/}",
				`needs-container at yaml experiment: service "s" has link, and the engine local has no containers`},
			{"a build", "services: {s: {build: .}}\nload: {target: http://s/}",
				`needs-container at yaml experiment: service "s" is built from a Dockerfile, and the engine local builds no images`},
			{"a command with an image", "command: {image: x, run: x}",
				"needs-container at yaml experiment: the command has an image, and the engine local has none"},
			{"a tool", "services: {s: {command: x}}\nload: {target: http://s/, tool: ab}",
				"needs-container at yaml experiment: the load by ab runs in an image of its own, and the engine local has none (remove tool, or use the engine docker)"},
			{"copies", "services: {s: {command: x, scale: 2}}\nload: {target: http://s/}",
				`needs-container at yaml experiment: service "s" is scaled, and the engine local finds one process by a name (remove scale, or use the engine docker)`},
			{"no program", "services: {s: {expose: ['80']}}\nload: {target: http://s/}",
				`missing-key at s: service "s" has neither an image nor a program of this machine`},
			{"image and build", "services: {s: {image: x, build: ., command: python3 -m http.server, expose: ['8000']}}\nload: {target: http://s:8000/}",
				`image-or-build at x: service "s" has both an image and a build`},
		}},
		{"secrets", "name: e\n", privateFiles, []problem{
			{"through the matrix to a wrong place", "secrets: {p: {environment: P}}\nmatrix: {a: [{name: one, v: \"${{ secrets.p }}\"}]}\nservices: {s: {image: \"${{ matrix.a.v }}\"}}\nload: {target: http://s/}",
				`misplaced-secret at "${{ matrix.a.v }}": the value of a secret cannot be used in services.s.image (it can be used in environment, command, entrypoint and healthcheck of a service, in run, environment and stdin of a command, in headers and body of a load, in environment of its driver, and in run of prepare)`},
			{"in an image", "secrets: {p: {environment: P}}\nservices: {s: {image: \"x:${{ secrets.p }}\"}}\nload: {target: http://s/}",
				`misplaced-secret at "x:${{ secrets.p }}": the value of a secret cannot be used in services.s.image`},
			{"in a URL", "secrets: {p: {environment: P}}\nservices: {s: {image: x}}\nload: {target: \"http://s/${{ secrets.p }}\"}",
				`misplaced-secret at "http://s/${{ secrets.p }}": the value of a secret cannot be used in load.target`},
			{"compared", "secrets: {p: {environment: P}}\nservices: {s: {image: x, environment: {A: \"${{ secrets.p == \\\"a\\\" }}\"}}}\nload: {target: http://s/}",
				`misplaced-secret at "${{ secrets.p == \"a\" }}": the value of a secret is put in as it is (write ${{ secrets.p }} alone, without functions and filters)`},
			{"unknown", "secrets: {p: {environment: P}}\nservices: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\nload: {target: http://s/}",
				`bad-expression at secrets.q: no secret "q" in this experiment (known here: p)`},
			{"there are none", "services: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\nload: {target: http://s/}",
				`bad-expression at secrets.q: no secret "q" in this experiment (add secrets: {q: {environment: NAME}} to the experiment)`},
			{"of nothing", "secrets: {p: {}}\nservices: {s: {image: x}}\nload: {target: http://s/}",
				`missing-key at p: secret "p" has neither environment nor file (write {environment: NAME}, or {file: PATH})`},
			{"of both", "secrets: {p: {file: a, environment: B}}\nservices: {s: {image: x}}\nload: {target: http://s/}",
				`contradiction at file: secret "p" has both environment and file`},
			{"outside", "secrets: {p: {file: ../../../x}}\nservices: {s: {image: x}}\nload: {target: http://s/}",
				`not-allowed at ../../../x: the secret file ../../../x, outside the repository, is more than this project allows its articles (if you trust the article, add "secrets" to the list allow: in benchbook.yaml)`},
			{"in a read-only container", "secrets: {p: {environment: P}}\nservices: {s: {image: x, read_only: true, secrets: [{source: p, target: /etc/p}]}}\nload: {target: http://s/}",
				"contradiction at /etc/p: nothing can be put at /etc/p of a service that is read-only (leave out target: the secret is /run/secrets/p then)"},
			{"in a search", "secrets: {p: {environment: P}}\nservices: {s: {image: x}}\ntune: {a: {from: \"${{ secrets.p }}\"}}\nload: {target: http://s/}",
				"unused-search at a: nothing uses ${{ tune.a }}, so all values are the same (write it where the value belongs, or remove the search)\n" +
					"misplaced-secret at \"${{ secrets.p }}\": the value of a secret cannot be used in tune.a.from (it can be used in environment, command, entrypoint and healthcheck of a service, in run, environment and stdin of a command, in headers and body of a load, in environment of its driver, and in run of prepare)"},
			{"a password in a list", "services: {s: {image: x, expose: [\"80\"], environment: [PGPASSWORD=hunter22x]}}\nload: {target: http://s/}",
				"written-secret at PGPASSWORD=hunter22x: the value of PGPASSWORD is in the article, and would be in its records"},
			{"a token", "services: {s: {image: x, expose: [\"80\"], environment: {GITHUB_TOKEN: ghp_0123}}}\nload: {target: http://s/}",
				"written-secret at ghp_0123: the value of GITHUB_TOKEN is in the article, and would be in its records"},
			{"a key", "services: {s: {image: x, expose: [\"80\"], environment: {apiKey: abc0}}}\nload: {target: http://s/}",
				"written-secret at abc0: the value of apiKey is in the article, and would be in its records"},
			{"a word of lower-case letters", "services: {s: {image: x, expose: [\"80\"], environment: {POSTGRES_PASSWORD: postgres}}}\nload: {target: http://s/}",
				""},
			{"an empty password", "services: {s: {image: x, expose: [\"80\"], environment: {MYSQL_ALLOW_EMPTY_PASSWORD: \"\", PASSWORD: }}}\nload: {target: http://s/}",
				""},
			{"a short one", "services: {s: {image: x, expose: [\"80\"], environment: {PASSWORD: p1}}}\nload: {target: http://s/}", ""},
			{"names that are like those of secrets", "services: {s: {image: x, expose: [\"80\"], environment: {PASSWORD_FILE: /run/secrets/p, MAX_TOKENS: \"1000\", PWD: /srv/1, MODE: hunter22x}}}\nload: {target: http://s/}",
				""},
			{"the value of a secret", "secrets: {p: {environment: P}}\nservices: {s: {image: x, expose: [\"80\"], environment: {DB_PASSWORD: \"${{ secrets.p }}\"}}}\nload: {target: http://s/}",
				""},
			{"a token for a build", "services: {s: {build: {dockerfile_inline: FROM x, args: {NPM_TOKEN: abc0}}, expose: [\"80\"]}}\nload: {target: http://s/}",
				"written-secret at abc0: the value of NPM_TOKEN is in the article, and would be in its records"},
			{"a secret of a command", "command: {image: x, run: [y], environment: {SECRET: hunter22x}}",
				"written-secret at hunter22x: the value of SECRET is in the article, and would be in its records"},
			{"a file of variables", "services: {s: {image: x, expose: [\"80\"], env_file: private.env}}\nload: {target: http://s/}", ""},
			{"a variable of a Compose file", "compose: {files: compose.yaml, environment: [DB_PASSWORD]}\nload: {target: http://s/}", ""},
			{"a password in a Compose file", "compose: literal.yaml\nload: {target: http://s/}",
				`literal.yaml (service s): written-secret at "hunter23": the value of DB_PASSWORD is in the article, and would be in its records (give it from outside by secrets:, or use a word of lower-case letters if it protects nothing)`},
			{"a file of variables of a Compose file", "compose: named.yaml\nload: {target: http://s/}", ""},
		}},
		{"axes from files", "name: e\ncommand: {image: x, run: [echo, '${{ matrix.framework.port }}']}\nmatrix:\n  framework: ", "", []problem{
			{"no file", "{rows: f.csv}",
				`no-such-file at f.csv: no file or listing "f.csv" in the article's folder (put it next to the article, or make a listing of it: file=f.csv)`},
			{"no file above", "{rows: ../f.csv}", "no-such-file at ../f.csv: there is no file ../f.csv (paths begin at the article's folder)"},
			{"outside the repository", "{rows: ../../../../../f.csv}",
				`outside-folder at ../../../../../f.csv: "../../../../../f.csv" is outside the repository (name files of the repository that the article is in)`},
			{"a pattern outside the repository", `{files: "../../../../*.yaml"}`,
				`outside-folder at "../../../../*.yaml": "../../../../*.yaml" is outside the repository`},
			{"an absolute pattern", `{files: "/etc/*.yaml"}`,
				`wrong-value at "/etc/*.yaml": "/etc/*.yaml" is not a pattern for files next to the article (write one with * in it, such as "frameworks/*/meta.yaml")`},
			{"no pattern", "{files: f.yaml}", `wrong-value at f.yaml: "f.yaml" is not a pattern for files next to the article`},
			{"a broken pattern", `{files: "[*.yaml"}`, `wrong-value at "[*.yaml": "[*.yaml" is not a pattern for files next to the article`},
			{"nothing matches", `{files: "f/*.yaml"}`,
				`no-such-file at "f/*.yaml": no file matches "f/*.yaml" (paths begin at the article's folder; * matches no slash, and no name that begins with a dot)`},
			{"a folder matches", "{files: \"f/*\"}\n-- f/a/b.yaml --\nx: 1",
				`not-a-file at "f/*": f/a cannot be read: it is a folder, not a file (name regular files of the repository)`},
			{"both", `{rows: f.csv, files: "*.yaml"}`, `contradiction at files: axis "framework" has both rows and files`},
			{"a list of files", "{rows: [f.csv]}",
				"wrong-shape at [: rows must be a single value, not a list (write the value alone, without brackets or dash)"},
			{"empty CSV", "{rows: f.csv}\n-- f.csv --\n", "f.csv: bad-csv at : there is no line with the names of columns (begin the file with it)"},
			{"no rows", "{rows: f.csv}\n-- f.csv --\nname", `empty-axis at f.csv: "f.csv" has no rows (add a row, or remove the axis)`},
			{"the same row twice", "{rows: f.csv}\n-- f.csv --\nname\na\na",
				`f.csv: duplicate-value at a: axis "framework" has the value "a" twice (remove one of them)`},
			{"a row without a name", "{rows: f.csv}\n-- f.csv --\nid,x\na,1\n,2",
				`f.csv: missing-key at ,: a value of axis "framework" has no name (add name: to this mapping; it is what tells the values apart)`},
			{"rows that are no mappings", "{rows: f.yaml}\n-- f.yaml --\n- [a]",
				`f.yaml: wrong-shape at [: value of axis "framework" must be a mapping, not a list`},
			{"broken YAML", "{files: \"f/*.yaml\"}\n-- f/a.yaml --\nx: 1\ny: [",
				"f/a.yaml: yaml-syntax at y: [: this is not YAML: did not find expected node content (close the bracket, and put a value with [ ] { } or , in quotes)"},
			{"a list for a row", "{files: \"f/*.yaml\"}\n-- f/a.yaml --\n- x",
				"f/a.yaml: wrong-shape at -: the file of a row must be a mapping, not a list (write keys with values; they are the columns)"},
			{"a reserved key", "{files: \"f/*.yaml\"}\n-- f/a.yaml --\nx: 1\nvalue: 2",
				`f/a.yaml: reserved-name at value: "value" cannot be the name of a parameter (expressions use this word for something else; choose another)`},
			{"an unknown column", "{rows: f.csv}\n-- f.csv --\nname,prt\na,1",
				`bad-expression at matrix.framework.port: no parameter "framework.port" in this experiment (did you mean "framework.prt"?)`},
		}},
		{"volumes", "name: e\nload: {target: http://s/}\nservices:\n  s:\n    image: x\n    volumes:\n      - ",
			"-- ../../benchbook.yaml --\nallow: [mounts]\n", []problem{
				{"the size of a volume on disk", "{type: volume, source: a, target: /a, tmpfs: {size: 1m}}",
					"contradiction at {: a volume of type volume has no tmpfs (write type: tmpfs, or remove it)"},
				{"no size", "{type: tmpfs, target: /a, tmpfs: {size: 0}}", "wrong-value at 0: size must be more than 0 (write a number with a unit, such as 64m)"},
				{"another user's home", "~somebody/x:/a",
					`wrong-value at ~somebody/x: the path "~somebody/x" cannot be found: the home of another user is not looked up (write a path that begins with /)`},
			}},
		{"Compose files of strangers", "name: e\ncompose: docker-compose.yml\nload: {target: http://web/}\n-- docker-compose.yml --\nservices:\n  web:\n    image: x\n    ports: ['80']\n    ", "", []problem{
			{"no such context", "build: ./none",
				`docker-compose.yml (service web): no-such-file at "./experiments/sample/none": the build context "./experiments/sample/none" cannot be read: no such file or directory`},
			{"too little memory", "mem_limit: 1k", `docker-compose.yml (service web): wrong-value at "1024": mem_limit must be between 6m and 64t, not 1024`},
			{"a folder of the machine", "volumes: ['/etc:/etc']",
				`docker-compose.yml (service web): not-allowed at "/etc": the path "/etc" of this machine, outside the article's folder, is more than this project allows its articles (if you trust the article, add "mounts" to the list allow: in benchbook.yaml)`},
			{"the whole disk", "volumes: ['/:/host']",
				`docker-compose.yml (service web): not-allowed at "/": the path "/" of this machine, outside the article's folder, is more than this project allows its articles`},
			{"the socket of the engine", "volumes: ['/var/run/docker.sock:/s']",
				`docker-compose.yml (service web): not-allowed at "/run/docker.sock": the path "/run/docker.sock" of this machine, outside the article's folder, is more than this project allows its articles`},
			{"the home folder", "volumes: ['~/:/home']",
				`docker-compose.yml (service web): not-allowed at "/home/user": the path "/home/user" of this machine, outside the article's folder, is more than this project allows its articles`},
			{"a folder above the repository", "volumes: ['../../..:/above']",
				`docker-compose.yml (service web): not-allowed at "/above": the path "/above" of this machine, outside the article's folder, is more than this project allows its articles`},
			{"a capability", "cap_add: [SYS_ADMIN]",
				`docker-compose.yml (service web): not-allowed at "SYS_ADMIN": the capability SYS_ADMIN is more than this project allows its articles (if you trust the article, add "cap_add" to the list allow: in benchbook.yaml)`},
			{"no filter of system calls", "security_opt: [seccomp=unconfined]",
				`docker-compose.yml (service web): not-allowed at "seccomp=unconfined": the security option seccomp=unconfined is more than this project allows its articles (if you trust the article, add "security_opt" to the list allow: in benchbook.yaml)`},
			{"a setting of the kernel", "sysctls: {kernel.core_pattern: '|/x'}",
				`docker-compose.yml (service web): not-allowed at "kernel.core_pattern": the kernel setting kernel.core_pattern is more than this project allows its articles (if you trust the article, add "sysctls" to the list allow: in benchbook.yaml)`},
			{"a secret outside", "secrets: [s]\nsecrets: {s: {file: /etc/passwd}}",
				`docker-compose.yml (secrets): not-allowed at "/etc/passwd": the secret file /etc/passwd, outside the repository, is more than this project allows its articles`},
			{"a context outside", "build: /etc", `docker-compose.yml (service web): outside-folder at "/etc": "/etc" leaves the article's folder`},
			{"a context above", "build: ../../..", `docker-compose.yml (service web): outside-folder at "/above": "/above" leaves the article's folder`},
			{"a Dockerfile that copies from above", "build: .\n-- Dockerfile --\nFROM x\nCOPY ../../../etc/passwd /", ""},
			{"a Dockerfile that adds an address", "build: .\n-- Dockerfile --\nFROM x\nADD http://169.254.169.254/latest /", ""},
			{"a heredoc that never ends", "build: .\n-- Dockerfile --\nFROM x\nRUN <<EOF\nx", ""},
		}},
		{"remarks", "name: e\nservices: {s: {image: x, expose: ['80', '8080']}, t: {image: x}, u: {image: x, healthcheck: {test: [LOG, up]}}}\n", "", []problem{
			{"an axis that nothing uses", "matrix: {a: [1, 2], b: [x, y]}\nload: {target: 'http://s/${{ matrix.b }}'}",
				`warning: unused-axis at a: nothing uses axis "a", so its cells all measure the same (write ${{ matrix.a }} where they differ, or remove the axis)`},
			{"an axis of which a field is used", "matrix: {a: [{name: x, path: p}, {name: y, path: q}]}\nload: {target: 'http://s/${{ matrix.a.path }}'}", ""},
			{"an axis that a row of include goes by", "matrix: {a: [x, y], include: [{a: x, path: p}, {a: y, path: q}]}\nload: {target: 'http://s/${{ matrix.path }}'}",
				""},
			{"an axis with one value", "matrix: {a: [x]}\nload: {target: 'http://s/'}", ""},
			{"an axis of a search", "matrix: {a: [1, 2]}\ntune: {n: {from: 1, to: '${{ matrix.a }}', maximize: throughput}}\nload: {target: 'http://s/${{ tune.n }}'}",
				""},
			{"a port that is exposed", "load: {target: 'http://s:8080/'}", ""},
			{"the port of the scheme", "load: {target: 'https://s/'}",
				`warning: port-not-exposed at 'https://s/': the load goes to port 443 of service "s", which exposes 80, 8080`},
			{"a service that exposes none", "load: {target: 'http://t:81/'}",
				`warning: port-not-exposed at 'http://t:81/': the load goes to port 81 of service "t", which exposes no port`},
			{"a service that says when it is ready", "load: {target: 'http://u:81/'}", ""},
		}},
	} {
		for _, tt := range group.problems {
			t.Run(group.name+"/"+tt.name, func(t *testing.T) {
				p, problems, above := newCase(group.before + strings.TrimSuffix(tt.part, "\n") + "\n" + group.files).plan(t)
				if problems.Empty() {
					for _, e := range p.Experiments {
						e.CheckEngine(problems)
						if group.name == "remarks" {
							e.AddWarnings(problems)
						}
					}
				}
				got := strings.Join(slice.Map(problems.Sorted(), inWords), "\n")
				got = strings.NewReplacer(above, "/above", home, "/home/user").Replace(got)
				if got != tt.want && (tt.want == "" || !strings.HasPrefix(got, tt.want+" (")) {
					t.Errorf("got\n%s\nwant\n%s", got, tt.want)
				}
			})
		}
	}
}
