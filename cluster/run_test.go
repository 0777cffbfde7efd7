package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

// A rate that leaves the machine mostly idle, because both nodes of the test cluster are one machine.
const onNodes = `---
title: On nodes
---

~~~yaml experiment
name: apart
services: {server: {origin: {body: 100B}}}
load: {target: http://server/, rate: 50/s, duration: 2s, warmup: 200ms}
repetitions: %d
calibrate: false
~~~
`

// A project is measured on the test cluster by the program.
type onCluster struct {
	*testing.T
	program, dir, records string
}

// newProject creates a project with one article of some repetitions. It skips the test if there is no cluster.
func newProject(t *testing.T, repetitions int) onCluster {
	t.Helper()
	folder, program := os.Getenv("BENCHBOOK_TEST_CLUSTER"), os.Getenv("BENCHBOOK_TEST_PROGRAM")
	if folder == "" || program == "" {
		slowtest.Missing(t, "kubernetes", "run make test-kubernetes", errors.New("a variable of it is not set"))
	}
	registry := must.Get(os.ReadFile(filepath.Join(folder, "registry")))
	const pool = "benchbook.test/pool"
	p := onCluster{t, program, t.TempDir(), ""}
	article := filepath.Join(p.dir, "experiments", "apart")
	p.records = filepath.Join(article, "records")
	must.Do(os.MkdirAll(article, 0o755))
	project := fmt.Sprintf("registry: %q\nengine: kubernetes\nkubernetes: {context: test, namespace: bench, nodes: {load: "+
		"{%s: load}, services: {%s: services}}}\n", strings.TrimSpace(string(registry)), pool, pool)
	for name, text := range map[string]string{filepath.Join(p.dir, "benchbook.yaml"): project,
		filepath.Join(article, "article.md"): fmt.Sprintf(onNodes, repetitions),
		filepath.Join(p.dir, "policy.yaml"):  "allow: [kubernetes, builds]\n"} {
		must.Write(name, text)
	}
	return p
}

func (p onCluster) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	var said bytes.Buffer
	cmd := exec.Command(p.program, append([]string{"-C", p.dir}, args...)...)
	cmd.Env = append(os.Environ(), "BENCHBOOK_POLICY="+filepath.Join(p.dir, "policy.yaml"))
	cmd.Stdout, cmd.Stderr = &said, &said
	return cmd, &said
}

// run runs the program, which must succeed.
func (p onCluster) run(args ...string) string {
	p.Helper()
	cmd, said := p.command(args...)
	if err := cmd.Run(); err != nil {
		p.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return said.String()
}

// saved reads the records, which must all be valid.
func (p onCluster) saved() []*record.Record {
	p.Helper()
	records, bad, err := record.Dir(p.records).Read()
	if err != nil || len(bad) > 0 {
		p.Fatalf("%d bad records, %v", len(bad), err)
	}
	return records
}

func (p onCluster) wantClean() {
	p.Helper()
	if got := p.run("clean"); !strings.Contains(got, "nothing was left behind") {
		p.Errorf("clean found\n%s", got)
	}
}

// An article runs on a cluster as it does on one machine, from run to render.
func TestRunOnCluster(t *testing.T) {
	p := newProject(t, 2)
	p.run("doctor")
	p.run("check", "--services")
	t.Log(p.run("run"))
	records := p.saved()
	assert.Equal(t, len(records), 2, "records")
	for _, r := range records {
		if r.Failure != "" {
			t.Errorf("%s\n%s", r.Failure, r.Log)
			continue
		}
		if !regexp.MustCompile(`^c\d+\+c\d+-[0-9a-f]{6}\.[0-9a-f]{4}$`).MatchString(r.Host) {
			t.Errorf("the host is %q", r.Host)
		}
		for fact, want := range map[string]string{"placement.hosts": "server on services; load on load",
			"hosts.load.host.kernel": ".", "hosts.services.host.cores": "logical",
			"engine.name": "kubernetes", "engine.node.load": "node2", "engine.node.services": "node1"} {
			assert.Contains(t, r.Facts[fact], want)
		}
		if used, ok := r.Sample("cpu.server"); !ok || used.Value <= 0 || r.Load == nil || r.Load.ForeignCPU < 0 ||
			r.Before == nil {
			t.Errorf("cpu.server is %v, %v; load %+v, before %v", used, ok, r.Load, r.Before)
		}
	}
	p.wantClean()
	p.run("render")
	page := must.Read(filepath.Join(p.dir, "_site", "apart", "index.html"))
	assert.Equal(t, regexp.MustCompile(`services: [^<]*logical`).MatchString(page), true,
		"it has the machine of the services")
}

// Leftovers of a killed run are found and removed, an interrupted run leaves nothing, and the next run resumes it.
func TestRunEndedOnCluster(t *testing.T) {
	p := newProject(t, 5)
	end := func(with os.Signal) (status int, said string) {
		have := len(p.saved())
		cmd, output := p.command("run")
		must.Do(cmd.Start())
		for began := time.Now(); len(p.saved()) == have; time.Sleep(50 * time.Millisecond) {
			if time.Since(began) > 5*time.Minute {
				t.Fatalf("nothing was measured:\n%s", output)
			}
		}
		must.Do(cmd.Process.Signal(with))
		if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), output.String()
	}
	if status, said := end(os.Kill); status != -1 {
		t.Fatalf("the run had ended with status %d before it was killed:\n%s", status, said)
	}
	assert.Contains(t, p.run("clean"), "removed namespace benchbook-")
	if status, said := end(os.Interrupt); status != 130 || !strings.Contains(said, "all containers removed") {
		t.Errorf("interrupted, the run has status %d:\n%s", status, said)
	}
	p.wantClean()
	p.run("run")
	// Both nodes are this machine, so that some repetitions may be disturbed and measured again.
	var planned []int
	runs := map[string]bool{}
	for _, r := range p.saved() {
		runs[r.Run] = true
		if r.Order.Replaces == 0 {
			planned = append(planned, r.Repetition)
		}
	}
	slices.Sort(planned)
	if want := []int{1, 2, 3, 4, 5}; len(runs) != 1 || !slices.Equal(planned, want) {
		t.Errorf("in the end %d runs have the planned repetitions %v, want one with %v", len(runs), planned, want)
	}
}
