package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// failingWriter fails every write with a reason.
type failingWriter struct{ reason error }

func (w failingWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: w.reason}
}

// printing has a command line for everything that verbs print, except preview, which ends only by an interrupt.
var printing = []string{"check", "check --services", "plan", "run", "report", "show", "show pair", "show pair --trial a",
	"show pair --trial a --repetition 1", "compare full full", "bench HEAD~1 HEAD", "render", "publish --dry-run",
	"publish", "weave page.md", "bundle pair", "repro pair.bundle --yes", "clean", "clean --dry-run", "clean --records",
	"doctor", "time --repetitions 3 true", "load --repetitions 3 -c 5 -d 1s http://127.0.0.1:8080/", "init another", "schema",
	"schema record", "version", "completion bash", "help"}

// With --json every verb except completion and help prints one JSON value. Every verb fails if its output cannot be
// written, and says so once. It is not an error if the reader closes its pipe.
func TestOutputOfEveryVerb(t *testing.T) {
	slowtest.Skip(t)
	w := unlocked()
	measured, _ := project(t, "pair", strings.Replace(pair, `image: "server:${{ matrix.version }}"`, "build: ../../app", 1))
	must.Write(filepath.Join(measured, "app", "Dockerfile"), "FROM scratch\nCOPY . /\n")
	must.Write(filepath.Join(measured, "page.md"),
		"<!-- benchbook: value count(throughput) of pair --><!-- /benchbook -->\n")
	inGit(measured)
	must.Git(measured, "commit", "-qm", "first")
	must.Write(filepath.Join(measured, "app", "speed"), "2\n")
	must.Git(measured, "add", ".")
	must.Git(measured, "commit", "-qm", "second")
	mustRun(t, w, "-C", measured, "report")
	mustRun(t, w, "-C", measured, "bundle", "pair", "--output", filepath.Join(measured, "pair.bundle"))
	for _, args := range [][]string{{"init", "-q", "--bare", "pages.git"}, {"remote", "add", "origin", "pages.git"},
		{"config", "user.name", "x"}, {"config", "user.email", "x@x.example"}} {
		must.Do(exec.Command("git", append([]string{"-C", measured}, args...)...).Run())
	}
	// in runs the command in a copy of the project.
	in := func(t *testing.T, stdout io.Writer, args ...string) (status int, stderr string) {
		t.Chdir(t.TempDir())
		must.Do(os.CopyFS(".", os.DirFS(measured)))
		var said bytes.Buffer
		status = run(args, stdout, &said, w)
		return status, said.String()
	}
	tested := map[string]bool{"preview": true}
	for _, line := range printing {
		args := strings.Fields(line)
		tested[args[0]] = true
		t.Run(line, func(t *testing.T) {
			var text, data bytes.Buffer
			usual, stderr := in(t, &text, args...)
			if text.Len() == 0 || usual != lab.StatusDone && args[0] != "doctor" { // this machine may be unfit
				t.Fatalf("status %d, %d bytes printed: %s", usual, text.Len(), stderr)
			}
			if args[0] != "completion" && args[0] != "help" {
				_, stderr = in(t, &data, append(args, "--json")...)
				var value any
				d := json.NewDecoder(&data)
				if first, second := d.Decode(&value), d.Decode(&value); first != nil || !errors.Is(second, io.EOF) {
					t.Errorf("not one value of JSON: %v, %v: %s", first, second, stderr)
				}
			}
			const lost = "benchbook: writing output: no space left on device\n"
			if status, stderr := in(t, failingWriter{syscall.ENOSPC}, args...); status == 0 || strings.Count(stderr, lost) != 1 ||
				strings.Count(stderr, "no space") != 1 {
				t.Errorf("on a full disk: status %d, %s", status, stderr)
			}
			if status, stderr := in(t, failingWriter{syscall.EPIPE}, args...); status != usual || strings.Contains(stderr, "pipe") {
				t.Errorf("with a closed pipe: status %d, want %d: %s", status, usual, stderr)
			}
		})
	}
	for _, cmd := range (&app{&lab.Session{Config: w}}).root().Commands() {
		assert.Equal(t, tested[cmd.Name()], true, "%s is tested", cmd.Name())
	}
}

// Writing to a pipe without a reader does not kill the command by a signal.
func TestClosedPipe(t *testing.T) {
	read, write := must.Two(os.Pipe())
	must.Do(read.Close())
	defer write.Close()
	dir, folder := project(t, "pair", pair)
	cmd := exec.Command("benchbook", "-C", dir, "run")
	cmd.Env = append(os.Environ(), "WORK="+t.TempDir())
	cmd.Stdout, cmd.Stderr = write, write
	must.Do(cmd.Run())
	wantRecords(t, folder, 6)
}

// On a terminal a run draws a bar below its lines, and removes it before the summary.
func TestRunOnATerminal(t *testing.T) {
	w := unlocked()
	w.Terminal = func() int { return 80 }
	dir, _ := project(t, "pair", pair)
	status, _, stderr := said(w, dir, "run")
	if status != 0 {
		t.Fatalf("run ended with %d: %s", status, stderr)
	}
	assert.Contains(t, stderr, "\n  [6/6] ", "\n6 of 6 [===", "\nmeasured 6 repetitions in ")
}
