package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// A rate that leaves the machine idle: in the cluster of tests both nodes are the same one.
const onNodes = `---
title: On nodes
---

~~~yaml experiment
name: apart
services: {server: {origin: {body: 100B}}}
load: {target: http://server/, rate: 50/s, duration: 2s, warmup: 200ms}
repetitions: 2
calibrate: false
~~~
`

// An article runs on a cluster as it does on one machine, from run to render, by the user of the manual, whose rights
// are all it needs.
func TestRunOnCluster(t *testing.T) {
	folder := os.Getenv("BENCHBOOK_TEST_CLUSTER") // of scripts/clustertest/run
	if folder == "" {
		if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "kubernetes") {
			t.Fatal("there is no cluster, and BENCHBOOK_TEST_REQUIRE asks for it")
		}
		t.Skip("needs a cluster: run make test-kubernetes")
	}
	w := onEngine(t)
	w.Cluster = elsewhere(w.Agent)
	w.Cache = t.TempDir()
	registry, err := os.ReadFile(filepath.Join(folder, "registry"))
	if err != nil {
		t.Fatal(err)
	}
	dir, of := project(t, "apart", onNodes)
	useCluster(t, dir, strings.TrimSpace(string(registry)), "engine: kubernetes\nkubernetes: %s\n")
	mustRun(t, w, "-C", dir, "doctor")
	mustRun(t, w, "-C", dir, "check", "--services")
	t.Run("beside another run", func(t *testing.T) { keptOut(t, w, dir, strings.TrimSpace(string(registry))) })
	t.Log(mustRun(t, w, "-C", dir, "run"))
	records, bad, err := record.Dir(filepath.Join(of, "records")).Read()
	if n := planned(records); err != nil || len(bad) > 0 || n != 2 {
		t.Fatalf("%d records as planned, %d bad ones, %v; want 2", n, len(bad), err)
	}
	for _, r := range records {
		if r.Failure != "" {
			t.Errorf("%s\n%s", r.Failure, r.Log)
			continue
		}
		if !regexp.MustCompile(`^c\d+\+c\d+-[0-9a-f]{6}$`).MatchString(r.Host) {
			t.Errorf("the host is %q", r.Host)
		}
		for fact, want := range map[string]string{"placement.hosts": "server on services; load on load",
			"placement.services": "", "placement.load": "", "network.crossing": "from pod to pod",
			"hosts.load.host.kernel": ".", "hosts.services.host.cores": "logical", "hosts.services.clock.ahead": "s",
			"engine.name":      "kubernetes",
			"engine.node.load": "node2", "engine.node.services": "node1", "engine.node.services.status": "no right"} {
			if got, ok := r.Facts[fact]; !ok || !strings.Contains(got, want) {
				t.Errorf("fact %s is %q, want %q in it", fact, got, want)
			}
		}
		if used, ok := r.Sample("cpu.server"); !ok || used.Value <= 0 {
			t.Errorf("cpu.server is %v, %v", used, ok)
		}
		if r.Load == nil || r.Load.ForeignCPU < 0 || r.Before == nil {
			t.Errorf("load %+v, before %v", r.Load, r.Before)
		}
	}
	if got := mustRun(t, w, "-C", dir, "clean"); !strings.Contains(got, "nothing was left behind") {
		t.Errorf("clean found\n%s", got)
	}
	mustRun(t, w, "-C", dir, "render")
	page, err := os.ReadFile(filepath.Join(dir, "_site", "apart", "index.html"))
	if err != nil || !strings.Contains(string(page), "Host services") || !strings.Contains(string(page), "Between hosts") {
		t.Errorf("the page does not tell where it was measured (%v)", err)
	}
	t.Run("async-101", func(t *testing.T) { runAsync101(t, w, strings.TrimSpace(string(registry))) })
	t.Run("killed and interrupted", func(t *testing.T) { runEnded(t, w, strings.TrimSpace(string(registry))) })
}

