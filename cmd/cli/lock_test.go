package cli

import (
	"testing"

	"benchbook/runner/machine"
)

// Everybody on a machine finds the same lock, whatever their own folder of temporary files is.
func TestLockFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(locksVariable, "")
	if w := wired(nil); w.LockDir != machine.LockFolder {
		t.Errorf("locks are in %q", w.LockDir)
	}
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	if w := wired(nil); w.LockDir != own {
		t.Errorf("with a folder of one's own locks are in %q", w.LockDir)
	}
}
