package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/lab"
)

const jsonArticle = `---
title: A pair
---

~~~yaml experiment
name: pair
services: {server: {build: ../../app, expose: ["8080"]}}
matrix: {server: [a, b]}
load: {target: "http://server:8080/", connections: 5, duration: 1s, warmup: 0s}
repetitions: 3
calibrate: false
~~~

~~~yaml claim
name: same
expect: throughput{server="b"} >= throughput{server="a"}
~~~
`

// With --json every verb prints one JSON value, except completion, which prints a script, and help.
func TestEveryVerbPrintsJSON(t *testing.T) {
	slowtest.Skip(t)
	dir, folder := project(t, "pair", jsonArticle)
	put(t, filepath.Join(dir, "app", "Dockerfile"), "FROM scratch\nCOPY . /\n")
	put(t, filepath.Join(dir, "page.md"), "<!-- benchbook: badge of pair --><!-- /benchbook -->\n")
	git := func(args ...string) {
		t.Helper()
		identity := []string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.org"}
		if out, err := exec.Command("git", append(identity, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "first")
	put(t, filepath.Join(dir, "app", "speed"), "2\n")
	git("add", ".")
	git("commit", "-qm", "second")
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
			var stdout, stderr bytes.Buffer
			status := run(append([]string{"-C", dir, c.verb, "--json"}, strings.Fields(c.args)...), &stdout, &stderr, w)
			if status != lab.StatusDone && c.verb != "doctor" { // this machine may be unfit
				t.Errorf("status %d: %s", status, &stderr)
			}
			var value any
			d := json.NewDecoder(&stdout)
			if err := d.Decode(&value); err != nil {
				t.Fatalf("%v: %s", err, &stderr)
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
	if _, err := os.Stat(filepath.Join(folder, "records")); err != nil {
		t.Error(err)
	}
}
