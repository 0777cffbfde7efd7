package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/internal/phrase"
	"benchbook/internal/proc"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
)

// mortal has short repetitions, two for each trial, with shared and other services. With only two, none is measured
// again because other programs disturb it.
func mortal(trials int) string {
	var paths []string
	for i := range trials {
		paths = append(paths, fmt.Sprintf("p%d", i))
	}
	return `---
title: Short repetitions
---

~~~yaml experiment
name: short
services:
  store: {origin: {body: 100B}}
  server: {origin: {body: 100B}, depends_on: [store]}
shared: [store]
matrix: {path: [` + strings.Join(paths, ", ") + `]}
load: {target: "http://server/${{ matrix.path }}", connections: 2, duration: 200ms, warmup: 0s}
repetitions: 2
calibrate: false
~~~
`
}

// onEngineProgram is the name of benchbook as a process on a real engine. Unlike the program that users have, it takes
// benchbook-agent from the folder that programsVariable names, and does not wait for a quiet machine: next to other
// tests it never is, and the results of these tests need not be right.
const (
	onEngineProgram  = "benchbook-on-engine"
	programsVariable = "BENCHBOOK_TEST_PROGRAMS"
)

func onEngineWiring() lab.Config {
	w := wired(nil)
	w.Settler, w.Consent = nil, nil
	w.Agent = func() ([]byte, error) {
		return os.ReadFile(filepath.Join(os.Getenv(programsVariable), agent.Name))
	}
	w.Engines[0].Connect = dockerWith(w.Agent)
	return w
}

// installed returns the path of onEngineProgram. It skips the test if there is no engine.
func installed(t *testing.T) (program string) {
	t.Helper()
	needEngine(t)
	return must.Get(exec.LookPath(onEngineProgram))
}

// A life is one process of benchbook.
type life struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // to be read when it has ended
	owner  string       // on the labels of what it starts
}

// newLife returns a process of benchbook, not yet started. It has its own lock: its results need not be right.
func newLife(program, lock string, args ...string) *life {
	l := &life{cmd: exec.Command(program, args...)}
	l.cmd.Stderr = &l.stderr
	l.cmd.Env = append(os.Environ(), "TMPDIR="+lock, locksVariable+"="+lock, programsVariable+"="+must.Get(builtOnce()))
	return l
}

func (l *life) start() error {
	err := l.cmd.Start()
	if err == nil {
		l.owner = engine.OwnerOf(l.cmd.Process.Pid)
	}
	return err
}

// begin starts benchbook.
func begin(t *testing.T, program, lock string, args ...string) *life {
	t.Helper()
	l := newLife(program, lock, args...)
	must.Do(l.start())
	return l
}

// wantCompleted waits for the run that completes others, and checks their records and that nothing is left of them.
func wantCompleted(t *testing.T, c *client.Client, l *life, saved *archive, repetitions int, owners ...string) {
	t.Helper()
	if status := l.end(t); !wasMeasured(status, l.stderr.String()) {
		t.Errorf("the last run ended with status %d:\n%s", status, &l.stderr)
	}
	assert.Equal(t, planned(saved.look(t)), repetitions, "repetitions in the end")
	for _, owner := range append(owners, l.owner) {
		assert.None(t, notRemovedBy(t, c, owner))
	}
}

