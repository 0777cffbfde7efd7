package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/fake"
	"benchbook/runner/machines"
)

// A run on this machine and one from elsewhere, to which this machine is a host, find each other by its engine.
func TestLockBesideRunsFromElsewhere(t *testing.T) {
	e, host := &labtest.Lockable{Engine: fake.New(fake.Script{}), ID: "this one"}, machines.Host{ID: "c2-abcdef"}
	a := &session{stderr: io.Discard, wiring: wiring{lockDir: t.TempDir(), lockEngines: true}}
	at := targets{"one": {engine: e}}
	fromElsewhere := func() (func(), error) {
		return engine.LockHosts(t.Context(), []engine.Host{{Name: "desk", Engine: e}}, "measures from elsewhere", nil)
	}
	wantBusy := func(err error, with string) {
		t.Helper()
		if !errors.As(err, new(*engine.BusyError)) || !strings.Contains(err.Error(), with) {
			t.Errorf("got %v, want that it %s", err, with)
		}
	}

	unlock, err := lockMachines(t.Context(), a, host, at, "measures here", false)
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
	_, err = lockMachines(t.Context(), a, host, at, "measures here", false)
	wantBusy(err, "measures from elsewhere")
	unlock, err = lockMachines(t.Context(), a, host, nil, "collects garbage", false)
	if err != nil {
		t.Fatalf("whoever was refused kept the machine: %v", err)
	}
	unlock()

	// A run whose machines were met has taken them for that, and does not wait for itself.
	at["two"] = &target{machines: map[string]*machines.Machine{}}
	unlock, err = lockMachines(t.Context(), a, host, at, "measures here", false)
	if err != nil || !slices.Equal(e.Doing, []string{"measures from elsewhere"}) {
		t.Fatalf("taken are %q, %v", e.Doing, err)
	}
	unlock()
	leave()
}

// A run without containers is found by those that come to this machine by its Docker engine, where there is one.
func TestLockWithoutContainers(t *testing.T) {
	tests := []struct {
		name  string
		facts map[string]string
		err   error
		want  []string // of whoever has the Docker engine
	}{
		{"there is Docker", map[string]string{"engine.local": "true"}, nil, []string{"measures here"}},
		{"there is none", nil, fmt.Errorf("%w: start Docker", engine.ErrUnavailable), nil},
		{"it is elsewhere", map[string]string{"engine.local": "false"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			beside := &labtest.Lockable{Engine: fake.New(fake.Script{Facts: tt.facts}), ID: "docker"}
			connect := func(context.Context) (engine.Engine, error) { return beside, tt.err }
			a := &session{stderr: io.Discard, wiring: wiring{lockDir: t.TempDir(), lockEngines: true, engines: []wiredEngine{{article.Docker, connect}}}}
			at := targets{"one": {engine: fake.New(fake.Script{})}}
			unlock, err := lockMachines(t.Context(), a, machines.Host{ID: "c2-abcdef"}, at, "measures here", false)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(beside.Doing, tt.want) {
				t.Errorf("the Docker engine is taken by %q, want %q", beside.Doing, tt.want)
			}
			unlock()
			if len(beside.Doing) > 0 {
				t.Errorf("it was not let go by %q", beside.Doing)
			}
		})
	}
}

// Runs that wait for each other's machines take them in one order: the machine they are started on, and then engines by what they are,
// whichever article needs them. Else each of two could have what the other waits for.
func TestOrderOfLocks(t *testing.T) {
	dir, _ := project(t, "here", "---\ntitle: Here\n---\n\n~~~yaml experiment\nname: x\nservices: {server: {origin: {body: 100B}}}\n"+
		"load: {target: \"http://server/\"}\n~~~\n")
	there := filepath.Join(dir, "experiments", "there")
	if err := errors.Join(os.Mkdir(there, 0o755),
		os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte("hosts: {far: {docker: \"ssh://far\", address: 10.0.0.3}}\n"), 0o644),
		os.WriteFile(filepath.Join(there, "article.md"), []byte("---\ntitle: There\n---\n\n```yaml experiment\nname: x\nservices: {server: {origin: {body: 100B}}}\n"+
			"load: {target: \"http://server/\"}\nhosts: {server: far, load: far}\n```\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	this, err := machines.ThisHost()
	if err != nil {
		t.Fatal(err)
	}
	w := scripted()
	w.lockDir, w.lockEngines = t.TempDir(), true
	var taken []string
	own, far := &labtest.Lockable{Engine: fake.New(fake.Script{}), ID: "a"}, &labtest.Lockable{ID: "b"}
	far.Engine = fake.New(fake.Script{Start: func(context.Context, engine.Service) error { return errors.New("all are taken") }})
	for _, l := range []*labtest.Lockable{own, far} {
		l.Asked = func() {
			taken = append(taken, l.ID)
			unlock, err := this.Lock(t.Context(), w.lockDir, "looks", nil)
			if err == nil {
				unlock()
			}
			if !errors.As(err, new(*machines.BusyError)) {
				t.Errorf("%s is taken before this machine: %v", l.ID, err)
			}
		}
	}
	w.engines[0].connect = func(context.Context) (engine.Engine, error) { return own, nil }
	w.endpoint = func(context.Context, docker.Options) (engine.Engine, error) { return far, nil }
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
			run(append([]string{"-C", dir, "verify"}, tt.articles...), &stdout, &stderr, w) // whatever comes of it
			if !slices.Equal(taken, tt.want) {
				t.Errorf("taken were %q, want %q:\n%s", taken, tt.want, &stderr)
			}
			if len(own.Doing)+len(far.Doing) > 0 {
				t.Errorf("it was not let go by %q", slices.Concat(own.Doing, far.Doing))
			}
			unlock, err := this.Lock(t.Context(), w.lockDir, "looks", nil)
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
	if w := wired(); w.lockDir != machines.LockFolder || !w.lockEngines {
		t.Errorf("locks are in %q, and of engines: %v", w.lockDir, w.lockEngines)
	}
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	if w := wired(); w.lockDir != own || w.lockEngines {
		t.Errorf("with a folder of one's own locks are in %q, and of engines: %v", w.lockDir, w.lockEngines)
	}
}
