package machines

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

	"benchbook/internal/slowtest"
	"benchbook/runner/engine"
	"benchbook/runner/sysinfo"
)

// Of two runs on a machine the second is refused and told who the first is, or waits for it and can be told to give up.
func TestLock(t *testing.T) {
	slowtest.Skip(t)
	h, dir, waits := sysinfo.Host{ID: "c2-abcdef"}, t.TempDir(), 0
	var first *BusyError
	onWaiting := func() {}
	waiting := func(busy *BusyError) {
		waits, first = waits+1, busy
		onWaiting()
	}
	unlock, err := Lock(t.Context(), h, dir, "measuring hello", waiting)
	if err != nil || waits != 0 {
		t.Fatalf("the first run waited %d times: %v", waits, err)
	}
	wantHolder := func(busy *BusyError) {
		t.Helper()
		if busy == nil || busy.Holder == nil {
			t.Fatalf("got %+v, want this process, which measures hello", busy)
		}
		if h := busy.Holder; h.PID != os.Getpid() || h.Doing != "measuring hello" || time.Since(h.Since) > time.Minute {
			t.Errorf("got %+v, want this process, which measures hello", h)
		}
	}
	_, err = Lock(t.Context(), h, dir, "measuring packing", nil)
	var busy *BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("the second run was not refused: %v", err)
	}
	wantHolder(busy)
	if !strings.Contains(err.Error(), " has been measuring hello since ") {
		t.Errorf("it was told %q", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	onWaiting = cancel // who waits gives up
	if _, err := Lock(ctx, h, dir, "measuring packing", waiting); !errors.Is(err, context.Canceled) || waits != 1 {
		t.Errorf("the second run said %d times that it waits, and then %v", waits, err)
	}
	wantHolder(first)
	other, err := Lock(t.Context(), sysinfo.Host{ID: "c4-abcdef"}, dir, "measuring hello", nil)
	if err != nil {
		t.Errorf("a run on another machine: %v", err)
	} else {
		other()
	}
	onWaiting = func() { time.AfterFunc(2*lockEvery, unlock) } // while another waits
	unlock, err = Lock(t.Context(), h, dir, "measuring packing", waiting)
	if err != nil || waits != 2 {
		t.Fatalf("the third run waited %d times: %v", waits-1, err)
	}
	unlock()
}

// The lock that one user made keeps out all others too, whatever that one's umask is: who cannot open it could never
// measure here.
func TestLockOfAllUsers(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	path := filepath.Join(t.TempDir(), "lock")
	file, err := openLock(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o644 {
		t.Errorf("its mode is %v", mode)
	}
}

// Another user can hold, remove or replace the lock of all users, but not stop runs by that.
func TestLockAgainstOtherUsers(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 3 * lockEvery
	h := sysinfo.Host{ID: "c2-abcdef"}
	shared, own := "benchbook-c2-abcdef.lock", fmt.Sprintf("benchbook-c2-abcdef-%d.lock", os.Getuid())
	hold := func(t *testing.T, path string, mode os.FileMode) {
		file, err := openLock(path, mode)
		if err != nil {
			t.Fatal(err)
		}
		if taken, err := tryLock(file); err != nil || !taken {
			t.Fatal(taken, err)
		}
		t.Cleanup(func() { file.Close() })
	}
	tests := []struct {
		name  string
		plant func(t *testing.T, dir string)
		waits int
	}{
		{"nothing", func(*testing.T, string) {}, 0},
		{"holds the lock of all", func(t *testing.T, dir string) { hold(t, filepath.Join(dir, shared), 0o644) }, 1},
		{"holds a lock that others can open in place of ours",
			func(t *testing.T, dir string) { hold(t, filepath.Join(dir, own), 0o644) }, 0},
		{"links", func(t *testing.T, dir string) {
			for _, name := range []string{shared, own} {
				if err := os.Symlink("/etc/passwd", filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}, 0},
		{"empty files", func(t *testing.T, dir string) {
			for _, name := range []string{shared, own} {
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, 0},
		{"an old file of a holder that has ended", func(t *testing.T, dir string) {
			name, old := filepath.Join(dir, own), time.Now().AddDate(-1, 0, 0)
			holder := `{"pid": 1, "since": "2025-01-01T00:00:00Z", "doing": "measuring hello", "owner": "x"}`
			if err := errors.Join(os.WriteFile(name, []byte(holder), 0o600), os.Chtimes(name, old, old)); err != nil {
				t.Fatal(err)
			}
		}, 0},
		{"folders", func(t *testing.T, dir string) {
			for _, name := range []string{shared, own} {
				if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}, 0},
		{"pipes", func(t *testing.T, dir string) {
			for _, name := range []string{shared, own} {
				if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, waits := t.TempDir(), 0
			test.plant(t, dir)
			began := time.Now()
			unlock, err := Lock(t.Context(), h, dir, "measuring hello", func(*BusyError) { waits++ })
			if err != nil {
				t.Fatal(err)
			}
			unlock()
			if waits != test.waits {
				t.Errorf("it waited %d times, want %d", waits, test.waits)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Nobody is named who has ended, whatever stands in the file of the lock.
func TestHolderThatCannotBeTold(t *testing.T) {
	dead := strings.Split(engine.Owner(), ".")
	dead[3] = "1"
	for name, text := range map[string]string{
		"nothing":       "",
		"no JSON":       "process 1",
		"somebody dead": `{"pid": 1, "doing": "measuring hello", "owner": "` + strings.Join(dead, ".") + `"}`,
		"no owner":      `{"pid": 1, "doing": "measuring hello"}`,
		"much":          strings.Repeat("x", 2*maxHolder),
	} {
		path := filepath.Join(t.TempDir(), "lock")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := openLock(path, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if holder := readHolder(file); holder != nil {
			t.Errorf("%s: got %+v", name, holder)
		}
		file.Close()
	}
	if got := (&BusyError{}).Error(); got != "another benchbook is using this machine" {
		t.Errorf("of somebody who is not known it says %q", got)
	}
}
