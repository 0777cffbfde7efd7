package plan_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// The key of a trial changes if and only if what is measured changes.
func TestKeysFollowInputs(t *testing.T) {
	const (
		servers = "name: e\nservices: {server: {build: ., expose: ['8080'], configs: [" +
			"{source: '${{ matrix.server }}.py', target: /srv/server.py}]}}\nmatrix: {server: [sync, async]}\n" +
			"load: {target: 'http://server:${{ services.server.port }}/', requests: 100}\n" +
			"-- Dockerfile --\nFROM debian\n-- sync.py --\nprint('sync')\n-- async.py --\nprint('async')\n"
		driver = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, driver: {build: ., command: [run]}}\n" +
			"-- load.py --\na\n-- Dockerfile --\nFROM y\nCOPY load.py /\n"
		script = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: a.js}\n" +
			"-- a.js --\n1\n-- b.js --\n1\n"
		compose = "name: e\ncompose: ../../docker-compose.yml\nservices: {web: {cpuset: \"0\"}}\n" +
			"load: {target: \"http://web/\"}\n-- Dockerfile --\nFROM scratch\n-- article.md --\nthis one is read from memory\n" +
			"-- ../../Dockerfile --\nFROM scratch\nCOPY . /\n-- ../../app.conf --\nx\n-- ../../data/file --\nx\n" +
			"-- ../../records/kept --\nx\n-- ../../web.env --\nA=1\n-- ../../docker-compose.yml --\nservices:\n  web:\n" +
			"    build: .\n    ports: ['80']\n    env_file: web.env\n    configs: [c]\n    volumes: ['./data:/data']\n" +
			"    image: web:${TAG:-1}\n    environment: {TAG: \"${TAG:-1}\"}\nconfigs: {c: {file: ./app.conf}}\n"
		rows  = "name: e\ncalibrate: false\ncommand: {image: x, run: 'echo ${{ matrix.f.port }}'}\nmatrix: {f: "
		plain = "name: e\ncommand: {image: x, run: y"
	)
	with := func(text, old, new string) string { return strings.Replace(text, old, new, 1) }
	for _, tt := range []struct{ name, before, change, want string }{ // want has the trials with other keys
		{"files instead of listings", "---\ntitle: x\n---\n\nSome prose.\n\n```dockerfile file=Dockerfile\nFROM debian\n" +
			"```\n\n```python file=sync.py\nprint('sync')\n```\n\n```python file=async.py\nprint('async')\n```\n\n" +
			"```yaml experiment\n" + servers[:strings.Index(servers, "-- Dockerfile")] + "```\n", servers, ""},
		{"the layout of the YAML", servers, "name: e\nload:\n  requests: 100\n  target: http://server:8080/\nservices:\n" +
			"  server:\n    expose: ['8080']\n    build: .\n    configs: [{source: '${{ matrix.server }}.py', target: " +
			"/srv/server.py}]\nmatrix:\n  server: [sync, async]\n", ""},
		{"repetitions", servers, with(servers, "matrix:", "repetitions: 9\nmatrix:"), ""},
		{"the script of one server", servers, "-- async.py --\nprint('other')", "async"},
		{"the Dockerfile", servers, "-- Dockerfile --\nFROM debian:trixie-slim", "sync async"},
		{"the load", servers, with(servers, "requests: 100", "requests: 101"), "sync async"},
		{"a file in the build context", servers, "-- extra.txt --\nx", "sync async"},
		{".dockerignore", servers, "-- .dockerignore --\n*.log", "sync async"},
		{"a file that .dockerignore names", servers + "-- .dockerignore --\n*.log", "-- a.log --\nx", ""},
		{"records", servers, "-- records/h/full/x.json --\n{}", ""},

		{"the CPUs of loads for a command", plain + "}", plain + ", cpuset: load}", ""},
		{"CPUs of a command", plain + "}", plain + ", cpuset: '0'}", "e"},
		{"the program of a driver", driver, "-- load.py --\nb", "e"},
		{"an argument of a driver", driver, with(driver, "[run]", "[run, fast]"), "e"},
		{"a variable of a driver", driver, with(driver, "[run]", "[run], environment: {A: b}"), "e"},
		{"a config of a driver", driver, with(driver, "[run]", "[run], configs: [{source: load.py, target: /x}]"), "e"},
		{"the image of a driver", driver, with(driver, "build: .", "image: z"), "e"},
		{"the output of a driver", driver, with(driver, "[run]", "[run], prints: summary"), "e"},
		{"the usual output of a driver", driver, with(driver, "[run]", "[run], prints: requests"), ""},
		{"the name of a script", script, with(script, "a.js}", "b.js}"), ""},
		{"the text of a script", script, "-- a.js --\n2", "e"},
		{"no script", script, with(script, ", script: a.js", ""), "e"},
		{"the usual engine", driver, "-- ../../benchbook.yaml --\nengine: docker", ""},
		{"another engine", plain + "}", "-- ../../benchbook.yaml --\nengine: local", "e"},
		{"a row of a file", rows + "{rows: f.csv}}\n-- f.csv --\nname,port\na,1\nb,2", "-- f.csv --\nname,port\na,1\nb,3", "b"},
		{"a file of an axis", rows + "{files: \"f/*.yaml\"}}\n-- f/a.yaml --\nport: 1\n-- f/b.yaml --\nport: 2",
			"-- f/b.yaml --\nport: 3", "b"},

		{"a comment in a Compose file in a build context", compose, with(compose, "services:\n  web:", "# a comment\nservices:\n  web:"), "e"},
		{"the Dockerfile of a Compose file", compose, "-- ../../Dockerfile --\nFROM scratch", "e"},
		{"variables of a file", compose, "-- ../../web.env --\nA=2", "e"},
		{"a config of a Compose file", compose, "-- ../../app.conf --\ny", "e"},
		{"a mounted folder", compose, "-- ../../data/file --\ny", "e"},
		{"records of others in a build context", compose, "-- ../../records/kept --\ny", "e"},
		{"variables for a Compose file", compose, "-- ../../.env --\nTAG=2", "e"},
		{"records of the article", compose, "-- records/1.json --\n{}", ""},
		{"the article as a file", compose, "-- article.md --\nother words", ""},
		{"the site", compose, "-- ../../_site/index.html --\n<p>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keys := func(c *planCase) (names []string, keys map[string]string) {
				p, problems, _ := c.plan(t)
				assert.None(t, problems.Sorted())
				keys = map[string]string{}
				for _, trial := range p.Experiments[0].Trials {
					if !trial.Calibration {
						names, keys[trial.Name] = append(names, trial.Name), trial.Key
					}
				}
				return names, keys
			}
			c := newCase(tt.before)
			names, before := keys(c)
			c.change(tt.change)
			_, after := keys(c)
			var changed []string
			for _, name := range names {
				if after[name] != before[name] {
					changed = append(changed, name)
				}
			}
			assert.Equal(t, strings.Join(changed, " "), tt.want)
		})
	}
}
