package cli

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// failingWriter is where nothing can be written, for a reason.
type failingWriter struct{ reason error }

func (w failingWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: w.reason}
}

// verbsThatPrint are arguments with which each verb prints to standard output and ends. Preview ends only with an
// interrupt.
var verbsThatPrint = map[string][]string{
	"bench":  nil, // it needs a repository, and prints as compare does
	"bundle": {"bundle", "pair"},
	"check":  {"check"}, "clean": {"clean"}, "compare": {"compare", "full", "full"}, "completion": {"completion", "bash"},
	"doctor":  {"doctor"},
	"help":    {"help"},
	"init":    {"init", "another"},
	"load":    {"load", "-d", "1s", "http://127.0.0.1:8080/"},
	"plan":    {"plan"},
	"preview": nil,
	"publish": {"publish", "published"}, "render": {"render"}, "report": {"report"},
	"repro": {"repro", "--yes", "pair.bundle"}, "run": {"run"},
	"schema": {"schema", "claim"}, "show": {"show"},
	"time": {"time", "true"}, "version": {"version"},
	"weave": {"weave", "page.md"},
}

// Text that cannot be written is a failure of every verb, said once. A reader that wants no more is none.
func TestLostOutput(t *testing.T) {
	slowtest.Skip(t)
	w := unlocked()
	measured, _ := project(t, "pair", pair)
	put(t, filepath.Join(measured, "page.md"), "# Page\n")
	mustRun(t, w, "-C", measured, "report")
	inGit(t, measured)
	mustRun(t, w, "-C", measured, "bundle", "pair", "--output", filepath.Join(measured, "pair.bundle"))
	// in runs the command in a project with records and a site, of its own since verbs write.
	in := func(t *testing.T, stdout io.Writer, args []string) (status int, stderr string) {
		t.Chdir(t.TempDir())
		must.Do(os.CopyFS(".", os.DirFS(measured)))
		var said bytes.Buffer
		status = run(args, stdout, &said, w)
		return status, said.String()
	}
	var verbs []string
	for _, cmd := range (&app{&lab.Session{Config: w}}).root().Commands() {
		verbs = append(verbs, cmd.Name())
	}
	verbs = append(verbs, "help")
	slices.Sort(verbs)
	for _, verb := range slices.Compact(verbs) {
		args, known := verbsThatPrint[verb]
		if !known {
			t.Errorf("%s: say in verbsThatPrint how it prints", verb)
		}
		if len(args) == 0 {
			continue
		}
		t.Run(verb, func(t *testing.T) {
			var all bytes.Buffer
			usual, usually := in(t, &all, args)
			if all.Len() == 0 {
				t.Fatalf("it printed nothing, with status %d: %s", usual, usually)
			}
			const lost = "benchbook: writing output: no space left on device\n"
			if status, stderr := in(t, failingWriter{syscall.ENOSPC}, args); status == 0 || strings.Count(stderr, lost) != 1 ||
				strings.Count(stderr, "no space") != 1 {
				t.Errorf("on a full disk: status %d, %s", status, stderr)
			}
			if status, stderr := in(t, failingWriter{syscall.EPIPE}, args); status != usual || strings.Contains(stderr, "pipe") {
				t.Errorf("with a closed pipe: status %d, want %d: %s", status, usual, stderr)
			}
		})
	}
}

// Writing to a pipe without a reader does not end the command by a signal, in the middle of what it does.
func TestClosedPipe(t *testing.T) {
	read, write := must.Two(os.Pipe())
	must.Do(read.Close())
	defer write.Close()
	dir, folder := project(t, "pair", pair)
	cmd := exec.Command("benchbook", "-C", dir, "run")
	cmd.Env = append(os.Environ(), "WORK="+t.TempDir())
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	wantRecords(t, folder, 6)
}