// end waits for the end of the process, as long as the tests may take, and returns its status; -1 after a signal.
func (l *life) end(t *testing.T) int {
	t.Helper()
	within := patience(t)
	over := time.AfterFunc(within, func() { _ = l.cmd.Process.Kill() })
	err := l.cmd.Wait()
	if !over.Stop() {
		t.Fatalf("it did not end within %v:\n%s", within, &l.stderr)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return l.cmd.ProcessState.ExitCode()
}

// wasMeasured reports whether a run finished. On a busy machine, its short windows may leave no valid result.
func wasMeasured(status int, stderr string) bool {
	return status == lab.StatusDone || status == lab.StatusFailed && strings.Contains(stderr, "\nbenchbook: no valid result: ")
}

// engineClient returns a Docker client: for the engine that the options name, or DOCKER_HOST, or the default one.
func engineClient(t *testing.T, options ...client.Opt) *client.Client {
	t.Helper()
	c := must.Get(client.New(append([]client.Opt{client.FromEnv}, options...)...))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// leftBy returns the names of the containers, networks and volumes that have the labels of a process.
func leftBy(t *testing.T, c *client.Client, owner string) (left []string) {
	t.Helper()
	its := make(client.Filters).Add("label", engine.LabelOwner+"="+owner)
	containers := must.Get(c.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: its}))
	networks := must.Get(c.NetworkList(t.Context(), client.NetworkListOptions{Filters: its}))
	volumes := must.Get(c.VolumeList(t.Context(), client.VolumeListOptions{Filters: its}))
	for _, item := range containers.Items {
		if _, err := c.ContainerInspect(t.Context(), item.ID, client.ContainerInspectOptions{}); errdefs.IsNotFound(err) {
			continue // engines list some that are not there, as TestSweepPassesOverWhatIsOnlyListed says
		}
		left = append(left, "container "+item.Labels[engine.LabelService])
	}
	left = append(left, slices.Repeat([]string{"network"}, len(networks.Items))...)
	left = append(left, slices.Repeat([]string{"volume"}, len(volumes.Items))...)
	slices.Sort(left)
	return left
}

// notRemovedBy names what a process should have removed by now, as leftBy does, apart from a network that the engine
// does not give up: Docker 20.10 on a busy machine sometimes counts the endpoint of a container that is gone, until it
// is started again. A network that can be removed is removed and named.
func notRemovedBy(t *testing.T, c *client.Client, owner string) []string {
	t.Helper()
	left := leftBy(t, c, owner)
	if !slices.Equal(left, []string{"network"}) {
		return left
	}
	its := make(client.Filters).Add("label", engine.LabelOwner+"="+owner)
	for _, n := range must.Get(c.NetworkList(t.Context(), client.NetworkListOptions{Filters: its})).Items {
		inside := must.Get(c.NetworkInspect(t.Context(), n.ID, client.NetworkInspectOptions{})).Network.Containers
		_, err := c.NetworkRemove(t.Context(), n.ID, client.NetworkRemoveOptions{})
		if err == nil || !strings.Contains(err.Error(), "has active endpoints") || len(inside) > 0 {
			return left
		}
		t.Logf("the engine holds a network without containers: %v", err)
	}
	return nil
}

// bystander makes a container and a network without our labels. The returned function checks that they are unchanged.
func bystander(t *testing.T, c *client.Client) (unchanged func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	atEnd := func(remove func() error) {
		t.Cleanup(func() { must.Do(remove()) })
	}
	e := must.Get(docker.New(t.Context(), nil))
	defer e.Close()
	image := must.Get(e.Prepare(t.Context(), engine.Image{Name: "debian:bookworm-slim"}, t.Output()))
	created := must.Get(c.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: image.ID, Cmd: []string{"sleep", "1d"},
			Labels: map[string]string{"somebody": "else"}}}))
	atEnd(func() error {
		_, err := c.ContainerRemove(ctx, created.ID, client.ContainerRemoveOptions{Force: true})
		return err
	})
	must.Get(c.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}))
	network := must.Get(c.NetworkCreate(t.Context(), fmt.Sprintf("bystander-%s-%d", t.Name(), os.Getpid()),
		client.NetworkCreateOptions{Internal: true}))
	atEnd(func() error {
		_, err := c.NetworkRemove(ctx, network.ID, client.NetworkRemoveOptions{})
		return err
	})
	started := func() string {
		state := must.Get(c.ContainerInspect(t.Context(), created.ID, client.ContainerInspectOptions{})).Container.State
		return fmt.Sprint(state.Running, state.StartedAt)
	}
	first := started()
	return func() {
		t.Helper()
		if now := started(); now != first {
			t.Fatalf("the bystander is %s, and was %s", now, first)
		}
		must.Get(c.NetworkInspect(t.Context(), network.ID, client.NetworkInspectOptions{}))
	}
}

