//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/runner/agent"
)

// An idle process reaps its children, and ends with status 0 on either signal.
func TestIdle(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		// The shell execs the program, which inherits its child.
		cmd := exec.Command("sh", "-c", "sleep 0.3 & exec "+agent.Name+" "+agent.Idle)
		must.Do(cmd.Start())
		defer cmd.Process.Kill()
		folder := filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "task", strconv.Itoa(cmd.Process.Pid))
		is := func(file, want string) bool {
			text, err := os.ReadFile(filepath.Join(folder, file))
			return err == nil && strings.TrimSpace(string(text)) == want
		}
		idle := func() bool { return is("children", "") && is("comm", agent.Name) }
		for deadline := time.Now().Add(10 * time.Second); !idle(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("a child that has ended was not reaped")
			}
		}
		must.Do(cmd.Process.Signal(end))
		must.Do(cmd.Wait())
	}
}
