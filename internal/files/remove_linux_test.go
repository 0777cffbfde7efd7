package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"benchbook/internal/test/must"
)

const nobody = 65534

// A folder is removed with everything in it, including read-only folders. Root can remove these anyway, so the test
// changes its user then.
func TestRemoveAll(t *testing.T) {
	if os.Geteuid() == 0 {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestRemoveAll$", "-test.v")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		must.Run(cmd)
		return
	}
	folder := filepath.Join(t.TempDir(), "of a service")
	below := filepath.Join(folder, "cache", "module")
	must.Do(os.MkdirAll(below, 0o755))
	must.Do(os.WriteFile(filepath.Join(below, "file"), nil, 0o444))
	for _, name := range []string{below, filepath.Dir(below)} {
		must.Do(os.Chmod(name, 0o555))
	}
	must.Do(os.Chmod(folder, 0))
	if os.RemoveAll(folder) == nil {
		t.Fatal("it can be removed without us")
	}
	must.Do(RemoveAll(folder))
	if _, err := os.Lstat(folder); err == nil {
		t.Error("it is there")
	}
}
