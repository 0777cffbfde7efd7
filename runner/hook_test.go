package runner

import (
	"context"
	"fmt"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

// Hooks without a service run where the command runs, with its variables and in its folder.
func TestHooksAtTheCommand(t *testing.T) {
	hooks := []spec.Hook{{Service: "db", Run: []string{"psql"}}, {Run: []string{"sync"}}, {Run: []string{"never"}}}
	for _, tt := range []struct {
		name, service, own string // of the command, and of its own container
		wrote, failure     string
		ran                []string
	}{
		{"in a service", "db", "", "psql\nsync\nnever\n", "the hook prepare failed: never in db ended with status 3: never",
			[]string{`psql in db, "" []`, `sync in db, "/w" ["BENCHBOOK_REPETITION=3" "A=b"]`,
				`never in db, "/w" ["BENCHBOOK_REPETITION=3" "A=b"]`}},
		{"in its own container", "", "command", "psql\nsync\nnever\n",
			"the hook prepare failed: never ended with status 3: never", []string{`psql in db, "" []`,
				`sync in command, "/w" ["BENCHBOOK_REPETITION=3" "A=b"]`,
				`never in command, "/w" ["BENCHBOOK_REPETITION=3" "A=b"]`}},
		{"a check, which does not start that", "", "", "psql\n", "", []string{`psql in db, "" []`}},
	} {
		var ran []string
		e := fake.New(fake.Script{Exec: func(_ context.Context, name string, c engine.Command) (engine.Exit, error) {
			ran = append(ran, fmt.Sprintf("%s in %s, %q %q", c.Args[0], name, c.WorkingDir, c.Environment))
			code := map[string]int{"never": 3}[c.Args[0]]
			return engine.Exit{Code: code, Stdout: []byte(c.Args[0] + "\n")}, nil
		}})
		space := must.Get(e.Open(t.Context(), "run"))
		start := func(name string) engine.Container {
			return must.Get(space.Start(t.Context(), engine.Service{Service: spec.Service{Name: name}}))
		}
		at := load.Place{Number: 3, Services: map[string]engine.Container{"db": start("db")}}
		if tt.own != "" {
			at.Load = start(tt.own)
		}
		trial := &plan.Trial{Command: &spec.Command{Service: tt.service, WorkingDir: "/w", Environment: []string{"A=b"}}}
		wrote, err := runHooks(t.Context(), "prepare", hooks, trial, at)
		if tt.failure == "" {
			must.Do(err)
		} else {
			assert.Error(t, err, tt.failure)
		}
		assert.Equal(t, wrote, tt.wrote, "%s: what they wrote", tt.name)
		assert.Slice(t, ran, tt.ran, "%s: what ran", tt.name)
	}
}
