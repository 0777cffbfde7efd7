package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/kubernetes"
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

// An article runs on a cluster as it does on one machine, from run to render, by the user of the manual, whose rights are all it needs.
func TestRunOnCluster(t *testing.T) {
	folder := os.Getenv("BENCHBOOK_TEST_CLUSTER") // of scripts/kubernetes/run
	if folder == "" {
		if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "kubernetes") {
			t.Fatal("there is no cluster, and BENCHBOOK_TEST_REQUIRE asks for it")
		}
		t.Skip("needs a cluster: run make test-kubernetes")
	}
	w := onEngine(t)
	w.cluster, w.cache = clusterAt(w.tool), t.TempDir()
	registry, err := os.ReadFile(filepath.Join(folder, "registry"))
	if err != nil {
		t.Fatal(err)
	}
	dir, of := project(t, "apart", onNodes)
	file := fmt.Sprintf("engine: kubernetes\nregistry: %q\nkubernetes: {context: test, namespace: bench, nodes: {load: {%s: load}, services: {%s: services}}}\n",
		strings.TrimSpace(string(registry)), "benchbook.test/pool", "benchbook.test/pool")
	if err := os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, w, "-C", dir, "doctor")
	mustRun(t, w, "-C", dir, "verify")
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
		for fact, want := range map[string]string{"placement.hosts": "server on services; load on load", "network.crossing": "from pod to pod",
			"hosts.load.host.kernel": ".", "hosts.services.host.cores": "logical", "hosts.services.clock.ahead": "s", "engine.name": "kubernetes",
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
}

// keptOut runs while somebody else has the namespace, and is told what that does.
func keptOut(t *testing.T, w wiring, dir, registry string) {
	t.Helper()
	e, err := w.cluster(t.Context(), kubernetes.Options{Registry: registry})
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
	unlock, err := locked.Lock(t.Context(), "measures something else", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	t.Setenv("BENCHBOOK_WAIT", "false")
	w.lockDir = t.TempDir() // other packages may have this machine
	var stdout, stderr bytes.Buffer
	status := run([]string{"-C", dir, "run"}, &stdout, &stderr, w)
	if said := stderr.String(); status != statusFailed || !strings.Contains(said, "it measures something else, since ") {
		t.Errorf("run has status %d and says\n%s", status, said)
	}
}
