package fake_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
	"benchbook/runner/engine/enginetest/fake"
)

func TestEngine(t *testing.T) {
	// Programs run until they are cancelled, as those of the suite that can be run here do.
	script := fake.Script{Run: func(ctx context.Context, _ engine.Program) (engine.Exit, error) {
		<-ctx.Done()
		return engine.Exit{}, context.Cause(ctx)
	}}
	enginetest.Run(t, func(*testing.T) engine.Engine { return fake.New(script) },
		enginetest.Lacks(enginetest.Execution, spec.Hosts, spec.Builds, enginetest.Leftovers))
}

func TestScript(t *testing.T) {
	ctx := t.Context()
	e := fake.New(fake.Script{
		Start: func(_ context.Context, s engine.Service) error {
			if s.Name == "broken" {
				return &engine.NotReadyError{Service: "broken", Reason: errors.New("it ended with status 1")}
			}
			return nil
		},
		Run: func(context.Context, engine.Program) (engine.Exit, error) {
			return engine.Exit{Code: 3, Stdout: []byte("out")}, nil
		},
		Exec: func(_ context.Context, name string, c engine.Command) (engine.Exit, error) {
			return engine.Exit{Stdout: []byte(name + " " + c.Args[0])}, nil
		},
		Usage: func(_ string, n int) (engine.Usage, error) {
			return engine.Usage{CPU: time.Duration(n) * time.Second}, nil
		},
		Logs:      func(name string) []byte { return []byte("log of " + name) },
		Leftovers: []engine.Leftover{{Kind: "container", Name: "old", Run: "r0"}},
	})
	space, err := e.Open(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	db, err := space.Start(ctx, engine.Service{Service: spec.Service{Name: "db"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = space.Start(ctx, engine.Service{Service: spec.Service{Name: "broken"}})
	want := `service "broken" was not ready: it ended with status 1`
	if !errors.As(err, new(*engine.NotReadyError)) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	exit, err := space.Run(ctx, engine.Program{Name: "load"}, nil)
	if err != nil || exit.Code != 3 || string(exit.Stdout) != "out" {
		t.Errorf("Run = %+v, %v", exit, err)
	}
	exit, err = db.Exec(ctx, engine.Command{Args: []string{"psql"}})
	if err != nil || string(exit.Stdout) != "db psql" {
		t.Errorf("Exec = %+v, %v", exit, err)
	}
	for n := range 3 {
		if usage, err := db.Usage(ctx); err != nil || usage.CPU != time.Duration(n)*time.Second {
			t.Errorf("Usage = %+v, %v, want %d s", usage, err, n)
		}
	}
	if log, err := db.Logs(ctx); err != nil || string(log) != "log of db" {
		t.Errorf("Logs = %q, %v", log, err)
	}
	for range 2 {
		if err := space.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	calls := []string{"open r1", "start db", "start broken", "run load", "exec db", "close r1"}
	if got := e.Calls(); !reflect.DeepEqual(got, calls) {
		t.Errorf("calls were %q, want %q", got, calls)
	}
	for i, want := range []int{1, 1, 0} {
		if found, err := e.Sweep(ctx, i == 0); err != nil || len(found) != want {
			t.Errorf("sweep %d found %v, %v, want %d", i, found, err, want)
		}
	}
}
