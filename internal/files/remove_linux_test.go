package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const nobody = 65534

// A folder goes with all that is in it, whoever may write there. As root that would prove nothing, so the test becomes
// somebody else then.
func TestRemoveAll(t *testing.T) {
	if os.Geteuid() == 0 {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestRemoveAll$", "-test.v")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("as nobody: %v\n%s", err, out)
		}
		return
	}
	folder := filepath.Join(t.TempDir(), "of a service")
	below := filepath.Join(folder, "cache", "module")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "file"), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{below, filepath.Dir(below)} {
		if err := os.Chmod(name, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0); err != nil {
		t.Fatal(err)
	}
	if os.RemoveAll(folder) == nil {
		t.Fatal("it can be removed without us")
	}
	if err := RemoveAll(folder); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(folder); err == nil {
		t.Error("it is there")
	}
}
