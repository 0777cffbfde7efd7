package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/engine/fake"
	"benchbook/runner/engine/hosts"
)

// lockable is an engine that one run at a time can have.
type lockable struct {
	engine.Engine
	doing []string // by whoever has it
}

func (l *lockable) Identity() string { return "this one" }

func (l *lockable) Lock(_ context.Context, doing string, _ func(*engine.BusyError)) (func(), error) {
	if len(l.doing) > 0 {
		return nil, &engine.BusyError{Doing: l.doing[0]}
	}
	l.doing = append(l.doing, doing)
	return func() { l.doing = nil }, nil
}

// A run on this machine and one from elsewhere, to which this machine is a host, find each other by its engine.
func TestLockBesideRunsFromElsewhere(t *testing.T) {
	e, host := &lockable{Engine: fake.New(fake.Script{})}, runner.Host{ID: "c2-abcdef"}
	a := &app{stderr: io.Discard, wiring: wiring{lockDir: t.TempDir(), lockEngines: true}}
	at := venues{"one": {engine: e}}
	fromElsewhere := func() (func(), error) {
		return hosts.Lock(t.Context(), []hosts.Host{{Name: "desk", Engine: e}}, "measures from elsewhere", nil)
	}
	wantBusy := func(err error, with string) {
		t.Helper()
		if !errors.As(err, new(*engine.BusyError)) || !strings.Contains(err.Error(), with) {
			t.Errorf("got %v, want that it %s", err, with)
		}
	}

	unlock, err := a.lock(t.Context(), host, at, "measures here", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fromElsewhere()
	wantBusy(err, "measures here")
	unlock()

	leave, err := fromElsewhere()
	if err != nil {
		t.Fatalf("it was not let go: %v", err)
	}
	_, err = a.lock(t.Context(), host, at, "measures here", false)
	wantBusy(err, "measures from elsewhere")
	unlock, err = a.lock(t.Context(), host, nil, "collects garbage", false)
	if err != nil {
		t.Fatalf("whoever was refused kept the machine: %v", err)
	}
	unlock()

	// A run that has it among its hosts already does not wait for itself.
	several, err := hosts.New(hosts.Host{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	at["two"] = &venue{engine: several}
	unlock, err = a.lock(t.Context(), host, at, "measures here", false)
	if err != nil || !slices.Equal(e.doing, []string{"measures from elsewhere"}) {
		t.Fatalf("taken are %q, %v", e.doing, err)
	}
	unlock()
	leave()
}

// Everybody on a machine finds the same lock, whatever their own folder of temporary files is.
func TestLockFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(locksVariable, "")
	if w := wired(); w.lockDir != runner.LockFolder || !w.lockEngines {
		t.Errorf("locks are in %q, and of engines: %v", w.lockDir, w.lockEngines)
	}
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	if w := wired(); w.lockDir != own || w.lockEngines {
		t.Errorf("with a folder of one's own locks are in %q, and of engines: %v", w.lockDir, w.lockEngines)
	}
}
