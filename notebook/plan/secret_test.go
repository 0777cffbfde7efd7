package plan

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// Secrets are where their values are put, and nowhere else.
func TestSecrets(t *testing.T) {
	const secrets = "name: e\nsecrets: {p: {environment: P}}\n"
	load := "load: {target: http://s/}\n"
	for _, test := range []struct{ name, body, rule, says string }{
		{"in a service", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.p }}\"}, secrets: [p]}}\n" + load,
			"", ""},
		{"in a load", secrets + "services: {s: {image: x}}\nload: {target: [{url: http://s/, body: \"${{ secrets.p }}\"}], " +
			"headers: {A: \"Bearer ${{ secrets.p }}\"}}\n", "", ""},
		{"through the matrix", secrets + "matrix: {a: [{name: one, v: \"${{ secrets.p }}\"}]}\n" +
			"services: {s: {image: x, environment: {A: \"${{ matrix.a.v }}\"}}}\n" + load, "", ""},
		{"through the matrix to a wrong place", secrets + "matrix: {a: [{name: one, v: \"${{ secrets.p }}\"}]}\n" +
			"services: {s: {image: \"${{ matrix.a.v }}\"}}\n" + load, "misplaced-secret", "services.s.image"},
		{"in an image", secrets + "services: {s: {image: \"x:${{ secrets.p }}\"}}\n" + load, "misplaced-secret",
			"the value of a secret cannot be used in services.s.image"},
		{"in a URL", secrets + "services: {s: {image: x}}\nload: {target: \"http://s/${{ secrets.p }}\"}\n",
			"misplaced-secret", "load.target"},
		{"compared", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.p == \\\"a\\\" }}\"}}}\n" + load,
			"misplaced-secret", "put in as it is"},
		{"unknown", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\n" + load, "bad-expression",
			`no secret "q" in this experiment`},
		{"there are none", "name: e\nservices: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\n" + load,
			"bad-expression", `no secret "q" in this experiment`},
		{"unknown in a service", secrets + "services: {s: {image: x, secrets: [q]}}\n" + load, "unknown-secret", `"q"`},
		{"of nothing", "name: e\nsecrets: {p: {}}\nservices: {s: {image: x}}\n" + load, "missing-key", "neither"},
		{"of both", "name: e\nsecrets: {p: {file: a, environment: B}}\nservices: {s: {image: x}}\n" + load,
			"contradiction", "both"},
		{"outside", "name: e\nsecrets: {p: {file: ../../../x}}\nservices: {s: {image: x}}\n" + load, "not-allowed",
			"../../../x"},
		{"in a read-only container", secrets + "services: {s: {image: x, read_only: true, secrets: [{source: p, " +
			"target: /etc/p}]}}\n" + load, "contradiction", "/etc/p"},
		{"in a search", secrets + "services: {s: {image: x}}\ntune: {a: {from: \"${{ secrets.p }}\"}}\n" + load,
			"misplaced-secret", "tune.a.from"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block(test.body)), Options{}, nil)
			if test.rule == "" {
				for _, p := range problems {
					t.Error(p)
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p *source.Problem) bool {
				return p.Rule == test.rule && strings.Contains(p.Message, test.says)
			}) {
				t.Errorf("got %v, want %s: %s", problems, test.rule, test.says)
			}
		})
	}
}

// The value of a secret is no part of a key, and its file no part of an image.
func TestSecretsAreNoInputs(t *testing.T) {
	keyWith := func(value string) string {
		t.Setenv("P", value)
		p, problems := newPlan(t, text(block("name: e\nsecrets: {p: {environment: P}, q: {file: ./sub/../q.txt}}\n"+
			"services: {s: {build: ., environment: {A: \"${{ secrets.p }}\"}, secrets: [q]}}\nload: {target: http://s/}\n")),
			Options{}, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "q.txt": value, "app.py": "x"})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		trial := p.Experiments[0].Trials[0]
		for _, f := range trial.Services[0].Image.Build.Files {
			if f.Path == "q.txt" {
				t.Error("the file of a secret is in the build context")
			}
		}
		return trial.Key
	}
	if one, other := keyWith("one value"), keyWith("another value"); one != other {
		t.Errorf("the keys are %s and %s", one, other)
	}
}

