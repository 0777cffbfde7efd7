package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// sshTo returns variables that name an engine behind an ssh, which forwards its socket on this machine.
func sshTo(t *testing.T, socket string) (environment []string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ssh")
	must.Write(program, "#!/bin/sh\nfor word; do case $word in *sock:*) forward=$word;; esac; done\n"+
		"ln -s \"${forward##*:}\" \"${forward%%:*}\"\necho ready\nexec sleep 1h\n")
	must.Do(os.Chmod(program, 0o755))
	return []string{"PATH=" + filepath.Dir(program) + string(filepath.ListSeparator) + os.Getenv("PATH"),
		client.EnvOverrideHost + "=ssh://elsewhere" + socket}
}

// What an engine behind ssh measures is recorded as of its machine, with the usage of services and of others there.
func TestEngineElsewhere(t *testing.T) {
	t.Parallel()
	program := installed(t)
	d := ownEngine(t, "base=10.213.80.0/20,size=26")
	d.start(t)
	c := d.client(t)
	dir, folder := project(t, "mortal", strings.NewReplacer("200ms", "1s", "repetitions: 2", "repetitions: 1").Replace(mortal(1)))
	saved := &archive{folder: filepath.Join(folder, "records")}
	environment := append(sshTo(t, d.path("sock")), "XDG_CACHE_HOME="+t.TempDir())
	elsewhere := func(words ...string) *life {
		l := newLife(program, t.TempDir(), append([]string{"-C", dir}, words...)...)
		l.cmd.Env = append(l.cmd.Env, environment...)
		return l
	}
	l := elsewhere("run")
	must.Do(l.start())
	if status := l.end(t); !wasMeasured(status, l.stderr.String()) {
		t.Fatalf("status %d:\n%s", status, &l.stderr)
	}
	assert.Contains(t, l.stderr.String(), "host ssh://elsewhere"+d.path("sock")+": c")
	records := saved.look(t)
	wantNoFailures(t, records)
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	r := records[0]
	for _, fact := range []string{"host.cpu", "host.memory", "engine.clock.ahead", "placement.load"} {
		assert.Equal(t, r.Facts[fact] != "", true, "the record has the fact %s", fact)
	}
	assert.Equal(t, r.Facts["engine.local"], "false", "the engine is local: %v", r.Facts)
	for _, metric := range []string{"cpu.server", "memory.server", "cpu.store"} {
		if s, ok := r.Sample(metric); !ok || s.Value <= 0 {
			t.Errorf("%s is %v", metric, s)
		}
	}
	if r.Load.ForeignCPU < 0 || r.Machine == nil || r.Machine.Steal < 0 || r.Before != nil && r.Before.Foreign < 0 {
		t.Errorf("what the machine did is not known: load %+v, machine %+v, before %+v", r.Load, r.Machine, r.Before)
	}
	assert.None(t, leftBy(t, c, l.owner))
	again := elsewhere("run")
	must.Do(again.start())
	if status := again.end(t); !wasMeasured(status, again.stderr.String()) {
		t.Errorf("again: status %d", status)
	}
	assert.Contains(t, again.stderr.String(), "everything is measured")
	show, shown := elsewhere("show", "mortal"), new(bytes.Buffer)
	show.cmd.Env = append(show.cmd.Env, "PATH=") // records are shown without the engine
	show.cmd.Stdout = shown
	must.Do(show.start())
	assert.Equal(t, show.end(t), 0, "status of show:\n%s", &show.stderr)
	assert.Contains(t, shown.String(), r.Host)
}
