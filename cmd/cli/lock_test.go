package cli

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/lab/labtest"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/machines"
	"benchbook/runner/sysinfo"
)

// A run takes this machine before its engine: in another order, two runs could each wait for what the other has.
func TestOrderOfLocks(t *testing.T) {
	slowtest.Skip(t)
	dir, _ := project(t, "here", "---\ntitle: Here\n---\n\n~~~yaml experiment\nname: x\n"+
		"services: {server: {origin: {body: 100B}}}\n"+
		"load: {target: \"http://server/\"}\n~~~\n")
	this, err := sysinfo.ThisHost()
	if err != nil {
		t.Fatal(err)
	}
	w := scripted()
	w.LockDir, w.LockEngines = t.TempDir(), true
	asked := 0
	own := &labtest.Lockable{Engine: fake.New(fake.Script{}), ID: "a"}
	own.Asked = func() {
		asked++
		unlock, err := machines.Lock(t.Context(), this, w.LockDir, "looks", nil)
		if err == nil {
			unlock()
		}
		if !errors.As(err, new(*machines.BusyError)) {
			t.Errorf("the engine is taken before this machine: %v", err)
		}
	}
	w.Engines[0].Connect = func(context.Context) (engine.Engine, error) { return own, nil }
	var stdout, stderr bytes.Buffer
	run([]string{"-C", dir, "check", "--services"}, &stdout, &stderr, w) // whatever comes of it
	if asked != 1 || len(own.Doing) > 0 {
		t.Errorf("the engine was taken %d times, and is held for %q:\n%s", asked, own.Doing, &stderr)
	}
	unlock, err := machines.Lock(t.Context(), this, w.LockDir, "looks", nil)
	if err != nil {
		t.Fatalf("this machine was not let go: %v", err)
	}
	unlock()
}

// Everybody on a machine finds the same lock, whatever their own folder of temporary files is.
func TestLockFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(locksVariable, "")
	if w := wired(nil); w.LockDir != machines.LockFolder || !w.LockEngines {
		t.Errorf("locks are in %q, and of engines: %v", w.LockDir, w.LockEngines)
	}
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	if w := wired(nil); w.LockDir != own || w.LockEngines {
		t.Errorf("with a folder of one's own locks are in %q, and of engines: %v", w.LockDir, w.LockEngines)
	}
}
