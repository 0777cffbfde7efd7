package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// The signals that timeout sends to a command and to the group of its processes are one. Another one ends a run at
// once, even if what it started cannot be removed.
func TestSecondSignal(t *testing.T) {
	slowtest.Skip(t)
	for after, want := range map[time.Duration]int{sameSignal / 20: lab.StatusInterrupted, 4 * sameSignal: -1} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			for {
				status, passed, said := signalledTwice(t, after)
				if after < sameSignal && passed > sameSignal/2 {
					continue // the machine is too busy for two signals in a moment
				}
				if status != want {
					t.Errorf("status %d, want %d: %s", status, want, said)
				}
				return
			}
		})
	}
}

// signalledTwice is the status of a run that gets two signals, the second one after some time, and what it says. Passed
// is the time between them. What the run has started is removed only some time after both.
func signalledTwice(t *testing.T, after time.Duration) (status int, passed time.Duration, said string) {
	t.Helper()
	dir, _ := project(t, "pair", pair)
	cmd := exec.Command("benchbook", "-C", dir, "run")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "WORK="+cmd.Dir, "ENGINE=slow-to-close")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	must.Do(cmd.Start())
	defer func() { _ = cmd.Process.Kill() }() // it has ended, unless the test failed before
	for begin := time.Now(); glob(filepath.Join(cmd.Dir, "blocked")) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("there is no load: %s", &stderr)
		}
	}
	first, begin := cmd.Process.Signal(syscall.SIGTERM), time.Now()
	time.Sleep(after)
	second := cmd.Process.Signal(syscall.SIGTERM)
	passed = time.Since(begin)
	if first != nil || second != nil {
		t.Fatal(first, second)
	}
	time.Sleep(4 * sameSignal)
	put(t, filepath.Join(cmd.Dir, "close"), "")
	_ = cmd.Wait() // the status is looked at
	return cmd.ProcessState.ExitCode(), passed, stderr.String()
}
