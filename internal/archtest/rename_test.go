package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// A clone can be renamed to the address where somebody publishes it, and then to another one.
func TestRename(t *testing.T) {
	slowtest.SkipSequential(t)
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
		return must.Run(cmd)
	}
	archive := exec.Command("sh", "-c", `git archive HEAD -- ':!experiments' | tar -x -C "$0"`, dir)
	archive.Dir = root
	must.Do(archive.Run())
	run("git", "init", "-q")
	run("git", "add", ".")
	for _, address := range []string{"example.com/x/benchbook", "example.org/y/bench"} {
		run("scripts/rename", address)
		assert.Equal(t, strings.TrimSpace(run("go", "list", "-m")), address, "the module")
	}
	run("go", "build", "-o", "bin/", "./runner/benchbook-agent") // the command would take a minute of processor time
	run("go", "list", "-deps", "-test", "./...")                 // an import of the old path is an error
	run("go", "list", "-C", "cluster", "-deps", "./inpod")
	for _, page := range []string{"README.md", "docs/install.md"} {
		assert.Lacks(t, must.Read(filepath.Join(dir, page)), "OWNER/")
	}
	assert.Equal(t, run("gofmt", "-l", "cmd", "notebook"), "", "not formatted")
}
