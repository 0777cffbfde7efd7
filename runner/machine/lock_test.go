package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

// A second run on a machine is refused or waits, and is told what the first one measures.
func TestLock(t *testing.T) {
	h, dir := Host{ID: "c2-abcdef"}, t.TempDir()
	unlock := must.Get(Lock(t.Context(), h, dir, "measuring hello", nil))
	_, err := Lock(t.Context(), h, dir, "measuring packing", nil)
	want := fmt.Sprintf("it has been measuring hello (process %d) since ", os.Getpid())
	if !errors.As(err, new(*engine.BusyError)) || !strings.Contains(err.Error(), want) {
		t.Errorf("the second run: got %v, want %q", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Lock(ctx, h, dir, "", func(*engine.BusyError) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is interrupted while it waits: got %v", err)
	}
	must.Get(Lock(t.Context(), Host{ID: "c4-abcdef"}, dir, "measuring hello", nil))() // on another machine
	waits := 0
	unlock, err = Lock(t.Context(), h, dir, "measuring packing", func(*engine.BusyError) {
		waits++
		time.AfterFunc(2*lockEvery, unlock)
	})
	if err != nil || waits != 1 {
		t.Fatalf("the third run waited %d times: %v", waits, err)
	}
	unlock()
}

// A file of others at the lock's path does not keep us from measuring.
func TestLockPlaceTaken(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"link":             func(path string) error { return os.Symlink("/etc/passwd", path) },
		"file for all":     func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o644)) },
		"folder":           func(path string) error { return os.Mkdir(path, 0o755) },
		"pipe":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"file with no run": func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must.Do(plant(filepath.Join(dir, fmt.Sprintf("benchbook-c2-abcdef-%d.lock", os.Getuid()))))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			unlock := must.Get(Lock(ctx, Host{ID: "c2-abcdef"}, dir, "measuring hello", nil))
			unlock()
		})
	}
}
