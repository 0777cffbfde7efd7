package plan

import (
	"strings"
	"testing"
)

// Keys do not depend on values of secrets, and images do not contain their files.
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