// An archive holds the records saved so far.
type archive struct {
	folder string
	files  map[string][]byte // whole lines of the runs, by path
}

// look reads all records again. It fails the test if a line is bad, changed or gone, or a repetition appears twice.
func (a *archive) look(t *testing.T) []*record.Record {
	t.Helper()
	records, bad := must.Two(record.Dir(a.folder).Read())
	if len(bad) > 0 {
		t.Fatalf("bad records %v", bad)
	}
	type cell struct {
		trial      string
		repetition int
	}
	seen := map[cell]bool{}
	for _, r := range records {
		c := cell{r.Trial, r.Repetition}
		if seen[c] {
			t.Fatalf("repetition %d of %s was measured twice", r.Repetition, r.Trial)
		}
		seen[c] = true
		if r.Run != records[0].Run {
			t.Fatalf("there are the runs %s and %s", r.Run, records[0].Run)
		}
	}
	now := map[string][]byte{}
	for _, path := range must.Get(filepath.Glob(filepath.Join(a.folder, "*", "*", "*.jsonl"))) {
		data := must.Get(os.ReadFile(path))
		now[path] = data[:bytes.LastIndexByte(data, '\n')+1]
	}
	for path, before := range a.files {
		if !bytes.HasPrefix(now[path], before) {
			t.Fatalf("lines of %s were changed or lost", filepath.Base(path))
		}
	}
	a.files = now
	return records
}

// awaitRecords waits until a process has saved n records.
func awaitRecords(t *testing.T, l *life, saved *archive, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience(t)); len(saved.look(t)) < n; time.Sleep(20 * time.Millisecond) {
		if p, err := proc.Read(l.cmd.Process.Pid); (err != nil || p.State == 'Z') && len(saved.look(t)) < n {
			t.Fatalf("it ended with status %d and fewer than %d records:\n%s", l.end(t), n, &l.stderr)
		}
		if time.Now().After(deadline) {
			t.Fatalf("at the end of the time of the test there are not even %d records", n)
		}
	}
}

// patience is how long a test may wait on a busy machine or for another run: nearly all the time that -timeout leaves,
// so that the test can still say what it waited for.
func patience(t *testing.T) time.Duration {
	deadline, ok := t.Deadline()
	if !ok {
		return 24 * time.Hour // without -timeout nothing bounds it
	}
	return time.Until(deadline) - 20*time.Second
}

var kills = flag.Int("kills", 6, "how often TestKilledAtAnyMoment kills a run: make test-long does so more often")

// A run killed at any moment loses no saved records, and the same command completes it without measuring anything
// twice. The next run removes its leftovers and keeps other containers. The moments are random, one in each part of the
// time up to the second record.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	repetitions := 2 * *kills
	program := installed(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	dir, folder := project(t, "mortal", mortal(repetitions/2))
	saved := &archive{folder: filepath.Join(folder, "records")}
	c, lock := engineClient(t), t.TempDir()
	unchanged := bystander(t, c)
	var owners []string
	left := map[string]int{}
	var most time.Duration // that a life lasts: as long as the first took to its second record
	for kill := range *kills {
		began := time.Now()
		l := begin(t, program, lock, "-C", dir, "run")
		if kill == 0 {
			awaitRecords(t, l, saved, 2)
			most = time.Since(began)
		} else {
			part := most / time.Duration(*kills-1)
			time.Sleep(part*time.Duration(kill-1) + time.Duration(random.Int64N(int64(part))))
		}
		lived := time.Since(began)
		must.Do(l.cmd.Process.Kill())
		if got := l.end(t); got != -1 {
			t.Fatalf("the run ended with status %d after %v: %s", got, lived, &l.stderr)
		}
		_ = saved.look(t)
		owners = append(owners, l.owner)
		left[strings.Join(leftBy(t, c, l.owner), ", ")]++
		unchanged()
	}
	before := len(saved.look(t))
	wantCompleted(t, c, begin(t, program, lock, "-C", dir, "run"), saved, repetitions, owners...)
	unchanged()
	wantNoTraces(t, lock, saved.folder)
	t.Logf("seed %d; %d kills left %v; the last run began with %d records", seed, *kills, left, before)
}

