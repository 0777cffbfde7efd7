package plan

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

const localProject = "engine: local\n"

// Without an image a service is a program of the machine, where the engine can run one.
func TestMachine(t *testing.T) {
	const here = "services: {s: {command: python3 -m http.server, expose: ['8000']}}\nload: {target: http://s:8000/}\n"
	tests := []struct{ name, project, body, problem string }{
		{"a service", localProject, here, ""},
		{"a service with an entrypoint", localProject, strings.Replace(here, "command", "entrypoint", 1), ""},
		{"a command", localProject, "command: {run: gzip -9 /etc/services}\n", ""},
		{"no program", localProject, "services: {s: {expose: ['80']}}\nload: {target: http://s/}\n", "missing-key"},
		{"a service in a container", "", here, "image-or-build"},
		{"a command in a container", "engine: docker\n", "command: {run: 'true'}\n", "image-or-build"},
		{"both", localProject, strings.Replace(here, "{command", "{image: x, build: ., command", 1), "image-or-build"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := newPlan(t, text(block("name: e\n"+test.body)), Options{},
				map[string]string{"benchbook.yaml": test.project})
			var rules []string
			for _, problem := range problems {
				rules = append(rules, problem.Rule)
			}
			if test.problem != "" {
				if !slices.Contains(rules, test.problem) {
					t.Errorf("problems %q, want %s", rules, test.problem)
				}
				return
			}
			if len(rules) > 0 {
				t.Fatalf("problems %v", problems)
			}
			trial := p.Experiments[0].Trials[0]
			if trial.Command != nil && !trial.Command.Image.Machine || trial.Command == nil && !trial.Services[0].Image.Machine {
				t.Errorf("it is no program of the machine: %s", trial.Definition)
			}
		})
	}
}

// Trials of different engines are different trials, and those of docker are what they were before there was another
// one.
func TestEngineIsAnInput(t *testing.T) {
	const body = "name: e\nservices: {s: {origin: {}}}\nload: {target: http://s/}\n"
	keys := map[string]string{}
	for name, project := range map[string]string{"nothing": "title: x\n", "docker": "engine: docker\n",
		"local": localProject} {
		trial := mustPlan(t, text(block(body)), Options{}, map[string]string{"benchbook.yaml": project}).Trials[0]
		keys[name] = trial.Key
		has := false
		for _, in := range trial.Inputs {
			has = has || in.Name == "engine" && in.Digest == "local"
		}
		if has != (name == "local") {
			t.Errorf("%s: inputs are %v", name, trial.Inputs)
		}
	}
	if keys["nothing"] != keys["docker"] || keys["nothing"] == keys["local"] {
		t.Errorf("keys are %v, want that of local to differ alone", keys)
	}
}

func TestCheckEngine(t *testing.T) {
	service := func(keys string) string {
		return "services: {s: {command: x, " + keys + "}}\nload: {target: http://s/}\n"
	}
	tests := []struct{ name, body, want string }{
		{"nothing", service("cpuset: '0', stop_signal: SIGINT"), ""},
		{"limits", service("cpus: 0.5, mem_limit: 64m, cap_drop: [ALL], sysctls: {net.core.somaxconn: 9}, init: true, " +
			"security_opt: ['no-new-privileges:true'], read_only: true, tmpfs: [/x], ulimits: {nofile: 9}"),
			`service "s" has cap_drop, cpus, init, mem_limit, read_only, security_opt, sysctls, tmpfs, ulimits, and the engine ` +
				"local has no containers"},
		{"an origin", "services: {s: {origin: {}}}\nload: {target: http://s/}\n", ""},
		{"an origin behind a link", "services: {s: {origin: {}, link: {rtt: 1ms}}}\nload: {target: http://s/}\n",
			`service "s" has link`},
		{"an image", "services: {s: {image: 'nginx:1.27'}}\nload: {target: http://s/}\n",
			`service "s" has the image nginx:1.27`},
		{"a build", "services: {s: {build: .}}\nload: {target: http://s/}\n", `service "s" is built from a Dockerfile`},
		{"an image in one cell",
			"matrix: {i: [a, b]}\nservices: {s: {image: '${{ matrix.i }}'}}\nload: {target: http://s/}\n", "has the image b"},
		{"a command with an image", "command: {image: x, run: x}\n", "the command has an image"},
		{"a command in a service", "services: {s: {command: x}}\ncommand: {service: s, run: x}\n", ""},
		{"a tool", "services: {s: {command: x}}\nload: {target: http://s/, tool: ab}\n", "the load by ab"},
		{"copies", service("scale: 2"), `service "s" is scaled`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, engine := range []string{"local", "docker"} {
				project := "allow: [cap_add, security_opt, sysctls]\nengine: " + engine + "\n"
				files := map[string]string{"benchbook.yaml": project, "Dockerfile": "FROM debian\n"}
				p, _ := newPlan(t, text(block("name: e\n"+test.body)), Options{}, files)
				if engine == "docker" && len(p.Experiments[0].Trials) == 0 {
					continue // it lacks an image there
				}
				var problems source.Problems
				p.Experiments[0].CheckEngine(&problems)
				var said []string
				for _, problem := range problems.Sorted() {
					said = append(said, problem.Message)
					if problem.Rule != "needs-container" || problem.Hint == "" || problem.Pos.Source == nil {
						t.Errorf("%+v lacks its rule, place or way out", problem)
					}
				}
				got := strings.Join(said, "\n")
				if want := test.want; engine == "docker" || want == "" {
					if got != "" {
						t.Errorf("with %s: got %q, want nothing", engine, got)
					}
				} else if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}
