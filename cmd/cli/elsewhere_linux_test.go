package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/internal/test/must"
)

// sshTo returns the address of an engine behind an ssh that forwards its socket on this machine.
func sshTo(t *testing.T, socket string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ssh")
	put(t, program, "#!/bin/sh\nfor word; do case $word in *sock:*) forward=$word;; esac; done\n"+
		"ln -s \"${forward##*:}\" \"${forward%%:*}\"\necho ready\nexec sleep 1h\n")
	must.Do(os.Chmod(program, 0o755))
	t.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return "ssh://elsewhere" + socket
}

// What an engine behind ssh measures is recorded as of its machine, with the usage of services and of others there.
func TestEngineElsewhere(t *testing.T) {
	program := installed(t)
	d := ownEngine(t, "base=10.213.80.0/20,size=26")
	d.start(t)
	c := engineClient(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(client.EnvOverrideHost, sshTo(t, d.path("sock")))
	dir, folder := project(t, "mortal", strings.NewReplacer("200ms", "1s", "repetitions: 2", "repetitions: 1").Replace(mortal(1)))
	saved := &archive{folder: filepath.Join(folder, "records")}
	l := begin(t, program, t.TempDir(), "-C", dir, "run")
	if status := l.end(t); !wasMeasured(status, l.stderr.String()) {
		t.Fatalf("status %d:\n%s", status, &l.stderr)
	}
	wantSaid(t, l.stderr.String(), "host ssh://elsewhere"+d.path("sock")+": c")
	records := saved.look(t)
	wantNoFailures(t, records)
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	r := records[0]
	for _, fact := range []string{"host.cpu", "host.memory", "engine.clock.ahead", "placement.load"} {
		if r.Facts[fact] == "" {
			t.Errorf("the record has no fact %s", fact)
		}
	}
	if r.Facts["engine.local"] != "false" {
		t.Errorf("the engine is said to be local: %v", r.Facts)
	}
	for _, metric := range []string{"cpu.server", "memory.server", "cpu.store"} {
		if s, ok := r.Sample(metric); !ok || s.Value <= 0 {
			t.Errorf("%s is %v", metric, s)
		}
	}
	if r.Load.ForeignCPU < 0 || r.Machine == nil || r.Machine.Steal < 0 || r.Before != nil && r.Before.Foreign < 0 {
		t.Errorf("what the machine did is not known: load %+v, machine %+v, before %+v", r.Load, r.Machine, r.Before)
	}
	if left := leftBy(t, c, l.owner); len(left) > 0 {
		t.Errorf("in the end there are still %v", left)
	}
	again := begin(t, program, t.TempDir(), "-C", dir, "run")
	if status := again.end(t); !wasMeasured(status, again.stderr.String()) {
		t.Errorf("again: status %d", status)
	}
	wantSaid(t, again.stderr.String(), "everything is measured")
	t.Setenv("PATH", "") // records are shown without the engine
	wantSaid(t, mustRun(t, onEngineWiring(), "-C", dir, "show", "mortal"), r.Host)
}