// useCluster gives a project the cluster of tests, in a form that says where its keys stand.
func useCluster(t *testing.T, dir, registry, form string) {
	t.Helper()
	const pool = "benchbook.test/pool"
	keys := fmt.Sprintf("{context: test, namespace: bench, nodes: {load: {%s: load}, services: {%s: services}}}", pool,
		pool)
	file := fmt.Sprintf("registry: %q\n", registry) + fmt.Sprintf(form, keys)
	if err := os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runAsync101 runs an article of this repository as it is: what runs on one machine runs on a cluster.
func runAsync101(t *testing.T, w lab.Config, registry string) {
	text, err := os.ReadFile(filepath.Join("..", "..", "experiments", "async-101", "article.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir, folder := project(t, "async-101", string(text))
	useCluster(t, dir, registry, "engine: kubernetes\nallow: [sysctls]\n"+
		"profiles: {smoke: {repetitions: 1, calibrate: false}}\nkubernetes: %s\n")
	t.Log(mustRun(t, w, "-C", dir, "run", "--profile", "smoke"))
	for experiment, records := range measuredIn(t, folder) {
		for _, r := range records {
			if r.Load == nil || r.Load.Completed == 0 && !strings.Contains(r.Trial, "silent") { // then nobody else is answered
				t.Errorf("%s, %s: nothing was answered", experiment, r.Trial)
			}
			if r.Facts["engine.name"] != string(spec.Kubernetes) {
				t.Errorf("%s, %s ran on %s", experiment, r.Trial, r.Facts["engine.name"])
			}
		}
	}
	if got := mustRun(t, w, "-C", dir, "clean"); !strings.Contains(got, "nothing was left behind") {
		t.Errorf("clean found\n%s", got)
	}
}

// runEnded ends runs in the middle. What one that is killed has left is found and removed, one that is interrupted
// leaves nothing, and the next goes on where they were.
func runEnded(t *testing.T, w lab.Config, registry string) {
	program, lock := installed(t), t.TempDir()
	const repetitions = 5
	dir, folder := project(t, "apart", strings.Replace(onNodes, "repetitions: 2", fmt.Sprintf("repetitions: %d",
		repetitions), 1))
	useCluster(t, dir, registry, "engine: kubernetes\nkubernetes: %s\n")
	saved := &archive{folder: filepath.Join(folder, "records")}
	end := func(with os.Signal) (status int, said string) {
		l := begin(t, program, lock, "-C", dir, "run")
		awaitRecords(t, saved, len(saved.look(t))+1)
		if err := l.cmd.Process.Signal(with); err != nil {
			t.Fatal(err)
		}
		status = l.end(t)
		return status, l.stderr.String()
	}
	if status, said := end(os.Kill); status != -1 {
		t.Fatalf("the run had ended with status %d before it was killed:\n%s", status, said)
	}
	cleaned := mustRun(t, w, "-C", dir, "clean")
	for _, kind := range []string{"container", "network", "files"} {
		if !strings.Contains(cleaned, "removed "+kind+" benchbook-") {
			t.Errorf("after a run that was killed clean removes no %s:\n%s", kind, cleaned)
		}
	}
	if status, said := end(os.Interrupt); status != lab.StatusInterrupted ||
		!strings.Contains(said, "all containers removed") {
		t.Errorf("interrupted, the run has status %d:\n%s", status, said)
	}
	if got := mustRun(t, w, "-C", dir, "clean"); !strings.Contains(got, "nothing was left behind") {
		t.Errorf("after a run that was interrupted clean found\n%s", got)
	}
	last := begin(t, program, lock, "-C", dir, "run")
	if status := last.end(t); status != 0 {
		t.Errorf("the last run has status %d:\n%s", status, &last.stderr)
	}
	if n := planned(saved.look(t)); n != repetitions {
		t.Errorf("in the end there are %d repetitions, want %d", n, repetitions)
	}
}

// keptOut runs while somebody else has the namespace, and is told what that does.
func keptOut(t *testing.T, w lab.Config, dir, registry string) {
	t.Helper()
	e, err := w.Cluster(t.Context(), engine.Cluster{Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	locked, ok := e.(engine.Locked)
	if !ok {
		t.Fatal("nobody can be kept out")
	}
	unlock, err := locked.Lock(t.Context(), "measuring something else", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	w.LockDir = t.TempDir() // other packages may have this machine
	var stdout, stderr bytes.Buffer
	status := run([]string{"-C", dir, "run"}, &stdout, &stderr, w)
	if said := stderr.String(); status != lab.StatusFailed ||
		!strings.Contains(said, "it has been measuring something else since ") {
		t.Errorf("run has status %d and says\n%s", status, said)
	}
}
