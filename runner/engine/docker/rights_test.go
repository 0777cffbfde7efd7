package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"benchbook/runner/engine/agent"
)

// agentOf builds our agent.
func agentOf(t *testing.T) agent.Program {
	t.Helper()
	file := filepath.Join(t.TempDir(), agent.Name)
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "benchbook/runner/benchbook-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", agent.Name, err, output)
	}
	return func() ([]byte, error) { return os.ReadFile(file) }
}
