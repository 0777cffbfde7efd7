package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/hosts/hoststest"
)

// Articles whose services are elsewhere and whose load is here, and the other way round: what is found here needs an
// address.
const (
	servedElsewhere = `---
title: Served elsewhere
---

~~~yaml experiment
name: there
services:
  server: {origin: {body: 100B}, link: {rtt: 2ms}}
load: {target: http://server/, connections: 2, duration: 2s, warmup: 200ms}
hosts: {server: elsewhere}
repetitions: 2
calibrate: false
~~~
`
	loadedElsewhere = `---
title: Loaded elsewhere
---

~~~yaml experiment
name: here
services: {server: {origin: {body: 100B}}}
load: {target: http://server/, connections: 2, duration: 2s, warmup: 200ms}
hosts: {server: desk, load: elsewhere}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: command
services: {server: {origin: {body: 100B}}}
command:
  image: debian:bookworm-slim
  run: ["bash", "-c", 'exec 3<>/dev/tcp/server/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3']
  expect: {contains: benchbook-origin}
hosts: {server: desk, load: elsewhere}
repetitions: 1
calibrate: false
~~~
`
)

// An article runs on two machines as it does on one: what was measured says where, its page too, and nothing is left on
// either of them.
func TestRunOnTwoMachines(t *testing.T) {
	w := onEngine(t)
	m := hoststest.Start(t)
	w.Endpoint, w.Together, w.Cache = dockerAt(w.Agent), together, t.TempDir()
	w.Engines[0].Connect = func(ctx context.Context) (engine.Engine, error) { return w.Endpoint(ctx, docker.Options{}) }
	for name, text := range map[string]string{"served-elsewhere": servedElsewhere, "loaded-elsewhere": loadedElsewhere} {
		t.Run(name, func(t *testing.T) { runOnTwo(t, w, m, name, text) })
	}
	t.Run("locked", func(t *testing.T) { lockedOnTwo(t, w, m) })
	t.Run("beside another run", func(t *testing.T) { besideAnother(t, w, m) })
}

// moved is a Dockerfile whose packages are others at every build, as if what it installs had moved on meanwhile.
const moved = `FROM debian:bookworm-slim
RUN n=$(cat /proc/sys/kernel/random/uuid) && \
  printf 'Package: moved\nStatus: install ok installed\nVersion: %s\n\n' "$n" >> /var/lib/dpkg/status
`

// lockedImages are those of a repository in the engine of an endpoint.
type lockedImages struct{ at, repository string }

// list lists their ids.
func (l lockedImages) list(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("docker", "--host", l.at, "images", "--quiet", "--no-trunc", l.repository).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// forget removes them, whatever names they have.
func (l lockedImages) forget(t *testing.T) {
	t.Helper()
	for _, id := range l.list(t) {
		if out, err := exec.Command("docker", "--host", l.at, "rmi", "--force", id).CombinedOutput(); err != nil {
			t.Fatalf("docker rmi: %v: %s", err, out)
		}
	}
}

// lockedOnTwo locks an image that is made on one machine and used on the other. Somebody else's bundle brings it to
// both, under no name, when its machines are named.
func lockedOnTwo(t *testing.T, w lab.Config, m *hoststest.Machine) {
	dir, folder := project(t, "locked", strings.Replace(loadedElsewhere, "image: debian:bookworm-slim", "build: .", 1))
	put(t, filepath.Join(folder, "Dockerfile"), moved)
	nameHosts(t, dir, m)
	forget := func() {
		t.Helper()
		for _, at := range []string{homeEndpoint(), m.Socket} {
			l := lockedImages{at: at, repository: "benchbook/locked-command"}
			l.forget(t)
		}
	}
	t.Cleanup(forget)
	wantSaid(t, mustRun(t, w, "-C", dir, "lock", "locked"), "locked 1 image")
	mustRun(t, w, "-C", dir, "run", "--locked")
	bundle, into := filepath.Join(t.TempDir(), "locked.bundle"), filepath.Join(t.TempDir(), "opened")
	mustRun(t, w, "-C", dir, "bundle", "locked", "--images", "--out", bundle)
	forget()
	repro := func() (status int, said string) {
		var out bytes.Buffer
		status = run([]string{"repro", bundle, "--locked", "--yes", "--into", into}, &out, &out, w)
		return status, out.String()
	}
	status, said := repro()
	if status != lab.StatusProblems {
		t.Errorf("without machines it has status %d", status)
	}
	wantSaid(t, said, "add your own machines to "+filepath.Join(into, "project", article.ProjectFile))
	nameHosts(t, filepath.Join(into, "project"), m)
	if status, said = repro(); status != 0 {
		t.Errorf("with machines it has status %d", status)
	}
	wantSaid(t, said, "on your machines: desk and elsewhere;",
		"this host and the author's both count as c", "2 repetitions",
		"images: 1 of 1 have the digests of the lock\n")
	for _, at := range []string{homeEndpoint(), m.Socket} {
		if left := (lockedImages{at: at, repository: "benchbook/locked-command"}).list(t); len(left) > 0 {
			t.Errorf("the bundle has given images of %s a name: %q", at, left)
		}
	}
	if _, err := os.Stat(filepath.Join(into, "project", "_site", "locked", "index.html")); err != nil {
		t.Error(err)
	}
	// Results of ours among the author's are found when the machines were met, and end the run, which lets go of these.
	out, err := exec.Command("sh", "-c", `tar -C "$1" --wildcards -xzf "$2" 'project/experiments/locked/records/*' &&
		for f in $(tar -tzf "$2" | grep '\.jsonl$'); do tail -n 1 "$1/$f" >> "$1/$f"; done`, "sh", into, bundle).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if status, said = repro(); status != lab.StatusFailed || strings.Contains(said, "send your records") {
		t.Errorf("with results of ours among the author's it has status %d:\n%s", status, said)
	}
	wantSaid(t, said, "has results of this machine among the author's")
	left, err := exec.Command("docker", "--host", m.Socket, "ps", "--all", "--quiet", "--filter", "label="+
		engine.LabelOwner).CombinedOutput()
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves containers: %s, %v", left, err)
	}
}

