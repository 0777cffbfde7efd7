package cli

import (
	"bufio"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

var alone = flag.Bool("alone", false, "hold first use to its time, as this machine does nothing else: make "+
	"bench-first-use")

// firstUse is how long a new user may wait for the first page with numbers of this machine.
const firstUse = 2 * time.Minute

// released builds benchbook as a user gets it: one program, in a folder of its own, that everybody may run.
func released(t *testing.T) (program string) {
	t.Helper()
	slowtest.SkipSequential(t)
	dir := must.Get(os.MkdirTemp("", "benchbook-first-use-"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	built := t.TempDir()
	build := exec.Command("make", "build", "BIN="+built)
	build.Dir = filepath.Join("..", "..")
	must.Run(build)
	program = filepath.Join(dir, "benchbook")
	must.Do(errors.Join(os.Rename(filepath.Join(built, "benchbook"), program), os.Chmod(dir, 0o755)))
	return program
}

// TestFirstUse plays a new user, with success and without access to an engine.
func TestFirstUse(t *testing.T) {
	if !*alone {
		t.Parallel()
	}
	program := released(t)
	t.Run("from nothing to a page", func(t *testing.T) { fromNothing(t, program) })
	t.Run("a socket without permission", func(t *testing.T) { noPermission(t, program) })
}

// benchbook init demo && cd demo && benchbook run --quick && benchbook preview, as a new user types it, whose time this
// prints. Beside other tests, for whose end it would wait in vain before each repetition, it makes one of each cell.
func fromNothing(t *testing.T, program string) {
	onEngine(t)
	dir := t.TempDir()
	step := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		for tries := 1; err != nil && tries < 3 && !*alone && strings.Contains(string(out), "waited for a core"); tries++ {
			// Other programs disturbed the only repetition: measure it again.
			cmd = exec.Command(program, "run", "--force")
			cmd.Dir = dir
			out, err = cmd.CombinedOutput()
		}
		if err != nil {
			t.Fatalf("benchbook %q: %v\n%s", args, err, out)
		}
	}
	begin := time.Now()
	step(dir, "init", "demo")
	demo := filepath.Join(dir, "demo")
	if !*alone {
		measureOnce(t, demo)
	}
	step(demo, "run", "--quick")
	address := previewing(t, program, demo)
	response := must.Get(http.Get(address + "http/"))
	defer response.Body.Close()
	page := string(must.Get(io.ReadAll(response.Body)))
	// A value that other tests disturbed too much is shown all the same.
	if !strings.Contains(page, "<data value=") && (*alone || !strings.Contains(page, "/s (not valid)")) {
		t.Error("the page has no measured value")
	}
	if *alone && !strings.Contains(page, "is-supported") {
		t.Error("the page does not decide its claim")
	}
	took := time.Since(begin)
	if *alone && took > firstUse {
		t.Errorf("it took %v until the page was there, want %v at most", took, firstUse)
	}
	t.Logf("from nothing to the page: %v", took.Round(100*time.Millisecond))
}

// previewing starts a preview and gives its address. It ends with the test, as Ctrl-C ends it.
func previewing(t *testing.T, program, dir string) (address string) {
	t.Helper()
	cmd := exec.Command(program, "preview")
	cmd.Dir, cmd.Stderr = dir, t.Output()
	out := must.Get(cmd.StdoutPipe())
	must.Do(cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		must.Do(cmd.Wait())
	})
	line := must.Get(bufio.NewReader(out).ReadString('\n'))
	words, _, _ := strings.Cut(strings.TrimPrefix(line, "the preview is at "), ";")
	return words
}

// A user without access to the engine's socket gets a remedy.
func noPermission(t *testing.T, program string) {
	if os.Geteuid() != 0 {
		t.Skip("it needs root")
	}
	const nobody = 65534
	folder := filepath.Dir(program)
	socket := filepath.Join(folder, "docker.sock")
	listener := must.Get(net.Listen("unix", socket))
	defer listener.Close()
	cmd := exec.Command(program, "run", "--quick")
	cmd.Dir = filepath.Join(folder, "mine")
	must.Get(exec.Command(program, "init", cmd.Dir).Output())
	must.Do(filepath.WalkDir(cmd.Dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	}))
	must.Do(os.Chmod(socket, 0o600))
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+socket, "HOME=/nonexistent")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("it did not fail:\n%s", out)
	}
	assert.Contains(t, string(out), "may be used by this user", "join the group docker, or run as root")
}