// wantNoTraces fails the test if a killed process left files in the temporary folder or among records.
func wantNoTraces(t *testing.T, temporary, records string) {
	t.Helper()
	for _, e := range must.Get(os.ReadDir(temporary)) {
		assert.Equal(t, strings.HasSuffix(e.Name(), ".lock"), true, "%s is a lock among temporary files", e.Name())
	}
	must.Do(filepath.WalkDir(records, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left among the records", e.Name())
		}
		return err
	}))
}

// The first signal ends the repetition that is under way, cleans up and removes everything; the second ends the program
// at once, and the next run removes what that leaves. Two in a moment are one: timeout sends its signal to the command
// and to its group.
func TestSignals(t *testing.T) {
	t.Parallel()
	program := installed(t)
	tests := []struct {
		name   string
		signal syscall.Signal
		pause  time.Duration // to the second signal; 0 for none
		status int
	}{
		{"SIGHUP once", syscall.SIGHUP, 0, lab.StatusInterrupted},
		{"SIGTERM twice in a moment", syscall.SIGTERM, sameSignal / 20, lab.StatusInterrupted},
		{"SIGINT twice", syscall.SIGINT, 2 * sameSignal, -1},
	}
	// Of tests in the background SIGINT may be ignored, which what they start would inherit; what is caught is not.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT)
	t.Cleanup(func() { signal.Stop(caught) })
	c := engineClient(t)
	unchanged := bystander(t, c)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := mortal(2)
			if tt.pause > sameSignal { // so many that they are still being removed at the second signal
				text = strings.NewReplacer(
					"  store:", "  many: {image: debian:bookworm-slim, command: [sleep, 1d], scale: 20}\n  store:",
					"shared: [store]", "shared: [store, many]").Replace(text)
			}
			dir, folder := project(t, "mortal", text)
			saved, lock := &archive{folder: filepath.Join(folder, "records")}, t.TempDir()
			l := begin(t, program, lock, "-C", dir, "run")
			awaitRecords(t, l, saved, 1)
			time.Sleep(rand.N(time.Second))
			must.Do(l.cmd.Process.Signal(tt.signal))
			first := time.Now()
			if tt.pause > 0 {
				time.Sleep(tt.pause)
				must.Do(l.cmd.Process.Signal(tt.signal))
			}
			isLate := tt.pause < sameSignal && time.Since(first) > sameSignal/2 // a busy machine made two signals of them
			status := l.end(t)
			if isLate && status == -1 {
				tt.status = status
			}
			if status != tt.status {
				t.Fatalf("status %d, want %d:\n%s", status, tt.status, &l.stderr)
			}
			kept, words := len(saved.look(t)), l.stderr.String()
			if tt.status == lab.StatusInterrupted {
				assert.Contains(t, words,
					"interrupted; "+phrase.Are(kept, "finished repetition")+" kept and all containers removed.")
				assert.None(t, notRemovedBy(t, c, l.owner))
			} else if len(leftBy(t, c, l.owner)) == 0 {
				t.Errorf("the second signal did not end it at once: it left nothing:\n%s", words)
			}
			unchanged()
			wantCompleted(t, c, begin(t, program, lock, "-C", dir, "run"), saved, 4, l.owner)
			unchanged()
		})
	}
}
