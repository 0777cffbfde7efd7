package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What benchbook starts has no descriptor of whoever started benchbook, such as the lock of "flock FILE benchbook
// preview --open".
func TestStartedProgramsHoldNothing(t *testing.T) {
	dir, _ := project(t, "pair", pair)
	programs := t.TempDir()
	lists := "#!/bin/sh\nls -l /proc/$$/fd >>\"$LISTED\"\nexit 1\n"
	if err := os.WriteFile(filepath.Join(programs, "git"), []byte(lists), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	listed := filepath.Join(t.TempDir(), "listed")
	cmd := exec.Command("benchbook", "-C", dir, "run")
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "LISTED="+listed, "WORK="+t.TempDir())
	cmd.ExtraFiles = []*os.File{lock}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(listed)
	if err != nil {
		t.Fatalf("git was not started, which the test looks at: %v", err)
	}
	if strings.Contains(string(text), lock.Name()) {
		t.Errorf("git holds the lock of whoever started benchbook:\n%s", text)
	}
}
