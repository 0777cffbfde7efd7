package cli

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/lab"
)

// With --json every verb prints one JSON value, except completion, which prints a script, and help.
func TestEveryVerbPrintsJSON(t *testing.T) {
	slowtest.Skip(t)
	dir, _ := project(t, "pair", strings.Replace(pair, `image: "server:${{ matrix.version }}"`, "build: ../../app", 1))
	put(t, filepath.Join(dir, "app", "Dockerfile"), "FROM scratch\nCOPY . /\n")
	put(t, filepath.Join(dir, "page.md"), "<!-- benchbook: value count(throughput) of pair --><!-- /benchbook -->\n")
	inGit(t, dir)
	git(t, dir, "commit", "-qm", "first")
	put(t, filepath.Join(dir, "app", "speed"), "2\n")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "second")
	bundle, public := filepath.Join(dir, "pair.bundle"), filepath.Join(t.TempDir(), "public")
	commands := []struct{ verb, args string }{ // in this order: later ones use what earlier ones write
		{"check", ""}, {"check", "--services"}, {"plan", ""}, {"run", "--quiet"}, {"report", ""}, {"show", ""}, {"show", "pair"},
		{"show", "pair --trial a"}, {"show", "pair --trial a --repetition 1"},
		{"compare", "full full"}, {"bench", "HEAD~1 HEAD"}, {"render", ""}, {"publish", "--dry-run " + public}, {"publish", public},
		{"weave", "page.md"}, {"bundle", "pair --output " + bundle},
		{"repro", bundle + " --yes --output " + filepath.Join(t.TempDir(), "repro")}, {"clean", ""}, {"clean", "--dry-run"},
		{"clean", "--records"}, {"doctor", ""}, {"time", "--repetitions 3 true"},
		{"load", "--repetitions 3 -c 5 -d 1s http://127.0.0.1:8080/"}, {"init", filepath.Join(t.TempDir(), "new")},
		{"schema", ""}, {"schema", "record"}, {"version", ""},
	}
	w := scripted()
	w.LockDir = t.TempDir()
	tested := map[string]bool{"completion": true, "help": true, "preview": true} // preview prints its address, and serves
	for _, c := range commands {
		tested[c.verb] = true
		t.Run(c.verb+" "+c.args, func(t *testing.T) {
			status, stdout, stderr := said(w, dir, append([]string{c.verb, "--json"}, strings.Fields(c.args)...)...)
			if status != lab.StatusDone && c.verb != "doctor" { // this machine may be unfit
				t.Errorf("status %d: %s", status, stderr)
			}
			var value any
			d := json.NewDecoder(strings.NewReader(stdout))
			if err := d.Decode(&value); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			if err := d.Decode(&value); !errors.Is(err, io.EOF) {
				t.Errorf("more than one value: %v, %v", value, err)
			}
		})
	}
	for _, cmd := range (&app{&lab.Session{Config: w}}).root().Commands() {
		if !tested[cmd.Name()] {
			t.Errorf("%s is not tested", cmd.Name())
		}
	}
}
