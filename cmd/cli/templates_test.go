package cli

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine/enginetest"
	"benchbook/runner/machine"
)

// onEngine returns a configuration with a real engine and the programs for containers. It skips the test if there is no
// engine.
func onEngine(t testing.TB) lab.Config {
	t.Helper()
	needEngine(t)
	w, tools := wired(nil), builtPrograms(t)
	w.Consent = nil // nobody can be asked
	// The same packages keep the machine from coming to rest, which a run would wait for up to two minutes.
	w.Settler = &machine.Settler{Longest: 100 * time.Millisecond}
	w.Agent = func() ([]byte, error) { return os.ReadFile(filepath.Join(tools, agent.Name)) }
	return w
}

// needEngine skips the test if there is no engine, or with -short.
func needEngine(t testing.TB) {
	t.Helper()
	slowtest.SkipSequential(t)
	e, err := wired(nil).Engine(t.Context(), spec.Docker)
	enginetest.Need(t, "engine", err)
	e.Close()
}

// builtPrograms returns the folder with benchbook-agent and the programs of tests. All tests share it.
func builtPrograms(t testing.TB) (dir string) {
	t.Helper()
	return must.Get(builtOnce())
}

// builtOnce builds the programs once, because linking takes seconds. The suite removes the folder.
var builtOnce = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "benchbook-programs-"); err != nil {
		return "", err
	}
	builtIn = dir
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o",
		dir+string(filepath.Separator),
		"benchbook/runner/benchbook-agent", "benchbook/runner/engine/enginetest/puppet")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building programs: %w\n%s", err, out)
	}
	return dir, nil
})

// builtIn is the folder that builtOnce made; empty before its first call.
var builtIn string

// beside is the command on an engine for a test that times nothing. Such tests run four at a time, when all others have
// ended, as they mostly wait for containers.
func beside(t *testing.T) lab.Config {
	t.Helper()
	t.Parallel()
	w := onEngine(t)
	w.LockDir = ""
	return w
}

// A suite collects garbage less often than usual, and removes shared files after all tests.
type suite struct{ *testing.M }

func (s suite) Run() int {
	debug.SetGCPercent(400)            // many small projects are read and rendered, and thrown away
	_ = flag.Set("test.parallel", "4") // as beside says; the command line has the last word
	defer func() {
		if builtIn != "" {
			_ = os.RemoveAll(builtIn) // it is in the folder of temporary files
		}
	}()
	return s.M.Run()
}

// planned counts the records that do not replace a disturbed one.
func planned(records []*record.Record) int {
	n := 0
	for _, r := range records {
		if r.Order.Replaces == 0 {
			n++
		}
	}
	return n
}

// Each template is measured on a real engine without a failure. TestFirstUse covers http.
func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, template := range templateNames() {
		if template == "http" {
			continue
		}
		t.Run(template, func(t *testing.T) {
			w := beside(t)
			dir := filepath.Join(t.TempDir(), template)
			mustRun(t, w, "init", dir, "--template", template)
			measureOnce(t, dir)
			t.Log(mustRun(t, w, "-C", dir, "run", "--profile", "quick"))
			wantMeasured(t, filepath.Join(dir, "experiments", template))
			assert.Contains(t, mustRun(t, w, "-C", dir, "render"), "the site is in ")
		})
	}
}

// wantMeasured fails the test unless an article of a template has a date and a good record of each of its two cells.
func wantMeasured(t *testing.T, folder string) {
	t.Helper()
	assert.Lacks(t, must.Read(filepath.Join(folder, "article.md")), anyDate)
	records := recordsIn(t, folder)
	if len(records) != 2 {
		t.Fatalf("%d records, want one of each cell", len(records))
	}
	for _, r := range records {
		if r.Failure != "" || len(r.Samples) == 0 {
			t.Errorf("%s: %d samples, failure %q", r.Trial, len(r.Samples), r.Failure)
		}
	}
}
