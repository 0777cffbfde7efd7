package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/machines"
	"benchbook/runner/sysinfo"
	"benchbook/slowtest"
)

// Runs that wait for each other's machines take them in one order: the machine they are started on, and then engines by
// what they are, whichever article needs them. Else each of two could have what the other waits for.
func TestOrderOfLocks(t *testing.T) {
	slowtest.Skip(t)
	dir, _ := project(t, "here", "---\ntitle: Here\n---\n\n~~~yaml experiment\nname: x\n"+
		"services: {server: {origin: {body: 100B}}}\n"+
		"load: {target: \"http://server/\"}\n~~~\n")
	there := filepath.Join(dir, "experiments", "there")
	if err := errors.Join(os.Mkdir(there, 0o755),
		os.WriteFile(filepath.Join(dir, article.ProjectFile),
			[]byte("hosts: {far: {docker: \"ssh://far\", address: 10.0.0.3}}\n"), 0o644),
		os.WriteFile(filepath.Join(there, "article.md"),
			[]byte("---\ntitle: There\n---\n\n```yaml experiment\nname: x\nservices: {server: {origin: {body: 100B}}}\n"+
				"load: {target: \"http://server/\"}\nhosts: {server: far, load: far}\n```\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	this, err := sysinfo.ThisHost()
	if err != nil {
		t.Fatal(err)
	}
	w := scripted()
	w.LockDir, w.LockEngines = t.TempDir(), true
	var taken []string
	own, far := &labtest.Lockable{Engine: fake.New(fake.Script{}), ID: "a"}, &labtest.Lockable{ID: "b"}
	far.Engine = fake.New(fake.Script{Start: func(context.Context,
		engine.Service) error {
		return errors.New("all are taken")
	}})
	for _, l := range []*labtest.Lockable{own, far} {
		l.Asked = func() {
			taken = append(taken, l.ID)
			unlock, err := machines.Lock(t.Context(), this, w.LockDir, "looks", nil)
			if err == nil {
				unlock()
			}
			if !errors.As(err, new(*machines.BusyError)) {
				t.Errorf("%s is taken before this machine: %v", l.ID, err)
			}
		}
	}
	w.Engines[0].Connect = func(context.Context) (engine.Engine, error) { return own, nil }
	w.Endpoint = func(context.Context, docker.Options) (engine.Engine, error) { return far, nil }
	for _, tt := range []struct {
		name, own, far string
		articles       []string
		want           []string
	}{
		{"an article elsewhere", "a", "b", []string{"there"}, []string{"b"}},
		{"an article here", "a", "b", []string{"here"}, []string{"a"}},
		{"both, ours first", "a", "b", nil, []string{"a", "b"}},
		{"both, the other one first", "b", "a", nil, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own.ID, far.ID, taken = tt.own, tt.far, nil
			var stdout, stderr bytes.Buffer
			run(append([]string{"-C", dir, "check", "--services"}, tt.articles...), &stdout, &stderr, w) // whatever comes of it
			if !slices.Equal(taken, tt.want) {
				t.Errorf("taken were %q, want %q:\n%s", taken, tt.want, &stderr)
			}
			if len(own.Doing)+len(far.Doing) > 0 {
				t.Errorf("it was not let go by %q", slices.Concat(own.Doing, far.Doing))
			}
			unlock, err := machines.Lock(t.Context(), this, w.LockDir, "looks", nil)
			if err != nil {
				t.Fatalf("this machine was not let go: %v", err)
			}
			unlock()
		})
	}
}

// Everybody on a machine finds the same lock, whatever their own folder of temporary files is.
func TestLockFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(locksVariable, "")
	if w := wired(); w.LockDir != machines.LockFolder || !w.LockEngines {
		t.Errorf("locks are in %q, and of engines: %v", w.LockDir, w.LockEngines)
	}
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	if w := wired(); w.LockDir != own || w.LockEngines {
		t.Errorf("with a folder of one's own locks are in %q, and of engines: %v", w.LockDir, w.LockEngines)
	}
}