// besideAnother verifies both articles at once, whose machines are partly the same: each is taken once. While somebody
// else has the one that an article runs on nothing is begun.
func besideAnother(t *testing.T, w lab.Config, m *hoststest.Machine) {
	dir, folder := project(t, "served-elsewhere", servedElsewhere)
	second := filepath.Join(dir, "experiments", "loaded-elsewhere")
	if err := os.MkdirAll(second, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second, "article.md"), []byte(strings.ReplaceAll(loadedElsewhere, "~~~", "```")),
		0o644); err != nil {
		t.Fatal(err)
	}
	nameHosts(t, dir, m)
	mustRun(t, w, "-C", dir, "verify")
	t.Setenv("BENCHBOOK_WAIT", "false")
	w.LockDir = t.TempDir() // other packages may have this machine
	alone := strings.Replace(servedElsewhere, "{server: elsewhere}", "{server: elsewhere, load: elsewhere}", 1)
	if err := errors.Join(os.RemoveAll(second), os.WriteFile(filepath.Join(folder, "article.md"),
		[]byte(strings.ReplaceAll(alone, "~~~", "```")), 0o644)); err != nil {
		t.Fatal(err)
	}
	e, err := docker.New(t.Context(), docker.Options{Host: m.Socket, Agent: w.Agent})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	unlock, err := e.Lock(t.Context(), "measuring something else", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	const want = "host elsewhere: another benchbook is using this machine: it has been measuring something else since "
	for _, verb := range []string{"verify", "run"} {
		var stdout, stderr bytes.Buffer
		status := run([]string{"-C", dir, verb}, &stdout, &stderr, w)
		if said := stderr.String(); status != lab.StatusFailed || !strings.Contains(said, want) ||
			!strings.Contains(said, "--wait") {
			t.Errorf("%s has status %d and says\n%s", verb, status, said)
		}
	}
}

// homeEndpoint is that of the engine of this machine.
func homeEndpoint() string { return cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock") }

// nameHosts gives a project its hosts.
func nameHosts(t *testing.T, dir string, m *hoststest.Machine) {
	t.Helper()
	hosts := fmt.Sprintf("hosts:\n  elsewhere: {docker: %q, tls: %q}\n  desk: {docker: %q, address: %s}\n", m.TCP, m.TLS,
		homeEndpoint(), m.Here)
	if err := os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
}

func runOnTwo(t *testing.T, w lab.Config, m *hoststest.Machine, name, text string) {
	dir, folder := project(t, name, text)
	nameHosts(t, dir, m)
	said := mustRun(t, w, "-C", dir, "plan")
	if !strings.Contains(said, "elsewhere") {
		t.Errorf("the plan is\n%s", said)
	}
	t.Log(mustRun(t, w, "-C", dir, "run"))
	records, bad, err := record.Dir(filepath.Join(folder, "records")).Read()
	if n := planned(records); err != nil || len(bad) > 0 || n != 2 {
		t.Fatalf("%d records as planned, %d bad ones, %v; want 2", n, len(bad), err)
	}
	for _, r := range records {
		if r.Failure != "" {
			t.Errorf("%s: %s\n%s", r.Experiment, r.Failure, r.Log)
			continue
		}
		if !regexp.MustCompile(`^c\d+\+c\d+-[0-9a-f]{6}$`).MatchString(r.Host) {
			t.Errorf("the host of %s is %q", r.Experiment, r.Host)
		}
		for fact, want := range map[string]string{"placement.hosts": "elsewhere", "network.crossing": "NAT",
			"hosts.elsewhere.host.cpu":    "",
			"hosts.elsewhere.clock.ahead": "s", "hosts.elsewhere.engine.version": "."} {
			if got, ok := r.Facts[fact]; !ok || !strings.Contains(got, want) {
				t.Errorf("%s: fact %s is %q, want %q in it", r.Experiment, fact, got, want)
			}
		}
		if strings.Contains(fmt.Sprint(r.Facts), m.Address) {
			t.Errorf("%s: an address is in the record", r.Experiment)
		}
		if r.Load == nil {
			continue
		}
		if used, ok := r.Sample("cpu.server"); !ok || used.Value <= 0 {
			t.Errorf("%s: cpu.server is %v, %v", r.Experiment, used, ok)
		}
		if r.Load.ForeignCPU < 0 || r.Before == nil {
			t.Errorf("%s: foreign CPU %v, before %v", r.Experiment, r.Load.ForeignCPU, r.Before)
		}
	}
	if got := mustRun(t, w, "-C", dir, "status", "-q"); got != "" {
		t.Errorf("it is not fresh: %s", got)
	}
	if got := mustRun(t, w, "-C", dir, "clean"); !strings.Contains(got, "nothing was left behind") {
		t.Errorf("clean found\n%s", got)
	}
	mustRun(t, w, "-C", dir, "render")
	page, err := os.ReadFile(filepath.Join(dir, "_site", name, "evidence.html"))
	if err != nil || !strings.Contains(string(page), "Host elsewhere") || !strings.Contains(string(page),
		"Between hosts") {
		t.Errorf("the page does not tell where it was measured (%v)", err)
	}
}
