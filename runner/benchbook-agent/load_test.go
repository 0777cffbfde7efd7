//go:build linux

package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/runner/agent"
)

// A signal ends a load that waits for answers.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		silent := must.Get(net.Listen("tcp", "127.0.0.1:0"))
		defer silent.Close()
		var stdout, stderr strings.Builder
		cmd := exec.Command(agent.Name, agent.Load, "-n", "2", "-timeout", "1h", "http://"+silent.Addr().String())
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		must.Do(cmd.Start())
		conn := must.Get(silent.Accept())
		defer conn.Close()
		must.Get(conn.Read(make([]byte, 1)))
		must.Do(cmd.Process.Signal(signal))
		cmd.Wait()
		if cmd.ProcessState.ExitCode() != 1 || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 ||
			!strings.Contains(stderr.String(), "signal") {
			t.Errorf("%v: %v, stdout %q, stderr %q; want status 1, nothing, and one line about the signal", signal,
				cmd.ProcessState, &stdout, &stderr)
		}
	}
}