// A password that is written in an article is a problem, unless it protects nothing or comes from elsewhere.
func TestWrittenSecrets(t *testing.T) {
	t.Setenv("DB_PASSWORD", "hunter22")
	const of = "services: {s: {image: x, expose: [\"80\"], environment: %s}}\nload: {target: http://s/}\n"
	in := func(environment string) string { return "name: e\n" + strings.ReplaceAll(of, "%s", environment) }
	files := map[string]string{
		"compose.yaml": "services: {s: {image: x, expose: [\"80\"], environment: [DB_PASSWORD]}}\n",
		"literal.yaml": "services: {s: {image: x, expose: [\"80\"], environment: {DB_PASSWORD: hunter23}}}\n",
		"named.yaml":   "services: {s: {image: x, expose: [\"80\"], env_file: private.env}}\n",
		"private.env":  "API_TOKEN=hunter24\n",
	}
	for _, test := range []struct {
		name, body string
		want       bool
	}{
		{"a password", in("{DB_PASSWORD: hunter22x}"), true},
		{"in a list", in("[PGPASSWORD=hunter22x]"), true},
		{"a token", in("{GITHUB_TOKEN: ghp_0123}"), true},
		{"an API key", in("{apiKey: abc0}"), true},
		{"a word", in("{POSTGRES_PASSWORD: postgres}"), false},
		{"empty", in("{MYSQL_ALLOW_EMPTY_PASSWORD: \"\", PASSWORD: }"), false},
		{"too short", in("{PASSWORD: p1}"), false},
		{"another name", in("{PASSWORD_FILE: /run/secrets/p, MAX_TOKENS: \"1000\", PWD: /srv/1, MODE: hunter22x}"), false},
		{"of a secret", "secrets: {p: {environment: P}}\n" + in("{DB_PASSWORD: \"${{ secrets.p }}\"}"), false},
		{"for an image", "name: e\nservices: {s: {build: {dockerfile_inline: FROM x, args: {NPM_TOKEN: abc0}}, expose: [\"80\"]}}\n" +
			"load: {target: http://s/}\n", true},
		{"of a command", "name: e\ncommand: {image: x, run: [y], environment: {SECRET: hunter22x}}\n", true},
		{"from a file", "name: e\nservices: {s: {image: x, expose: [\"80\"], env_file: private.env}}\nload: {target: http://s/}\n",
			false},
		{"from the environment", "name: e\ncompose: {files: compose.yaml, environment: [DB_PASSWORD]}\nload: {target: http://s/}\n", false},
		{"in a Compose file", "name: e\ncompose: literal.yaml\nload: {target: http://s/}\n", true},
		{"from a file that a Compose file names", "name: e\ncompose: named.yaml\nload: {target: http://s/}\n", false},
	} {
		_, problems := newPlan(t, text(block(test.body)), Options{}, files)
		got := slices.ContainsFunc(problems, func(p *source.Problem) bool { return p.Rule == "written-secret" })
		if got != test.want || !got && len(problems) > 0 {
			t.Errorf("%s: got %v, want a problem: %v", test.name, problems, test.want)
		}
	}
}

// Values from the environment are in keys, and in nothing that is shown.
func TestPrivateValues(t *testing.T) {
	files := map[string]string{
		"private.env": "API_TOKEN=hunter24\nMODE=hasty\n",
		".env":        "DSN_PASSWORD=hunter25\nTAG=bookworm\nBROKEN=1\n",
		"compose.yaml": `services:
  api:
    image: "x:${TAG}"
    env_file: private.env
    environment: {SETTINGS: "host=db pw ${DB_PASSWORD} ${DSN_PASSWORD}", USED: "${SHORT} ${SERVICE}"}
    command: [serve, "--key=${DB_PASSWORD}"]
    build: {dockerfile_inline: FROM x, args: {KEY: "${DB_PASSWORD}"}}
    expose: ["${PORT}"]
`,
	}
	body := "name: e\ncompose: {files: compose.yaml, environment: [DB_PASSWORD, SHORT, SERVICE, PORT]}\nload: {target: http://api:8080/}\n"
	var keys []string
	for _, value := range []string{"hunter22", "hunter23"} {
		for name, of := range map[string]string{"DB_PASSWORD": value, "SHORT": "abc", "SERVICE": "api", "PORT": "8080"} {
			t.Setenv(name, of)
		}
		p, problems := newPlan(t, text(block(body)), Options{}, files)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		trial := p.Experiments[0].Trials[0]
		if env := strings.Join(trial.Services[0].Environment, ","); !strings.Contains(env, value) {
			t.Errorf("the service gets %s", env)
		}
		shown := string(trial.Definition)
		for _, private := range []string{value, "hunter24", "hunter25"} {
			if strings.Contains(shown, private) {
				t.Errorf("the definition has %s: %s", private, shown)
			}
		}
		for _, public := range []string{`"name":"api"`, "abc api", "MODE=hasty", "--key=[redacted]",
			"host=db pw [redacted] [redacted]", `"expose":[8080]`} {
			if !strings.Contains(shown, public) {
				t.Errorf("the definition lacks %s: %s", public, shown)
			}
		}
		if trial.Inputs[0].Digest != Digest(trial.Definition) {
			t.Error("the digest is not that of the definition which is shown")
		}
		keys = append(keys, trial.Key)
	}
	if keys[0] == keys[1] {
		t.Error("trials with other values have the same key")
	}

	files["compose.yaml"] = "services: {s: {image: x, mem_limit: \"${DB_PASSWORD}\", expose: [\"80\"]}}\n"
	_, problems := newPlan(t, text(block("name: e\ncompose: {files: compose.yaml, environment: [DB_PASSWORD]}\nload: {target: http://s/}\n")), Options{}, files)
	if len(problems) == 0 {
		t.Error("no problem with a limit that is no size")
	}
	for _, problem := range problems {
		if strings.Contains(problem.String(), "hunter23") {
			t.Error(problem)
		}
	}
}
