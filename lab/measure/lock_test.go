package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/machines"
	"benchbook/runner/sysinfo"
)

// A run on this machine and one from elsewhere, to which this machine is a host, find each other by its engine.
func TestLockBesideRunsFromElsewhere(t *testing.T) {
	e, host := &labtest.Lockable{Engine: fake.New(fake.Script{}), ID: "this one"}, sysinfo.Host{ID: "c2-abcdef"}
	var said strings.Builder
	a := &lab.Session{Stderr: &said, Config: lab.Config{LockDir: t.TempDir(), LockEngines: true}}
	at := targets{"one": {engine: e}}
	fromElsewhere := func() (func(), error) {
		return engine.LockHosts(t.Context(), []engine.Host{{Name: "desk", Engine: e}}, "measuring from elsewhere", nil)
	}

	unlock, err := Lock(t.Context(), a, host, at, "measuring here")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = fromElsewhere(); !errors.As(err, new(*engine.BusyError)) || !strings.Contains(err.Error(), "measuring here") {
		t.Errorf("got %v, want that it is busy", err)
	}
	unlock()

	leave, err := fromElsewhere()
	if err != nil {
		t.Fatalf("it was not let go: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = Lock(ctx, a, host, at, "measuring here"); err == nil ||
		!strings.Contains(said.String(), "measuring from elsewhere") || !strings.Contains(said.String(), "waiting") {
		t.Errorf("got %v, and it said %q", err, &said)
	}
	unlock, err = Lock(t.Context(), a, host, nil, "collecting garbage")
	if err != nil {
		t.Fatalf("whoever was refused kept the machine: %v", err)
	}
	unlock()

	// A run whose machines were met has taken them for that, and does not wait for itself.
	at["two"] = &target{machines: map[string]*machines.Machine{}}
	unlock, err = Lock(t.Context(), a, host, at, "measuring here")
	if err != nil || !slices.Equal(e.Doing, []string{"measuring from elsewhere"}) {
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
		{"there is Docker", map[string]string{"engine.local": "true"}, nil, []string{"measuring here"}},
		{"there is none", nil, fmt.Errorf("%w: start Docker", engine.ErrUnavailable), nil},
		{"it is elsewhere", map[string]string{"engine.local": "false"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			beside := &labtest.Lockable{Engine: fake.New(fake.Script{Facts: tt.facts}), ID: "docker"}
			connect := func(context.Context) (engine.Engine, error) { return beside, tt.err }
			a := &lab.Session{Stderr: io.Discard, Config: lab.Config{LockDir: t.TempDir(), LockEngines: true,
				Engines: []lab.Engine{{Name: spec.Docker, Connect: connect}}}}
			at := targets{"one": {engine: fake.New(fake.Script{})}}
			unlock, err := Lock(t.Context(), a, sysinfo.Host{ID: "c2-abcdef"}, at, "measuring here")
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
