package runner

import (
	"context"
	"os"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// private uses secrets everywhere they are allowed.
const private = "---\ntitle: x\n---\n" + `~~~yaml experiment
name: private
secrets: {password: {environment: OF_SECRET}, key: {environment: OF_KEY}}
services:
  shared: {image: x, environment: {A: "${{ secrets.password }}"}}
  server:
    image: x
    environment: {A: "a ${{ secrets.password }} b", B: "${{ secrets.key }}"}
    command: [serve, "--key=${{ secrets.password }}"]
    entrypoint: ["${{ secrets.password }}"]
    healthcheck: {test: [CMD, ask, "${{ secrets.password }}"]}
    secrets: [password, {source: key, target: /etc/key}]
  locked: {image: x, read_only: true, secrets: [password]}
shared: [shared]
prepare: {service: server, run: "prepare ${{ secrets.password }}"}
command: {service: server, run: [measured, "${{ secrets.password }}"], environment: {C: "${{ secrets.password }}"}, stdin: "${{ secrets.password }}"}
repetitions: 1
calibrate: false
~~~
`

// Values are filled in when a trial starts; neither its definition, its key nor its record contains them.
func TestSecretsArePutIn(t *testing.T) {
	t.Setenv("OF_SECRET", "planted")
	t.Setenv("OF_KEY", "first line of it\nthe second one\n")
	p := newPlan(t, strings.ReplaceAll(private, "~~~", "```"))
	e := p.Experiments[0]
	secrets, missing := ReadSecrets(e)
	if missing != nil {
		t.Fatal(missing)
	}
	trial := secrets.put(e.Trials[0])
	services := map[string]*spec.Service{}
	for _, s := range trial.Services {
		services[s.Name] = s
	}
	server, locked := services["server"], services["locked"]
	for _, is := range []struct{ what, got, want string }{
		{"environment", strings.Join(server.Environment, ","), "A=a planted b,B=first line of it\nthe second one"},
		{"command", strings.Join(server.Command, " "), "serve --key=planted"},
		{"entrypoint", strings.Join(server.Entrypoint, " "), "planted"},
		{"healthcheck", strings.Join(server.Ready.Command, " "), "ask planted"},
		{"file", server.Configs[0].Path + " " + string(server.Configs[0].Data), "/run/secrets/password planted"},
		{"file elsewhere", server.Configs[1].Path + " " + string(server.Configs[1].Data),
			"/etc/key first line of it\nthe second one\n"},
		{"volume", locked.Volumes[0].Target + " " + locked.Volumes[0].Files[0].Path, "/run/secrets password"},
		{"prepare", strings.Join(trial.Prepare[0].Run, " "), "prepare planted"},
		{"run", strings.Join(trial.Command.Run, " "), "measured planted"},
		{"its environment", strings.Join(trial.Command.Environment, " "), "C=planted"},
		{"stdin", trial.Command.Stdin, "planted"},
	} {
		assert.Equal(t, is.got, is.want, "%s", is.what)
	}
	if before := e.Trials[0]; strings.Contains(before.Services[0].Environment[0], "planted") || len(locked.Configs) > 0 ||
		strings.Contains(string(before.Definition), "planted") {
		t.Error("the trial of the plan has changed, or a read-only container gets a file copied")
	}

	s := script()
	s.Exec = func(_ context.Context, _ string, c engine.Command) (engine.Exit, error) {
		return engine.Exit{Code: 3, Stderr: []byte(strings.Join(c.Args, " ") + " \"the second one\" planted%21")}, nil
	}
	s.Logs = func(string) []byte { return []byte("first line of it, or planted\n") }
	store := &memory{}
	must.Get(newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store,
		Options{Secrets: map[*plan.Experiment]Secrets{e: secrets}}))
	if len(store.records) != 1 {
		t.Fatalf("%d records", len(store.records))
	}
	data := must.Get(store.records[0].Line())
	assert.Lacks(t, string(data), "planted", "first line", "second one")
	if r := store.records[0]; !strings.Contains(r.Failure, "[redacted]") || !strings.Contains(r.Log, "[redacted]") {
		t.Errorf("failure %q, log %q", r.Failure, r.Log)
	}
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	for _, test := range []struct{ name, value, why, wayOut string }{
		{"missing", "", "it is not set", "export OF_SECRET=…"},
		{"of white space", "   \n ", "it is empty", "export OF_SECRET=…"},
		{"short", "abc\n", "it has 3 bytes", "at least 4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("OF_KEY", "long enough")
			t.Setenv("OF_SECRET", test.value)
			if test.value == "" {
				os.Unsetenv("OF_SECRET")
			}
			_, missing := ReadSecrets(newPlan(t, strings.ReplaceAll(private, "~~~", "```")).Experiments[0])
			if len(missing) != 1 || missing[0].Name != "password" || missing[0].Why != test.why ||
				!strings.Contains(missing[0].WayOut, test.wayOut) {
				t.Errorf("got %v, want password: %s: %s", missing, test.why, test.wayOut)
			}
		})
	}
}
